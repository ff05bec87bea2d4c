"""Going on from a trained model with other data and other labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

import ner_registry as nr
from ner_registry.build import parse_experiment
from ner_registry.errors import ConfigError
from ner_registry.jobs.prepare import Prepared, prepare

SHIPS = """The O
Kestrel B-SHIP
Ann I-SHIP
left O
Oslo B-LOC

Zyxwv B-SHIP
sank O
"""


@pytest.fixture
def ships(tmp_path: Path) -> Path:
    path = tmp_path / "ships.conll"
    path.write_text(SHIPS, encoding="utf-8")
    return path


def started(config: dict[str, Any], archive: Path, **model: Any) -> Prepared:
    return prepare(parse_experiment(config | {"model": {"from_archive": str(archive)} | model}))


def test_the_same_data_begins_where_the_run_ended(
    config: dict[str, Any], run_directory: Path
) -> None:
    tagger = started(config, run_directory).tagger
    before = nr.load(run_directory).tagger
    assert tagger.tags.tags == before.tags.tags
    for name, tensor in before.state_dict().items():
        assert torch.equal(tagger.state_dict()[name], tensor), name


def test_new_words_and_labels_stand_after_the_old_ones(
    config: dict[str, Any], run_directory: Path, ships: Path
) -> None:
    config["train_data_path"] = str(ships)
    prepared = started(config, run_directory)
    before = nr.load(run_directory).tagger
    old, new = before.tags.tags, prepared.tagger.tags.tags
    assert prepared.tagger.tags.labels == [*before.tags.labels, "SHIP"]
    assert new[: len(old)] == old
    assert {"B-SHIP", "I-SHIP", "E-SHIP", "S-SHIP"} == set(new[len(old) :])
    symbols = prepared.vocabularies["words"].counts
    known = json.loads((run_directory / "vocabulary/embedders/words.json").read_bytes())
    assert list(symbols)[: len(known)] == list(known)
    assert "Zyxwv" in list(symbols)[len(known) :]
    assert symbols["Oslo"] == known.get("Oslo", 0) + 1

    state, were = prepared.tagger.state_dict(), before.state_dict()
    count = len(old)
    assert torch.equal(state["head.crf.transitions"][:count, :count], were["head.crf.transitions"])
    assert torch.equal(state["head.projection.weight"][:count], were["head.projection.weight"])
    rows = len(were["embedders.words.table.weight"])
    assert torch.equal(
        state["embedders.words.table.weight"][:rows], were["embedders.words.table.weight"]
    )
    assert state["embedders.words.table.weight"][rows:].any()


def test_a_label_is_learnt_and_the_archive_stands_alone(
    config: dict[str, Any], run_directory: Path, ships: Path, tmp_path: Path
) -> None:
    config |= {
        "model": {"from_archive": str(run_directory / "model.tar.gz"), "dropout": 0.1},
        "train_data_path": str(ships),
        "validation_data_path": str(ships),
        "evaluate_on_test": False,
    }
    config["trainer"] |= {"num_epochs": 30, "patience": None}
    metrics = nr.train(config, tmp_path / "run", quiet=True)
    assert metrics["best_validation_f1-measure-SHIP"] == 1
    written = json.loads((tmp_path / "run" / "config.json").read_bytes())
    assert written["model"]["dropout"] == 0.1
    assert written["model"]["encoder"]["type"] == "lstm"
    # the archive knows all it needs, wherever its beginnings are
    moved = tmp_path / "moved.tar.gz"
    (tmp_path / "run" / "model.tar.gz").rename(moved)
    weights = safetensors.torch.load_file(tmp_path / "run" / "best.safetensors")
    for name, tensor in nr.load(moved).tagger.state_dict().items():
        assert torch.equal(weights[name], tensor)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"encoder": {"hidden_size": 65}}, "encoder.layers.forwards.0.weight_ih_l0 of shape"),
        ({"encoder": {"hidden_size": 32}}, "encoder.layers.forwards.0.weight_ih_l0 of shape"),
        ({"head": {"type": "softmax"}}, "expected head.crf.transitions of shape"),
        ({"embedders": {"words": {"embedding_dim": 60}}}, "expected embedders.words.table.weight"),
        ({"embedders": {"more": {"type": "character_cnn"}}}, "encoder.layers.forwards.0.weight_ih"),
    ],
)
def test_another_architecture_is_refused(
    config: dict[str, Any], run_directory: Path, model: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        started(config, run_directory, **model)
    assert any(message in str(fault) for fault in caught.value.faults)
    assert all(fault.path == "model.from_archive" for fault in caught.value.faults)


def test_the_scheme_is_the_archives(config: dict[str, Any], run_directory: Path) -> None:
    with pytest.raises(ConfigError, match=r"model.tag_scheme: expected IOBES, as in the archive"):
        started(config, run_directory, tag_scheme="IOB1")


def test_what_is_no_archive(config: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"model.from_archive: .*expected a model.tar.gz or a"):
        started(config, tmp_path / "nothing")
