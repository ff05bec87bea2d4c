"""Whole runs on the sample corpus."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

import ner_registry as nr
from ner_registry.cli import main
from ner_registry.errors import NerError, RunError
from ner_registry.jobs.train import train
from ner_registry.predictor import load

BEST = "best.safetensors"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def without_times(metrics: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in metrics.items() if not re.search("duration|second|memory", k)}


def start(directory: Path, root: Path, *arguments: str) -> subprocess.Popen[str]:
    """A long run, as a process of its own."""
    command = [sys.executable, "-m", "ner_registry", "train", "experiments/quickstart.jsonnet"]
    overrides = '{"trainer.num_epochs": 4, "trainer.patience": null}'
    command += ["-s", str(directory), "-o", overrides, *arguments]
    return subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> int:
    process.communicate()
    return process.returncode


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(1200):
        if path.exists():
            return
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.05)
    pytest.fail(f"{path} never came")


def test_a_threshold_is_chosen_and_kept(config: dict[str, Any], tmp_path: Path) -> None:
    config["trainer"]["tune_threshold"] = True
    metrics = nr.train(config, tmp_path / "run", quiet=True)
    threshold = metrics["threshold"]
    assert json.loads((tmp_path / "run" / "meta.json").read_bytes())["threshold"] == threshold
    for path in (tmp_path / "run", tmp_path / "run" / "model.tar.gz"):
        assert nr.load(path).tagger.threshold == threshold
    # as its epoch was judged, the threshold hadn't been chosen
    judged = json.loads((tmp_path / "run" / "metrics_epoch_1.json").read_bytes())
    name = "f1-measure-overall"
    assert metrics[f"best_validation_{name}"] > judged[f"best_validation_{name}"]
    for split in ("validation", "test"):
        found = nr.evaluate(tmp_path / "run", config[f"{split}_data_path"])
        prefix = "best_validation" if split == "validation" else split
        assert found["entities"]["overall"]["f1"] == metrics[f"{prefix}_{name}"]
        lines = (tmp_path / "run" / f"predictions_{split}.jsonl").read_text(encoding="utf-8")
        entities = [e for line in lines.splitlines() for e in json.loads(line)["entities"]]
        assert min(entity["score"] for entity in entities) >= threshold


def test_a_run_leaves_every_file(run_directory: Path) -> None:
    files = {str(p.relative_to(run_directory)) for p in run_directory.rglob("*") if p.is_file()}
    assert files == {
        ".ner-run.lock",
        "config.json",
        "meta.json",
        "out.log",
        "vocabulary/tags.json",
        "vocabulary/embedders/words.json",
        *(f"metrics_epoch_{epoch}.json" for epoch in range(8)),
        "metrics.jsonl",
        "metrics.json",
        "predictions_validation.jsonl",
        "predictions_test.jsonl",
        "report.html",
        BEST,
        "model.tar.gz",
        *(
            f"checkpoints/epoch_{epoch}/{name}"
            for epoch in (6, 7)
            for name in (
                "best.safetensors",
                "manifest.json",
                "model.safetensors",
                "optimizer.safetensors",
                "owed.safetensors",
                "state.json",
            )
        ),
    }


def test_the_metrics(run_directory: Path) -> None:
    metrics = json.loads((run_directory / "metrics.json").read_bytes())
    for prefix in ("validation_", "best_validation_", "test_"):
        for name in (
            *("loss", "precision-overall", "recall-overall", "f1-measure-overall"),
            *("f1-measure-PER", "accuracy", "token_macro_f1"),
        ):
            assert isinstance(metrics[prefix + name], float)
    lines = (run_directory / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    epochs = [json.loads(line) for line in lines]
    assert [epoch["epoch"] for epoch in epochs] == list(range(8))
    best = max(epochs, key=lambda m: m["validation_f1-measure-overall"])
    assert metrics["best_epoch"] == best["epoch"]
    assert metrics["best_validation_f1-measure-overall"] == best["validation_f1-measure-overall"]
    assert metrics["best_validation_f1-measure-overall"] > 0.5  # it did learn
    assert metrics["epoch"] == 7
    assert metrics["training_duration"] > 0


def test_the_same_seed_gives_the_same_bytes(config: dict[str, Any], tmp_path: Path) -> None:
    first = train(config, tmp_path / "a")
    second = train(config, tmp_path / "b")
    assert without_times(first) == without_times(second)
    assert digest(tmp_path / "a" / BEST) == digest(tmp_path / "b" / BEST)
    other = train(config | {"random_seed": 1}, tmp_path / "c")
    assert without_times(other) != without_times(first)


def test_an_interrupted_run_can_be_used(root: Path, tmp_path: Path) -> None:
    process = start(tmp_path / "run", root)
    wait_for(tmp_path / "run" / "metrics_epoch_0.json", process)
    process.send_signal(signal.SIGINT)
    process.communicate()
    text = tmp_path / "text.txt"
    text.write_text("Jim works in Paris.\n", encoding="utf-8")
    assert main(["predict", str(tmp_path / "run"), str(text), "--quiet"]) == 0


def test_recovering_a_finished_run_changes_nothing(config: dict[str, Any], tmp_path: Path) -> None:
    metrics = train(config, tmp_path / "run")
    before = digest(tmp_path / "run" / "model.tar.gz")
    assert train(config, tmp_path / "run", recover=True) == metrics
    assert digest(tmp_path / "run" / "model.tar.gz") == before


def test_recovering_needs_the_same_config_and_data(config: dict[str, Any], tmp_path: Path) -> None:
    data = tmp_path / "train.conll"
    data.write_text("Jim B-PER\nleft O\n\n" * 20, encoding="utf-8")
    config["train_data_path"] = str(data)
    train(config, tmp_path / "run")
    (tmp_path / "run" / "model.tar.gz").unlink()
    changed = config | {"random_seed": 5}
    with pytest.raises(NerError, match="random_seed: the run to recover has 0, got 5"):
        train(changed, tmp_path / "run", recover=True)
    data.write_text("Jim B-PER\nleft O\n\n" * 21, encoding="utf-8")
    with pytest.raises(NerError, match="the train data has changed since the run began"):
        train(config, tmp_path / "run", recover=True)
    train(config, tmp_path / "run", force=True)


def test_recovering_goes_on_with_as_many_threads(config: dict[str, Any], tmp_path: Path) -> None:
    directory = tmp_path / "run"
    config["trainer"]["num_threads"] = 2
    metrics = train(config, directory)
    assert json.loads((directory / "meta.json").read_text())["threads"] == 2
    assert "2 threads" in (directory / "out.log").read_text()

    config["trainer"]["num_threads"] = None
    alone = train(config, tmp_path / "alone")
    meta = json.loads((tmp_path / "alone" / "meta.json").read_text())
    assert meta["threads"] == 1  # what the tests give PyTorch
    assert without_times(alone) == without_times(metrics)
    (tmp_path / "alone" / "meta.json").write_text(json.dumps(meta | {"threads": 2}))
    (tmp_path / "alone" / "model.tar.gz").unlink()
    train(config, tmp_path / "alone", recover=True)
    assert json.loads((tmp_path / "alone" / "meta.json").read_text())["threads"] == 2


def test_recovering_nothing_starts_afresh(config: dict[str, Any], tmp_path: Path) -> None:
    assert train(config, tmp_path / "run", recover=True)["epoch"] == 1


def test_checkpoints_without_a_run_are_not_thrown_away(
    config: dict[str, Any], tmp_path: Path
) -> None:
    config["trainer"]["num_epochs"] = 1
    train(config, tmp_path / "run")
    (tmp_path / "run" / "meta.json").unlink()
    with pytest.raises(NerError, match=r"run: its meta\.json is gone: --force starts anew"):
        train(config, tmp_path / "run", recover=True)
    assert (tmp_path / "run" / "checkpoints" / "epoch_0").is_dir()
    train(config, tmp_path / "run", force=True)


def test_patience_ends_a_run(config: dict[str, Any], tmp_path: Path) -> None:
    config["trainer"] |= {"num_epochs": 50, "patience": 1, "validation_metric": "-accuracy"}
    metrics = train(config, tmp_path / "run")
    assert metrics["epoch"] == metrics["best_epoch"] + 1 < 49


def test_without_validation_the_last_epoch_is_the_best(
    config: dict[str, Any], tmp_path: Path
) -> None:
    del config["validation_data_path"], config["trainer"]["patience"]
    config |= {"evaluate_on_test": False}
    metrics = train(config, tmp_path / "run")
    assert metrics["best_epoch"] == metrics["epoch"] == 1
    assert not [name for name in metrics if name.startswith("validation_")]
    assert load(tmp_path / "run" / "model.tar.gz")("Ann left.") is not None


def test_a_loss_that_is_not_finite(config: dict[str, Any], tmp_path: Path) -> None:
    config["trainer"]["optimizer"] = {"type": "sgd", "lr": 1e38}
    with pytest.raises(RunError, match=r"the loss became (nan|inf) in epoch 0, step \d+"):
        train(config, tmp_path / "run")
    assert RunError.exit_code == 1


def test_labels_that_only_the_test_data_has(
    config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = tmp_path / "dev.conll"
    data.write_text("Jim B-PER\n\nEuropa B-MOON\n", encoding="utf-8")
    config["validation_data_path"] = str(data)
    metrics = train(config, tmp_path / "run")
    assert f"{data}:3: 1 entities of label MOON" in caplog.text
    assert metrics["validation_recall-overall"] <= 0.5
    assert "MOON" not in (tmp_path / "run" / "vocabulary" / "tags.json").read_text()


def test_dev_and_test_words_never_enter_the_vocabulary(run_directory: Path, root: Path) -> None:
    vocabulary = json.loads(
        (run_directory / "vocabulary" / "embedders" / "words.json").read_bytes()
    )
    sample = root / "ner_registry" / "sample"
    seen = {line.split(" ")[0] for line in (sample / "train.conll").read_text("utf-8").splitlines()}
    assert set(vocabulary) == seen - {"", "-DOCSTART-"}


def test_a_dry_run_writes_nothing(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = str(root / "experiments" / "quickstart.jsonnet")
    monkeypatch.chdir(tmp_path)
    assert main(["train", config, "--dry-run"]) == 0
    output = capsys.readouterr().out
    assert (
        "train data: 700 sentences, 7,117 tokens, 1,497 entities (IOB1, 0 tags repaired)" in output
    )
    assert "parameters: " in output
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line(
    config: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    root: Path,
) -> None:
    """A limit on the size of files makes writing fail as a full disk does."""
    command = (
        f"ulimit -f 64; trap '' XFSZ; exec {sys.executable} -m ner_registry train "
        f"experiments/quickstart.jsonnet -s {tmp_path}/run --quiet"
    )
    done = subprocess.run(
        ["bash", "-c", command], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    written = tmp_path / "run" / f"{BEST}.part"
    assert done.stderr.splitlines() == [f"ner-run: {written}: File too large"]


def test_a_second_run_is_locked_out(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, directory = str(root / "experiments" / "quickstart.jsonnet"), tmp_path / "run"
    long = ("--set", "trainer.num_epochs=500", "--set", "trainer.patience=null")
    first = start(directory, root, *long)
    wait_for(directory / "metrics_epoch_0.json", first)
    for flag in ("--force", "--recover"):
        assert main(["train", config, "-s", str(directory), flag, *long, "--quiet"]) == 2
        assert capsys.readouterr().err.splitlines()[-1] == (
            f"{directory}: locked: another run, process {first.pid}, writes to it: "
            "wait for it, or choose another directory"
        )
    first.send_signal(signal.SIGINT)
    assert finish(first) == 130


def test_a_label_that_validation_lacks_may_still_be_predicted(
    config: dict[str, Any], tmp_path: Path
) -> None:
    data = tmp_path / "dev.conll"
    data.write_text("Hartlow I-PER\nbeat O\nKelfield I-PER\n", encoding="utf-8")
    config["validation_data_path"] = str(data)
    config["trainer"]["num_epochs"] = 5
    metrics = train(config, tmp_path / "run")
    assert {f"validation_f1-measure-{x}" for x in ("LOC", "MISC", "ORG", "PER")} <= set(metrics)


def test_the_metric_of_a_label_that_no_data_has(config: dict[str, Any], tmp_path: Path) -> None:
    config["trainer"]["validation_metric"] = "+f1-measure-overal"
    with pytest.raises(NerError) as caught:
        train(config, tmp_path / "run")
    assert caught.value.lines() == [
        "trainer.validation_metric: expected overall or a label of the data (LOC, MISC, ORG, "
        "PER), got 'overal'; did you mean 'f1-measure-overall'?"
    ]
    assert not (tmp_path / "run").exists()


def test_the_gradient_is_clipped(config: dict[str, Any], tmp_path: Path) -> None:
    config["trainer"] |= {"num_epochs": 1, "optimizer": {"type": "sgd", "lr": 1.0}}
    weights = []
    for name, norm in (("none", 1e-9), ("little", 1e-7), ("free", None)):
        config["trainer"]["grad_norm"] = norm
        train(config, tmp_path / name)
        weights.append(load_file(tmp_path / name / BEST)["head.projection.weight"])
    steps = 44
    assert 0 < (weights[0] - weights[1]).abs().max() < steps * 1e-6
    assert (weights[0] - weights[2]).abs().max() > 1e-2


def test_a_metrics_file_is_there_before_its_checkpoint(run_directory: Path) -> None:
    metrics = run_directory / "metrics_epoch_7.json"
    checkpoint = run_directory / "checkpoints" / "epoch_7" / "manifest.json"
    assert metrics.stat().st_mtime_ns <= checkpoint.stat().st_mtime_ns
