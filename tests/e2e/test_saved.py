"""What people save: reports, boards, annotations. Versions, links that stay, cards, other projects, CSV."""

from __future__ import annotations

import csv
import io

import pytest

from support.api import Api, day

INSIGHTS = {"kind": "insights", "metrics": [{"measure": "total"}], "unit": "day"}
REPORT = {"range": {"from": day(-1), "to": day()}, "question": INSIGHTS}


@pytest.fixture
def saved(api):
    return Saved(api)


class Saved:
    """The three kinds, by the verbs of HTTP."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def call(self, method: str, path: str, body: object = None, version: object = None):
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        return self.api.request(method, self.api.project(path), auth=self.api.auth, headers=headers, **({} if body is None else {"json": body}))

    def made(self, path: str, body: dict) -> dict:
        answer = self.call("POST", path, body)
        assert answer.status_code == 201, answer.text
        assert answer.headers["ETag"] == '"1"'
        return answer.json()


def test_a_report_is_found_changed_once_and_gone(saved):
    body = {"name": " Weekly visitors ", "description": "For Mondays", "report": REPORT, "last_days": 7, "chart": "columns"}
    made = saved.made("/reports", body)
    assert (made["id"], made["name"], made["version"], made["chart"], made["last_days"]) == (1, "Weekly visitors", 1, "columns", 7)
    assert made["created_by"].startswith("service_account:") and made["created_ms"] > 0
    assert saved.call("GET", "/reports/1").json() == made
    other = saved.made("/reports", {"name": "Other", "report": REPORT})
    names = lambda query: [row["name"] for row in saved.call("GET", f"/reports?{query}").json()]  # noqa: E731
    assert names("") == ["Weekly visitors", "Other"]
    assert names("search=monday%20WEEK") == ["Weekly visitors"]
    assert (names("kind=insights"), names("kind=funnel")) == (["Weekly visitors", "Other"], [])

    changed = saved.call("PUT", "/reports/1", {**body, "name": "Renamed"}, version=1)
    assert (changed.status_code, changed.json()["version"], changed.headers["ETag"]) == (200, 2, '"2"')
    assert changed.json()["created_ms"] == made["created_ms"]
    late = saved.call("PUT", "/reports/1", {**body, "name": "Too late"}, version=1)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "conflict")
    blind = saved.call("PUT", "/reports/1", body)
    assert (blind.status_code, blind.json()["error"]["at"]) == (400, "If-Match")
    assert saved.call("GET", "/reports/1").json()["name"] == "Renamed"

    assert saved.call("DELETE", f"/reports/{other['id']}").status_code == 204
    assert saved.call("GET", f"/reports/{other['id']}").status_code == 404
    assert saved.made("/reports", {"name": "Third", "report": REPORT})["id"] == 3, "a link never leads to another report"


@pytest.mark.parametrize("wrong", [
    {"name": ""}, {"name": "two\nlines"}, {"name": "x" * 121}, {"description": "x" * 1001}, {"last_days": 0},
    {"chart": "<b>"}, {"colour": "red"}, {"report": {**REPORT, "range": {"from": day(), "to": day(-1)}}},
])
def test_what_is_not_saved(saved, wrong):
    answer = saved.call("POST", "/reports", {"name": "x", "report": REPORT, **wrong})
    assert answer.status_code == 400, answer.text
    assert saved.call("GET", "/reports").json() == []


def test_a_board_asks_with_its_own_range_and_filter(saved):
    api = saved.api
    for person, plan in (("a", "pro"), ("b", "pro"), ("c", "free")):
        api.track(api.event("Seen", {"distinct_id": person, "plan": plan}))
    old = {"from": "2020-01-01", "to": "2020-01-02"}
    report = saved.made("/reports", {"name": "Seen", "report": {**REPORT, "range": old, "filter": 'properties["plan"] == "pro"'}})
    board = {"cards": [{"id": 4, "width": 6, "height": 3, "report": report["id"]}, {"id": 9, "width": 12, "height": 1, "text": "## Hello"}]}
    number = saved.made("/boards", {"name": "Monday", "board": board})["id"]

    def total(question: dict | None = None) -> float:
        answer = saved.call("POST", f"/boards/{number}/cards/4/query", question or {})
        assert answer.status_code == 200, answer.text
        assert answer.json()["saved"]["name"] == "Seen"
        return sum(series["total"] for series in answer.json()["explained"]["answer"]["series"])

    def change(version: int, **parts: object) -> None:
        assert saved.call("PUT", f"/boards/{number}", {"name": "Monday", "board": {**board, **parts}}, version=version).status_code == 200

    assert total() == 0, "the report's own days"
    assert total({"range": {"last_days": 2}}) == 2, "days of the reader"
    change(1, range={"from": day(-1), "to": day()})
    assert total() == 2
    free = 'properties["plan"] == "free"'
    change(2, range={"last_days": 3}, filter=free)
    assert total() == 0, "both filters"
    change(3, range={"last_days": 3}, filter=free, filter_rule="replace")
    assert total() == 1, "the board's filter instead"
    assert saved.call("POST", f"/boards/{number}/cards/9/query", {}).status_code == 404, "text has no answer"
    assert saved.call("POST", f"/boards/{number}/cards/5/query", {}).status_code == 404
    assert saved.call("POST", f"/boards/{number}/cards/4/query", {"range": {"last_days": 0}}).status_code == 400

    assert saved.call("DELETE", f"/reports/{report['id']}").status_code == 204
    gone = saved.call("POST", f"/boards/{number}/cards/4/query", {})
    assert (gone.status_code, gone.json()["error"]["at"]) == (404, "/report")
    assert saved.call("GET", f"/boards/{number}").status_code == 200
    wrong = {**board, "cards": [{**board["cards"][0], "width": 1}]}
    refused = saved.call("PUT", f"/boards/{number}", {"name": "Monday", "board": wrong}, version=4)
    assert (refused.status_code, refused.json()["error"]["at"]) == (400, "/board/cards/0/width")


def test_annotations(saved):
    late = saved.made("/annotations", {"date": "2026-08-03 14:00", "description": "Release 2.0", "tags": ["release"]})
    assert late["annotation"] == {"time_ms": 1785765600000, "date": "2026-08-03 14:00:00", "description": "Release 2.0", "tags": ["release"]}
    early = saved.made("/annotations", {"date": "2026-08-01", "description": "<b>Outage</b>"})
    listed = lambda query="": [row["id"] for row in saved.call("GET", f"/annotations?{query}").json()]  # noqa: E731
    assert listed() == [early["id"], late["id"]], "by their time"
    assert listed("search=RELEASE") == [late["id"]]
    assert listed("from_ms=1785628800000") == [late["id"]] and listed("to_ms=1785628800000") == [early["id"]]
    changed = saved.call("PUT", "/annotations/1", {"date": "2026-08-03", "description": "Release 2.1"}, version=1)
    assert (changed.status_code, changed.json()["annotation"]["date"]) == (200, "2026-08-03 00:00:00")
    assert saved.call("PUT", "/annotations/1", {"date": "2026-08-03", "description": "x"}, version=1).status_code == 409
    for wrong in ({"date": "yesterday"}, {"description": ""}, {"description": "x" * 501}, {"tags": ["x"] * 11}, {"time_ms": 1}):
        assert saved.call("POST", "/annotations", {"date": "2026-08-03", "description": "x", **wrong}).status_code == 400, wrong
    assert saved.call("DELETE", "/annotations/1").status_code == 204
    assert saved.call("DELETE", "/annotations/1").status_code == 404


def test_an_answer_as_csv(saved):
    api = saved.api
    values = ["=1+1", '@x,"y"', "-2", "plain", "two\r\nlines"]
    for index, value in enumerate(values):
        for copy in range(index + 1):
            api.track(api.event("Seen", {"distinct_id": f"p{copy}", "note": value}))
    report = {**REPORT, "question": {**INSIGHTS, "breakdown": ['properties["note"]']}}
    expected = {"'=1+1", "'@x,\"y\"", "-2", "plain", "two\r\nlines"}
    for options in ({"params": {"format": "csv"}}, {"headers": {"Accept": "text/csv"}}):
        answer = api.post(api.project("/query"), report, **options)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/csv") and "attachment" in answer.headers["Content-Disposition"]
        header, *rows = csv.reader(io.StringIO(answer.content.decode(), newline=""))
        assert header[:2] == ["metric", "segment"] and {row[1] for row in rows} == expected
        assert {row[1]: float(row[-1]) for row in rows}["plain"] == 4
    as_json = api.post(api.project("/query"), report, params={"format": "json"}, headers={"Accept": "text/csv"})
    assert as_json.json()["answer"]["kind"] == "insights"
    assert api.post(api.project("/query"), report, params={"format": "xlsx"}).status_code == 400
