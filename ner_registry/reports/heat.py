"""Confusions as a table whose cells are the warmer, the more is in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from ner_registry.data.schemes import TagScheme
from ner_registry.reports.judged import Judged
from ner_registry.reports.mistakes import confusions
from ner_registry.reports.scores import token_tags

NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """How often something was predicted for something.

    Attributes:
        count: how often.
        heat: from 0 to 1, the square root of its share of the row, so that rare confusions
            show too.
        is_right: whether the two are the same.
    """

    count: int
    heat: float
    is_right: bool


@dataclass(frozen=True)
class HeatMap:
    """A row for each true name, a column for each predicted one."""

    title: str
    names: list[str]
    rows: list[tuple[str, list[Cell | None]]]


def entity_heat(sentences: Sequence[Judged]) -> HeatMap:
    """Labels; an entity that overlaps none of the other side stands against nothing."""
    counts = {
        (gold or NOTHING, predicted or NOTHING): count
        for (gold, predicted), count in confusions(sentences).items()
    }
    names = sorted({name for pair in counts for name in pair} - {NOTHING})
    return _heat("entities", [*names, NOTHING], counts, {(NOTHING, NOTHING)})


def token_heat(sentences: Sequence[Judged], scheme: TagScheme) -> HeatMap:
    """Tags of a scheme."""
    counts = Counter(zip(*token_tags(sentences, scheme), strict=True))
    names = sorted({name for pair in counts for name in pair})
    return _heat("tokens", names, counts, set())


def _heat(
    title: str,
    names: list[str],
    counts: Mapping[tuple[str, str], int],
    empty: set[tuple[str, str]],
) -> HeatMap:
    rows = []
    for gold in names:
        total = sum(counts.get((gold, predicted), 0) for predicted in names)
        cells: list[Cell | None] = []
        for predicted in names:
            count = counts.get((gold, predicted), 0)
            heat = sqrt(count / total) if total else 0.0
            is_empty = (gold, predicted) in empty
            cells.append(None if is_empty else Cell(count, heat, gold == predicted))
        rows.append((gold, cells))
    return HeatMap(title, names, rows)
