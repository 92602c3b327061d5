"""Mixpanel's own Python packages, unmodified, pointed here (contract 9)."""

from __future__ import annotations

import json
import threading
import time

import mixpanel
import pytest
from mixpanel_utils import MixpanelUtils

from support.api import Api, day, now_ms


def endpoints(installation) -> dict[str, str]:
    return {"events_url": f"{installation.url}/track", "people_url": f"{installation.url}/engage",
            "groups_url": f"{installation.url}/groups", "import_url": f"{installation.url}/import"}


def test_python_sdk(installation, api):
    client = mixpanel.Mixpanel(installation.token, consumer=mixpanel.Consumer(**endpoints(installation)))
    for person in range(3):
        for _ in range(person + 1):
            client.track(f"py-{person}", "Order placed", {"total": 10 * (person + 1), "currency": "EUR"})
        client.people_set(f"py-{person}", {"$name": f"Person Number{person}", "$email": f"p{person}@example.com", "plan": "pro" if person else "free"})
    client.people_set_once("py-0", {"plan": "never", "first_plan": "free"})
    client.people_increment("py-1", {"orders": 2})
    client.people_append("py-1", {"colours": "red"})
    client.people_union("py-1", {"colours": ["red", "blue"]})
    client.people_remove("py-1", {"colours": "red"})
    client.people_unset("py-2", ["plan"])
    client.group_set("company_id", "acme-sa", {"size": "large", "$name": "Acme SA"})
    client.track("py-0", "Seat added", {"company_id": "acme-sa"})

    assert api.total("Order placed") == 6
    assert api.uniques("Order placed") == 3
    assert api.insight({"sum": {"property": 'properties["total"]'}}, "Order placed")[()] == 10 + 2 * 20 + 3 * 30
    assert api.insight("total", "Order placed", breakdown='properties["currency"]') == {("EUR",): 6}
    by_plan = api.insight("unique", "Order placed", breakdown='user["plan"]')
    assert by_plan == {("free",): 1, ("pro",): 1, (None,): 1}

    people = {row["person"]: row["properties"] for row in api.people()}
    numbers = [api.lookup(f"py-{person}") for person in range(3)]
    assert people[numbers[0]] == {"plan": "free", "first_plan": "free"}
    assert people[numbers[1]] == {"plan": "pro", "orders": 2, "colours": ["blue"]}
    assert people[numbers[2]].get("plan") is None
    assert api.lookup("p1@example.com") == numbers[1]
    assert api.reveal(numbers[1])["fields"] == {"$name": "Person Number1", "$email": "p1@example.com"}

    client.people_delete("py-2")
    assert numbers[2] not in {row["person"] for row in api.people() if row["properties"]}
    assert api.total("Order placed") == 6, "deleting a profile keeps its events"


def test_python_sdk_import_with_each_credential(installation, api):
    client = mixpanel.Mixpanel(installation.token, consumer=mixpanel.Consumer(**endpoints(installation)))
    yesterday = time.time() - 86_400
    client.import_data(None, "py-old", "Imported", yesterday, {"$insert_id": "one", "n": 1}, api_secret=installation.api_secret)
    client.import_data(None, "py-old", "Imported", yesterday, {"$insert_id": "one", "n": 1}, api_secret=installation.api_secret)
    credentials = mixpanel.ServiceAccountCredentials(*installation.service_account, str(installation.project))
    account = mixpanel.Mixpanel(installation.token, consumer=mixpanel.Consumer(**endpoints(installation), credentials=credentials))
    account.import_data(None, "py-old", "Imported", yesterday, {"$insert_id": "two", "n": 1})
    assert api.total("Imported", days=(-2, 0)) == 2
    with pytest.raises(mixpanel.MixpanelException):
        client.import_data(None, "py-old", "Imported", yesterday, {"$insert_id": "three"}, api_secret="fpa_wrong")
    assert api.uniques("Imported", days=(-2, 0)) == 1


def test_python_buffered_consumer(installation, api):
    consumer = mixpanel.BufferedConsumer(max_size=50, **endpoints(installation))
    client = mixpanel.Mixpanel(installation.token, consumer=consumer)
    for at in range(137):
        client.track(f"buffered-{at % 10}", "Buffered", {"at": at})
        client.people_set(f"buffered-{at % 10}", {"last": at})
    consumer.flush()
    assert api.total("Buffered") == 137
    assert api.uniques("Buffered") == 10
    assert {row["properties"]["last"] for row in api.people('defined(properties["last"])')} == set(range(127, 137))


