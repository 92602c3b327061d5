"""What hostile, broken and confused clients send. The answers are the contract's, and the server lives on."""

from __future__ import annotations

import base64
import gzip
import json
import pathlib
import socket
import threading
import time
import zlib

import pytest

from support.api import Api, day, form_data, now_ms

JSON = {"Content-Type": "application/json"}
INGESTION = ("/track", "/engage", "/groups")
ORIGIN = {"Origin": "https://app.example"}


@pytest.fixture(autouse=True)
def lives_on(installation, api):
    """After each test: the process is the same one, takes an event, counts it, and has logged no panic."""
    process = installation.process.pid
    yield
    assert installation.alive() and installation.process.pid == process
    assert api.track(api.event("Afterwards", {"distinct_id": "after"})).json()["status"] == 1
    assert api.total("Afterwards") == 1
    assert "panicked" not in installation.log_text()


GARBAGE = {
    "nothing": b"", "spaces": b"   \n", "nul": b"\0" * 100, "noise": bytes(range(256)) * 20, "half json": b'[{"event":"a","prop',
    "deep": b"[" * 100_000, "deep objects": b'{"a":' * 50_000, "number": b"12345", "string": b'"event"', "null": b"null",
    "empty list": b"[]", "list of null": b"[null, null]", "list of numbers": b"[1,2,3]", "no properties": b'[{"event":"x"}]',
    "bad base64": b"data=%%%", "base64 of noise": b"data=" + base64.b64encode(bytes(range(200))), "bad percent": b"data=%zz%1",
    "lone brace": b"}", "xml": b"<?xml version='1.0'?><a/>", "bom only": b"\xef\xbb\xbf", "utf-16": '[{"event":"x"}]'.encode("utf-16"),
}


@pytest.mark.parametrize("path", INGESTION)
def test_garbage_is_refused_with_a_zero(api, path):
    """Content problems are HTTP 200 and status 0, for SDKs would resend a 4xx for ever (T12, O2)."""
    for name, body in GARBAGE.items():
        for headers in (JSON, {"Content-Type": "application/x-www-form-urlencoded"}, {}):
            response = api.request("POST", path, data=body, headers=headers)
            assert (response.status_code, response.content) == (200, b"0"), f"{name}: {response.status_code} {response.text[:200]}"
            verbose = api.request("POST", path + "?verbose=1", data=body, headers=headers)
            assert verbose.status_code == 200 and verbose.json()["status"] == 0 and verbose.json()["error"], name
    assert api.total() == 0


def test_garbage_to_import_is_json_with_a_reason(api):
    for name, body in GARBAGE.items():
        response = api.request("POST", f"/import?strict=1&project_id={api.installation.project}", data=body, headers=JSON, auth=api.auth)
        assert response.status_code in (400, 413), f"{name}: {response.status_code} {response.text[:200]}"
        assert response.json()["code"] == response.status_code and response.json()["error"], name


def test_broken_compression(api):
    whole = json.dumps([api.event("Z", {"distinct_id": "u"})]).encode()
    packed = gzip.compress(whole)
    broken = {"cut": packed[:-9], "flipped": packed[:20] + bytes([packed[20] ^ 0xFF]) + packed[21:], "not gzip": whole[:0] + b"plainly not",
              "tail": packed[:-4] + b"\0\0\0\0"}
    for name, body in broken.items():
        response = api.request("POST", "/track?verbose=1", data=body, headers={**JSON, "Content-Encoding": "gzip"})
        assert response.status_code == 200 and response.json()["status"] == 0, f"{name}: {response.text[:200]}"
    other = api.request("POST", "/track?verbose=1", data=whole, headers={**JSON, "Content-Encoding": "br"})
    assert other.status_code in (200, 415), other.text
    assert api.total("Z") <= 1


