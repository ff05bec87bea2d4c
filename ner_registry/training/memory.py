"""How much memory training takes, and what it was too much for."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ner_registry.data.indexed import Batch
from ner_registry.errors import RunError, is_out_of_memory
from ner_registry.training.progress import Progress

# of mallopt(3): the parameters, and the largest block that may come from the heap
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGEST, _KEPT = 2**25, 2**30


def share_one_heap() -> None:
    """Has the threads that this process begins take memory from one heap, from now on.

    With the GNU C library each has a heap of its own, which keeps what it ever held: another 50 MB
    where an LSTM's two directions are side by side. Nothing changes where the environment says
    how many there may be.
    """
    library = _gnu_library("MALLOC_ARENA_MAX")
    if library is not None:
        library.mallopt(_ARENA_MAX, 1)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Within it, this process keeps up to a gigabyte of what it frees, for the next step.

    The GNU C library gives large blocks back to the system, which has to clear every page when
    the next step asks for them anew: a tenth of the time of a small model's training. Nothing
    changes with another library, and where the environment has settings of its own for this.
    """
    library = _gnu_library("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_")
    if library is None:
        yield
        return
    library.mallopt(_MMAP_THRESHOLD, _LARGEST)
    library.mallopt(_TRIM_THRESHOLD, _KEPT)
    try:
        yield
    finally:
        library.mallopt(_TRIM_THRESHOLD, 2 * _LARGEST)  # as the library itself does by and by
        library.malloc_trim(0)


def _gnu_library(*settings: str) -> ctypes.CDLL | None:
    """The C library, if it is GNU's and the environment holds none of its settings."""
    if sys.platform != "linux" or {*settings, "GLIBC_TUNABLES"} & os.environ.keys():
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") else None  # musl has none


@contextmanager
def memory_for(
    batch: Batch, progress: Progress, places: Callable[[Sequence[int]], str]
) -> Iterator[None]:
    """Within it, too little memory is told with the batch that it was too little for.

    Raises:
        RunError: there is too little.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        longest = max(range(len(batch.lengths)), key=batch.lengths.__getitem__)
        raise RunError(
            f"out of memory in epoch {progress.epoch}, step {progress.steps}, on a "
            f"batch of {len(batch.lengths)} sentences x {batch.lengths[longest]} tokens (the "
            f"longest at {places([batch.numbers[longest]])}): lower "
            "data_loader.batch_size, the model's size, or the length of such a sentence"
        ) from error


def peak_memory() -> float:
    """The most memory this process has held, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
