"""Everything that changes while training, as the bytes of a few files: no pickle."""

from __future__ import annotations

import json
import logging
import math
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from ner_registry.data.files import json_bytes, tensor_bytes
from ner_registry.training.ranks import ALONE, Ranks
from ner_registry.training.row_adam import RowOptimizer
from ner_registry.training.state import TrainingState

logger = logging.getLogger(__name__)


def take_snapshot(
    state: TrainingState, progress: dict[str, Any], ranks: Ranks = ALONE
) -> Iterable[tuple[str, bytes]]:
    """What training goes on from as if it had never stopped, file by file: names and contents.

    A file's bytes are made when they are asked for, since all of them take as much memory as the
    training.

    Args:
        state: what to save; it isn't changed, so that saving changes nothing of the run.
        progress: the trainer's own bookkeeping, as JSON.
        ranks: the first of them gets it, with the random state of each.
    """
    random_states = ranks.gather(_random_state())
    return _files(state, progress, random_states) if ranks.is_first else ()


def _files(
    state: TrainingState, progress: dict[str, Any], random_states: list[Any]
) -> Iterator[tuple[str, bytes]]:
    rows = state.optimizer if isinstance(state.optimizer, RowOptimizer) else None
    with rows.owing() if rows else nullcontext():
        weights = state.model.state_dict()
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
        "random": random_states,
    }
    yield "model.safetensors", tensor_bytes(weights)
    yield "optimizer.safetensors", tensor_bytes(tensors)
    yield "state.json", json_bytes(document)
    if rows is not None:
        yield "owed.safetensors", tensor_bytes(rows.owed())
    if state.average is not None:
        yield "average.safetensors", tensor_bytes(state.average.weights)
    if state.best is not None:
        yield "best.safetensors", state.best


def restore_snapshot(
    contents: Mapping[str, bytes], state: TrainingState, ranks: Ranks = ALONE
) -> dict[str, Any]:
    """The other way round, on every rank; the trainer's bookkeeping."""
    document = json.loads(contents["state.json"])
    state.model.load_state_dict(safetensors.torch.load(contents["model.safetensors"]))
    tensors: dict[str, Any] = safetensors.torch.load(contents["optimizer.safetensors"])
    values: dict[int, dict[str, Any]] = {}
    for key, value in (tensors | document["optimizer"]["numbers"]).items():
        index, name = key.split(".", 1)
        values.setdefault(int(index), {})[name] = value
    groups = document["optimizer"]["groups"]
    state.optimizer.load_state_dict({"state": values, "param_groups": groups})
    if isinstance(state.optimizer, RowOptimizer):
        state.optimizer.owe(safetensors.torch.load(contents["owed.safetensors"]))
    if state.scheduler is not None:
        state.scheduler.load_state_dict(document["scheduler"])
    if state.average is not None:
        device = next(state.model.parameters()).device
        weights = safetensors.torch.load(contents["average.safetensors"])
        state.average.weights = {name: tensor.to(device) for name, tensor in weights.items()}
        state.average.count = document["average"]["count"]
    state.best = contents.get("best.safetensors")
    random_states = document["random"]
    if len(random_states) != ranks.size:
        logger.warning(
            "ranks: %d until here, from here on %d: the run won't end as it would have",
            len(random_states),
            ranks.size,
        )
    if ranks.rank < len(random_states):
        _set_random_state(random_states[ranks.rank])
    progress: dict[str, Any] = document["progress"]
    return progress


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Within it, what is drawn at random changes nothing of what is drawn after it."""
    state = _random_state()
    try:
        yield
    finally:
        _set_random_state(state)


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
