"""Seeds side by side, and a search, that are stopped: each run goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SETTINGS = ["--set", "trainer.num_epochs=5", "--set", "trainer.patience=null", "--quiet"]


@pytest.fixture(autouse=True)
def only_whole(whole: bool) -> None:
    if not whole:
        pytest.skip("a dozen processes: tried with --whole")


def start(root: Path, command: str, directory: Path, *flags: str) -> subprocess.Popen[str]:
    arguments = [command, "experiments/quickstart.jsonnet", "-s", str(directory), *flags]
    return subprocess.Popen(
        [sys.executable, "-m", "ner_registry", *arguments, *SETTINGS],
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen[str], *paths: Path) -> None:
    while not all(path.exists() for path in paths):
        assert process.poll() is None
        time.sleep(0.05)


def send(process: subprocess.Popen[str], number: signal.Signals, *, to_group: bool) -> None:
    if to_group:  # as a terminal or a cluster does
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)


@pytest.mark.parametrize(
    ("number", "to_group", "expected"),
    [
        (signal.SIGINT, True, 130),
        (signal.SIGTERM, True, 143),
        (signal.SIGTERM, False, 143),
        (signal.SIGKILL, False, -9),
    ],
)
def test_seeds_side_by_side(
    number: signal.Signals, to_group: bool, expected: int, root: Path, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    flags = ("--seeds", "2", "--workers", "2")
    process = start(root, "train", runs, *flags)
    wait_for(process, *(runs / f"seed_{seed}" / "metrics_epoch_1.json" for seed in (0, 1)))
    send(process, number, to_group=to_group)
    _, errors = process.communicate()  # until the last of the processes has ended
    assert process.returncode == expected
    assert "Traceback" not in errors
    for seed in (0, 1):
        log = (runs / f"seed_{seed}" / "out.log").read_text(encoding="utf-8")
        assert "WARNING interrupted" in log
        assert not (runs / f"seed_{seed}" / "checkpoints" / "writing").exists()

    again = start(root, "train", runs, *flags, "--recover")
    assert (again.communicate()[1], again.returncode) == ("", 0)
    alone = start(root, "train", tmp_path / "alone")
    assert (alone.communicate()[1], alone.returncode) == ("", 0)
    weights = [d / "best.safetensors" for d in (runs / "seed_0", tmp_path / "alone")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def test_one_of_them_is_killed(root: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    process = start(root, "train", runs, "--seeds", "2", "--workers", "2")
    wait_for(process, *(runs / f"seed_{seed}" / "metrics_epoch_1.json" for seed in (0, 1)))
    os.kill(json.loads((runs / "seed_1" / "meta.json").read_bytes())["process"], signal.SIGKILL)
    _, errors = process.communicate()
    assert process.returncode == 1
    told = "a run's process was killed, perhaps for want of memory: fewer --workers need less; "
    assert f"{told}--recover goes on" in errors.splitlines()


def test_two_for_one_directory(root: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    both = [start(root, "train", runs, "--seeds", "2") for _ in range(2)]
    told = [process.communicate()[1] for process in both]
    codes = [process.returncode for process in both]
    assert sorted(codes) == [0, 2]
    winner, loser = both[codes.index(0)], told[codes.index(2)]
    assert f"{runs}: locked: another run, process {winner.pid}, writes to it" in loser


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_search(number: signal.Signals, expected: int, root: Path, tmp_path: Path) -> None:
    search = tmp_path / "search"
    process = start(root, "tune", search, "--trials", "2")
    wait_for(process, search / "trial_0" / "metrics_epoch_1.json")
    send(process, number, to_group=True)
    _, errors = process.communicate()
    assert process.returncode == expected
    assert "interrupted: the same command goes on" in errors
    assert "Traceback" not in errors

    again = start(root, "tune", search, "--trials", "2")
    _, errors = again.communicate()  # Optuna may warn
    assert again.returncode == 0, errors
    config = json.loads((search / "trial_0" / "config.json").read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "ner_registry", "train", str(tmp_path / "config.json")]
    subprocess.run([*command, "-s", str(tmp_path / "alone"), "--quiet"], cwd=root, check=True)
    weights = [d / "best.safetensors" for d in (search / "trial_0", tmp_path / "alone")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
