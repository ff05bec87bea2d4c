"""SIGINT and SIGTERM, which end a command with exit codes of their own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from types import FrameType

_IMPORT = 0.05  # seconds, after which to see whether an import is done


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

    One that is ignored stays so; one that comes while a module is imported waits for its end.
    """
    was_stopped = False
    later: Timer | None = None

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal was_stopped, later
        if was_stopped:
            os._exit(128 + number)
        if _is_importing(frame):
            # libraries swallow what is raised there, or stay half imported and fail later
            if later is None or not later.is_alive():
                later = Timer(_IMPORT, os.kill, (os.getpid(), number))
                later.daemon = True
                later.start()
            return
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
        if later is not None:
            later.cancel()
        sys.unraisablehook = before_hook
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
