"""How to train, as a config says it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import nn

from ner_registry.config.types import (
    NonNegativeFloat,
    NonNegativeInt,
    Pattern,
    PositiveFloat,
    PositiveInt,
    Probability,
)
from ner_registry.errors import ConfigError, Fault
from ner_registry.training.averages import WeightAverage
from ner_registry.training.callbacks import Callback
from ner_registry.training.optimizers import Optimizer
from ner_registry.training.row_adam import RowOptimizer
from ner_registry.training.schedulers import LearningRateScheduler
from ner_registry.training.state import TrainingState

_METRICS = (
    r"[+-](loss|accuracy|token_macro_f1|precision-overall|recall-overall|f1-measure-\S+)",
    "such as +f1-measure-overall or -loss: + where more is better, - where less is, then loss, "
    "accuracy, token_macro_f1, precision-overall, recall-overall, f1-measure-overall or "
    "f1-measure-LABEL",
)


@dataclass(frozen=True, kw_only=True)
class TrainerSettings:
    """How to train.

    Attributes:
        optimizer: what changes the weights.
        learning_rate_scheduler: what changes the learning rate; null: it stays.
        average: what averages the weights; the average is what is validated and kept. null:
            the weights are kept as they are.
        num_epochs: passes over the training data, at most.
        patience: epochs without a better validation metric after which training stops; null
            never stops early.
        validation_metric: what decides which epoch is best, after ``+`` where more of it is
            better and ``-`` where less is.
        tune_threshold: after training, the probability from which on an entity is found is chosen,
            for the best entity F1 on the validation data; false: the entities of the most
            probable tagging are found, as they are in training.
        adversarial_perturbation: a batch is learnt from a second time, with each sentence's
            embeddings moved in the direction in which the loss grows fastest, by a step of this
            length, the norm over all its tokens (Miyato et al. 2017). That takes nearly twice the
            time; ``training_loss`` is of the sentences as they are. 0: once, as it is.
        adversarial_share: of the batches, how many are learnt from so, evenly spread.
        grad_norm: the gradient is scaled down to this norm where it is longer; null doesn't.
        max_skipped_steps: how many steps of the run may have a loss or a gradient that isn't
            finite: they change no weight and are warned of; with one more the run fails. On a
            GPU, above 0, the program waits for it at every step.
        save_every_num_batches: batches of an epoch from one checkpoint to the next, besides the
            one at its end; null: that one alone.
        callbacks: what is told how training goes, such as ``[{type: 'tensorboard'}]``.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or ``auto``: a GPU if there is one.
        num_threads: how many to compute with on a CPU; null: one for each core, or what the
            environment's OMP_NUM_THREADS says.
    """

    optimizer: Callable[..., Optimizer]
    learning_rate_scheduler: Callable[..., LearningRateScheduler] | None = None
    average: Callable[..., WeightAverage] | None = None
    num_epochs: PositiveInt
    patience: PositiveInt | None = None
    validation_metric: Annotated[str, Pattern(*_METRICS)] = "+f1-measure-overall"
    tune_threshold: bool = False
    adversarial_perturbation: NonNegativeFloat = 0.0
    adversarial_share: Probability = 1.0
    grad_norm: PositiveFloat | None = None
    max_skipped_steps: NonNegativeInt = 0
    save_every_num_batches: PositiveInt | None = None
    callbacks: tuple[Callable[..., Callback], ...] = ()
    device: Annotated[
        str, Pattern(r"auto|cpu|mps|cuda(:\d+)?", "such as auto, cpu, cuda, cuda:1 or mps")
    ] = "auto"
    num_threads: PositiveInt | None = None

    def perturbation_at(self, step: int) -> float:
        """How far embeddings are moved at a step of the run, from 0; 0: not at all."""
        share = self.adversarial_share
        is_chosen = math.floor((step + 1) * share) > math.floor(step * share)
        return self.adversarial_perturbation if is_chosen else 0.0

    def state_of(self, model: nn.Module) -> TrainingState:
        """The model with the optimizer and the schedule that these settings say.

        Raises:
            ConfigError: what is registered makes no optimizer.
        """
        named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
        optimizer = self.optimizer(parameters=named)
        if not isinstance(optimizer, torch.optim.Optimizer):
            got = type(optimizer).__name__
            message = f"expected PyTorch's optimizer of what is registered, got {got}"
            raise ConfigError([Fault("trainer.optimizer", message)])
        if isinstance(optimizer, RowOptimizer):
            optimizer.follow(model)
        schedule = self.learning_rate_scheduler
        average = self.average
        return TrainingState(
            model,
            optimizer,
            schedule(optimizer=optimizer) if schedule else None,
            average(model=model) if average else None,
        )
