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

    def owners(self, *, inside: str = "") -> set[int]:
        """Whose values were found, in places whose name holds `inside`."""
        return {planted.owner for planted, _, where in self.hits if inside in where}

    def only(self, kinds: Iterable[str], *, but: bool = False) -> Result:
        """The part of the findings that is of these kinds, or of all but these."""
        wanted = set(kinds)
        return Result([hit for hit in self.hits if (hit[0].kind in wanted) != but], self.layers)

    def told(self, most: int = 40) -> str:
        """Findings for a failing test: kind, form and place; never the value, which is synthetic but secret-shaped."""
        owners = defaultdict(set)
        for planted, form, where in self.hits:
            place = re.sub(r"\d+", "#", re.sub(r"^/tmp/pytest-of-\w+/[^/]+/", "", where))
            owners[f"{planted.kind} as {form} in {place}"].add(planted.owner)
        lines = [f"{len(who)} persons: {line}" for line, who in sorted(owners.items())]
        return f"{len(self.hits)} hits\n" + "\n".join(lines[:most])


class Scanner:
    """Ready to search for planted values in all their forms."""

    def __init__(self, planted: Iterable[Planted], *, without_digests: Iterable[Planted] = ()) -> None:
        """`without_digests`: values whose digest the product is meant to store, like tokens."""
        both = [(value, forms) for value in planted] + [(value, encodings_only) for value in without_digests]
        self.patterns = Patterns(
            ((value, form), coded) for value, forms_of in both for form, coded in forms_of(value) if len(coded) >= WINDOW)

    def search(self, *roots: pathlib.Path) -> Result:
        result = Result()
        for root in roots:
            for where, data in result.layers.of_tree(root):
                self._collect(result, where, data)
        return result

    def _collect(self, result: Result, where: str, data: bytes) -> None:
        for _, (planted, form) in self.patterns.find(data):
            result.hits.append((planted, form, where))


def encodings_only(planted: Planted):
    """The forms of a value but its digests."""
    return ((form, coded) for form, coded in forms(planted) if not form.startswith("digest"))
