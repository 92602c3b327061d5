"""Singer's tap-mixpanel 1.8.0, request by request: what it sends, in the order it sends it, and what it reads of the answers
(contract 6, 7, 9.2, EX13). The tap's hosts are fixed in its code, so these are its requests and not the tap itself."""

from __future__ import annotations

import json

import pytest

from support.api import day
from support.installation import Installation
from support.mixpanel import QueryApi, at, bare_basic, event

PAGE_SIZE = 250


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("tap")).start()
    api = QueryApi(installation)
    api.engage(*({"$distinct_id": f"p{n}", "$set": {"n": n, "plan": "pro"}} for n in range(2 * PAGE_SIZE)))
    api.send(*[event("Viewed", f"p{n % 20}", at(-1 - n % 12), n=n) for n in range(240)], *[event("Bought", f"p{n}", at(-3, 13)) for n in range(5)])
    funnel = {"kind": "funnel", "steps": [{"event": "Viewed"}, {"event": "Bought"}], "window_ms": 30 * 86_400_000}
    body = {"name": "Viewed to bought", "report": {"range": {"from": day(-10), "to": day()}, "question": funnel}}
    assert api.post(api.project("/reports"), body).status_code == 201
    yield api
    installation.kill()


def tap(api, path: str, **parameters):
    """Every request of the tap: GET, the bare secret, JSON accepted; anything but 200 is an error to it."""
    headers = {**bare_basic(api.installation.api_secret), "Accept": "application/json", "User-Agent": "tap-mixpanel"}
    response = api.request("GET", f"/api/2.0/{path}", params=parameters, headers=headers)
    assert response.status_code == 200, f"{path}: {response.status_code} {response.text}"
    return response


def test_check_access_and_discovery(api):
    assert tap(api, "engage").json()["status"] == "ok"
    profile = tap(api, "engage/properties", limit="2000").json()
    assert profile["status"] == "ok"
    for name, found in profile["results"].items():
        assert found["type"] in {"string", "number", "boolean", "datetime", "list", "object"} and name
    assert set(tap(api, "events/properties/top", limit="2000").json()) >= {"n"}


def test_engage_stream(api):
    """It pages while its offset is at most the total, so the last page is empty when the total is a multiple of 250."""
    page, offset, total, session, ids = 0, 0, 0, None, []
    while offset <= total:
        parameters = {"page_size": PAGE_SIZE, "page": page, **({"session_id": session} if session else {})}
        answer = tap(api, "engage", **parameters).json()
        session, total = answer["session_id"], answer["total"]
        ids += [row["$distinct_id"] for row in answer["results"]]
        assert isinstance(answer["results"], list)
        page, offset = page + 1, offset + PAGE_SIZE
    assert (page, total, len(set(ids)), len(ids)) == (3, 500, 500, 500)


def test_export_stream_in_windows(api):
    rows = []
    for window in range(3):
        begin, end = day(-14 + 5 * window), day(-14 + 5 * window + 4)
        response = tap(api, "export", from_date=begin, to_date=end)
        rows += [json.loads(line) for line in response.text.splitlines()]
    assert len(rows) == 245
    for row in rows:
        properties = row["properties"]
        # Keys that it makes of them: event, time, distinct_id, mp_reserved_insert_id.
        assert isinstance(properties["time"], int) and properties["distinct_id"] and properties["$insert_id"]
    assert len({(row["event"], row["properties"]["time"], row["properties"]["distinct_id"], row["properties"]["$insert_id"]) for row in rows}) == 245
    some = tap(api, "export", from_date=day(-14), to_date=day(), event='["Bought"]').text.splitlines()
    assert len(some) == 5


def test_funnels_stream(api):
    listed = tap(api, "funnels/list").json()
    assert [row["name"] for row in listed] == ["Viewed to bought"]
    answer = tap(api, "funnels", funnel_id=listed[0]["funnel_id"], unit="day", from_date=day(-12), to_date=day()).json()
    for date, found in answer["data"].items():
        assert date == "$overall" or (isinstance(found["steps"], list) and found["analysis"]["steps"] == 2)
    assert sum(found["steps"][0]["count"] for found in answer["data"].values()) > 0


def test_cohorts_and_annotations_streams(api):
    assert isinstance(tap(api, "cohorts/list").json(), list)
    annotations = tap(api, "annotations", from_date=day(-30), to_date=day()).json()["annotations"]
    assert all(note["date"] for note in annotations)


def test_a_window_that_ends_too_late_is_the_400_it_looks_for(api):
    response = api.request("GET", "/api/2.0/export", params={"from_date": day(-1), "to_date": day(3)}, headers=bare_basic(api.installation.api_secret))
    assert response.status_code == 400 and "to_date" in response.json()["error"]
