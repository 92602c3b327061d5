"""The rows that every engine is given.

They come from crates/synthetic in its *reduced* form: one `distinct_id` per person (`p0`, `p1`, ...), values as the
firewall leaves them, no copies. So Frostpane has nothing to merge, remove or deduplicate that the others would have
to imitate, and answers can be compared number for number. Frostpane still does all its work: it looks every identity
up in the vault, runs every value through the firewall and checks every row for copies.
"""

import subprocess
import sys
import time
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


def generator() -> Path:
    """The program that writes rows, built if need be."""
    subprocess.run(
        ["cargo", "build", "--quiet", "--package", "synthetic", "--example", "rows"], cwd=ROOT, check=True
    )
    return target_directory() / "debug/examples/rows"


def generate(form: str, persons: int, events: int, path: Path):
    """Writes the rows once; later runs find them there."""
    if path.exists():
        return
    began = time.perf_counter()
    numbers = [str(number) for number in (persons, events, DAYS, SEED, END_MS)]
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as out:
        subprocess.run([generator(), form, *numbers], stdout=out, check=True)
    partial.rename(path)
    print(f"generated {path.name} in {time.perf_counter() - began:.1f} s", file=sys.stderr)


def count(path: Path) -> int:
    with open(path, "rb") as lines:
        return sum(part.count(b"\n") for part in iter(lambda: lines.read(1 << 22), b""))
