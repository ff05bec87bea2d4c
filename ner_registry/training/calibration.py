"""Whether a probability means what it says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_BINS = 15


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
    # a bin holds its upper end, not its lower one
    bins = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    surplus = np.bincount(bins, weights=right - confidence, minlength=_BINS)
    return float(np.abs(surplus).sum() / len(scores))
