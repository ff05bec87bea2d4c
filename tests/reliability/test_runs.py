"""Runs that are killed, stopped, harmed and raced, against one that nothing disturbs.

Whatever happens to a run, ``--recover`` ends it with the same weights, optimizer, random state,
metrics (but for times) and predictions, byte for byte.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ner_registry.training.checkpoints import list_checkpoints, newest_checkpoint

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

# an epoch has 10 batches; whatever has a state of its own is in it
OVERRIDES = {
    "train_data_path": "sample/dev.conll",
    "validation_data_path": "sample/test.conll",
    "test_data_path": "sample/test.conll",
    "data_loader.mention_replacement": 0.3,
    "data_loader.capitals": 0.2,
    "trainer.num_epochs": 3,
    "trainer.adversarial_perturbation": 0.1,
    "trainer.adversarial_share": 0.5,
    "trainer.patience": None,
    "trainer.save_every_num_batches": 4,
    "trainer.average": {"type": "ema", "decay": 0.9},
    "trainer.learning_rate_scheduler": {"type": "linear_with_warmup"},
    "trainer.optimizer": {"type": "adamw", "lr": 0.02},
}
LAST = "epoch_2"
Outcome = dict[str, Any]


def arguments(directory: Path) -> list[str]:
    """The run's."""
    config = ["experiments/quickstart.jsonnet", "-o", json.dumps(OVERRIDES)]
    return ["train", *config, "-s", str(directory), "--quiet"]


