"""The callbacks of a run, as the trainer calls them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from ner_registry.errors import NerError, RunError, raised
from ner_registry.training.callbacks.base import Callback, Metrics
from ner_registry.training.snapshot import random_state_kept

logger = logging.getLogger(__name__)


class CallbackList(Callback):
    """Several callbacks as one: each is called in turn, with a copy of the metrics.

    Args:
        callbacks: in the order of the config.

    Raises:
        RunError: from each hook but ``close``: one of them raised; tells which, what and where.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = callbacks

    def on_train_begin(self, directory: Path, history: Sequence[Metrics]) -> None:
        self._call("on_train_begin", directory, history)

    def on_epoch_end(self, metrics: Metrics) -> None:
        self._call("on_epoch_end", metrics)

    def on_train_end(self, metrics: Metrics) -> None:
        self._call("on_train_end", metrics)

    def close(self) -> None:
        """One that raises is warned of: the run has ended, and how stays as it is."""
        for number, callback in enumerate(self._callbacks):
            try:
                callback.close()
            except Exception as error:
                logger.warning("%s", _told(number, callback, "close", error))

    def _call(self, hook: str, *arguments: Any) -> None:
        if not self._callbacks:
            return
        with random_state_kept():
            for number, callback in enumerate(self._callbacks):
                try:
                    getattr(callback, hook)(*deepcopy(arguments))
                except NerError:
                    raise
                except Exception as error:
                    raise RunError(_told(number, callback, hook, error)) from error


def _told(number: int, callback: Callback, hook: str, error: Exception) -> str:
    """What a callback raised, in one line."""
    return raised(f"trainer.callbacks.{number}: {type(callback).__name__}.{hook}", error)
