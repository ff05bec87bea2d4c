"""Whether one group of runs finds entities better than another, or only by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from ner_registry.data.schemes import Span
from ner_registry.reports.bootstrap import (
    SAMPLES,
    Floats,
    Units,
    f1,
    interval,
    p_value,
    resampled,
)
from ner_registry.reports.judged import Judged, labels_of
from ner_registry.reports.scores import OVERALL

_MOST_SPLITS = 100_000  # of seeds in two groups that are all tried


@dataclass(frozen=True)
class Difference:
    """How much better the second group is.

    Attributes:
        label: of the entities, or ``overall``.
        first: entity F1 of the first group, the mean of its runs.
        second: likewise.
        difference: the second less the first.
        low: where the 95 % bootstrap interval of the difference begins.
        high: where it ends.
        p: how likely so great a difference is where there is none, two-sided.
    """

    label: str
    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float


def f1_differences(
    first: Sequence[Sequence[Judged]], second: Sequence[Sequence[Judged]], units: Units
) -> list[Difference]:
    """Paired bootstrap of entity F1, overall and by label: every run is given the same texts.

    Where a group has several runs, of which the seeds were chosen as freely as the texts, those
    are drawn anew in each sample too.

    Args:
        first: the sentences of each run of the first group.
        second: likewise, the same sentences.
        units: what is drawn.
    """
    labels = labels_of(sentence for run in (*first, *second) for sentence in run)
    names = [OVERALL, *labels]
    counts = np.stack([_counts(run, units, labels) for run in (*first, *second)], 1)
    rng = np.random.default_rng(0)
    drawn = f1(resampled(counts, SAMPLES, rng))  # (samples, runs, names)
    observed = f1(counts.sum(0))  # (runs, names)
    cut = len(first)
    difference = observed[cut:].mean(0) - observed[:cut].mean(0)
    differences = _mean_of_drawn(drawn[:, cut:], rng) - _mean_of_drawn(drawn[:, :cut], rng)
    low, high = interval(differences)
    p = p_value(difference, differences)
    return [
        Difference(
            name,
            float(observed[:cut, number].mean()),
            float(observed[cut:, number].mean()),
            *(float(values[number]) for values in (difference, low, high, p)),
        )
        for number, name in enumerate(names)
    ]


def seeds_p(first: Sequence[float], second: Sequence[float]) -> float | None:
    """How often a random split of all runs gives means so far apart, two-sided.

    An exact permutation test (Fisher 1935), which says whether the seeds alone could do it; of
    very many splits, ten thousand are drawn. None where a group has one run.
    """
    if min(len(first), len(second)) < 2:
        return None
    values = np.array([*first, *second])
    runs, size = len(values), len(first)
    if comb(runs, size) <= _MOST_SPLITS:
        splits = np.array(list(combinations(range(runs), size)))
        chance = 0
    else:
        rng = np.random.default_rng(0)
        splits = rng.permuted(np.tile(np.arange(runs), (SAMPLES, 1)), axis=1)[:, :size]
        chance = 1
    sums = values[splits].sum(1)
    gaps = np.abs(sums / size - (values.sum() - sums) / (runs - size))
    observed = abs(np.mean(first) - np.mean(second))
    return float(((gaps >= observed - 1e-12).sum() + chance) / (len(splits) + chance))


def _counts(run: Sequence[Judged], units: Units, labels: Sequence[str]) -> Floats:
    """(units, names, 3): correct, predicted and true entities; the first name is of all."""
    numbers = {label: number for number, label in enumerate(labels, 1)}
    counts = np.zeros((len(run), len(labels) + 1, 3))
    for row, sentence in zip(counts, run, strict=True):
        sides: tuple[frozenset[Span] | list[Span], ...]
        sides = (sentence.correct, sentence.predicted, sentence.gold)
        for column, spans in enumerate(sides):
            for span in spans:
                row[0, column] += 1
                row[numbers[span.label], column] += 1
    return units.total(counts)


def _mean_of_drawn(scores: Floats, rng: np.random.Generator) -> Floats:
    """(samples, runs, names) -> (samples, names): the mean of as many runs, drawn with return."""
    samples, runs, _ = scores.shape
    drawn = rng.integers(runs, size=(samples, runs, 1))
    result: Floats = np.take_along_axis(scores, drawn, 1).mean(1)
    return result
