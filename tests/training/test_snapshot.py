"""What a checkpoint holds: everything that the steps after it depend on."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ner_registry.config.snippets import snippet
from ner_registry.nn.table import Table
from ner_registry.training.averages import ExponentialMovingAverage
from ner_registry.training.optimizers import Optimizer
from ner_registry.training.schedulers import LearningRateScheduler, advance
from ner_registry.training.snapshot import restore_snapshot, take_snapshot
from ner_registry.training.state import TrainingState


def make_state(optimizer: str = "adam", scheduler: str | None = "multi_step") -> TrainingState:
    model = nn.Linear(3, 2)
    settings = {k: v for k, v in snippet(Optimizer, optimizer).items() if k != "type"}
    made = Optimizer.registered()[optimizer](list(model.named_parameters()), **settings)
    schedule: Any = None
    if scheduler is not None:
        settings = {
            k: v for k, v in snippet(LearningRateScheduler, scheduler).items() if k != "type"
        }
        schedule = LearningRateScheduler.registered()[scheduler](made, **settings)
    return TrainingState(model, made, schedule)


def step(state: TrainingState) -> None:
    state.optimizer.zero_grad()
    noise = torch.rand(4, 3) + random.random() + float(np.random.rand())
    state.model(noise).square().sum().backward()
    state.optimizer.step()
    if state.scheduler is not None:
        advance(state.scheduler, 0.5)


@pytest.mark.parametrize("optimizer", sorted(Optimizer.registered()))
@pytest.mark.parametrize("scheduler", [None, *sorted(LearningRateScheduler.registered())])
def test_going_on_equals_never_stopping(optimizer: str, scheduler: str | None) -> None:
    state = make_state(optimizer, scheduler)
    step(state)
    state.best = b"the best so far"
    contents = dict(take_snapshot(state, {"note": 1}))
    step(state)
    step(state)

    again = make_state(optimizer, scheduler)
    assert restore_snapshot(contents, again) == {"note": 1}
    assert again.best == state.best
    step(again)
    step(again)
    for left, right in zip(state.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(left, right)
    assert state.optimizer.param_groups[0]["lr"] == again.optimizer.param_groups[0]["lr"]


class Reader(nn.Module):
    """Reads a few rows of a table at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.table = Table(40, 3)
        self.top = nn.Linear(3, 2)

    def forward(self, rows: Tensor) -> Tensor:
        scores: Tensor = self.top(self.table(rows))
        return scores.square().sum()


def make_reader(optimizer: str, *, averaged: bool) -> TrainingState:
    torch.manual_seed(0)
    model = Reader()
    made: Any = Optimizer.registered()[optimizer](list(model.named_parameters()), lr=0.01)
    made.follow(model)
    average = ExponentialMovingAverage(model, decay=0.9) if averaged else None
    return TrainingState(model, made, average=average)


def read(state: TrainingState, steps: int) -> None:
    for _ in range(steps):
        state.optimizer.zero_grad()
        state.model(torch.randint(40, (2,))).backward()
        state.optimizer.step()
        if state.average is not None:
            state.average.after_step()


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
@pytest.mark.parametrize("averaged", [False, True])
def test_saving_changes_nothing(optimizer: str, averaged: bool) -> None:
    """Rows that are owed steps still are, in what goes on and in what is restored."""
    state = make_reader(optimizer, averaged=averaged)
    read(state, 3)
    undisturbed = dict(take_snapshot(state, {}))
    read(state, 24)
    ends = [dict(take_snapshot(state, {}))]

    again = make_reader(optimizer, averaged=averaged)
    restore_snapshot(undisturbed, again)
    for steps in (7, 16, 1):
        read(again, steps)
        taken = dict(take_snapshot(again, {}))
        ends.append(taken)
        again = make_reader(optimizer, averaged=averaged)
        restore_snapshot(taken, again)
    assert ends[-1] == ends[0]
    assert ends[-2] != ends[0]


def test_weights_from_elsewhere_are_owed_nothing() -> None:
    state = make_reader("adam", averaged=False)
    read(state, 10)
    weights = {name: torch.ones_like(tensor) for name, tensor in state.model.state_dict().items()}
    read(state, 10)
    state.model.load_state_dict(weights)
    state.model(torch.arange(40))
    for tensor in state.model.state_dict().values():
        assert torch.equal(tensor, torch.ones_like(tensor))
