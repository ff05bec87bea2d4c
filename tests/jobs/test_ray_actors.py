"""On a cluster of its own on this machine, without network, in a temporary home."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
    pytest.mark.skipif(find_spec("ray") is None, reason="pip install 'ner_registry[ray]' to try"),
]

LIMIT = 600  # seconds, after which a test fails rather than hang


@contextmanager
def started(root: Path, home: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command, which is ended in any case, and its cluster with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ner_registry", "predict", *arguments, "--quiet"],
        cwd=root,
        env=os.environ | {"OMP_NUM_THREADS": "1", "RAY_TMPDIR": str(home)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=60)


def actors() -> list[int]:
    """Processes of ours that tag."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"ray::MapWorker" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_actors_write_what_a_process_does(
    whole: bool, root: Path, run_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One is killed on the way, and one part is malformed."""
    if not whole:
        pytest.skip("starting a cluster takes a while: tried with --whole")
    # sockets' names, in the home, may have a hundred characters
    home, folder = tmp_path_factory.mktemp("ray"), tmp_path_factory.mktemp("parts")
    parts = folder / "in"
    parts.mkdir()
    text = '{"text": "Ann left Hartlow. They met Ann in Kelfield."}\n'
    for number in range(12):
        content = "{\n" if number == 5 else text * 3000
        (parts / f"part_{number:02}.jsonl").write_text(content, encoding="utf-8")
    ray, alone = folder / "ray", folder / "alone"
    command = (str(run_directory), str(parts / "*"), "--workers", "2", "--output-dir")
    with started(root, home, *command, str(ray), "--engine", "ray") as process:
        limit = time.monotonic() + LIMIT
        while len(list(ray.glob("*.jsonl"))) < 3:
            assert process.poll() is None
            assert time.monotonic() < limit, "the parts don't get done"
            time.sleep(0.05)
        os.kill(actors()[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 2
    assert f"{parts / 'part_05.jsonl'}:1: " in errors.splitlines()[-1]
    with started(root, home, *command, str(alone)) as process:
        process.communicate(timeout=LIMIT)
    contents = [
        {path.name: path.read_bytes() for path in out.glob("part_*")} for out in (ray, alone)
    ]
    assert len(contents[0]) == 11
    assert contents[0] == contents[1]
