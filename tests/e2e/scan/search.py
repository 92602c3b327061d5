"""Searches bytes for very many patterns at once.

The first eight bytes of every pattern go into a table; a sliding window over the data is hashed with numpy, and only
where a window hits the table are the patterns themselves compared. Half a million patterns cost no more than a hundred.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np

WINDOW = 8
_BITS = 27
_CHUNK = 4 << 20
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Patterns:
    """A set of byte patterns, each with a label. Patterns under eight bytes are refused: chance would find them."""

    def __init__(self, labelled: Iterable[tuple[object, bytes]]) -> None:
        self._by_start: dict[int, list[tuple[bytes, object]]] = defaultdict(list)
        known = set()
        self.count = 0
        self.longest = WINDOW
        for label, pattern in labelled:
            if len(pattern) < WINDOW:
                raise ValueError(f"a pattern of {len(pattern)} bytes ({label})")
            self.count += 1
            self.longest = max(self.longest, len(pattern))
            if pattern not in known:
                known.add(pattern)
                self._by_start[int.from_bytes(pattern[:WINDOW], "little")].append((pattern, label))
        starts = np.fromiter(self._by_start, dtype=np.uint64, count=len(self._by_start))
        self._starts = np.sort(starts)
        self._table = np.zeros(1 << _BITS, dtype=bool)
        self._table[self._slots(starts)] = True

    @staticmethod
    def _slots(windows: np.ndarray) -> np.ndarray:
        return (windows * _MULTIPLIER) >> np.uint64(64 - _BITS)

    def find(self, data: bytes) -> Iterator[tuple[int, object]]:
        """Every (offset, label) of a pattern in `data`. Of equal patterns under several labels, the first label."""
        for begin in range(0, max(len(data) - WINDOW + 1, 0), _CHUNK):
            chunk = np.frombuffer(data, dtype=np.uint8, offset=begin, count=min(_CHUNK + WINDOW - 1, len(data) - begin))
            count = len(chunk) - WINDOW + 1
            windows = np.zeros(count, dtype=np.uint64)
            for place in range(WINDOW):
                windows |= chunk[place:place + count].astype(np.uint64) << np.uint64(8 * place)
            candidates = np.flatnonzero(self._table[self._slots(windows)])
            if not len(candidates):
                continue
            found = windows[candidates]
            places = np.minimum(np.searchsorted(self._starts, found), len(self._starts) - 1)
            for candidate in candidates[self._starts[places] == found]:
                offset = begin + int(candidate)
                for pattern, label in self._by_start[int(windows[candidate])]:
                    if data.startswith(pattern, offset):
                        yield offset, label
