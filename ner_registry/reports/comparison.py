"""A comparison of runs: all that is told of it, before it is printed in some form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ner_registry.reports.bootstrap import SAMPLES, units_of
from ner_registry.reports.changes import Change, Changes, changes
from ner_registry.reports.groups import (
    PREFIXES,
    Group,
    config_differences,
    costs,
    metrics_side_by_side,
)
from ner_registry.reports.judged import Judged
from ner_registry.reports.run import SPLITS
from ner_registry.reports.significance import Difference, f1_differences, seeds_p


@dataclass(frozen=True)
class Pair:
    """Two groups on the same sentences.

    Attributes:
        split: ``validation`` or ``test``.
        first: the first group.
        second: the other.
        units: what the bootstrap draws: ``documents`` or ``sentences``.
        count: how many there are.
        differences: of entity F1, overall and by label.
        seeds_p: whether the seeds alone could make the difference; None for single runs.
        changes: what the second mends and breaks.
    """

    split: str
    first: Group
    second: Group
    units: str
    count: int
    differences: list[Difference]
    seeds_p: float | None
    changes: Changes

    def sentences(self, change: Change) -> tuple[Judged, Judged]:
        """The sentence of a change as a run of each group tags it that shows the change."""
        is_mended = change.second > change.first
        return (
            _shown(self.first, self.split, change, right=not is_mended),
            _shown(self.second, self.split, change, right=is_mended),
        )


@dataclass(frozen=True)
class Comparison:
    """Groups of runs side by side, each but the first tested against the first.

    Attributes:
        groups: the groups.
        config: keys in which they differ, and their values.
        metrics: a row for each metric.
        costs: what they took, likewise.
        pairs: what is the same data of both.
        notes: what couldn't be compared, and why.
    """

    groups: list[Group]
    config: dict[str, list[Any]]
    metrics: dict[str, list[dict[str, Any] | None]]
    costs: dict[str, list[dict[str, Any] | None]]
    pairs: list[Pair]
    notes: list[str]


def compare_groups(groups: list[Group], documents: Mapping[str, Sequence[int]]) -> Comparison:
    """Compares groups of runs.

    Args:
        groups: two or more.
        documents: of ``validation`` and ``test``, as far as they are known, the document of
            each sentence.

    Raises:
        NerError: a file of a run is broken.
    """
    pairs = []
    notes = []
    for split in SPLITS:
        for group in groups[1:]:
            fault = _mismatch(groups[0], group, split)
            if fault is None:
                pairs.append(_pair(split, groups[0], group, documents.get(split)))
            else:
                notes.append(f"{split}: {groups[0].name} and {group.name} {fault}")
    return Comparison(
        groups,
        config_differences(groups),
        metrics_side_by_side(groups),
        costs(groups),
        pairs,
        notes,
    )


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON has it."""
    return {
        "runs": [
            {"name": group.name, "directories": [str(run.directory) for run in group.runs]}
            for group in comparison.groups
        ],
        "config": comparison.config,
        "metrics": comparison.metrics,
        "costs": comparison.costs,
        "comparisons": [_pair_as_json(pair) for pair in comparison.pairs],
        "notes": comparison.notes,
    }


def _pair_as_json(pair: Pair) -> dict[str, Any]:
    found = asdict(pair.changes)
    for name in ("mended", "broken"):
        found[name] = [
            {
                "sentence": change.sentence,
                "label": change.span.label,
                "start": change.span.start,
                "end": change.span.end,
                "text": pair.sentences(change)[0].text(change.span),
                "is_gold": change.is_gold,
                "first": change.first,
                "second": change.second,
            }
            for change in getattr(pair.changes, name)
        ]
    return {
        "data": pair.split,
        "first": pair.first.name,
        "second": pair.second.name,
        "units": pair.units,
        "count": pair.count,
        "samples": SAMPLES,
        "f1": {row.label: _without_label(row) for row in pair.differences},
        "seeds_p": pair.seeds_p,
        "changes": found,
    }


def _without_label(row: Difference) -> dict[str, float]:
    return {name: value for name, value in asdict(row).items() if name != "label"}


def _pair(split: str, first: Group, second: Group, documents: Sequence[int] | None) -> Pair:
    before, after = ([run.predictions[split] for run in group.runs] for group in (first, second))
    units = units_of(documents, len(before[0]))
    scores = [group.values(f"{PREFIXES[split]}f1-measure-overall") for group in (first, second)]
    return Pair(
        split,
        first,
        second,
        units.name,
        units.count,
        f1_differences(before, after, units),
        seeds_p(*scores),
        changes(before, after),
    )


def _mismatch(first: Group, second: Group, split: str) -> str | None:
    """Why two groups can't be compared on some data; None where they can."""
    runs = [*first.runs, *second.runs]
    if not all(split in run.predictions for run in runs):
        return "don't both have predictions of it"
    expected = [(sentence.words, sentence.gold) for sentence in runs[0].predictions[split]]
    for run in runs[1:]:
        if [(sentence.words, sentence.gold) for sentence in run.predictions[split]] != expected:
            return "have predictions of different sentences, so that no difference can be tested"
    return None


def _shown(group: Group, split: str, change: Change, *, right: bool) -> Judged:
    sentences = [run.predictions[split][change.sentence] for run in group.runs]
    showing = [s for s in sentences if ((change.span in s.predicted) == change.is_gold) == right]
    return (showing or sentences)[0]