def test_bombs_are_refused_without_swelling(api, installation):
    """200 MB in 200 kB, in every coding; memory stays bounded and the refusal is quick (R10)."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeezer.compress(b" " * (1 << 20)) for _ in range(200)) + squeezer.flush()
    head = gzip.compress(b'[{"event":"B","properties":{"x":"' + b"y" * (64 << 20) + b'"}}]')
    before = _peak_rss(installation)
    attempts = [
        ("gzip", "/track?verbose=1", bomb, {**JSON, "Content-Encoding": "gzip"}),
        ("gzip of json", "/import?strict=1", head, {**JSON, "Content-Encoding": "gzip"}),
        ("base64 of gzip", "/track?verbose=1", b"data=" + base64.b64encode(bomb), {"Content-Type": "application/x-www-form-urlencoded"}),
        ("gzip in gzip", "/engage?verbose=1", gzip.compress(bomb), {**JSON, "Content-Encoding": "gzip"}),
        ("members", "/track?verbose=1", gzip.compress(b" " * (4 << 20)) * 50, {**JSON, "Content-Encoding": "gzip"}),
    ]
    for name, path, body, headers in attempts:
        started = time.monotonic()
        response = api.request("POST", path, data=body, headers={**headers, **ORIGIN}, auth=(installation.api_secret, ""))
        refused = response.status_code in (400, 413) or (response.status_code == 200 and response.json()["status"] == 0)
        assert refused, f"{name}: {response.status_code} {response.text[:200]}"
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"], name
        assert time.monotonic() - started < 5, name
    assert _peak_rss(installation) - before < 150 << 20


def _peak_rss(installation) -> int:
    status = pathlib.Path(f"/proc/{installation.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) << 10


def test_sizes(api):
    """Too large is 413 with a JSON body and CORS; just under is taken (T13, I8)."""
    huge = api.request("POST", "/track?verbose=1", data=b"[" + b" " * (11 << 20) + b"]", headers={**JSON, **ORIGIN})
    assert huge.status_code == 413 and huge.json()["code"] == 413
    assert huge.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
    events = [api.event("Big", {"distinct_id": "u", "text": "a b " * 50, "at": at}) for at in range(2000)]
    assert api.track(*events).json()["status"] == 1
    assert api.total("Big") == 2000
    one = api.event("Wide", {"distinct_id": "u", **{f"property {at}": at for at in range(3000)}})
    assert api.track(one).status_code == 200
    long = api.event("Long", {"distinct_id": "u", "text": "word " * 50_000})
    assert api.track(long).json()["status"] == 1
    assert api.total("Long") == 1


def test_wrong_types(api):
    token = api.installation.token
    odd = [
        {"event": 7, "properties": {"token": token}}, {"event": None, "properties": {"token": token}},
        {"event": "", "properties": {"token": token}}, {"event": ["x"], "properties": {"token": token}},
        {"event": "p", "properties": None}, {"event": "p", "properties": []}, {"event": "p", "properties": "x"},
        {"event": "p", "properties": {"token": 5}}, {"event": "p", "properties": {"token": None}}, {"properties": {"token": token}}, 5, "x", [],
    ]
    for one in odd:
        response = api.request("POST", "/track?verbose=1", json=[one])
        assert response.status_code == 200, f"{one}: {response.text}"
        assert response.json()["status"] in (0, 1)
    good = [api.event("Typed", {"distinct_id": who}) for who in ("u", 7, 7.5, True, None, ["u"], {"a": 1}, "", "x" * 300)]
    assert api.track(*odd, *good).json()["status"] == 1, "good events beside bad ones are taken (T10)"
    assert api.total("Typed") == len(good)
    for update in ({"$set": [1]}, {"$set": "x"}, {"$add": {"n": "many"}}, {"$append": 5}, {"$union": {"l": 5}}, {"$unset": "name"},
                   {"$unset": {"a": 1}}, {"$remove": []}, {"$nothing": {}}, {}):
        response = api.engage({"$distinct_id": "u", **update})
        assert response.status_code == 200, f"{update}: {response.text}"
    assert api.engage({"$distinct_id": {"a": 1}, "$set": {"a": 1}}).status_code == 200
    assert api.engage({"$set": {"a": 1}}).json()["status"] == 0


def test_odd_json_is_read_as_agreed(api):
    """Duplicate keys, NaN, huge numbers, lone surrogates, NUL, a byte-order mark (G16)."""
    token = api.installation.token
    text = (f'\ufeff[{{"event":"Odd","event":"Odd","properties":{{"token":"{token}","distinct_id":"u","a":1,"a":2,"n":NaN,"i":Infinity,'
            f'"big":123456789012345678901234567890,"float":1e999,"s":"x\\ud800y","nul":"a\\u0000b","é":"ok"}}}}]')
    assert api.request("POST", "/track?verbose=1", data=text.encode(), headers=JSON).json()["status"] == 1
    assert api.insight("total", "Odd", breakdown='properties["a"]') == {(2,): 1}
    (row,) = api.export()
    assert row["properties"].get("n") is None and row["properties"]["é"] == "ok"


def test_unknown_token_is_accepted_and_dropped(api):
    """Tokens are not verified to the client: a 401 would make phones retry for ever (G12)."""
    for token in ("fpw_" + "0" * 36, "T", "", "x" * 5000):
        event = {"event": "Ghost", "properties": {"token": token, "distinct_id": "u"}}
        response = api.request("POST", "/track?verbose=1", json=[event])
        assert response.status_code == 200, token[:10]
        if token:
            assert response.json() == {"error": None, "status": 1}
    assert api.total() == 0 and api.lookup("u") is None


def test_clocks_far_off(api):
    """The future becomes now; the past stays; strict import says no to what cannot be (I10, I13, N1)."""
    now = now_ms()
    future = [now + 3 * 3600 * 1000, now / 1000 + 86_400 * 365, now * 1000 + 10**15, 4_290_000_000, 10**18, 1e300]
    past = [now - 40 * 86_400_000, 946_684_800, 86_400 * 400]
    nonsense = [-5, 0, "yesterday", [], {}, True]
    for time_value in (*future, *past, *nonsense):
        response = api.track(api.event("Clock", {"distinct_id": "u", "time": time_value}))
        assert response.status_code == 200, f"{time_value}: {response.text}"
    assert api.total("Clock", days=(-2, 0)) >= len(future), "the future is clamped to now, never refused"
    assert api.total("Clock", days=(1, 3000)) == 0, "and nothing lies in the future"
    assert api.total("Clock", days=(-41, -39)) == 1

    def strict(value):
        return api.import_({"event": "Strict", "properties": {"distinct_id": "u", "$insert_id": "s", "time": value}})
    for value, word in ((now + 2 * 3_600_000, "must not be in the future"), ("x", "must be specified as seconds since epoch"),
                        (-1, "must be specified as seconds since epoch")):
        refused = strict(value)
        assert refused.status_code == 400 and word in refused.json()["failed_records"][0]["message"], refused.text
    assert strict(31_540_000).status_code == 200, "1971 is history, not an error (I12)"


def test_half_sent_requests(api, installation):
    body = json.dumps([api.event("Half", {"distinct_id": "u"})])
    head = f"POST /track HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    chunked = "POST /track HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    both = f"POST /track HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"
    for text in (head + body[:-5], head, chunked + "5\r\nhel", chunked + "zz\r\n", chunked + "ffffffffffffffff\r\nx", "GET ", "\r\n" * 1000,
                 "GET / HTTP/1.1\r\n" + "A: b\r\n" * 5000, "GET /" + "x" * 300_000, both, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
        connection = _connect(installation)
        connection.sendall(text.encode("latin-1"))
        connection.close()
    for _ in range(100):
        connection = _connect(installation)
        connection.sendall((head + body[:10]).encode())
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    assert api.total("Half") == 0


def _connect(installation) -> socket.socket:
    host, _, port = installation.listen.partition(":")
    return socket.create_connection((host, int(port)), 10)


def test_slow_headers_are_cut_and_disturb_nobody(api, installation):
    """A hundred connections that drip a byte now and then: cut after ten seconds; others are served meanwhile (R11)."""
    slow = [_connect(installation) for _ in range(100)]
    for connection in slow:
        connection.sendall(b"POST /track HTTP/1.1\r\nHost: x\r\n")
    stop = threading.Event()

    def drip():
        while not stop.wait(1):
            for connection in slow:
                try:
                    connection.sendall(b"X: y\r\n")
                except OSError:
                    pass
    dripping = threading.Thread(target=drip)
    dripping.start()
    waits = []
    until = time.monotonic() + 12
    while time.monotonic() < until:
        started = time.monotonic()
        assert api.track(api.event("Meanwhile", {"distinct_id": "u"})).status_code == 200
        waits.append(time.monotonic() - started)
        time.sleep(0.1)
    stop.set()
    dripping.join()
    assert sorted(waits)[int(len(waits) * 0.95)] < 1, f"95 % within {sorted(waits)[int(len(waits) * 0.95)]:.2f} s"
    cut = sum(_is_cut(connection) for connection in slow)
    assert cut == len(slow), f"{len(slow) - cut} slow connections are still open after 12 s"


def _is_cut(connection: socket.socket) -> bool:
    connection.settimeout(0.5)
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    finally:
        connection.close()
    return True


def test_reports_that_are_wrong_say_where(api):
    good = {"kind": "insights", "metrics": [{"measure": "total"}], "unit": "day"}
    range_ = {"from": day(-1), "to": day()}
    api.track(api.event("Something", {"distinct_id": "u"}))
    wrong = [
        {}, {"range": range_}, {"range": range_, "question": {"kind": "tea"}}, {"range": {"from": "x", "to": "y"}, "question": good},
        {"range": {"from": day(), "to": day(-5)}, "question": good}, {"range": range_, "question": {**good, "metrics": []}},
        {"range": range_, "question": {**good, "limit": 0}}, {"range": range_, "question": good, "version": 99},
        {"range": range_, "question": good, "filter": "properties[\"a\""}, {"range": range_, "question": good, "filter": "(" * 5000},
        {"range": range_, "question": good, "filter": "1 and 2"}, {"range": range_, "question": good, "timezone": "Mars/Base"},
        {"range": {"from": "0001-01-01", "to": "9999-12-31"}, "question": good}, {"range": range_, "question": {**good, "unit": "minute"}, "extra": 1},
        {"range": {"from": day(-400), "to": day()}, "question": {**good, "unit": "minute"}}, [], "x", None,
    ]
    for body in wrong:
        response = api.post(api.project("/query"), body)
        assert response.status_code == 400, f"{body}: {response.status_code} {response.text[:200]}"
        error = response.json()["error"]
        assert error["code"] in ("invalid_request", "invalid_report", "invalid_expression") and error["message"], body
    for body in (b"{", b"\xff\xfe", b""):
        response = api.request("POST", api.project("/query"), data=body, headers=JSON, auth=api.auth)
        assert response.status_code == 400 and response.json()["error"]["code"] == "invalid_request"


def test_other_methods(api):
    for path in (*INGESTION, "/import", "/", "/healthz", "/api/v1/session", "/api/2.0/engage", api.project("/query")):
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "BREW", "HEAD", "OPTIONS"):
            status = api.request(method, path).status_code
            assert status < 500, f"{method} {path}: {status}"
