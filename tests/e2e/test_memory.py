"""One limit for everything, kept while everything happens at once: docs/operating/memory.md.

FROSTPANE_E2E_MEMORY_WIDE and _PLAIN make it larger: thousands of events with many of 2,000 properties, and of plain ones.
"""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import re
import subprocess
import threading
import time

import pytest

from support.api import day
from support.installation import BINARY, DidNotStart, Installation
from support.mixpanel import QueryApi, at, event

MIB = 1 << 20
LIMIT = 512 * MIB
WIDE = 1_000 * int(os.environ.get("FROSTPANE_E2E_MEMORY_WIDE", "2"))
PLAIN = 1_000 * int(os.environ.get("FROSTPANE_E2E_MEMORY_PLAIN", "40"))
PROPERTIES, OF_EACH, PERSONS = 2_000, 40, 3_000
# The ways in which a question may be refused when there is little memory.
REFUSALS = {(503, "memory_short"), (422, "query_too_large"), (429, "rate_limited")}


def wide(number: int) -> dict:
    """An event with some of two thousand properties, other ones than its neighbours: all columns of a batch are there."""
    names = ((number * 7 + place * 13) % PROPERTIES for place in range(OF_EACH))
    values = {f"p{name}": f"{name}-{number % 97}" if name % 2 else number * 1.5 for name in names}
    return event("Wide", f"p{number % PERSONS}", at(-2, 1) + number % 70_000, **values)


def plain(number: int) -> dict:
    return event("Seen", f"p{number % PERSONS}", at(-3, 1) + number % 70_000, plan=f"plan {number % 5}", amount=number % 1_000,
                 path=f"/page/{number % 5_000}", text=f"some words {number}")


