"""Checkpoints: where a run goes on after it stopped.

A checkpoint is a directory that is written aside, flushed to disk and renamed when it is whole,
so that one with a final name is one to trust; its manifest shows whether its files are still what
they were.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from ner_registry.data.files import flush_directory, json_bytes, write_flushed

KEPT = 2  # the newest, and one to fall back on
MANIFEST = "manifest.json"
_NAME = re.compile(r"epoch_(\d+)(?:_step_(\d+))?")

logger = logging.getLogger(__name__)


def checkpoint_name(epoch: int, step: int | None = None) -> str:
    """What the checkpoint is called at a place of the training.

    Args:
        epoch: from 0.
        step: steps of the epoch that are done; None: all of it, validation too.
    """
    return f"epoch_{epoch}" if step is None else f"epoch_{epoch}_step_{step}"


def save_checkpoint(path: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Writes a checkpoint, then removes those no longer needed.

    Args:
        path: of the checkpoint, named by :func:`checkpoint_name`; the folder that its own
            folder is in must be there.
        files: of the checkpoint, names and contents.

    Raises:
        OSError: it can't be written; those that were there are there still.
    """
    directory = path.parent
    if not directory.exists():
        directory.mkdir()
        flush_directory(directory.parent)
    aside = directory / "writing"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    manifest = {}
    for name, content in files:
        write_flushed(aside / name, content)
        manifest[name] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    write_flushed(aside / MANIFEST, json_bytes(manifest))
    flush_directory(aside)
    if path.exists():  # one that didn't verify: training would have gone on from it
        shutil.rmtree(path)
    aside.rename(path)
    flush_directory(directory)
    _prune(path)


def newest_checkpoint(directory: Path) -> tuple[Path, dict[str, bytes]] | None:
    """The newest checkpoint that verifies, and its files' content; None where there is none.

    Those that don't verify are told in the log.
    """
    checkpoints = list_checkpoints(directory)
    for path in checkpoints:
        contents = _verified(path)
        if contents is not None:
            return path, contents
        logger.warning("%s: its files aren't what was written: falling back", path)
    if checkpoints:
        logger.warning("%s: no checkpoint is left to fall back on: starting afresh", directory)
    return None


def list_checkpoints(directory: Path) -> list[Path]:
    """The checkpoints in a directory, newest first."""
    found = [path for path in directory.glob("epoch_*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=_position, reverse=True)


def _position(path: Path) -> tuple[int, float]:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    epoch, step = match.groups()
    return int(epoch), math.inf if step is None else int(step)


def _prune(newest: Path) -> None:
    """Leaves the newest checkpoint and those before it that are kept.

    What is beyond the newest didn't verify when the run went back.
    """
    checkpoints = list_checkpoints(newest.parent)
    place = checkpoints.index(newest)
    for path in [*checkpoints[:place], *checkpoints[place + KEPT :]]:
        shutil.rmtree(path)


def _verified(path: Path) -> dict[str, bytes] | None:
    """The content of a checkpoint's files, or None where one is missing or has changed."""
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        contents = {name: (path / name).read_bytes() for name in manifest}
        intact = all(
            len(content) == manifest[name]["size"]
            and hashlib.sha256(content).hexdigest() == manifest[name]["sha256"]
            for name, content in contents.items()
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return contents if contents and intact else None
