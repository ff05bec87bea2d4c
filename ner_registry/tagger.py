"""The model: embedders, an encoder and a head, one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ner_registry.data.indexed import Batch
from ner_registry.data.schemes import Span
from ner_registry.data.tags import TagSet
from ner_registry.embedders import TokenEmbedder
from ner_registry.encoders import Seq2SeqEncoder
from ner_registry.heads import TaggerHead
from ner_registry.nn.dropout import Dropout


class ScoredSpan(NamedTuple):
    """An entity, and the probability of that very span under the model."""

    span: Span
    score: float


class Tagger(nn.Module):
    """Tags sentences: the vectors of all embedders side by side, encoded, then tagged.

    Args:
        embedders: by name.
        encoder: reads as many dimensions as the embedders give together.
        head: reads what the encoder gives.
        tags: the tags that the head's indices stand for.
        dropout: probability of dropping a number of the embeddings, and of the encoder's
            output, in training.
    """

    def __init__(
        self,
        embedders: Mapping[str, TokenEmbedder],
        encoder: Seq2SeqEncoder,
        head: TaggerHead,
        tags: TagSet,
        *,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embedders = nn.ModuleDict(embedders)
        self.encoder = encoder
        self.head = head
        self.tags = tags
        self.dropout = Dropout(dropout)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.parameters(), torch.empty(0)).device

    def encode(self, views: Mapping[str, Tensor], mask: Tensor) -> Tensor:
        """Views (batch, length, …) by embedder -> (batch, length, width)."""
        vectors = [embed(views[name], mask) for name, embed in self.embedders.items()]
        encoded: Tensor = self.encoder(self.dropout(torch.cat(vectors, 2)), mask)
        dropped: Tensor = self.dropout(encoded)
        return dropped

    def loss(self, batch: Batch) -> Tensor:
        """Negative log-likelihood of each sentence's tags, (batch,)."""
        return self.head.loss(self.encode(batch.views, batch.mask), batch.tags, batch.mask)

    def tag(self, batch: Batch) -> list[list[Span]]:
        """The entities of each sentence."""
        return self._found(self.encode(batch.views, batch.mask), batch)

    def tag_with_scores(self, batch: Batch) -> list[list[ScoredSpan]]:
        """The entities of each sentence with their probabilities."""
        encoded = self.encode(batch.views, batch.mask)
        spans = self._spans(encoded, batch.mask)
        asked = torch.from_numpy(spans).to(encoded.device)
        scores = self.head.span_probabilities(encoded, batch.mask, asked).tolist()
        found: list[list[ScoredSpan]] = [[] for _ in batch.numbers]
        for (row, begin, stop, label), score in zip(spans.tolist(), scores, strict=True):
            found[row].append(ScoredSpan(Span(self.tags.labels[label], begin, stop), score))
        return found

    def loss_and_tag(self, batch: Batch) -> tuple[Tensor, list[list[Span]]]:
        """Both, for the price of one encoding."""
        encoded = self.encode(batch.views, batch.mask)
        loss = self.head.loss(encoded, batch.tags, batch.mask)
        return loss, self._found(encoded, batch)

    def _found(self, encoded: Tensor, batch: Batch) -> list[list[Span]]:
        found: list[list[Span]] = [[] for _ in batch.numbers]
        for row, begin, stop, label in self._spans(encoded, batch.mask).tolist():
            found[row].append(Span(self.tags.labels[label], begin, stop))
        return found

    def _spans(self, encoded: Tensor, mask: Tensor) -> Any:
        """(spans, 4), as :meth:`TagSet.find_spans` gives them."""
        return self.tags.find_spans(self.head.decode(encoded, mask).cpu().numpy())
