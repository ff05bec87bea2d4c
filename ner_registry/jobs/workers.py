"""Runs side by side, each in a process of its own."""

from __future__ import annotations

import _thread
import multiprocessing
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

import torch

from ner_registry.errors import NerError, RunError
from ner_registry.nn.threads import available_threads

Job = Callable[[int], dict[str, Any]]


def side_by_side(
    job: Job, numbers: Sequence[int], workers: int
) -> Generator[tuple[int, dict[str, Any]]]:
    """What a job gives for each number, with that number, as it comes.

    Where this process is interrupted, or a job fails, the other jobs are interrupted too, so that
    they save what they reached, and are waited for. They also are where this is closed, and where
    this process is killed.

    Args:
        job: can be pickled.
        numbers: what to call it with.
        workers: how many at once, on a share of the threads each.

    Raises:
        RunError: a process was killed.
    """
    crew = _Crew(job, max(1, available_threads() // workers))
    with ThreadPoolExecutor(workers) as waiting:
        try:
            with _without_signals():
                results = {waiting.submit(crew.work, number): number for number in numbers}
            for result in as_completed(results):
                yield results[result], result.result()
        except BaseException:
            crew.dismiss()
            raise


class _Crew:
    """The processes that are at work, each with a thread that waits for it.

    Args:
        job: what they do.
        threads: on how many threads each.
    """

    def __init__(self, job: Job, threads: int) -> None:
        self.job = job
        self.threads = threads
        self._leashes: list[Connection] = []
        self._is_dismissed = False
        self._lock = threading.Lock()

    def work(self, number: int) -> dict[str, Any]:
        """Has a new process do the job."""
        context = multiprocessing.get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        follower, leash = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(follower, sender, self.job, number, self.threads)
        )
        with self._lock:
            if self._is_dismissed:
                raise RunError("no more runs are begun")
            process.start()
            self._leashes.append(leash)
        # so that their other end is left to the process alone, and closed when it ends
        sender.close()
        follower.close()
        outcome: dict[str, Any] | Exception
        try:
            with receiver:
                outcome = receiver.recv()
        except EOFError:
            outcome = RunError(
                "a run's process was killed, perhaps for want of memory: fewer --workers need "
                "less; --recover goes on"
            )
        process.join()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def dismiss(self) -> None:
        """Has all processes save what they reached, and end."""
        with self._lock:
            self._is_dismissed = True
            for leash in self._leashes:
                leash.close()


@contextmanager
def _without_signals() -> Iterator[None]:
    """Threads that are begun within it, and their processes, get no signal to stop.

    What is sent to a whole group, as by a terminal, is this process's business.
    """
    resource_tracker.ensure_running()  # where it is begun with the first process, it unblocks them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(follower: Connection, sender: Connection, job: Job, number: int, threads: int) -> None:
    """A process: does a job and sends what it gives, or how it failed."""
    torch.set_num_threads(threads)
    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_follow, args=(follower,), daemon=True).start()
    outcome: dict[str, Any] | Exception
    try:
        outcome = job(number)
    except KeyboardInterrupt:
        outcome = RunError("the run was interrupted")
    except (NerError, OSError) as error:
        outcome = error
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(BrokenPipeError):  # nobody is there any more
        sender.send(outcome)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _follow(leash: Connection) -> None:
    """Has the job end as by a SIGTERM when the leash's other end is closed, or its owner dies."""
    with suppress(EOFError):
        leash.recv()
    _thread.interrupt_main(signal.SIGTERM)
