"""Ranks that train together: as one process does, whatever happens to one of them.

They are on this machine, and meet at a port of 127.0.0.1.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

# an epoch has 10 batches; whatever has a state of its own is in it
SETTINGS: dict[str, Any] = {
    "train_data_path": "sample/dev.conll",
    "validation_data_path": "sample/test.conll",
    "test_data_path": "sample/test.conll",
    "trainer.num_epochs": 3,
    "trainer.patience": None,
    "trainer.adversarial_perturbation": 0.3,
    "trainer.adversarial_share": 0.5,
    "trainer.save_every_num_batches": 4,
    "trainer.average": {"type": "ema", "decay": 0.9},
    "trainer.learning_rate_scheduler": {"type": "linear_with_warmup"},
    "trainer.optimizer": {"type": "adamw", "lr": 0.02},
}
WITHOUT_CHANCE: dict[str, Any] = {
    "model.dropout": 0.0,
    "model.embedders.words": {"type": "embedding", "embedding_dim": 50},
}
DOCUMENTS: dict[str, Any] = {
    "model.encoder": {"type": "document", "encoder": {"type": "lstm", "hidden_size": 32}}
}
LIMIT = 400  # seconds


def arguments(directory: Path, settings: dict[str, Any]) -> list[str]:
    config = ["experiments/quickstart.jsonnet", "-o", json.dumps(settings)]
    return ["train", *config, "-s", str(directory)]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class Launcher:
    """Starts runs of several ranks, or of one."""

    def __init__(self, root: Path, directory: Path) -> None:
        self.root = root
        self.directory = directory
        self.timeout = 600  # seconds that a rank waits for the others
        self.environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(root),
            "CUDA_VISIBLE_DEVICES": "",
        }
        script = Path(__file__).with_name("launcher.py")
        settings = SETTINGS | {"trainer.num_epochs": 1}
        self.process = subprocess.Popen(
            [sys.executable, str(script), *arguments(directory / "warm", settings), "--quiet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env=self.environment,
        )
        self.count = 0

    def ask(self, request: dict[str, Any]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def start(
        self, arguments: list[str], ranks: int, restarts: int, folders: Mapping[str, str]
    ) -> tuple[int, Path]:
        """The agent's process, and the folder of what comes of it."""
        self.count += 1
        found = self.directory / str(self.count)
        found.mkdir()
        request = {
            "arguments": arguments,
            "errors": str(found / "errors"),
            "pids": str(found),
            "ranks": ranks,
            "port": free_port(),
            "restarts": restarts,
            "folders": dict(folders),
            "timeout": self.timeout,
        }
        return self.ask(request), found

    def finish(self, process: int, found: Path) -> tuple[int, list[str]]:
        """The agent's exit code, and the lines on stderr but for those of PyTorch's C++."""
        code = self.ask({"wait": process})
        lines = (found / "errors").read_text(encoding="utf-8").splitlines()
        return code, [line for line in lines if not re.match(r"\[[EW\d]|\[.*/gloo/", line)]

    def run(
        self, arguments: list[str], ranks: int, restarts: int = 0, folders: Mapping[str, str] = {}
    ) -> tuple[int, list[str]]:
        return self.finish(*self.start(arguments, ranks, restarts, folders))


