"""What TensorBoard is given to show."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from ner_registry.training.callbacks.tensorboard import TensorBoard


def points(directory: Path) -> dict[str, list[tuple[int, float]]]:
    """Step and value of each point, by the curve's name, in the order they were written."""
    from tensorboardX.proto.event_pb2 import Event

    content = b"".join(p.read_bytes() for p in sorted(directory.glob("events.out.tfevents.*")))
    found: dict[str, list[tuple[int, float]]] = {}
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        event = Event.FromString(content[at + 12 : at + 12 + length])  # a checksum on either side
        at += 16 + length
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def history_of(directory: Path) -> list[dict[str, Any]]:
    lines = (directory / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("known", [0, 3, 5])
def test_every_epoch_is_there_once(run_directory: Path, tmp_path: Path, known: int) -> None:
    """Whether the run goes back by two epochs, or its last one came too late for the curves."""
    history = history_of(run_directory)
    killed = TensorBoard()
    killed.on_train_begin(tmp_path, [])
    for metrics in history[: 5 if known < 5 else 4]:
        killed.on_epoch_end(metrics)
    killed.close()

    recovered = TensorBoard()
    recovered.on_train_begin(tmp_path, history[:known])
    for metrics in history[known:]:
        recovered.on_epoch_end(metrics)
    # on disk at once, whatever happens then
    for name in ("training_loss", "validation_f1-measure-overall", "validation_f1-measure-PER"):
        found = points(tmp_path)[name.replace("_", "/", 1)]
        assert [step for step, _ in found] == list(range(8))
        assert [value for _, value in found] == pytest.approx([m[name] for m in history])
    final = json.loads((run_directory / "metrics.json").read_bytes())
    recovered.on_train_end(final)
    recovered.close()
    ((step, value),) = points(tmp_path)["test/f1-measure-overall"]
    assert step == final["best_epoch"]
    assert value == pytest.approx(final["test_f1-measure-overall"])
