"""Each schedule's curve of rates against PyTorch's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from ner_registry.training.schedulers import LearningRateScheduler, advance

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
    assert {*CURVES, "reduce_on_plateau"} == set(LearningRateScheduler.registered())


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