@pytest.fixture(scope="module")
def launcher(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    made = Launcher(root, tmp_path_factory.mktemp("launcher"))
    with made.process:  # closes its pipes, at which it ends
        yield made


class Undisturbed:
    """The run of two ranks to compare with, as torchrun itself starts it, and another one."""

    def __init__(self, launcher: Launcher, directory: Path) -> None:
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
        command += ["--master-addr", "127.0.0.1", "--master-port", str(free_port())]
        command += ["-m", "ner_registry", *arguments(directory, SETTINGS)]
        process = subprocess.run(
            command,
            cwd=launcher.root,
            env=launcher.environment,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        # rank 0 alone tells how it goes
        assert len(re.findall("^epoch 2: ", process.stderr, re.MULTILINE)) == 1
        assert len(re.findall("^done: ", process.stderr, re.MULTILINE)) == 1
        self.outcome = outcome(directory)
        self.again = directory.with_name("again")
        began = time.monotonic()
        code, errors = launcher.run(arguments(self.again, SETTINGS), 2)
        self.seconds = time.monotonic() - began
        assert code == 0, errors


@pytest.fixture(scope="module")
def undisturbed(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(launcher, tmp_path_factory.mktemp("undisturbed") / "run")


def outcome(directory: Path) -> dict[str, Any]:
    """Everything that a run leaves but for times."""
    last = "checkpoints/epoch_2"
    found: dict[str, Any] = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for pattern in ("*.safetensors", "predictions_*", f"{last}/*.safetensors")
        for path in directory.glob(pattern)
    }
    for name in ("metrics.json", "metrics_epoch_1.json", f"{last}/state.json"):
        found[name] = without_times(json.loads((directory / name).read_bytes()))
    return found


def without_times(value: Any) -> Any:
    if isinstance(value, list):
        return [without_times(item) for item in value]
    if isinstance(value, dict):
        times = "duration|second|memory|epoch_began"
        return {k: without_times(v) for k, v in value.items() if not re.search(times, k)}
    return value


def check_same(undisturbed: Undisturbed, directory: Path) -> None:
    found = outcome(directory)
    assert found.keys() == undisturbed.outcome.keys()
    for name, expected in undisturbed.outcome.items():
        assert found[name] == expected, name


@pytest.mark.parametrize(
    ("ranks", "settings"),
    [
        (2, {}),
        (3, {"data_loader.batch_size": 4}),  # the last batch, of 2, leaves a rank without
        (2, DOCUMENTS),
        (2, {"trainer.optimizer": {"type": "sgd", "lr": 0.01}}),
    ],
    ids=["sentences", "an empty share", "documents", "dense gradients"],
)
def test_ranks_train_as_one_process(
    ranks: int, settings: dict[str, Any], whole: bool, launcher: Launcher, tmp_path: Path
) -> None:
    if not whole and "data_loader.batch_size" not in settings:
        pytest.skip("the others are tried with --whole")
    changes = SETTINGS | {"trainer.num_epochs": 2} | WITHOUT_CHANCE | settings
    epochs = []
    for count in (1, ranks):
        directory = tmp_path / str(count)
        code, errors = launcher.run([*arguments(directory, changes), "--quiet"], count)
        assert (code, errors) == (0, [])
        lines = (directory / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        epochs.append([json.loads(line) for line in lines])
    alone, together = epochs
    for name in ("training_loss", "validation_loss"):
        assert together[0][name] == pytest.approx(alone[0][name], rel=1e-5)
    for name in ("validation_f1-measure-overall", "validation_accuracy"):
        assert together[-1][name] == pytest.approx(alone[-1][name], abs=0.02)


def test_the_same_command_leaves_the_same_bytes(undisturbed: Undisturbed) -> None:
    check_same(undisturbed, undisturbed.again)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_rank_that_is_killed_is_started_anew(
    rank: int, whole: bool, launcher: Launcher, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    kills = 0
    for turn in itertools.count():
        directory = tmp_path / str(turn)
        process, found = launcher.start(arguments(directory, SETTINGS), 2, 1, {})
        time.sleep(random.uniform(0, undisturbed.seconds))
        wait_for(found / str(rank), found / f"{rank}.ended")
        with suppress(FileNotFoundError):  # it was faster this time
            killed = (found / str(rank)).rename(found / f"{rank}.killed")
            os.kill(int(killed.read_text(encoding="utf-8")), signal.SIGKILL)
            kills += 1
        code, errors = launcher.finish(process, found)
        assert code == 0, errors
        check_same(undisturbed, directory)
        if kills == (10 if whole else 1):
            break


def test_a_rank_that_hangs_is_not_waited_for(
    whole: bool, launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not whole:
        pytest.skip("torchrun takes half a minute to end what hangs: tried with --whole")
    monkeypatch.setattr(launcher, "timeout", 5)
    directory = tmp_path / "run"
    process, found = launcher.start([*arguments(directory, SETTINGS), "--quiet"], 2, 0, {})
    wait_for(directory / "metrics_epoch_0.json")
    os.kill(int((found / "1").read_text(encoding="utf-8")), signal.SIGSTOP)
    code, (line,) = launcher.finish(process, found)
    assert code == 1
    assert line.startswith("a rank has ended, or not answered for 5 s: torchrun tells which; ")


def wait_for(*paths: Path) -> None:
    """Until one of the files is there and has text."""
    began = time.monotonic()
    while not any(path.exists() and path.stat().st_size for path in paths):
        assert time.monotonic() - began < LIMIT
        time.sleep(0.01)


def test_a_signal_has_all_ranks_save(
    launcher: Launcher, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    directory = tmp_path / "run"
    process, found = launcher.start(arguments(directory, SETTINGS), 2, 3, {})
    wait_for(directory / "metrics_epoch_0.json")
    os.kill(process, signal.SIGTERM)
    code, errors = launcher.finish(process, found)
    assert code == 128 + signal.SIGTERM
    told = [line for line in errors if "interrupted" in line or "terminated" in line]
    assert len(told) == 2
    assert re.search(r"the last checkpoint is \S+/epoch_[012]\S*; --recover goes on", told[0])
    assert told[1] == "ner-run: terminated"
    code, errors = launcher.run([*arguments(directory, SETTINGS), "--recover"], 2)
    assert code == 0, errors
    check_same(undisturbed, directory)


def test_a_full_directory_is_not_gone_on_with(launcher: Launcher, tmp_path: Path) -> None:
    """Though a run that torchrun has started anew goes on with its own."""
    settings = SETTINGS | {"trainer.num_epochs": 1}
    command = [*arguments(tmp_path / "run", settings), "--quiet"]
    assert launcher.run(command, 1) == (0, [])
    code, errors = launcher.run(command, 2, restarts=1)
    assert code == 2
    expected = "expected an empty directory, got a full one: --recover goes on, --force replaces it"
    assert errors == [f"{tmp_path / 'run'}: {expected}"] * 2  # of either start


def test_a_fault_of_the_config_is_one_line(launcher: Launcher, tmp_path: Path) -> None:
    settings = SETTINGS | {"model.encoder.hiden_size": 3}
    code, errors = launcher.run(arguments(tmp_path / "run", settings), 2)
    assert code == 2
    (line,) = errors
    assert "did you mean 'hidden_size'?" in line
    assert not (tmp_path / "run").exists()


def test_a_fault_of_one_rank_is_one_line(launcher: Launcher, tmp_path: Path) -> None:
    sample = launcher.root / "ner_registry" / "sample"
    for folder, name in ((tmp_path / "0", "dev.conll"), (tmp_path / "1", "test.conll")):
        folder.mkdir()
        (folder / "experiments").symlink_to(launcher.root / "experiments")
        (folder / "mine.conll").write_bytes((sample / name).read_bytes())
    settings = SETTINGS | {"train_data_path": "mine.conll"}
    command = [*arguments(tmp_path / "run", settings), "--quiet"]
    folders = {str(rank): str(tmp_path / str(rank)) for rank in range(2)}
    code, errors = launcher.run(command, 2, folders=folders)
    assert code == 1
    (line,) = errors
    assert line.startswith("rank 1: expected the train data of rank 0, got others")

    (tmp_path / "1" / "mine.conll").unlink()
    code, errors = launcher.run(command, 2, folders=folders)
    assert code == 2
    (line,) = errors
    assert "train_data_path: mine.conll: " in line
    assert not (tmp_path / "run").exists()


FAILING = """
import os

from ner_registry import Seq2SeqEncoder


@Seq2SeqEncoder.register("failing")
class Failing(Seq2SeqEncoder):
    def __init__(self, input_dim: int) -> None:
        super().__init__()
        self.output_dim = input_dim
        self.calls = 0

    def forward(self, inputs, mask):
        self.calls += 1
        if os.environ["RANK"] == "1" and self.calls == 7:
            raise MemoryError
        return inputs
"""


def test_too_little_memory_for_one_rank_is_told_by_the_first(
    launcher: Launcher, tmp_path: Path
) -> None:
    (tmp_path / "experiments").symlink_to(launcher.root / "experiments")
    (tmp_path / "failing_part.py").write_text(FAILING, encoding="utf-8")
    # it fails at a forward pass, of which there is one a step so
    settings = SETTINGS | {
        "model.encoder": {"type": "failing"},
        "trainer.adversarial_perturbation": 0,
    }
    command = [*arguments(tmp_path / "run", settings), "--include-package", "failing_part"]
    folders = {str(rank): str(tmp_path) for rank in range(2)}
    code, errors = launcher.run([*command, "--quiet"], 2, folders=folders)
    assert code == 1
    (line,) = errors
    assert line.startswith("rank 1: out of memory in epoch 0, step 6, on a batch of 8 sentences x ")
    assert line.endswith(
        "; the last checkpoint is " + str(tmp_path / "run/checkpoints/epoch_0_step_4")
    )


def test_what_several_processes_are_not_for(launcher: Launcher, tmp_path: Path) -> None:
    for command in (["check", "experiments/quickstart.jsonnet"], ["--version"]):
        code, errors = launcher.run(command, 2)
        assert code == 2
        assert "torchrun starts several processes, which `train` alone is for" in errors[-1]
    code, errors = launcher.run([*arguments(tmp_path / "run", SETTINGS), "--seeds", "2"], 2)
    assert code == 2
    assert "--seeds trains several models, the processes of torchrun one" in errors[-1]
