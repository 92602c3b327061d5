"""Fills the engines that are empty, all from one pass over the generated rows."""

import json
import sys
import time
from pathlib import Path

import machine
import rows

#: Bytes of disk per row that loading may take at its widest, all engines together.
ROOM_PER_ROW = 250


def load(engines: list, persons: int, events: int, directory: Path):
    """Fills each engine that is not full already; all are closed afterwards."""
    empty = [engine for engine in engines if not marker(engine).exists()]
    if empty:
        fill(empty, persons, events, directory)


def fill(engines: list, persons: int, events: int, directory: Path):
    machine.require_disk(directory, events * ROOM_PER_ROW)
    seconds = dict.fromkeys((engine.name for engine in engines), 0.0)

    def timed(engine, step, *arguments):
        began = time.perf_counter()
        step(*arguments)
        seconds[engine.name] += time.perf_counter() - began

    for engine in engines:
        engine.begin()
    count = size = 0
    for path, part in rows.chunks("reduced", persons, events, directory):
        for engine in engines:
            timed(engine, engine.insert, path)
        count += part
        size += path.stat().st_size
        print(f"loaded {count:,} rows", file=sys.stderr)
    for engine in engines:
        timed(engine, engine.finish)
        what = {"rows": count, "row_bytes": size, "seconds": seconds[engine.name]}
        marker(engine).write_text(json.dumps(what))


def marker(engine) -> Path:
    """Says that the engine has all rows, how many those are, and how long they took."""
    return engine.directory / "loaded.json"


def loaded(engine) -> dict:
    return json.loads(marker(engine).read_text())
