"""Signals that stop a command, in a process of its own."""

from __future__ import annotations

import importlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ner_registry.cli.stopping import Stopped, stoppable

PROGRAM = """
import os, signal, sys, weakref
from ner_registry.cli.stopping import stoppable

number = signal.Signals[sys.argv[1]]
signal.signal(signal.SIGINT, signal.default_int_handler)

def once_more():
    try:
        signal.raise_signal(number)
    finally:
        signal.raise_signal(number)
        print("went on")

def swallowed():
    class Thing:
        pass
    thing = Thing()
    watched = weakref.ref(thing, lambda _: signal.raise_signal(number))
    del thing
    print("went on")

with stoppable():
    globals()[sys.argv[2]]()
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("way", ["once_more", "swallowed"])
def test_it_ends_there_and_then(name: str, code: int, way: str, root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, name, way],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_the_first_raises_and_what_was_there_comes_back() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    with pytest.raises(Stopped) as caught, stoppable():
        signal.raise_signal(signal.SIGTERM)
    assert (str(caught.value), caught.value.exit_code) == ("terminated", 143)
    assert [signal.getsignal(number) for number in numbers] == before


def test_an_import_comes_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import signal\nsignal.raise_signal(signal.SIGINT)\nis_whole = True\n"
    (tmp_path / "stopped_within.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Stopped), stoppable():
        time.sleep(10 * importlib.import_module("stopped_within").is_whole)


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


LOOKED_THROUGH = """
import atexit, gc
atexit.register(lambda: print(len(gc.get_objects()) < 100))
from ner_registry.cli import main
main(["results", "."])
"""


def test_what_libraries_made_is_not_looked_through_at_the_end(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOKED_THROUGH],
        cwd=root / "tests",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "True", done.stderr
