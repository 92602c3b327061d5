"""Plants, forms and layers put together: what of the planted is found, where and in which form."""

from __future__ import annotations

import pathlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from .forms import Planted, forms
from .search import WINDOW, Patterns
from .unpack import Layers


@dataclass
class Result:
    """What a search found."""

    hits: list[tuple[Planted, str, str]] = field(default_factory=list)
    layers: Layers = field(default_factory=Layers)

    def owners(self) -> set[int]:
        return {planted.owner for planted, _, _ in self.hits}

    def told(self, most: int = 40) -> str:
        """Findings for a failing test: kind, form and place; never the value, which is synthetic but secret-shaped."""
        owners = defaultdict(set)
        for planted, form, where in self.hits:
            place = re.sub(r"\d+", "#", re.sub(r"^/tmp/pytest-of-\w+/[^/]+/", "", where))
            owners[f"{planted.kind} as {form} in {place}"].add(planted.owner)
        lines = [f"{len(who)} persons: {line}" for line, who in sorted(owners.items())]
        return f"{len(self.hits)} hits\n" + "\n".join(lines[:most])


class Scanner:
    """Ready to search for a set of planted values in all their forms."""

    def __init__(self, planted: Iterable[Planted], *, raw_only: bool = False) -> None:
        self.planted = list(planted)
        self.patterns = Patterns(
            ((value, form), coded)
            for value in self.planted
            for form, coded in (forms(value) if not raw_only else encodings_only(value))
            if len(coded) >= WINDOW)

    def search(self, *roots: pathlib.Path) -> Result:
        result = Result()
        for root in roots:
            for where, data in result.layers.of_tree(root):
                self._collect(result, where, data)
        return result

    def search_bytes(self, where: str, data: bytes) -> Result:
        result = Result()
        for inner, layer in result.layers.of_bytes(where, data):
            self._collect(result, inner, layer)
        return result

    def _collect(self, result: Result, where: str, data: bytes) -> None:
        for _, (planted, form) in self.patterns.find(data):
            result.hits.append((planted, form, where))


def encodings_only(planted: Planted):
    """The forms without digests: for credentials, whose SHA-256 is what the product is meant to store."""
    return ((form, coded) for form, coded in forms(planted) if not form.startswith("digest"))
