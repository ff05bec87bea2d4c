"""Signals that wait, sent for real."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from ner_registry.training.interruption import Interruption

NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Received(Exception):  # noqa: N818  # nothing went wrong
    pass


def raise_received(number: int, frame: object) -> None:
    raise Received(signal.Signals(number).name)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Outside, a signal raises."""
    before = [signal.signal(number, raise_received) for number in NUMBERS]
    yield
    for number, handler in zip(NUMBERS, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_it_waits_until_it_is_let_through(number: signal.Signals) -> None:
    with Interruption() as interruption:
        assert not interruption.pending
        signal.raise_signal(number)
        assert interruption.pending
        with pytest.raises(Received, match=number.name):
            interruption.let_through()
        assert not interruption.pending
        interruption.let_through()
    assert [signal.getsignal(n) for n in NUMBERS] == [raise_received] * 2


@pytest.mark.parametrize("second", NUMBERS)
def test_a_second_one_does_not(second: signal.Signals) -> None:
    with Interruption():
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Received, match=second.name):
            signal.raise_signal(second)


def test_one_that_was_not_let_through_comes_in_the_end() -> None:
    with pytest.raises(Received), Interruption():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is raise_received


def test_what_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert not interruption.pending


def test_another_thread_gets_none() -> None:
    seen = []

    def work() -> None:
        with Interruption() as interruption:
            seen.append(interruption.pending)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
