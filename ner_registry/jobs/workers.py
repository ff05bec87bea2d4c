"""Runs side by side, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any

import torch

from ner_registry.errors import RunError
from ner_registry.nn.threads import available_threads

_at_work = threading.Event()


def side_by_side(
    job: Callable[[int], dict[str, Any]], numbers: Sequence[int], workers: int
) -> list[dict[str, Any]]:
    """What a job gives for each number, in their order.

    Where this process is interrupted, the jobs get a SIGTERM, to save what they reached, and are
    waited for. They get one where it ends, too: the second, if it was interrupted before.

    Args:
        job: can be pickled.
        numbers: what to call it with.
        workers: how many at once, on a share of the threads each.

    Raises:
        RunError: a process was killed.
    """
    threads = max(1, available_threads() // workers)
    pool = ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(threads,),
        max_tasks_per_child=1,
    )
    before = set(multiprocessing.active_children())
    try:
        with _without_signals():
            results = pool.map(partial(_work, job), numbers)
        found = list(results)
    except BaseException as error:
        pool.shutdown(wait=False, cancel_futures=True)
        _end(set(multiprocessing.active_children()) - before)
        if not isinstance(error, BrokenProcessPool):
            raise
        raise RunError(
            "a run's process was killed, perhaps for want of memory: fewer --workers need less; "
            "--recover goes on"
        ) from None
    pool.shutdown()
    return found


@contextmanager
def _without_signals() -> Iterator[None]:
    """Processes that are begun within it, now or later, don't get those of this one's terminal.

    They inherit it, as does the thread that begins the later ones. One that waits to be let
    through while Python starts can't end a process half-way.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(threads: int) -> None:
    torch.set_num_threads(threads)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _work(job: Callable[[int], dict[str, Any]], number: int) -> dict[str, Any]:
    signal.signal(signal.SIGTERM, _interrupt)
    _at_work.set()
    # a SIGINT stays blocked: it is for the process that waits for us
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM,))
    try:
        return job(number)
    except KeyboardInterrupt:
        raise RunError("a run's process was terminated: --recover goes on") from None
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # an error of the job, like others: did this process die, the pool would send the rest a second
    # signal
    raise KeyboardInterrupt


def _follow_parent() -> None:
    """Has this process save what it reached and end, should its parent be killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    if not _at_work.is_set():
        os._exit(1)  # it would wait for work for ever
    os.kill(os.getpid(), signal.SIGTERM)


def _end(processes: set[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()
