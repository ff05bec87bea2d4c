"""How kernels are compiled.

What a user waits for, once, is mostly numba's own work on assignments to slices and on NumPy's
functions: seconds each. So kernels are written as loops over single numbers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numba
from numba.core import event

logger = logging.getLogger(__name__)

# sums may be reordered, so that they fill a vector register; NaN and infinities keep their meaning
_ARITHMETIC = {"contract", "nsz", "arcp", "reassoc"}
_SOURCES = sorted(Path(__file__).parent.glob("*.py"))
_VERSION = blake2b(b"".join(path.read_bytes() for path in _SOURCES), digest_size=8).hexdigest()


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as machine code that runs without Python's lock, kept on disk if it can be."""
    # numba looks for changes in the function's own file alone, not in those that it calls into, so
    # what it keeps has a name that changes with any of them
    function.__qualname__ += f"_{_VERSION}"
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": _ARITHMETIC}
    try:
        kernel: Callable[..., Any] = numba.njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written to
        _Announcer.how_often = "each time: set NUMBA_CACHE_DIR to a folder that can be written to"
        kernel = numba.njit(**options)(function)
    return kernel


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as a part of other kernels."""
    decorator: Any = numba.njit(nogil=True, error_model="numpy", fastmath=_ARITHMETIC)
    kernel: Callable[..., Any] = decorator(function)
    return kernel


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same, copied to where it is called: arrays are many numbers to hand over."""
    decorator: Any = numba.njit(
        nogil=True, error_model="numpy", fastmath=_ARITHMETIC, inline="always"
    )
    kernel: Callable[..., Any] = decorator(function)
    return kernel


@inner
def fill(values: Any, value: float) -> None:
    """Sets every number of a contiguous array of any shape."""
    flat = values.reshape(values.size)
    for place in range(flat.shape[0]):
        flat[place] = value


class _Announcer(event.Listener):
    """Tells what a run waits for before the machine code is in numba's cache."""

    how_often = "once"
    _told = False

    def on_start(self, event: Any) -> None:
        if not _Announcer._told:
            _Announcer._told = True
            took = "compiling the inner loops for this machine: up to half a minute, %s"
            logger.info(took, _Announcer.how_often)

    def on_end(self, event: Any) -> None:
        pass


event.register("numba:compile", _Announcer())  # type: ignore[no-untyped-call]  # of numba
