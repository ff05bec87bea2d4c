"""The steps of an epoch: what they add up to, and which of them went wrong."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ner_registry.errors import RunError
from ner_registry.training.progress import Progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Step:
    """A step of the optimizer that is about to be taken.

    Attributes:
        number: of the epoch's, from 0.
        numbers: the sentences of its batch.
        tokens: of all of them.
        loss: of all of them, summed, ().
        norm: of the gradient, ().
        rate: the learning rate.
    """

    number: int
    numbers: Sequence[int]
    tokens: int
    loss: Tensor
    norm: Tensor
    rate: float


class StepLog:
    """Adds up steps, and finds those whose loss or gradient isn't finite.

    Looking at a number makes the program wait for a GPU, so there it is done for many steps at
    once, after they were taken.

    Args:
        progress: what they are added to.
        look_every: steps that are looked at together; 1 finds one before it is taken.
        max_skipped: how many of the run may be skipped, where ``look_every`` is 1.
        places: tells where sentences are, given their numbers.
    """

    def __init__(
        self,
        progress: Progress,
        *,
        look_every: int,
        max_skipped: int,
        places: Callable[[Sequence[int]], str],
    ) -> None:
        self.progress = progress
        self.look_every = look_every
        self.max_skipped = max_skipped
        self.places = places
        self._pending: list[Step] = []

    def add(self, step: Step) -> bool:
        """Notes a step; whether it may be taken.

        Raises:
            RunError: it, or one before it, isn't finite, and may not be skipped.
        """
        self._pending.append(step)
        return len(self._pending) < self.look_every or self.look()

    def look(self) -> bool:
        """Looks at the steps that were noted; false where one of them must be skipped.

        Raises:
            RunError: as for :meth:`add`.
        """
        if not self._pending:
            return True
        steps, self._pending = self._pending, []
        values = torch.stack([value for step in steps for value in (step.loss, step.norm)])
        numbers = iter(values.tolist())
        are_finite = True
        for step, loss, norm in zip(steps, numbers, numbers, strict=True):
            if math.isfinite(loss) and math.isfinite(norm):
                self.progress.loss += loss
                self.progress.sentences += len(step.numbers)
                self.progress.tokens += step.tokens
            else:
                are_finite = False
                self._skip(step, self._told(step, loss, norm))
        return are_finite

    def _skip(self, step: Step, told: str) -> None:
        if self.progress.skipped == self.max_skipped:
            is_first = self.progress.epoch == 0 and step.number == 0
            hint = (
                "no step was made before: a part divides by 0 or takes its logarithm"
                if is_first
                else "lower trainer.optimizer.lr, or set trainer.grad_norm or "
                "trainer.max_skipped_steps"
            )
            raise RunError(f"{told}: {hint}")
        self.progress.skipped += 1
        logger.warning(
            "%s: skipped, %d of at most %d", told, self.progress.skipped, self.max_skipped
        )

    def _told(self, step: Step, loss: float, norm: float) -> str:
        what, value = ("gradient norm", norm) if math.isfinite(loss) else ("loss", loss)
        return (
            f"the {what} became {value} in epoch {self.progress.epoch}, step {step.number} "
            f"(learning rate {step.rate:g}, loss {loss:g}, gradient norm {norm:g}), "
            f"on the sentences at {self.places(step.numbers)}"
        )
