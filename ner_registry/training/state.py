"""Everything that changes while training."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


@dataclass
class TrainingState:
    """A model with what changes it.

    Attributes:
        model: an ``nn.Module``, on its device.
        optimizer: over the model's parameters.
        scheduler: over the optimizer; None: its rate stays.
    """

    model: nn.Module
    optimizer: Optimizer
    scheduler: LRScheduler | None = None
