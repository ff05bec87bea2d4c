import subprocess
import sys

import pytest

# a step's worth of blocks, freed and taken again: how many pages the system had to clear, and got
# back in the end
_STEPS = """
import resource, torch
from ner_registry.training.memory import freed_memory_kept

def pages():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1])

with freed_memory_kept():
    for step in range(30):
        if step == 10:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        blocks = [torch.ones(2**20) for _ in range(20)]
        del blocks
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    within = pages()
print(faults, within - pages())
"""
_HEAPS = """
import ctypes, sys, threading
from ner_registry.training.memory import share_one_heap

if sys.argv[1] == "one":
    share_one_heap()
malloc, places = ctypes.CDLL(None).malloc, []
malloc.restype = ctypes.c_void_p
threads = [threading.Thread(target=lambda: places.append(malloc(2**16))) for _ in range(4)]
for thread in threads:
    thread.start()
    thread.join()
with open("/proc/self/maps") as maps:
    (heap,) = [line.split()[0] for line in maps if "[heap]" in line]
begin, end = (int(edge, 16) for edge in heap.split("-"))
print(sum(begin <= place < end for place in places))
"""
_PAGES = 20 * 20 * 1024  # that the steps write to


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library's way to free memory")
def test_steps_take_the_memory_that_those_before_freed() -> None:
    cleared, freed = _cleared_and_freed()
    assert cleared < 100
    assert freed > _PAGES / 20 / 2  # what the last step left, once training is over


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library's way to free memory")
def test_the_environment_overrides_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")
    cleared, _ = _cleared_and_freed()
    assert cleared > _PAGES / 2


def _cleared_and_freed() -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", _STEPS], check=True, capture_output=True, text=True
    )
    cleared, freed = map(int, done.stdout.split())
    return cleared, freed


@pytest.mark.skipif(sys.platform != "linux", reason="the GNU C library's heaps")
def test_threads_share_a_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES"):
        monkeypatch.delenv(setting, raising=False)
    assert [_of_one_heap(heaps) for heaps in ("one", "several")] == [4, 0]


def _of_one_heap(heaps: str) -> int:
    """How many of four threads took memory from the process's first heap."""
    command = [sys.executable, "-c", _HEAPS, heaps]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
