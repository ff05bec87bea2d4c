"""Curves for TensorBoard."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ner_registry.training.callbacks.base import Callback, Metrics, require

logger = logging.getLogger(__name__)


@Callback.register("tensorboard")
class TensorBoard(Callback):
    """Writes curves into the run's directory, for ``tensorboard --logdir``.

    Every training and validation metric has a curve, with a point per epoch, and every test
    metric a point at the best one. Times are seconds of training: a pause before ``--recover``
    doesn't count.
    """

    _writer: Any = None

    def __init__(self) -> None:
        require("tensorboardX", "'ner_registry[tensorboard]'")

    def on_train_begin(self, directory: Path, history: Sequence[Metrics]) -> None:
        # These, and not a SummaryWriter, whose thread writes later and loses what it can't write.
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        # As metrics.jsonl, from the history, so that no epoch is missing or there twice. A file
        # that is gone would stop a TensorBoard that is looking on; it goes on after an empty one.
        for path in directory.glob("events.out.tfevents.*"):
            os.truncate(path, 0)
        self._began = time.time() - (history[-1]["training_duration"] if history else 0.0)
        self._writer = EventsWriter(str(directory / "events"))
        # which has it forget what was there
        self._writer.write_event(Event(session_log=SessionLog(status=SessionLog.START)))
        for metrics in history:
            self._write(metrics, metrics["epoch"], ("training_", "validation_"))
        self._writer.flush()
        logger.info("curves: tensorboard --logdir %s", directory)

    def on_epoch_end(self, metrics: Metrics) -> None:
        self._write(metrics, metrics["epoch"], ("training_", "validation_"))
        self._writer.flush()

    def on_train_end(self, metrics: Metrics) -> None:
        self._write(metrics, metrics["best_epoch"], ("test_",))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _write(self, metrics: Metrics, epoch: int, groups: tuple[str, ...]) -> None:
        """One event, with a point for each metric of the groups."""
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary

        points = [
            Summary.Value(tag=name.replace("_", "/", 1), simple_value=value)
            for name, value in metrics.items()
            if name.startswith(groups)
        ]
        wall_time = self._began + metrics["training_duration"]
        self._writer.write_event(
            Event(wall_time=wall_time, step=epoch, summary=Summary(value=points))
        )
