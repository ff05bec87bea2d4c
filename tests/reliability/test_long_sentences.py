"""A sentence as long as a book, as a file whose blank lines were lost has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ner_registry as nr
from ner_registry.jobs.predict import PredictSettings, predict


def test_long_sentences(
    whole: bool, config: dict[str, Any], root: Path, run_directory: Path, tmp_path: Path
) -> None:
    length = 50_000 if whole else 5_000
    sample = (root / "ner_registry" / "sample" / "train.conll").read_text(encoding="utf-8")
    rows = [line for line in sample.splitlines() if line and not line.startswith("-DOCSTART-")]
    long = "\n".join((rows * (length // len(rows) + 1))[:length])
    source, target = tmp_path / "long.conll", tmp_path / "out.jsonl"
    source.write_text(f"{long}\n\n{sample if whole else ''}", encoding="utf-8")
    predict(run_directory, str(source), PredictSettings(), output_file=target)
    with open(target, encoding="utf-8") as file:
        found = json.loads(file.readline())
    assert len(found["tags"]) == length
    assert found["entities"]

    config["train_data_path"] = str(source)
    config["trainer"]["num_epochs"] = 1
    assert nr.train(config, tmp_path / "run", quiet=True)["epoch"] == 0
