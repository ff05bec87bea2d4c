"""Learning-rate schedules: PyTorch's, which move after an epoch, and some of each step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

import torch
from torch import Tensor
from torch.optim import lr_scheduler

from ner_registry.config.registry import Registrable
from ner_registry.config.types import (
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Range,
)

Factor = Annotated[float, Range(0, 1, above=True, below=True)]


class LearningRateScheduler(lr_scheduler.LRScheduler, Registrable):
    """What changes the learning rate. It is given the ``optimizer``.

    Its ``step()`` is called at the end of each epoch.
    """

    supplied = ("optimizer",)


class StepwiseScheduler(lr_scheduler.LRScheduler):
    """Changes the rate at every step, along a curve over the whole of training.

    Args:
        optimizer: whose rate it is.
        factor: what to multiply the rate by, after so many epochs (a fraction) of so many.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, factor: Callable[[float, float], float]
    ) -> None:
        self.factor = factor
        self.num_epochs = self.steps_per_epoch = 1
        super().__init__(optimizer)

    def plan(self, num_epochs: int, steps_per_epoch: int) -> None:
        """Must be called before the first step: how long training is."""
        self.num_epochs, self.steps_per_epoch = num_epochs, steps_per_epoch
        for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = rate

    def get_lr(self) -> list[float | Tensor]:
        # of a step the middle counts, so that neither the first nor the last has a rate of 0
        epochs = (self.last_epoch + 0.5) / self.steps_per_epoch
        factor = self.factor(min(epochs, self.num_epochs), self.num_epochs)
        return [float(rate) * factor for rate in self.base_lrs]


@LearningRateScheduler.register("step")
def step(
    optimizer: torch.optim.Optimizer, *, step_size: PositiveInt, gamma: PositiveFloat = 0.1
) -> lr_scheduler.LRScheduler:
    """Multiplies the rate every few epochs.

    Args:
        step_size: epochs from one change to the next.
        gamma: what the rate is multiplied by.
    """
    return lr_scheduler.StepLR(optimizer, step_size, gamma)


@LearningRateScheduler.register("multi_step")
def multi_step(
    optimizer: torch.optim.Optimizer,
    *,
    milestones: list[PositiveInt],
    gamma: PositiveFloat = 0.1,
) -> lr_scheduler.LRScheduler:
    """Multiplies the rate after given epochs.

    Args:
        milestones: after how many epochs, rising.
        gamma: what the rate is multiplied by.
    """
    return lr_scheduler.MultiStepLR(optimizer, milestones, gamma)


@LearningRateScheduler.register("exponential")
def exponential(
    optimizer: torch.optim.Optimizer, *, gamma: PositiveFloat
) -> lr_scheduler.LRScheduler:
    """Multiplies the rate after every epoch.

    Args:
        gamma: what the rate is multiplied by.
    """
    return lr_scheduler.ExponentialLR(optimizer, gamma)


@LearningRateScheduler.register("cosine")
def cosine(
    optimizer: torch.optim.Optimizer, *, t_max: PositiveInt, eta_min: NonNegativeFloat = 0.0
) -> lr_scheduler.LRScheduler:
    """Lets the rate fall along half a cosine (Loshchilov & Hutter 2017).

    Args:
        t_max: epochs until the least rate.
        eta_min: the least rate.
    """
    return lr_scheduler.CosineAnnealingLR(optimizer, t_max, eta_min)


@LearningRateScheduler.register("linear")
def linear(
    optimizer: torch.optim.Optimizer,
    *,
    start_factor: Annotated[float, Range(0, 1, above=True)] = 1.0,
    end_factor: Annotated[float, Range(0, 1)] = 0.0,
    total_iters: PositiveInt,
) -> lr_scheduler.LRScheduler:
    """Moves the rate along a straight line.

    Args:
        start_factor: what the rate is multiplied by at first.
        end_factor: what it is multiplied by at last.
        total_iters: epochs from first to last.
    """
    return lr_scheduler.LinearLR(optimizer, start_factor, end_factor, total_iters)


@LearningRateScheduler.register("reduce_on_plateau")
def reduce_on_plateau(
    optimizer: torch.optim.Optimizer,
    *,
    factor: Factor = 0.1,
    patience: NonNegativeInt = 10,
    threshold: NonNegativeFloat = 1e-4,
    cooldown: NonNegativeInt = 0,
    min_lr: NonNegativeFloat = 0.0,
) -> lr_scheduler.LRScheduler:
    """Multiplies the rate when the validation metric has stopped getting better.

    Args:
        factor: what the rate is multiplied by.
        patience: epochs without improvement that are let pass.
        threshold: relative change that counts as an improvement.
        cooldown: epochs to wait after a change.
        min_lr: the least rate.
    """
    return lr_scheduler.ReduceLROnPlateau(
        optimizer, "max", factor, patience, threshold, cooldown=cooldown, min_lr=min_lr
    )


@LearningRateScheduler.register("linear_with_warmup")
def linear_with_warmup(
    optimizer: torch.optim.Optimizer,
    *,
    warmup_epochs: NonNegativeFloat = 1.0,
    end_factor: Annotated[float, Range(0, 1)] = 0.0,
) -> lr_scheduler.LRScheduler:
    """Lets the rate rise from zero, then fall along a straight line to the end of training.

    Args:
        warmup_epochs: epochs, or a fraction of one, in which it rises.
        end_factor: what it is multiplied by at last.
    """
    return _warmed_up(optimizer, warmup_epochs, end_factor, lambda done: 1 - done)


@LearningRateScheduler.register("cosine_with_warmup")
def cosine_with_warmup(
    optimizer: torch.optim.Optimizer,
    *,
    warmup_epochs: NonNegativeFloat = 1.0,
    end_factor: Annotated[float, Range(0, 1)] = 0.0,
) -> lr_scheduler.LRScheduler:
    """Lets the rate rise from zero, then fall along half a cosine to the end of training.

    Args:
        warmup_epochs: epochs, or a fraction of one, in which it rises.
        end_factor: what it is multiplied by at last.
    """
    return _warmed_up(
        optimizer, warmup_epochs, end_factor, lambda done: (1 + math.cos(math.pi * done)) / 2
    )


def _warmed_up(
    optimizer: torch.optim.Optimizer,
    warmup_epochs: float,
    end_factor: float,
    curve: Callable[[float], float],
) -> StepwiseScheduler:
    """A rise, then what is left of the way down after a share of the time for it."""

    def factor(epochs: float, num_epochs: float) -> float:
        if epochs < warmup_epochs:
            return epochs / warmup_epochs
        done = (epochs - warmup_epochs) / max(num_epochs - warmup_epochs, 1e-9)
        return end_factor + (1 - end_factor) * curve(done)

    return StepwiseScheduler(optimizer, factor)


def advance(scheduler: lr_scheduler.LRScheduler, score: float) -> None:
    """Steps a schedule at the end of an epoch whose validation score, more is better, is known."""
    if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
        scheduler.step(score)
    elif not isinstance(scheduler, StepwiseScheduler):
        scheduler.step()
