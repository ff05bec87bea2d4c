"""Tagging in bulk while workers are killed, and the command is stopped: nothing lost, nor twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ner_registry.jobs.bulk import predict_parts
from ner_registry.jobs.predict import PredictSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

LIMIT = 1200  # seconds, after which a test fails rather than hang
WORKERS = 2
OURS = {"manifest.json", ".ner-run.lock"}


@pytest.fixture(scope="module")
def parts(whole: bool, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files to tag, each taking a small part of a second."""
    folder = tmp_path_factory.mktemp("parts")
    sample = (root / "ner_registry" / "sample" / "train.conll").read_text(encoding="utf-8")
    sentences = [
        " ".join(row.split(" ")[0] for row in block.splitlines()) for block in sample.split("\n\n")
    ]
    for number in range(200 if whole else 8):
        chance = random.Random(number)
        rows = [
            {"text": " ".join(chance.sample(sentences, 3)), "id": n}
            for n in range(60 if whole else 250)
        ]
        content = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"part_{number:03}.jsonl").write_text(content, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def undisturbed(
    parts: Path, run_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What one worker makes of them."""
    out = tmp_path_factory.mktemp("undisturbed")
    predict_parts(str(run_directory), [str(parts / "*")], out, PredictSettings())
    found = outputs(out)
    assert found.keys() == {path.name for path in parts.iterdir()}
    return found


def outputs(directory: Path) -> dict[str, bytes]:
    paths = (path for path in directory.iterdir() if path.name not in OURS)
    return {path.name: path.read_bytes() for path in paths}


@contextmanager
def started(
    root: Path, archive: Path, parts: Path, out: Path, *flags: str
) -> Iterator[subprocess.Popen[str]]:
    """The command, which is ended in any case."""
    arguments = ["predict", str(archive), str(parts / "*"), "--output-dir", str(out), "--quiet"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ner_registry", *arguments, "--workers", str(WORKERS), *flags],
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Its children that were spawned for work."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/../").resolve().glob("*/children")
    numbers = {int(number) for file in children for number in file.read_text().split()}
    return sorted(n for n in numbers if b"spawn_main" in command_line(n))


def command_line(number: int) -> bytes:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def done(out: Path) -> int:
    return len(list(out.glob("*.jsonl")))


def wait_for(process: subprocess.Popen[str], out: Path, count: int) -> bool:
    """Until so many parts are done; false where the command has ended."""
    limit = time.monotonic() + LIMIT
    while process.poll() is None and done(out) < count:
        assert time.monotonic() < limit, "the parts don't get done"
        time.sleep(0.02)
    return process.poll() is None


def test_workers_are_killed(
    whole: bool,
    root: Path,
    run_directory: Path,
    parts: Path,
    undisturbed: dict[str, bytes],
    tmp_path: Path,
) -> None:
    chance = random.Random(5)
    out = tmp_path / "out"
    kills = 0
    with started(root, run_directory, parts, out) as process:
        if whole:
            # a busy machine loads the model more slowly than that: it is to get on all the same
            while wait_for(process, out, done(out) + 1):
                time.sleep(chance.uniform(1, 4))
                if workers := workers_of(process):  # none are left when the last part is done
                    os.kill(chance.choice(workers), signal.SIGKILL)
                    kills += 1
        else:
            for count in (2, 6):
                assert wait_for(process, out, count)
                time.sleep(chance.uniform(0, 0.2))
                os.kill(chance.choice(workers_of(process)), signal.SIGKILL)
                kills += 1
        _, errors = process.communicate(timeout=LIMIT)
    assert (process.returncode, errors) == (0, "")
    assert kills >= 2
    print(f"{len(undisturbed)} parts, {kills} workers killed")
    assert outputs(out) == undisturbed


@pytest.mark.parametrize(
    ("number", "to_group", "expected"),
    [
        (signal.SIGTERM, False, 143),
        (signal.SIGTERM, True, 143),
        (signal.SIGINT, True, 130),
        (signal.SIGKILL, False, -9),
    ],
)
def test_the_command_is_stopped(
    number: signal.Signals,
    to_group: bool,
    expected: int,
    whole: bool,
    root: Path,
    run_directory: Path,
    parts: Path,
    undisturbed: dict[str, bytes],
    tmp_path: Path,
) -> None:
    if not whole:
        pytest.skip("tried with --whole")
    out = tmp_path / "out"
    with started(root, run_directory, parts, out) as process:
        assert wait_for(process, out, 3)
        if to_group:  # as a terminal or a cluster does
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        _, errors = process.communicate(timeout=LIMIT)  # until the last of the processes has ended
    assert process.returncode == expected
    if number != signal.SIGKILL:
        what = {143: "terminated", 130: "interrupted"}[expected]
        assert errors.splitlines() == [
            f"warning: {done(out)} of {len(undisturbed)} parts are done: the same command goes on",
            f"ner-run: {what}",
        ]
        assert outputs(out).keys() <= undisturbed.keys()
    with started(root, run_directory, parts, out) as process:
        _, errors = process.communicate(timeout=LIMIT)
    assert (process.returncode, errors) == (0, "")
    assert outputs(out) == undisturbed


def test_a_part_of_which_workers_die(
    whole: bool, root: Path, run_directory: Path, parts: Path, undisturbed: dict[str, bytes],
    tmp_path: Path,
) -> None:  # fmt: skip
    if not whole:
        pytest.skip("tried with --whole")
    out = tmp_path / "out"
    tries = out / ".part_004.jsonl.tries"
    with started(root, run_directory, parts, out, "--workers", "1") as process:
        killed = 0
        while killed < 3:
            assert process.poll() is None
            if tries.exists() and tries.stat().st_size == killed + 1:
                (worker,) = workers_of(process)
                os.kill(worker, signal.SIGKILL)
                killed += 1
            time.sleep(0.002)
        _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 1
    assert errors == (
        f"{parts / 'part_004.jsonl'}: its worker was killed 3 times, perhaps for want of memory: "
        "fewer --workers or a smaller --batch-size need less\n"
    )
    del undisturbed["part_004.jsonl"]
    assert outputs(out) == undisturbed