def utils_client(installation, **options) -> MixpanelUtils:
    """The documented way to point it elsewhere: attributes, after construction (contract 9.1)."""
    username, secret = installation.service_account
    client = MixpanelUtils(secret, service_account_username=username, project_id=installation.project,
                           token=installation.token, strict_import=True, **options)
    client.raw_api = client.formatted_api = f"{installation.url}/api"
    client.import_api = installation.url
    return client


def test_mixpanel_utils_exports_and_imports(installation, api, tmp_path):
    events = [{"event": "Utils", "properties": {"time": now_ms() // 1000 - at, "distinct_id": f"u-{at % 7}", "$insert_id": f"utils-{at}", "at": at}}
              for at in range(300)]
    client = utils_client(installation)
    client.import_events(events, 0)
    assert api.total("Utils") == 300 and api.uniques("Utils") == 7

    rows = client.query_export({"from_date": day(-1), "to_date": day()})
    assert sorted(row["properties"]["at"] for row in rows) == list(range(300))
    assert len({row["properties"]["distinct_id"] for row in rows}) == 7
    assert all(row["properties"]["distinct_id"].startswith("fpx") for row in rows), "no identity leaves in an export"
    assert client.query_export({"from_date": "2011-01-01", "to_date": "2011-01-02"}) == []
    some = client.query_export({"from_date": day(-1), "to_date": day(), "event": '["Utils"]', "where": 'properties["at"] < 10'})
    assert len(some) == 10

    # Its own export file goes back in and counts once.
    file = tmp_path / "events.json"
    client.export_events(str(file), {"from_date": day(-1), "to_date": day()})
    assert len(json.loads(file.read_text())) == 300


def test_mixpanel_utils_pages_through_profiles(installation, api, tmp_path):
    """2,500 profiles in pages fetched by several threads: disjoint, complete, one total (contract V21)."""
    for begin in range(0, 2500, 500):
        api.engage(*({"$distinct_id": f"profile-{at}", "$set": {"at": at, "even": at % 2 == 0}} for at in range(begin, begin + 500)))
    client = utils_client(installation)
    profiles = client.query_engage()
    assert sorted(profile["$properties"]["at"] for profile in profiles) == list(range(2500))
    assert len({profile["$distinct_id"] for profile in profiles}) == 2500
    evens = client.query_engage({"where": 'properties["even"] == true'})
    assert len(evens) == 1250
    client.export_people(str(tmp_path / "people.csv"), format="csv")
    assert len((tmp_path / "people.csv").read_text().splitlines()) == 2501


def test_mixpanel_utils_imports_profiles(installation, api):
    profiles = [{"$distinct_id": f"imported-{at}", "$properties": {"$name": f"Im Ported{at}", "level": at}} for at in range(120)]
    utils_client(installation).import_people(profiles)
    people = {row["properties"]["level"]: row["person"] for row in api.people()}
    assert set(people) == set(range(120))
    assert api.reveal(people[77])["fields"]["$name"] == "Im Ported77"


def test_mixpanel_utils_asks_for_behaviours_and_cohorts(installation, api):
    events = [{"event": "Login", "properties": {"time": now_ms() // 1000 - 3600 * at, "distinct_id": f"b-{at % 4}", "$insert_id": f"b{at}"}} for at in range(10)]
    client = utils_client(installation)
    client.import_events(events, 0)
    api.engage(*({"$distinct_id": f"b-{at}", "$set": {"at": at}} for at in range(6)))
    behaviors = [{"window": "90d", "name": "behavior_1743", "event_selectors": [{"event": "Login"}]}]
    asked = {"behaviors": json.dumps(behaviors), "where": '(behaviors["behavior_1743"] > 2)'}
    assert sorted(profile["$properties"]["at"] for profile in client.query_engage(asked, timezone_offset=0)) == [0, 1]
    assert client.request(client.formatted_api, ["cohorts", "list"], {}, "POST") == "[]"


def test_many_clients_at_once(installation):
    """Eight clients of the SDK in one go: nothing lost, nothing twice."""
    def client(number: int) -> None:
        mine = mixpanel.Mixpanel(installation.token, consumer=mixpanel.Consumer(**endpoints(installation)))
        for at in range(25):
            mine.track(f"c-{number}", "Concurrent", {"at": at})
    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Api(installation).total("Concurrent") == 200
    assert Api(installation).uniques("Concurrent") == 8
