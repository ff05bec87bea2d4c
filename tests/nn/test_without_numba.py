"""Where numba is absent, PyTorch alone gives the same results."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

TRAIN = """
import importlib.util, json, sys
found = importlib.util.find_spec
if sys.argv[1] == "without":
    importlib.util.find_spec = lambda name, *rest: None if name == "numba" else found(name, *rest)
import ner_registry as nr
from ner_registry.config.source import read_config
changes = {
    "model.dropout": 0,
    "model.embedders.words.replace_singletons": 0,
    "trainer.num_epochs": 2,
    "trainer.num_threads": 2,
}
metrics = nr.train(read_config(sys.argv[2], [json.dumps(changes)]).value, sys.argv[3], quiet=True)
assert ("numba" in sys.modules) == (sys.argv[1] == "with")
assert "torch._dynamo" not in sys.modules  # two seconds and 160 MB
print(json.dumps(metrics))
print(json.dumps(nr.load(sys.argv[3])("Maria Nielsen met them in Kelfield.")))
"""


def test_training_and_tagging(root: Path, tmp_path: Path) -> None:
    config = root / "experiments" / "quickstart.jsonnet"
    found = []
    for kind in ("with", "without"):
        command = [sys.executable, "-c", TRAIN, kind, str(config), str(tmp_path / kind)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append([json.loads(line) for line in done.stdout.splitlines()])
    (metrics, entities), (others, other_entities) = found
    for name in ("training_loss", "validation_loss", "test_loss"):
        assert metrics[name] == pytest.approx(others[name], rel=1e-3)
    assert [(e["text"], e["label"]) for e in entities] == [
        (e["text"], e["label"]) for e in other_entities
    ]
    assert [e["score"] for e in entities] == pytest.approx(
        [e["score"] for e in other_entities], abs=1e-2
    )
