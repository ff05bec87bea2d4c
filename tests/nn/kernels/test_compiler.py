"""Where machine code can't be kept, it is compiled anew."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ner_registry.nn.kernels import HAS_NUMBA

DRAW = """
import numpy as np
from ner_registry.nn.kernels import dropout
words = np.zeros(2, np.uint64)
dropout.draw(3, words)
print(*words)
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
