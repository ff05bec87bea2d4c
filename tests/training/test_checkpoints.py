from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ner_registry.config.snippets import snippet
from ner_registry.training.checkpoints import (
    list_checkpoints,
    load_checkpoint,
    save_checkpoint,
)
from ner_registry.training.optimizers import Optimizer
from ner_registry.training.schedulers import LearningRateScheduler, advance
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
def test_going_on_equals_never_stopping(
    optimizer: str, scheduler: str | None, tmp_path: Path
) -> None:
    state = make_state(optimizer, scheduler)
    step(state)
    save_checkpoint(tmp_path / "checkpoints", 0, state, {"note": 1})
    step(state)
    step(state)

    again = make_state(optimizer, scheduler)
    assert load_checkpoint(tmp_path / "checkpoints", again) == {"note": 1}
    step(again)
    step(again)
    for left, right in zip(state.model.parameters(), again.model.parameters(), strict=True):
        assert torch.equal(left, right)
    assert state.optimizer.param_groups[0]["lr"] == again.optimizer.param_groups[0]["lr"]


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    state = make_state()
    for epoch in range(12):
        save_checkpoint(tmp_path, epoch, state, {})
    assert [path.name for path in list_checkpoints(tmp_path)] == ["epoch_11", "epoch_10"]
    assert not (tmp_path / "writing").exists()


@pytest.mark.parametrize("harm", ["flip", "truncate", "remove"])
def test_a_harmed_checkpoint_is_passed_over(
    harm: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    state = make_state()
    for epoch in range(2):
        save_checkpoint(tmp_path, epoch, state, {"epoch": epoch})
    file = tmp_path / "epoch_1" / "model.safetensors"
    content = bytearray(file.read_bytes())
    if harm == "flip":
        content[-1] ^= 1
    file.unlink()
    if harm != "remove":
        file.write_bytes(content[: -1 if harm == "truncate" else None])
    assert load_checkpoint(tmp_path, make_state()) == {"epoch": 0}
    assert "falling back" in caplog.text


def test_there_may_be_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "nowhere", make_state()) is None
