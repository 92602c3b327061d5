"""The theft test: whoever takes the data directory, the logs and the backups learns nobody's name.

Planted through every path, across a clean restart and two SIGKILLs; then everything the server ever wrote is searched, in
every layer and every form. Two controls keep the test honest: ordinary words planted in the same events must be found by
the same search, and the vault must give every person back, so that nothing was merely dropped.
"""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import random
import shutil
import threading

import pytest

from scan.forms import Planted
from scan.scan import Result, Scanner
from support import planting
from support.api import Api, day
from support.identities import identities
from support.installation import Installation

COUNT = int(os.environ.get("FROSTPANE_E2E_IDENTITIES", "400"))
PART = 500
PASSPHRASE = "fourteen-quiet-otters-crossed-a-frozen-lake"
OWNER = "zephyrine.owner@staff.example.com"


class World:
    """The installation that was stolen from, and what is known about it."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.people = identities(COUNT)
        # A passphrase, so that the vault's own files are no open book either (tier T1).
        self.installation = Installation(root / "server", passphrase=PASSPHRASE, owner=OWNER, log="debug")
        self.statuses: dict[str, list[int]] = {}
        self.answers: list[tuple[str, bytes]] = []
        self.session_secret = ""
        self._lock = threading.Lock()

    def start(self) -> None:
        self.installation.start("--trusted-proxy", "127.0.0.1")

    def plant(self, people, ways) -> None:
        """Each person by each way, eight clients at once. A way that cannot reach the server counts as status 0."""
        local = threading.local()

        def one(person):
            api = getattr(local, "api", None)
            if api is None:
                api = local.api = Api(self.installation)
            for way in ways:
                try:
                    status = way(api, person)
                    status = [status.status_code] if way is not planting.failing else status
                except OSError:
                    status = [0]
                with self._lock:
                    self.statuses.setdefault(way.__name__, []).extend(status)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(one, people))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("theft"))
    server, people, rng = world.installation, world.people, random.Random(1)
    ways = planting.ACCEPTED
    world.start()
    # A third of everything, then a clean stop: what a shutdown writes is searched too.
    world.plant(people[: COUNT // 3], ways)
    server.stop()
    world.start()
    world.plant(people, (planting.link,))
    # Killed in the middle of batches, sent again by clients that got no answer.
    killer = threading.Timer(1.0, server.kill)
    killer.start()
    world.plant(people[COUNT // 3:], ways)
    killer.join()
    world.start()
    world.statuses.clear()
    world.plant(people[COUNT // 3:], ways)
    world.plant(rng.sample(people, max(COUNT // 5, 1)), (planting.failing,))
    yield world
    if server.process is not None:
        server.kill()


def test_1_ingestion_took_what_is_valid(world):
    for way in planting.ACCEPTED:
        assert set(world.statuses[way.__name__]) == {200}, way.__name__
    assert not any(status >= 500 for status in world.statuses["failing"]), world.statuses["failing"]
    api = Api(world.installation)
    # form, json, gzip, pixel, beacon, insert, import, two of ndjson; the page view before the sign-in has no path.
    by_path = api.insight("total", breakdown='properties["path"]', days=(-1, 1))
    paths = ("form", "json", "gzip", "pixel", "beacon", "insert", "import", "ndjson0", "ndjson1")
    assert {path: by_path.get((path,)) for path in paths} == {path: COUNT for path in paths}
    assert api.uniques("$identify", days=(-1, 1)) == COUNT


def test_2_the_vault_gives_every_person_back(world):
    """To a signed-in owner, with a purpose that itself names the person."""
    server = world.installation
    owner = Api(server)
    answer = owner.request("POST", "/api/v1/session", json={"code": server.login_code}, headers={"Origin": server.url})
    assert answer.status_code == 200, answer.text
    world.session_secret = answer.cookies["fp_session"]

    def check(person):
        api = Api(server)
        signed_in = {"cookies": {"fp_session": world.session_secret}, "headers": {"Origin": server.url}}
        purpose = {"code": "support", "text": f"Call {person.name} back at {person.phone}, they wrote in"}
        found = api.request("POST", api.project("/lookup"), json={"identifier": person.user_id, "purpose": purpose}, **signed_in)
        assert found.status_code == 200, found.text
        number = found.json()["person"]
        assert number, f"person {person.number} is not known to the vault"
        shown = api.request("POST", api.project(f"/people/{number}/reveal"), json={"purpose": purpose}, **signed_in)
        assert shown.status_code == 200, shown.text
        shown = shown.json()
        fields = {"$name": person.name, "$email": person.email, "$phone": person.phone, "$first_name": person.first_name,
                  "$last_name": person.last_name, "home_address": person.address}
        assert {name: shown["fields"].get(name) for name in fields} == fields
        assert {(i["kind"], i["value"]) for i in shown["identifiers"]} == {("user", person.user_id), ("device", person.device_id)}

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(check, world.people))


def test_3_answers_name_nobody(world):
    """What machines and analysts read all day: exports, profiles, reports, live rows, metrics, the ledger."""
    server = world.installation
    api, project = Api(server), world.installation.project
    signed_in = {"cookies": {"fp_session": world.session_secret}}
    pulls = [
        ("export", api.get("/api/2.0/export", params={"project_id": project, "from_date": day(-2), "to_date": day()})),
        ("profiles", api.get("/api/2.0/engage", params={"project_id": project})),
        ("event names", api.get("/api/2.0/events/names", params={"project_id": project})),
        ("schema", api.get(api.project("/schema"))),
        ("live", api.get(api.project("/live?limit=200"))),
        ("people", api.post(api.project("/people"), {"limit": 1000})),
        ("ledger", api.request("GET", api.project("/ledger?limit=1000"), **signed_in)),
        ("setup", api.request("GET", api.project("/setup"), **signed_in)),
        ("metrics", api.request("GET", "/metrics")),
        ("ready", api.request("GET", "/readyz")),
        ("status", api.request("GET", "/api/v1/status", **signed_in)),
    ]
    for property_name in ("note", "label", "detail", "value", "ordinary", "$current_url", "origin", "feedback"):
        pulls.append((f"values of {property_name}", api.get(api.project("/values"), params={"property": property_name})))
    for where, answer in pulls:
        assert answer.status_code == 200, f"{where}: {answer.status_code} {answer.text[:300]}"
        assert answer.content, where
        world.answers.append((where, answer.content))


@pytest.fixture(scope="module")
def stolen(world):
    """What a thief gets: data, logs, temporary files, backups, the answers of the day; and the vault's files, for here
    they are ciphertext. Searched once for everything: what must not be there, and the words that must."""
    server, root = world.installation, world.root
    Api(server).write_segments()
    both = ("--data", str(server.data), "--vault", str(server.vault))
    server.run("backup", *both, "--to", str(root / "image" / "backup-online"))
    # The last of it dies in mid-batch, so that the copy has a torn end.
    killer = threading.Timer(0.3, server.kill)
    killer.start()
    world.plant(world.people[:50], planting.ACCEPTED)
    killer.join()
    image = root / "image"
    # The keystore goes elsewhere, as an operator keeps it; a thief who takes that set as well has wrapped keys only.
    server.run("backup", *both, "--to", str(image / "backup-offline"), "--keystore", str(image / "keystore-offline"))
    server.run("restore", "--from", str(image / "backup-offline"), "--keystore", str(image / "keystore-offline"),
               "--data", str(image / "restored" / "data"), "--vault", str(image / "restored" / "vault"))
    without_sockets = shutil.ignore_patterns("*.sock")
    for name, directory in (("data", server.data), ("vault", server.vault), ("logs", server.log.parent), ("tmp", server.temporary)):
        shutil.copytree(directory, image / name, ignore=without_sockets)
    (image / "answers").mkdir()
    for name, answer in world.answers:
        (image / "answers" / name.replace(" ", "_").replace("$", "")).write_bytes(answer)
    credentials = [
        Planted("passphrase", -1, PASSPHRASE), Planted("API secret", -1, server.api_secret),
        Planted("service account secret", -1, server.service_account[1]), Planted("login code", -1, server.login_code),
        Planted("session secret", -1, world.session_secret)]
    found = Result()
    # The forms of one person take 3 MB, so a crowd is searched for in parts.
    for begin in range(0, COUNT, PART):
        part = world.people[begin:begin + PART]
        planted = [value for person in part for value in person.planted()]
        words = [Planted("word", person.number, person.ordinary) for person in part]
        scanner = Scanner([*planted, Planted("owner's email", -1, OWNER)], without_digests=[*credentials, *words])
        result = scanner.search(image)
        found.hits += result.hits
        found.layers = result.layers
    return found


CREDENTIALS = ("passphrase", "API secret", "service account secret", "login code", "session secret")


@pytest.mark.timeout(400 + COUNT)
def test_4_the_control_finds_the_ordinary_words(world, stolen):
    """The same search over the same copy: words of the same events lie there in clear, in every place it looks into."""
    words = stolen.only(["word"])
    places = ("image/data/log", "column ordinary", "table profile", "image/backup-online", "image/backup-offline", "image/restored/data", "image/answers")
    found = {place: len(words.owners(inside=place)) for place in places}
    assert {place: count for place, count in found.items() if count <= 0.99 * COUNT} == {}
    assert stolen.layers.unpacked["parquet"] and stolen.layers.unpacked["sqlite"], stolen.layers.unpacked


def test_5_the_stolen_copy_names_nobody(stolen):
    names = stolen.only(["word", *CREDENTIALS], but=True)
    if names.hits:
        pytest.fail(names.told())


def test_6_the_stolen_copy_opens_nothing(stolen):
    """Nor do the credentials of staff and machines lie in it."""
    keys = stolen.only(CREDENTIALS)
    if keys.hits:
        pytest.fail(keys.told())
