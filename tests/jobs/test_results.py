"""A table of many runs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from ner_registry.cli import main
from ner_registry.errors import NerError
from ner_registry.jobs.results import results


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Three runs, one of them deeper down and without a score, and one that hasn't ended."""
    write(tmp_path / "001", {"test_f1": 0.5, "best_epoch": 3}, {"model": {"head": {"type": "crf"}}})
    write(tmp_path / "a|b", {"test_f1": 0.75, "best_epoch": 12}, {"tags": ["B", "I"], "on": True})
    write(tmp_path / "deep" / "seed_1", {"best_epoch": 1}, {})
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.json").write_text("{}", encoding="utf-8")
    return tmp_path


def write(directory: Path, metrics: dict[str, Any], config: dict[str, Any]) -> None:
    directory.mkdir(parents=True)
    (directory / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (directory / "config.json").write_text(json.dumps(config), encoding="utf-8")


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_every_finished_run_below_is_a_row(runs: Path) -> None:
    rows = rows_of(results([runs], columns=["run", "best_epoch", "on", "tags"], form="csv"))
    assert rows == [
        ["run", "best_epoch", "on", "tags"],
        [f"{runs}/001", "3", "", ""],
        [f"{runs}/a|b", "12", "true", '["B", "I"]'],
        [f"{runs}/deep/seed_1", "1", "", ""],
    ]


@pytest.mark.parametrize(
    ("sort", "reverse", "order"),
    [
        ("best_epoch", False, ["1", "3", "12"]),
        ("best_epoch", True, ["12", "3", "1"]),
        ("test_f1", False, ["3", "12", "1"]),
        ("test_f1", True, ["12", "3", "1"]),
        ("model.head.type", True, ["3", "12", "1"]),
    ],
)
def test_sorted_what_has_no_value_last(
    runs: Path, sort: str, reverse: bool, order: list[str]
) -> None:
    text = results([runs], columns=["best_epoch"], sort=sort, reverse=reverse, form="csv")
    assert [row[0] for row in rows_of(text)[1:]] == order


def test_for_reading(runs: Path) -> None:
    text = results([runs / "001"], columns=["test_f1", "best_epoch", "model.head.type"])
    assert text.splitlines()[2].split() == ["0.5000", "3", "crf"]
    markdown = results([runs], columns=["run", "test_f1"], form="markdown").splitlines()
    assert markdown[0].replace(" ", "") == "|run|test_f1|"
    assert "a\\|b" in markdown[3]
    assert {line.replace("\\|", "").count("|") for line in markdown} == {3}


def test_the_usual_columns(run_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["results", str(run_directory), "--format", "csv"]) == 0
    header, row = rows_of(capsys.readouterr().out)
    found = dict(zip(header, row, strict=True))
    metrics = json.loads((run_directory / "metrics.json").read_bytes())
    assert float(found["test_f1-measure-overall"]) == metrics["test_f1-measure-overall"]
    assert found["model.encoder.type"] == "lstm"
    arguments = ["--columns", "test_loss,epoch", "--sort", "epoch", "--reverse"]
    assert main(["results", str(run_directory), *arguments]) == 0
    assert capsys.readouterr().out.split()[:2] == ["test_loss", "epoch"]


def test_faults(runs: Path) -> None:
    with pytest.raises(NerError, match=r"key of the config 'test_f2'; did you mean 'test_f1'\?"):
        results([runs], columns=["test_f2"])
    with pytest.raises(NerError, match=r"key of the config 'nothing like it'$"):
        results([runs], sort="nothing like it")
    with pytest.raises(NerError, match=r"begun: expected finished runs, got no metrics\.json"):
        results([runs, runs / "begun"])
    with pytest.raises(NerError, match=r"nowhere: expected finished runs, got no such directory"):
        results([runs / "nowhere"])


def test_what_cannot_be_read_is_left_out(runs: Path, caplog: pytest.LogCaptureFixture) -> None:
    (runs / "001" / "metrics.json").write_text("[", encoding="utf-8")
    (runs / "of another program").mkdir()
    (runs / "of another program" / "metrics.json").write_text("{}", encoding="utf-8")
    rows = rows_of(results([runs], columns=["run"], form="csv"))
    assert [row[0] for row in rows[1:]] == [f"{runs}/a|b", f"{runs}/deep/seed_1"]
    (warning,) = caplog.messages
    assert warning.startswith(f"left out: {runs}/001/metrics.json: expected what a run wrote, got")
    with pytest.raises(NerError, match=r"001: expected finished runs, got none that can be read"):
        results([runs / "001"])
