"""Mixpanel's query API: profiles, activity, and what is legacy (contract 6.7, 6.8). Tests are named after its points."""

from __future__ import annotations

import time

import pytest

from support.api import day
from support.installation import Installation
from support.mixpanel import QueryApi, at, bare_basic, event

PEOPLE = 260


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("engage")).start()
    api = QueryApi(installation)
    api.engage(*({"$distinct_id": f"p{n}", "$set": {"n": n, "plan": "pro" if n % 2 else "free", "company_id": f"acme-{n % 3}",
                                                    "teams": ["red", "blue"][: n % 3], "$created": f"20{10 + n % 10}-01-01T00:00:00"}}
                 for n in range(PEOPLE)))
    api.engage({"$distinct_id": "p0", "$set": {"motto": "Never Odd or Even"}})
    api.groups(*({"$group_key": "company_id", "$group_id": f"acme-{n}", "$set": {"seats": 10 * n, "region": "EU"}} for n in range(3)))
    api.send(*[event("Login", f"p{n}", at(-n), mobile=n % 2 == 0) for n in range(1, 6) for _ in range(n)],
             *[event("Pay", "p1", at(-100), amount=5)])
    yield api
    installation.kill()


def found(api, **parameters) -> list[int]:
    return sorted(row["$properties"]["n"] for row in rows(api, **parameters))


def rows(api, **parameters) -> list[dict]:
    """All pages, as the documented loop reads them."""
    answer = api.ask("/engage", **parameters)
    shown, page = answer["results"], 0
    while len(answer["results"]) == answer["page_size"]:
        page += 1
        answer = api.ask("/engage", session_id=answer["session_id"], page=str(page))
        shown += answer["results"]
    return shown


def test_en2_en7_en8_the_envelope(api):
    answer = api.ask("/engage")
    assert set(answer) == {"page", "page_size", "results", "session_id", "status", "total"}
    assert (answer["page"], answer["page_size"], answer["status"], answer["total"]) == (0, 1000, "ok", PEOPLE)
    for row in answer["results"]:
        assert set(row) == {"$distinct_id", "$properties"} and isinstance(row["$distinct_id"], str) and row["$distinct_id"].startswith("fpx")
        assert len(row["$properties"]["$last_seen"]) == 19


def test_groups_are_tokens_on_profiles_too(api):
    shown = {row["$properties"]["n"]: row["$properties"]["company_id"] for row in rows(api)}
    assert len(set(shown.values())) == 3 and all(isinstance(token, str) and token.startswith("fpx") for token in shown.values())
    assert found(api, where=f'properties["company_id"] == "{shown[4]}"') == [n for n in range(PEOPLE) if n % 3 == 1]
    # The same token as on events and on the group's own profile.
    companies = {row["$distinct_id"] for row in api.ask("/engage", data_group_id="company_id")["results"]}
    assert companies == set(shown.values())


def test_en3_en4_en5_pages_are_disjoint_and_stay(api):
    first = api.ask("/engage", page_size="100", where='properties["n"] < 200')
    assert (first["page_size"], first["total"], len(first["results"])) == (100, 200, 100)
    api.engage({"$distinct_id": "late", "$set": {"n": 7, "plan": "late"}})
    try:
        second = api.ask("/engage", session_id=first["session_id"], page="1")
        ids = {row["$distinct_id"] for row in first["results"] + second["results"]}
        assert (len(ids), second["total"], second["page"], second["page_size"]) == (200, 200, 1, 100)
        # 200 is a multiple of the page size: the tap asks for one page past the end.
        past = api.ask("/engage", session_id=first["session_id"], page="2")
        assert past["results"] == [] and (past["total"], past["status"]) == (200, "ok")
        assert api.ask("/engage", session_id=first["session_id"], page="9000000")["results"] == []
    finally:
        api.engage({"$distinct_id": "late", "$delete": ""})
    assert api.refusal("/engage", session_id="unknown", page="1") == "request for page in uncached query for params"
    assert api.ask("/engage", session_id="unknown", page="0")["total"] == PEOPLE, "the first page begins anew"


def test_en6_page_size_has_bounds(api):
    size = lambda given: (lambda answer: (answer["page_size"], len(answer["results"])))(api.ask("/engage", page_size=given))
    assert [size("250"), size("1"), size("0"), size("5000")] == [(250, 250), (100, 100), (100, 100), (1000, PEOPLE)]
    assert "page_size" in api.refusal("/engage", page_size="many")


def test_en1_limit_is_of_all_pages(api):
    assert found(api, limit="7", sort_key="n") == [0, 1, 2, 3, 4, 5, 6]
    first = api.ask("/engage", limit="150", page_size="100")
    second = api.ask("/engage", session_id=first["session_id"], page="1", limit="150")
    assert (first["total"], len(first["results"]), second["total"], len(second["results"])) == (150, 100, 150, 50)
    assert api.ask("/engage", limit="100000")["total"] == PEOPLE and api.ask("/engage", limit="0")["results"] == []
    assert api.ask("/engage", data_group_id="company_id", limit="2")["total"] == 2
    assert "limit" in api.refusal("/engage", limit="few")


