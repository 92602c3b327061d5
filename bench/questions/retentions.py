"""Retention: a person's cohort is the calendar week of their first birth event.

A return is any event strictly later than that, and its interval is the number of week boundaries between the two.
"""

from rows import END_MS, START_MS

from .question import Question, Reads, both, report

#: Weeks since 1970-01-05, a Monday, counted from 0 at the week of 1969-12-29.
WEEK = "intdiv({time} + 259200000, 604800000)"
FIRST_WEEK = (START_MS + 259_200_000) // 604_800_000
INTERVALS = 12


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
        True,
        Reads(["person", "time"]),
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
