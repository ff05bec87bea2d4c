"""The norm of all gradients together."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ner_registry.training.gradient import clip_gradient


@pytest.mark.parametrize("limit", [None, 0.5, 1e6])
def test_the_norm_is_that_before_clipping(limit: float | None) -> None:
    torch.manual_seed(0)
    parameters = [nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.randn(5))]
    for parameter in parameters:
        parameter.square().sum().backward()
    unused = nn.Parameter(torch.zeros(2))
    before = torch.cat([2 * parameter.detach().flatten() for parameter in parameters])
    norm = clip_gradient([*parameters, unused], limit)
    torch.testing.assert_close(norm, before.norm())
    after = torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])
    scale = 1.0 if limit is None else min(1.0, limit / before.norm().item())
    torch.testing.assert_close(after, scale * before)


def test_it_may_not_be_finite() -> None:
    parameter = nn.Parameter(torch.ones(2))
    parameter.grad = torch.tensor([1.0, torch.inf])
    assert clip_gradient([parameter], None).isinf()
