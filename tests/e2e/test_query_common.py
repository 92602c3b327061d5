"""Mixpanel's query API, rules of all endpoints and events (contract 0.2, 6.1, 6.2). Tests are named after its points."""

from __future__ import annotations

import base64
import csv
import datetime
import io

import pytest

from support.api import day
from support.installation import Installation
from support.mixpanel import QueryApi, at, bare_basic, event

ENDPOINTS = {
    "/events": {"event": ["Viewed"], "type": "general", "unit": "day", "interval": "3"},
    "/events/top": {"type": "general"},
    "/events/names": {"type": "general"},
    "/events/properties": {"event": "Viewed", "name": "colour", "type": "general", "unit": "day", "interval": "3"},
    "/events/properties/top": {"event": "Viewed"},
    "/events/properties/values": {"event": "Viewed", "name": "colour"},
    "/segmentation": {"event": "Viewed", "from_date": day(-2), "to_date": day()},
    "/segmentation/numeric": {"event": "Viewed", "from_date": day(-2), "to_date": day(), "on": 'properties["n"]'},
    "/segmentation/sum": {"event": "Viewed", "from_date": day(-2), "to_date": day(), "on": 'properties["n"]'},
    "/segmentation/average": {"event": "Viewed", "from_date": day(-2), "to_date": day(), "on": 'properties["n"]'},
    "/funnels/list": {},
    "/funnels": {"events": [{"event": "Viewed"}, {"event": "Bought"}], "from_date": day(-2), "to_date": day()},
    "/retention": {"born_event": "Viewed", "from_date": day(-2), "to_date": day()},
    "/retention/addiction": {"unit": "week", "addiction_unit": "day", "from_date": day(-2), "to_date": day()},
    "/engage": {},
    "/engage/query": {},
    "/engage/properties": {},
    "/cohorts/list": {},
    "/annotations": {"from_date": day(-2), "to_date": day()},
    "/stream/query": {"distinct_ids": [], "from_date": day(-2), "to_date": day()},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("common")).start()
    api = QueryApi(installation)
    api.send(*[event("Viewed", f"p{at_ % 3}", at(-1, at_), colour=["red", "blue", "red"][at_ % 3], n=at_) for at_ in range(6)],
             *[event("Viewed", None, at(-2, 9), colour="red")],
             *[event("Bought", "p0", at(-1, 20), colour="blue", total=at_) for at_ in range(3)])
    yield api
    installation.kill()


# ------------------------------------------------------------------ 0.2, Q5, Q6: methods, prefixes, credentials

@pytest.mark.parametrize("path", ENDPOINTS)
def test_g1_q5_every_endpoint_in_every_way(api, path):
    """Both prefixes, GET and POST (form and JSON), with and without trailing slash: the same answer, no redirect."""
    answers = []
    for prefix in ("/api/query", "/api/2.0"):
        for slash in ("", "/"):
            answers.append(api.ask(path + slash, prefix=prefix, **ENDPOINTS[path]))
            answers.append(api.ask(path + slash, "POST", prefix, **ENDPOINTS[path]))
            body = {**ENDPOINTS[path], "project_id": api.installation.project}
            posted = api.request("POST", prefix + path + slash, json=body, auth=api.auth)
            assert posted.status_code == 200, posted.text
            answers.append(posted.json())
    for answer in answers:
        if isinstance(answer, dict):
            answer.pop("session_id", None)
            answer.pop("computed_at", None)
    assert all(answer == answers[0] for answer in answers)


def test_g7_g8_g9_q6_credentials(api):
    """A3, A4 and A5, in every form that clients put them into the header."""
    secret, (user, password) = api.installation.api_secret, api.installation.service_account
    b64 = lambda text: base64.b64encode(text.encode()).decode()
    project = f"?project_id={api.installation.project}"
    for header, query, expected in [
        ("Basic " + b64(f"{secret}:"), "", 200),
        ("Basic " + b64(secret), "", 200),
        ("Basic " + b64(secret).rstrip("="), "", 200),
        (bare_basic(secret)["Authorization"], "", 200),
        ("Basic " + b64(f"{secret}:"), project, 200),
        ("Basic " + b64(f"{user}:{password}"), project, 200),
        (f"Basic {user}:{password}", project, 200),
        ("Basic " + b64(f"{user}:{password}"), "", 400),
        ("Basic " + b64(f"{user}:{password}"), "?project_id=77", 403),
        ("Basic " + b64(f"{user}:wrong"), project, 401),
        (f"Bearer {password}", project, 200),
        (f"Bearer {password}", "", 200),
        (f"Bearer {secret}", "", 200),
        (f"Bearer {api.installation.token}", "", 401),
        ("Bearer nonsense", project, 401),
        ("Basic ****", project, 401),
    ]:
        answer = api.request("GET", "/api/query/events/names" + query, headers={"Authorization": header})
        assert answer.status_code == expected, f"{header[:20]} {query}: {answer.status_code} {answer.text}"
    assert api.query("/events/names", workspace_id="9").status_code == 200, "ignored"


