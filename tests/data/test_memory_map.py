"""Mapped arrays are those that were put together, built once, or refused in a line."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import torch

from ner_registry.data.arrays import Arrays
from ner_registry.data.memory_map import open_or_build
from ner_registry.errors import RunError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "indexed"


def build(arrays: Arrays) -> None:
    for begin in range(0, 3000, 3):
        arrays.append("rows", torch.arange(2 * begin, 2 * begin + 6).view(3, 2))
        arrays.append("Rows", torch.tensor([begin / 7], dtype=torch.bfloat16))
    arrays.append("none", torch.zeros(0, 4, dtype=torch.int32))


def refuse(arrays: Arrays) -> None:
    raise AssertionError("it is there already")


def check(arrays: dict[str, torch.Tensor]) -> None:
    assert torch.equal(arrays["rows"], torch.arange(6000).view(3000, 2))
    expected = torch.arange(0, 3000, 3) / 7
    assert torch.equal(arrays["Rows"], expected.bfloat16())
    assert arrays["none"].shape == (0, 4)


def test_built_once(cache: Path) -> None:
    check(open_or_build("key", build))
    check(open_or_build("key", refuse))
    assert [path.name for path in cache.iterdir()] == ["key"]


@pytest.mark.parametrize("harm", ["cut", "flipped", "gone", "manifest", "shape", "no manifest"])
def test_a_damaged_map_is_built_again(
    harm: str, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_or_build("key", build)
    file, manifest = cache / "key" / "0.bin", cache / "key" / "manifest.json"
    content = bytearray(file.read_bytes())
    if harm == "cut":
        file.write_bytes(content[:-1])
    elif harm == "flipped":
        content[len(content) // 2] ^= 4
        file.write_bytes(content)
    elif harm == "gone":
        file.unlink()
    elif harm == "manifest":
        manifest.write_bytes(manifest.read_bytes()[:-9])
    elif harm == "shape":
        described = json.loads(manifest.read_bytes())
        described["arrays"]["rows"]["shape"] = [2000, 3]
        manifest.write_text(json.dumps(described))
    else:
        manifest.unlink()
    check(open_or_build("key", build))
    check(open_or_build("key", refuse))
    assert [path.name for path in cache.iterdir()] == ["key"]
    told = [message for message in caplog.messages if message.endswith(": it is built again")]
    assert len(told) == 1


def test_what_a_killed_builder_left_is_replaced(cache: Path) -> None:
    def fail(arrays: Arrays) -> None:
        build(arrays)
        os.kill(os.getpid(), signal.SIGKILL)

    context = multiprocessing.get_context("fork")
    process = context.Process(target=open_or_build, args=("key", fail))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert sorted(path.name for path in cache.iterdir()) == ["key.lock", "key.part"]
    check(open_or_build("key", build))
    assert [path.name for path in cache.iterdir()] == ["key"]


def test_of_two_builders_one_builds(cache: Path, tmp_path: Path) -> None:
    def tell(arrays: Arrays) -> None:
        (tmp_path / f"built-{os.getpid()}").touch()
        while not (tmp_path / "go").exists():
            time.sleep(0.01)
        build(arrays)

    def open_it() -> None:
        check(open_or_build("key", tell))

    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=open_it) for _ in range(3)]
    for process in processes:
        process.start()
    while not list(tmp_path.glob("built-*")):
        time.sleep(0.01)
    (tmp_path / "go").touch()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(list(tmp_path.glob("built-*"))) == 1
    assert [path.name for path in cache.iterdir()] == ["key"]


def test_a_builder_that_fails_leaves_nothing(cache: Path) -> None:
    def fail(arrays: Arrays) -> None:
        build(arrays)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_or_build("key", fail)
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written(cache: Path) -> None:
    cache.parent.write_text("a file")
    with pytest.raises(RunError) as caught:
        open_or_build("key", build)
    assert str(caught.value).endswith(
        "the indexed corpus can't be kept there: Not a directory: set NER_CACHE to another folder, "
        "or data_loader.memory_map to false"
    )
