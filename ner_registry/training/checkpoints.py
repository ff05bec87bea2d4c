"""Checkpoints: where a run goes on after it stopped.

A checkpoint is a directory that is written aside and renamed when it is whole, so that one
with a final name is one to trust; hashes show whether its files are still what they were.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from ner_registry.data.files import json_bytes, tensor_bytes, write_file
from ner_registry.training.state import TrainingState

KEPT = 2  # the newest, and one to fall back on

logger = logging.getLogger(__name__)


def save_checkpoint(
    directory: Path, epoch: int, state: TrainingState, progress: dict[str, Any]
) -> None:
    """Writes a checkpoint after an epoch, then removes those no longer needed.

    Args:
        directory: holds the checkpoints.
        epoch: the epoch that was finished, from 0.
        state: what to save.
        progress: the trainer's own bookkeeping, as JSON.
    """
    optimizer_state = state.optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, values in optimizer_state["state"].items():
        for name, value in values.items():
            into: dict[str, Any] = tensors if isinstance(value, Tensor) else numbers
            into[f"{index}.{name}"] = value
    document = {
        "progress": progress,
        "optimizer": {"groups": optimizer_state["param_groups"], "numbers": numbers},
        "scheduler": _plain(state.scheduler.state_dict()) if state.scheduler else None,
        "average": {"count": state.average.count} if state.average else None,
        "random": _random_state(),
    }
    contents = {
        "model.safetensors": tensor_bytes(state.model.state_dict()),
        "optimizer.safetensors": tensor_bytes(tensors),
        "state.json": json_bytes(document),
    }
    if state.average is not None:
        contents["average.safetensors"] = tensor_bytes(state.average.weights)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    contents["manifest.json"] = json_bytes(hashes)

    directory.mkdir(exist_ok=True)
    aside = directory / "writing"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    for name, content in contents.items():
        write_file(aside / name, content)
    final = directory / f"epoch_{epoch}"
    shutil.rmtree(final, ignore_errors=True)
    aside.rename(final)
    _flush(directory)
    for old in list_checkpoints(directory)[KEPT:]:
        shutil.rmtree(old)


def load_checkpoint(directory: Path, state: TrainingState) -> dict[str, Any] | None:
    """Restores the newest checkpoint that verifies.

    Returns:
        The trainer's bookkeeping, or None where there is no checkpoint.
    """
    for path in list_checkpoints(directory):
        contents = _verified(path)
        if contents is not None:
            return _restore(contents, state)
        logger.warning("%s: its files aren't what was written: falling back", path)
    return None


def list_checkpoints(directory: Path) -> list[Path]:
    """The checkpoints in a directory, newest first."""
    found = directory.glob("epoch_*")
    return sorted(found, key=lambda path: int(path.name.removeprefix("epoch_")), reverse=True)


def _verified(path: Path) -> dict[str, bytes] | None:
    """The content of a checkpoint's files, or None where one is missing or has changed."""
    try:
        hashes = json.loads((path / "manifest.json").read_bytes())
        contents = {name: (path / name).read_bytes() for name in hashes}
    except (OSError, ValueError):
        return None
    intact = all(
        hashlib.sha256(content).hexdigest() == hashes[name] for name, content in contents.items()
    )
    return contents if intact else None


def _restore(contents: dict[str, bytes], state: TrainingState) -> dict[str, Any]:
    document = json.loads(contents["state.json"])
    state.model.load_state_dict(safetensors.torch.load(contents["model.safetensors"]))
    tensors: dict[str, Any] = safetensors.torch.load(contents["optimizer.safetensors"])
    values: dict[int, dict[str, Any]] = {}
    for key, value in (tensors | document["optimizer"]["numbers"]).items():
        index, name = key.split(".", 1)
        values.setdefault(int(index), {})[name] = value
    groups = document["optimizer"]["groups"]
    state.optimizer.load_state_dict({"state": values, "param_groups": groups})
    if state.scheduler is not None:
        state.scheduler.load_state_dict(document["scheduler"])
    if state.average is not None:
        own = state.model.state_dict()
        weights = safetensors.torch.load(contents["average.safetensors"])
        state.average.weights = {name: w.to(own[name].device) for name, w in weights.items()}
        state.average.count = document["average"]["count"]
    _set_random_state(document["random"])
    progress: dict[str, Any] = document["progress"]
    return progress


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """What of a schedule's state changes, as JSON has it.

    The rest is as its constructor made it: config, such as milestones, and a best score of
    infinity before the first.
    """

    def is_plain(value: Any) -> bool:
        if isinstance(value, list):
            return all(is_plain(item) for item in value)
        if isinstance(value, dict):
            return all(isinstance(key, str) and is_plain(value[key]) for key in value)
        if isinstance(value, float):
            return math.isfinite(value)
        return value is None or isinstance(value, int | str)

    return {key: value for key, value in values.items() if is_plain(value)}


def _random_state() -> dict[str, Any]:
    numpy_state: Any = np.random.get_state()
    kind, key, *rest = numpy_state
    state = {
        "python": random.getstate(),
        "numpy": [kind, key.tolist(), *rest],
        "torch": torch.get_rng_state().tolist(),
    }
    if torch.cuda.is_available():
        state["cuda"] = [device.tolist() for device in torch.cuda.get_rng_state_all()]
    return state


def _set_random_state(state: dict[str, Any]) -> None:
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    np.random.set_state(tuple(state["numpy"]))
    torch.set_rng_state(torch.tensor(state["torch"], dtype=torch.uint8))
    if "cuda" in state and torch.cuda.is_available():
        states = [torch.tensor(device, dtype=torch.uint8) for device in state["cuda"]]
        torch.cuda.set_rng_state_all(states)


def _flush(directory: Path) -> None:
    """Makes a rename within the directory last through a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
