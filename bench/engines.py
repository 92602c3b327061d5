"""DuckDB and ClickHouse, each set up as its own manual would: narrow types, dictionaries, the best sort order."""

import json
import resource
import time
from collections.abc import Callable
from pathlib import Path

import chdb.session
import duckdb

from machine import directory_bytes
from questions import Question
from rows import FLAG, LIST, NUMBER, TEXT

THREADS = 2


def own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def fastest(run: Callable[[str], list], question: Question, phrasings: list[str]) -> str:
    """The phrasing that takes the least processor time when warm; all must give the same answer."""
    taken = []
    for sql in phrasings:
        first = question.from_rows(run(sql))
        assert not taken or first == expected, f"two phrasings of '{question.name}' differ"
        expected = first
        cpu = own_cpu_seconds()
        run(sql)
        taken.append(own_cpu_seconds() - cpu)
    return phrasings[taken.index(min(taken))]


class DuckDb:
    name = "DuckDB"
    version = duckdb.__version__

    def __init__(self, directory: Path):
        self.path = directory / "duckdb.db"
        self.chosen: dict[str, str] = {}
        self.connection = None

    def load(self, rows: Path) -> float | None:
        """Loads the rows unless they are there; seconds it took."""
        fresh = not self.path.exists()
        self.connection = duckdb.connect(self.path)
        self.connection.execute(f"SET threads = {THREADS}")
        if not fresh:
            return None
        began = time.perf_counter()
        try:
            self.connection.execute(self.create(rows))
            self.connection.execute("CHECKPOINT")
        except Exception:
            self.connection.close()
            self.path.unlink()
            raise
        return time.perf_counter() - began

    def create(self, rows: Path) -> str:
        kinds = {name: "VARCHAR" for name in ["distinct_id", "$insert_id", *TEXT]}
        kinds |= {"time": "BIGINT"} | {name: "INTEGER" for name in NUMBER}
        kinds |= {name: "BOOLEAN" for name in FLAG} | {name: "VARCHAR[]" for name in LIST}
        members = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
        columns = ", ".join(f'properties."{name}"' for name in [*TEXT, *NUMBER, *FLAG, *LIST])
        return f"""
            CREATE TABLE events AS
            SELECT event, CAST(substr(properties.distinct_id, 2) AS UINTEGER) AS person, properties.time AS time,
                   hash(properties."$insert_id") AS insert_id, {columns}
            FROM read_ndjson('{rows}', columns = {{'event': 'VARCHAR', 'properties': 'STRUCT({members})'}})
            ORDER BY event, person, time"""

    def ask(self, question: Question) -> object:
        if question.name not in self.chosen:
            self.chosen[question.name] = fastest(self.run, question, question.duckdb)
        return question.from_rows(self.run(self.chosen[question.name]))

    def run(self, sql: str) -> list:
        return self.connection.execute(sql).fetchall()

    def cpu_seconds(self) -> float:
        return own_cpu_seconds()

    def disk_bytes(self) -> dict[str, int]:
        return {"": self.path.stat().st_size}

    def close(self):
        self.connection.close()


class ClickHouse:
    name = "ClickHouse"
    version = str(chdb.query("SELECT version()")).strip().strip('"')

    def __init__(self, directory: Path):
        self.path = directory / "clickhouse"
        self.chosen: dict[str, str] = {}
        self.session = None

    def load(self, rows: Path) -> float | None:
        fresh = not (self.path / "loaded").exists()
        self.session = chdb.session.Session(str(self.path))
        self.session.query("CREATE DATABASE IF NOT EXISTS bench")
        if not fresh:
            return None
        began = time.perf_counter()
        self.session.query("DROP TABLE IF EXISTS bench.events")
        self.session.query(self.create())
        self.session.query(self.insert(rows))
        self.session.query("OPTIMIZE TABLE bench.events FINAL")
        (self.path / "loaded").touch()
        return time.perf_counter() - began

    def create(self) -> str:
        columns = [f"`{name}` LowCardinality(String)" for name in TEXT]
        columns += [f"`{name}` Nullable(Int32)" for name in NUMBER]
        columns += [f"`{name}` Nullable(Bool)" for name in FLAG]
        columns += [f"`{name}` Array(LowCardinality(String))" for name in LIST]
        return f"""
            CREATE TABLE bench.events (event LowCardinality(String), person UInt32, time Int64, insert_id UInt64,
                {", ".join(columns)}) ENGINE = MergeTree ORDER BY (event, person, time)"""

    def insert(self, rows: Path) -> str:
        kinds = {name: "String" for name in ["distinct_id", "$insert_id", *TEXT]}
        kinds |= {"time": "Int64"} | {name: "Nullable(Int32)" for name in NUMBER}
        kinds |= {name: "Nullable(Bool)" for name in FLAG} | {name: "Array(String)" for name in LIST}
        members = ", ".join(f"`{name}` {kind}" for name, kind in kinds.items())
        columns = ", ".join(f"properties.`{name}`" for name in [*TEXT, *NUMBER, *FLAG, *LIST])
        return f"""
            INSERT INTO bench.events
            SELECT event, toUInt32(substring(properties.distinct_id, 2)), properties.time,
                   cityHash64(properties.`$insert_id`), {columns}
            FROM file('{rows}', 'JSONEachRow', 'event String, properties Tuple({members})')
            SETTINGS max_threads = {THREADS}, input_format_json_ignore_unknown_keys_in_named_tuple = 1"""

    def ask(self, question: Question) -> object:
        if question.name not in self.chosen:
            self.chosen[question.name] = fastest(self.run, question, question.clickhouse)
        return question.from_rows(self.run(self.chosen[question.name]))

    def run(self, sql: str) -> list:
        sql = sql.replace("FROM events", "FROM bench.events")
        settings = f"SETTINGS max_threads = {THREADS}, output_format_json_quote_64bit_integers = 0"
        settings += ", count_distinct_implementation = 'uniqExact'"
        answer = self.session.query(f"SELECT * FROM ({sql}) {settings}", "JSONCompact")
        return json.loads(answer.bytes())["data"]

    def cpu_seconds(self) -> float:
        return own_cpu_seconds()

    def disk_bytes(self) -> dict[str, int]:
        answer = self.session.query(
            "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'bench'", "JSONCompact"
        )
        return {"": int(json.loads(answer.bytes())["data"][0][0])}

    def close(self):
        self.session.close()
