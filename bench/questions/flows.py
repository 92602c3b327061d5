"""Flows: the steps that persons take next after an event.

Of each person the first anchor in the range counts, and of their events within the window after it the first few are
the path. No two events of a person in these rows have the same millisecond, so that order of time is order enough.
"""

from rows import DAY_MS

from .question import Question, Reads, report

ANCHOR, STEPS, WINDOW_MS = "Signed Up", 3, 7 * DAY_MS
#: Most frequent paths that are shown.
PATHS = 20


def phrasings() -> tuple[list[str], list[str]]:
    starts = f"SELECT person, min(time) AS start FROM events WHERE event = '{ANCHOR}' GROUP BY person"
    within = f"time >= start AND time <= start + {WINDOW_MS}"
    # The anchor itself is the first of the events within reach.
    duckdb = f"""
        SELECT path, count(*) FROM (
            SELECT person, min_by(event, time, {STEPS + 1}) AS path
            FROM events JOIN ({starts}) USING (person) WHERE {within} GROUP BY person)
        GROUP BY path"""
    duckdb_ranked = f"""
        SELECT path, count(*) FROM (
            SELECT person, list(event ORDER BY time) AS path FROM (
                SELECT person, event, time FROM events JOIN ({starts}) USING (person) WHERE {within}
                QUALIFY row_number() OVER (PARTITION BY person ORDER BY time) <= {STEPS + 1})
            GROUP BY person)
        GROUP BY path"""
    clickhouse = f"""
        SELECT path, count() FROM (
            SELECT person, arrayMap(step -> step.2, groupArraySorted({STEPS + 1})((time, event))) AS path
            FROM events JOIN ({starts}) AS starts USING (person) WHERE {within} GROUP BY person)
        GROUP BY path"""
    # One aggregation, no join: each person's events, sorted, from the anchor on.
    clickhouse_gathered = f"""
        SELECT path, count() FROM (
            SELECT person, minIf(time, event = '{ANCHOR}') AS start,
                   arrayMap(step -> step.2, arraySlice(arrayFilter(step -> step.1 >= start AND step.1 <= start + {WINDOW_MS},
                            arraySort(groupArray((time, event)))), 1, {STEPS + 1})) AS path
            FROM events WHERE person IN (SELECT person FROM events WHERE event = '{ANCHOR}') GROUP BY person)
        GROUP BY path"""
    return [duckdb, duckdb_ranked], [clickhouse, clickhouse_gathered]


def comparable(paths: list[tuple[list[str], int]], total: int) -> dict:
    """The most frequent paths. Those as frequent as the last one shown are left out: which of them are shown is a matter of order."""
    last = sorted((count for _, count in paths), reverse=True)[PATHS - 1] if total > PATHS else 0
    shown = {" > ".join(path): count for path, count in paths if count > last}
    return {"paths": shown, "distinct": total}


def paths_from_rows(rows: list) -> dict:
    return comparable([(path, count) for path, count in rows], len(rows))


def paths_from_answer(answer: dict) -> dict:
    everybody = answer["segments"][0]
    paths = [([step["event"] for step in path["steps"]], path["count"]) for path in everybody["paths"]]
    return comparable(paths, everybody["paths_total"])


def flow() -> Question:
    duckdb, clickhouse = phrasings()
    return Question(
        f"flow, {STEPS} steps after signing up",
        True,
        Reads(["event", "person", "time"]),
        report(
            {
                "kind": "flow",
                "anchors": [{"event": ANCHOR}],
                "after": STEPS,
                "window_ms": WINDOW_MS,
                "paths": PATHS,
            }
        ),
        duckdb,
        clickhouse,
        paths_from_rows,
        paths_from_answer,
    )