def test_q7_dates_are_included_and_in_the_projects_zone(tmp_path):
    installation = Installation(tmp_path, timezone="America/New_York").start()
    try:
        api = QueryApi(installation)
        api.send(event("E", "a", at(-2, 3)), event("E", "b", at(-2, 12)), event("E", "c", at(-1, 3)))
        # 03:00 UTC is the evening before in New York, summer or winter.
        answer = api.ask("/segmentation", event="E", from_date=day(-3), to_date=day(-1))
        assert answer["data"]["values"]["E"] == {day(-3): 1, day(-2): 2, day(-1): 0}
        assert [row["properties"]["time"] for row in api.export((-2, -2))] == [at(-2, 3), at(-2, 12)], "an export has days of UTC (EX3)"
    finally:
        installation.kill()


def test_q7_weeks_begin_on_monday_and_months_on_their_first(api):
    for unit, is_first in (("week", lambda date: date.weekday() == 0), ("month", lambda date: date.day == 1)):
        series = api.ask("/events", event=["Viewed"], type="general", unit=unit, interval="3")["data"]["series"]
        assert len(series) == 3 and all(is_first(datetime.date.fromisoformat(key)) for key in series)


def test_q8_lists_are_json_or_one_bare_text(api):
    by = lambda given: api.ask("/events", event=given, type="general", unit="day", interval="3")["data"]["values"]
    assert set(by('["Viewed","Bought"]')) == {"Viewed", "Bought"}
    assert set(by("Viewed")) == set(by('"Viewed"')) == {"Viewed"}


def test_q10_q11_refusals_say_what_and_repeat_no_parameters(api):
    assert "from_date" in api.refusal("/segmentation", event="Viewed", from_date="2026-99-01", to_date=day())
    assert "invalid date" in api.refusal("/segmentation", event="Viewed", from_date="yesterday", to_date=day())
    assert "to_date cannot be later than today" in api.refusal("/segmentation", event="Viewed", from_date=day(-1), to_date=day(5))
    assert "from_date" in api.refusal("/segmentation", event="Viewed", from_date=day(0), to_date=day(-1))
    response = api.query("/segmentation", event="Viewed", from_date="x", to_date=day(), where='properties["email"] == "a@b.c"')
    assert response.json()["request"] == "/api/query/segmentation"
    assert "event" in api.refusal("/segmentation", from_date=day(-1), to_date=day())
    assert "give" in api.refusal("/segmentation", event="Viewed", from_date=day(-1), to_date=day(), unit="fortnight")
    assert "give" in api.refusal("/segmentation", event="Viewed", from_date=day(-1), to_date=day(), type="most")
    assert "bookmark_id" in api.refusal("/insights")


@pytest.mark.parametrize("path", ["/segmentation/multiseg", "/engage/stats", "/nothing/here", "/engage/other"])
def test_sg6_en10_what_is_not_offered_is_404(api, path):
    for prefix in ("/api/query", "/api/2.0"):
        assert "does not exist" in api.refusal(path, 404, prefix=prefix)


# ------------------------------------------------------------------ Q13 to Q19

def test_q13_type(api):
    value = lambda kind: api.ask("/events", event=["Viewed"], type=kind, unit="day", interval="3")["data"]["values"]["Viewed"]
    assert value("general") == {day(-2): 1, day(-1): 6, day(): 0}
    assert value("unique") == {day(-2): 0, day(-1): 3, day(): 0}, "nobody is no person"
    assert value("average") == {day(-2): 0, day(-1): 2, day(): 0}
    hourly = api.ask("/events", event=["Viewed"], type="unique", unit="hour", from_date=day(-1), to_date=day(-1))
    assert sum(hourly["data"]["values"]["Viewed"].values()) == 6, "uniques by the hour too"


def test_q14_interval_counts_back_from_now(api):
    series = lambda **more: api.ask("/events", event=["Viewed"], type="general", **more)["data"]["series"]
    assert series(unit="day", interval="1") == [day()]
    assert series(unit="day", interval="3") == [day(-2), day(-1), day()]
    assert series(unit="day", interval="3", from_date=day(-1), to_date=day(-1)) == [day(-1)], "dates win"
    hours = series(unit="hour", interval="30")
    assert len(hours) == 30 and hours == sorted(hours)
    assert hours[-1] in {(datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=late)).strftime("%Y-%m-%d %H:00:00") for late in (0, 1)}
    assert len(series(unit="minute", interval="5")) == 5
    assert len(series(unit="hour", from_date=day(-1), to_date=day(-1))) == 24


