"""Numbers over time: counts, unique persons, percentiles, with filters and a breakdown."""

from datetime import timedelta

from rows import DAY_MS, DAYS, END_MS, FIRST_DAY, LAST_DAY, START_MS

from .question import Question, Reads, both, report

BROWSER_DAYS = 30
BROWSER_START_MS = END_MS - BROWSER_DAYS * DAY_MS
#: The article of rank 100 among some hundred thousand (crates/synthetic/src/write.rs).
ARTICLE = "https://docs.kiteline.example/articles/quiet-signal-nordic-loom"
CALL = "Usage Recorded"
COHORT_EVENT, COHORT_COUNT = "Playground Run", 5


def days_from_rows(rows: list) -> list[int]:
    values = [0] * DAYS
    for day, value in rows:
        values[day - START_MS // DAY_MS] = value
    return values


def days_from_answer(answer: dict) -> list[int]:
    assert len(answer["buckets"]) == DAYS
    if not answer["series"]:
        return [0] * DAYS
    assert len(answer["series"]) == 1
    return [int(value) for value in answer["series"][0]["values"]]


def uniques_phrasings(condition: str = "true") -> tuple[list[str], list[str]]:
    """By counting distinct persons of each day, and by counting distinct pairs of day and person."""
    day = "intdiv(time, 86400000) AS day"
    direct = f"SELECT {day}, {{count}} FROM events WHERE {condition} GROUP BY day"
    pairs = f"SELECT day, count(*) FROM (SELECT DISTINCT {day}, person FROM events WHERE {condition}) GROUP BY day"
    duckdb, clickhouse = both(direct)
    duckdb_pairs, clickhouse_pairs = both(pairs)
    counts = ["uniqExact(person)", "groupBitmap(person)"]
    return (
        [duckdb.format(count="count(DISTINCT person)"), duckdb_pairs],
        [*(clickhouse.format(count=count) for count in counts), clickhouse_pairs],
    )


def uniques_by_day() -> Question:
    duckdb, clickhouse = uniques_phrasings()
    return Question(
        "uniques by day, 90 days",
        True,
        Reads(["person", "time"]),
        report({"kind": "insights", "unit": "day", "metrics": [{"measure": "unique"}]}),
        duckdb,
        clickhouse,
        days_from_rows,
        days_from_answer,
    )


def uniques_of_cohort() -> Question:
    """Of persons who did something often enough, which has to be found out first."""
    members = f"""
        SELECT person FROM events WHERE event = '{COHORT_EVENT}' GROUP BY person HAVING count(*) >= {COHORT_COUNT}"""
    duckdb, clickhouse = uniques_phrasings(f"person IN ({members})")
    rule = {
        "kind": "did",
        "events": {"event": COHORT_EVENT},
        "count": {"at_least": COHORT_COUNT},
        "when": {"range": {"from": FIRST_DAY.isoformat(), "to": LAST_DAY.isoformat()}},
    }
    return Question(
        f"uniques by day of a cohort (did one event {COHORT_COUNT} times)",
        True,
        Reads(["person", "time"]),
        report({"kind": "insights", "unit": "day", "metrics": [{"measure": "unique"}]}, filter="cohort(0)"),
        duckdb,
        clickhouse,
        days_from_rows,
        days_from_answer,
        cohort={"rule": rule},
    )


# ---- filters on a URL


def filtered_total(name: str, condition: str, duckdb_condition: str, clickhouse_condition: str) -> Question:
    duckdb, clickhouse = both(
        "SELECT intdiv(time, 86400000) AS day, count(*) FROM events WHERE {condition} GROUP BY day"
    )
    return Question(
        name,
        False,
        Reads(["time", "$current_url"]),
        report({"kind": "insights", "unit": "day", "metrics": [{"measure": "total"}]}, filter=condition),
        [duckdb.format(condition=duckdb_condition)],
        [clickhouse.format(condition=clickhouse_condition)],
        days_from_rows,
        days_from_answer,
    )


def url_filter() -> Question:
    return filtered_total(
        "total by day, URL contains /guides/",
        '"/guides/" in properties["$current_url"]',
        "contains(\"$current_url\", '/guides/')",
        "position(`$current_url`, '/guides/') > 0",
    )


def article_filter() -> Question:
    return filtered_total(
        "total by day, one URL of the long tail",
        f'properties["$current_url"] == "{ARTICLE}"',
        f"\"$current_url\" = '{ARTICLE}'",
        f"`$current_url` = '{ARTICLE}'",
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
    condition = f"event = 'Docs Viewed' AND time >= {BROWSER_START_MS}"
    duckdb, clickhouse = both(
        'SELECT "$browser" AS browser, intdiv(time, 86400000) AS day, count(*) FROM events '
        f"WHERE {condition} GROUP BY browser, day"
    )
    return Question(
        "totals of one event by browser and day, 30 days",
        False,
        Reads(["time", "$browser"], condition),
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


# ---- percentiles

#: Both engines' function that interpolates between the two nearest numbers, as Frostpane does.
DUCKDB_PERCENTILES = "quantile_cont(latency_ms, 0.5), quantile_cont(latency_ms, 0.95)"
CLICKHOUSE_PERCENTILES = (
    "arrayElement(quantilesExactInclusive(0.5, 0.95)(latency_ms) AS both, 1), arrayElement(both, 2)"
)
PERCENTILES = [
    {"event": CALL, "measure": {"median": {"property": 'properties["latency_ms"]'}}},
    {"event": CALL, "measure": {"percentile": {"property": 'properties["latency_ms"]', "percentile": 95}}},
]


def rounded(value: float) -> float:
    """Interpolations may differ in the last bits of a double."""
    return round(float(value), 6)


def latency_days_from_rows(rows: list) -> list[list[float]]:
    values = [[0.0] * DAYS, [0.0] * DAYS]
    for day, median, percentile in rows:
        for metric, value in enumerate([median, percentile]):
            values[metric][day - START_MS // DAY_MS] = rounded(value)
    return values


def latency_days_from_answer(answer: dict) -> list[list[float]]:
    assert [series["metric"] for series in answer["series"]] == [0, 1]
    return [[rounded(value) for value in series["values"]] for series in answer["series"]]


def latency_by_day() -> Question:
    duckdb, clickhouse = both(
        f"SELECT intdiv(time, 86400000) AS day, {{percentiles}} FROM events WHERE event = '{CALL}' GROUP BY day"
    )
    return Question(
        "median and 95th percentile of a number by day",
        False,
        Reads(["time", "latency_ms"], f"event = '{CALL}'"),
        report({"kind": "insights", "unit": "day", "metrics": PERCENTILES}),
        [duckdb.format(percentiles=DUCKDB_PERCENTILES)],
        [clickhouse.format(percentiles=CLICKHOUSE_PERCENTILES)],
        latency_days_from_rows,
        latency_days_from_answer,
    )


def models_from_rows(rows: list) -> dict[str, list[float]]:
    return {model: [rounded(median), rounded(percentile)] for model, median, percentile in rows}


def models_from_answer(answer: dict) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for series in answer["series"]:
        values.setdefault(series["segment"][0], []).append(rounded(series["total"]))
    return values


def latency_by_model() -> Question:
    sql = f"SELECT model, {{percentiles}} FROM events WHERE event = '{CALL}' GROUP BY model"
    return Question(
        "median and 95th percentile of a number by model",
        False,
        Reads(["model", "latency_ms"], f"event = '{CALL}'"),
        # Totals are over the range; the buckets are as few as there can be.
        report(
            {"kind": "insights", "unit": "quarter", "metrics": PERCENTILES, "breakdown": ['properties["model"]']},
        ),
        [sql.format(percentiles=DUCKDB_PERCENTILES)],
        [sql.format(percentiles=CLICKHOUSE_PERCENTILES)],
        models_from_rows,
        models_from_answer,
    )