def peak_bytes(process: int) -> int:
    """The most that a process ever had, code included, by the kernel's count."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{process}/status").read_text())[1]) * 1024


class Sender:
    """Sends batches until they are acknowledged, and counts how often that was refused for a while."""

    def __init__(self, installation: Installation) -> None:
        self.api, self.refused = QueryApi(installation), 0

    def send(self, events: list[dict]) -> int:
        deadline = time.monotonic() + 120
        while (sent := self.api.import_(*events, timeout=120)).status_code in (429, 503):
            assert time.monotonic() < deadline, sent.text
            assert "Retry-After" in sent.headers
            self.refused += 1
            time.sleep(0.2)
        assert sent.status_code == 200, sent.text
        return len(events)


def questions() -> list[tuple]:
    """Reports with a number of each that is known: events of two past days that arrived before anybody asks."""
    def insight(measure: object, name: str, **more) -> dict:
        return {"range": {"from": day(-4), "to": day(-1)},
                "question": {"kind": "insights", "unit": "day", "metrics": [{"measure": measure, "event": name}], **more}}
    total = lambda answer: sum(series["total"] for series in answer["series"])
    return [
        (insight("total", "Seen"), total, PLAIN),
        (insight("total", "Seen", breakdown=['properties["plan"]']), total, PLAIN),
        (insight("total", "Seen", breakdown=['properties["text"]'], limit=10), None, None),
        (insight("unique", "Seen"), total, min(PERSONS, PLAIN)),
        (insight("unique", "Wide"), total, min(PERSONS, WIDE)),
        (insight("total", "Wide"), total, WIDE),
        (insight("total", "Wide", breakdown=['properties["p13"]']), total, WIDE),
        (insight("unique", "Seen", breakdown=['properties["path"]'], limit=10_000), None, None),
        ({"range": {"from": day(-4), "to": day(-1)}, "question": {
            "kind": "funnel", "window_ms": 86_400_000, "steps": [{"event": "Seen"}, {"event": "Wide"}]}}, None, None),
        ({"range": {"from": day(-4), "to": day(-1)}, "question": {
            "kind": "retention", "unit": "day", "intervals": 2, "born": {"event": "Seen"}, "returning": {"event": "Wide"}}}, None, None),
    ]


@pytest.fixture
def world(tmp_path):
    installation = Installation(tmp_path).start("--memory", f"{LIMIT}", "--questions-per-project", "10")
    yield installation
    installation.kill()


def test_everything_at_once_stays_within_the_limit(world):
    began, sender = time.monotonic(), Sender(world)
    for begin in range(0, PLAIN, 2_000):
        sender.send([plain(number) for number in range(begin, min(begin + 2_000, PLAIN))])
    for begin in range(0, WIDE, 200):
        sender.send([wide(number) for number in range(begin, min(begin + 200, WIDE))])

    print(f"loaded in {time.monotonic() - began:.0f} s, refused for a while {sender.refused} times")
    stop = threading.Event()
    outcomes: list[tuple[int, str]] = []

    def arriving() -> int:
        """Events of today, so that the known numbers stay: half wide, half plain."""
        own, sent = Sender(world), 0
        while not stop.is_set():
            batch = [{**made, "properties": {**made["properties"], "time": at(0, 0)}} for made in (
                [wide(sent + number) for number in range(20)] + [plain(sent + number) for number in range(480)])]
            sent += own.send(batch)
        return sent

    def asking(question: dict, read, expected) -> int:
        api, answered = QueryApi(world), 0
        while not stop.is_set():
            answer = api.post(api.project("/query"), question, timeout=120)
            if answer.status_code == 200:
                answered += 1
                if read is not None:
                    assert read(answer.json()["answer"]) == expected, question
            else:
                error = answer.json()["error"]
                assert (answer.status_code, error["code"]) in REFUSALS, answer.text
                outcomes.append((answer.status_code, error["code"]))
                time.sleep(0.1)
        return answered

    def exporting() -> int:
        api = QueryApi(world)
        lines = 0
        while not stop.is_set():
            try:
                got = api.request("GET", "/api/2.0/export", auth=api.auth, timeout=120, params={
                    "project_id": world.project, "from_date": day(-4), "to_date": day(-1), "limit": 20_000})
            except OSError:
                # Broken off midway for want of memory: never a short file.
                continue
            assert got.status_code in (200, 429, 503, 422), got.text
            lines += len(got.content.splitlines()) if got.status_code == 200 else 0
        return lines

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        running = [pool.submit(asking, *question) for question in questions()]
        incoming, outgoing = pool.submit(arriving), pool.submit(exporting)
        time.sleep(15)
        stop.set()
        answered = [asked.result() for asked in running]
        sent, exported = incoming.result(), outgoing.result()

    print(f"all at once for {time.monotonic() - began:.0f} s")
    assert world.alive() and sent > 0 and exported > 0 and sum(answered) > 0, (sent, exported, answered)
    print(f"answered {answered}, refused {len(outcomes)}, arrived {sent}, exported {exported}")
    peak, vault_peak = peak_bytes(world.process.pid), peak_bytes(world.vault_process())
    print(f"peak {peak / MIB:.0f} MiB, vault {vault_peak / MIB:.0f} MiB")
    metrics = QueryApi(world).request("GET", "/metrics").text
    used = {name: int(value) for name, value in re.findall(r'^frostpane_memory_bytes\{use="(\w+)"\} (\d+)', metrics, re.MULTILINE)}
    assert set(used) == {"ingestion", "fresh", "questions", "maintenance", "columns", "footers", "answers", "other"}
    assert f"frostpane_memory_limit_bytes {LIMIT - LIMIT // 6}" in metrics
    # What is made before it is counted, for moments: docs/operating/memory.md.
    assert peak + vault_peak <= LIMIT + LIMIT // 16, (peak, vault_peak, used)
    # What was acknowledged is there, each once, also after a restart under the same limit.
    world.kill()
    world.start("--memory", f"{LIMIT}")
    api = QueryApi(world)
    assert api.total("Seen", days=(-5, 1)) + api.total("Wide", days=(-5, 1)) == PLAIN + WIDE + sent


def test_a_limit_too_small_to_work_is_refused_with_the_least_that_works(tmp_path):
    installation = Installation(tmp_path)
    with pytest.raises(DidNotStart, match="works with 256 MiB and more"):
        installation.start("--memory", "100MiB")
    refused = subprocess.run([BINARY, "serve", "--data", "x", "--vault", "y", "--memory", "4 apples"], capture_output=True, text=True)
    assert refused.returncode == 2 and "512MiB" in refused.stderr
