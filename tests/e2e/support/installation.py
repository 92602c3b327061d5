"""A real installation: directories that `frostpane init` made, and the server's process over them."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BINARY = pathlib.Path(os.environ.get("FROSTPANE_BINARY", REPOSITORY / "target" / "debug" / "frostpane"))
LISTENING = re.compile(r"listening on (http://\S+)")


class DidNotStart(Exception):
    """The server ended or kept silent instead of listening; the message holds what it said."""


class Installation:
    """Starts, stops and kills one server. Everything it may write lies below `root`, so that a test can search it."""

    def __init__(self, root: pathlib.Path, *, data: pathlib.Path | None = None, vault: pathlib.Path | None = None,
                 passphrase: str | None = None, owner: str = "owner@frostpane.example", timezone: str = "UTC",
                 log: str = "info") -> None:
        if not BINARY.exists():
            raise DidNotStart(f"{BINARY} is not there; build it first (./run or cargo build)")
        self.root = root
        self.data = data or root / "data"
        self.vault = vault or root / "vault"
        self.log = root / "logs" / "server.log"
        self.temporary = root / "tmp"
        for directory in (self.log.parent, self.temporary):
            directory.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.temporary),
            "TMPDIR": str(self.temporary),
            "FROSTPANE_LOG": log,
            "RUST_BACKTRACE": "1",
        }
        if passphrase is not None:
            self.environment["FROSTPANE_VAULT_PASSPHRASE"] = passphrase
        self.process: subprocess.Popen[str] | None = None
        self.listen = "127.0.0.1:0"
        self.url = ""
        made = json.loads(self.run("init", "--data", str(self.data), "--vault", str(self.vault), "--owner", owner,
                                   "--timezone", timezone, "--json"))
        self.project = made["project"]["id"]
        self.token = made["project"]["token"]
        self.api_secret = made["project"]["api_secret"]
        self.service_account = (made["service_account"]["username"], made["service_account"]["secret"])
        self.login_code = made["owner"]["login_url"].partition("#")[2]

    def run(self, *arguments: str, check: bool = True) -> str:
        """Runs a command of the binary and returns what it printed."""
        done = subprocess.run([BINARY, *arguments], env=self.environment, cwd=self.root, capture_output=True, text=True,
                              timeout=120, check=False)
        with self.log.open("a") as log:
            log.write(done.stderr)
        if check and done.returncode != 0:
            raise AssertionError(f"frostpane {arguments[0]} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def start(self, *extra: str) -> Installation:
        """Starts the server and waits until it listens. The second start takes the address of the first."""
        started = time.monotonic()
        log = self.log.open("a")
        log_begins = self.log.stat().st_size
        self.process = subprocess.Popen(
            [BINARY, "serve", "--data", self.data, "--vault", self.vault, "--listen", self.listen, *extra],
            env=self.environment, cwd=self.root, stdout=subprocess.PIPE, stderr=log, text=True)
        log.close()
        watchdog = threading.Timer(60, self.process.kill)
        watchdog.start()
        found = None
        for line in self.process.stdout:
            found = LISTENING.search(line)
            if found:
                break
        watchdog.cancel()
        if not found:
            code = self.process.wait()
            with self.log.open(errors="replace") as said:
                said.seek(log_begins)
                raise DidNotStart(f"exit code {code}: {said.read()[-2000:]}")
        self.url = found[1]
        self.listen = self.url.removeprefix("http://")
        self.start_seconds = time.monotonic() - started
        return self

    def stop(self) -> int:
        """Asks the server to finish, and waits."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        return self._reap(60)

    def kill(self) -> None:
        """SIGKILL: no goodbye, no flush."""
        if self.process is not None:
            self.process.kill()
            self._reap(30)

    def _reap(self, seconds: float) -> int:
        process, self.process = self.process, None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()
        return code

    def vault_process(self) -> int | None:
        """The process id of the vault that the server started, read from the kernel."""
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                children = (task / "children").read_text().split()
            except OSError:
                continue
            for child in children:
                try:
                    words = pathlib.Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if words[1:3] == [b"vault", b"serve"]:
                    return int(child)
        return None

    def kill_vault(self) -> bool:
        """SIGKILL to the vault alone. False if there is none right now."""
        child = self.vault_process()
        if child is None:
            return False
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")
