"""Tasks side by side on a few cores.

The matrices of a tagger are small: shared between two threads, a product of theirs takes longer
than on one. What pays is to give each core a task of its own, such as a direction of an LSTM.
Tasks here are few, long (a millisecond) and run without Python's lock; threads wait for them
asleep, so that a busy machine loses nothing.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache, partial
from threading import Lock
from typing import TypeVar

import torch
from torch import nn

Item = TypeVar("Item")
Result = TypeVar("Result")

_count = 1
_counting = Lock()
_takers, _interval = 0, 0.0  # of turns, and how long Python's threads wait without any


def thread_count() -> int:
    """How many tasks :func:`side_by_side` runs at once."""
    return _count


def available_threads() -> int:
    """As many as PyTorch was given: a core each, or what OMP_NUM_THREADS says."""
    return max(_count, torch.get_num_threads())


@contextmanager
def computing(model: nn.Module, count: int | None = None) -> Iterator[None]:
    """Within it, a model computes with so many threads.

    They go to tasks where one of its modules has any, as its ``runs_side_by_side`` tells, and
    otherwise to PyTorch's operators. That follows from the model alone, so that a run repeats.

    Args:
        model: the model.
        count: how many; None: :func:`available_threads`.
    """
    global _count
    before = _count, torch.get_num_threads()
    count = count or available_threads()
    has_tasks = any(getattr(module, "runs_side_by_side", False) for module in model.modules())
    _count, operators = (count, 1) if has_tasks else (1, count)
    torch.set_num_threads(operators)
    try:
        yield
    finally:
        _count = before[0]
        torch.set_num_threads(before[1])


def side_by_side(tasks: Sequence[Callable[[], Result]]) -> list[Result]:
    """The results of tasks that share nothing they write to, in their order.

    The first one runs in the calling thread. None of them is recorded by autograd.
    """
    first, *others = tasks
    with torch.no_grad():
        if _count == 1:
            return [task() for task in tasks]
        pending = [_pool(_count - 1).submit(task) for task in others]
        return [first(), *(future.result() for future in pending)]


def each(
    model: nn.Module, act: Callable[[Item], Result], items: Iterable[Item], count: int
) -> Iterator[Result]:
    """What a call gives for each item, in order, and without gradients.

    Where there are threads for it, several calls run at once: whole batches never wait for each
    other as the halves of one do, and two cores tag a third more. The items are taken as there is
    room for them. A model with modules from elsewhere, which may keep something from one line to
    the next, or on a GPU, gets one call at a time.

    Args:
        model: computes in the calls.
        act: what to call.
        items: what with.
        count: how many there are.
    """
    threads = available_threads()
    workers = max(1, min(threads, count)) if _is_shareable(model) else 1
    call = torch.inference_mode()(act)
    with computing(model, threads // workers):
        if workers == 1:
            yield from map(call, items)
            return
        begin = partial(torch.set_num_threads, torch.get_num_threads())
        waiting: deque[Future[Result]] = deque()
        with taking_turns(), ThreadPoolExecutor(workers, "batches", initializer=begin) as pool:
            for item in items:
                waiting.append(pool.submit(call, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()


def _is_shareable(model: nn.Module) -> bool:
    """Whether several threads may compute with it, for all that is known."""
    ours = {__name__.partition(".")[0], nn.__name__.partition(".")[0]}
    are_known = all(type(m).__module__.partition(".")[0] in ours for m in model.modules())
    return are_known and all(p.device.type == "cpu" for p in model.parameters())


@contextmanager
def taking_turns() -> Iterator[None]:
    """Within it, Python's threads wait a tenth of a millisecond for each other at most, not five.

    A thread that computes gives Python's lock up and needs it back at every operator: beside one
    that reads text it would stand still nearly all the time.
    """
    global _takers, _interval
    with _counting:
        if not _takers:
            _interval = sys.getswitchinterval()
            sys.setswitchinterval(1e-4)
        _takers += 1
    try:
        yield
    finally:
        # of several at once, such as generators, the first to begin may be the first to end
        with _counting:
            _takers -= 1
            if not _takers:
                sys.setswitchinterval(_interval)


@cache
def _pool(size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(size, "tagger", initializer=_begin)


def _begin() -> None:
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)


if hasattr(os, "register_at_fork"):
    # a forked process has none of its parent's threads, and would wait for them for ever
    os.register_at_fork(after_in_child=_pool.cache_clear)
