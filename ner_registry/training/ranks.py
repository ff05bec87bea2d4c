"""The processes that train one model together, each on its share of every batch.

torchrun starts them, and starts them anew where one dies; they talk through torch.distributed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

import torch
from torch import Tensor, distributed
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.rendezvous import rendezvous

from ner_registry.errors import NerError, RunError

Value = TypeVar("Value")

TIMEOUT = timedelta(minutes=10)  # that a rank waits for the others

_PAUSE = 0.02  # seconds
_FAULT = "fault"


class Ranks:
    """This process among those that train together; by itself it is the only one.

    What is done together, every rank must do, in the same order. Each of these methods raises
    RunError where a rank has ended, or didn't answer in time.

    Args:
        rank: the number of this process, from 0.
        size: how many there are.
        store: what all of them, and those that torchrun starts in their place, write to.
        attempt: the part of it that is these processes' own.
    """

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        store: Store | None = None,
        attempt: Store | None = None,
    ) -> None:
        self.rank = rank
        self.size = size
        self._store = store
        self._attempt = attempt

    @property
    def is_first(self) -> bool:
        """Whether this rank reads, writes and speaks for all of them."""
        return self.rank == 0

    def gather(self, value: Value) -> list[Value]:
        """Every rank's value, in their order, on each of them."""
        values = [value] * self.size
        if self.size > 1:
            with self._telling_loss():
                distributed.all_gather_object(values, value)
        return values

    def first(self, act: Callable[[], Value]) -> Value:
        """What the first rank's call gives, or raises, on all of them; the others don't call."""
        if self.size == 1:
            return act()
        with self.agreeing():
            values = [act() if self.is_first else None]
        with self._telling_loss():
            distributed.broadcast_object_list(values)
        value: Value = values[0]  # type: ignore[assignment]  # by now the first rank's
        return value

    def add_up(self, values: Tensor) -> Tensor:
        """The sum of every rank's tensor, dense or sparse; it may change the one given."""
        if self.size > 1:
            with self._telling_loss():
                distributed.all_reduce(values)
        return values

    def highest(self, number: int) -> int:
        """The highest of the ranks' numbers."""
        if self.size == 1:
            return number
        values = torch.tensor(number)
        with self._telling_loss():
            distributed.all_reduce(values, distributed.ReduceOp.MAX)
        return int(values)

    def turns(self, values: Sequence[Value]) -> Iterator[Value | None]:
        """This rank's share of values; in the last turn None where there is none left for it."""
        for begin in range(0, len(values), self.size):
            place = begin + self.rank
            yield values[place] if place < len(values) else None

    @contextmanager
    def agreeing(self) -> Iterator[None]:
        """Within it, what one rank raises all of them raise, when every one has left it."""
        if self.size == 1:
            yield
            return
        own = None
        try:
            yield
        except (NerError, OSError) as error:
            own = error
        raised = [error for error in self.gather(own) if error is not None]
        if raised:
            raise raised[0]

    def note(self, name: str) -> None:
        """Has :meth:`is_noted` know a name, also after torchrun has started the ranks anew."""
        if self._store is not None:
            self._store.set(name, "")

    def is_noted(self, name: str) -> bool:
        """Whether it was noted, since torchrun began."""
        return self._store is not None and self._store.check([name])

    def report(self, error: BaseException) -> None:
        """Leaves word for the other ranks of why this one ends, unless another did before."""
        if self._attempt is not None:
            with suppress(RuntimeError):  # the machine with the store is gone
                self._attempt.compare_set(_FAULT, "", f"rank {self.rank}: {error}")

    @contextmanager
    def _telling_loss(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            assert self._attempt is not None
            told = (
                f"a rank has ended, or not answered for {TIMEOUT.seconds} s: torchrun tells which"
            )
            with suppress(RuntimeError):
                if self._attempt.check([_FAULT]):
                    told = self._attempt.get(_FAULT).decode()
            raise RunError(told) from error


ALONE = Ranks()


@contextmanager
def joined() -> Iterator[Ranks]:
    """The ranks that torchrun started this process as one of.

    Raises:
        RunError: not all of them came.
    """
    if not distributed.is_torchelastic_launched():
        yield ALONE
        return
    backend = "gloo"
    if torch.cuda.is_available():
        backend = "cpu:gloo,cuda:nccl"
        # so that "cuda" is a GPU of its own for each rank of a machine
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    try:
        store, rank, size = next(rendezvous("env://", timeout=TIMEOUT))
        attempt = PrefixStore(_meet(store, rank, size), store)
        distributed.init_process_group(
            backend, store=attempt, rank=rank, world_size=size, timeout=TIMEOUT
        )
    except RuntimeError as error:
        raise RunError(f"the ranks didn't find each other: {error}") from error
    ranks = Ranks(rank, size, store, attempt)
    try:
        yield ranks
    except Exception as error:
        ranks.report(error)
        raise
    finally:
        distributed.destroy_process_group()


def _meet(store: Store, rank: int, size: int) -> str:
    """A name that these very processes share, and none that were there before them.

    torchrun keeps the store when it starts ranks anew, and what the dead ones wrote in it; how
    often it did so isn't the same on every machine.
    """
    own = uuid4().hex
    if rank == 0:
        store.set("attempt", own)
        others = [store.get(f"{own}/{other}").decode() for other in range(1, size)]
        store.set(f"{own}/others", " ".join(others))
        return own
    began = time.monotonic()
    while time.monotonic() - began < TIMEOUT.total_seconds():
        # perhaps an earlier attempt's still
        attempt: str = store.get("attempt").decode()
        store.set(f"{attempt}/{rank}", own)
        met = f"{attempt}/others"
        if store.check([met]) and own in store.get(met).decode().split():
            return attempt
        time.sleep(_PAUSE)
    raise RuntimeError(f"rank 0 didn't come within {TIMEOUT.seconds} s")
