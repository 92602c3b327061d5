"""The expression language over the wire (contract 6.9), as `where` and as `on`. What every value comes to is tested in
`crates/query/tests/it/expressions.rs` and, for reading and printing, in `crates/model`; this is that all of it arrives."""

from __future__ import annotations

import pytest

from support.api import day
from support.installation import Installation
from support.mixpanel import QueryApi, at, event

RANGE = {"from_date": day(-1), "to_date": day(-1)}


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("expressions")).start()
    api = QueryApi(installation)
    api.send(event("E", "a", at(-1), n=1, s="Hello", t=True, l=["x", 2], o={"k": 1}, **{'we ird "[]" $.ü': "yes"}),
             event("E", "b", at(-1, 18), n=-7.5, s="", t=False, when="2026-01-05T00:00:00"),
             event("E", None, at(-1, 6)))
    api.engage({"$distinct_id": "a", "$set": {"plan": "pro", "flag": "false"}})
    yield api
    installation.kill()


def count(api, where: str) -> int:
    return api.ask("/segmentation", event="E", where=where, **RANGE)["data"]["values"].get("E", {}).get(day(-1), 0)


def segments(api, on: str) -> dict:
    return {name: by_date[day(-1)] for name, by_date in api.ask("/segmentation", event="E", on=on, **RANGE)["data"]["values"].items()}


@pytest.mark.parametrize(("point", "where", "kept"), [
    ("X1", 'true or false and false', 3),
    ("X1", 'not false and false', 0),
    ("X1", 'not properties["n"] == 1', 2),
    ("X1", '2 + 3 * 4 - 6 / 3 % 2 == 14', 3),
    ("X1", '-properties["n"] * 2 == -2', 1),
    ("X2", 'NOT Defined (properties["n"]) OR properties["n"] IN [1] And TRUE', 2),
    ("X3", 'defined(properties["o"])', 1),
    ("X4", 'user["plan"] == "pro"', 1),
    ("X4", 'event["$event_name"] == "E" and properties["$event_name"] == "E"', 3),
    ("X4", f'properties["$time"] > datetime("{day(-1)}T07:00:00") and event["$time"] < datetime("{day(-1)}T13:00:00")', 1),
    ("X4", "properties['s'] == 'Hello'", 1),
    ("X5", 'properties["n"] / 0 == 1', 0),
    ("X5", 'properties["s"] + "!" == "Hello!"', 1),
    ("X5", 'properties["n"] % 4 == -3.5', 1),
    ("X6", 'properties["n"] == "1"', 0),
    ("X6", 'properties["n"] != "1"', 3),
    ("X6", 'properties["l"] == 2', 1),
    ("X7", 'properties["when"] > "2026-01-01"', 1),
    ("X7", 'properties["when"] < datetime("2026-01-06") and properties["s"] < "A"', 1),
    ("X8", '"ell" in properties["s"]', 1),
    ("X8", '"x" in properties["l"]', 1),
    ("X8", 'properties["n"] in [1, -7.5, "z", true]', 2),
    ("X9", 'properties["t"]', 1),
    ("X9", 'not properties["t"]', 2),
    ("X9", 'properties["n"]', 0),
    ("X10", 'string(properties["n"]) == "-7.5"', 1),
    ("X10", 'number(properties["t"]) == 1.0', 1),
    ("X10", 'boolean(user["flag"]) == false', 3),
    ("X11", 'properties["nothing"] + 1 > 0', 0),
    ("X12", 'defined(properties["nothing"])', 0),
    ("X13", 'round(properties["n"]) == -8 or floor(properties["n"]) == 1 and ceil(properties["n"]) == 1', 2),
    ("X14", f'datetime({at(-1, 6)}) == properties["$time"] and datetime({at(-1, 6)}000) == properties["$time"]', 1),
    ("X15", 'string(properties["s"], "undefined") == "undefined"', 1),
    ("X15", 'boolean(properties["s"]) == true', 1),
    ("X15", 'properties["n"] = 1', 1),
    ("X15", 'any(X, properties["l"], X = "x")', 1),
    ("X15", 'any(X, properties["l"], X in ["q", 2] or X == "r")', 1),
    ("X15", 'all(X, properties["l"], X != "x")', 2),
    ("X17", r'properties["we ird \"[]\" $.ü"] == "yes"', 1),
    ("X17", r'properties["s"] != "a \\ \" b"', 3),
    ("X19", " or ".join(['properties["n"] == 1'] * 300), 1),
    ("X19", "(" * 60 + "true" + ")" * 60, 3),
    ("X19", f'properties["n"] in [{"1," * 3000}2]', 1),
])
def test_x1_to_x19_as_where(api, point, where, kept):
    assert count(api, where) == kept, f"{point}: {where}"


