"""Mixpanel's funnels, retention and addiction, number by number (contract 6.5, 6.6). Tests are named after its points."""

from __future__ import annotations

import pytest

from support.api import day
from support.installation import Installation
from support.mixpanel import QueryApi, at, event


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("journeys")).start()
    api = QueryApi(installation)
    api.send(
        # Funnels from A to B.
        event("B", "tie", at(-3, 10, 0, 0)), event("A", "tie", at(-3, 10, 0, 2), k=1),
        event("B", "early", at(-3, 10, 0, 0)), event("A", "early", at(-3, 10, 0, 3), k=1),
        event("A", "again", at(-3, 9), k=1), event("A", "again", at(-3, 12), k=2), event("A", "again", at(-2, 11), k=2),
        event("B", "again", at(-2, 11, 30), k=1),
        event("A", "two", at(-3, 15), k=2),
        event("A", None, at(-3, 9)), event("B", None, at(-3, 9, 1)),
        # Births and returns.
        event("Birth", "u1", at(-5, 20), os="web"), event("Back", "u1", at(-4, 19)), event("Back", "u1", at(-4, 21)),
        event("Back", "u1", at(-2, 20, 30)), event("Birth", "u1", at(-4, 1), os="web"),
        event("Birth", "u2", at(-5, 8), os="ios"), event("Back", "u2", at(-3, 9)),
        event("Birth", "u3", at(-4, 8), os="ios"), event("Birth", None, at(-4, 8)))
    yield api
    installation.kill()


# ------------------------------------------------------------------ 6.5: funnels

STEPS = [{"event": "A"}, {"event": "B"}]


def funnel(api, **more) -> dict:
    asked = {"events": STEPS, "length": "1", "length_unit": "hour", "from_date": day(-3), "to_date": day(-1), **more}
    return api.ask("/funnels", **asked)["data"]


def counts(steps: list[dict]) -> list[int]:
    return [step["count"] for step in steps]


def test_fn5_fn7_who_converts(api):
    """Two seconds are a tie, three are not; whoever enters on two days counts on both; nobody does not count."""
    data = funnel(api)
    assert {date: counts(found["steps"]) for date, found in data.items()} == {day(-3): [4, 1], day(-2): [1, 1], day(-1): [0, 0]}
    assert data[day(-2)]["steps"][1]["avg_time"] == data[day(-2)]["steps"][1]["avg_time_from_start"] == 1800
    assert counts(funnel(api, length="2", length_unit="day")[day(-3)]["steps"]) == [4, 2], "the window decides"
    assert counts(funnel(api, length="29", length_unit="minute")[day(-2)]["steps"]) == [1, 0]
    assert counts(funnel(api, unit="month", from_date=day(-3), to_date=day(-3))[f"{day(-3)[:8]}01"]["steps"]) == [4, 1]


def test_fn5_on_is_of_the_first_step_and_where_of_all(api):
    split = funnel(api, on='properties["k"]')
    assert {name: counts(steps) for name, steps in split[day(-2)].items()} == {"$overall": [1, 1], "1": [0, 0], "2": [1, 1]}
    assert {name: counts(steps) for name, steps in split[day(-3)].items()} == {"$overall": [4, 1], "1": [3, 1], "2": [1, 0]}
    assert {date: counts(found["steps"]) for date, found in funnel(api, where='properties["k"] == 1').items()} == {
        day(-3): [3, 0], day(-2): [0, 0], day(-1): [0, 0]}


def test_fn6_nothing_is_divided_by_zero(api):
    for step in funnel(api)[day(-1)]["steps"]:
        assert (step["count"], step["step_conv_ratio"], step["overall_conv_ratio"], step["avg_time"]) == (0, 0, 0, None)
    alone = funnel(api, length="29", length_unit="minute")[day(-2)]["steps"][1]
    assert (alone["step_conv_ratio"], alone["overall_conv_ratio"], alone["avg_time"], alone["avg_time_from_start"]) == (0, 0, None, None)


