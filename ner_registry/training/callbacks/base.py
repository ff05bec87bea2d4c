"""What every Callback is."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ner_registry.config.registry import Registrable, origin

Metrics = Mapping[str, Any]  # by name, as a line of metrics.jsonl has them


class Callback(Registrable):
    """Is told how training goes, and shows it where people look.

    A callback watches: what it draws at random changes nothing of the run. One that raises ends
    it; the epoch that it was told of is saved, so that ``--recover`` goes on after it.

    Raises:
        TypeError: a subclass has a method ``on_...`` that is never called.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        called = [name for name in vars(Callback) if name.startswith("on_")]
        for name in vars(cls):
            if name.startswith("on_") and name not in called:
                raise TypeError(
                    f"{origin(cls)}.{name} is never called: there are {', '.join(called)}"
                )

    def on_train_begin(self, directory: Path, history: Sequence[Metrics]) -> None:
        """Called before the first step, of a recovered run too.

        Args:
            directory: the run's; its ``config.json`` and ``meta.json`` are there.
            history: the metrics of the epochs that are done; empty where the run begins.
        """

    def on_epoch_end(self, metrics: Metrics) -> None:
        """Called after each epoch, which is validated and saved."""

    def on_train_end(self, metrics: Metrics) -> None:
        """Called when all of a run is written, with what is in its ``metrics.json``.

        A run that fails or is interrupted doesn't come to that.
        """

    def close(self) -> None:
        """Called last, however the run ended, even if it ended before it began."""


def require(package: str, install: str) -> None:
    """Refuses to go on without a package.

    Args:
        package: what is imported.
        install: what pip is to install.

    Raises:
        ValueError: it can't be imported; says what to type.
    """
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise ValueError(f"needs the package {package}: pip install {install} ({error})") from None
