"""Who is behind a number, over HTTP: exactly the persons that it counts, each recorded as seen; and numbers that a report
does not have."""

from __future__ import annotations

import pytest

from support.api import DAY_MS, Api, day, now_ms

RANGE = {"from": day(-7), "to": day()}
VISIT, BUY = {"event": "Visit"}, {"event": "Buy"}
FLOW = {"kind": "flow", "anchors": [VISIT], "after": 1, "nodes": 1, "window_ms": 3_600_000}
INSIGHTS = {"kind": "insights", "metrics": [{**BUY, "measure": "unique"}], "formulas": [{"formula": "A + 1"}], "unit": "quarter"}
RETENTION = {"kind": "retention", "born": VISIT, "returning": BUY, "unit": "month", "intervals": 1}
VISITED, BOUGHT = {"column": 0, "kind": "event", "event": "Visit"}, {"column": 1, "kind": "event", "event": "Buy"}


@pytest.fixture
def shop(api):
    """Everybody visits; ann and bob buy a minute later, cem reads, dan does nothing more."""
    time = (now_ms() - 2 * DAY_MS) // 1000
    did = [(person, "Visit", time) for person in ("ann", "bob", "cem", "dan")]
    did += [("ann", "Buy", time + 60), ("bob", "Buy", time + 60), ("cem", "Read", time + 60)]
    events = [{**api.event(name, {"distinct_id": person, "time": at, "$insert_id": f"{person}-{name}"})} for person, name, at in did]
    assert api.import_(*events).status_code == 200
    return Shop(api)


class Shop:
    def __init__(self, api: Api) -> None:
        self.api = api
        self.person = {name: api.lookup(name) for name in ("ann", "bob", "cem", "dan")}

    def ask(self, question: dict, **number):
        body = {"report": {"range": RANGE, "question": question}, "cell": {"kind": question["kind"], **number}}
        return self.api.post(self.api.project("/query/members"), body)

    def members(self, question: dict, **number) -> list[str]:
        answer = self.ask(question, **number)
        assert answer.status_code == 200, answer.text
        found = [row["person"] for row in answer.json()["people"]]
        assert answer.json()["total"] == len(found)
        return sorted(name for name, person in self.person.items() if person in found)

    def refused(self, question: dict, **number) -> tuple[int, str]:
        answer = self.ask(question, **number)
        error = answer.json()["error"]
        assert error["message"]
        return answer.status_code, error["at"]


def test_every_kind_of_number_has_its_persons(shop):
    assert shop.members(INSIGHTS, metric=0) == ["ann", "bob"]
    assert shop.members({**INSIGHTS, "compare_previous": True}, metric=0, previous=True) == []
    link = {"link": {"from": VISITED, "to": {"column": 1, "kind": "other"}}}
    assert shop.members(FLOW, number={"link": {"from": VISITED, "to": BOUGHT}}) == ["ann", "bob"]
    assert shop.members(FLOW, number=link) == ["cem"]
    assert shop.members(FLOW, number={"node": {"at": VISITED, "side": "dropped_off"}}) == ["dan"]
    assert shop.members(RETENTION, bucket=7, interval=0) == []
    born = next(bucket for bucket in (0, 1) if shop.members(RETENTION, bucket=bucket))
    assert shop.members(RETENTION, bucket=born, interval=0) == ["ann", "bob"]
    assert shop.members(RETENTION, bucket=born, interval=0, side="not_returned") == ["cem", "dan"]


def test_a_number_that_the_report_does_not_have_is_refused_with_its_place(shop):
    assert shop.refused(INSIGHTS, metric=1) == (400, "/cell/metric")
    assert shop.refused(INSIGHTS, metric=0, previous=True) == (400, "/cell/previous")
    assert shop.refused(FLOW, number={"reached": {"column": 2}}) == (400, "/cell/number/reached/column")
    assert shop.refused(FLOW, number={"node": {"at": VISITED, "side": "began"}}) == (400, "/cell/number/node/side")
    assert shop.refused(RETENTION, bucket=0, side="not_returned") == (400, "/cell/interval")
    misspelt = shop.ask(INSIGHTS, metric=0, buckt=1)
    assert misspelt.status_code == 400 and "buckt" in misspelt.json()["error"]["message"]


def test_whoever_is_listed_is_recorded(shop):
    code = shop.api.installation.login_code
    signed_in = shop.api.request("POST", "/api/v1/session", json={"code": code}, headers={"Origin": shop.api.installation.url})
    cookies = {"fp_session": signed_in.cookies["fp_session"]}
    shop.members(FLOW, number={"link": {"from": VISITED, "to": BOUGHT}})
    entries = shop.api.request("GET", shop.api.project("/ledger"), cookies=cookies).json()["entries"]
    entry = next(entry for entry in entries if entry["action"] == "members")
    assert entry["class"] == "D2" and entry["persons_count"] == 2
    assert set(entry["fields"]) >= {"Visit", "Buy"}