class Zygote:
    """Starts runs, each in a process of its own."""

    def __init__(self, root: Path, directory: Path) -> None:
        self.root = root
        self.directory = directory
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("zygote.py")),
                *arguments(directory / "warm"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env=os.environ
            | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(root), "CUDA_VISIBLE_DEVICES": ""},
        )
        self.count = 0

    def ask(self, **request: Any) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def start(self, directory: Path, *flags: str, **disturbance: Any) -> tuple[int, Path]:
        """A run's process and the file of its stderr."""
        self.count += 1
        errors = self.directory / f"errors_{self.count}"
        asked = {"arguments": [*arguments(directory), *flags], "directory": str(directory)}
        return self.ask(**asked, errors=str(errors), **disturbance), errors

    def wait(self, process: int) -> int:
        return self.ask(wait=process)

    def run(self, directory: Path, *flags: str, **disturbance: Any) -> tuple[int, str]:
        """A run's exit code and stderr."""
        process, errors = self.start(directory, *flags, **disturbance)
        return self.wait(process), errors.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def zygote(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    made = Zygote(root, tmp_path_factory.mktemp("zygote"))
    with made.process:  # closes its pipes, at which it ends
        yield made


class Undisturbed:
    """The run to compare with."""

    def __init__(self, zygote: Zygote, directory: Path) -> None:
        journal = directory.with_name("journal.json")
        began = time.monotonic()
        assert zygote.run(directory, journal=str(journal)) == (0, "")
        self.seconds = time.monotonic() - began
        self.directory = directory
        self.points: list[str] = json.loads(journal.read_bytes())
        self.outcome = outcome(directory)


@pytest.fixture(scope="module")
def undisturbed(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(zygote, tmp_path_factory.mktemp("undisturbed") / "run")


def outcome(directory: Path) -> Outcome:
    """Everything that a run leaves but for times."""
    found: Outcome = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for pattern in ("*.safetensors", "predictions_*", f"checkpoints/{LAST}/*.safetensors")
        for path in directory.glob(pattern)
    }
    for name in ("metrics.json", "metrics_epoch_1.json", f"checkpoints/{LAST}/state.json"):
        found[name] = without_times(json.loads((directory / name).read_bytes()))
    return found


def without_times(value: Any) -> Any:
    if isinstance(value, list):
        return [without_times(item) for item in value]
    if isinstance(value, dict):
        times = "duration|second|memory|epoch_began"
        return {k: without_times(v) for k, v in value.items() if not re.search(times, k)}
    return value


def check_recovers(zygote: Zygote, undisturbed: Undisturbed, directory: Path) -> None:
    code, errors = zygote.run(directory, "--recover")
    assert code == 0, errors
    found = outcome(directory)
    assert found.keys() == undisturbed.outcome.keys()
    for name, expected in undisturbed.outcome.items():
        assert found[name] == expected, name
    shutil.rmtree(directory)


def disturbed_at_points(
    disturbance: str, rounds: int | None, zygote: Zygote, undisturbed: Undisturbed, path: Path
) -> Iterator[tuple[str, int, str]]:
    """Points of the run, the same every time or (None) all, with exit code and stderr of each."""
    points: Sequence[int] = range(len(undisturbed.points))
    if rounds is not None:
        points = random.Random(disturbance).sample(points, rounds)
    for point in points:
        directory = path / f"{disturbance}_{point}"
        code, errors = zygote.run(directory, point=point, disturbance=disturbance)
        yield undisturbed.points[point], code, errors
        check_recovers(zygote, undisturbed, directory)


def test_a_kill_at_every_write(
    whole: bool, zygote: Zygote, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    assert len(undisturbed.points) > 100
    rounds = None if whole else 2
    for _, code, _ in disturbed_at_points("KILL", rounds, zygote, undisturbed, tmp_path):
        assert code == -signal.SIGKILL


@pytest.mark.parametrize(("name", "expected"), [("INT", 130), ("TERM", 143)])
def test_a_signal_at_a_write(
    name: str, expected: int, whole: bool, zygote: Zygote, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    rounds = 30 if whole else 1
    for point, code, errors in disturbed_at_points(name, rounds, zygote, undisturbed, tmp_path):
        assert code == expected, (point, errors)
        assert "Traceback" not in errors


def test_an_error_at_a_write(
    whole: bool, zygote: Zygote, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    rounds = 60 if whole else 1
    for point, code, errors in disturbed_at_points("EIO", rounds, zygote, undisturbed, tmp_path):
        if code != 0:  # removing what is left over may fail
            assert code == 1, (point, errors)
            assert len(errors.splitlines()) == 1, errors
            assert errors.endswith(": Input/output error\n"), errors


def disturb(
    zygote: Zygote, undisturbed: Undisturbed, directory: Path, act: Callable[[int], None]
) -> tuple[int, str]:
    """A run's exit code and stderr, something being done to it at a moment by chance."""
    process, errors = zygote.start(directory)
    time.sleep(random.uniform(0.05, undisturbed.seconds))
    act(process)
    return zygote.wait(process), errors.read_text(encoding="utf-8")


def test_a_kill_at_any_moment(
    whole: bool, zygote: Zygote, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    for turn in range(50 if whole else 1):
        run = tmp_path / str(turn)
        code, _ = disturb(zygote, undisturbed, run, lambda p: os.kill(p, signal.SIGKILL))
        assert code in (-signal.SIGKILL, 0)
        check_recovers(zygote, undisturbed, run)


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
@pytest.mark.parametrize("times", [1, 2])
def test_a_signal_at_any_moment(
    number: signal.Signals,
    expected: int,
    times: int,
    whole: bool,
    zygote: Zygote,
    undisturbed: Undisturbed,
    tmp_path: Path,
) -> None:
    def send(process: int) -> None:
        for _ in range(times):
            os.kill(process, number)
            time.sleep(0.002)

    for turn in range(20 if whole else 1):
        code, errors = disturb(zygote, undisturbed, tmp_path / str(turn), send)
        assert code in (expected, 0), errors
        assert "Traceback" not in errors
        if "interrupted in epoch" in errors and times == 1:
            (name,) = re.findall(r"the last checkpoint is (\S+);", errors)
            newest = newest_checkpoint(tmp_path / str(turn) / "checkpoints")
            assert newest is not None
            assert str(newest[0]) == name
        check_recovers(zygote, undisturbed, tmp_path / str(turn))


def flip(content: bytearray, chance: random.Random) -> None:
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def zero_page(content: bytearray, chance: random.Random) -> None:
    begin = chance.randrange(len(content)) // 4096 * 4096
    end = min(begin + 4096, len(content))
    content[begin:end] = bytes(end - begin)


def truncate(content: bytearray, chance: random.Random) -> None:
    del content[chance.randrange(len(content)) :]


@pytest.mark.parametrize("harm", [flip, zero_page, truncate])
def test_no_harmed_checkpoint_is_loaded(
    harm: Callable[[bytearray, random.Random], None],
    whole: bool,
    undisturbed: Undisturbed,
    tmp_path: Path,
) -> None:
    directory = tmp_path / "checkpoints"
    shutil.copytree(undisturbed.directory / "checkpoints", directory)
    whole_one = newest_checkpoint(directory)
    assert whole_one is not None
    newest, contents = whole_one
    older = list_checkpoints(directory)[1]
    chance = random.Random(2)
    for _ in range(200 if whole else 20):
        file = chance.choice(sorted(newest.iterdir()))
        before = file.read_bytes()
        content = bytearray(before)
        harm(content, chance)
        file.write_bytes(content)
        found = newest_checkpoint(directory)
        assert found is not None
        assert found[0] == older or found[1] == contents
        file.write_bytes(before)


def test_a_harmed_checkpoint_costs_nothing_but_time(
    zygote: Zygote, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    directory = tmp_path / "run"
    shutil.copytree(undisturbed.directory, directory)
    (directory / "model.tar.gz").unlink()
    newest, older = list_checkpoints(directory / "checkpoints")
    weights = bytearray((newest / "model.safetensors").read_bytes())
    flip(weights, random.Random(3))
    (newest / "model.safetensors").write_bytes(weights)
    process, errors = zygote.start(directory, "--recover")
    assert zygote.wait(process) == 0
    assert errors.read_text(encoding="utf-8").splitlines() == [
        f"warning: {newest}: its files aren't what was written: falling back"
    ]
    assert older.name == f"{LAST}_step_8"
    found = outcome(directory)
    assert all(found[name] == expected for name, expected in undisturbed.outcome.items())


def test_of_two_runs_one_proceeds(
    whole: bool, zygote: Zygote, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    for turn in range(50 if whole else 1):
        directory = tmp_path / str(turn)
        started = []
        for _ in range(2):
            started.append(zygote.start(directory))
            time.sleep(random.uniform(0, 0.2))
        codes = [zygote.wait(process) for process, _ in started]
        assert sorted(codes) == [0, 2]
        winner, loser = started[codes.index(0)], started[codes.index(2)]
        told = loser[1].read_text(encoding="utf-8")
        # on a fast machine the winner has ended before the other one is tired of waiting
        is_locked = f"locked: another run, process {winner[0]}, writes to it" in told
        assert is_locked or "expected an empty directory, got a full one" in told
        assert outcome(directory) == undisturbed.outcome
        shutil.rmtree(directory)
