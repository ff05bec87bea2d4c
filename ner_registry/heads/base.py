"""What every TaggerHead is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from ner_registry.config.registry import Registrable


class TaggerHead(nn.Module, ABC, Registrable):
    """Turns encoded tokens into tags, and learns to.

    It is given ``input_dim``, the width of what it reads, and ``tags``, a
    :class:`ner_registry.data.tags.TagSet`: the model's tags by index. ``encoded`` is always
    (batch, length, input_dim) and ``mask`` (batch, length), bool, true on real tokens.
    """

    supplied = ("input_dim", "tags")

    @abstractmethod
    def loss(self, encoded: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
        """Negative log-likelihood of each sentence's tags (batch, length): (batch,)."""

    @abstractmethod
    def decode(self, encoded: Tensor, mask: Tensor) -> Tensor:
        """The best tags, (batch, length), long; 0 on padding."""

    @abstractmethod
    def tag_probabilities(self, encoded: Tensor, mask: Tensor) -> Tensor:
        """Probability of each tag at each token, (batch, length, tags); 0 on padding."""

    @abstractmethod
    def span_probabilities(self, encoded: Tensor, mask: Tensor, spans: Tensor) -> Tensor:
        """Probability that each span is an entity, exactly so.

        Args:
            spans: (spans, 4), long: row in the batch, first token, one after the last, and
                the number of the label in ``tags.labels``.

        Returns:
            (spans,), between 0 and 1.
        """

    @abstractmethod
    def k_best(self, encoded: Tensor, mask: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """The k most probable tag sequences, best first.

        Returns:
            Tags (batch, k, length), long, 0 on padding; and their log-probabilities
            (batch, k), minus infinity where a sentence has fewer than k sequences.
        """
