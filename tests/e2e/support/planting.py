"""Every path by which a person's data can reach the server, valid or not. Each function plants one identity by one path
and returns what the server said; the caller asserts that ingestion took what it should take."""

from __future__ import annotations

import base64
import gzip
import html
import json
import random
import socket
import urllib.parse
from collections.abc import Callable

import requests

from .api import Api, form_data, now_ms
from .identities import Identity, spaced

# Fixed, so that an event that is sent again is the same event.
SENT_MS = now_ms() - 600_000
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def headers(person: Identity) -> dict[str, str]:
    """What a browser sends along, and what it should not: all of it names the person."""
    safe = person.email.encode("ascii", "ignore").decode()
    return {
        "User-Agent": f"Mozilla/5.0 (X11; Linux x86_64) {safe} Chrome/150.0.0.0 {person.device_id}",
        "Referer": f"https://shop.example/account/{urllib.parse.quote(person.email)}?key={person.secrets['key aws']}",
        "Cookie": f"sid={person.device_id}; mail={urllib.parse.quote(person.email)}; jwt={person.secrets['jwt']}",
        "X-Forwarded-For": f"{person.ipv4}, 127.0.0.1",
        "X-Real-IP": person.ipv6,
        "Forwarded": f"for={person.ipv4}",
        "X-Request-Id": person.user_id,
    }


def identity_properties(person: Identity) -> dict:
    """Names of a person under the keys that customers use, directly on an event."""
    return {
        "$name": person.name, "$first_name": person.first_name, "$last_name": person.last_name, "$email": person.email,
        "$phone": person.phone, "$avatar": f"https://img.example/{person.user_id}.png",
        "user_name": person.name, "fullName": person.name, "firstName": person.first_name, "last_name": person.last_name,
        "customer_email": person.email, "contactPhone": person.phone_national, "mobile": person.phone,
        "shipping_address": person.address, "billing": {"street": person.address, "email": person.email},
        "user_id": person.user_id, "customer_id": person.user_id, "company_id": person.organisation,
        "account_id": person.organisation, "company_name": person.organisation_name,
        "ip": person.ipv4, "$latitude": 48.8566, "$longitude": 2.3522,
        "idfa": person.device_id, "gclid": person.device_id,
    }


def free_text(person: Identity) -> str:
    """Too long for an ordinary value; names and postal addresses cannot be recognised otherwise."""
    return (f"Hello, this is {person.name}, I live at {person.address} and I would like you to send the parcel that I ordered "
            f"last week to my office instead, because nobody is at home during the day and the neighbours are away too. "
            f"Please call me back when it is done. Kind regards, {person.first_name} {person.last_name}")


def disguised(person: Identity) -> dict:
    """Values that only a look at the value can recognise, plain and in the codings that values travel in."""
    email, secrets = person.email, person.secrets
    return {
        "note": f"please write to {email} today",
        "label": email,
        "detail": urllib.parse.quote(email, safe=""),
        "extra": base64.b64encode(email.encode()).decode(),
        "markup": html.escape(f"<{email}>"),
        "payload_text": json.dumps({"who": email, "nested": json.dumps({"phone": person.phone})}),
        "origin": person.ipv4, "origin6": person.ipv6,
        "callback": person.phone,
        "feedback": free_text(person),
        "list": [1, {"deep": {"deeper": email}}, secrets["key aws"]],
        "value": secrets["card"], "value_spaced": spaced(secrets["card"]), "amount_text": secrets["iban"],
        "printed": spaced(secrets["iban"]), "figure": int(secrets["card"]),
        "tax": secrets["ssn"], "insured": secrets["nir"],
        "password": secrets["password"], "form": {"user_password_confirm": secrets["password"]},
        "a": secrets["key github"], "b": f"Bearer {secrets['jwt']}", "c": secrets["private key"],
        "d": urllib.parse.quote(secrets["key stripe"]), "e": [secrets["key slack"]], "f": {"g": secrets["key google"]},
        "h": f"key={secrets['key openai']}", "i": secrets["key anthropic"], "j": secrets["key npm"],
        "k": secrets["key sendgrid"], "l": secrets["key huggingface"], "m": secrets["token own"],
        "$current_url": f"https://{urllib.parse.quote(person.first_name)}:{secrets['key aws']}@shop.example/u/"
                        f"{urllib.parse.quote(email)}/{person.device_id}?email={urllib.parse.quote(email)}&token={secrets['jwt']}"
                        f"&ip={person.ipv4}#{person.email}",
        "$referrer": f"https://mail.example/inbox/{urllib.parse.quote(email)}?id={person.device_id}",
        "$el_text": person.name, "current_page_title": f"Account of {person.name}", "mp_keyword": person.name,
        f"clicked {email}": True, secrets["key aws"]: "as a name",
    }


