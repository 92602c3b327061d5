"""Funnels: a step takes the earliest event that is not earlier than the step before and not later than the start plus the window.

The same millisecond counts (`tie_ms` 0), and of a person's attempts the furthest counts. The breakdown is by country,
of which each person has one, so that it does not matter on which event it is looked up.
"""

from rows import DAY_MS

from .question import Question, Reads, report

WINDOW_MS = 7 * DAY_MS
STEPS = ["Landing Viewed", "Signed Up", "API Key Created", "First API Call"]
NAMES = ", ".join(f"'{name}'" for name in STEPS)


def definition(**more) -> dict:
    return report(
        {
            "kind": "funnel",
            "steps": [{"event": name} for name in STEPS],
            "window_ms": WINDOW_MS,
            "tie_ms": 0,
            "attempt": "furthest",
            **more,
        }
    )


def duckdb(country: str, grouping: str) -> str:
    """One as-of join a step: each start takes the first event of the next step that is not earlier."""

    def step(index: int, country: str = "") -> str:
        return f"(SELECT person, time{country} FROM events WHERE event = '{STEPS[index]}')"

    return f"""
        WITH a AS (SELECT person, time AS t1{country} FROM {step(0, country)}),
             b AS (SELECT a.*, s.time AS t2 FROM a ASOF LEFT JOIN {step(1)} s
                   ON a.person = s.person AND s.time >= t1),
             c AS (SELECT b.*, s.time AS t3 FROM b ASOF LEFT JOIN {step(2)} s
                   ON b.person = s.person AND s.time >= t2),
             d AS (SELECT c.*, s.time AS t4 FROM c ASOF LEFT JOIN {step(3)} s
                   ON c.person = s.person AND s.time >= t3),
             levels AS (SELECT person{country}, max(CASE WHEN t4 <= t1 + {WINDOW_MS} THEN 4 WHEN t3 <= t1 + {WINDOW_MS} THEN 3
                                                      WHEN t2 <= t1 + {WINDOW_MS} THEN 2 ELSE 1 END) AS level
                        FROM d GROUP BY person{country})
        SELECT {grouping}, count(*) FROM levels GROUP BY {grouping}"""


def clickhouse(country: str, grouping: str) -> str:
    conditions = ", ".join(f"event = '{name}'" for name in STEPS)
    return f"""
        SELECT {grouping}, count() FROM (
            SELECT person{country}, windowFunnel({WINDOW_MS})(toUInt64(time), {conditions}) AS level
            FROM events WHERE event IN ({NAMES}) GROUP BY person{country})
        WHERE level > 0 GROUP BY {grouping}"""


def reached(persons_by_level: list[tuple[int, int]]) -> list[int]:
    """From persons by furthest level to persons who reached each step."""
    steps = [0] * len(STEPS)
    for level, persons in persons_by_level:
        for step in range(level):
            steps[step] += persons
    return steps


def counts(segment: dict) -> list[int]:
    return [step["count"] for step in segment["steps"]]


def steps_from_answer(answer: dict) -> list[int]:
    assert answer["overall"][0]["segment"] == []
    return counts(answer["overall"][0])


def funnel() -> Question:
    return Question(
        "funnel, 4 steps within 7 days",
        True,
        Reads(["event", "person", "time"], f"event IN ({NAMES})"),
        definition(),
        [duckdb("", "level")],
        [clickhouse("", "level")],
        reached,
        steps_from_answer,
    )


def countries_from_rows(rows: list) -> dict[str, list[int]]:
    levels: dict[str, list[tuple[int, int]]] = {}
    for country, level, persons in rows:
        levels.setdefault(country, []).append((level, persons))
    return {country: reached(persons_by_level) for country, persons_by_level in levels.items()}


def countries_from_answer(answer: dict) -> dict[str, list[int]]:
    everybody, *countries = answer["overall"]
    assert everybody["segment"] == [] and len(countries) == answer["segments_total"]
    return {country["segment"][0]: counts(country) for country in countries}


def funnel_by_country() -> Question:
    return Question(
        "funnel, 4 steps within 7 days, by country",
        True,
        Reads(["event", "person", "time", "mp_country_code"], f"event IN ({NAMES})"),
        definition(breakdown='properties["mp_country_code"]', limit=1000),
        [duckdb(", mp_country_code", "mp_country_code, level")],
        [clickhouse(", mp_country_code", "mp_country_code, level")],
        countries_from_rows,
        countries_from_answer,
    )
