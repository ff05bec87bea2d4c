"""Machine code is kept where it can be, and for as long as it is right."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ner_registry.nn.kernels import HAS_NUMBA

DRAW = """
import numpy as np
from ner_registry.nn.kernels import dropout
words = np.zeros(2, np.uint64)
dropout.draw(3, words)
print(*words)
"""

PROJECT = """
import numpy as np
from ner_registry.nn.kernels import lstm
one = np.ones((4, 1, 1), np.float32)
firsts, projected = np.arange(4, dtype=np.int32), np.zeros((4, 16), np.float32)
lstm.project(one, firsts, np.ones((16, 1), np.float32), *np.zeros((2, 16), np.float32), projected)
print(projected[0, 0])
"""


@pytest.mark.skipif(not HAS_NUMBA, reason="numba isn't installed: nothing is compiled")
def test_no_folder_to_keep_it_in_is_no_fault() -> None:
    found = []
    for changes in ({}, {"NUMBA_CACHE_DIR": os.path.join(os.devnull, "no")}):
        done = subprocess.run(
            [sys.executable, "-c", DRAW],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | changes,
        )
        found.append(done.stdout)
    assert found[0] == found[1]


@pytest.mark.skipif(not HAS_NUMBA, reason="numba isn't installed: nothing is compiled")
def test_a_change_in_what_a_kernel_calls_in_another_file_is_noticed(
    root: Path, tmp_path: Path
) -> None:
    shutil.copytree(
        root / "ner_registry", tmp_path / "ner_registry", ignore=shutil.ignore_patterns("*.nb?")
    )
    tiles = tmp_path / "ner_registry" / "nn" / "kernels" / "tiles.py"
    found = []
    for operator in ("fadd", "fsub"):
        source = tiles.read_text(encoding="utf-8")
        tiles.write_text(source.replace("fadd(total, product", f"{operator}(total, product"))
        done = subprocess.run(
            [sys.executable, "-c", PROJECT],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        )
        found.append(float(done.stdout))
    assert found == [1, -1]
