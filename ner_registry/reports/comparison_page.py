"""A comparison as a page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ner_registry.reports.bootstrap import SAMPLES
from ner_registry.reports.changes import Change
from ner_registry.reports.charts import Line, curves, differences, percentages
from ner_registry.reports.comparison import Comparison, Pair
from ner_registry.reports.comparison_text import mean_text
from ner_registry.reports.groups import PREFIXES, Group
from ner_registry.reports.marked import Piece, pieces
from ner_registry.reports.page import HUES, render
from ner_registry.reports.run import SPLITS

_METRIC = "validation_f1-measure-overall"
KINDS = ("mended", "broken")


@dataclass(frozen=True)
class Card:
    """A change on the page: the sentence in truth, by the first and by the second group."""

    change: Change
    text: str
    sides: tuple[list[Piece], list[Piece], list[Piece]]


@dataclass(frozen=True)
class Section:
    """What is shown of a pair."""

    pair: Pair
    chart: Markup
    cards: dict[str, list[Card]]


def comparison_page(comparison: Comparison) -> bytes:
    """The page."""
    sections = [_section(pair) for pair in comparison.pairs]
    labels = sorted({d.label for pair in comparison.pairs for d in pair.differences[1:]})
    return render(
        "compare.html",
        comparison=comparison,
        metrics={split: _short_names(comparison.metrics, split) for split in SPLITS},
        config={path: [json.dumps(v) for v in row] for path, row in comparison.config.items()},
        sections=sections,
        labels=labels,
        hues={label: number % HUES for number, label in enumerate(labels)},
        kinds=KINDS,
        samples=SAMPLES,
        mean_text=mean_text,
        curves=_curves(comparison.groups),
    )


def _short_names(metrics: dict[str, list[Any]], split: str) -> dict[str, list[Any]]:
    """The rows of one split, without its name in theirs."""
    prefix = PREFIXES[split]
    return {
        name.removeprefix(prefix).replace("f1-measure-", "F1, ").replace("_", " "): row
        for name, row in metrics.items()
        if name.startswith(prefix)
    }


def _section(pair: Pair) -> Section:
    rows = {d.label: (100 * d.difference, 100 * d.low, 100 * d.high) for d in pair.differences}
    title = f"F1 of {pair.second.name} less that of {pair.first.name}, {pair.split} data"
    cards = {
        "mended": [_card(pair, change) for change in pair.changes.mended],
        "broken": [_card(pair, change) for change in pair.changes.broken],
    }
    return Section(pair, differences(title, rows), cards)


def _card(pair: Pair, change: Change) -> Card:
    first, second = pair.sentences(change)
    span = change.span
    sides = (
        pieces(first.words, first.gold, span, span),
        pieces(first.words, first.predicted, span, span),
        pieces(second.words, second.predicted, span, span),
    )
    return Card(change, first.text(span), sides)


def _curves(groups: list[Group]) -> Markup | None:
    """Validation F1 by epoch, a line for each run in its group's colour."""
    lines = [
        Line(
            group.name if not number else "",
            percentages(run.history, _METRIC),
            series,
            heavy=len(group.runs) == 1,
        )
        for series, group in enumerate(groups)
        for number, run in enumerate(group.runs)
        if run.history and _METRIC in run.history[0]
    ]
    return curves("validation F1 by epoch", lines) if lines else None
