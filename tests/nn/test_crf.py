"""The CRF against pytorch-crf."""

from __future__ import annotations

import pytest
import torch
from torchcrf import CRF

from ner_registry.nn.crf import LinearChainCrf


@pytest.mark.parametrize(("size", "length", "tags"), [(1, 2, 2), (8, 12, 9), (32, 50, 17)])
def test_it_agrees_with_pytorch_crf(size: int, length: int, tags: int) -> None:
    torch.manual_seed(0)
    ours, theirs = LinearChainCrf(tags), CRF(tags, batch_first=True)
    with torch.no_grad():
        theirs.transitions.copy_(ours.transitions)
        theirs.start_transitions.copy_(ours.start)
        theirs.end_transitions.copy_(ours.end)
    emissions = torch.randn(size, length, tags, requires_grad=True)
    lengths = torch.randint(1, length + 1, (size,))
    lengths[0] = length
    mask = torch.arange(length) < lengths.unsqueeze(1)
    gold = torch.randint(0, tags, (size, length))

    likelihood = ours(emissions, mask).log_likelihood(gold)
    expected = theirs(emissions, gold, mask, reduction="none")
    torch.testing.assert_close(likelihood, expected, atol=1e-4, rtol=1e-4)

    weights = torch.rand(size)
    found = torch.autograd.grad(
        (likelihood * weights).sum(), [emissions, ours.transitions, ours.start, ours.end]
    )
    wanted = torch.autograd.grad(
        (expected * weights).sum(),
        [emissions, theirs.transitions, theirs.start_transitions, theirs.end_transitions],
    )
    for gradient, reference in zip(found, wanted, strict=True):
        torch.testing.assert_close(gradient, reference, atol=1e-4, rtol=1e-4)

    paths = ours(emissions, mask).viterbi()
    assert [p[:n].tolist() for p, n in zip(paths, lengths, strict=True)] == theirs.decode(
        emissions, mask
    )


def test_it_needs_a_tag() -> None:
    with pytest.raises(ValueError, match="at least one tag, got 0"):
        LinearChainCrf(0)
