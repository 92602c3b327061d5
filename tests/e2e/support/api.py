"""The server as its clients see it: Mixpanel's wire on the way in, reports on the way out."""

from __future__ import annotations

import base64
import datetime
import http.cookiejar
import json
import time
import urllib.parse

import requests

from .installation import Installation

PURPOSE = {"code": "support", "text": "A customer asked us to look at their account."}
DAY_MS = 86_400_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def day(offset: int = 0) -> str:
    """A UTC date, `offset` days from today."""
    return (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=offset)).isoformat()


class Api:
    """One client with one connection pool. Not shared between threads."""

    def __init__(self, installation: Installation, *, auth: tuple[str, str] | None = None, keep_alive: bool = True) -> None:
        self.installation = installation
        self.auth = auth or installation.service_account
        self.session = requests.Session()
        self.session.trust_env = False
        # Cookies are sent where a test says so, and nowhere else.
        self.session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        if not keep_alive:
            self.session.headers["Connection"] = "close"

    def request(self, method: str, path: str, **options) -> requests.Response:
        options.setdefault("timeout", 30)
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.installation.url + path, **options)

    def get(self, path: str, **options) -> requests.Response:
        return self.request("GET", path, auth=self.auth, **options)

    def post(self, path: str, body: object, **options) -> requests.Response:
        return self.request("POST", path, json=body, auth=self.auth, **options)

    def project(self, path: str) -> str:
        return f"/api/v1/projects/{self.installation.project}{path}"

    # ------------------------------------------------------------------ in

    def event(self, name: str, properties: dict) -> dict:
        return {"event": name, "properties": {"token": self.installation.token, **properties}}

    def track(self, *events: dict, path: str = "/track?verbose=1", **options) -> requests.Response:
        return self.request("POST", path, json=list(events), **options)

    def engage(self, *updates: dict, **options) -> requests.Response:
        whole = [{"$token": self.installation.token, **update} for update in updates]
        return self.request("POST", "/engage?verbose=1", json=whole, **options)

    def groups(self, *updates: dict, **options) -> requests.Response:
        whole = [{"$token": self.installation.token, **update} for update in updates]
        return self.request("POST", "/groups?verbose=1", json=whole, **options)

    def import_(self, *events: dict, **options) -> requests.Response:
        return self.request("POST", f"/import?strict=1&project_id={self.installation.project}", json=list(events),
                            auth=self.auth, **options)

    def write_segments(self) -> None:
        """Fresh rows become segments when there are half a million of them, or when they are old. Sends that many of an
        event that nothing asks for, and waits for the files."""
        body = json.dumps([self.event("Filler", {"distinct_id": f"filler-{at % 50}"}) for at in range(2000)])
        for _ in range(255):
            sent = self.request("POST", "/track", data=body, headers={"Content-Type": "application/json"})
            assert sent.text == "1", sent.text
        deadline = time.monotonic() + 60
        written: list[tuple[str, int]] = []
        while time.monotonic() < deadline:
            time.sleep(0.5)
            before, written = written, sorted((file.name, file.stat().st_size) for file in self.installation.data.rglob("*.parquet"))
            if written and written == before:
                return
        raise AssertionError("no segments after half a million events")

    # ------------------------------------------------------------------ out

    def report(self, question: dict, *, days: tuple[int, int] = (-30, 1), filter: str | None = None) -> dict:
        body = {"range": {"from": day(days[0]), "to": day(days[1])}, "question": question}
        if filter is not None:
            body["filter"] = filter
        response = self.post(self.project("/query"), body)
        assert response.status_code == 200, f"{response.status_code} {response.text}"
        return response.json()["answer"]

    def insight(self, measure: object = "total", event: str | None = None, *, filter: str | None = None,
                breakdown: str | None = None, days: tuple[int, int] = (-30, 1)) -> dict:
        """Range totals by segment; the key of the only segment without a breakdown is `()`."""
        metric: dict = {"measure": measure}
        if event is not None:
            metric["event"] = event
        if filter is not None:
            metric["filter"] = filter
        question = {"kind": "insights", "metrics": [metric], "unit": "quarter"}
        if breakdown is not None:
            question["breakdown"] = [breakdown]
            question["limit"] = 10_000
        answer = self.report(question, days=days)
        return {tuple(series["segment"]): series["total"] for series in answer["series"]}

    def total(self, event: str | None = None, **options) -> float:
        return self.insight("total", event, **options).get((), 0)

    def uniques(self, event: str | None = None, **options) -> float:
        return self.insight("unique", event, **options).get((), 0)

    def funnel(self, *steps: str, window_ms: int = DAY_MS) -> list[int]:
        answer = self.report({"kind": "funnel", "steps": [{"event": step} for step in steps], "window_ms": window_ms})
        return [step["count"] for step in answer["overall"][0]["steps"]]

    def people(self, filter: str | None = None) -> list[dict]:
        body: dict = {"limit": 1000}
        if filter is not None:
            body["filter"] = filter
        response = self.post(self.project("/people"), body)
        assert response.status_code == 200, response.text
        return response.json()["people"]

    def lookup(self, identifier: str) -> int | None:
        response = self.post(self.project("/lookup"), {"identifier": identifier, "purpose": PURPOSE})
        assert response.status_code == 200, response.text
        return response.json()["person"]

    def reveal(self, person: int) -> dict:
        response = self.post(self.project(f"/people/{person}/reveal"), {"purpose": PURPOSE})
        assert response.status_code == 200, response.text
        return response.json()

    def export(self, days: tuple[int, int] = (-30, 1), **parameters) -> list[dict]:
        query = {"project_id": self.installation.project, "from_date": day(days[0]), "to_date": day(days[1]), **parameters}
        response = self.get("/api/2.0/export", params=query, timeout=600)
        assert response.status_code == 200, response.text
        return [json.loads(line) for line in response.text.splitlines()]

    def ready(self) -> requests.Response:
        return self.request("GET", "/readyz")


def form_data(value: object) -> str:
    """Percent-encoded base64 JSON, as a browser puts it into `data=`."""
    return urllib.parse.quote(base64.b64encode(json.dumps(value).encode()).decode(), safe="")
