"""Mixpanel's query API as its clients call it, over one installation that a file of tests shares."""

from __future__ import annotations

import base64
import datetime
import gzip
import http.client
import json
import urllib.parse

from .api import Api, day
from .installation import Installation

DAY_S = 86_400


class QueryApi(Api):
    """An analyst's script: a service account and `project_id`."""

    def ask(self, path: str, method: str = "GET", prefix: str = "/api/query", **parameters):
        """The answer's JSON, of a request that must succeed."""
        response = self.query(path, method, prefix, **parameters)
        assert response.status_code == 200, f"{path} {parameters}: {response.status_code} {response.text}"
        return response.json()

    def query(self, path: str, method: str = "GET", prefix: str = "/api/query", *, auth=None, headers=None, **parameters):
        parameters = {"project_id": self.installation.project, **parameters}
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items() if value is not None}
        options = {"params": texts} if method == "GET" else {"data": texts}
        return self.request(method, prefix + path, auth=auth or self.auth, headers=headers or {}, **options)

    def refusal(self, path: str, status: int = 400, **parameters) -> str:
        """The error text of a request that must be refused, in the shape that every client reads (Q10)."""
        response = self.query(path, **parameters)
        assert response.status_code == status, f"{response.status_code} {response.text}"
        body = response.json()
        assert set(body) == {"error", "request", "status"} and body["status"] == "error", body
        assert isinstance(body["error"], str) and body["error"], body
        return body["error"]

    def send(self, *events: dict) -> None:
        """Events with times of their own, through `/import`."""
        for begin in range(0, len(events), 2000):
            response = self.import_(*events[begin:begin + 2000])
            assert response.status_code == 200, response.text


def at(days: int, hour: int = 12, minute: int = 0, second: int = 0) -> int:
    """Seconds since 1970 of a UTC time, `days` from today."""
    date = datetime.datetime.combine(datetime.date.fromisoformat(day(days)), datetime.time(hour, minute, second), datetime.UTC)
    return int(date.timestamp())


def event(name: str, person: str | None, time: int, **properties) -> dict:
    event.count = getattr(event, "count", 0) + 1
    identity = {"distinct_id": person} if person else {}
    return {"event": name, "properties": {"time": time, "$insert_id": f"i{event.count}", **identity, **properties}}


def bare_basic(secret: str) -> dict[str, str]:
    """How the tap signs in: URL-safe base64 of the secret alone, no colon (G8)."""
    return {"Authorization": "Basic " + base64.urlsafe_b64encode(secret.encode()).decode()}


def raw_get(installation: Installation, path: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    """A request whose answer nobody unpacks on the way."""
    connection = http.client.HTTPConnection(installation.listen, timeout=60)
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


def unpacked(response: http.client.HTTPResponse) -> bytes:
    body = response.read()
    return gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body


def encoded(**parameters: object) -> str:
    return urllib.parse.urlencode({name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()})
