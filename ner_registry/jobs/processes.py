"""Parts tagged by processes of this machine, each with a model of its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from multiprocessing.connection import Connection

import torch
from tqdm import tqdm

from ner_registry.errors import NerError, RunError
from ner_registry.jobs.parts import Part, PartTagger
from ner_registry.jobs.workers import without_signals

_MOST_STARTS = 10


def tag_by_processes(
    tagger: PartTagger, parts: Sequence[Part], workers: int
) -> Generator[tuple[Part, NerError | None]]:
    """Each part, as it is done, with what is wrong with it, if anything.

    A process that is killed is replaced, and its part begun again. All end when this is closed,
    and when this process is killed.

    Raises:
        ArchiveError: the model can't be read.
        RunError: processes are killed while they load it.
    """
    crew = _Crew(tagger)
    with ThreadPoolExecutor(min(workers, len(parts)) or 1) as waiting:
        try:
            with without_signals():
                results = {waiting.submit(crew.tag, part): part for part in parts}
            for result in as_completed(results):
                yield results[result], result.result()
        finally:
            waiting.shutdown(wait=False, cancel_futures=True)
            crew.dismiss()


class _Worker:
    """A process that has loaded the model."""

    def __init__(self, tagger: PartTagger) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, connection = context.Pipe()
        follower, self._leash = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(follower, connection, tagger))
        self._process.start()
        self._ending = threading.Lock()
        # so that their other end is left to the process alone, and closed when it ends
        connection.close()
        follower.close()

    def has_loaded(self) -> bool:
        """Waits for it; false where the process was killed meanwhile."""
        with suppress(EOFError):
            self._received()
            return True
        return False

    def tag(self, part: Part) -> NerError | None:
        """What is wrong with a part once it is tagged.

        Raises:
            EOFError: the process was killed.
        """
        with suppress(BrokenPipeError):
            self._connection.send(part)
        return self._received()

    def _received(self) -> NerError | None:
        fault: NerError | None
        failure: Exception | None
        try:
            fault, failure = self._connection.recv()
        except (EOFError, ConnectionResetError):
            self.end()
            raise EOFError from None
        if failure is not None:
            raise failure
        return fault

    def end(self) -> None:
        """Ends the process there and then."""
        with self._ending:
            self._leash.close()
            self._process.join()


class _Crew:
    """A worker for each thread that asks."""

    def __init__(self, tagger: PartTagger) -> None:
        self._tagger = tagger
        self._own = threading.local()
        self._workers: set[_Worker] = set()
        self._is_dismissed = False
        self._lock = threading.Lock()

    def tag(self, part: Part) -> NerError | None:
        """Has the thread's worker tag a part; where it is killed, its successor."""
        while True:
            worker: _Worker | None = getattr(self._own, "worker", None)
            if worker is None:
                worker = self._own.worker = self._begin()
            try:
                return worker.tag(part)
            except EOFError:
                self._own.worker = None
                self._workers.discard(worker)

    def _begin(self) -> _Worker:
        for _ in range(_MOST_STARTS):
            with self._lock:
                if self._is_dismissed:
                    raise RunError("no more parts are begun")
                worker = _Worker(self._tagger)
                self._workers.add(worker)
            if worker.has_loaded():
                return worker
            self._workers.discard(worker)
        raise RunError(
            f"{self._tagger.archive}: {_MOST_STARTS} processes in a row were killed while they "
            "loaded it, perhaps for want of memory: fewer --workers need less"
        )

    def dismiss(self) -> None:
        """Ends all workers, and begins no more."""
        with self._lock:
            self._is_dismissed = True
            workers = list(self._workers)
        for worker in workers:
            worker.end()


def _serve(follower: Connection, connection: Connection, tagger: PartTagger) -> None:
    """A process: loads the model and says so, then tags one part after another."""
    torch.set_num_threads(1)
    tqdm.set_lock(threading.RLock())  # its own is a semaphore, which a killed process leaves
    threading.Thread(target=_follow, args=(follower,), daemon=True).start()
    try:
        tag = tagger.load()
        connection.send((None, None))
        while True:
            connection.send((tag(connection.recv()), None))
    except Exception as error:  # nothing of the part: for the other end to raise
        connection.send((None, error))


def _follow(leash: Connection) -> None:
    """Ends the process when the leash's other end is closed, or its owner dies."""
    with suppress(EOFError):
        leash.recv()
    os._exit(1)