def test_en1_by_distinct_id(api):
    tokens = {row["$properties"]["n"]: row["$distinct_id"] for row in rows(api)}
    assert found(api, distinct_id=tokens[5]) == [5]
    assert found(api, distinct_ids=[tokens[5], tokens[9], "p7", "alice@example.com"]) == [5, 9], "an id in clear is nobody's"
    assert found(api, where=f'properties["$distinct_id"] == "{tokens[8]}"') == [8]
    assert found(api, where=f'properties["$distinct_id"] in ["{tokens[8]}", "{tokens[3]}"]') == [3, 8]
    assert len(found(api, where=f'properties["$distinct_id"] != "{tokens[8]}"')) == PEOPLE - 1
    # Persons have numbers inside; which token is whose must not be found by asking for these.
    assert [n for number in range(20) for n in found(api, where=f'properties["$distinct_id"] == {number}')] == []
    assert "$distinct_id" in api.refusal("/engage", where='properties["$distinct_id"] < 100')
    ranked = {"event": "Login", "selector": 'properties["$distinct_id"] < 100'}
    assert "$distinct_id" in api.refusal("/engage", behaviors=behaviors("9d", ranked), where='behaviors["b"] > 0')
    other = QueryApi(api.installation, auth=(api.installation.api_secret, ""))
    assert other.ask("/engage", distinct_id=tokens[5])["total"] == 0, "a token of another stream is nobody's"


def test_en1_where_and_selector(api):
    assert found(api, where='properties["n"] < 3') == found(api, selector='properties["n"] < 3') == [0, 1, 2]
    assert found(api, where='properties["$created"] > "2018-06-01T00:00:00" and user["n"] < 30') == [9, 19, 29]
    assert found(api, where='"blue" in properties["teams"] and properties["n"] < 9') == [2, 5, 8]
    assert len(found(api, where='properties["$last_seen"] > "2020-01-01T00:00:00"')) == PEOPLE
    assert found(api, where='properties["$last_seen"] < datetime("2020-01-01")') == []


def test_en8_output_properties(api):
    answer = api.ask("/engage", where='properties["n"] == 4', output_properties=["plan", "nothing"])
    assert [row["$properties"] for row in answer["results"]] == [{"plan": "free"}]
    empty = api.ask("/engage", where='properties["n"] == 4', output_properties=["nothing"])
    assert [row["$properties"] for row in empty["results"]] == [{}]


def test_en1_search_and_sort(api):
    assert found(api, search="odd OR") == [0]
    assert found(api, search="p7") == [], "identities are not looked through"
    order = lambda **more: [row["$properties"]["n"] for row in api.ask("/engage", page_size="100", **more)["results"]]
    assert order(sort_key='properties["n"]', sort_order="descending")[:3] == [259, 258, 257]
    assert order(sort_key="n")[:3] == [0, 1, 2]
    first = api.ask("/engage", sort_key="n", sort_order="descending", page_size="100")
    second = api.ask("/engage", session_id=first["session_id"], page="1")
    assert [row["$properties"]["n"] for row in second["results"]] == list(range(159, 59, -1)), "pages keep the order"
    assert "sort_order" in api.refusal("/engage", sort_key="n", sort_order="sideways")
    assert "sort_key" in api.refusal("/engage", sort_key="1 + 2")


def test_en1_data_group_id(api):
    answer = api.ask("/engage", data_group_id="company_id", where='properties["seats"] >= 10', sort_key="seats")
    assert answer["total"] == 2 and [row["$properties"]["seats"] for row in answer["results"]] == [10, 20]
    token = answer["results"][0]["$distinct_id"]
    assert [row["$properties"]["seats"] for row in api.ask("/engage", data_group_id="company_id", distinct_id=token)["results"]] == [10]
    assert "group key" in api.refusal("/engage", data_group_id="plan")


def behaviors(window="30d", *selectors, name="b"):
    return [{"window": window, "name": name, "event_selectors": [dict(selector) for selector in selectors]}]


def test_en9_behaviors(api):
    login = {"event": "Login"}
    now = str(int(time.time()))
    assert found(api, behaviors=behaviors("30d", login), where='(behaviors["b"] > 3)', as_of_timestamp=now) == [4, 5]
    assert len(found(api, behaviors=behaviors("30d", login), where='behaviors["b"] == 0')) == PEOPLE - 5
    assert found(api, behaviors=behaviors("30d", {"event": "Login", "selector": 'properties["mobile"] == true'}), where='behaviors["b"] > 0') == [2, 4]
    # The window ends at the given instant: p1 logged in yesterday, p5 five days ago.
    assert found(api, behaviors=behaviors("2d", login), where='behaviors["b"] > 0', as_of_timestamp=str(at(-4, 13))) == [4, 5]
    assert found(api, behaviors=behaviors("24h", login), where='behaviors["b"] > 0', as_of_timestamp=str(at(-4, 12))) == [4, 5], "the ends included"
    assert found(api, behaviors=behaviors("52w", {"event": "Pay"}, login), where='behaviors["b"] == 2 and properties["plan"] == "pro"') == [1]
    two = behaviors("30d", login, name="x") + behaviors("365d", {"event": "Pay", "selector": 'properties["amount"] > 4'}, name="y")
    assert found(api, behaviors=two, where='behaviors["x"] > 0 and behaviors["y"] > 0') == [1]


