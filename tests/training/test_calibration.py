from __future__ import annotations

import random

import pytest

from ner_registry.training.calibration import expected_calibration_error


def test_a_bin_written_out() -> None:
    """Two bins of 15: 0.70 and 0.72 of which one is right, and 1.0 that is wrong."""
    error = expected_calibration_error([0.70, 0.72, 1.0], [True, False, False])
    assert error == pytest.approx((2 * abs(0.71 - 0.5) + 1.0) / 3)


def test_a_bin_holds_its_upper_end() -> None:
    # 3/15 is in the third bin with 0.15, not in the fourth with 0.25
    together = expected_calibration_error([3 / 15, 0.15], [True, False])
    apart = expected_calibration_error([3 / 15, 0.25], [True, False])
    assert together == pytest.approx(abs(3 / 15 + 0.15 - 1) / 2)
    assert apart == pytest.approx((1 - 3 / 15 + 0.25) / 2)


def test_scores_that_mean_what_they_say() -> None:
    generator = random.Random(0)
    scores = [generator.random() for _ in range(100_000)]
    is_right = [generator.random() < score for score in scores]
    assert expected_calibration_error(scores, is_right) < 0.01
    overconfident = [score**0.5 for score in scores]
    assert expected_calibration_error(overconfident, is_right) == pytest.approx(1 / 6, abs=0.01)


def test_the_ends_and_nothing() -> None:
    assert expected_calibration_error([0.0, 1.0], [False, True]) == 0
    assert expected_calibration_error([], []) == 0
