"""Every experiment of the repository is parsed, and built on the sample corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from ner_registry.build import parse_experiment
from ner_registry.config import jsonnet
from ner_registry.config.source import read_config
from ner_registry.jobs.check import warnings
from ner_registry.jobs.prepare import prepare

ROOT = Path(__file__).parent.parent
EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.jsonnet"))
SAMPLE = """{
  train_data_path: 'sample/train.conll',
  validation_data_path: 'sample/dev.conll',
  test_data_path: 'sample/test.conll',
}"""


def test_there_are_experiments() -> None:
    assert len(EXPERIMENTS) >= 7


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.name)
def test_it_builds(path: Path, tmp_path: Path) -> None:
    config = read_config(path, [SAMPLE]).value
    vectors = tmp_path / "vectors.txt"
    for embedder in config["model"]["embedders"].values():
        if "pretrained_file" in embedder:
            numbers = " 0.5" * embedder["embedding_dim"]
            vectors.write_text(f"the{numbers}\n", encoding="utf-8")
            embedder["pretrained_file"] = str(vectors)
    plan = parse_experiment(config)
    assert warnings(plan) == []
    tagger = prepare(plan).tagger
    assert sum(p.numel() for p in tagger.parameters()) > 10_000


@pytest.mark.parametrize("name", ["bilstm", "bilstm_crf"])
def test_the_study_has_its_table_of_settings(name: str) -> None:
    """The study's Table 1: embeddings 100, hidden 256, dropout 0.5, batch 32, Adam 0.001."""
    config = parse_experiment(jsonnet.load(ROOT / "experiments" / f"{name}.jsonnet")).filled()
    model, trainer = config["model"], config["trainer"]
    assert model["embedders"]["words"]["embedding_dim"] == 100
    assert model["encoder"]["hidden_size"] == 256
    assert model["encoder"]["num_layers"] == 1
    assert model["dropout"] == 0.5
    assert config["data_loader"]["batch_size"] == 32
    assert (trainer["optimizer"]["type"], trainer["optimizer"]["lr"]) == ("adam", 0.001)
    assert trainer["num_epochs"] == 10
    assert config["dataset_reader"]["docstart"] == "sentence"
