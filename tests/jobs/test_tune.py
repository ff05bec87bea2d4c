"""A search for a better config, alone, together and cut off."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ner_registry.cli import main
from ner_registry.config.source import read_config
from ner_registry.errors import ConfigError, NerError, RunDirectoryError
from ner_registry.jobs.tune import tune

# after one epoch every F1 is 0
SETTINGS = ("trainer.num_epochs=1", "trainer.validation_metric=-loss")
FAST = ["--trials=3", "--quiet", *(f"--set={setting}" for setting in SETTINGS)]


def command(root: Path, directory: Path) -> list[str]:
    search = str(root / "experiments" / "quickstart.jsonnet")
    return ["tune", search, "-s", str(directory), *FAST]


def start(root: Path, directory: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ner_registry", *command(root, directory)],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def table(directory: Path) -> list[dict[str, str]]:
    with open(directory / "trials.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_killed_process_loses_nothing_and_two_share_the_work(
    whole: bool, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not whole:
        pytest.skip("half a minute: tried with --whole")
    directory = tmp_path / "search"
    first = start(root, directory)
    while not (directory / "trial_0" / "meta.json").is_file():
        assert first.poll() is None
        time.sleep(0.05)
    first.send_signal(signal.SIGKILL)
    first.wait()
    both = [start(root, directory) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    # what they found is there for whoever asks again
    assert main(command(root, directory)) == 0
    printed = capsys.readouterr().out
    assert "the best config:" in printed
    (line,) = [line for line in printed.splitlines() if line.startswith("its model: ")]
    assert Path(line.removeprefix("its model: ")).is_file()
    assert "importance" in printed

    rows = table(directory)
    assert sorted(row["trial"] for row in rows) == ["0", "1", "2"]
    scores = [float(row["loss"]) for row in rows]
    assert scores == sorted(scores)
    assert len({row["trainer.optimizer.lr"] for row in rows}) == 3
    for row in rows:
        run = directory / f"trial_{row['trial']}"
        config = json.loads((run / "config.json").read_bytes())
        assert config["trainer"]["optimizer"]["lr"] == float(row["trainer.optimizer.lr"])
        metrics = json.loads((run / "metrics.json").read_bytes())
        assert metrics["best_validation_loss"] == float(row["loss"])
    for plot in ("importances.svg", "slices.svg"):
        assert b"<svg" in (directory / plot).read_bytes()
    best = read_config(directory / "best.jsonnet").value
    assert best["trainer"]["optimizer"]["lr"] == float(rows[0]["trainer.optimizer.lr"])
    assert best["model"]["head"]["type"] == "crf"


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"search": {}}, "search", "required by tune"),
        (
            {"search": {"trainer.lr": {"type": "choice", "values": [1]}}},
            "search.trainer.lr",
            "optimizer",
        ),
        ({"search": {"a": {"type": "float", "low": 2.0, "high": 1.0}}}, "search.a", "at most high"),
        ({"search": {"a": {"type": "flaot"}}}, "search.a.type", "float"),
        (
            {"search": {"model.encoder.hidden_size": {"type": "float", "low": 4, "high": 16}}},
            "search.model.encoder.hidden_size",
            "expected a whole number, got 11.4",
        ),
    ],
)
def test_faults_of_a_search(
    root: Path, tmp_path: Path, change: dict[str, Any], path: str, message: str
) -> None:
    config = read_config(root / "experiments" / "quickstart.jsonnet").value
    with pytest.raises(ConfigError) as caught:
        tune(config | change, tmp_path / "search", trials=1)
    assert [fault.path for fault in caught.value.faults] == [path]
    assert message in caught.value.faults[0].message
    assert not (tmp_path / "search").exists()


def test_it_judges_by_validation_data(root: Path, tmp_path: Path) -> None:
    config = read_config(root / "experiments" / "quickstart.jsonnet").value
    config["validation_data_path"] = None
    del config["trainer"]["patience"]
    with pytest.raises(ConfigError, match=r"^validation_data_path: required by tune"):
        tune(config, tmp_path / "search", trials=1)


def test_a_directory_of_another_search(root: Path, tmp_path: Path) -> None:
    config = read_config(root / "experiments" / "quickstart.jsonnet").value
    (tmp_path / "search.json").write_text(json.dumps(config | {"random_seed": 1}), encoding="utf-8")
    with pytest.raises(RunDirectoryError, match="holds a search with another config"):
        tune(config, tmp_path, trials=1)


def test_without_optuna(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = read_config(root / "experiments" / "quickstart.jsonnet").value
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(NerError, match=r"pip install 'ner_registry\[tune\]'"):
        tune(config, tmp_path, trials=1)
