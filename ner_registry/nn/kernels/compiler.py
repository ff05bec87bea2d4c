"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

# sums may be reordered, so that they fill a vector register; NaN and infinities keep their meaning
_ARITHMETIC = {"contract", "nsz", "arcp", "reassoc"}


def compiled(function: Function) -> Function:
    """The function as machine code that runs without Python's lock."""
    kernel: Function = numba.njit(
        nogil=True, cache=True, error_model="numpy", fastmath=_ARITHMETIC
    )(function)
    return kernel
