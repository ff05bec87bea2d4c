"""The bootstrap: how far a score depends on which texts happened to be in the data.

Efron & Tibshirani 1993, An Introduction to the Bootstrap; for comparing systems on one test set
Berg-Kirkpatrick, Burkett & Klein 2012, An Empirical Investigation of Statistical Significance
in NLP.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ner_registry.errors import NerError

Floats = NDArray[np.float64]

SAMPLES = 10_000
_CHUNK = 2_000_000  # drawn at once
_TAILS = (2.5, 97.5)  # per cent: between them lie 95
_FEWEST_DOCUMENTS = 20  # resampling a handful of units says nothing


@dataclass(frozen=True)
class Units:
    """What is drawn: whole documents, whose sentences resemble each other, or sentences.

    Attributes:
        name: ``documents`` or ``sentences``.
        of_sentence: (sentences,) the number of each sentence's unit, from 0.
        count: how many units there are.
    """

    name: str
    of_sentence: NDArray[np.int64]
    count: int

    def total(self, counts: Floats) -> Floats:
        """Counts by sentence, (sentences, …), summed over each unit: (units, …)."""
        result = np.zeros((self.count, *counts.shape[1:]))
        np.add.at(result, self.of_sentence, counts)
        return result


def units_of(documents: Sequence[int] | None, sentences: int) -> Units:
    """Documents where the sentences' are known and there are enough of them, else sentences.

    Args:
        documents: the number of each sentence's document, where it is known.
        sentences: how many there are.

    Raises:
        NerError: the documents are those of another number of sentences.
    """
    if documents is not None and len(documents) != sentences:
        raise NerError(
            f"expected predictions of the data's {len(documents):,} sentences, got {sentences:,}"
        )
    if documents is not None and len(set(documents)) >= _FEWEST_DOCUMENTS:
        names, numbers = np.unique(documents, return_inverse=True)
        return Units("documents", numbers, len(names))
    return Units("sentences", np.arange(sentences), sentences)


def f1(counts: Floats) -> Floats:
    """F1 of counts (…, 3) of correct, predicted and true entities; 0 where there are none."""
    correct, predicted, gold = np.moveaxis(counts, -1, 0)
    result: Floats = 2 * correct / np.maximum(predicted + gold, 1)
    return result


def resampled(counts: Floats, samples: int, rng: np.random.Generator) -> Floats:
    """Counts by unit, (units, …), summed over samples of as many units: (samples, …)."""
    flat = counts.reshape(len(counts), -1)
    sums = np.concatenate([weights @ flat for weights in _weights(len(counts), samples, rng)])
    return sums.reshape(samples, *counts.shape[1:])


def interval(values: Floats) -> tuple[Floats, Floats]:
    """The 95 % interval between percentiles over the first axis: its ends, each (…)."""
    low, high = np.percentile(values, _TAILS, axis=0)
    return low, high


def p_value(observed: Floats, differences: Floats) -> Floats:
    """How often chance alone gives so great a difference, in either direction.

    Args:
        observed: (…) the difference in the data.
        differences: (samples, …) the difference in each sample. Around the observed one they
            scatter as, were there no difference, they would around 0.
    """
    as_great = np.abs(differences - observed) >= np.abs(observed)
    result: Floats = (1 + as_great.sum(0)) / (1 + len(differences))
    return result


def _weights(units: int, samples: int, rng: np.random.Generator) -> Iterator[Floats]:
    """(rows, units) a few samples at a time: how often each unit was drawn."""
    at_once = max(1, _CHUNK // units)
    for first in range(0, samples, at_once):
        rows = min(at_once, samples - first)
        drawn = rng.integers(units, size=(rows, units)) + units * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).astype(float)
