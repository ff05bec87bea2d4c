"""A disk that is full, then read-only, then has room again: a real one of a few megabytes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
mount -t tmpfs -o size=5m none "$DISK" || exit 99
train() { "$PYTHON" -m ner_registry train experiments/quickstart.jsonnet -s "$DISK/run" --quiet \
    --set trainer.num_epochs=4 --set trainer.patience=null "$@"; echo "exit $?" >&2; }
train
ls "$DISK/run/checkpoints"
mount -o remount,ro none "$DISK"
train --recover
mount -o remount,rw,size=50m none "$DISK"
train --recover
cp -r "$DISK/run" "$OUT"
"""


def without_times(metrics: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in metrics.items() if not re.search("duration|second|memory", k)}


def test_a_full_disk(whole: bool, root: Path, tmp_path: Path) -> None:
    if not whole:
        pytest.skip("four processes: tried with --whole")
    disk = tmp_path / "disk"
    disk.mkdir()
    variables = {"DISK": disk, "OUT": tmp_path / "out", "PYTHON": sys.executable}
    done = subprocess.run(
        # a mount that goes with the process, and needs no rights
        ["unshare", "--map-root-user", "--mount", "bash", "-c", SCRIPT],
        cwd=root,
        env=os.environ | {name: str(value) for name, value in variables.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    run = disk / "run"
    full, _, read_only, *others = done.stderr.splitlines()
    assert re.fullmatch(rf"ner-run: {run}/\S+: No space left on device", full)
    assert read_only == f"ner-run: {run}/.ner-run.lock: Read-only file system"
    assert others == ["exit 1", "exit 0"]
    assert "epoch_0" in done.stdout.split()

    undisturbed = tmp_path / "undisturbed"
    command = [sys.executable, "-m", "ner_registry", "train", "experiments/quickstart.jsonnet"]
    settings = ["--set", "trainer.num_epochs=4", "--set", "trainer.patience=null", "--quiet"]
    subprocess.run([*command, "-s", str(undisturbed), *settings], cwd=root, check=True)
    for name in ("best.safetensors", "checkpoints/epoch_3/optimizer.safetensors"):
        assert (tmp_path / "out" / name).read_bytes() == (undisturbed / name).read_bytes()
    ends = [tmp_path / "out" / "metrics.json", undisturbed / "metrics.json"]
    found, expected = (without_times(json.loads(path.read_bytes())) for path in ends)
    assert found == expected
