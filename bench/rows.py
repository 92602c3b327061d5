"""The rows that every engine is given.

They come from crates/synthetic in its *reduced* form: one `distinct_id` per person (`p0`, `p1`, ...), values as the
firewall leaves them, no copies. So Frostpane has nothing to merge, remove or deduplicate that the others would have
to imitate, and answers can be compared number for number. bench/ingest and bench/size send the *export* form, which
has all of that.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from machine import ROOT, target_directory

DAY_MS = 86_400_000
DAYS = 90
#: 2026-11-01T00:00:00Z; a fixed end, so that the same command makes the same rows on every day.
END_MS = 1_793_491_200_000
START_MS = END_MS - DAYS * DAY_MS
FIRST_DAY = date(1970, 1, 1) + timedelta(days=START_MS // DAY_MS)
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
SEED = 1

#: Properties of the rows by type, `time` and the ids apart.
TEXT = (
    "mp_lib $lib_version $browser $os $device $current_url $referrer $referring_domain $initial_referring_domain "
    "utm_source utm_medium utm_campaign mp_country_code plan role company_id query method environment model sdk "
    "endpoint region currency error_code"
).split()
NUMBER = "$browser_version $screen_width reading_s results tokens latency_ms requests invitees amount seats".split()
FLAG = "newsletter streaming cached annual".split()
LIST = "scopes features".split()


#: Rows of a chunk: 470 MB of NDJSON. All 100 million at once would be 47 GB.
CHUNK_ROWS = 1_000_000


def example(package: str, name: str) -> Path:
    """A program among the examples of a crate, built if need be."""
    # Together with the whole program, whose features its dependencies have been compiled with.
    command = ["cargo", "build", "--quiet", "--locked", "--package", "frostpane", "--package", package]
    subprocess.run([*command, "--example", name], cwd=ROOT, check=True)
    return target_directory() / "debug/examples" / name


def generator(form: str, persons: int, events: int) -> list:
    """The command that writes rows to its standard output."""
    numbers = [str(number) for number in (persons, events, DAYS, SEED, END_MS)]
    return [example("synthetic", "rows"), form, *numbers]


def generate(form: str, persons: int, events: int, path: Path):
    """Writes the rows once; later runs find them there."""
    if path.exists():
        return
    began = time.perf_counter()
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as out:
        subprocess.run(generator(form, persons, events), stdout=out, check=True)
    partial.rename(path)
    print(f"generated {path.name} in {time.perf_counter() - began:.1f} s", file=sys.stderr)


def chunks(form: str, persons: int, events: int, directory: Path) -> Iterator[tuple[Path, int]]:
    """The rows as files of CHUNK_ROWS, one after the other, each with its number of rows and gone before the next."""
    path = directory / "chunk.ndjson"
    with subprocess.Popen(generator(form, persons, events), stdout=subprocess.PIPE, bufsize=1 << 20) as process:
        try:
            while rows := write_lines(process.stdout, path):
                yield path, rows
        finally:
            path.unlink(missing_ok=True)
            process.kill()


def write_lines(lines, path: Path) -> int:
    rows = 0
    with open(path, "wb", buffering=1 << 20) as out:
        for line in lines:
            out.write(line)
            rows += 1
            if rows == CHUNK_ROWS:
                break
    return rows
