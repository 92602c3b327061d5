"""Retention in the real installation: out of answers at once, off the disk soon, by app, API and command line."""

from __future__ import annotations

import json
import time

import pytest

from support.api import DAY_MS, Api, now_ms
from support.installation import Installation

ROUTE = "/api/v1/projects/1/retention"


@pytest.fixture
def server(tmp_path):
    server = Installation(tmp_path / "server").start()
    yield server
    if server.process is not None:
        server.kill()


def send(api: Api) -> None:
    """A visit and an order a day for 60 days, of a crowd."""
    rows = [{"event": name, "properties": {"time": now_ms() - day * DAY_MS - 60_000, "distinct_id": f"user-{day % 30}",
                                           "$insert_id": f"{name}-{day}"}} for day in range(60) for name in ("Visit", "Order")]
    assert api.import_(*rows).json()["num_records_imported"] == 120


def counts(api: Api) -> tuple[float, float]:
    return api.total("Visit", days=(-70, 1)), api.total("Order", days=(-70, 1))


def test_by_command_line_api_and_export(server):
    api = Api(server)
    send(api)
    assert counts(api) == (60, 60)
    assert json.loads(server.run("retention", "--data", str(server.data), "--json")) == {"days": None, "events": {}}
    said = server.run("retention", "--data", str(server.data), "--days", "30", "--event", "Order=7")
    assert "30 days" in said and "Order: 7 days" in said
    # A row of one minute before this time of day, 30 days ago, lies within the day that is kept, unless it was still yesterday.
    visits, orders = counts(api)
    assert visits in (30, 31) and orders in (7, 8)
    assert len(api.export(days=(-70, 1))) == visits + orders
    assert api.get(ROUTE).json() == {"days": 30, "events": {"Order": 7}, "overdue": False}
    owner = api.request("POST", "/api/v1/session", json={"code": server.login_code}, headers={"Origin": server.url})
    session = {"cookies": {"fp_session": owner.cookies["fp_session"]}, "headers": {"Origin": server.url}}
    changed = api.request("PUT", ROUTE, json={"days": 3, "events": {}}, **session)
    assert changed.status_code == 200 and changed.json()["days"] == 3
    assert counts(api)[0] in (3, 4)
    for wrong in ({"days": 0}, {"days": 40_000}, {"days": "all"}, {"events": {"Order": 0}}, {"dayz": 3}):
        refused = api.request("PUT", ROUTE, json=wrong, **session)
        assert refused.status_code in (400, 422), f"{wrong}: {refused.status_code} {refused.text}"
    # Without a server as well.
    server.kill()
    server.run("retention", "--data", str(server.data), "--forever")
    server.start()
    assert api.get(ROUTE).json()["days"] is None
    # They lay in the log only, and nothing had removed them yet.
    assert counts(api) == (60, 60)


def test_segments_leave_the_disk(server):
    api = Api(server)
    send(api)
    api.write_segments()
    assert counts(api) == (60, 60)
    before = {file.name for file in server.data.rglob("*.parquet")}
    server.run("retention", "--data", str(server.data), "--days", "20")
    assert counts(api)[0] in (20, 21)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and before <= {file.name for file in server.data.rglob("*.parquet")}:
        time.sleep(0.2)
    assert not before <= {file.name for file in server.data.rglob("*.parquet")}, "nothing was removed within 30 s"
    time.sleep(1)
    server.run("retention", "--data", str(server.data), "--forever")
    # What had been past it for less than a week may come back.
    assert 20 <= counts(api)[0] <= 28
    metrics = api.request("GET", "/metrics").text
    assert 'frostpane_store_retention_overdue{project="1"} 0' in metrics