def ids(person: Identity) -> dict:
    return {"$device_id": person.device_id, "$user_id": person.user_id, "distinct_id": person.user_id}


def event(api: Api, person: Identity, path: str, **more) -> dict:
    """A whole event: everything that must go, and one ordinary word that must stay."""
    return api.event("Page viewed", {
        **ids(person), "time": SENT_MS, "$insert_id": f"{path}-{person.number}", "path": path, "ordinary": person.ordinary,
        **identity_properties(person), **disguised(person), **more})


# ---------------------------------------------------------------- paths that are accepted


def link(api: Api, person: Identity) -> requests.Response:
    """The anonymous page view, then the sign-in: device and user become one person."""
    first = api.event("Page viewed", {"$device_id": person.device_id, "distinct_id": f"$device:{person.device_id}",
                                      "$insert_id": f"anon-{person.number}", "time": SENT_MS - 5000, "ordinary": person.ordinary})
    then = api.event("$identify", {**ids(person), "$anon_distinct_id": f"$device:{person.device_id}",
                                   "$insert_id": f"ident-{person.number}", "time": SENT_MS})
    return api.track(first, then, headers=headers(person))


def track_form(api: Api, person: Identity) -> requests.Response:
    body = f"data={form_data([event(api, person, 'form')])}"
    return api.request("POST", "/track/?verbose=1&ip=1", data=body, headers={**FORM, **headers(person)})


def track_json(api: Api, person: Identity) -> requests.Response:
    return api.track(event(api, person, "json"), path="/track?verbose=1&ip=1", headers=headers(person))


def track_gzip(api: Api, person: Identity) -> requests.Response:
    body = gzip.compress(f"data={form_data([event(api, person, 'gzip')])}".encode())
    return api.request("POST", "/track?verbose=1", data=body, headers={**FORM, "Content-Encoding": "gzip", **headers(person)})


def track_pixel(api: Api, person: Identity) -> requests.Response:
    data = base64.urlsafe_b64encode(json.dumps(event(api, person, "pixel")).encode()).decode()
    return api.request("GET", f"/track/?data={data}&ip=1&verbose=1", headers=headers(person))


def track_beacon(api: Api, person: Identity) -> requests.Response:
    body = f"data={form_data([event(api, person, 'beacon')])}"
    return api.request("POST", "/track/?verbose=1&ip=1", data=body,
                       headers={"Content-Type": "text/plain;charset=UTF-8", **headers(person)})


def track_insert_id(api: Api, person: Identity) -> requests.Response:
    """An identity where an opaque id belongs, and one in the event's name."""
    return api.track(event(api, person, "insert", **{"$insert_id": person.user_id[:36]}),
                     api.event(f"Wrote to {person.email}", {**ids(person), "time": SENT_MS}),
                     api.event(person.secrets["key stripe"], {**ids(person), "time": SENT_MS}), headers=headers(person))


def import_json(api: Api, person: Identity) -> requests.Response:
    return api.import_(event(api, person, "import"), headers=headers(person))


