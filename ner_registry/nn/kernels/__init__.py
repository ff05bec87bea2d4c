"""The innermost loops, compiled when they are first used, then cached on disk.

By numba for a CPU, by Triton for a GPU.

PyTorch's operators cost microseconds each, and a recurrence needs several per token. A kernel
is one call for a whole batch, without Python's lock, so that others run beside it. Where numba
or Triton is absent, PyTorch's operators do the same; tests hold the two to equal results.

Only the modules of this package import the two, and only when a kernel is asked for.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from torch import Tensor

HAS_NUMBA = find_spec("numba") is not None
HAS_TRITON = find_spec("triton") is not None


def as_array(tensor: Tensor) -> Any:
    """A CPU tensor's numbers as NumPy's, row by row in memory, as numba's kernels count them."""
    return tensor.detach().contiguous().numpy()
