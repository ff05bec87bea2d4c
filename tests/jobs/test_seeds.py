"""Several seeds by one command, and the one model made of them."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

import ner_registry as nr
from ner_registry.cli import main
from ner_registry.ensemble import Ensemble
from ner_registry.errors import RunDirectoryError
from ner_registry.jobs.seeds import as_text, train_seeds


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    directory = tmp_path_factory.mktemp("seeds") / "runs"
    settings = ["--set", "trainer.num_epochs=2", "--set", "random_seed=5"]
    config = str(root / "experiments" / "quickstart.jsonnet")
    assert main(["train", config, "-s", str(directory), "--seeds", "2", *settings, "--quiet"]) == 0
    return directory


def test_each_seed_has_a_run_and_the_summary_tells_of_all(finished: Path) -> None:
    summary = json.loads((finished / "seeds.json").read_bytes())
    assert summary["seeds"] == [5, 6]
    runs = [json.loads((finished / f"seed_{n}" / "metrics.json").read_bytes()) for n in (5, 6)]
    for name, metric in summary["metrics"].items():
        values = [run[name] for run in runs]
        assert metric["values"] == values
        assert metric["mean"] == statistics.fmean(values)
        assert metric["standard_deviation"] == statistics.stdev(values)
    scores = summary["metrics"]["best_validation_f1-measure-overall"]["values"]
    assert summary["best_seed"] == (5 if scores[0] >= scores[1] else 6)
    assert {"best_validation_f1-measure-overall", "test_f1-measure-overall"} == set(
        summary["ensemble"]
    )
    assert as_text(summary).splitlines()[-1].startswith("ensemble")


def test_a_run_is_what_it_would_be_alone(
    finished: Path, config: dict[str, Any], tmp_path: Path
) -> None:
    changed = config | {"random_seed": 6}
    changed["trainer"]["patience"] = 5
    nr.train(changed, tmp_path / "alone", quiet=True)
    alone = (tmp_path / "alone" / "best.safetensors").read_bytes()
    assert (finished / "seed_6" / "best.safetensors").read_bytes() == alone


@pytest.mark.parametrize("name", ["", "model.tar.gz"])
def test_the_archive_is_an_ensemble(finished: Path, name: str) -> None:
    tagger = nr.load(finished / name)
    assert isinstance(tagger.tagger, Ensemble)
    assert len(tagger.tagger.members) == 2
    for entity in tagger("Maria Nielsen met them in Kelfield."):
        assert 0 < entity["score"] <= 1
    summary = json.loads((finished / "seeds.json").read_bytes())
    found = nr.evaluate(finished / name, "sample/dev.conll")["entities"]["overall"]["f1"]
    assert found == summary["ensemble"]["best_validation_f1-measure-overall"]


def test_side_by_side_gives_the_same(
    finished: Path, config: dict[str, Any], tmp_path: Path
) -> None:
    config["trainer"]["patience"] = 5
    summary = train_seeds(config | {"random_seed": 5}, tmp_path / "runs", seeds=2, workers=2)
    for name in ("seed_5", "seed_6"):
        weights = (tmp_path / "runs" / name / "best.safetensors").read_bytes()
        assert (finished / name / "best.safetensors").read_bytes() == weights
    before = json.loads((finished / "seeds.json").read_bytes())
    assert summary["ensemble"] == before["ensemble"]


def test_what_is_finished_stays(finished: Path, config: dict[str, Any]) -> None:
    config["trainer"]["patience"] = 5
    config["random_seed"] = 5
    before = (finished / "seed_5" / "metrics.json").stat().st_mtime_ns
    with pytest.raises(RunDirectoryError, match="--recover goes on, --force replaces it"):
        train_seeds(config, finished, seeds=2)
    train_seeds(config, finished, seeds=2, recover=True)
    assert (finished / "seed_5" / "metrics.json").stat().st_mtime_ns == before


def test_a_directory_of_something_else(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(RunDirectoryError, match=r"got 'thesis.tex' in it"):
            train_seeds(config, tmp_path, seeds=2, force=force)
    assert (tmp_path / "thesis.tex").exists()


def test_a_single_run_does_not_replace_them(finished: Path, config: dict[str, Any]) -> None:
    for force in (True, False):
        with pytest.raises(RunDirectoryError, match=r"got those of several seeds: .* --seeds"):
            nr.train(config, finished, force=force, recover=not force)
    assert (finished / "seed_5" / "metrics.json").is_file()
    nr.load(finished)


def test_a_fault_in_a_process_of_its_own_is_told_in_one_line(
    config: dict[str, Any], tmp_path: Path
) -> None:
    config["train_data_path"] = str(tmp_path / "none.conll")
    with pytest.raises(nr.NerError) as caught:
        train_seeds(config, tmp_path / "runs", seeds=2, workers=2)
    assert caught.value.lines() == [f"train_data_path: {tmp_path}/none.conll: no such file"]
    assert not (tmp_path / "runs").exists()


def test_what_is_refused_costs_nothing(finished: Path, config: dict[str, Any]) -> None:
    config |= {"random_seed": 5, "train_data_path": "nowhere.conll"}
    with pytest.raises(nr.NerError, match="nowhere"):
        train_seeds(config, finished, seeds=2, force=True)
    assert (finished / "seed_5" / "metrics.json").is_file()
    assert (finished / "model.tar.gz").is_file()


def test_workers_without_seeds(root: Path, tmp_path: Path) -> None:
    config = str(root / "experiments" / "quickstart.jsonnet")
    with pytest.raises(SystemExit) as caught:
        main(["train", config, "-s", str(tmp_path / "run"), "--workers", "2"])
    assert caught.value.code == 2