def test_q15_bucket_keys(api):
    first = lambda unit: api.ask("/segmentation", event="Viewed", from_date=day(-1), to_date=day(-1), unit=unit)["data"]["series"][1:2]
    assert first("hour") == [f"{day(-1)} 01:00:00"]
    assert first("minute") == [f"{day(-1)} 00:01:00"]


@pytest.mark.parametrize(("path", "more"), [
    ("/segmentation", {"event": "Viewed", "on": 'properties["colour"]'}),
    ("/events/properties", {"event": "Viewed", "name": "colour"}),
    ("/events", {"event": ["Viewed", "Bought"]}),
])
def test_q16_csv(api, path, more):
    asked = {**more, "type": "general", "unit": "day", "from_date": day(-2), "to_date": day(-1)}
    response = api.query(path, format="csv", **asked)
    assert response.headers["Content-Type"].startswith("text/csv")
    header, *rows = csv.reader(io.StringIO(response.text))
    values = api.ask(path, format="json", **asked)["data"]["values"]
    assert header[0] == "date" and sorted(header[1:]) == sorted(values)
    assert [row[0] for row in rows] == [day(-2), day(-1)]
    for row in rows:
        assert {name: float(cell) for name, cell in zip(header[1:], row[1:])} == {name: by_date[row[0]] for name, by_date in values.items()}
    assert "csv" in api.refusal(path, format="xml", **asked)


def test_q17_q18_series_values_and_legend(api):
    answer = api.ask("/segmentation", event="Viewed", on='properties["colour"]', from_date=day(-3), to_date=day())
    data = answer["data"]
    assert data["series"] == [day(-3), day(-2), day(-1), day()]
    assert answer["legend_size"] == len(data["values"]) == 2
    assert all(list(values) == data["series"] for values in data["values"].values()), "zeros are there"


def test_q19_an_empty_project_has_the_same_shapes(tmp_path):
    installation = Installation(tmp_path).start()
    try:
        api = QueryApi(installation)
        for path, parameters in ENDPOINTS.items():
            answer = api.ask(path, **parameters)
            if path in ("/events/names", "/events/properties/values", "/funnels/list", "/cohorts/list"):
                assert answer == []
        assert api.ask("/segmentation", **ENDPOINTS["/segmentation"])["data"]["series"] == [day(-2), day(-1), day()]
        assert api.ask("/engage")["results"] == [] and api.ask("/engage")["total"] == 0
    finally:
        installation.kill()


# ------------------------------------------------------------------ 6.2: events

def test_events_by_name(api):
    answer = api.ask("/events", event=["Viewed", "Bought", "Never"], type="general", unit="day", from_date=day(-2), to_date=day(-1))
    assert answer == {"legend_size": 3, "data": {"series": [day(-2), day(-1)], "values": {
        "Viewed": {day(-2): 1, day(-1): 6}, "Bought": {day(-2): 0, day(-1): 3}, "Never": {day(-2): 0, day(-1): 0}}}}


def test_events_top_compares_today_with_yesterday(api):
    api.track(api.event("Viewed", {"distinct_id": "today"}), api.event("Viewed", {"distinct_id": "today"}))
    answer = api.ask("/events/top", type="general", limit="10")
    shown = {row["event"]: (row["amount"], round(row["percent_change"], 4)) for row in answer["events"]}
    assert answer["type"] == "general" and shown["Viewed"] == (2, round((2 - 6) / 6, 4)) and shown["Bought"] == (0, -1)
    assert len(api.ask("/events/top", type="unique", limit="1")["events"]) == 1


def test_events_names_most_frequent_first(api):
    assert api.ask("/events/names", type="general") == ["Viewed", "Bought"]
    assert api.ask("/events/names", type="general", limit="1") == ["Viewed"]


def test_events_properties(api):
    asked = {"event": "Viewed", "name": "colour", "type": "general", "unit": "day", "from_date": day(-1), "to_date": day(-1)}
    assert api.ask("/events/properties", **asked)["data"]["values"] == {"red": {day(-1): 4}, "blue": {day(-1): 2}}
    assert api.ask("/events/properties", values=["blue", "green"], **asked)["data"]["values"] == {"blue": {day(-1): 2}}
    assert list(api.ask("/events/properties", limit="1", **asked)["data"]["values"]) == ["red"]
    assert set(api.ask("/events/properties", **{**asked, "event": '["Viewed"]'})["data"]["values"]) == {"red", "blue"}


def test_events_properties_top_and_values(api):
    top = api.ask("/events/properties/top", event="Viewed", limit="100")
    assert top["colour"]["count"] >= 7 and top["n"]["count"] == 6
    assert set(api.ask("/events/properties/top", limit="2000")) >= {"colour", "n", "total"}, "the tap names no event"
    assert api.ask("/events/properties/values", event="Viewed", name="colour") == ["red", "blue"]
    assert api.ask("/events/properties/values", event="Bought", name="total", limit="2") == ["0", "1"], "values are texts"
