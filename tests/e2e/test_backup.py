"""Backups of the real installation: the same answers from another directory, whatever ran meanwhile; damage found before it
is needed; and refusals that say what to do (R16, VA-7)."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import stat
import subprocess
import threading
import time

import pytest

from support.api import Api, now_ms
from support.installation import BINARY, Installation
from support.pages import changing

PERSONS = 60
EVENTS = ["Sign up", "Visit", "Buy"]
SETS = ("events", "vault", "keystore")


def send(api: Api, first: int, count: int = 200) -> None:
    """Events and profiles of known and new persons, some of whom turn out to be the same."""
    events = []
    for n in range(first, first + count):
        who = f"user-{n % PERSONS}"
        events.append(api.event(EVENTS[n % 3], {
            "distinct_id": who, "time": now_ms() - n * 1000, "$insert_id": f"b-{n}", "plan": f"plan-{n % 4}", "amount": n}))
    assert api.track(*events).json()["status"] == 1
    assert api.track(*(api.event("$identify", {"$device_id": f"device-{n}", "$user_id": f"user-{n}"})
                       for n in range(PERSONS))).status_code == 200
    assert api.engage(*({"$distinct_id": f"user-{n}", "$set": {"$email": f"user-{n}@people.example", "$name": f"Person {n}", "tier": n % 3}}
                        for n in range(PERSONS))).status_code == 200


def answers(api: Api) -> dict:
    """What is asked before and after: counts, breakdowns, rows, profiles, and who somebody is."""
    exported = api.export(days=(-1, 1), event=json.dumps(EVENTS))
    number = api.lookup("user-7")
    shown = api.reveal(number)
    return {
        "rows": sorted((row["event"], row["properties"]["$insert_id"], row["properties"]["amount"], row["properties"]["time"])
                       for row in exported),
        "total": api.total("Visit", days=(-1, 1)),
        "uniques": api.uniques("Visit", days=(-1, 1)),
        "plans": sorted(api.insight("total", "Buy", breakdown='properties["plan"]', days=(-1, 1)).items()),
        "people": sorted((person["person"], json.dumps(person["properties"], sort_keys=True))
                         for person in api.people('defined(properties["tier"])')),
        "seven": number,
        "fields": shown["fields"], "identifiers": sorted((i["kind"], i["value"]) for i in shown["identifiers"]),
    }


def command(server: Installation, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([BINARY, *map(str, arguments)], env=server.environment, cwd=server.root, capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == code, f"{arguments[0]} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done


def back_up(server: Installation, to: pathlib.Path, **options) -> dict:
    done = command(server, "backup", "--data", server.data, "--vault", server.vault, "--to", to, "--json", **options)
    return json.loads(done.stdout) if done.returncode == 0 else {"error": done.stderr}


def restored(server: Installation, backups: pathlib.Path, to: pathlib.Path, *arguments: object) -> Installation:
    """The installation that a restore makes, with the credentials of the first. Its root key comes from elsewhere."""
    command(server, "restore", "--from", backups, "--data", to / "data", "--vault", to / "vault", *arguments)
    shutil.copy(server.vault / "root.key", to / "vault" / "root.key")
    other = object.__new__(Installation)
    other.__dict__.update(server.__dict__)
    other.root, other.data, other.vault = to, to / "data", to / "vault"
    other.log, other.temporary, other.process, other.listen = to / "server.log", server.temporary, None, "127.0.0.1:0"
    return other


@pytest.fixture
def server(tmp_path):
    server = Installation(tmp_path / "server").start()
    yield server
    if server.process is not None:
        server.kill()


def test_a_restore_gives_the_same_answers(server, tmp_path):
    api, backups = Api(server), tmp_path / "backups"
    send(api, 0)
    before = answers(api)
    first = back_up(server, backups)
    # The second run finds most of it there, segments by their checksums.
    send(api, 200)
    api.write_segments()
    after = answers(api)
    second = back_up(server, backups)
    third = back_up(server, backups)
    copied = [run["sets"]["events"]["copied"] for run in (second, third)]
    assert copied[0]["new_bytes"] > 1 << 18
    assert copied[1]["new_bytes"] < copied[0]["new_bytes"] / 2, "segments were copied again"
    # Stopped, it can be backed up as well.
    assert server.stop() == 0
    offline = back_up(server, backups)
    for run, expected in ((first, before), (second, after), (offline, after)):
        copy = restored(server, backups, tmp_path / f"r-{run['run'][-7:]}", "--run", run["run"])
        copy.start()
        try:
            api = Api(copy)
            assert answers(api) == expected
            # It lives on: new persons get numbers that nobody has, known ones keep theirs.
            assert api.track(api.event("Visit", {"distinct_id": "somebody-new", "amount": -1})).status_code == 200
            number = api.lookup("somebody-new")
            assert number and number not in {person for person, _ in expected["people"]}
            assert api.lookup("user-7") == expected["seven"]
            assert api.engage({"$distinct_id": "somebody-new", "$set": {"$name": "New"}}).status_code == 200
            assert api.reveal(number)["fields"]["$name"] == "New"
        finally:
            copy.kill()


def test_a_backup_while_events_arrive_has_all_that_were_acknowledged_before_it(server, tmp_path):
    backups = tmp_path / "backups"
    send(Api(server), 0)
    stop, acknowledged = threading.Event(), [0]

    def arrive() -> None:
        api, n = Api(server), 100_000
        while not stop.is_set():
            batch = [api.event("Arrived", {"distinct_id": f"arriving-{(n + at) % 5000}", "$insert_id": f"a-{n + at}", "amount": n + at})
                     for at in range(50)]
            if api.track(*batch).status_code == 200:
                acknowledged[0] += 50
            n += 50

    thread = threading.Thread(target=arrive)
    thread.start()
    try:
        runs = []
        for _ in range(4):
            time.sleep(0.5)
            before = acknowledged[0]
            expected = answers(Api(server))
            runs.append((before, expected, back_up(server, backups)["run"]))
    finally:
        stop.set()
        thread.join()
    for before, expected, run in (runs[0], runs[-1]):
        copy = restored(server, backups, tmp_path / f"r-{run[-7:]}", "--run", run)
        copy.start()
        try:
            api = Api(copy)
            there = api.total("Arrived", days=(-1, 1))
            assert before <= there <= acknowledged[0] and there % 50 == 0, (before, there, acknowledged[0])
            assert answers(api) == expected
        finally:
            copy.kill()


def test_killed_half_way_and_started_again(server, tmp_path):
    api, backups = Api(server), tmp_path / "backups"
    send(api, 0)
    api.write_segments()
    expected = answers(api)
    for pause in (0.0, 0.05, 0.15):
        # The server does the copying: it dies with the command.
        running = subprocess.Popen([BINARY, "backup", "--data", server.data, "--vault", server.vault, "--to", backups],
                                   env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(pause)
        running.kill()
        server.kill()
        running.wait()
        server.start()
    run = back_up(server, backups)
    command(server, "verify", "--backup", backups)
    leftovers = [path for path in backups.rglob("*") if path.suffix == ".unfinished" or (path.parent.name == "staging" and path.is_file())]
    assert leftovers == []
    copy = restored(server, backups, tmp_path / "restored", "--run", run["run"])
    copy.start()
    try:
        assert answers(Api(copy)) == expected
    finally:
        copy.kill()


def test_two_at_once(server, tmp_path):
    """The second is told to wait, or comes after the first; both ways every backup there is, is whole."""
    send(Api(server), 0)
    backups = tmp_path / "backups"
    running = [subprocess.Popen([BINARY, "backup", "--data", server.data, "--vault", server.vault, "--to", backups],
                                env=server.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    ended = [(process.communicate()[1], process.returncode) for process in running]
    assert any(code == 0 for _, code in ended), ended
    for said, code in ended:
        assert code == 0 or "another backup is being written" in said, said
    command(server, "verify", "--backup", backups)


def test_what_is_refused(server, tmp_path):
    send(Api(server), 0)
    backups, full = tmp_path / "backups", tmp_path / "full"
    run = back_up(server, backups)["run"]
    full.mkdir()
    (full / "mine").write_text("mine")
    said = command(server, "restore", "--from", backups, "--data", full, code=1).stderr
    assert "is not empty" in said and [path.name for path in full.iterdir()] == ["mine"]
    command(server, "restore", "--from", backups, "--data", tmp_path / "new", "--vault", full, code=1)
    assert not (tmp_path / "new").exists(), "nothing is written when something is refused"
    command(server, "restore", "--from", backups, "--data", tmp_path / "new", "--run", "yesterday", code=2)
    said = command(server, "restore", "--from", backups, "--data", tmp_path / "new", "--run", "20200101T000000000Z", code=1).stderr
    assert "there is no backup" in said
    said = command(server, "backup", "--data", server.data, "--to", server.data / "backups", code=1).stderr
    assert "would be lost with it" in said
    listed = json.loads(command(server, "restore", "--from", backups, "--list", "--json").stdout)
    assert [(entry["set"], entry["run"]) for entry in listed] == [(name, run) for name in SETS]
    # An older keystore than the ciphertext it should open.
    back_up(server, backups)
    newest = sorted((backups / "keystore" / "runs").iterdir())[-1]
    newest.unlink()
    said = command(server, "restore", "--from", backups, "--vault", tmp_path / "new", code=1).stderr
    assert "would have no key" in said


def test_a_flipped_bit_in_a_backup_is_found(server, tmp_path):
    send(Api(server), 0)
    backups = tmp_path / "backups"
    run = back_up(server, backups)["run"]
    command(server, "verify", "--backup", backups)
    for name in SETS:
        for below in ("objects", "runs"):
            file = max((path for path in (backups / name / below).rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
            content = file.read_bytes()
            file.write_bytes(content[:len(content) // 2] + bytes([content[len(content) // 2] ^ 4]) + content[len(content) // 2 + 1:])
            done = command(server, "verify", "--backup", backups, "--json", code=1)
            damage = [finding for verified in json.loads(done.stdout)["verified"] for finding in verified["damage"]]
            assert [finding["file"] for finding in damage] == [str(file)]
            assert any(run in needed for needed in damage[0]["needed_by"])
            to = tmp_path / f"from-{name}-{below}"
            said = command(server, "restore", "--from", backups, "--data", to / "data", "--vault", to / "vault", code=1).stderr
            assert file.name in said, said
            # What was cut off cannot be opened by mistake.
            assert not ((to / "data" / "catalog.db").exists() and (to / "vault" / "keys.db").exists())
            file.write_bytes(content)
    command(server, "verify", "--backup", backups)


def test_only_the_owner_may_read_it(server, tmp_path):
    send(Api(server), 0)
    backups = tmp_path / "backups"
    old = os.umask(0)
    try:
        back_up(server, backups)
        copy = restored(server, backups, tmp_path / "restored")
    finally:
        os.umask(old)
    for root in [backups / name for name in SETS] + [copy.data, copy.vault]:
        for path in (root, *root.rglob("*")):
            if path.name == "root.key":
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o700 if path.is_dir() else 0o600), f"{path} has mode {mode:04o}"
    names = {path.name for path in backups.rglob("*")}
    assert "root.key" not in names
    root_key = (server.vault / "root.key").read_bytes()
    assert not any(root_key in path.read_bytes() for path in backups.rglob("*") if path.is_file())


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_ends_the_backup_and_nothing_else(server, tmp_path):
    api, disk = Api(server), tmp_path / "disk"
    send(api, 0)
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], check=False).returncode != 0:
        pytest.skip("this machine cannot mount")
    try:
        first = back_up(server, disk)["run"]
        expected = answers(api)
        # Names and words that no later copy shares with an earlier one.
        for n in range(40):
            api.track(*(api.event("Large", {"distinct_id": f"large-{n}-{at}", "text": os.urandom(60).hex()}) for at in range(500)))
        said = command(server, "backup", "--data", server.data, "--vault", server.vault, "--to", disk, code=1).stderr
        assert "No space left" in said or "no space left" in said or "full" in said, said
        assert server.alive() and api.ready().status_code == 200
        command(server, "verify", "--backup", disk)
        subprocess.run(["mount", "-o", "remount,size=256m", disk], check=True)
        second = back_up(server, disk)["run"]
        command(server, "verify", "--backup", disk)
        copy = restored(server, disk, tmp_path / "restored", "--run", first)
        copy.start()
        try:
            assert answers(Api(copy)) == expected
        finally:
            copy.kill()
        assert second > first
    finally:
        subprocess.run(["umount", "--lazy", disk], capture_output=True, check=False)


def test_backups_past_their_time_are_removed_and_the_newest_stays(server, tmp_path):
    api, backups = Api(server), tmp_path / "backups"
    send(api, 0)
    signed_in = api.request("POST", "/api/v1/session", json={"code": server.login_code}, headers={"Origin": server.url})
    session = {"fp_session": signed_in.cookies["fp_session"]}
    assert api.request("GET", "/api/v1/session", cookies=session).status_code == 200
    back_up(server, backups)
    command(server, "backup", "--data", server.data, "--vault", server.vault, "--to", backups, "--keystore-keep-days", "0")
    listed = json.loads(command(server, "restore", "--from", backups, "--list", "--json").stdout)
    assert [entry["set"] for entry in listed] == ["events", "events", "vault", "vault", "keystore"]
    # An older ciphertext opens with the newest keystore.
    copy = restored(server, backups, tmp_path / "restored", "--run", listed[0]["run"])
    copy.start()
    try:
        api = Api(copy)
        assert api.reveal(api.lookup("user-7"))["fields"]["$name"] == "Person 7"
        # A session that may have ended since the backup does not come back with it.
        assert api.request("GET", "/api/v1/session", cookies=session).status_code == 401
    finally:
        copy.kill()


def test_damage_under_a_running_server_is_found_and_alarmed(server):
    api = Api(server)
    send(api, 0)
    api.write_segments()
    command(server, "verify", "--data", server.data, "--vault", server.vault)
    assert metric(api, "damaged_files") == 0
    assert metric(api, "verified_bytes_total") > 1 << 18
    segment = max(server.data.rglob("*.parquet"), key=lambda path: path.stat().st_size)
    content = segment.read_bytes()
    with segment.open("r+b") as file:
        file.seek(len(content) // 2)
        file.write(bytes([content[len(content) // 2] ^ 1]))
    done = command(server, "verify", "--data", server.data, "--json", code=1)
    damage = [finding for verified in json.loads(done.stdout)["verified"] for finding in verified["damage"]]
    assert [finding["file"] for finding in damage] == [str(segment)] and "offset" in damage[0]
    assert metric(api, "damaged_files") == 1
    assert str(segment) in server.log_text()
    # Stopped, the same is found without a server.
    assert server.stop() == 0
    command(server, "verify", "--data", server.data, code=1)
    segment.write_bytes(content)
    command(server, "verify", "--data", server.data, "--vault", server.vault)
    # A ledger with a silent hole would be worse than none.
    server.start()
    answers(Api(server))
    server.kill()
    for ledger in (server.data / "ledger" / "entries.log", server.vault / "ledger" / "entries.log"):
        content = ledger.read_bytes()
        ledger.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
        done = command(server, "verify", "--data", server.data, "--vault", server.vault, code=1)
        assert f"{ledger} at byte 0" in done.stdout, done.stdout
        ledger.write_bytes(content)
    command(server, "verify", "--data", server.data, "--vault", server.vault)


def metric(api: Api, name: str) -> float:
    lines = api.request("GET", "/metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(f"frostpane_{name} "))


def test_formats_of_a_later_program_are_refused_with_a_way_out(server):
    send(Api(server), 0)
    assert server.stop() == 0
    checked = json.loads(command(server, "upgrade", "--data", server.data, "--vault", server.vault, "--check", "--json").stdout)
    assert {entry["verdict"] for entry in checked["formats"]} == {"current"}
    for file in (server.data / "catalog.db", server.vault / "vault.db"):
        with changing(file) as database:
            found = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute("PRAGMA user_version = 99")
        said = command(server, "upgrade", "--data", server.data, "--vault", server.vault, "--check", code=1).stderr
        assert str(file) in said and "restore a backup" in said
        command(server, "upgrade", "--data", server.data, "--vault", server.vault, code=1)
        refused = subprocess.run([BINARY, "serve", "--data", server.data, "--vault", server.vault, "--listen", "127.0.0.1:0"],
                                 env=server.environment, capture_output=True, text=True, timeout=60, check=False)
        assert refused.returncode == 1 and "this program reads up to" in refused.stderr, refused.stderr
        with changing(file) as database:
            database.execute(f"PRAGMA user_version = {found}")
    server.start()
