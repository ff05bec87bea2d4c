"""Runs side by side, alone and in groups of seeds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import ner_registry as nr
from ner_registry.cli import main
from ner_registry.config.source import read_config
from ner_registry.jobs.compare import compare
from ner_registry.jobs.seeds import train_seeds
from ner_registry.reports.comparison import as_json
from ner_registry.reports.judged import read_judged


@pytest.fixture(scope="module")
def worse(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Two seeds, for one epoch."""
    config = read_config(root / "experiments" / "quickstart.jsonnet", ['{"trainer.num_epochs": 1}'])
    directory = tmp_path_factory.mktemp("groups") / "worse"
    train_seeds(config.value, directory, seeds=2)
    return directory


def test_a_run_is_no_better_than_itself(run_directory: Path, tmp_path: Path) -> None:
    again = shutil.copytree(run_directory, tmp_path / "again")
    found = compare([run_directory, again])
    assert found.config == {}
    assert [pair.split for pair in found.pairs] == ["validation", "test"]
    for pair in found.pairs:
        assert {(row.difference, row.p) for row in pair.differences} == {(0, 1)}
        changes = pair.changes
        assert (changes.found, changes.lost, changes.dropped, changes.added) == (0, 0, 0, 0)
        assert changes.mended == changes.broken == []
        assert pair.seeds_p is None


def test_one_run_against_another(run_directory: Path, worse: Path) -> None:
    first = worse / "seed_0"
    found = compare([first, run_directory])
    assert [group.name for group in found.groups] == ["seed_0", "quickstart"]
    assert found.config["trainer.num_epochs"] == [1, 8]
    validation = found.pairs[0]
    metrics = [json.loads((run / "metrics.json").read_bytes()) for run in (first, run_directory)]
    overall = validation.differences[0]
    name = "best_validation_f1-measure-overall"
    assert [overall.first, overall.second] == pytest.approx([m[name] for m in metrics])
    assert overall.low < overall.difference < overall.high
    for row in validation.differences[1:]:
        assert row.second == pytest.approx(metrics[1][f"best_validation_f1-measure-{row.label}"])
    before, after = (
        read_judged(run / "predictions_validation.jsonl") for run in (first, run_directory)
    )
    pairs = list(zip(before, after, strict=True))
    changes = validation.changes
    assert changes.found == sum(len(b.correct - a.correct) for a, b in pairs)
    assert changes.lost == sum(len(a.correct - b.correct) for a, b in pairs)
    false = [(set(a.predicted) - a.correct, set(b.predicted) - b.correct) for a, b in pairs]
    assert changes.dropped == sum(len(a - b) for a, b in false)
    assert changes.added == sum(len(b - a) for a, b in false)
    for change in (*changes.mended, *changes.broken):
        shown_before, shown_after = validation.sentences(change)
        is_mended = change in changes.mended
        right_before = (change.span in shown_before.predicted) == change.is_gold
        right_after = (change.span in shown_after.predicted) == change.is_gold
        assert (right_before, right_after) == (not is_mended, is_mended)


def test_a_group_of_seeds(worse: Path, run_directory: Path, tmp_path: Path) -> None:
    found = compare([run_directory, worse])
    assert [len(group.runs) for group in found.groups] == [1, 2]
    assert found.config["random_seed"] == [0, [0, 1]]
    summary = json.loads((worse / "seeds.json").read_bytes())["metrics"]
    for name, (alone, of_seeds) in found.metrics.items():
        assert alone is not None
        assert of_seeds is not None
        assert alone["standard_deviation"] is None
        assert of_seeds == {key: pytest.approx(value) for key, value in summary[name].items()}
    test = next(pair for pair in found.pairs if pair.split == "test")
    mean = summary["test_f1-measure-overall"]["mean"]
    assert test.differences[0].second == pytest.approx(mean)
    assert {change.second for change in test.changes.broken} <= {0, 0.5}
    again = shutil.copytree(worse, tmp_path / "again" / "worse")
    seeds = compare([worse, worse / "seed_0", again])
    names = [group.name for group in seeds.groups]
    assert [name.endswith("/worse") for name in names] == [True, False, True]
    assert len(set(names)) == 3
    assert [pair.seeds_p for pair in seeds.pairs] == [None, 1, None, 1]


def test_what_is_written(
    run_directory: Path, worse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, page = tmp_path / "compared.json", tmp_path / "compared.html"
    directories = [str(run_directory), str(worse)]
    for file in (table, page):
        assert main(["compare", *directories, "--output-file", str(file), "--quiet"]) == 0
    text = capsys.readouterr().out
    found = json.loads(table.read_bytes())
    assert found == json.loads(json.dumps(as_json(compare(directories))))
    overall = found["comparisons"][1]["f1"]["overall"]
    assert f"{overall['difference']:+.4f}" in text
    assert "paired bootstrap over" in text
    html = page.read_text(encoding="utf-8")
    assert f"{100 * overall['difference']:+.2f}" in html
    assert html.count("<svg") == 3


def test_other_sentences_cant_be_compared(
    run_directory: Path, config: dict[str, Any], tmp_path: Path
) -> None:
    config["validation_data_path"] = "sample/test.conll"
    config["trainer"]["num_epochs"] = 1
    nr.train(config, tmp_path / "other", quiet=True)
    found = compare([run_directory, tmp_path / "other"], output_file=tmp_path / "page.html")
    assert [pair.split for pair in found.pairs] == ["test"]
    told = "have predictions of different sentences, so that no difference can be tested"
    assert found.notes == [f"validation: quickstart and other {told}"]
    assert told in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("second", "output", "told"),
    [
        ("nowhere", None, "nowhere: expected a run's directory, got no such directory"),
        (None, "table.csv", "table.csv: expected a name that ends in .json or .html, got another"),
        (None, "gone/page.html", "page.html: expected a file to write, got a folder that isn't"),
    ],
)
def test_faults(
    run_directory: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    second: str | None,
    output: str | None,
    told: str,
) -> None:
    arguments = ["compare", str(run_directory), str(tmp_path / second if second else run_directory)]
    if output is not None:
        arguments += ["--output-file", str(tmp_path / output)]
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
