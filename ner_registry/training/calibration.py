"""Whether a probability means what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

BINS = 15


def bins_of(scores: Any) -> Any:
    """The bin of each score, (predictions,): of equal width, each with its upper end alone."""
    return np.clip(np.ceil(scores * BINS).astype(int) - 1, 0, BINS - 1)


def expected_calibration_error(scores: Sequence[float], is_right: Sequence[bool]) -> float:
    """The expected calibration error, from 0 to 1 (Guo et al. 2017, equation 3).

    Predictions are put into 15 bins of equal width by their scores; it is the mean difference,
    weighted by the predictions in a bin, between how many of these are right and how many their
    scores say. 0 where there is none.

    Args:
        scores: the probability of each prediction, from 0 to 1.
        is_right: whether each is right.
    """
    if not scores:
        return 0.0
    confidence, right = np.asarray(scores, float), np.asarray(is_right, float)
    surplus = np.bincount(bins_of(confidence), weights=right - confidence)
    return float(np.abs(surplus).sum() / len(scores))
