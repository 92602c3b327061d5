"""Every readable layer of a file: its bytes, what is compressed in it, the values of its Parquet columns, the cells of its
SQLite tables. Layers are unpacked again, to a depth."""

from __future__ import annotations

import io
import os
import pathlib
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

DEPTH = 4
_OUTPUT_MAX = 256 << 20
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_GZIP_MAGIC = b"\x1f\x8b\x08"
_SQLITE_MAGIC = b"SQLite format 3\0"
# Stands between values that are searched in one piece, so that no pattern is found across two of them.
_SEPARATOR = b"\0\x01\xff\xfe\0\x01\xff\xfe"


class Layers:
    """The layers below a directory; counts what it unpacked, for tests that must know that it did."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        self.unpacked = {"gzip": 0, "zstd": 0, "zlib": 0, "parquet": 0, "sqlite": 0}

    def of_tree(self, root: pathlib.Path) -> Iterator[tuple[str, bytes]]:
        """(where, bytes) of everything below `root`; names of files and directories are searched too."""
        for directory, _, names in os.walk(root):
            for name in sorted(names):
                path = pathlib.Path(directory) / name
                if path.is_symlink() or not path.is_file():
                    continue
                self.files += 1
                yield f"{path}: its name", os.fsencode(path)
                yield from self.of_bytes(str(path), path.read_bytes(), path=path)

    def of_bytes(self, where: str, data: bytes, *, depth: int = DEPTH, path: pathlib.Path | None = None) -> Iterator[tuple[str, bytes]]:
        self.bytes += len(data)
        yield where, data
        if depth == 0:
            return
        if data.startswith(_SQLITE_MAGIC):
            yield from self._sqlite(where, data, path, depth)
        if data.startswith(b"PAR1") and data.endswith(b"PAR1"):
            yield from self._parquet(where, data, depth)
            return
        yield from self._streams(where, data, depth)

    def _inner(self, kind: str, where: str, data: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
        self.unpacked[kind] += 1
        yield from self.of_bytes(f"{where} > {kind}", data, depth=depth - 1)

    def _streams(self, where: str, data: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
        """Compressed streams anywhere in the bytes: a log may hold one per record."""
        for magic, kind, unpack in ((_GZIP_MAGIC, "gzip", _gunzip), (_ZSTD_MAGIC, "zstd", _unzstd)):
            at = data.find(magic)
            while at >= 0:
                inner = unpack(data[at:])
                if inner:
                    yield from self._inner(kind, f"{where}@{at}", inner, depth)
                at = data.find(magic, at + 1)
        if data[:1] == b"\x78" and (int.from_bytes(data[:2], "big") % 31 == 0):
            inner = _inflate(data, zlib.MAX_WBITS)
            if inner:
                yield from self._inner("zlib", where, inner, depth)

    def _parquet(self, where: str, data: bytes, depth: int) -> Iterator[tuple[str, bytes]]:
        """Every column's values as text and as the bytes of their type, whatever the pages' encoding and compression.
        What lies between pages and footer (bloom filters, indexes of our own) is searched raw by the caller."""
        table = pq.read_table(io.BytesIO(data))
        footer = pq.read_metadata(io.BytesIO(data))
        yield f"{where} > footer", _SEPARATOR.join(k + b"=" + v for k, v in (footer.metadata or {}).items())
        for name, column in zip(table.column_names, table.columns, strict=True):
            values = _distinct(column)
            joined = _SEPARATOR.join(part for value in values.to_pylist() for part in _value_bytes(value))
            yield from self._inner("parquet", f"{where}: column {name}", name.encode() + _SEPARATOR + joined, depth)
            if pa.types.is_primitive(values.type):
                for buffer in values.buffers():
                    if buffer is not None:
                        yield f"{where}: numbers of {name}", buffer.to_pybytes()

    def _sqlite(self, where: str, data: bytes, path: pathlib.Path | None, depth: int) -> Iterator[tuple[str, bytes]]:
        """Every cell of every table, the write-ahead log applied. Deleted cells in free pages are in the raw bytes."""
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory) / "copy.db"
            copy.write_bytes(data)
            for suffix in ("-wal", "-journal"):
                beside = path.with_name(path.name + suffix) if path else None
                if beside and beside.exists():
                    shutil.copy(beside, copy.with_name(copy.name + suffix))
            connection = sqlite3.connect(copy)
            connection.text_factory = bytes
            try:
                tables = [row[0].decode() for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
                for table in tables:
                    cells = []
                    for row in connection.execute(f'SELECT * FROM "{table}"'):
                        cells.extend(part for cell in row for part in _value_bytes(cell))
                    yield from self._inner("sqlite", f"{where}: table {table}", _SEPARATOR.join(cells), depth)
                    for cell in cells:
                        if len(cell) > 16:
                            yield from self._streams(f"{where}: cell of {table}", cell, depth - 1)
            finally:
                connection.close()


def _distinct(column: pa.ChunkedArray) -> pa.Array:
    """Each value of a column once, lists opened."""
    values = column.combine_chunks()
    while pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        values = values.flatten()
    if pa.types.is_dictionary(values.type):
        return values.dictionary
    return values if pa.types.is_nested(values.type) else values.unique()


def _value_bytes(value: object) -> list[bytes]:
    match value:
        case None:
            return []
        case bytes():
            return [value]
        case str():
            return [value.encode("utf-8", "surrogatepass")]
        case list() | tuple():
            return [part for item in value for part in _value_bytes(item)]
        case dict():
            return [part for key, item in value.items() for part in (*_value_bytes(key), *_value_bytes(item))]
        case float() if value.is_integer():
            return [str(int(value)).encode()]
        case _:
            return [str(value).encode()]


def _gunzip(data: bytes) -> bytes:
    return _inflate(data, 16 + zlib.MAX_WBITS)


def _inflate(data: bytes, bits: int) -> bytes:
    inflate = zlib.decompressobj(bits)
    try:
        return inflate.decompress(data, _OUTPUT_MAX)
    except zlib.error:
        return b""


def _unzstd(data: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    except zstandard.ZstdError:
        return b""
