"""Averages of weights against averages computed the obvious way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ner_registry.nn.table import Table
from ner_registry.training.averages import (
    EVERY,
    ExponentialMovingAverage,
    StochasticWeightAverage,
)
from ner_registry.training.row_adam import RowAdam
from ner_registry.training.snapshot import restore_snapshot, take_snapshot
from ner_registry.training.state import TrainingState


def test_an_exponential_average_is_of_every_tenth_step() -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 2)
    average = ExponentialMovingAverage(model, decay=0.9)
    expected: Tensor | None = None
    for count in range(1, 45):
        with torch.no_grad():
            model.weight.add_(torch.randn(2, 3))
        average.after_step()
        if count % EVERY == 0:
            kept = min(0.9, (1 + count) / (10 + count)) ** EVERY
            now = model.weight.detach().clone()
            expected = now if expected is None else kept * expected + (1 - kept) * now
    with average.in_place():
        torch.testing.assert_close(model.weight.data, expected)


def test_a_mean_of_epochs() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = StochasticWeightAverage(model, first_epoch=2)
    for epoch, value in enumerate([1.0, 2.0, 3.0, 4.0, 8.0]):
        model.weight.data.fill_(value)
        average.after_epoch(epoch)
        with average.in_place():
            held = model.weight.item()
        assert held == pytest.approx([1, 2, 3, 3.5, 5][epoch])
        assert model.weight.item() == value


def make_state(optimizer: type[torch.optim.Adam]) -> TrainingState:
    torch.manual_seed(0)
    model = nn.Sequential(Table(50, 4), nn.Linear(4, 1))
    made = optimizer(model.parameters(), lr=0.1)
    if isinstance(made, RowAdam):
        made.follow(model)
    return TrainingState(model, made, average=ExponentialMovingAverage(model, decay=0.8))


def steps(state: TrainingState, numbers: range) -> None:
    for number in numbers:
        generator = torch.Generator().manual_seed(number)
        rows = torch.randint(50, (6,), generator=generator)
        state.optimizer.zero_grad()
        state.model(rows).square().sum().backward()
        state.optimizer.step()
        assert state.average is not None
        state.average.after_step()


def test_rows_that_were_left_alone_count_too() -> None:
    lazy, dense = make_state(RowAdam), make_state(torch.optim.Adam)
    for state in (lazy, dense):
        steps(state, range(35))
    with lazy.averaged(), dense.averaged():
        pass
    assert lazy.average is not None
    assert dense.average is not None
    for name, tensor in dense.average.weights.items():
        torch.testing.assert_close(lazy.average.weights[name], tensor)
    for left, right in zip(lazy.model.parameters(), dense.model.parameters(), strict=True):
        torch.testing.assert_close(left, right)


def test_going_on_equals_never_stopping() -> None:
    state, again = make_state(RowAdam), make_state(RowAdam)
    steps(state, range(25))
    contents = dict(take_snapshot(state, {}))
    steps(state, range(25, 60))
    restore_snapshot(contents, again)
    steps(again, range(25, 60))
    assert state.average is not None
    assert again.average is not None
    for name, tensor in state.average.weights.items():
        assert torch.equal(again.average.weights[name], tensor)