def import_ndjson(api: Api, person: Identity) -> requests.Response:
    lines = "\n".join(json.dumps(event(api, person, f"ndjson{at}")) for at in range(2))
    return api.request("POST", f"/import?strict=1&project_id={api.installation.project}", data=gzip.compress(lines.encode()),
                       auth=api.auth, headers={"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip", **headers(person)})


def engage(api: Api, person: Identity) -> requests.Response:
    """Every operation. What it leaves: the fields of `revealed`."""
    who = {"$distinct_id": person.user_id, "$ip": person.ipv4}
    return api.engage(
        {**who, "$set": {"$name": person.name, "$email": person.email, "$phone": person.phone, "home_address": person.address,
                         "favourite": person.ordinary, "$avatar": f"https://img.example/{person.user_id}.png",
                         "note": f"mail {person.email}", "password": person.secrets["password"], "value": person.secrets["card"]}},
        {**who, "$set_once": {"$first_name": person.first_name, "$last_name": person.last_name, "birthDate": "1987-06-05"}},
        {**who, "$append": {"work_email": person.email, "note_list": person.secrets["jwt"]}},
        {**who, "$union": {"phone_numbers": [person.phone, person.phone_national], "keys": [person.secrets["key aws"]]}},
        {**who, "$add": {"visits": 1, "phone": int(person.phone.removeprefix("+"))}},
        {**who, "$remove": {"emails": person.email}},
        {**who, "$unset": ["nickname"]},
        {**who, "$merge": {"contact": {"email": person.email, "phone": person.phone}}},
        headers=headers(person))


def engage_form(api: Api, person: Identity) -> requests.Response:
    update = {"$token": api.installation.token, "$distinct_id": person.user_id,
              "$set": {"$name": person.name, "$email": person.email, "favourite": person.ordinary}}
    return api.request("GET", f"/engage/?verbose=1&data={form_data(update)}", headers=headers(person))


def groups(api: Api, person: Identity) -> requests.Response:
    who = {"$group_key": "company_id", "$group_id": person.organisation}
    return api.groups(
        {**who, "$set": {"$name": person.organisation_name, "$email": person.email, "address": person.address, "size": "small"}},
        {**who, "$set_once": {"contact_email": person.email}},
        {**who, "$union": {"contact_phones": [person.phone]}},
        headers=headers(person))


ACCEPTED: tuple[Callable[[Api, Identity], requests.Response], ...] = (
    link, track_form, track_json, track_gzip, track_pixel, track_beacon, track_insert_id, import_json, import_ndjson, engage,
    engage_form, groups)


# ---------------------------------------------------------------- paths that fail


