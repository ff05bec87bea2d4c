"""The conditional random field over a chain of tags."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ner_registry.nn.linear_chain import LinearChain


class LinearChainCrf(nn.Module):
    """Learned scores of first, last and neighbouring tags (Lafferty, McCallum, Pereira 2001).

    Args:
        num_tags: K, how many tags there are.

    Attributes:
        transitions: (K, K), ``[i, j]`` scores tag j after tag i.
        start: (K,), the score of each tag as the first.
        end: (K,), the score of each tag as the last.
    """

    def __init__(self, num_tags: int) -> None:
        super().__init__()
        if num_tags < 1:
            raise ValueError(f"a CRF needs at least one tag, got {num_tags}")
        # small and random, as in pytorch-crf: no tag pair is preferred before training
        self.transitions = nn.Parameter(torch.empty(num_tags, num_tags).uniform_(-0.1, 0.1))
        self.start = nn.Parameter(torch.empty(num_tags).uniform_(-0.1, 0.1))
        self.end = nn.Parameter(torch.empty(num_tags).uniform_(-0.1, 0.1))

    def forward(self, emissions: Tensor, mask: Tensor) -> LinearChain:
        """The chain over ``emissions`` (batch, length, tags) and bool ``mask`` (batch, length).

        Its methods give likelihoods, marginals, best paths and span probabilities.
        """
        return LinearChain(emissions, self.transitions, self.start, self.end, mask)
