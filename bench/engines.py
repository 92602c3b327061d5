"""DuckDB and ClickHouse, each set up as its own manual would: narrow types, dictionaries, the best sort order."""

import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import chdb.session
import duckdb

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

    #: Rows that are sorted at once. In one go 100 million would spill several times the free disk.
    SORTED_ROWS = 5_000_000

    def __init__(self, directory: Path):
        self.directory = directory / "duckdb"
        self.threads = THREADS
        self.chosen: dict[str, str] = {}
        self.connection = None

    def begin(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.open()

    def insert(self, rows: Path):
        exists = self.run("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'arrived'")[0][0]
        into = "INSERT INTO arrived" if exists else "CREATE TABLE arrived AS"
        self.connection.execute(f"{into} {self.read(rows)}")

    def finish(self):
        """Puts the rows into their best order: event, person, time. Piece by piece, in exactly that order."""
        pieces = self.run("SELECT event, count(*), max(person) FROM arrived GROUP BY event ORDER BY event")
        self.connection.execute("CREATE TABLE events AS FROM arrived LIMIT 0")
        for event, count, last in pieces:
            width = (last + 1) * self.SORTED_ROWS // count + 1
            for first in range(0, last + 1, width):
                self.connection.execute(
                    "INSERT INTO events FROM arrived WHERE event = $1 AND person BETWEEN $2 AND $3 ORDER BY person, time",
                    [event, first, first + width - 1],
                )
        self.connection.execute("DROP TABLE arrived")
        self.connection.execute("CHECKPOINT")
        self.close()
        self.rewrite()

    def rewrite(self):
        """Copies the database, because the file keeps the room of what was dropped."""
        final = self.directory / "events.db"
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{self.path}' AS loading; ATTACH '{final}' AS final")
            connection.execute("SET preserve_insertion_order = true; COPY FROM DATABASE loading TO final")
        self.path.unlink()
        final.rename(self.path)

    @property
    def path(self) -> Path:
        return self.directory / "duckdb.db"

    def open(self):
        self.connection = duckdb.connect(self.path)
        self.use_threads(self.threads)
        self.connection.execute("SET memory_limit = '12GB'")

    def use_threads(self, threads: int):
        self.threads = threads
        self.connection.execute(f"SET threads = {threads}")

    def read(self, rows: Path) -> str:
        kinds = {name: "VARCHAR" for name in ["distinct_id", "$insert_id", *TEXT]}
        kinds |= {"time": "BIGINT"} | {name: "INTEGER" for name in NUMBER}
        kinds |= {name: "BOOLEAN" for name in FLAG} | {name: "VARCHAR[]" for name in LIST}
        members = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
        columns = ", ".join(f'properties."{name}"' for name in [*TEXT, *NUMBER, *FLAG, *LIST])
        return f"""
            SELECT event, CAST(substr(properties.distinct_id, 2) AS UINTEGER) AS person, properties.time AS time,
                   hash(properties."$insert_id") AS insert_id, {columns}
            FROM read_ndjson('{rows}', columns = {{'event': 'VARCHAR', 'properties': 'STRUCT({members})'}})"""

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
        self.directory = directory / "clickhouse"
        self.threads = THREADS
        self.chosen: dict[str, str] = {}
        self.session = None

    def begin(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.open()
        self.session.query("CREATE DATABASE IF NOT EXISTS bench")
        self.session.query(self.create())

    def insert(self, rows: Path):
        self.session.query(self.copy(rows))

    def finish(self):
        self.session.query("OPTIMIZE TABLE bench.events FINAL")
        self.close()

    def open(self):
        self.session = chdb.session.Session(str(self.directory / "data"))

    def use_threads(self, threads: int):
        self.threads = threads

    def create(self) -> str:
        columns = [f"`{name}` LowCardinality(String)" for name in TEXT]
        columns += [f"`{name}` Nullable(Int32)" for name in NUMBER]
        columns += [f"`{name}` Nullable(Bool)" for name in FLAG]
        columns += [f"`{name}` Array(LowCardinality(String))" for name in LIST]
        return f"""
            CREATE TABLE bench.events (event LowCardinality(String), person UInt32, time Int64, insert_id UInt64,
                {", ".join(columns)}) ENGINE = MergeTree ORDER BY (event, person, time)"""

    def copy(self, rows: Path) -> str:
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
        settings = f"SETTINGS max_threads = {self.threads}, output_format_json_quote_64bit_integers = 0"
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
