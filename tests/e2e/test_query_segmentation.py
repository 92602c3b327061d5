"""Mixpanel's query API: segmentation, saved insights, funnels and retention (contract 6.3 to 6.6)."""

from __future__ import annotations

import pytest

from support.api import day
from support.installation import Installation
from support.mixpanel import QueryApi, at, event

RANGE = {"from_date": day(-2), "to_date": day(-1)}


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("segmentation")).start()
    api = QueryApi(installation)
    orders = [(1, 2000, "EUR", ["a", "b"]), (1, 2099, "EUR", ["a"]), (2, 2100, "USD", []), (3, 2950, "USD", ["b", "b"]), (3, 3000, 7, ["c"])]
    api.send(*[event("Order", f"p{person}", at(-1, 10 + n), total=total, currency=currency, tags=tags, vip=person == 1, company_id=f"acme-{person}")
               for n, (person, total, currency, tags) in enumerate(orders)],
             event("Order", "p4", at(-2, 10), total="not a number", share=0.5),
             event("Order", "p5", at(-2, 10), currency="7"),
             *[event("Small", "p1", at(-1, 10), share=share / 100) for share in (0, 7, 29, 30, 99, 100)],
             event("Visit", "p1", at(-2, 9)), event("Visit", "p2", at(-2, 9)), event("Visit", "p3", at(-1, 9)))
    yield api
    installation.kill()


def values(api, **more):
    return api.ask("/segmentation", **{"event": "Order", **RANGE, **more})["data"]["values"]


def totals(api, **more):
    return {name: sum(by_date.values()) for name, by_date in values(api, **more).items()}


def test_sg1_keys(api):
    assert values(api) == {"Order": {day(-2): 2, day(-1): 5}}
    assert totals(api, on='properties["total"]') == {"2000": 1, "2099": 1, "2100": 1, "2950": 1, "3000": 1, "not a number": 1, "undefined": 1}
    assert totals(api, on='properties["vip"]') == {"true": 2, "false": 3, "undefined": 2}
    assert totals(api, on='properties["share"]') == {"0.5": 1, "undefined": 6}
    # A number and a text of the same look do not hide each other.
    assert totals(api, on='properties["currency"]') == {"EUR": 2, "USD": 2, "7": 1, "7 (text)": 1, "undefined": 1}


def test_sg1_groups_are_tokens_of_the_stream(api):
    shown = totals(api, on='properties["company_id"]', where='defined(properties["company_id"])')
    assert sorted(shown.values()) == [1, 2, 2] and all(name.startswith("fpx") for name in shown)
    token = max(shown, key=lambda name: (shown[name], name))
    assert totals(api, where=f'properties["company_id"] == "{token}"') == {"Order": 2}
    assert totals(api, where=f'"{token}" in properties["company_id"]') == {"Order": 2}
    assert totals(api, where=f'properties["company_id"] in ["{token}", "other"]') == {"Order": 2}
    other = QueryApi(api.installation, auth=(api.installation.api_secret, ""))
    assert set(totals(other, on='properties["company_id"]', where='defined(properties["company_id"])')).isdisjoint(shown)


def test_sg2_limit_keeps_the_largest(api):
    assert totals(api, on='properties["currency"]', limit="2", where='defined(properties["currency"])') == {"EUR": 2, "USD": 2}


def test_sg3_each_element_of_a_list(api):
    assert totals(api, on='properties["tags"]') == {"a": 2, "b": 2, "c": 1, "undefined": 3}


def test_sg4_a_bare_name_is_a_property(api):
    assert totals(api, on="vip") == totals(api, on='properties["vip"]')


def test_segmentation_type_unit_and_where(api):
    assert values(api, type="unique") == {"Order": {day(-2): 2, day(-1): 3}}
    assert values(api, type="average") == {"Order": {day(-2): 1, day(-1): 5 / 3}}
    assert totals(api, where='properties["total"] > 2099 and properties["currency"] == "USD"') == {"Order": 2}
    assert totals(api, unit="week") == totals(api, unit="month") == {"Order": 7}


def test_sg5_numeric_ranges(api):
    numeric = lambda event, **more: {name: sum(counts.values()) for name, counts in
                                     api.ask("/segmentation/numeric", event=event, **RANGE, **more)["data"]["values"].items()}
    assert numeric("Order", on='properties["total"]') == {"2,000 - 2,100": 2, "2,100 - 2,200": 1, "2,900 - 3,000": 1, "3,000 - 3,100": 1}
    assert numeric("Order", on='properties["total"]', type="unique") == {"2,000 - 2,100": 1, "2,100 - 2,200": 1, "2,900 - 3,000": 1, "3,000 - 3,100": 1}
    assert numeric("Order", on='properties["total"]', where='properties["total"] < 2100') == {"2,000 - 2,010": 1, "2,090 - 2,100": 1}
    assert numeric("Order", on='properties["total"] / 1000 - 2.05') == {"-0.1 - 0.0": 1, "0.0 - 0.1": 2, "0.9 - 1.0": 2}
    assert numeric("Small", on="share") == {"0.0 - 0.1": 2, "0.2 - 0.3": 1, "0.3 - 0.4": 1, "0.9 - 1.0": 1, "1.0 - 1.1": 1}
    assert numeric("Order", on='properties["currency"]') == {"7 - 8": 1}, "texts are in no range"
    assert numeric("Order", on='properties["nothing"]') == {} and numeric("Never", on='properties["total"]') == {}
    assert "on" in api.refusal("/segmentation/numeric", event="Order", **RANGE)
    hourly = api.ask("/segmentation/numeric", event="Order", on='properties["total"]', unit="hour", from_date=day(-1), to_date=day(-1))
    assert len(hourly["data"]["series"]) == 24


