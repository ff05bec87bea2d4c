"""Runs that go wrong say why, and keep what they reached."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from ner_registry.encoders import Seq2SeqEncoder
from ner_registry.errors import RunError
from ner_registry.jobs.train import train
from ner_registry.training.checkpoints import newest_checkpoint

STEPS = 44  # of an epoch


class Failing(Seq2SeqEncoder):
    """Passes its input through, but for some steps of training.

    Args:
        steps: which, counted from 0 through all epochs.
        bytes: how many to ask for, then; 0: none, but its output is not a number.
    """

    def __init__(self, input_dim: int, *, steps: list[int], bytes: int = 0) -> None:  # noqa: A002
        super().__init__()
        self.output_dim = input_dim
        self.steps = steps
        self.bytes = bytes
        self.count = 0

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        if self.training:
            self.count += 1
            if self.count - 1 in self.steps:
                return inputs * torch.nan if self.bytes == 0 else torch.empty(self.bytes)
        return inputs


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """For these tests alone: others tell of all encoders there are."""
    monkeypatch.setitem(Seq2SeqEncoder._parts, "failing", Failing)


def failing(config: dict[str, Any], **settings: Any) -> dict[str, Any]:
    config["model"]["encoder"] = {"type": "failing", **settings}
    return config


def test_a_loss_that_is_not_a_number(config: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        train(failing(config, steps=[STEPS + 5]), tmp_path / "run")
    checkpoint = tmp_path / "run" / "checkpoints" / "epoch_0"
    (line,) = caught.value.lines()
    told = re.fullmatch(
        r"the loss became nan in epoch 1, step 5 \(learning rate 0.005, loss nan, gradient norm "
        r"nan\), on the sentences at \S+/train\.conll:((?:\d+, ){15}\d+): lower .*; the last "
        rf"checkpoint is {re.escape(str(checkpoint))}",
        line,
    )
    assert told is not None, line
    log = (tmp_path / "run" / "out.log").read_text(encoding="utf-8")
    assert log.splitlines()[-1].endswith(f" ERROR {line}")
    found = newest_checkpoint(checkpoint.parent)
    assert found is not None
    assert found[0] == checkpoint


def test_steps_that_are_skipped_change_nothing(
    config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config["trainer"] |= {"num_epochs": 1, "max_skipped_steps": 2}
    metrics = train(failing(config, steps=[0, 30]), tmp_path / "run")
    assert metrics["training_loss"] > 0
    assert [m for m in caplog.messages if ": skipped, 2 of at most 2" in m]
    train(failing(config, steps=[]), tmp_path / "whole")
    weights = [load_file(tmp_path / d / "best.safetensors") for d in ("run", "whole")]
    assert weights[0].keys() == weights[1].keys()
    name = "head.projection.weight"
    assert not torch.equal(weights[0][name], weights[1][name])
    assert all(tensor.isfinite().all() for tensor in weights[0].values())


def test_too_little_memory_names_the_batch(config: dict[str, Any], tmp_path: Path) -> None:
    config["trainer"]["save_every_num_batches"] = 2
    with pytest.raises(RunError) as caught:
        train(failing(config, steps=[3], bytes=2**60), tmp_path / "run")
    (line,) = caught.value.lines()
    told = re.fullmatch(
        r"out of memory in epoch 0, step 3, on a batch of 16 sentences x (\d+) tokens \(the "
        r"longest at \S+/train\.conll:\d+\): lower data_loader\.batch_size, the model's size, or "
        r"the length of such a sentence; the last checkpoint is \S+/epoch_0_step_2",
        line,
    )
    assert told is not None, line
