"""Callbacks of one's own, in real runs."""

from __future__ import annotations

import json
import logging
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from ner_registry.errors import RunError
from ner_registry.jobs.train import train
from ner_registry.predictor import load
from ner_registry.training.callbacks import Callback
from ner_registry.training.callbacks.base import Metrics
from ner_registry.training.callbacks.callback_list import CallbackList


class Stumbling(Callback):
    """Notes what it is told of, gambles, and raises in one epoch, but not a second time.

    Args:
        epoch: in which.
    """

    noted: ClassVar[list[str]] = []

    def __init__(self, *, epoch: int) -> None:
        self.epoch = epoch

    def on_train_begin(self, directory: Path, history: Sequence[Metrics]) -> None:
        assert (directory / "config.json").is_file()
        self._note(f"begin after {[metrics['epoch'] for metrics in history]}")

    def on_epoch_end(self, metrics: Any) -> None:
        self._note(f"epoch {metrics['epoch']}")
        assert 0 <= metrics["validation_f1-measure-overall"] <= 1
        metrics.clear()  # its own copy
        if self.noted[-1] == f"epoch {self.epoch}" and len(self.noted) == self.epoch + 2:
            raise LookupError("no\nluck")

    def on_train_end(self, metrics: Metrics) -> None:
        self._note(f"end, test F1 known: {'test_f1-measure-overall' in metrics}")

    def close(self) -> None:
        self._note("close")

    def _note(self, what: str) -> None:
        self.noted.append(what)
        random.random(), np.random.rand(), torch.rand(3)


def test_one_that_raises_ends_the_run_which_recovers(
    config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = train(config, tmp_path / "plain")
    monkeypatch.setitem(Callback._parts, "stumbling", Stumbling)
    monkeypatch.setattr(Stumbling, "noted", [])
    config["trainer"]["callbacks"] = [{"type": "stumbling", "epoch": 0}, {"type": "tensorboard"}]
    with pytest.raises(RunError) as caught:
        train(config, tmp_path / "run")
    (line,) = caught.value.lines()
    assert line.startswith(
        "trainer.callbacks.0: Stumbling.on_epoch_end raised LookupError: no luck"
    )
    assert f"{__file__}:" in line
    assert line.endswith(f"the last checkpoint is {tmp_path / 'run' / 'checkpoints' / 'epoch_0'}")
    assert Stumbling.noted == ["begin after []", "epoch 0", "close"]

    metrics = train(config, tmp_path / "run", recover=True)
    assert Stumbling.noted[3:] == [
        "begin after [0]",
        "epoch 1",
        "end, test F1 known: True",
        "close",
    ]
    # whoever watched isn't needed for what came of it
    monkeypatch.delitem(Callback._parts, "stumbling")
    assert load(tmp_path / "run")("Jim works in Paris.") is not None
    # and changed nothing
    assert metrics["test_loss"] == plain["test_loss"]
    assert json.loads((tmp_path / "run" / "metrics.json").read_bytes()) == metrics
    assert json.loads((tmp_path / "run" / "meta.json").read_bytes())["packages"] == []
    weights = [(tmp_path / name / "best.safetensors").read_bytes() for name in ("plain", "run")]
    assert weights[0] == weights[1]


def test_one_that_raises_as_it_is_closed_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(Callback):
        def close(self) -> None:
            raise OSError("no space")

    Stumbling.noted.clear()
    with caplog.at_level(logging.WARNING):
        CallbackList([Stuck(), Stumbling(epoch=0)]).close()
    assert caplog.messages[0].startswith(
        "trainer.callbacks.0: Stuck.close raised OSError: no space"
    )
    assert Stumbling.noted == ["close"]
