"""The wire, byte by byte: the vectors of the HTTP contract (section 11), each imitating one SDK."""

from __future__ import annotations

import concurrent.futures
import gzip
import json
import socket

import pytest

from support.api import Api, day, form_data, now_ms

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ORIGIN = "https://app.example"


@pytest.fixture
def send(api):
    """Sends a vector with this project's token in it."""
    def send(method, path, body=None, headers=None, auth=None):
        return api.request(method, path, data=body, headers=headers or {}, auth=auth)
    return send


def payload(api, name="a>?~", **properties):
    return [{"event": name, "properties": {"token": api.installation.token, "distinct_id": "u1", **properties}}]


def raw_base64(value) -> str:
    """Unescaped, with a `+` in it if the value has what makes one: `>?~` do."""
    import base64
    return base64.b64encode(json.dumps(value).encode()).decode()


def allowed(response) -> bool:
    return (response.headers.get("Access-Control-Allow-Origin"), response.headers.get("Access-Control-Allow-Credentials"),
            response.headers.get("Vary")) == (ORIGIN, "true", "Origin")


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain;charset=UTF-8", "application/octet-stream", None])
def test_v1_v2_browser_batch_and_beacon(api, send, content_type):
    body = f"data={form_data(payload(api))}"
    headers = {"Origin": ORIGIN, **({"Content-Type": content_type} if content_type else {})}
    response = send("POST", "/track/?verbose=1&ip=1&_=1700000000000", body, headers)
    assert (response.status_code, response.json()) == (200, {"error": None, "status": 1})
    assert response.headers["Content-Type"].startswith("application/json") and allowed(response)
    assert api.total("a>?~") == 1


def test_v3_twice_counts_once(api, send):
    body = f"data={form_data(payload(api, time=now_ms(), **{'$insert_id': 'abc'}))}"
    for _ in range(2):
        assert send("POST", "/track/?verbose=1", body, FORM).json()["status"] == 1
    assert api.total("a>?~") == 1 and len(api.export()) == 1


def test_v4_raw_base64_with_plus(api, send):
    coded = raw_base64(payload(api))
    response = send("POST", "/track?ip=0&verbose=0", f"data={coded}", FORM)
    assert (response.text, response.headers["Content-Type"].split(";")[0]) == ("1", "text/plain")
    assert api.total("a>?~") == 1


def test_v5_v6_single_by_get(api, send):
    response = send("GET", f"/track?ip=0&verbose=0&data={form_data(payload(api)[0])}")
    assert response.content == b"1"
    update = {"$token": api.installation.token, "$distinct_id": "u1", "$set": {"plan": "pro"}}
    assert send("GET", f"/engage?ip=0&verbose=0&data={form_data(update)}").content == b"1"
    assert [row["properties"]["plan"] for row in api.people()] == ["pro"]


def test_v7_v8_form_of_json_and_verbose_in_the_body(api, send):
    import urllib.parse
    text = urllib.parse.quote(json.dumps(payload(api)))
    assert send("POST", "/track", f"data={text}&verbose=1&ip=0", FORM).json()["status"] == 1
    update = form_data([{"$token": api.installation.token, "$distinct_id": "u1", "$set": {"plan": "pro"}}])
    assert send("POST", "/engage", f"data={update}&verbose=1", FORM).json()["status"] == 1


def test_v9_pixel(api, send):
    import base64
    data = base64.urlsafe_b64encode(json.dumps(payload(api)[0]).encode()).decode().rstrip("=")
    response = send("GET", f"/track/?data={data}&ip=1&img=1")
    assert response.headers["Content-Type"] == "image/gif" and response.content.startswith(b"GIF8")
    assert api.total("a>?~") == 1


def test_v10_v11_go(api, send):
    headers = {"Content-Type": "application/json", "Accept": "text/plain"}
    assert send("POST", "/track?verbose=1", json.dumps(payload(api)), headers).json()["status"] == 1
    update = [{"$token": api.installation.token, "$distinct_id": "u1", "$set": {"plan": "pro"}}]
    assert send("POST", "/engage", json.dumps(update), headers).content == b"1"


def test_v12_java_gzip_form(api, send):
    body = gzip.compress(f"data={form_data(payload(api))}".encode())
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf8", "Content-Encoding": "gzip"}
    assert send("POST", "/track?ip=0", body, headers).content == b"1"


def test_v13_v14_swift(api, send):
    items = [dict(payload(api)[0], id=7, **{"$mp_metadata": {"$mp_event_id": "e1", "$mp_session_seq_id": 1}})]
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert send("POST", "/track/?ip=1", gzip.compress(json.dumps(items).encode()), headers).content == b"1"
    del items[0]["event"]
    poison = send("POST", "/track/?ip=1", gzip.compress(json.dumps(items).encode()), headers)
    assert (poison.status_code, poison.content) == (200, b"0")
    assert api.total() == 1


