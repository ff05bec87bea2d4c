"""Which epoch is the best."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ner_registry.errors import RunError
from ner_registry.training.progress import Progress
from ner_registry.training.validation import Validation


def judged(metric: str, values: list[float]) -> tuple[Validation, Progress, list[bool]]:
    """Epochs with such values of the metric, patience for two that aren't the best."""
    calls = []

    def measure(check_for_stop: Callable[[], None]) -> dict[str, float]:
        check_for_stop()
        return {metric[1:]: values[len(progress.history)]}

    progress = Progress()
    validation = Validation(measure, metric, patience=2)
    are_best = []
    for epoch in range(len(values)):
        metrics = {"epoch": epoch}
        are_best.append(validation.judge(metrics, progress, lambda: calls.append(1)))
        progress.end_epoch(metrics)
    assert len(calls) == len(values)
    return validation, progress, are_best


@pytest.mark.parametrize(
    ("metric", "values", "are_best", "is_over"),
    [
        ("+accuracy", [0.1, 0.3, 0.3, 0.2], [True, True, False, False], True),
        ("-loss", [0.1, 0.3, 0.05, 0.2], [True, False, True, False], False),
    ],
)
def test_the_first_of_the_best(
    metric: str, values: list[float], are_best: list[bool], is_over: bool
) -> None:
    validation, progress, found = judged(metric, values)
    assert found == are_best
    last = len(are_best) - 1 - are_best[::-1].index(True)
    assert progress.best["epoch"] == last
    assert progress.history[-1][f"best_validation_{metric[1:]}"] == values[last]
    assert validation.ran_out_of_patience(progress) == is_over


def test_without_validation_the_last_is_the_best() -> None:
    validation, progress = Validation(None, "+accuracy", patience=None), Progress()
    for epoch in range(3):
        metrics = {"epoch": epoch}
        assert validation.judge(metrics, progress, lambda: None)
        progress.end_epoch(metrics)
    assert progress.best["epoch"] == 2
    assert not validation.ran_out_of_patience(progress)


def test_a_metric_that_is_not_a_number() -> None:
    with pytest.raises(RunError, match="the validation loss became nan in epoch 0"):
        judged("-loss", [float("nan")])
