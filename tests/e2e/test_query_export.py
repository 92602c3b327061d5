"""Mixpanel's raw export (contract 7). Tests are named after its points."""

from __future__ import annotations

import json

import pytest
import requests

from support.api import day
from support.installation import Installation
from support.mixpanel import QueryApi, at, bare_basic, encoded, event, raw_get, unpacked


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("export"), timezone="Asia/Tokyo").start()
    api = QueryApi(installation)
    api.send(*[event("Signed up", f"p{n % 5}", at(-2, n % 24, n % 60), n=n, company_id="acme") for n in range(40)],
             *[event("Paid", f"p{n % 5}", at(-1, 12), n=n, team_id=["red", "blue"]) for n in range(10)],
             event("Anonymous", None, at(-1, 23, 59, 59), text='a "b"\n\\c'))
    api.track(api.event("Paid", {"distinct_id": "p1", "time": at(-1, 13) * 1000 + 789}))
    yield api
    installation.kill()


def export(api, **parameters) -> list[dict]:
    response = api.query("/export", prefix="/api/2.0", **{"from_date": day(-30), "to_date": day(), **parameters})
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].startswith("text/plain")
    return [json.loads(line) for line in response.text.splitlines()]


def test_ex1_paths_and_methods(api):
    whole = export(api)
    assert len(whole) == 52
    for slash in ("", "/"):
        posted = api.query("/export" + slash, "POST", "/api/2.0", from_date=day(-30), to_date=day())
        assert posted.text == "".join(posted.text.splitlines(keepends=True)) and len(posted.text.splitlines()) == 52
    assert api.query("/export", prefix="/api/query", from_date=day(-1), to_date=day()).status_code == 404


def test_ex2_parameters(api):
    assert {row["event"] for row in export(api, event=["Paid"])} == {"Paid"}
    assert len(export(api, event=["Paid", "Anonymous"])) == 12 and len(export(api, event="Paid")) == 11
    assert [row["properties"]["n"] for row in export(api, where='properties["n"] >= 38 and defined(properties["company_id"])')] == [38, 39]
    assert len(export(api, limit="7")) == 7 and export(api, limit="7") == export(api)[:7]
    assert "limit" in api.refusal("/export", prefix="/api/2.0", from_date=day(-1), to_date=day(), limit="100001")
    assert "where" in api.refusal("/export", prefix="/api/2.0", from_date=day(-1), to_date=day(), where="1 +")
    assert "from_date" in api.refusal("/export", prefix="/api/2.0", to_date=day())
    assert "to_date" in api.refusal("/export", prefix="/api/2.0", from_date=day())


def test_ex3_days_are_utc_and_included(api):
    assert len(export(api, from_date=day(-2), to_date=day(-2))) == 40
    assert {row["event"] for row in export(api, from_date=day(-1), to_date=day(-1))} == {"Paid", "Anonymous"}


def test_ex4_rows(api):
    rows = {row["event"]: row["properties"] for row in export(api)}
    seconds = rows["Paid"]["time"]
    assert isinstance(seconds, int) and seconds == at(-1, 13)
    assert {row["properties"]["time"] for row in export(api, event="Paid", time_in_ms="true")} == {at(-1, 12) * 1000, at(-1, 13) * 1000 + 789}
    assert rows["Anonymous"]["text"] == 'a "b"\n\\c' and rows["Anonymous"]["distinct_id"] == ""
    ids = [row["properties"]["$insert_id"] for row in export(api)]
    assert len(set(ids)) == 52 and all(ids) and ids == [row["properties"]["$insert_id"] for row in export(api)]


def test_groups_are_in_the_rows_as_tokens(api):
    companies = {row["properties"]["company_id"] for row in export(api, event="Signed up")}
    assert len(companies) == 1 and companies.pop().startswith("fpx")
    teams = [row["properties"]["team_id"] for row in export(api, event="Paid", where='defined(properties["team_id"])')]
    assert len(teams) == 10 and all(team == teams[0] and len(set(team)) == 2 and team[0].startswith("fpx") for team in teams)
    assert len(export(api, where=f'"{teams[0][0]}" in properties["team_id"]')) == 10


