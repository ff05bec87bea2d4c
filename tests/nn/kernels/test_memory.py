"""Kernels read no memory that they haven't filled."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ner_registry.nn.kernels import HAS_NUMBA

# rows of many lengths, and fewer of them than a kernel takes at a time
COMPUTE = """
import torch
from torch import nn
from ner_registry.nn import chain_operators as chain
from ner_registry.nn.lstm import bidirectional_lstm

torch.manual_seed(0)
mask = torch.arange(7) < torch.tensor([[7], [2], [0], [5], [1], [6]])
steps = [torch.randn(5, 5), torch.randn(5), torch.randn(5)]
scores = [torch.randn(6, 7, 5), *steps]
tags = torch.randint(5, mask.shape)
inputs = torch.randn(6, 7, 10, requires_grad=True)
sides = [nn.LSTM(10, 6, batch_first=True) for _ in range(2)]
outputs = bidirectional_lstm(inputs, mask, *sides)
outputs.sum().backward()
with torch.no_grad():
    unkept = bidirectional_lstm(inputs, mask, *sides)
spans = torch.tensor([[0, 1, 4, 0], [3, 4, 5, 1], [5, 0, 1, 0]])
found = [
    *chain.log_likelihood(*scores, mask, tags),
    chain.viterbi(*scores, mask),
    *chain.k_best(*scores, mask, 3),
    chain.span_probabilities(
        *scores, mask, spans, torch.tensor([-1, 0, 0, 1, 1]), torch.eye(5, dtype=torch.bool)
    ),
    outputs.detach(), unkept, inputs.grad, *(p.grad for side in sides for p in side.parameters()),
]
print([tensor.tolist() for tensor in found])
"""


@pytest.mark.skipif(not HAS_NUMBA, reason="numba isn't installed: there are no kernels")
def test_what_memory_holds_changes_nothing() -> None:
    found = set()
    # with which the C library, where it is GNU's, fills what it lends, but for none
    for filling in ("0", "1", "128"):
        done = subprocess.run(
            [sys.executable, "-c", COMPUTE],
            capture_output=True,
            text=True,
            env=os.environ | {"MALLOC_PERTURB_": filling},
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert "nan" not in found.pop()
