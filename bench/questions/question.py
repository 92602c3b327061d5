"""What a question is."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from rows import FIRST_DAY, LAST_DAY

#: Bytes of a value in the narrowest column of fixed width that holds all that the rows have: what a scan has to read
#: where nothing is known about neighbouring values.
WIDTH_BYTES = {
    "event": 1,
    "person": 4,
    "time": 8,
    "$browser": 1,
    "$current_url": 4,
    "mp_country_code": 1,
    "model": 1,
    "latency_ms": 4,
}


@dataclass(frozen=True)
class Reads:
    """What an engine cannot answer without reading, were rows sorted by event and columns stored at fixed width."""

    columns: list[str]
    #: SQL condition of the rows.
    rows: str = "true"

    def bytes_per_row(self) -> int:
        return sum(WIDTH_BYTES[column] for column in self.columns)


@dataclass(frozen=True)
class Question:
    name: str
    #: Whether it is about what persons did, event by event: there Frostpane means to be three times as fast.
    per_person: bool
    reads: Reads
    #: A report definition (crates/model/src/report.rs).
    report: dict
    #: Phrasings that mean the same; the one that proves fastest counts. Which it is depends on the number of rows.
    duckdb: list[str]
    clickhouse: list[str]
    #: Rows of the SQL into the comparable form.
    from_rows: Callable[[list], object]
    #: Frostpane's answer into the comparable form.
    from_answer: Callable[[dict], object]
    #: A cohort (crates/model/src/cohort.rs) that the report's filter names as `cohort(0)`.
    cohort: dict | None = None

    def with_cohort(self, number: int) -> dict:
        """The report, naming the cohort by the number under which it was saved."""
        return json.loads(json.dumps(self.report).replace("cohort(0)", f"cohort({number})"))


def report(question: dict, start: date = FIRST_DAY, **more) -> dict:
    return {
        "version": 1,
        "range": {"from": start.isoformat(), "to": LAST_DAY.isoformat()},
        "timezone": "UTC",
        **more,
        "question": question,
    }


def both(sql: str) -> tuple[str, str]:
    """One text in both dialects, which differ in whole-number division and in how names are quoted."""
    return sql.replace("intdiv(", "divide("), sql.replace("intdiv(", "intDiv(")