def test_ex5_gzip_when_asked_and_worth_it(api):
    whole = "/api/2.0/export?" + encoded(from_date=day(-30), to_date=day())
    small = "/api/2.0/export?" + encoded(from_date=day(-30), to_date=day(), limit="2")
    auth = bare_basic(api.installation.api_secret)
    for path, accepts, coding in [(whole, "gzip", "gzip"), (whole, "br, zstd, deflate, gzip", "gzip"), (whole, "identity", None), (whole, "br", None),
                                  (whole, "gzip;q=0", None), (small, "gzip", None)]:
        response = raw_get(api.installation, path, {**auth, "Accept-Encoding": accepts})
        assert (response.status, response.headers.get("Content-Encoding")) == (200, coding), accepts
        body = unpacked(response)
        assert len([json.loads(line) for line in body.splitlines()]) == (2 if path == small else 52)
    plain = raw_get(api.installation, whole, auth)
    assert plain.headers.get("Content-Encoding") is None


def test_ex6_nothing_is_no_byte(api):
    for parameters in ({"from_date": "2019-01-01", "to_date": "2019-01-02"}, {"from_date": day(-1), "to_date": day(), "event": '["Never"]'}):
        for accepts in ("gzip", "identity"):
            response = raw_get(api.installation, "/api/2.0/export?" + encoded(**parameters), {**bare_basic(api.installation.api_secret), "Accept-Encoding": accepts})
            assert (response.status, response.read()) == (200, b"")


def test_ex7_a_failure_midway_cuts_the_connection(tmp_path):
    """A filter that meets a value of the wrong type on the second day, after the first was sent."""
    installation = Installation(tmp_path).start()
    try:
        api = QueryApi(installation)
        api.send(*[event("Fine", f"p{n}", at(-3)) for n in range(60)], event("Odd", "p1", at(-2), odd="text"), *[event("Fine", f"p{n}", at(-1)) for n in range(60)])
        asked = {"from_date": day(-3), "to_date": day(), "where": 'not defined(properties["odd"]) or properties["odd"]'}
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
            export(api, **asked)
        assert len(export(api, **{**asked, "to_date": day(-3)})) == 60
        assert "another type" in api.refusal("/export", prefix="/api/2.0", **{**asked, "from_date": day(-2)}), "before the first byte it is an error like others"
        assert len(export(api, from_date=day(-3))) == 121, "and the server is well"
    finally:
        installation.kill()


def test_ex8_ids_are_canonical_tokens(api):
    assert {row["properties"]["distinct_id"][:3] for row in export(api, event="Paid")} == {"fpx"}
    assert len({row["properties"]["distinct_id"] for row in export(api)} - {""}) == 5
    person = export(api, event="Paid")[0]["properties"]["distinct_id"]
    assert api.ask("/stream/query", distinct_ids=[person], from_date=day(-3), to_date=day())["results"]["events"]


def test_ex9_ascending_and_each_once(tmp_path):
    """More than one piece, many rows at one instant on its border: each row once, in order (memory is bounded)."""
    installation = Installation(tmp_path).start()
    try:
        api = QueryApi(installation)
        times = [at(-1, 1)] * 6_000 + [at(-1, 2)] * 5_000 + [at(-1, 3) + n for n in range(500)]
        api.send(*[event("Many", f"p{n % 97}", time, n=n) for n, time in enumerate(times)])
        rows = export(api, from_date=day(-1), to_date=day(-1))
        assert sorted(row["properties"]["n"] for row in rows) == list(range(11_500))
        assert [row["properties"]["time"] for row in rows] == sorted(times)
    finally:
        installation.kill()


def test_ex10_to_date(api):
    assert export(api, to_date=day(1)), "clients east of us are a day ahead"
    assert api.refusal("/export", prefix="/api/2.0", from_date=day(-1), to_date=day(2)) == "to_date cannot be later than today"
    assert "from_date" in api.refusal("/export", prefix="/api/2.0", from_date=day(), to_date=day(-1))


def test_an_export_that_goes_back_in_counts_once_per_pull(api):
    """`$insert_id` and tokens are the same in every pull of a stream."""
    row = export(api, event="Paid", limit="1")[0]
    again = {"event": "Again", "properties": {**row["properties"], "time": at(-1, 14)}}
    for _ in range(2):
        api.send(again)
    assert api.total("Again", days=(-3, 1)) == 1
