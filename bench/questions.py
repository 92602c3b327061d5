"""The questions, in every engine's language, and the form in which answers are compared.

The SQL says exactly what crates/model/src/report.rs says, for rows whose persons are canonical already:

- days and weeks are those of UTC; the window of the rows is the range of every report;
- a funnel step takes the earliest event that is not earlier than the step before (the same millisecond counts,
  `tie_ms` 0) and not later than the start plus the window; of a person's attempts the furthest counts;
- a person's cohort is the calendar week of their first birth event; a return is any event strictly later than
  that, and its interval is the number of week boundaries between the two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from rows import DAY_MS, DAYS, END_MS, FIRST_DAY, LAST_DAY, START_MS

WINDOW_MS = 7 * DAY_MS
STEPS = ["Landing Viewed", "Signed Up", "API Key Created", "First API Call"]
BROWSER_DAYS = 30
BROWSER_START_MS = END_MS - BROWSER_DAYS * DAY_MS
#: Weeks since 1970-01-05, a Monday, counted from 0 at the week of 1969-12-29.
WEEK = "intdiv({time} + 259200000, 604800000)"
FIRST_WEEK = (START_MS + 259_200_000) // 604_800_000
INTERVALS = 12


@dataclass(frozen=True)
class Question:
    name: str
    #: A report definition (crates/model/src/report.rs).
    report: dict
    #: Phrasings that mean the same; the one that proves fastest counts. Which it is depends on the number of rows.
    duckdb: list[str]
    clickhouse: list[str]
    #: Rows of the SQL into the comparable form.
    from_rows: Callable[[list], object]
    #: Frostpane's answer into the comparable form.
    from_answer: Callable[[dict], object]


def report(question: dict, start: date = FIRST_DAY, **more) -> dict:
    return {
        "version": 1,
        "range": {"from": start.isoformat(), "to": LAST_DAY.isoformat()},
        "timezone": "UTC",
        **more,
        "question": question,
    }


def both(sql: str) -> tuple[str, str]:
    """One text in both dialects."""
    return sql.replace("intdiv(", "divide("), sql.replace("intdiv(", "intDiv(")


# ---- series by day


def days_from_rows(rows: list) -> list[int]:
    values = [0] * DAYS
    for day, value in rows:
        values[day - START_MS // DAY_MS] = value
    return values


def days_from_answer(answer: dict) -> list[int]:
    assert len(answer["buckets"]) == DAYS and len(answer["series"]) == 1
    return [int(value) for value in answer["series"][0]["values"]]


def uniques_by_day() -> Question:
    duckdb, clickhouse = both("SELECT intdiv(time, 86400000) AS day, {count} FROM {rows} GROUP BY day")
    duckdb_pairs, clickhouse_pairs = both("(SELECT DISTINCT intdiv(time, 86400000) * 86400000 AS time, person FROM events)")
    return Question(
        "uniques by day, 90 days",
        report({"kind": "insights", "unit": "day", "metrics": [{"measure": "unique"}]}),
        [
            duckdb.format(count="count(DISTINCT person)", rows="events"),
            duckdb.format(count="count(*)", rows=duckdb_pairs),
        ],
        [
            clickhouse.format(count="uniqExact(person)", rows="events"),
            clickhouse.format(count="groupBitmap(person)", rows="events"),
            clickhouse.format(count="count()", rows=clickhouse_pairs),
        ],
        days_from_rows,
        days_from_answer,
    )


def url_filter() -> Question:
    duckdb, clickhouse = both(
        "SELECT intdiv(time, 86400000) AS day, count(*) FROM events WHERE {condition} GROUP BY day"
    )
    return Question(
        "total by day, URL contains /guides/",
        report(
            {"kind": "insights", "unit": "day", "metrics": [{"measure": "total"}]},
            filter='"/guides/" in properties["$current_url"]',
        ),
        [duckdb.format(condition="contains(\"$current_url\", '/guides/')")],
        [clickhouse.format(condition="position(`$current_url`, '/guides/') > 0")],
        days_from_rows,
        days_from_answer,
    )


# ---- breakdown


def browsers_from_rows(rows: list) -> dict[str, list[int]]:
    series: dict[str, list[int]] = {}
    for browser, day, value in rows:
        series.setdefault(browser, [0] * BROWSER_DAYS)[day - BROWSER_START_MS // DAY_MS] = value
    return series


def browsers_from_answer(answer: dict) -> dict[str, list[int]]:
    assert answer["segments_total"] == len(answer["series"])
    return {series["segment"][0]: [int(value) for value in series["values"]] for series in answer["series"]}


def totals_by_browser() -> Question:
    duckdb, clickhouse = both(
        'SELECT "$browser" AS browser, intdiv(time, 86400000) AS day, count(*) FROM events '
        f"WHERE event = 'Docs Viewed' AND time >= {BROWSER_START_MS} GROUP BY browser, day"
    )
    return Question(
        "totals of one event by browser and day, 30 days",
        report(
            {
                "kind": "insights",
                "unit": "day",
                "metrics": [{"event": "Docs Viewed", "measure": "total"}],
                "breakdown": ['properties["$browser"]'],
            },
            start=LAST_DAY - timedelta(days=BROWSER_DAYS - 1),
        ),
        [duckdb],
        [clickhouse],
        browsers_from_rows,
        browsers_from_answer,
    )


# ---- funnel


def steps_from_rows(rows: list) -> list[int]:
    """From persons by furthest level to persons who reached each step."""
    reached = [0] * len(STEPS)
    for level, persons in rows:
        for step in range(level):
            reached[step] += persons
    return reached


def steps_from_answer(answer: dict) -> list[int]:
    assert answer["overall"][0]["segment"] == []
    return [step["count"] for step in answer["overall"][0]["steps"]]


def funnel() -> Question:
    def step(index: int) -> str:
        return f"(SELECT person, time FROM events WHERE event = '{STEPS[index]}')"

    # One as-of join a step: each start takes the first event of the next step that is not earlier.
    duckdb = f"""
        WITH a AS (SELECT person, time AS t1 FROM {step(0)}),
             b AS (SELECT a.person, t1, s.time AS t2 FROM a ASOF LEFT JOIN {step(1)} s
                   ON a.person = s.person AND s.time >= t1),
             c AS (SELECT b.person, t1, t2, s.time AS t3 FROM b ASOF LEFT JOIN {step(2)} s
                   ON b.person = s.person AND s.time >= t2),
             d AS (SELECT c.person, t1, t2, t3, s.time AS t4 FROM c ASOF LEFT JOIN {step(3)} s
                   ON c.person = s.person AND s.time >= t3),
             levels AS (SELECT person, max(CASE WHEN t4 <= t1 + {WINDOW_MS} THEN 4 WHEN t3 <= t1 + {WINDOW_MS} THEN 3
                                            WHEN t2 <= t1 + {WINDOW_MS} THEN 2 ELSE 1 END) AS level
                        FROM d GROUP BY person)
        SELECT level, count(*) FROM levels GROUP BY level"""
    conditions = ", ".join(f"event = '{name}'" for name in STEPS)
    names = ", ".join(f"'{name}'" for name in STEPS)
    clickhouse = f"""
        SELECT level, count() FROM (
            SELECT person, windowFunnel({WINDOW_MS})(toUInt64(time), {conditions}) AS level
            FROM events WHERE event IN ({names}) GROUP BY person)
        WHERE level > 0 GROUP BY level"""
    return Question(
        "funnel, 4 steps within 7 days",
        report(
            {
                "kind": "funnel",
                "steps": [{"event": name} for name in STEPS],
                "window_ms": WINDOW_MS,
                "tie_ms": 0,
                "attempt": "furthest",
            }
        ),
        [duckdb],
        [clickhouse],
        steps_from_rows,
        steps_from_answer,
    )


# ---- retention


def cohorts_from_rows(rows: list) -> list[list[int]]:
    """By cohort: persons born, then persons who returned in interval 0, 1, ... up to the last week of the rows."""
    weeks = (END_MS - 1 + 259_200_000) // 604_800_000 - FIRST_WEEK + 1
    cohorts = [[0] * (weeks - week + 1) for week in range(weeks)]
    for week, interval, persons in rows:
        cohorts[week - FIRST_WEEK][0 if interval is None or interval < 0 else interval + 1] = persons
    return cohorts


def cohorts_from_answer(answer: dict) -> list[list[int]]:
    everybody = answer["segments"][0]
    assert everybody["segment"] == []
    weeks = len(answer["buckets"])
    cohorts = []
    for week, cohort in enumerate(everybody["cohorts"]):
        # The range ends before today, so later weeks have begun too; nothing can have happened in them.
        inside = weeks - week
        assert not any(cohort["returned"][inside:])
        cohorts.append([cohort["born"], *cohort["returned"][:inside]])
    return cohorts


def retention(name: str, born: dict, condition: str) -> Question:
    week, cohort = WEEK.format(time="time"), WEEK.format(time="birth")
    births = f"births AS (SELECT person, min(time) AS birth FROM events WHERE {condition} GROUP BY person)"
    sizes = f"SELECT {cohort} AS cohort, -1 AS step, count(*) FROM births GROUP BY cohort"
    # Every event that is a return, joined to its birth.
    direct = f"""
        WITH {births}
        SELECT {cohort} AS cohort, {week} - {cohort} AS step, count(DISTINCT person) FROM events JOIN births USING (person)
        WHERE time > birth GROUP BY cohort, step
        UNION ALL {sizes}"""
    # First the last event of each person's week, which is a return if any is, then the join.
    weekly = f"""
        WITH {births}, weeks AS (SELECT person, {week} AS week, max(time) AS last FROM events GROUP BY person, week)
        SELECT {cohort} AS cohort, week - {cohort} AS step, count(*) FROM weeks JOIN births USING (person)
        WHERE last > birth GROUP BY cohort, step
        UNION ALL {sizes}"""
    duckdb, clickhouse = zip(both(direct), both(weekly))
    return Question(
        name,
        report(
            {
                "kind": "retention",
                "born": born,
                "returning": {},
                "unit": "week",
                "intervals": INTERVALS,
                "interval_rule": "calendar",
                "cohorts": "birth",
            }
        ),
        list(duckdb),
        list(clickhouse),
        cohorts_from_rows,
        cohorts_from_answer,
    )


QUESTIONS = [
    uniques_by_day(),
    totals_by_browser(),
    funnel(),
    retention("weekly retention after signing up", {"event": "Signed Up"}, "event = 'Signed Up'"),
    retention("weekly retention of everybody", {}, "true"),
    url_filter(),
]
