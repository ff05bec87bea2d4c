"""SIGINT and SIGTERM, which end a command with exit codes of their own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class Stopped(KeyboardInterrupt):
    """A signal stops the command.

    Attributes:
        exit_code: what the command is to end with.
    """

    def __init__(self, number: int) -> None:
        super().__init__("interrupted" if number == signal.SIGINT else "terminated")
        self.exit_code = 128 + number


@contextmanager
def stoppable() -> Iterator[None]:
    """Within it, a signal raises Stopped, and a second one ends the process there and then.

    One that is ignored stays so.
    """
    was_stopped = False

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        nonlocal was_stopped
        if was_stopped:
            os._exit(128 + number)
        was_stopped = True
        raise Stopped(number)

    def fail(unraisable: sys.UnraisableHookArgs) -> None:
        # raised where Python lets nothing be raised, as in a weak reference's callback
        if isinstance(unraisable.exc_value, Stopped):
            os._exit(unraisable.exc_value.exit_code)
        before_hook(unraisable)

    before_hook = sys.unraisablehook
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stop)
    sys.unraisablehook = fail
    try:
        yield
    finally:
        sys.unraisablehook = before_hook
        for number, handler in before.items():
            signal.signal(number, handler)
