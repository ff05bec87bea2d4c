from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

import ner_registry as nr
from ner_registry.cli import main
from ner_registry.data.schemes import tags_to_spans
from ner_registry.training.calibration import expected_calibration_error

SAME = ("entities", "sentences", "expected_calibration_error")


@pytest.fixture
def sample(root: Path) -> Path:
    return root / "ner_registry" / "sample" / "test.conll"


def test_the_calibration_of_what_was_found(
    run_directory: Path, sample: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    result = nr.evaluate(run_directory, sample, predictions_output_file=out)
    scores, is_right = [], []
    for record in map(json.loads, out.read_text(encoding="utf-8").splitlines()):
        gold = tags_to_spans(record["gold_tags"])
        for entity in record["entities"]:
            scores.append(entity["score"])
            is_right.append((entity["label"], entity["start"], entity["end"]) in gold)
    error = result["expected_calibration_error"]
    assert 0 < error < 1
    assert error == expected_calibration_error(scores, is_right)
    metrics = json.loads((run_directory / "metrics.json").read_bytes())
    assert metrics["test_expected_calibration_error"] == error
    assert 0 < metrics["best_validation_expected_calibration_error"] < 1


@pytest.mark.parametrize("form", ["jsonl", "prodigy"])
def test_data_of_another_format(
    form: str, run_directory: Path, sample: Path, tmp_path: Path
) -> None:
    path = tmp_path / "in.jsonl.gz"
    assert main(["convert", str(sample), str(path), "--output-format", form, "--quiet"]) == 0
    expected = nr.evaluate(run_directory, sample)
    found = nr.evaluate(run_directory, path, input_format=form)
    assert {key: found[key] for key in SAME} == {key: expected[key] for key in SAME}


def test_labelled_texts(
    run_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    row: dict[str, Any] = {"text": "Rain in Hartlow. Hartlow slept.", "label": [[8, 15, "LOC"]]}
    path.write_text(f'{json.dumps(row)}\n{{"text": "", "label": []}}\n', encoding="utf-8")
    arguments = ["evaluate", str(run_directory), str(path), "--input-format", "doccano"]
    arguments += ["--output-format", "doccano", "--predictions-output-file", str(out), "--quiet"]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "2 sentences" in told
    assert "(tags with support of 10 or more): no tag has it" in told
    (found,) = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert found["text"] == row["text"]


def test_gold_and_predicted_columns(run_directory: Path, sample: Path, tmp_path: Path) -> None:
    """As conlleval wants them."""
    out = tmp_path / "out"
    result = nr.evaluate(run_directory, sample, output_format="conll", predictions_output_file=out)
    rows = [line.split() for line in out.read_text(encoding="utf-8").splitlines()]
    kept = [line for line in sample.read_text(encoding="utf-8").splitlines() if line]
    kept = [line for line in kept if "-DOCSTART-" not in line]
    assert [" ".join(row[:-1]) for row in rows if row] == kept
    right = 0
    for is_row, sentence in groupby(rows, bool):
        if is_row:
            *_, gold, found = zip(*sentence, strict=True)
            right += len(set(tags_to_spans(gold)) & set(tags_to_spans(found)))
    overall = result["entities"]["overall"]
    assert right == round(overall["recall"] * overall["support"])
    assert 0 < right < overall["support"]


def test_a_format_of_no_file(run_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", str(run_directory), "sample/test.conll", "--output-format", "html"])
    assert caught.value.code == 2
    assert "--output-format is that of --predictions-output-file" in capsys.readouterr().err
