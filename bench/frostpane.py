"""Frostpane as a process and as an HTTP service; nothing but the standard library."""

import base64
import contextlib
import gzip
import http.client
import json
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from machine import cpu_seconds, directory_bytes, memory_mib, process_tree

#: Whichever port is free: several servers may run at once.
LISTEN = "127.0.0.1:0"
START_SECONDS_MAX = 120
IMPORT_ROWS = 2_000
IMPORT_THREADS = 4


class Refused(Exception):
    """The server answered with another status than 200."""


class Frostpane:
    """One installation with one project, in a directory of its own."""

    def __init__(self, binary: Path, directory: Path):
        self.binary = binary
        self.directory = directory
        self.data = directory / "data"
        self.vault = directory / "vault"
        self.credentials_file = directory / "credentials.json"
        self.process: subprocess.Popen | None = None
        self.address = ""
        #: Numbers of saved cohorts by name.
        self.cohorts: dict[str, int] = {}

    # ---- process

    def init(self, name: str = "bench"):
        """Makes a new installation; one that is there already is removed."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        command = [self.binary, "init", "--data", self.data, "--vault", self.vault]
        command += ["--project", name, "--timezone", "UTC", "--owner", "bench@kiteline.example", "--json"]
        answer = subprocess.run(command, check=True, capture_output=True, text=True)
        self.credentials_file.write_text(answer.stdout)

    @property
    def credentials(self) -> dict:
        return json.loads(self.credentials_file.read_text())

    def start(self, *options: str):
        command = [self.binary, "serve", "--data", self.data, "--vault", self.vault, "--listen", LISTEN, *options]
        log = open(self.directory / "serve.log", "a")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.process.stdout], [], [], 0.5)
            line = self.process.stdout.readline() if ready else ""
            if line.startswith("listening on "):
                self.address = line.removeprefix("listening on ").strip().removeprefix("http://")
                # Whatever else it says must not fill the pipe.
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return
            if self.process.poll() is not None:
                break
        raise RuntimeError(f"no 'listening on' within {START_SECONDS_MAX} s; see {self.directory / 'serve.log'}")

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self):
        """Ends all its processes at once, as a power cut would."""
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def processes(self) -> list[int]:
        return process_tree(self.process.pid)

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.processes())

    def memory_mib(self) -> float:
        return memory_mib(self.processes())

    def disk_bytes(self) -> dict[str, int]:
        segments = directory_bytes(self.data / "segments")
        return {
            ", segments": segments,
            ", log and the rest": directory_bytes(self.data) - segments,
            ", vault": directory_bytes(self.vault),
        }

    def settle(self, seconds_max: float = 180):
        """Waits until the server has nothing left to flush or compact: two idle seconds in a row."""
        deadline = time.monotonic() + seconds_max
        idle = 0
        while idle < 2 and time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(1)
            idle = idle + 1 if self.cpu_seconds() - before < 0.03 else 0

    # ---- HTTP

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address, timeout=600)

    def basic(self) -> str:
        account = self.credentials["service_account"]
        return "Basic " + base64.b64encode(f"{account['username']}:{account['secret']}".encode()).decode()

    def project(self) -> dict:
        return self.credentials["project"]

    def query(self, report: dict, connection: http.client.HTTPConnection) -> dict:
        """Answer and explanation of a report."""
        headers = {"Authorization": self.basic(), "Content-Type": "application/json"}
        path = f"/api/v1/projects/{self.project()['id']}/query"
        return json.loads(self.post(connection, path, json.dumps(report).encode(), headers))

    def count(self, measure: str, first: date, last: date) -> int:
        """`total`, events of these days, or `unique`, their persons, as a report counts them."""
        report = {
            "version": 1,
            "range": {"from": first.isoformat(), "to": last.isoformat()},
            "timezone": "UTC",
            "question": {"kind": "insights", "unit": "day", "metrics": [{"measure": measure}]},
        }
        with contextlib.closing(self.connect()) as connection:
            series = self.query(report, connection)["answer"]["series"]
        return int(series[0]["total"]) if series else 0

    def cohort(self, name: str, cohort: dict, connection: http.client.HTTPConnection) -> int:
        """Number of the cohort saved under this name, which it is now if it was not."""
        if name not in self.cohorts:
            headers = {"Authorization": self.basic(), "Content-Type": "application/json"}
            path = f"/api/v1/projects/{self.project()['id']}/cohorts"
            for saved in json.loads(self.request(connection, "GET", path, None, headers)):
                self.cohorts[saved["name"]] = saved["id"]
            if name not in self.cohorts:
                body = json.dumps({"name": name, "cohort": cohort}).encode()
                self.cohorts[name] = json.loads(self.request(connection, "POST", path, body, headers, 201))["id"]
        return self.cohorts[name]

    def post(self, connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict) -> bytes:
        return self.request(connection, "POST", path, body, headers)

    def request(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict,
        expected: int = 200,
    ) -> bytes:
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            # The server closes connections that are idle for long, as when the reference evaluator is asked meanwhile.
            connection.close()
            connection.request(method, path, body, headers)
            response = connection.getresponse()
        answer = response.read()
        if response.status != expected:
            raise Refused(f"{path}: {response.status} {answer[:300].decode(errors='replace')}")
        return answer

    def import_path(self) -> str:
        return f"/import?strict=1&project_id={self.project()['id']}"

    def import_rows(self, rows: Path):
        """Sends a file of export lines to `/import`, several batches at a time."""
        headers = {"Authorization": self.basic(), "Content-Type": "application/json"}
        batches = batched_lines(rows, IMPORT_ROWS)
        lock = threading.Lock()
        failures: list[Exception] = []

        def work():
            with contextlib.closing(self.connect()) as connection:
                while not failures:
                    with lock:
                        batch = next(batches, None)
                    if batch is None:
                        return
                    try:
                        self.post(connection, self.import_path(), json_array(batch), headers)
                    except Exception as failure:
                        failures.append(failure)

        threads = [threading.Thread(target=work) for _ in range(IMPORT_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]


def batched_lines(path: Path, count: int) -> Iterator[list[bytes]]:
    with open(path, "rb", buffering=1 << 22) as lines:
        batch = []
        for line in lines:
            batch.append(line)
            if len(batch) == count:
                yield batch
                batch = []
        if batch:
            yield batch


def json_array(lines: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(line.rstrip(b"\n") for line in lines) + b"]"


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6)
