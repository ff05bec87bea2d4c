import subprocess
import sys

import pytest

# a step's worth of blocks, freed and taken again, and how many pages the system had to clear; 80 MB,
# since the library keeps up to 64 once it has seen a program free large blocks
_STEPS = """
import resource, sys, torch
from ner_registry.training.memory import keep_freed_memory

if sys.argv[1] == "kept":
    keep_freed_memory()
for step in range(30):
    if step == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [torch.ones(2**20) for _ in range(20)]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
_PAGES = 20 * 20 * 1024  # that the steps write to


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library's way to free memory")
def test_steps_take_the_memory_that_those_before_freed() -> None:
    faults = {how: _faults(how) for how in ("kept", "given back")}
    assert faults["kept"] < 100 < _PAGES / 2 < faults["given back"]


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library's way to free memory")
def test_the_environment_overrides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "0")
    assert _faults("kept") > _PAGES / 2


def _faults(how: str) -> int:
    command = [sys.executable, "-c", _STEPS, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