def test_v15_to_v19_import_dialects(api, send):
    secret = (api.installation.api_secret, "")
    whole = {"event": "I", "properties": {"time": now_ms() // 1000, "distinct_id": "u1", "$insert_id": "i-1"}}
    json_headers = {"Content-Type": "application/json"}
    token = (api.installation.token, "")
    java = send("POST", "/import?strict=1", json.dumps([whole]), json_headers, token)
    assert (java.status_code, java.json()) == (200, {"code": 200, "num_records_imported": 1, "status": "OK"})

    bad = {"event": "I", "properties": {"distinct_id": "u1", "$insert_id": "i-2"}}
    good = {"event": "I", "properties": {**whole["properties"], "$insert_id": "i-3"}}
    partial = send("POST", "/import?strict=1", json.dumps([good, bad]), json_headers, token)
    answer = partial.json()
    assert (partial.status_code, answer["code"], answer["status"], answer["num_records_imported"]) == (400, 400, "Bad Request", 1)
    assert answer["error"] == "some data points in the request failed validation"
    (failed,) = answer["failed_records"]
    assert (failed["index"], failed["field"], failed["insert_id"]) == (1, "properties.time", "i-2")
    assert failed["message"] == "'properties.time' is invalid: must not be missing"

    import urllib.parse
    python = send("POST", f"/import?project_id={api.installation.project}",
                  f"data={urllib.parse.quote(json.dumps(whole))}&verbose=1&ip=0", FORM, api.auth)
    assert python.status_code == 200 and python.json()["status"] == 1
    node = send("POST", f"/import?ip=0&verbose=0&project_id={api.installation.project}", f"data={raw_base64([whole])}", FORM, api.auth)
    assert node.content == b"1"
    lines = "\n".join(json.dumps({**whole, "properties": {**whole["properties"], "$insert_id": f"n-{at}"}}) for at in range(5))
    nd = send("POST", "/import?strict=1", gzip.compress(lines.encode()),
              {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}, secret)
    assert nd.json() == {"code": 200, "num_records_imported": 5, "status": "OK"}
    assert api.total("I") == 2 + 5

    for auth in (None, ("nobody", "wrong"), ("fpa_wrong", "")):
        refused = send("POST", "/import?strict=1", json.dumps([whole]), json_headers, auth)
        assert refused.status_code == 401
        assert refused.json()["code"] == 401 and refused.json()["status"] == "Unauthorized" and refused.json()["error"]
    missing = send("POST", "/import?strict=1", json.dumps([whole]), json_headers, api.auth)
    assert 400 <= missing.status_code < 500, "a service account must name the project (G7)"


def test_v23_v24_export(api, send):
    empty = api.get("/api/2.0/export", params={"project_id": api.installation.project, "from_date": "2011-01-01", "to_date": "2011-01-02"})
    assert (empty.status_code, empty.content) == (200, b"")
    api.track(*(api.event("E", {"distinct_id": f"u{at}", "time": now_ms()}) for at in range(100)))
    parameters = {"project_id": api.installation.project, "from_date": day(-1), "to_date": day()}
    packed = api.get("/api/2.0/export", params=parameters, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    rows = [json.loads(line) for line in packed.text.splitlines()]
    assert len(rows) == 100 and all(isinstance(row["properties"]["time"], int) and row["properties"]["time"] < 1e11 for row in rows)
    plain = api.get("/api/2.0/export", params=parameters, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers and plain.text == packed.text
    later = api.get("/api/2.0/export", params={**parameters, "to_date": day(5)})
    assert later.status_code == 400 and "to_date cannot be later than today" in later.json()["error"]


def test_v25_v26_v27_neutral_routes(api, send):
    preflight = api.request("OPTIONS", "/flags/", headers={
        "Origin": ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization,traceparent"})
    assert preflight.status_code in (200, 204) and allowed(preflight)
    named = preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in named and "traceparent" in named
    flags = send("GET", "/flags/?context=%7B%7D&token=T&mp_lib=web", headers={"Origin": ORIGIN})
    assert flags.json() == {"code": 200, "flags": {}} and allowed(flags)
    record = send("POST", "/record/?format=gzip&seq=0", gzip.compress(b"[{}]"), {"Content-Type": "application/octet-stream"})
    assert record.status_code == 200 and record.json()["code"] == 200
    settings = send("GET", "/settings/?sdk_config=1")
    assert settings.json()["sdk_config"] == {"config": {}}
    assert api.total() == 0, "nothing of a recording is an event"


def test_v28_identity(api):
    device, user = "d-28", "u-28"
    api.track(api.event("A", {"$device_id": device, "distinct_id": f"$device:{device}", "time": now_ms() - 9000}))
    api.track(api.event("B", {"$device_id": device, "$user_id": user, "distinct_id": user, "time": now_ms()}))
    assert api.uniques() == 1
    assert len({row["properties"]["distinct_id"] for row in api.export()}) == 1
    assert api.funnel("A", "B") == [1, 1]


def test_v31_profile_delete(api):
    api.engage({"$distinct_id": "u1", "$set": {"plan": "pro", "$email": "u1@example.com"}})
    api.track(api.event("A", {"distinct_id": "u1"}))
    assert len(api.people()) == 1
    api.engage({"$distinct_id": "u1", "$delete": None})
    assert [row for row in api.people() if row["properties"]] == []
    assert api.total("A") == 1
    assert api.reveal(api.lookup("u1"))["fields"] == {}


def test_v32_v33_expressions(api):
    api.track(*(api.event("X", {"distinct_id": "u", **properties}) for properties in ({"n": 1}, {"n": 2, "city": "c"}, {"n": 3}, {})))
    assert api.total("X", filter='not defined(properties["city"]) and properties["n"] in [1,2]') == 1
    bad = api.get("/api/2.0/segmentation", params={"project_id": api.installation.project, "event": "X", "from_date": day(-1),
                                                    "to_date": day(), "where": 'properties["n"] and 3'})
    assert bad.status_code == 400 and bad.json()["error"]


def test_v34_long_urls(api, send):
    data = form_data(payload(api, long="x y " * 7500)[0])
    assert 40_000 < len(data)
    assert send("GET", f"/track?data={data}").content == b"1"


@pytest.mark.parametrize("path", ["/track", "/engage", "/groups", "/import", "/record", "/flags", "/settings"])
def test_slashes_preflights_and_prefixless_answers(api, send, path):
    """With and without a trailing slash, never a redirect (G1); a preflight on each (G20); CORS on refusals too (G23)."""
    for slash in ("", "/"):
        assert send("POST", path + slash, b"", {"Origin": ORIGIN}).status_code not in (301, 302, 307, 308, 404, 405)
        preflight = api.request("OPTIONS", path + slash, headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
        assert preflight.status_code in (200, 204) and allowed(preflight)
        assert {"GET", "POST"} <= set(preflight.headers["Access-Control-Allow-Methods"].replace(" ", "").split(","))
    refused = send("POST", path, b"x" * (11 << 20), {"Origin": ORIGIN, "Content-Type": "application/json"})
    assert refused.status_code == (413 if path in ("/track", "/engage", "/groups", "/import") else 200)
    assert allowed(refused)


def test_callback_is_checked(api, send):
    good = send("GET", f"/track?callback=mixpanel._jsc[123]&data={form_data(payload(api)[0])}")
    assert good.text == "mixpanel._jsc[123](1);" and good.headers["Content-Type"].startswith("text/javascript")
    bad = send("GET", f"/track?callback=alert(1)//&data={form_data(payload(api)[0])}")
    assert "alert" not in bad.text and bad.headers["X-Content-Type-Options"] == "nosniff"


def test_pages_of_2500_profiles_in_parallel(api):
    """V21, by hand: pages asked for at once belong to one set."""
    for begin in range(0, 2500, 500):
        api.engage(*({"$distinct_id": f"p{at}", "$set": {"at": at}} for at in range(begin, begin + 500)))
    project = api.installation.project
    first = api.get("/api/2.0/engage", params={"project_id": project}).json()
    api.engage({"$distinct_id": "late", "$set": {"at": -1}})

    def page(number):
        return Api(api.installation).get("/api/2.0/engage", params={"project_id": project, "session_id": first["session_id"], "page": number}).json()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pages = [first, *pool.map(page, (1, 2))]
    assert [len(page["results"]) for page in pages] == [1000, 1000, 500]
    assert {page["total"] for page in pages} == {2500}
    assert len({row["$distinct_id"] for page in pages for row in page["results"]}) == 2500


def test_one_connection_takes_many_requests(api):
    """Keep-alive and pipelining, as SDKs with connection pools do."""
    host, _, port = api.installation.listen.partition(":")
    body = json.dumps(payload(api))
    request = (f"POST /track HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(request * 20)
        answers = b""
        while answers.count(b"HTTP/1.1") < 20 and (piece := connection.recv(65536)):
            answers += piece
    assert answers.count(b"HTTP/1.1 200") == 20
    assert api.total("a>?~") == 20
