"""Tasks and modules side by side."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import nn

from ner_registry.nn.parallel import parallel
from ner_registry.nn.recurrent import BidirectionalRecurrent
from ner_registry.nn.threads import (
    available_threads,
    computing,
    each,
    side_by_side,
    taking_turns,
    thread_count,
)

TASKS = BidirectionalRecurrent("gru", 3, hidden_size=2)


def test_threads_go_to_tasks_or_to_operators() -> None:
    with computing(TASKS, 3):
        assert (thread_count(), torch.get_num_threads(), available_threads()) == (3, 1, 3)
        with computing(TASKS):
            assert thread_count() == 3
    with computing(nn.Linear(2, 2), 3):
        assert (thread_count(), torch.get_num_threads()) == (1, 3)
    assert (thread_count(), torch.get_num_threads()) == (1, 1)


def test_tasks_run_at_once_and_results_keep_their_order() -> None:
    together = threading.Barrier(3, timeout=20)  # nobody passes it alone

    def task(number: int) -> int:
        together.wait()
        return number

    with computing(TASKS, 3):
        assert side_by_side([partial(task, number) for number in range(3)]) == [0, 1, 2]


def test_a_task_that_fails_is_told() -> None:
    def fails() -> None:
        raise ValueError("no")

    with computing(TASKS, 2), pytest.raises(ValueError, match="no"):
        side_by_side([lambda: None, fails])


def test_calls_run_at_once_and_results_keep_their_order() -> None:
    together = threading.Barrier(3, timeout=20)

    def call(number: int) -> tuple[int, int, bool]:
        together.wait()
        return number, thread_count(), torch.is_inference_mode_enabled()

    with computing(TASKS, 3):
        found = list(each(TASKS, call, range(9), 9))
    assert found == [(number, 1, True) for number in range(9)]


class Foreign(nn.Module):
    """What it keeps from one line to the next, another thread could change."""


@pytest.mark.parametrize(("model", "count"), [(nn.Sequential(TASKS, Foreign()), 9), (TASKS, 1)])
def test_one_call_at_a_time_has_all_threads(model: nn.Module, count: int) -> None:
    def call(number: int) -> tuple[threading.Thread, int]:
        return threading.current_thread(), thread_count()

    with computing(TASKS, 3):
        found = list(each(model, call, range(count), count))
    assert found == [(threading.current_thread(), 3)] * count


def test_items_are_taken_as_there_is_room_and_a_fault_is_told() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    def call(number: int) -> int:
        return 1 // (number - 20)

    with computing(TASKS, 2):
        found = each(TASKS, call, items(), 100)
        assert next(found) == -1
        assert len(taken) < 10
        with pytest.raises(ZeroDivisionError):
            list(found)
    assert len(taken) < 30


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
def test_modules_side_by_side_learn_the_same(cell: type[nn.GRU] | type[nn.LSTM]) -> None:
    torch.manual_seed(0)
    modules = [cell(3, 4, batch_first=True), cell(3, 4, batch_first=True)]
    inputs = torch.randn(2, 5, 3, requires_grad=True)
    of = [inputs, *(p for module in modules for p in module.parameters())]
    found = []
    for threads in (1, 2):
        with computing(TASKS, threads):
            one, other = parallel(modules, [inputs, inputs.flip(1)])
            outputs = torch.cat([one, other], 2)
            found.append((outputs, *torch.autograd.grad(outputs.square().sum(), of)))
            with torch.inference_mode():
                tagged = torch.cat(parallel(modules, [inputs, inputs.flip(1)]), 2)
            torch.testing.assert_close(tagged, outputs)
    for sequential, side in zip(*found, strict=True):
        assert torch.equal(sequential, side)


def test_a_forked_process_has_threads_of_its_own() -> None:
    with computing(TASKS, 2):
        assert side_by_side([lambda: 1, lambda: 2]) == [1, 2]
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                os._exit(int(side_by_side([lambda: 1, lambda: 2]) != [1, 2]))
            os._exit(2)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the forked process waits for threads that it doesn't have")


def test_turns_end_with_whoever_takes_them_last() -> None:
    before = sys.getswitchinterval()
    first, second = taking_turns(), taking_turns()
    with first:
        second.__enter__()
    assert sys.getswitchinterval() < before
    second.__exit__(None, None, None)
    assert sys.getswitchinterval() == before
