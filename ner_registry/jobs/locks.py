"""Who may write to a directory."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ner_registry.errors import RunDirectoryError

# they stay there, and mark a directory as a run's, or as that of several seeds
LOCK_NAME, SEEDS_LOCK_NAME = ".ner-run.lock", ".ner-seeds.lock"

_ATTEMPTS = 10
_PAUSE = 0.05  # seconds


@contextmanager
def locked(directory: Path, name: str = LOCK_NAME) -> Iterator[None]:
    """Keeps other runs out of a directory; the lock goes with the process that holds it.

    Args:
        directory: the directory.
        name: of the file in it that is locked.

    Raises:
        RunDirectoryError: another process holds it.
    """
    # a file, opened for writing: on NFS nothing else can be locked
    descriptor = os.open(directory / name, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        # who holds it may have just come, and not have said so yet, or be about to leave
        for _ in range(_ATTEMPTS):
            if try_lock(descriptor):
                break
            time.sleep(_PAUSE)
        else:
            holder = os.pread(descriptor, 100, 0).decode(errors="replace").strip()
            raise RunDirectoryError(
                f"{directory}: locked: another run, process {holder or 'unknown'}, writes to it: "
                "wait for it, or choose another directory"
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Locks an open file until it is closed, or the process ends; false where another has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
