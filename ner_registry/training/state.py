"""Everything that changes while training."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from ner_registry.training.averages import WeightAverage
from ner_registry.training.row_adam import RowOptimizer


@dataclass
class TrainingState:
    """A model with what changes it.

    Attributes:
        model: an ``nn.Module``, on its device.
        optimizer: over the model's parameters.
        scheduler: over the optimizer; None: its rate stays.
        average: of the model's weights; None: the weights themselves are what counts.
        best: the weights of the best epoch so far, as the bytes of a safetensors file; None
            before the end of the first.
    """

    model: nn.Module
    optimizer: Optimizer
    scheduler: LRScheduler | None = None
    average: WeightAverage | None = None
    best: bytes | None = None

    def settle(self) -> None:
        """Has the optimizer take what steps it has put off, the same ones on every rank."""
        if isinstance(self.optimizer, RowOptimizer):
            self.optimizer.settle()

    def averaged(self) -> AbstractContextManager[None]:
        """Within it, the model has the weights that count."""
        return self.average.in_place() if self.average else nullcontext()
