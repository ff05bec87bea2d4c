"""The innermost loops, compiled by numba when they are first used, then cached on disk.

PyTorch's operators cost microseconds each, and a recurrence needs several per token. A kernel
is one call for a whole batch, without Python's lock, so that others run beside it. Where numba
is absent, and on a GPU, PyTorch's operators do the same; tests hold the two to equal results.

Only this package and its modules import numba, and only when a kernel is asked for.
"""

from __future__ import annotations

from importlib.util import find_spec

HAS_NUMBA = find_spec("numba") is not None
