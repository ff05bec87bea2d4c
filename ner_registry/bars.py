"""Progress bars: on a terminal alone, for work of more than a second, unless all is to be quiet."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm

DELAY = 1.0  # seconds of work before a bar is shown

_is_quiet = ContextVar("is_quiet", default=False)
_Item = TypeVar("_Item")


@contextmanager
def silenced(quiet: bool) -> Iterator[None]:
    """Within it, no bar is shown if ``quiet``; what is silenced outside stays so."""
    token = _is_quiet.set(quiet or _is_quiet.get())
    try:
        yield
    finally:
        _is_quiet.reset(token)


def progress_bar(
    items: Iterable[_Item] | None, description: str, total: float | None = None, **settings: Any
) -> tqdm[_Item]:
    """A bar on stderr, which goes away when it is closed.

    Args:
        items: what to go through; None: whoever asked updates the bar.
        description: what is done.
        total: how much there is, for the time that is left; None: the length of ``items``, if it
            has one.
        settings: tqdm's other ones.
    """
    from tqdm import tqdm  # takes a while, and most commands need none

    quiet = True if _is_quiet.get() else None  # None: unless stderr is a terminal
    given: Any = items
    return tqdm(given, description, total, False, disable=quiet, delay=DELAY, **settings)


def bytes_bar(description: str, total: int | None, initial: int = 0) -> tqdm[Any]:
    """A bar that counts bytes, which whoever asked for it updates."""
    return progress_bar(
        None, description, total, initial=initial, unit="B", unit_scale=True, unit_divisor=1024
    )


def above_bars(file: TextIO) -> AbstractContextManager[None]:
    """Within it, what is written to ``file`` stands above the bars that are shown there."""
    if "tqdm" not in sys.modules:
        return nullcontext()
    from tqdm import tqdm

    return tqdm.external_write_mode(file)


def without_bar(items: Iterable[_Item]) -> Iterable[_Item]:
    """The items as they are: for those whom a bar could be given, and who need none."""
    return items
