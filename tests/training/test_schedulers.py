"""Each schedule's curve of rates against PyTorch's own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from ner_registry.training.schedulers import (
    LearningRateScheduler,
    StepwiseScheduler,
    advance,
)

Schedule = Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]
CURVES: dict[str, tuple[dict[str, Any], Schedule]] = {
    "step": ({"step_size": 3, "gamma": 0.5}, lambda o: lr_scheduler.StepLR(o, 3, 0.5)),
    "multi_step": (
        {"milestones": [2, 5], "gamma": 0.3},
        lambda o: lr_scheduler.MultiStepLR(o, [2, 5], 0.3),
    ),
    "exponential": ({"gamma": 0.9}, lambda o: lr_scheduler.ExponentialLR(o, 0.9)),
    "cosine": (
        {"t_max": 6, "eta_min": 0.1},
        lambda o: lr_scheduler.CosineAnnealingLR(o, 6, 0.1),
    ),
    "linear": (
        {"start_factor": 0.5, "end_factor": 0.25, "total_iters": 4},
        lambda o: lr_scheduler.LinearLR(o, 0.5, 0.25, 4),
    ),
}


def curve(schedule: Schedule, scores: list[float]) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 1.0)
    scheduler = schedule(optimizer)
    rates = []
    for score in scores:
        optimizer.step()
        advance(scheduler, score)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def test_every_schedule_is_tried() -> None:
    others = {"reduce_on_plateau", "linear_with_warmup", "cosine_with_warmup"}
    assert {*CURVES, *others} == set(LearningRateScheduler.registered())


@pytest.mark.parametrize("name", sorted(CURVES))
def test_the_curve_is_pytorchs(name: str) -> None:
    settings, reference = CURVES[name]
    ours = LearningRateScheduler.registered()[name]
    scores = [0.0] * 8
    found = curve(lambda optimizer: ours(optimizer, **settings), scores)
    assert found == curve(reference, scores)
    assert len(set(found)) > 1


def test_the_rate_falls_where_the_score_stops_rising() -> None:
    ours = LearningRateScheduler.registered()["reduce_on_plateau"]
    scores = [0.1, 0.5, 0.6, 0.6, 0.6, 0.9]
    found = curve(lambda optimizer: ours(optimizer, factor=0.5, patience=1), scores)
    assert found == [1.0, 1.0, 1.0, 1.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("linear_with_warmup", lambda done: 1 - done),
        ("cosine_with_warmup", lambda done: (1 + math.cos(math.pi * done)) / 2),
    ],
)
def test_the_rate_rises_then_falls_at_every_step(
    name: str, shape: Callable[[float], float]
) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], 2.0)
    scheduler = LearningRateScheduler.registered()[name](
        optimizer, warmup_epochs=1.5, end_factor=0.1
    )
    assert isinstance(scheduler, StepwiseScheduler)
    scheduler.plan(num_epochs=4, steps_per_epoch=10)
    for step in range(40):
        epochs = (step + 0.5) / 10
        rising = epochs / 1.5
        falling = 0.1 + 0.9 * shape((epochs - 1.5) / 2.5)
        expected = rising if epochs < 1.5 else falling
        assert optimizer.param_groups[0]["lr"] == pytest.approx(2 * expected)
        optimizer.step()
        scheduler.step()
    advance(scheduler, 0.0)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.2)
