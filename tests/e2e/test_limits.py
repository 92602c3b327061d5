"""What running questions may take, over HTTP: docs/limits.md line by line."""

from __future__ import annotations

import base64
import concurrent.futures
import json
import re
import socket
import time

import pytest

from support.api import day
from support.installation import Installation
from support.mixpanel import QueryApi, at, event

# Hours of work over two thousand events: being stopped ends it, or want of memory.
ENDLESS = ("select count(*) from events a, events b, events c, events d "
           "where a.time < b.time and c.time < d.time and a.event > d.event")
REPORT = {"range": {"from": day(-1), "to": day()},
          "question": {"kind": "insights", "metrics": [{"measure": "unique"}], "unit": "day"}}


@pytest.fixture
def world(tmp_path, request):
    """A server with the options that the test names, over two thousand events."""
    installation = Installation(tmp_path).start(*request.param)
    api = QueryApi(installation)
    api.send(*[event("Seen", f"p{number}", at(-1, 12) + number) for number in range(2_000)])
    yield api
    installation.kill()


def metric(api, name: str) -> int:
    found = re.search(rf"^frostpane_{name}(?:_total)? (\d+)$", api.request("GET", "/metrics").text, re.MULTILINE)
    assert found, name
    return int(found[1])


def until(api, name: str, wanted) -> None:
    deadline = time.monotonic() + 60
    while not wanted(metric(api, name)):
        assert time.monotonic() < deadline, f"{name} is {metric(api, name)}"
        time.sleep(0.02)


def asking(api, path: str, body: dict) -> socket.socket:
    """A request on a connection of its own, sent and not yet answered."""
    text, authorization = json.dumps(body), base64.b64encode(":".join(api.auth).encode()).decode()
    host, port = api.installation.listen.split(":")
    opened = socket.create_connection((host, int(port)), timeout=60)
    opened.sendall((f"POST {path} HTTP/1.1\r\nHost: {api.installation.listen}\r\nContent-Type: application/json\r\n"
                    f"Authorization: Basic {authorization}\r\n"
                    f"Content-Length: {len(text)}\r\n\r\n{text}").encode())
    return opened


@pytest.mark.parametrize("world", [("--questions-per-project", "1")], indirect=True)
def test_closing_the_connection_cancels_the_question(world):
    opened = asking(world, world.project("/sql"), {"sql": ENDLESS, "limit": 1})
    until(world, "questions_running", lambda running: running == 1)
    opened.close()
    until(world, "questions_running", lambda running: running == 0)
    until(world, "questions_memory_bytes", lambda held: held == 0)
    assert metric(world, "questions_timed_out") == 0
    # Its place is free again: the only one there is.
    answer = world.post(world.project("/query"), REPORT)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("world", [("--question-timeout", "1")], indirect=True)
def test_a_question_ends_at_its_time_limit(world):
    refused = world.post(world.project("/sql"), {"sql": ENDLESS, "limit": 1})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (504, "query_timeout") and "1000 ms" in error["message"] and error["fix"]
    until(world, "questions_running", lambda running: running == 0)
    assert metric(world, "questions_timed_out") == 1
    assert world.post(world.project("/query"), REPORT).json()["explanation"]["time_limit_ms"] == 1000


@pytest.mark.parametrize("world", [("--questions-per-project", "1")], indirect=True)
def test_q9_who_waits_too_long_is_told_to_come_again(world):
    """The only place is taken for longer than anybody waits."""
    # Several in a row: each ends when it has used up the memory.
    opened = [asking(world, world.project("/sql"), {"sql": ENDLESS, "limit": 1}) for _ in range(5)]
    until(world, "questions_running", lambda running: running == 1)
    ask_app = lambda: QueryApi(world.installation).post(world.project("/query"), REPORT)
    ask_mixpanel = lambda: QueryApi(world.installation).query("/segmentation", event="Seen", from_date=day(-1), to_date=day())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        app, mixpanel = [asked.result() for asked in (pool.submit(ask_app), pool.submit(ask_mixpanel))]
    for connection in opened:
        connection.close()
    for refused in (app, mixpanel):
        assert refused.status_code == 429 and int(refused.headers["Retry-After"]) >= 1, refused.text
    assert app.json()["error"]["code"] == "rate_limited"
    assert mixpanel.json()["status"] == "error" and "too many questions" in mixpanel.json()["error"]
    until(world, "questions_running", lambda running: running == 0)
    assert ask_app().status_code == 200


@pytest.mark.parametrize("world", [("--query-memory", "16")], indirect=True)
def test_a_question_that_needs_too_much_memory_says_what_to_narrow(world):
    refused = world.post(world.project("/sql"), {"sql": "select a.time, b.time, count(*) from events a, events b group by a.time, b.time", "limit": 1})
    error = refused.json()["error"]
    assert error["code"] == "query_too_large" and "narrow" in error["message"], refused.text
    assert world.post(world.project("/query"), REPORT).status_code == 200
