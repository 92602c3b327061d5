"""Searches bytes for very many patterns at once.

Eight bytes of every pattern go into a table; a sliding window over the data is hashed with numpy, and only where a window
hits the table are the patterns themselves compared. Three million patterns cost little more than a hundred.
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
        # Window → (pattern, where in it the window lies, label).
        self._by_window: dict[int, list[tuple[bytes, int, object]]] = defaultdict(list)
        known = set()
        self.count = 0
        for label, pattern in labelled:
            if len(pattern) < WINDOW:
                raise ValueError(f"a pattern of {len(pattern)} bytes ({label})")
            self.count += 1
            if pattern not in known:
                known.add(pattern)
                at = _telling(pattern)
                self._by_window[int.from_bytes(pattern[at:at + WINDOW], "little")].append((pattern, at, label))
        windows = np.fromiter(self._by_window, dtype=np.uint64, count=len(self._by_window))
        self._windows = np.sort(windows)
        self._table = np.zeros(1 << _BITS, dtype=bool)
        self._table[self._slots(windows)] = True

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
            places = np.minimum(np.searchsorted(self._windows, found), len(self._windows) - 1)
            for candidate in candidates[self._windows[places] == found]:
                for pattern, at, label in self._by_window[int(windows[candidate])]:
                    offset = begin + int(candidate) - at
                    if offset >= 0 and data.startswith(pattern, offset):
                        yield offset, label


def _telling(pattern: bytes) -> int:
    """Where in a pattern a window begins that is rare: not one of zeros, which fill databases."""
    if len(set(pattern[:WINDOW])) > 3:
        return 0
    return max(range(len(pattern) - WINDOW + 1), key=lambda at: len(set(pattern[at:at + WINDOW])))
