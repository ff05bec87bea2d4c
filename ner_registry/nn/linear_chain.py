"""Inference in a linear chain of tags: partition, marginals, best paths, spans.

Exact for scores of any size and for hard constraints, which are a score of minus infinity.

Shapes: B sentences, T tokens, K tags. Masks are bool, true on real tokens, which come first
in their row; a row may be all padding, whose one path is the empty one with score 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ner_registry.nn import chain_operators as operators


class Constraints(NamedTuple):
    """What the tag scheme allows, as bool tensors that are true where it does.

    Attributes:
        start: (K,), tags that may come first.
        transitions: (K, K), ``[i, j]``: tag j may follow tag i.
        end: (K,), tags that may come last.
    """

    start: Tensor
    transitions: Tensor
    end: Tensor


@dataclass(frozen=True)
class LinearChain:
    """A batch of chains: every path through K tags has a score.

    Attributes:
        emissions: (B, T, K), the score of each tag at each token.
        transitions: (K, K), ``[i, j]`` scores tag j after tag i.
        start: (K,), the score of each tag as the first.
        end: (K,), the score of each tag as the last.
        mask: (B, T).
    """

    emissions: Tensor
    transitions: Tensor
    start: Tensor
    end: Tensor
    mask: Tensor

    def constrained(self, constraints: Constraints) -> LinearChain:
        """The same chain over the allowed paths alone."""
        forbidden = float("-inf")
        return LinearChain(
            self.emissions,
            self.transitions.masked_fill(~constraints.transitions, forbidden),
            self.start.masked_fill(~constraints.start, forbidden),
            self.end.masked_fill(~constraints.end, forbidden),
            self.mask,
        )

    def log_partition(self) -> Tensor:
        """Log of the summed exponentiated scores of all paths, (B,); differentiable once."""
        return -self._likelihood(torch.full_like(self.mask, -1, dtype=torch.long))[0]

    def log_likelihood(self, tags: Tensor) -> Tensor:
        """Log-probability of one path per sentence, differentiable once; tags (B, T) -> (B,)."""
        return self._likelihood(tags)[0]

    def tag_marginals(self) -> Tensor:
        """Probability of each tag at each token, (B, T, K); zero on padding."""
        # what a log-partition grows by with a tag's score is that tag's probability
        return -self._likelihood(torch.full_like(self.mask, -1, dtype=torch.long))[1]

    def viterbi(self) -> Tensor:
        """The best path of each sentence, (B, T), long; 0 on padding (Viterbi 1967)."""
        path: Tensor = operators.viterbi(*self._scores, self.mask)
        return path

    def k_best(self, k: int) -> tuple[Tensor, Tensor]:
        """The k best paths of each sentence, best first.

        Returns:
            Paths (B, k, T), long, 0 on padding; and their log-probabilities (B, k), which are
            minus infinity where a sentence has fewer than k paths.
        """
        length, tags = self.emissions.shape[1:]
        there_are = min(k, tags**length)
        paths, scores = operators.k_best(*self._scores, self.mask, there_are)
        log_probabilities = scores - self.log_partition().unsqueeze(1)
        missing = k - there_are
        return (
            functional.pad(paths, (0, 0, 0, missing)),
            functional.pad(log_probabilities, (0, missing), value=float("-inf")),
        )

    def span_probabilities(self, spans: Tensor, labels: Tensor, continues: Tensor) -> Tensor:
        """Exact probability of each span: the share of all paths that hold that very span.

        A span is entered by a tag that doesn't continue what came before, goes on through
        tags that continue, and isn't continued by what comes after. That covers every tag
        scheme, and tags that conlleval's rule repairs.

        Args:
            spans: (S, 4), long: row in the batch, first token, one after the last, label.
            labels: (K,), long: the label of each tag, negative for none.
            continues: (K, K), bool: ``[i, j]``: tag j after tag i goes on with i's entity.

        Returns:
            (S,), between 0 and 1.
        """
        result: Tensor = operators.span_probabilities(
            *self._scores, self.mask, spans, labels, continues
        )
        return result

    @property
    def _scores(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.emissions, self.transitions, self.start, self.end

    def _likelihood(self, tags: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        result: tuple[Tensor, Tensor, Tensor] = operators.log_likelihood(
            *self._scores, self.mask, tags
        )
        return result
