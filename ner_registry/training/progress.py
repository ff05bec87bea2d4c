"""How far training has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Progress:
    """How far training has come, the weights and what changes them aside.

    Attributes:
        epoch: the epoch at work, from 0.
        steps: of that epoch, those that are done.
        loss: of the sentences of those steps, summed.
        sentences: how many of them counted.
        tokens: of those sentences.
        skipped: steps of the whole run that were skipped, since they weren't finite.
        epoch_began: ``duration`` when the epoch began.
        duration: seconds of training, summed over recoveries.
        history: the metrics of the epochs before.
    """

    epoch: int = 0
    steps: int = 0
    loss: float = 0.0
    sentences: int = 0
    tokens: int = 0
    skipped: int = 0
    epoch_began: float = 0.0
    duration: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def best(self) -> dict[str, Any]:
        """The metrics of the best epoch so far."""
        return next(m for m in self.history if m["epoch"] == self.history[-1]["best_epoch"])

    @property
    def mean_loss(self) -> float:
        """Of a sentence, in the epoch so far."""
        return self.loss / max(1, self.sentences)

    def end_epoch(self, metrics: dict[str, Any]) -> None:
        """Goes on to the next epoch."""
        self.history.append(metrics)
        self.epoch += 1
        self.steps = self.sentences = self.tokens = 0
        self.loss = 0.0

    def __str__(self) -> str:
        """What is done, in words."""
        if self.steps:
            return f"in epoch {self.epoch} after {self.steps} steps"
        return f"after epoch {self.epoch - 1}" if self.epoch else "before the first epoch"