def test_en9_what_is_refused(api):
    assert "behaviors" in api.refusal("/engage", where='behaviors["b"] > 0')
    assert "not both" in api.refusal("/engage", behaviors=behaviors(), filter_by_cohort={"id": 1})
    assert "window" in api.refusal("/engage", behaviors=behaviors("soon"))
    assert "behaviors" in api.refusal("/engage", behaviors="not json")
    assert "as_of_timestamp" in api.refusal("/engage", behaviors=behaviors(), as_of_timestamp="noon")
    assert "not supported" in api.refusal("/engage", behaviors=behaviors("9d", {"event": "Login", "selector": 'upper(properties["a"]) == "A"'}))


def test_en10_properties(api):
    answer = api.ask("/engage/properties", limit="1000")
    assert answer["status"] == "ok"
    assert answer["results"]["n"] == {"count": PEOPLE, "type": "number"}
    assert answer["results"]["plan"]["type"] == "string" and answer["results"]["$created"]["type"] == "datetime"
    assert answer["results"]["teams"]["type"] == "list" and answer["results"]["company_id"]["type"] == "string"
    assert answer["results"]["motto"] == {"count": 1, "type": "string"}
    assert len(api.ask("/engage/properties", limit="2")["results"]) == 2


def test_en11_the_taps_probe_is_a_bare_get(api):
    answer = api.request("GET", "/api/2.0/engage", headers={**bare_basic(api.installation.api_secret), "Accept": "application/json"})
    assert answer.status_code == 200 and answer.json()["total"] == PEOPLE


def test_en12_rows_have_an_id(api):
    assert all(row["$distinct_id"] for row in rows(api))


# ------------------------------------------------------------------ 6.8

def test_ch1_cohorts_may_be_none(api):
    assert isinstance(api.ask("/cohorts/list"), list)


def test_ch2_activity_of_people(api):
    tokens = {row["$properties"]["n"]: row["$distinct_id"] for row in rows(api)}
    answer = api.ask("/stream/query", distinct_ids=[tokens[1], tokens[3]], from_date=day(-200), to_date=day())
    events = answer["results"]["events"]
    assert answer["status"] == "ok" and [row["event"] for row in events] == ["Pay", "Login", "Login", "Login", "Login"]
    times = [row["properties"]["time"] for row in events]
    assert times == sorted(times) and times[0] == at(-100)
    assert {row["properties"]["distinct_id"] for row in events} == {tokens[1], tokens[3]}


def test_ch3_jql_is_not_supported(api):
    answer = api.query("/jql", "POST", script="function main() {}", params="{}")
    assert answer.status_code == 501 and answer.json()["error"] == "JQL is not supported" and answer.json()["status"] == "error"


def test_ch4_annotations(api):
    def noted(date: str, description: str) -> dict:
        made = api.post(api.project("/annotations"), {"date": date, "description": description, "tags": ["release"]})
        assert made.status_code == 201, made.text
        return {"id": made.json()["id"], "date": f"{date}:00" if ":" in date else f"{date} 00:00:00", "description": description,
                "project_id": api.installation.project}

    assert api.ask("/annotations") == {"annotations": [], "error": False}
    late, early, old = noted(f"{day()} 14:30", 'Release "2.0"'), noted(day(-2), "Outage"), noted(day(-40), "Before")
    assert api.ask("/annotations", from_date=day(-2), to_date=day()) == {"annotations": [early, late], "error": False}
    assert api.ask("/annotations", from_date=day(-1), to_date=day(-1)) == {"annotations": [], "error": False}
    assert api.ask("/annotations") == {"annotations": [old, early, late], "error": False}
    assert "from_date" in api.refusal("/annotations", from_date="soon", to_date=day())
    gone = api.request("DELETE", api.project(f"/annotations/{early['id']}"), auth=api.auth)
    assert gone.status_code == 204
    assert api.ask("/annotations", from_date=day(-2), to_date=day())["annotations"] == [late]


def test_ch5_me(api):
    answer = api.get("/api/app/me")
    assert answer.status_code == 200 and answer.json()["status"] == "ok"
    results = answer.json()["results"]
    assert results["user_id"] == api.installation.service_account[0]
    assert set(results["projects"]) == {str(api.installation.project)} and results["projects"][str(api.installation.project)]["name"]
    refused = api.request("GET", "/api/app/me/", auth=("nobody", "wrong"))
    assert (refused.status_code, refused.json()) == (401, {"status": "error", "error": "Invalid service account credentials"})
