"""Curves on Weights & Biases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ner_registry.training.callbacks.base import Callback, Metrics, require


@Callback.register("wandb")
class WeightsAndBiases(Callback):
    """Logs metrics to Weights & Biases, as a run that is named after its directory.

    The package's own environment variables say the rest, such as ``WANDB_MODE=offline``.

    Args:
        project: the project that the run is put into.
    """

    _run: Any = None

    def __init__(self, *, project: str) -> None:
        require("wandb", "wandb")
        self.project = project

    def on_train_begin(self, directory: Path, history: Sequence[Metrics]) -> None:
        import wandb

        self._run = wandb.init(
            project=self.project,
            name=directory.absolute().name,
            dir=directory,
            config=json.loads((directory / "config.json").read_bytes()),
            resume="auto",  # by what it keeps in the directory until a run is finished
        )
        for metrics in history:
            self.on_epoch_end(metrics)

    def on_epoch_end(self, metrics: Metrics) -> None:
        if metrics["epoch"] >= self._run.step:  # it may know of those before a recovery
            self._run.log(dict(metrics), step=metrics["epoch"], commit=True)

    def on_train_end(self, metrics: Metrics) -> None:
        self._run.summary.update(metrics)
        self._run.finish()
        self._run = None

    def close(self) -> None:
        if self._run is not None:
            self._run.finish(exit_code=1)
