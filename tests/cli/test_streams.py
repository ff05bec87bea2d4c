"""What a command reads from and writes to is closed, or can't hold a character."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUN = [sys.executable, "-m", "ner_registry"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_descriptor_costs_nothing(
    closed: str, run_directory: Path, tmp_path: Path
) -> None:
    given, out = tmp_path / "in.txt", tmp_path / "out.jsonl"
    given.write_text("Jim works in Paris.\n", encoding="utf-8")
    command = ["predict", str(run_directory), str(given), "--output-file", str(out)]
    shell = f'exec "$@" {closed}'
    done = subprocess.run(["sh", "-c", shell, "sh", *RUN, *command], check=False)
    assert done.returncode == 0
    assert out.read_text(encoding="utf-8").startswith('{"words": ["Jim"')


def test_characters_that_stdout_lacks_are_escaped(root: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [*RUN, "show", "TokenEmbedder", "embedding"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=root,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()


def test_a_path_that_is_no_utf8_is_told(tmp_path: Path) -> None:
    config = os.fsencode(tmp_path) + b"/caf\xe9.jsonnet"
    with open(config, "w", encoding="utf-8") as file:
        file.write("{}")
    done = subprocess.run([*RUN, "check", config], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("expected a path and text in UTF-8, got other bytes\n")
