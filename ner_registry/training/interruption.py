"""Signals that end a run, kept until what it reached is saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from ner_registry.training.ranks import ALONE, Ranks


class Interruption:
    """Within it, SIGINT and SIGTERM wait until the run lets them through; a second one doesn't.

    Let through, a signal does what it would do outside: raise KeyboardInterrupt, or end the
    process. One that is ignored outside stays so. A thread other than the main one gets no
    signals; there this does nothing.

    Args:
        ranks: all of them act on what one of them received, and so all must ask together.
    """

    def __init__(self, ranks: Ranks = ALONE) -> None:
        self._ranks = ranks
        self._outside: dict[int, Any] = {}
        self._received: int | None = None

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._outside[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._restore()
        if kind is None and self._received is not None:
            self._deliver(self._received)

    @property
    def pending(self) -> bool:
        """Whether a signal waits, on any rank."""
        return self._ranks.highest(self._received or 0) > 0

    def let_through(self) -> None:
        """Has the signal that waits, if one does on any rank, take its effect."""
        number = self._ranks.highest(self._received or 0)
        if number:
            self._deliver(number)

    def _deliver(self, number: int) -> None:
        self._received = None
        self._restore()
        handler = signal.getsignal(number)
        if callable(handler):
            handler(number, None)
        else:
            signal.raise_signal(number)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        is_first = self._received is None
        self._received = number
        if not is_first:
            self._deliver(number)

    def _restore(self) -> None:
        while self._outside:
            signal.signal(*self._outside.popitem())
