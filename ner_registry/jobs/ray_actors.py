"""Parts tagged by actors of a Ray cluster, each with a model of its own, through Ray Data."""

from __future__ import annotations

import logging
import os
import pickle
import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from ner_registry.errors import NerError, RunError
from ner_registry.jobs.parts import Part, PartTagger

_MOST_BLOCKS = 10_000  # what a driver keeps track of with ease
_MOST_STARTS = 10


def tag_by_actors(
    tagger: PartTagger, parts: Sequence[Part], workers: int
) -> Generator[tuple[Part, NerError | None]]:
    """Each part, as it is done, with what is wrong with it, if anything.

    An actor that dies is replaced, wherever there is room, and its part begun again. The cluster
    is the one that ``ray.init`` finds; where it finds none, this machine, until this is closed.

    Raises:
        ArchiveError: the model can't be read.
        RunError: actors die while they load it, or the cluster fails.
    """
    ray = _ray()
    if not parts:
        return
    with _cluster(ray):
        rows = [{"number": number, "part": pickle.dumps(p)} for number, p in enumerate(parts)]
        needs_gpu = tagger.device.startswith("cuda")
        data = ray.data.from_items(rows, override_num_blocks=min(len(rows), _MOST_BLOCKS)).map(
            _Actor,
            fn_constructor_args=(tagger, os.getcwd()),
            # no part waits for a busy actor while another has nothing to do
            compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
            num_cpus=1,
            num_gpus=1 if needs_gpu else 0,
        )
        try:
            for row in data.iter_rows():
                fault, failure = pickle.loads(row["outcome"])
                if failure is not None:
                    raise failure
                yield parts[row["number"]], fault
        except ray.exceptions.RayError as error:
            reason = " ".join(str(error).split())
            raise RunError(f"--engine ray: the cluster failed: {reason}") from error


class _Actor:
    """Loads the model once, then tags what it is given.

    Args:
        tagger: what loads it.
        folder: what relative paths are relative to.
    """

    def __init__(self, tagger: PartTagger, folder: str) -> None:
        torch.set_num_threads(1)
        os.chdir(folder)
        # what fails is handed over as it is: Ray would begin again, or tell it in its own words
        self._failure: Exception | None = None
        try:
            self._tag = tagger.load()
        except Exception as error:
            self._failure = error

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        fault: NerError | None = None
        if self._failure is None:
            try:
                fault = self._tag(pickle.loads(row["part"]))
            except Exception as error:
                self._failure = error
        outcome = pickle.dumps((fault, self._failure))
        return {"number": row["number"], "outcome": outcome}


@contextmanager
def _cluster(ray: Any) -> Iterator[None]:
    """A connection to the cluster, which says nothing of its own and tells nobody of its use."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    handler = signal.getsignal(signal.SIGTERM)
    ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    signal.signal(signal.SIGTERM, handler)  # Ray has its own, which ends without a word
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_consecutive_actor_init_deaths = _MOST_STARTS
    try:
        yield
    finally:
        ray.shutdown()


def _ray() -> Any:
    try:
        import ray.data
    except ImportError:
        raise NerError("--engine ray needs Ray: pip install 'ner_registry[ray]'") from None
    return ray
