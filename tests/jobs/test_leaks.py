"""What a model knows of the validation data is which epoch was best; of the test data, nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ner_registry as nr

STRANGE = """Zyxwv B-PER
met O
Qrstu B-LOC

Grzgrz B-ORG
"""
EMBEDDERS: dict[str, Any] = {
    "words": {"type": "embedding", "embedding_dim": 10, "replace_singletons": 0.5},
    "characters": {"type": "character_cnn", "num_filters": 8},
    "subwords": {"type": "subwords", "embedding_dim": 4, "table_size": 512},
}


@pytest.fixture(scope="module")
def runs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same training beside other validation and other test data."""
    place = tmp_path_factory.mktemp("leaks")
    (place / "strange.conll").write_text(STRANGE, encoding="utf-8")
    strange = str(place / "strange.conll")
    vectors = place / "vectors.txt"
    vectors.write_text("the 1 2 3\nZyxwv 4 5 6\n", encoding="utf-8")
    (place / "train.conll").write_bytes((root / "ner_registry/sample/dev.conll").read_bytes())
    pretrained = {"type": "embedding", "embedding_dim": 3, "pretrained_file": str(vectors)}
    found = {}
    for name, validation, test in (
        ("plain", "sample/dev.conll", "sample/test.conll"),
        ("other_validation", strange, "sample/test.conll"),
        ("other_test", "sample/dev.conll", strange),
        ("no_test", "sample/dev.conll", None),
    ):
        found[name] = place / name
        config = {
            "dataset_reader": {"type": "conll"},
            "train_data_path": "sample/test.conll",
            "validation_data_path": validation,
            "test_data_path": test,
            "evaluate_on_test": test is not None,
            "model": {
                "embedders": EMBEDDERS | {"pretrained": pretrained},
                "encoder": {"type": "lstm", "hidden_size": 8},
                "head": {"type": "crf"},
                "dropout": 0.3,
            },
            "data_loader": {"mention_replacement": 0.5, "capitals": 0.2},
            "trainer": {
                "optimizer": {"type": "adam", "lr": 0.01},
                "learning_rate_scheduler": {"type": "cosine_with_warmup"},
                "average": {"type": "ema", "decay": 0.9},
                "num_epochs": 4,
            },
        }
        nr.train(config, found[name], quiet=True)
    return found


@pytest.mark.parametrize("other", ["other_validation", "other_test", "no_test"])
def test_other_data_makes_no_other_vocabulary_table_or_average(
    runs: dict[str, Path], other: str
) -> None:
    names = [
        "vocabulary/tags.json",
        *(f"vocabulary/embedders/{name}.json" for name in (*EMBEDDERS, "pretrained")),
        "checkpoints/epoch_3/model.safetensors",
        "checkpoints/epoch_3/optimizer.safetensors",
        "checkpoints/epoch_3/average.safetensors",
    ]
    for name in names:
        content = (runs[other] / name).read_bytes()
        assert content == (runs["plain"] / name).read_bytes(), name
        known = content.decode("utf-8", "replace")
        if name.endswith(".json") and "pretrained" not in name:
            assert "Zyxwv" not in known


@pytest.mark.parametrize("other", ["other_test", "no_test"])
def test_test_data_chooses_nothing(runs: dict[str, Path], other: str) -> None:
    for name in ("best.safetensors", "predictions_validation.jsonl"):
        assert (runs[other] / name).read_bytes() == (runs["plain"] / name).read_bytes()
    metrics = [json.loads((runs[n] / "metrics.json").read_bytes()) for n in ("plain", other)]
    for key in metrics[0]:
        if not key.startswith("test_") and not any(w in key for w in ("duration", "second", "mem")):
            assert metrics[1][key] == metrics[0][key], key
