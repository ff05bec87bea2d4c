"""Several taggers as one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ner_registry.data.indexed import Batch
from ner_registry.nn.linear_chain import Constraints, LinearChain
from ner_registry.tagger import ScoredSpan, Tagger, Tagging, find, read_taggings, scored_spans


class Ensemble(nn.Module):
    """Taggers of one config that differ in their seeds; each has an equal say.

    A tag's probability is the mean of the members', whatever their heads, and the tags are those
    allowed by the scheme whose probabilities' product is the greatest. A span's score is the mean
    of the members' exact probabilities of it.

    Args:
        members: taggers with the same embedders' vocabularies and the same tags.

    Attributes:
        threshold: as of a :class:`Tagger`.
    """

    threshold: float | None = None

    def __init__(self, members: Sequence[Tagger]) -> None:
        super().__init__()
        self.taggers = list(members)
        self.members = nn.ModuleList(members)
        self.tags = members[0].tags
        self.reads_documents = members[0].reads_documents

    @property
    def embedders(self) -> nn.ModuleDict:
        """Those of the first member: all index alike."""
        return self.taggers[0].embedders

    @property
    def device(self) -> torch.device:
        """Where the models are."""
        return self.taggers[0].device

    def tag_with_scores(self, batch: Batch) -> list[list[ScoredSpan]]:
        """The entities of each sentence with their probabilities."""
        members = self._encoded(batch)
        return self._scored(members, self._chain(members, batch.mask))

    def tag_k_best(self, batch: Batch, k: int) -> list[tuple[list[ScoredSpan], list[Tagging]]]:
        """What :meth:`tag_with_scores` gives, and each sentence's k most probable taggings.

        The probability of a tagging is that of its tags' product among all that the scheme
        allows.
        """
        members = self._encoded(batch)
        chain = self._chain(members, batch.mask)
        taggings = read_taggings(*chain.k_best(k), self.tags)
        return list(zip(self._scored(members, chain), taggings, strict=True))

    def _encoded(self, batch: Batch) -> list[tuple[Tagger, Tensor]]:
        """Each member, and what its head reads."""
        return [(tagger, tagger.encode(batch)) for tagger in self.taggers]

    def _scored(
        self, members: Sequence[tuple[Tagger, Tensor]], chain: LinearChain
    ) -> list[list[ScoredSpan]]:
        mask = chain.mask

        def probabilities(spans: Any) -> Tensor:
            return _mean([tagger.span_probabilities(e, mask, spans) for tagger, e in members])

        best = self.tags.find_spans(chain.viterbi().cpu().numpy())
        tag_probabilities = partial(_tag_probabilities, members, mask)
        found = find(best, self.tags, self.threshold, tag_probabilities, probabilities)
        return scored_spans(*found, self.tags, len(mask))

    def _chain(self, members: Sequence[tuple[Tagger, Tensor]], mask: Tensor) -> LinearChain:
        """Independent tags of the members' mean probabilities, but for what the scheme forbids."""
        tag_probabilities = _tag_probabilities(members, mask)
        scores = tag_probabilities.clamp(min=torch.finfo(tag_probabilities.dtype).tiny).log()
        count = len(self.tags)
        free = scores.new_zeros(count, count)
        constraints = Constraints(*(part.to(scores.device) for part in self.tags.constraints))
        chain = LinearChain(scores, free, free[0], free[0], mask)
        return chain.constrained(constraints)


AnyTagger = Tagger | Ensemble


def _tag_probabilities(members: Sequence[tuple[Tagger, Tensor]], mask: Tensor) -> Tensor:
    return _mean([tagger.tag_probabilities(encoded, mask) for tagger, encoded in members])


def _mean(of_members: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(of_members)).mean(0)
