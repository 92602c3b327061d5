"""Frostpane as one of the engines of bench/run, and the reference evaluator as another."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import machine
import rows
from frostpane import Frostpane, Refused
from questions import Question

THREADS = 2
#: Nothing but the questions: no kept answers, else only the first of several runs would be one, and no verification of
#: all files at the start, which would read them into memory.
SERVE = ["--answer-memory", "0", "--verify-every", "0"]


def settle_store(server: Frostpane):
    """Flushes and compacts until nothing is left to do, which a running server puts off until it is worth it."""
    command = [rows.example("store", "load"), server.data, str(server.project()["id"])]
    subprocess.run(command, stdin=subprocess.DEVNULL, check=True)


class FrostpaneEngine:
    name = "Frostpane"
    folder = "frostpane"

    def __init__(self, binary: Path, directory: Path):
        self.version = machine.built(binary)
        self.directory = directory / self.folder
        self.server = Frostpane(binary, self.directory)
        self.threads = THREADS
        self.loader: subprocess.Popen | None = None
        self.connection = None
        self.explanations: dict[str, dict] = {}

    def begin(self):
        """The rows go into the store directly; crates/store/examples/load.rs says what that leaves out."""
        self.server.init()
        command = [rows.example("store", "load"), self.server.data, str(self.server.project()["id"])]
        self.loader = subprocess.Popen(command, stdin=subprocess.PIPE)

    def insert(self, path: Path):
        with open(path, "rb") as lines:
            while part := lines.read(1 << 20):
                self.loader.stdin.write(part)

    def finish(self):
        self.loader.stdin.close()
        if self.loader.wait() != 0:
            raise RuntimeError("loading failed; see above")

    def open(self):
        self.server.start("--threads", str(self.threads), *SERVE)
        self.connection = self.server.connect()

    def use_threads(self, threads: int):
        self.threads = threads
        self.close()
        self.open()

    def ask(self, question: Question) -> object:
        answer = self.server.query(self.report(question), self.connection)
        self.explanations[question.name] = answer["explanation"]
        return question.from_answer(answer["answer"])

    def report(self, question: Question) -> dict:
        if question.cohort is None:
            return question.report
        return question.with_cohort(self.server.cohort(question.name, question.cohort, self.connection))

    def cpu_seconds(self) -> float:
        return self.server.cpu_seconds()

    def disk_bytes(self) -> dict[str, int]:
        return self.server.disk_bytes()

    def close(self):
        print(f"Frostpane: {self.server.memory_mib():.0f} MiB resident at the end", file=sys.stderr)
        self.connection.close()
        self.server.stop()


class Imported(FrostpaneEngine):
    """Frostpane with the rows sent through the front door: shows that the loader stores what ingestion would."""

    name = "Frostpane by /import"
    folder = "imported"

    def begin(self):
        self.server.init()
        self.server.start(*SERVE)

    def insert(self, path: Path):
        self.server.import_rows(path)

    def finish(self):
        self.server.stop()
        settle_store(self.server)


class Reference:
    """The slow evaluator of crates/reference, over the very same rows; for sizes up to some 50,000 events."""

    name = "reference"

    def __init__(self, binary: Path, directory: Path):
        self.version = machine.built(binary)
        self.binary = binary
        self.directory = directory / "reference"
        self.rows = self.directory / "rows.ndjson"
        self.definitions = self.directory / "definitions.json"

    def begin(self):
        self.directory.mkdir(exist_ok=True)
        self.rows.write_bytes(b"")

    def insert(self, path: Path):
        with open(self.rows, "ab") as out:
            out.write(path.read_bytes())

    def finish(self):
        pass

    def open(self):
        pass

    def use_threads(self, threads: int):
        pass

    def ask(self, question: Question) -> object:
        cohorts = {} if question.cohort is None else {1: question.cohort}
        self.definitions.write_text(json.dumps({"cohorts": cohorts}))
        command = [self.binary, "reference", "-", "--json", "--events", self.rows, "--definitions", self.definitions]
        report = json.dumps(question.with_cohort(1))
        # The command line wants a credential even where no server is asked.
        environment = os.environ | {"FROSTPANE_CREDENTIAL": "unused"}
        answer = subprocess.run(command, input=report, env=environment, capture_output=True, text=True)
        if answer.returncode != 0:
            raise Refused(f"frostpane reference: {answer.stderr}")
        return question.from_answer(json.loads(answer.stdout))

    def cpu_seconds(self) -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def disk_bytes(self) -> dict[str, int]:
        return {}

    def close(self):
        pass