def failing(api: Api, person: Identity) -> list[int]:
    """Errors talk. Each of these must be refused or ignored without repeating what it was about."""
    whole = json.dumps([event(api, person, "failing")])
    coded = form_data(json.loads(whole))
    project = api.installation.project
    head = headers(person)
    mail = urllib.parse.quote(person.email)
    quoted = json.dumps(person.email)
    attempts: list[tuple[str, str, dict]] = [
        ("POST", "/track?verbose=1", {"data": whole[: len(whole) // 2], "headers": {**JSON, **head}}),
        ("POST", "/track?verbose=1", {"data": f"data={coded[:-7]}!!", "headers": {**FORM, **head}}),
        ("POST", "/track?verbose=1", {"data": gzip.compress(whole.encode())[:-20], "headers": {**JSON, **head, "Content-Encoding": "gzip"}}),
        ("POST", "/track?verbose=1", {"data": whole.replace(api.installation.token, person.user_id), "headers": {**JSON, **head}}),
        ("POST", "/track?verbose=1", {"data": json.dumps([{"event": {"who": person.email}, "properties": [person.name]}]), "headers": {**JSON, **head}}),
        ("POST", "/track?verbose=1", {"data": json.dumps(person.email), "headers": {**JSON, **head}}),
        ("POST", f"/track/{mail}", {"data": whole, "headers": {**JSON, **head}}),
        ("PUT", f"/track?who={mail}", {"data": whole, "headers": {**JSON, **head}}),
        ("GET", f"/track?data={coded[:200]}&callback={mail}&redirect=https://{mail}/", {"headers": head}),
        ("POST", "/engage?verbose=1", {"data": json.dumps([{"$token": api.installation.token, "$set": {"$email": person.email}}]), "headers": {**JSON, **head}}),
        ("POST", "/engage?verbose=1", {"data": json.dumps([{"$token": person.email, "$distinct_id": person.user_id, "$set": {"$name": person.name}}]), "headers": {**JSON, **head}}),
        ("POST", f"/import?strict=1&project_id={project}", {"data": json.dumps([{"event": person.email, "properties": {"time": person.name, "$insert_id": person.email, "distinct_id": person.user_id}}]), "headers": {**JSON, **head}, "auth": api.auth}),
        ("POST", f"/import?strict=1&project_id={project}", {"data": whole, "headers": {**JSON, **head}, "auth": (person.email, person.secrets["password"].encode("ascii", "ignore").decode())}),
        ("POST", "/record/?distinct_id=" + mail, {"data": whole, "headers": head}),
        ("GET", f"/flags/?context={urllib.parse.quote(json.dumps({'distinct_id': person.email}))}&token={api.installation.token}", {"headers": head}),
        ("GET", f"/settings/?who={mail}", {"headers": head}),
        ("GET", f"/people/{mail}", {"headers": head}),
        ("GET", f"/api/v1/people/{mail}", {"headers": head}),
        ("GET", f"/nothing/{urllib.parse.quote(person.name)}.html?ip={person.ipv4}", {"headers": head}),
        ("POST", "/api/v1/session", {"json": {"code": person.email}, "headers": {**head, "Origin": api.installation.url}}),
        ("GET", f"/api/v1/projects/{project}/values?property={mail}", {"headers": head, "auth": api.auth}),
        ("POST", f"/api/v1/projects/{project}/people", {"json": {"filter": f'properties["label"] == {quoted}'}, "headers": head, "auth": api.auth}),
        ("POST", f"/api/v1/projects/{project}/people", {"json": {"filter": f'properties["{person.phone}" == '}, "headers": head, "auth": api.auth}),
        ("GET", f"/api/2.0/engage?project_id={project}&where={urllib.parse.quote(f'properties[{quoted}] == 1')}", {"headers": head, "auth": api.auth}),
        ("GET", f"/api/2.0/engage?project_id={project}&distinct_id={mail}", {"headers": head, "auth": api.auth}),
        ("GET", f"/api/2.0/segmentation?project_id={project}&event={mail}&from_date={person.name}", {"headers": head, "auth": api.auth}),
        ("POST", "/api/2.0/jql", {"data": {"script": person.email}, "headers": head, "auth": api.auth}),
    ]
    statuses = [api.request(method, path, **options).status_code for method, path, options in attempts]
    statuses += [_raw(api, line) for line in (
        f"GET /{person.email} HTTP/9.9\r\n\r\n",
        f"POST /track HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n{whole[:500]}",
        f"{person.email} {person.phone}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {person.email}\r\nBroken {person.phone}\r\n\r\n",
    )]
    return statuses


def _raw(api: Api, text: str) -> int:
    """Bytes that are no HTTP; the connection is dropped by us."""
    host, _, port = api.installation.listen.partition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        connection.sendall(text.encode())
        connection.settimeout(0.2)
        try:
            answer = connection.recv(200)
        except (TimeoutError, ConnectionError):
            return 0
    return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


def half(people: list[Identity], rng: random.Random) -> list[Identity]:
    return rng.sample(people, len(people) // 2)
