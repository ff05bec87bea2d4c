"""F1 by what entities or their sentences are like."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ner_registry.data.schemes import Span
from ner_registry.reports.bootstrap import Units, f1, interval, resampled
from ner_registry.reports.judged import Judged
from ner_registry.reports.known import Known

_SAMPLES = 1_000
_ENTITY_LENGTHS = (1, 2, 3, 4, 5)
_SENTENCE_LENGTHS = (1, 6, 11, 21, 31, 41)
_WORDS = ("every word seen", "some words seen", "no word seen")
_ENTITIES = ("seen with this label", "seen with other labels only", "never seen")

Group = Callable[[Judged, Span], int]


@dataclass(frozen=True)
class Row:
    """The entities of one group.

    Attributes:
        name: of the group.
        gold: how many true ones there are.
        predicted: how many predicted ones.
        precision: the share of the predicted that are true.
        recall: the share of the true that were predicted.
        f1: the harmonic mean of the two.
        low: where its 95 % bootstrap interval begins.
        high: where that ends.
    """

    name: str
    gold: int
    predicted: int
    precision: float
    recall: float
    f1: float
    low: float
    high: float


def by_entity_length(sentences: Sequence[Judged], units: Units) -> list[Row]:
    """By how many tokens an entity has."""
    names = _ranges(_ENTITY_LENGTHS)
    return _rows(
        sentences, units, names, lambda _, s: bisect_right(_ENTITY_LENGTHS, s.end - s.start) - 1
    )


def by_sentence_length(sentences: Sequence[Judged], units: Units) -> list[Row]:
    """By how many tokens its sentence has."""
    names = _ranges(_SENTENCE_LENGTHS)
    return _rows(
        sentences, units, names, lambda t, _: bisect_right(_SENTENCE_LENGTHS, len(t.words)) - 1
    )


def by_words_seen(sentences: Sequence[Judged], units: Units, known: Known) -> list[Row]:
    """By how many of an entity's words are in the training data."""

    def group(sentence: Judged, span: Span) -> int:
        seen = [known.has_word(word) for word in sentence.words[span.start : span.end]]
        return 0 if all(seen) else 1 if any(seen) else 2

    return _rows(sentences, units, _WORDS, group)


def by_entities_seen(sentences: Sequence[Judged], units: Units, known: Known) -> list[Row]:
    """By whether the training data has an entity of the same words."""

    def group(sentence: Judged, span: Span) -> int:
        labels = known.labels_of(sentence.text(span))
        return 0 if span.label in labels else 1 if labels else 2

    return _rows(sentences, units, _ENTITIES, group)


def _rows(
    sentences: Sequence[Judged], units: Units, names: Sequence[str], group: Group
) -> list[Row]:
    """Each predicted and each true entity counts in the group that it belongs to itself."""
    counts = np.zeros((len(sentences), len(names), 3))
    for number, sentence in enumerate(sentences):
        for column, spans in enumerate((sentence.correct, sentence.predicted, sentence.gold)):
            for span in spans:
                counts[number, group(sentence, span), column] += 1
    by_unit = units.total(counts)
    low, high = interval(f1(resampled(by_unit, _SAMPLES, np.random.default_rng(0))))
    total = by_unit.sum(0)
    overall = f1(total)
    return [
        Row(
            name,
            gold=int(gold),
            predicted=int(predicted),
            precision=correct / max(predicted, 1),
            recall=correct / max(gold, 1),
            f1=float(overall[number]),
            low=float(low[number]),
            high=float(high[number]),
        )
        for number, (name, (correct, predicted, gold)) in enumerate(
            zip(names, total.tolist(), strict=True)
        )
        if gold or predicted
    ]


def _ranges(firsts: Sequence[int]) -> list[str]:
    """Names of the ranges that begin at these numbers."""
    names = [
        f"{first}–{after - 1}" if after - first > 1 else f"{first}"
        for first, after in pairwise(firsts)
    ]
    return [*names, f"{firsts[-1]} or more"]
