"""Whether a score of 0.9 means right nine times out of ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ner_registry.reports.judged import Judged
from ner_registry.training.calibration import BINS, bins_of, expected_calibration_error


@dataclass(frozen=True)
class Bin:
    """Predicted entities of like score.

    Attributes:
        low: where the scores of the bin begin.
        high: where they end.
        count: how many there are.
        confidence: their mean score.
        accuracy: the share of them that are right.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How scores and truth agree.

    Attributes:
        bins: of equal width in the score, the empty ones left out.
        error: the expected calibration error.
    """

    bins: list[Bin]
    error: float


def calibration(sentences: Sequence[Judged]) -> Calibration:
    """That of the predicted entities' scores."""
    scores = np.array([score for sentence in sentences for score in sentence.scores])
    right = np.array([span in s.correct for s in sentences for span in s.predicted], float)
    numbers = bins_of(scores)
    bins = []
    for number in np.unique(numbers):
        inside = numbers == number
        confidence, accuracy = scores[inside].mean(), right[inside].mean()
        ends = float(number / BINS), float((number + 1) / BINS)
        bins.append(Bin(*ends, int(inside.sum()), float(confidence), float(accuracy)))
    return Calibration(bins, expected_calibration_error(scores.tolist(), right.tolist()))
