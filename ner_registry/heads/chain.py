"""Heads that score tags token by token, alone or with their neighbours."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ner_registry.config.types import DropoutRate
from ner_registry.data.tags import TagSet
from ner_registry.heads.base import TaggerHead
from ner_registry.nn.crf import LinearChainCrf
from ner_registry.nn.linear_chain import Constraints, LinearChain


class _ChainHead(TaggerHead):
    """What is asked of a chain of tags is the same however the chain is scored."""

    labels: Tensor
    continues: Tensor
    may_start: Tensor
    may_follow: Tensor
    may_end: Tensor

    def __init__(self, input_dim: int, tags: TagSet, *, constrained: bool) -> None:
        super().__init__()
        self.projection = nn.Linear(input_dim, len(tags))
        self.constrained = constrained
        # buffers, so that they move with the model; the tag set makes them anew in an archive
        for name, tensor in (
            ("labels", tags.label_of),
            ("continues", tags.continues),
            ("may_start", tags.constraints.start),
            ("may_follow", tags.constraints.transitions),
            ("may_end", tags.constraints.end),
        ):
            self.register_buffer(name, tensor, persistent=False)

    @property
    def constraints(self) -> Constraints:
        return Constraints(self.may_start, self.may_follow, self.may_end)

    @abstractmethod
    def _chain(self, emissions: Tensor, mask: Tensor) -> LinearChain:
        """The chain, its constraints aside."""

    def _inferred(self, encoded: Tensor, mask: Tensor) -> LinearChain:
        """The chain that decoding and probabilities are about."""
        chain = self._chain(self.projection(encoded), mask)
        return chain.constrained(self.constraints) if self.constrained else chain

    def decode(self, encoded: Tensor, mask: Tensor) -> Tensor:
        return self._inferred(encoded, mask).viterbi()

    def tag_probabilities(self, encoded: Tensor, mask: Tensor) -> Tensor:
        return self._inferred(encoded, mask).tag_marginals()

    def span_probabilities(self, encoded: Tensor, mask: Tensor, spans: Tensor) -> Tensor:
        chain = self._inferred(encoded, mask)
        return chain.span_probabilities(spans, self.labels, self.continues)

    def k_best(self, encoded: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
        return self._inferred(encoded, mask).k_best(k)


@TaggerHead.register("softmax")
class SoftmaxHead(_ChainHead):
    """Each token's tag on its own: a linear layer and a softmax.

    Args:
        constraints: ``decoding``: only tag sequences that the scheme allows are considered
            when tagging; ``off``: any.
        label_smoothing: share of a tag's probability that the loss, in training, wants to see
            spread over all tags alike (Szegedy et al. 2016).
    """

    def __init__(
        self,
        input_dim: int,
        tags: TagSet,
        *,
        constraints: Literal["off", "decoding"] = "decoding",
        label_smoothing: DropoutRate = 0.0,
    ) -> None:
        super().__init__(input_dim, tags, constrained=constraints != "off")
        self.label_smoothing = label_smoothing

    def loss(self, encoded: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        emissions = self.projection(encoded)
        losses = functional.cross_entropy(
            emissions.flatten(0, 1),
            tags.flatten(),
            reduction="none",
            label_smoothing=self.label_smoothing if self.training else 0.0,
        )
        return (losses.view_as(tags) * mask).sum(1)

    def decode(self, encoded: Tensor, mask: Tensor) -> Tensor:
        if self.constrained:
            return super().decode(encoded, mask)
        return torch.where(mask, self.projection(encoded).argmax(2), 0)

    def _chain(self, emissions: Tensor, mask: Tensor) -> LinearChain:
        """Independent tags are a chain whose transitions don't count."""
        tags = emissions.shape[2]
        free = emissions.new_zeros(tags, tags)
        return LinearChain(emissions, free, free[0], free[0], mask)


@TaggerHead.register("crf")
class CrfHead(_ChainHead):
    """A linear layer and a conditional random field (Huang et al. 2015; Lample et al. 2016).

    Args:
        constraints: ``decoding``: only tag sequences that the scheme allows are considered
            when tagging; ``training``: then and in the likelihood too; ``off``: any.
    """

    def __init__(
        self,
        input_dim: int,
        tags: TagSet,
        *,
        constraints: Literal["off", "decoding", "training"] = "decoding",
    ) -> None:
        super().__init__(input_dim, tags, constrained=constraints != "off")
        self.crf = LinearChainCrf(len(tags))
        self.trains_constrained = constraints == "training"

    def loss(self, encoded: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        chain = self._chain(self.projection(encoded), mask)
        if self.trains_constrained:
            chain = chain.constrained(self.constraints)
        return -chain.log_likelihood(tags)

    def _chain(self, emissions: Tensor, mask: Tensor) -> LinearChain:
        chain: LinearChain = self.crf(emissions, mask)
        return chain
