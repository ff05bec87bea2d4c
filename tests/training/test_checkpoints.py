"""Checkpoints on disk: whole, verified, and as many as are needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ner_registry.training.checkpoints import (
    checkpoint_name,
    list_checkpoints,
    newest_checkpoint,
    save_checkpoint,
)


def save(directory: Path, epoch: int, step: int | None = None) -> Path:
    path = directory / checkpoint_name(epoch, step)
    files = {"state.json": f"{epoch} {step}".encode(), "weights": b"w" * 1000}
    save_checkpoint(path, files.items())
    return path


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    directory = tmp_path / "checkpoints"
    for epoch in range(12):
        save(directory, epoch, 5)
        save(directory, epoch, 40)
        save(directory, epoch)
    names = [path.name for path in list_checkpoints(directory)]
    assert names == ["epoch_11", "epoch_11_step_40"]
    assert {path.name for path in directory.iterdir()} == set(names)


def test_they_come_back_as_written(tmp_path: Path) -> None:
    path = save(tmp_path, 3, 7)
    assert newest_checkpoint(tmp_path) == (path, {"state.json": b"3 7", "weights": b"w" * 1000})
    manifest = json.loads((path / "manifest.json").read_bytes())
    assert manifest["weights"]["size"] == 1000


@pytest.mark.parametrize("file", ["state.json", "weights", "manifest.json"])
@pytest.mark.parametrize("harm", ["flip", "truncate", "empty", "zero", "remove"])
def test_a_harmed_checkpoint_is_passed_over(
    harm: str, file: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    older, newer = save(tmp_path, 0), save(tmp_path, 1, 20)
    content = bytearray((newer / file).read_bytes())
    if harm == "flip":
        content[len(content) // 2] ^= 1
    elif harm == "zero":
        content = bytearray(len(content))
    elif harm != "remove":
        content = content[: len(content) // 2 if harm == "truncate" else 0]
    (newer / file).unlink()
    if harm != "remove":
        (newer / file).write_bytes(content)
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert found[0] == older
    assert f"{newer}: its files aren't what was written: falling back" in caplog.text


def test_what_is_beyond_the_newest_goes(tmp_path: Path) -> None:
    """A run that fell back leaves what didn't verify behind, and keeps what it fell back on."""
    good, bad = save(tmp_path, 0), save(tmp_path, 1)
    (bad / "weights").write_bytes(b"")
    new = save(tmp_path, 1, 20)
    assert list_checkpoints(tmp_path) == [new, good]


def test_where_none_verifies_that_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (save(tmp_path, 0) / "weights").unlink()
    assert newest_checkpoint(tmp_path) is None
    assert "no checkpoint is left to fall back on: starting afresh" in caplog.text


def test_there_may_be_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert newest_checkpoint(tmp_path / "nowhere") is None
    assert caplog.text == ""