def test_fn2_windows_have_bounds(api):
    for wrong in ({"length": "91"}, {"length": "0"}, {"length": "1", "length_unit": "fortnight"}, {"interval": "5"}):
        asked = {"events": STEPS, "length_unit": "day", "from_date": day(-3), "to_date": day(-1), **wrong}
        assert set(wrong) & set(api.refusal("/funnels", **asked).replace(":", " ").split()), wrong


def test_steps_may_name_a_person_by_token(api):
    token = api.export((-2, -2), event="B")[0]["properties"]["distinct_id"]
    named = lambda value: [{"event": "A", "where": f'properties["$distinct_id"] == {value}'}, {"event": "B"}]
    assert counts(funnel(api, events=named(f'"{token}"'))[day(-2)]["steps"]) == [1, 1]
    assert all(counts(found["steps"])[0] == 0 for number in range(8) for found in funnel(api, events=named(number)).values())


# ------------------------------------------------------------------ 6.6: retention

def retention(api, **more) -> dict:
    asked = {"born_event": "Birth", "event": "Back", "unit": "day", "interval_count": "3", "from_date": day(-5), "to_date": day(-4), **more}
    return api.ask("/retention", **asked)


def test_rt2_rt3_rt4_intervals_roll_from_each_birth(api):
    """Returns 23, 25 and 72.5 hours after one birth, 49 after the other; a second birth is none."""
    assert retention(api) == {day(-5): {"first": 2, "counts": [1, 1, 1, 1]}, day(-4): {"first": 1, "counts": [0, 0, 0, 0]}}
    born_where = retention(api, born_where='properties["os"] == "ios"')
    assert born_where[day(-5)] == {"first": 1, "counts": [0, 0, 1, 0]}
    assert retention(api, interval="2", interval_count="1")[day(-5)] == {"first": 2, "counts": [1, 2]}
    assert "born_event" in api.refusal("/retention", event="Back", from_date=day(-5), to_date=day(-4))


def test_rt5_compounded_and_unbounded(api):
    assert retention(api, unbounded_retention="true")[day(-5)] == {"first": 2, "counts": [2, 2, 2, 1]}
    compounded = retention(api, retention_type="compounded", born_event="", interval_count="2", to_date=day(-2))
    assert {date: cohort["first"] for date, cohort in compounded.items()} == {day(-5): 0, day(-4): 1, day(-3): 1, day(-2): 1}
    assert compounded[day(-4)]["counts"][1:] == [0, 1], "from 19:00 on the first day, 49.5 hours later"


def test_rt6_segments_beside_everybody(api):
    split = retention(api, on='properties["os"]')[day(-5)]
    assert split == {"$overall": {"first": 2, "counts": [1, 1, 1, 1]}, "web": {"first": 1, "counts": [1, 1, 0, 1]},
                     "ios": {"first": 1, "counts": [0, 0, 1, 0]}}


def test_rt7_intervals_that_have_not_begun_are_left_out(api):
    counts = retention(api, interval_count="60")[day(-5)]["counts"]
    assert 5 <= len(counts) <= 7 and counts[:4] == [1, 1, 1, 1] and not any(counts[4:])


def test_rt8_addiction(api):
    addiction = lambda **more: api.ask("/retention/addiction", **{
        "event": "Back", "unit": "day", "addiction_unit": "hour", "from_date": day(-4), "to_date": day(-2), **more})["data"]
    assert addiction() == {day(-4): [1, 1] + 22 * [0], day(-3): [1] + 23 * [0], day(-2): [1] + 23 * [0]}
    weekly = addiction(unit="week", addiction_unit="day", from_date=day(-7))
    assert all(len(counts) == 7 and counts == sorted(counts, reverse=True) for counts in weekly.values())
    assert sum(sum(counts) for counts in weekly.values()) == 3, "a person's day each"
    assert addiction(where='properties["nothing"] == 1')[day(-4)] == 24 * [0]
    assert "addiction_unit" in api.refusal("/retention/addiction", unit="day", addiction_unit="day", from_date=day(-4), to_date=day(-2))