def test_segmentation_sum_and_average(api):
    summed = api.ask("/segmentation/sum", event="Order", on='properties["total"]', **RANGE)
    assert (summed["status"], summed["results"]) == ("ok", {day(-2): 0, day(-1): 12149})
    assert summed["computed_at"].endswith("+00:00") and "." in summed["computed_at"]
    averaged = api.ask("/segmentation/average", event="Order", on='properties["total"]', **RANGE)
    assert (averaged["status"], averaged["results"]) == ("ok", {day(-2): 0, day(-1): 12149 / 5})


# ------------------------------------------------------------------ 6.4: saved insights

def save(api, name, question, **report):
    body = {"name": name, "report": {"range": {"from": day(-2), "to": day(-1)}, "question": question, **report}}
    response = api.post(api.project("/reports"), body)
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def test_insights_of_a_saved_report(api):
    plain = save(api, "Orders", {"kind": "insights", "unit": "day", "metrics": [{"event": "Order", "measure": "total"}, {"event": "Order", "measure": "unique"}]})
    answer = api.ask("/insights", bookmark_id=plain)
    zero, one = (f"{day(-2)}T00:00:00+00:00", f"{day(-1)}T00:00:00+00:00")
    assert answer["headers"] == ["$event"]
    assert answer["series"] == {"Order": {zero: 2, one: 5}, "Order (2)": {zero: 2, one: 3}}
    assert answer["date_range"] == {"from_date": zero, "to_date": f"{day(-1)}T23:59:59.999000+00:00"}
    assert answer["computed_at"].endswith("+00:00")
    split = save(api, "By currency", {"kind": "insights", "unit": "day", "metrics": [{"event": "Order", "measure": "total"}],
                                      "breakdown": ['properties["vip"]', 'properties["currency"]']}, timezone="America/New_York")
    nested = api.ask("/insights", bookmark_id=split)
    assert nested["headers"] == ["$event", "vip", "currency"]
    assert sum(nested["series"]["Order"]["true"]["EUR"].values()) == 2
    assert all(key.endswith(("-05:00", "-04:00")) for key in nested["series"]["Order"]["true"]["EUR"])
    assert "bookmark_id" in api.refusal("/insights", 404, bookmark_id="999")
    funnel = save(api, "Funnel", {"kind": "funnel", "steps": [{"event": "Visit"}, {"event": "Order"}], "window_ms": 86_400_000})
    assert "no insights report" in api.refusal("/insights", bookmark_id=funnel)


# ------------------------------------------------------------------ 6.5, 6.6: funnels and retention

def test_fn1_fn2_fn3_saved_funnels(api):
    saved = save(api, "Visit to order", {"kind": "funnel", "steps": [{"event": "Visit"}, {"event": "Order"}], "window_ms": 2 * 86_400_000})
    listed = {str(row["funnel_id"]): row["name"] for row in api.ask("/funnels/list")}
    assert listed[saved] == "Visit to order"
    answer = api.ask("/funnels", funnel_id=saved, **RANGE)
    assert answer["meta"]["dates"] == [day(-2), day(-1)]
    first = answer["data"][day(-2)]
    assert [step["count"] for step in first["steps"]] == [2, 2] and first["analysis"] == {"completion": 2, "starting_amount": 2, "steps": 2, "worst": 1}
    assert set(first["steps"][0]) >= {"count", "avg_time", "avg_time_from_start", "step_conv_ratio", "overall_conv_ratio", "goal", "event"}
    assert "funnel_id" in api.refusal("/funnels", 404, funnel_id="999", **RANGE)


def test_fn4_split_funnels_are_lists(api):
    answer = api.ask("/funnels", events=[{"event": "Order"}, {"event": "Order"}], on='properties["currency"]', **RANGE)
    by_segment = answer["data"][day(-1)]
    assert set(by_segment) >= {"$overall", "EUR", "USD"} and all(isinstance(steps, list) for steps in by_segment.values())
    assert by_segment["$overall"][0]["count"] == 3


def test_fn2_ad_hoc_steps_have_filters(api):
    steps = [{"event": "Visit"}, {"event": "Order", "where": 'properties["total"] >= 2100'}]
    answer = api.ask("/funnels", events=steps, length="2", length_unit="day", unit="month", **RANGE)
    assert [sum(date["steps"][at_]["count"] for date in answer["data"].values()) for at_ in (0, 1)] == [3, 2]


def test_rt2_retention(api):
    answer = api.ask("/retention", born_event="Visit", event="Order", unit="day", interval_count="1", **RANGE)
    assert set(answer) == {day(-2), day(-1)} and answer[day(-2)]["first"] == 2 and answer[day(-1)]["first"] == 1
    assert len(answer[day(-2)]["counts"]) == 2
    split = api.ask("/retention", born_event="Visit", event="Order", on='properties["vip"]', **RANGE)
    assert "$overall" in split[day(-2)]
