"""A comparison as tables to read on a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tabulate import tabulate

from ner_registry.reports.bootstrap import SAMPLES
from ner_registry.reports.changes import Change
from ner_registry.reports.comparison import Comparison, Pair

_EXAMPLES = 5


def as_text(comparison: Comparison) -> str:
    """The comparison; metrics and scores are from 0 to 1."""
    names = [group.name for group in comparison.groups]
    config = [[path, *map(json.dumps, row)] for path, row in comparison.config.items()]
    parts = [
        "what differs in the config\n" + tabulate(config, ["key", *names], disable_numparse=True)
        if config
        else "the configs are the same",
        _side_by_side("metric", names, comparison.metrics, 4),
        _side_by_side("cost", names, comparison.costs, None),
        *map(_pair, comparison.pairs),
        *comparison.notes,
    ]
    return "\n\n".join(parts)


def mean_text(summary: Mapping[str, Any] | None, places: int | None = None) -> str:
    """A mean, and the deviation where there are several values.

    Args:
        summary: of some values; None where there are none.
        places: decimal places; None: as many as the mean's size makes sense of.
    """
    if summary is None:
        return ""
    mean, deviation = summary["mean"], summary["standard_deviation"]
    form = f",.{(0 if mean >= 1000 else 1) if places is None else places}f"
    return format(mean, form) + (f" ± {format(deviation, form)}" if deviation else "")


def _side_by_side(
    title: str, names: Sequence[str], rows: Mapping[str, Sequence[Any]], places: int | None
) -> str:
    body = [[name, *(mean_text(summary, places) for summary in row)] for name, row in rows.items()]
    aligned = ["left", *["right"] * len(names)]
    return tabulate(body, [title, *names], disable_numparse=True, colalign=aligned)


def _pair(pair: Pair) -> str:
    first, second = pair.first.name, pair.second.name
    rows = [
        [d.label, d.first, d.second, d.difference, f"{d.low:+.4f} to {d.high:+.4f}", d.p]
        for d in pair.differences
    ]
    formats = ("", ".4f", ".4f", "+.4f", "", ".4f")
    headers = ["entity F1", first, second, "difference", "95 % interval", "p"]
    changes = pair.changes
    lines = [
        f"{pair.split}: {second} against {first}, paired bootstrap over {pair.count:,} "
        f"{pair.units}, {SAMPLES:,} samples",
        tabulate(rows, headers, floatfmt=formats),
    ]
    if pair.seeds_p is not None:
        lines.append(f"seeds alone (permutation test): p = {pair.seeds_p:.4f}")
    lines.append(
        f"{second} finds {_count(changes.found)} entities that {first} doesn't, and loses "
        f"{_count(changes.lost)}; it drops {_count(changes.dropped)} false ones, and adds "
        f"{_count(changes.added)}"
    )
    for what, examples in (("mends", changes.mended), ("breaks", changes.broken)):
        lines += [f"{what}: {_example(pair, change)}" for change in examples[:_EXAMPLES]]
    return "\n".join(lines)


def _count(mean: float) -> str:
    """Of entities, over runs: a whole number where it is one."""
    return f"{round(mean, 1):,g}"


def _example(pair: Pair, change: Change) -> str:
    sentence, _ = pair.sentences(change)
    kind = change.span.label if change.is_gold else f"false {change.span.label}"
    return (
        f"{kind} {sentence.text(change.span)!r} (right in {change.first:.0%}, "
        f"{change.second:.0%}), sentence {change.sentence + 1}"
    )
