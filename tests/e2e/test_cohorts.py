"""Cohorts, computed properties and lookup tables as people and scripts use them."""

from __future__ import annotations

import datetime

import pytest

from support.api import day
from test_saved import Saved

DID_BUY = {"kind": "did", "events": {"event": "Buy"}, "count": {"at_least": 1}, "when": {"last_days": 30}}
PURPOSE = {"code": "support", "text": "ticket 4812, a list of testers"}


@pytest.fixture
def saved(api):
    """Twelve people log in, five of them buy; the eleventh and twelfth have a profile that says pro."""
    for number in range(1, 13):
        api.track(api.event("Login", {"distinct_id": f"p{number}", "plan": "pro" if number > 6 else "free", "amount": number}))
        if number <= 5:
            api.track(api.event("Buy", {"distinct_id": f"p{number}", "amount": 10 * number}))
        if number > 10:
            api.engage({"$distinct_id": f"p{number}", "$set": {"plan": "pro"}})
    return Saved(api)


def made(saved, rule: dict, name: str = "Buyers") -> dict:
    return saved.made("/cohorts", {"name": name, "cohort": {"rule": rule}})


def size(saved, cohort: dict) -> int:
    answer = saved.call("POST", "/cohorts/size", cohort)
    assert answer.status_code == 200, answer.text
    return answer.json()["size"]


def by(saved, breakdown: str) -> dict:
    answer = saved.call("POST", "/query", {"range": {"from": day(-1), "to": day(1)}, "question": {
        "kind": "insights", "unit": "day", "breakdown": [breakdown], "metrics": [{"event": "Login", "measure": "total"}]}})
    assert answer.status_code == 200, answer.text
    return {series["segment"][0]: series["total"] for series in answer.json()["answer"]["series"]}


def test_a_cohort_lives_freezes_and_goes(saved):
    buyers = made(saved, DID_BUY)
    assert (buyers["id"], buyers["version"]) == (1, 1)
    assert buyers["words"] == 'Persons who did "Buy" at least 1 time in the last 30 days.'
    assert size(saved, buyers["cohort"]) == 5
    assert by(saved, "cohort(1)") == {True: 5, False: 7}

    frozen = saved.call("POST", "/cohorts/1/freeze").json()
    assert frozen["version"] == 2 and frozen["words"].startswith("As of ")
    for view in (frozen, saved.call("GET", "/cohorts/1").json(), *saved.call("GET", "/cohorts").json()):
        assert view["cohort"]["frozen"]["runs"] == [], "who was found passes the gate or stays"
    assert size(saved, {"rule": {"kind": "cohort", "cohort": 1}}) == 5
    saved.api.track(saved.api.event("Buy", {"distinct_id": "p6"}))
    assert by(saved, "cohort(1)") == {True: 5, False: 7}
    assert saved.call("DELETE", "/cohorts/1/freeze").json()["version"] == 3
    assert by(saved, "cohort(1)") == {True: 6, False: 6}, "a kept answer does not outlive a change of the cohort"

    body = {"name": "Others", "cohort": {"rule": {"kind": "not", "rule": DID_BUY}}}
    late = saved.call("PUT", "/cohorts/1", body, version=2)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "conflict")
    assert saved.call("PUT", "/cohorts/1", body, version=3).status_code == 200
    assert by(saved, "cohort(1)") == {True: 6, False: 6}
    assert [row["name"] for row in saved.call("GET", "/cohorts?search=OTHERS").json()] == ["Others"]

    assert saved.call("DELETE", "/cohorts/1").status_code == 204
    gone = saved.call("POST", "/query", {"range": {"from": day(-1), "to": day(1)}, "filter": "cohort(1)", "question": {
        "kind": "insights", "unit": "day", "metrics": [{"measure": "total"}]}})
    assert (gone.status_code, gone.json()["error"]["at"]) == (400, "/filter")
    assert "no cohort 1" in gone.json()["error"]["message"] and gone.json()["error"]["fix"]
    assert made(saved, DID_BUY)["id"] == 2, "a number never comes to mean another cohort"


def test_cohorts_of_cohorts_cells_lists_and_profiles(saved):
    funnel = {"range": {"from": day(-1), "to": day(1)}, "question": {
        "kind": "funnel", "window_ms": 86_400_000, "steps": [{"event": "Login"}, {"event": "Buy"}]}}
    made(saved, {"kind": "cell", "report": funnel, "cell": {"kind": "funnel", "step": 0, "side": "dropped_off"}}, "No buy")
    pro = {"kind": "profile", "filter": 'properties["plan"] == "pro"'}
    both = made(saved, {"kind": "all", "rules": [{"kind": "cohort", "cohort": 1}, {"kind": "not", "rule": pro}]}, "No buy, not pro")
    assert size(saved, saved.call("GET", "/cohorts/1").json()["cohort"]) == 7
    assert size(saved, both["cohort"]) == 5
    listed = saved.call("POST", "/cohorts/persons", {"identifiers": ["p1", "p11", "nobody"], "purpose": PURPOSE}).json()
    assert (len(listed["persons"]), listed["unknown"]) == (2, 1)
    by_list = made(saved, {"kind": "persons", "persons": listed["persons"]}, "Testers")
    page = saved.call("POST", "/cohorts/members", {"cohort": by_list["cohort"]}).json()
    assert (page["total"], sorted(row["person"] for row in page["people"])) == (2, sorted(listed["persons"]))
    rows = saved.call("POST", "/sql", {"sql": "select name, count(distinct person) from cohorts group by name order by 1"}).json()["rows"]
    assert rows == [["No buy", 7], ["No buy, not pro", 5], ["Testers", 2]]


