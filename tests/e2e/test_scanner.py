"""The theft test's own control: what is hidden in every form, in every kind of container, must be found."""

from __future__ import annotations

import base64
import gzip
import json
import random
import sqlite3
import zlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from scan.forms import forms
from scan.scan import Scanner
from scan.search import WINDOW, Patterns
from scan.unpack import Layers
from support.identities import identities

PEOPLE = identities(6)
PLANTED = [planted for person in PEOPLE for planted in person.planted()]


@pytest.fixture(scope="module")
def scanner():
    return Scanner(PLANTED)


def hidden():
    """(planted, form, bytes) of every form of every value that is long enough to be searched for."""
    return [(planted, form, coded) for planted in PLANTED for form, coded in forms(planted) if len(coded) >= WINDOW]


def share_found(result, expected) -> float:
    """By bytes, not by label: two forms of one value may be the same bytes."""
    coded = {(planted, form): bytes_ for planted, form, bytes_ in hidden()}
    found = {coded[planted, form] for planted, form, _ in result.hits}
    return sum(bytes_ in found for *_, bytes_ in expected) / len(expected)


def test_only_short_forms_are_left_out():
    """Eight bytes are needed; every value must have at least its raw form and its digests searched."""
    for planted in PLANTED:
        searched = {form for form, coded in forms(planted) if len(coded) >= WINDOW}
        assert {"raw", "raw hex", "raw utf-16-le", "digest sha256", "digest hmac-sha256"} <= searched, planted.kind


@pytest.mark.parametrize("kind", ["plain", "gzip", "zstd", "zlib", "gzip in zstd", "records of zstd", "parquet", "parquet list",
                                  "sqlite", "sqlite wal", "sqlite deleted", "sqlite zstd cell"])
def test_every_form_is_found_in(kind, scanner, tmp_path):
    expected = hidden()
    random.Random(1).shuffle(expected)
    expected = expected[:4000] if "sqlite" in kind or "parquet" in kind else expected
    keep_open = _write(kind, tmp_path, [coded for *_, coded in expected])
    result = scanner.search(tmp_path)
    assert share_found(result, expected) > 0.99, result.layers.unpacked
    del keep_open


def _write(kind, directory, rows: list[bytes]):
    noise = random.Random(2)
    blob = b"".join(noise.randbytes(noise.randrange(1, 40)) + row for row in rows)
    file = directory / "hidden"
    match kind:
        case "plain":
            file.write_bytes(blob)
        case "gzip":
            file.write_bytes(gzip.compress(blob))
        case "zstd":
            file.write_bytes(zstandard.compress(blob))
        case "zlib":
            file.write_bytes(zlib.compress(blob))
        case "gzip in zstd":
            file.write_bytes(b"header" + zstandard.compress(b"inner" + gzip.compress(blob)))
        case "records of zstd":
            pieces = [blob[at:at + 50_000] for at in range(0, len(blob), 50_000)]
            file.write_bytes(b"".join(b"rec" + zstandard.compress(piece + rows[0]) for piece in pieces) + zstandard.compress(blob))
        case "parquet":
            half = len(rows) // 2
            table = pa.table({"a": pa.array(rows[:half], pa.binary()).dictionary_encode(), "b": pa.array(rows[half:2 * half])})
            pq.write_table(table, file, compression={"a": "snappy", "b": "zstd"})
            if len(rows) % 2:
                (directory / "rest").write_bytes(rows[-1])
        case "parquet list":
            pq.write_table(pa.table({"a": [rows[:100], rows[100:]]}), file, compression="zstd")
        case "sqlite" | "sqlite wal" | "sqlite deleted" | "sqlite zstd cell":
            return _write_sqlite(kind, file, rows)
    return None


def _write_sqlite(kind, file, rows):
    database = sqlite3.connect(file)
    database.execute(f"PRAGMA journal_mode={'WAL' if kind == 'sqlite wal' else 'DELETE'}")
    database.execute("PRAGMA wal_autocheckpoint=0")
    database.execute("PRAGMA secure_delete=0")
    database.execute("CREATE TABLE hidden(value BLOB)")
    database.commit()
    stored = [zstandard.compress(row + b"." * 100) for row in rows] if kind == "sqlite zstd cell" else rows
    database.executemany("INSERT INTO hidden VALUES (?)", [(row,) for row in stored])
    database.commit()
    if kind == "sqlite deleted":
        database.execute("DELETE FROM hidden")
        database.commit()
    # Kept open by the caller: closing would fold the write-ahead log into the file.
    return database


def test_numbers_of_addresses_are_found_in_columns(tmp_path):
    people = identities(30)
    scanner = Scanner(planted for person in people for planted in person.planted() if planted.kind == "ipv4")
    from ipaddress import ip_address
    integers = [int(ip_address(person.ipv4)) for person in people]
    pq.write_table(pa.table({"i": integers, "f": [float(n) for n in integers]}), tmp_path / "n.parquet")
    assert {planted.value for planted, *_ in scanner.search(tmp_path).hits} == {person.ipv4 for person in people}


def test_nothing_is_found_where_nothing_is(scanner, tmp_path):
    """Other people's values, random bytes, times and numbers: no chance hits."""
    rng = random.Random(3)
    others = [planted.value for person in identities(12, seed=99) for planted in person.planted() if not planted.kind.startswith(("ip", "phone"))]
    (tmp_path / "others").write_text("\n".join(others))
    (tmp_path / "noise").write_bytes(rng.randbytes(8 << 20))
    (tmp_path / "times").write_text("\n".join(str(1_790_000_000_000 + at * 977) for at in range(200_000)))
    (tmp_path / "ints").write_bytes(b"".join(n.to_bytes(8, "little") for n in range(200_000)))
    result = scanner.search(tmp_path)
    assert not result.hits, result.told()


def test_a_pattern_is_found_at_every_place():
    patterns = Patterns([("a", b"needle-in-the-hay"), ("b", b"needle-i"), ("c", b"the-hay-")])
    for size in (4 << 20) - 3, (4 << 20) + 5:
        data = bytearray(b"." * (size + 40))
        for at in (0, size - 20, size, len(data) - 17):
            data[at:at + 17] = b"needle-in-the-hay"
        found = sorted(offset for offset, label in patterns.find(bytes(data)) if label == "a")
        assert found[0] == 0 and found[-1] == len(data) - 17 and size in found
    assert list(patterns.find(b"short")) == []


def test_values_inside_json_and_base64_are_found(scanner, tmp_path):
    person = PEOPLE[0]
    (tmp_path / "log").write_text(json.dumps({"line": json.dumps({"who": person.first_name})}))
    for offset in range(3):
        text = base64.b64encode(b"x" * offset + person.email.encode() + b"tail")
        (tmp_path / f"b{offset}").write_bytes(text)
    result = scanner.search(tmp_path)
    assert {where.rsplit("/", 1)[-1] for planted, _, where in result.hits if planted.kind == "email"} == {"b0", "b1", "b2"}
    assert any(where.endswith("log") and planted.kind == "first name" for planted, _, where in result.hits)


def test_layers_count_what_they_unpack(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x" * 100))
    layers = Layers()
    assert any(layer == b"x" * 100 for _, layer in layers.of_tree(tmp_path))
    assert layers.unpacked["gzip"] == 1 and layers.files == 1
