"""Disks that are full or read-only: 503 and nothing half done, questions still answered, and on again by itself (R7)."""

from __future__ import annotations

import os
import pathlib
import random
import subprocess
import time

import pytest

from support.api import Api, now_ms
from support.installation import Installation

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
ORIGIN = {"Origin": "https://app.example"}
# More persons than a crowd needs, so that the count of them is an aggregate about nobody in particular.
CROWD = 40


def mount(*arguments: object) -> None:
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"this machine cannot mount: {done.stderr.strip()}")


def unmount(directory: pathlib.Path) -> None:
    subprocess.run(["umount", "--lazy", directory], capture_output=True, check=False)


@pytest.fixture(params=["data", "vault"])
def small_disk(request, tmp_path):
    """An installation with one of its two directories on a disk of 64 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", disk)
    server = None
    try:
        server = Installation(tmp_path / "server", **{request.param: disk / request.param}).start()
        yield request.param, disk, server
    finally:
        if server is not None and server.process is not None:
            server.kill()
        unmount(disk)


class Sender:
    """Sends batches and remembers which were acknowledged."""

    def __init__(self, server: Installation) -> None:
        self.api = Api(server)
        self.acknowledged = 0
        self.refused: list[list[dict]] = []
        self.next = 0

    def batch(self, *, new_persons: bool, size: int = CROWD) -> list[dict]:
        events = []
        for at in range(size):
            self.next += 1
            who = f"new-{self.next}" if new_persons else f"known-{at}"
            events.append(self.api.event("Disk", {"distinct_id": who, "time": now_ms(), "$insert_id": f"d-{self.next}",
                                                  "n": self.next, **{f"figure_{at}": random.random() for at in range(20)}}))
        return events

    def send(self, batch: list[dict]) -> int:
        response = self.api.track(*batch, headers=ORIGIN)
        if response.status_code == 200:
            assert response.json()["status"] == 1, response.text
            self.acknowledged += len(batch)
        else:
            assert response.status_code == 503, f"{response.status_code} {response.text}"
            assert int(response.headers["Retry-After"]) > 0
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN["Origin"]
            self.refused.append(batch)
        return response.status_code


def fill(disk: pathlib.Path) -> pathlib.Path:
    """Takes all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\xaa" * size)
            except OSError:
                continue
    return filler


def test_full_disk(small_disk):
    which, disk, server = small_disk
    sender = Sender(server)
    api = sender.api
    assert sender.send(sender.batch(new_persons=False)) == 200
    filler = fill(disk)
    # Whatever room was left inside half-filled pages is used up first.
    for _ in range(60):
        if sender.send(sender.batch(new_persons=True)) == 503:
            break
    else:
        pytest.fail(f"60 batches of new persons fit on a full {which} disk")
    for _ in range(5):
        sender.send(sender.batch(new_persons=True))
    assert len(sender.refused) >= 5
    assert server.alive()
    # A count of a crowd is answered, and counts what was acknowledged and nothing else.
    assert api.total("Disk", days=(-1, 1)) == sender.acknowledged
    assert api.uniques("Disk", days=(-1, 1)) >= CROWD
    if which == "data":
        # Large ones: a single event may still fit into the last page of the log.
        assert api.import_(*sender.batch(new_persons=False)).status_code == 503
        assert api.engage(*({"$distinct_id": f"known-{at}", "$set": {f"figure_{n}": random.random() for n in range(50)}}
                            for at in range(CROWD))).status_code == 503

    filler.unlink()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if sender.send(sender.batch(new_persons=True)) == 200:
            break
        time.sleep(0.3)
    else:
        pytest.fail("room again, and still refused after 15 s")
    # The clients send again what was refused: all of it counts now, once.
    again, sender.refused = sender.refused, []
    for batch in again:
        assert sender.send(batch) == 200
    assert api.total("Disk", days=(-1, 1)) == sender.acknowledged
    rows = [row["properties"]["n"] for row in api.export(days=(-1, 1))]
    assert len(rows) == len(set(rows)) == sender.acknowledged
    server.kill()
    server.start()
    assert api.total("Disk", days=(-1, 1)) == sender.acknowledged
    assert server.stop() == 0


def test_disk_that_fills_by_itself(tmp_path):
    """No filler: events until there is no room. Everything acknowledged is there after a restart on a larger disk."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount("-t", "tmpfs", "-o", "size=24m", "tmpfs", disk)
    server = None
    try:
        server = Installation(tmp_path / "server", data=disk / "data").start()
        sender = Sender(server)
        for _ in range(400):
            if sender.send(sender.batch(new_persons=False, size=1000)) == 503:
                break
        else:
            pytest.fail("400,000 events with 20 random figures each fit into 24 MiB")
        assert sender.api.total("Disk", days=(-1, 1)) == sender.acknowledged
        server.kill()
        mount("-o", "remount,size=128m", disk)
        server.start()
        assert sender.api.total("Disk", days=(-1, 1)) == sender.acknowledged
        for batch in sender.refused[:]:
            assert sender.send(batch) == 200
        assert sender.api.total("Disk", days=(-1, 1)) == sender.acknowledged
        assert sender.api.uniques("Disk", days=(-1, 1)) == 1000
    finally:
        if server is not None and server.process is not None:
            server.kill()
        unmount(disk)


def test_disk_that_turns_read_only(tmp_path):
    """What ext4 does after an I/O error. The kernel is asked to believe in one."""
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(96 << 20)
    if subprocess.run(["mkfs.ext4", "-q", "-O", "^has_journal", image], check=False).returncode != 0:
        pytest.skip("mkfs.ext4 is not here")
    mount("-o", "loop,errors=remount-ro", image, disk)
    server = None
    try:
        server = Installation(tmp_path / "server", data=disk / "data").start()
        sender = Sender(server)
        for _ in range(5):
            assert sender.send(sender.batch(new_persons=False)) == 200
        device = os.stat(disk).st_dev
        name = pathlib.Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}").resolve().name
        trigger = pathlib.Path(f"/sys/fs/ext4/{name}/trigger_fs_error")
        if not trigger.exists():
            pytest.skip("this kernel cannot pretend an ext4 error")
        trigger.write_text("end-to-end test")
        with pytest.raises(OSError):
            (disk / "probe").write_bytes(b"x")
        for _ in range(5):
            assert sender.send(sender.batch(new_persons=False)) == 503
        assert server.alive()
        assert sender.api.total("Disk", days=(-1, 1)) == sender.acknowledged
        assert sender.api.request("GET", "/readyz").status_code == 503, "a server that cannot store must say so"
        server.kill()
        subprocess.run(["umount", disk], check=True)
        subprocess.run(["e2fsck", "-fy", image], capture_output=True, check=False)
        mount("-o", "loop,errors=remount-ro", image, disk)
        server.start()
        assert sender.api.total("Disk", days=(-1, 1)) == sender.acknowledged
        for batch in sender.refused[:]:
            assert sender.send(batch) == 200
        assert sender.api.total("Disk", days=(-1, 1)) == sender.acknowledged
    finally:
        if server is not None and server.process is not None:
            server.kill()
        unmount(disk)
