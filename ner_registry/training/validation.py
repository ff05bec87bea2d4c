"""Which epoch is the best, and when none better is to come."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ner_registry.errors import RunError
from ner_registry.training.progress import Progress


class Validation:
    """Judges epochs.

    Args:
        measure: gives the validation metrics of the model as it is, and calls what it is given
            now and then, which may raise; None: no validation, and the last epoch is the best.
        metric: what decides, after ``+`` where more is better and ``-`` where less is.
        patience: epochs without a better one after which none is waited for; None: never.
    """

    def __init__(
        self,
        measure: Callable[[Callable[[], None]], dict[str, float]] | None,
        metric: str,
        patience: int | None,
    ) -> None:
        self.measure = measure
        self.metric = metric
        self.patience = patience

    def judge(
        self, metrics: dict[str, Any], progress: Progress, check_for_stop: Callable[[], None]
    ) -> bool:
        """Adds an epoch's validation metrics, and the best so far; whether those are its own.

        Raises:
            RunError: one of them isn't a finite number.
        """
        if self.measure is not None:
            for name, value in self.measure(check_for_stop).items():
                if not math.isfinite(value):
                    epoch = metrics["epoch"]
                    raise RunError(f"the validation {name} became {value} in epoch {epoch}")
                metrics[f"validation_{name}"] = value
        is_best = not progress.history or self.score(metrics) > self.score(progress.best)
        best = metrics if is_best else progress.best
        metrics["best_epoch"] = best["epoch"]
        for name in [name for name in metrics if name.startswith("validation_")]:
            metrics[f"best_{name}"] = best[name]
        return is_best

    def score(self, metrics: dict[str, Any]) -> float:
        """The metric, turned so that more is better; rising without validation."""
        if self.measure is None:
            return float(metrics["epoch"])
        # a label that isn't in the validation data was found nowhere
        value = float(metrics.get(f"validation_{self.metric[1:]}", 0.0))
        return value if self.metric[0] == "+" else -value

    def ran_out_of_patience(self, progress: Progress) -> bool:
        """Whether to stop."""
        if self.patience is None or not progress.history:
            return False
        return bool(progress.history[-1]["epoch"] - progress.best["epoch"] >= self.patience)