def test_x4_distinct_id_is_a_token_of_the_callers_stream(api):
    rows = api.export((-1, -1))
    token = {row["properties"].get("n"): row["properties"]["distinct_id"] for row in rows}
    person = 'properties["$distinct_id"]'
    for where, kept in [(f'{person} == "{token[1]}"', 1), (f'"{token[1]}" != {person}', 2), (f'{person} in ["{token[1]}", "{token[-7.5]}"]', 2),
                        (f'defined({person})', 2), (f'{person} == "a"', 0), (f'{person} in [1, 2, 3]', 0)]:
        assert count(api, where) == kept, where
        exported = api.export((-1, -1), where=where)
        assert len(exported) == kept, where
    for refused in (f"{person} < 100", f"{person} % 2 == 0", f'string({person}) == "1"'):
        assert "$distinct_id" in api.refusal("/segmentation", event="E", where=refused, **RANGE)
        assert "$distinct_id" in api.refusal("/export", prefix="/api/2.0", where=refused, **RANGE)
    assert "$distinct_id" in api.refusal("/segmentation", event="E", on=person, **RANGE), "that would be rows"


def test_x_as_on(api):
    assert segments(api, 'properties["n"] > 0') == {"true": 1, "false": 1, "undefined": 1}
    assert segments(api, 'string(properties["s"], "none")') == {"Hello": 1, "": 1, "none": 1}
    assert segments(api, 'any(X, properties["l"], X = "x")') == {"true": 1, "false": 2}
    assert segments(api, 'properties["l"]') == {"x": 1, "2": 1, "undefined": 2}
    assert segments(api, "s") == {"Hello": 1, "": 1, "undefined": 1}


@pytest.mark.parametrize("function", [
    "if", "ifs", "has_prefix", "has_suffix", "min", "max", "upper", "lower", "parse_url", "regex_extract", "regex_match", "regex_replace",
    "datedif", "today", "len", "left", "right", "mid", "split", "let", "filter", "map", "sum"])
def test_x16_functions_of_the_user_interface_are_refused_by_name(api, function):
    for parameter in ("where", "on"):
        error = api.refusal("/segmentation", event="E", **{parameter: f'{function}(properties["s"]) == "a"'}, **RANGE)
        assert f"'{function}'" in error and error.startswith(parameter)


@pytest.mark.parametrize("where", [
    'properties["s"] and true', "1 +", "browser == 1", 'properties["n"] < 2 < 3', '"open', "properties[s]", "(" * 100 + "1" + ")" * 100,
    "not " * 100 + "true", "x" * 9000, "event[1]", "true true", "", 'any(X, properties["l"], X > 1)', "1e999", "#", '{"a": 1}'])
def test_x9_x18_x19_bad_expressions_are_400_and_say_where(api, where):
    if where == "":
        return
    assert "where" in api.refusal("/segmentation", event="E", where=where, **RANGE) or where == 'properties["s"] and true'


@pytest.mark.parametrize("operator", ["+", "-", "*", "and", "or"])
def test_x19_the_longest_chains_leave_the_server_well(api, operator):
    """Eight kilobytes of one operator: answered or refused, never the end of the process."""
    operand = "1" if operator in "+-*" else "true"
    texts = [f" {operator} ".join([operand] * (8_000 // (len(operand) + len(operator) + 2))), operator.join([operand] * 4000)[:8191] if operator in "+-*" else "true"]
    for where in texts:
        response = api.query("/segmentation", event="E", where=where if operator in ("and", "or") else f"{where} > 0", **RANGE)
        assert response.status_code in (200, 400), response.status_code
    assert api.installation.alive() and count(api, "true") == 3