@pytest.mark.parametrize(("rule", "at"), [
    ({"kind": "cohort", "cohort": 9}, None),
    ({"kind": "profile", "filter": "cohort(1)"}, None),
    ({"kind": "all", "rules": []}, "/cohort/rule/rules"),
    ({"kind": "did", "events": {}, "count": {"at_least": 1}, "when": {"last_days": 0}}, "/cohort/rule/when/last_days"),
    ({"kind": "wished"}, None),
])
def test_what_is_no_cohort(saved, rule, at):
    answer = saved.call("POST", "/cohorts", {"name": "x", "cohort": {"rule": rule}})
    assert answer.status_code == 400, answer.text
    if at:
        assert answer.json()["error"]["at"] == at
    assert saved.call("GET", "/cohorts").json() == []


def test_a_circle_is_refused(saved):
    made(saved, DID_BUY)
    made(saved, {"kind": "cohort", "cohort": 1})
    circle = saved.call("PUT", "/cohorts/1", {"name": "x", "cohort": {"rule": {"kind": "cohort", "cohort": 2}}}, version=1)
    assert circle.status_code == 400 and "circle" in circle.json()["error"]["message"]


def upload(saved, name: str, text: str):
    return saved.api.request("PUT", saved.api.project(f"/lookup-tables/{name}"), auth=saved.api.auth,
                             data=text.encode(), headers={"Content-Type": "text/csv"})


def test_computed_properties_and_lookup_tables(saved):
    table = upload(saved, "plans", "plan,price\npro,20\nfree,0\n")
    assert table.status_code == 200 and table.json()["columns"] == ["price"]
    put = saved.call("PUT", "/computed/price", {"formula": 'lookup("plans", "price", properties["plan"])'})
    assert put.status_code == 200, put.text
    assert by(saved, 'computed["price"]') == {20: 6, 0: 6}
    assert upload(saved, "plans", "plan,price\npro,30\nfree,0\n").json()["version"] == 2
    assert by(saved, 'computed["price"]') == {30: 6, 0: 6}
    circle = saved.call("PUT", "/computed/price", {"formula": 'computed["price"] + 1'})
    assert (circle.status_code, circle.json()["error"]["at"]) == (400, "/formula")
    assert saved.call("DELETE", "/lookup-tables/plans").status_code == 204
    gone = saved.call("PUT", "/computed/twice", {"formula": 'computed["price"] * 2'})
    assert gone.status_code == 400 and "plans" in gone.json()["error"]["message"]


@pytest.mark.parametrize("text", [
    "user,email\n7,ada@example.com\n", "mail,x\nada@example.com,1\n", "key,token\n1,ghp_0123456789abcdefghijABCDEFGHIJ012345\n", "", "only\n1\n",
])
def test_tables_that_are_refused(saved, text):
    answer = upload(saved, "bad", text)
    assert answer.status_code == 400, answer.text
    assert "ada@example.com" not in answer.text
    assert saved.call("GET", "/lookup-tables").json() == []


def test_mixpanel_scripts_see_cohorts(saved):
    made(saved, DID_BUY)
    api = saved.api
    for method in ("GET", "POST"):
        listed = api.request(method, "/api/query/cohorts/list", auth=(api.installation.api_secret, "")).json()
        assert [(row["id"], row["count"], row["name"], row["is_visible"]) for row in listed] == [(1, 5, "Buyers", 1)]
        datetime.datetime.strptime(listed[0]["created"], "%Y-%m-%d %H:%M:%S")
    secret = (api.installation.api_secret, "")
    everyone = api.request("GET", "/api/query/engage", auth=secret, params={"filter_by_cohort": '{"id": 1}'}).json()
    assert everyone["total"] == 5, "without profiles too"
    with_profile = api.request("GET", "/api/query/engage", auth=secret, params={"filter_by_cohort": '{"id": 1}', "include_all_users": "false"}).json()
    assert with_profile["total"] == 0
    missing = api.request("GET", "/api/query/engage", auth=secret, params={"filter_by_cohort": '{"id": 8}'})
    assert missing.status_code in (400, 404) and "cohort" in missing.text
