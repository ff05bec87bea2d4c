"""Averages of a model's weights over training, which tag better than the last ones do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import torch
from torch import Tensor, nn

from ner_registry.config.registry import Registrable
from ner_registry.config.types import NonNegativeInt, Range

EVERY = 10  # steps: rarer than each one, so that a table's rows need not be read at each


class WeightAverage(ABC, Registrable):
    """Averages the weights that training changes; the average is what is validated and kept.

    It is given the ``model``. Only weights go into it, and so nothing of the validation data.

    Attributes:
        weights: the average, by the names of the model's state; empty before the first weights.
        count: steps, or epochs, so far.
    """

    supplied = ("model",)

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.weights: dict[str, Tensor] = {}
        self.count = 0

    @abstractmethod
    def after_step(self) -> None:
        """Called after each step of the optimizer."""

    @abstractmethod
    def after_epoch(self, epoch: int) -> None:
        """Called after each epoch's last step."""

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within it, the model has the average for its weights, where there is one already."""
        own = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        if self.weights:
            self.model.load_state_dict(self.weights)
        try:
            yield
        finally:
            self.model.load_state_dict(own)

    @torch.no_grad()
    def move(self, share: float) -> None:
        """Moves the average towards the model's weights by a share of the way."""
        weights = self.model.state_dict()
        if not self.weights:
            self.weights = {name: tensor.clone() for name, tensor in weights.items()}
        for name, tensor in self.weights.items():
            if tensor.is_floating_point():
                tensor.lerp_(weights[name], share)
            else:
                tensor.copy_(weights[name])


@WeightAverage.register("ema")
class ExponentialMovingAverage(WeightAverage):
    """An average in which older weights count less and less (Polyak & Juditsky 1992).

    Args:
        decay: how much of the average a step keeps; less in the first steps.
    """

    def __init__(
        self, model: nn.Module, *, decay: Annotated[float, Range(0, 1, below=True)] = 0.999
    ) -> None:
        super().__init__(model)
        self.decay = decay

    def after_step(self) -> None:
        self.count += 1
        if self.count % EVERY == 0:
            # an average of ten steps begins with those, not with what was there before
            decay = min(self.decay, (1 + self.count) / (10 + self.count))
            self.move(1 - decay**EVERY)

    def after_epoch(self, epoch: int) -> None:
        pass


@WeightAverage.register("swa")
class StochasticWeightAverage(WeightAverage):
    """The mean of the weights at the ends of epochs (Izmailov et al. 2018).

    Args:
        first_epoch: the first epoch, from 0, whose weights count.
    """

    def __init__(self, model: nn.Module, *, first_epoch: NonNegativeInt) -> None:
        super().__init__(model)
        self.first_epoch = first_epoch

    def after_step(self) -> None:
        pass

    def after_epoch(self, epoch: int) -> None:
        if epoch >= self.first_epoch:
            self.count += 1
            self.move(1 / self.count)
