"""Checksums for the pages of a database that a test has changed by hand (docs/formats/pages.md)."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
import struct

RESERVED = 8


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


TABLE = _table()


def crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


@contextlib.contextmanager
def changing(file: pathlib.Path):
    """A connection to a database that no process has open; what it commits is given checksums."""
    database = sqlite3.connect(file)
    try:
        yield database
        database.commit()
    finally:
        # Everything is in the file itself after this.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.close()
    content = bytearray(file.read_bytes())
    size = struct.unpack_from(">H", content, 16)[0]
    assert content[20] == RESERVED, f"{file} has no checksums"
    for start in range(0, len(content), size):
        end = start + size - RESERVED
        crc = crc32c(bytes(content[start:end]) + struct.pack("<Q", start))
        struct.pack_into("<II", content, end, crc, crc ^ 0xFFFFFFFF)
    file.write_bytes(content)
