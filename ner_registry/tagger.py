"""The model: embedders, an encoder and a head, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ner_registry.config.registry import ask
from ner_registry.data.indexed import Batch
from ner_registry.data.schemes import Span
from ner_registry.data.tags import TagSet
from ner_registry.decoding import candidates, most_probable
from ner_registry.embedders import TokenEmbedder
from ner_registry.encoders import Context, Seq2SeqEncoder, encode
from ner_registry.errors import RunError
from ner_registry.heads import CheckedHead, TaggerHead
from ner_registry.nn.dropout import WordDropout, make_dropout
from ner_registry.shapes import check_vectors, lent


class ScoredSpan(NamedTuple):
    """An entity, and the probability of that very span under the model."""

    span: Span
    score: float


class Tagging(NamedTuple):
    """The entities of a whole sentence, and the probability of just these under the model."""

    spans: list[Span]
    probability: float


class Tagger(nn.Module):
    """Tags sentences: the vectors of all embedders side by side, encoded, then tagged.

    Args:
        embedders: by name.
        encoder: reads as many dimensions as the embedders give together.
        head: reads what the encoder gives.
        tags: the tags that the head's indices stand for.
        dropout: probability of dropping a number of the embeddings, and of the encoder's
            output, in training.
        variational_dropout: whether the same ones are dropped at every token of a sentence.
        word_dropout: probability of hiding all of a token's embeddings, in training.

    Attributes:
        threshold: probability from which on an entity is found; None: those of the most probable
            tagging are.
    """

    threshold: float | None = None

    def __init__(
        self,
        embedders: Mapping[str, TokenEmbedder],
        encoder: Seq2SeqEncoder,
        head: TaggerHead,
        tags: TagSet,
        *,
        dropout: float = 0.0,
        variational_dropout: bool = False,
        word_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        parts = {f"model.embedders.{name}": part for name, part in embedders.items()}
        for path, part in (parts | {"model.encoder": encoder, "model.head": head}).items():
            if "_modules" not in vars(part):
                raise RunError(
                    f"{path}: {type(part).__name__}.__init__ must call super().__init__()"
                )
        self.embedders = nn.ModuleDict(embedders)
        self.encoder = encoder
        self.head = head
        self.tags = tags
        self.word_dropout = WordDropout(word_dropout)
        self.dropout = make_dropout(dropout, locked=variational_dropout)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.parameters(), torch.empty(0)).device

    @property
    def reads_documents(self) -> bool:
        """Whether batches must be of whole documents."""
        return self.encoder.reads_documents

    def embed(self, batch: Batch) -> Tensor:
        """What the encoder reads, (batch, length, width)."""
        vectors = [
            self._embedded(name, embedder, batch) for name, embedder in self.embedders.items()
        ]
        dropped: Tensor = self.dropout(self.word_dropout(torch.cat(vectors, 2)))
        return dropped

    def encode(self, batch: Batch, embedded: Tensor | None = None) -> Tensor:
        """The encoder's output, (batch, length, width).

        Args:
            batch: the sentences.
            embedded: what the encoder reads, (batch, length, width); None: what :meth:`embed`
                gives.
        """
        inputs = self.embed(batch) if embedded is None else embedded
        encoded = encode(self.encoder, inputs, batch.mask, Context(batch.documents, batch.words))
        dropped: Tensor = self.dropout(encoded)
        return dropped

    def _embedded(self, name: str, embedder: Any, batch: Batch) -> Tensor:
        path, mask = f"model.embedders.{name}", batch.mask
        vectors: Tensor = ask(path, embedder, "forward", batch.views[name], lent(mask, embedder))
        check_vectors(vectors, path, embedder, mask)
        return vectors

    def loss(self, batch: Batch, embedded: Tensor | None = None) -> Tensor:
        """Negative log-likelihood of each sentence's tags, (batch,).

        Args:
            batch: the sentences.
            embedded: what the encoder reads, as for :meth:`encode`.
        """
        return self._loss(self.encode(batch, embedded), batch)

    def tag_with_scores(self, batch: Batch) -> list[list[ScoredSpan]]:
        """The entities of each sentence with their probabilities."""
        found = self._found(self.encode(batch), batch.mask)
        return scored_spans(*found, self.tags, len(batch.mask))

    def tag_k_best(self, batch: Batch, k: int) -> list[tuple[list[ScoredSpan], list[Tagging]]]:
        """What :meth:`tag_with_scores` gives, and each sentence's k most probable taggings.

        The best comes first; there are fewer where the sentence has fewer. A tagging is one
        sequence of the model's tags: a head that allows any sequence may have several that read
        as the same entities.
        """
        encoded = self.encode(batch)
        scored = scored_spans(*self._found(encoded, batch.mask), self.tags, len(batch.mask))
        taggings = read_taggings(*self._head.k_best(encoded, batch.mask, k), self.tags)
        return list(zip(scored, taggings, strict=True))

    def loss_and_tag(self, batch: Batch) -> tuple[Tensor, list[list[Span]]]:
        """The loss of each sentence, (batch,), and its entities, for the price of one encoding."""
        encoded = self.encode(batch)
        loss = self._loss(encoded, batch)
        if self.threshold is None:
            spans = self._spans(encoded, batch.mask)
        else:
            spans, _ = self._found(encoded, batch.mask)
        found: list[list[Span]] = [[] for _ in batch.numbers]
        for row, begin, stop, label in spans.tolist():
            found[row].append(Span(self.tags.labels[label], begin, stop))
        return loss, found

    def tag_probabilities(self, encoded: Tensor, mask: Tensor) -> Tensor:
        """The head's, (batch, length, tags)."""
        return self._head.tag_probabilities(encoded, mask)

    def span_probabilities(self, encoded: Tensor, mask: Tensor, spans: Any) -> Tensor:
        """The head's, (spans,), of spans (spans, 4), NumPy's."""
        asked = torch.from_numpy(spans).to(encoded.device)
        return self._head.span_probabilities(encoded, mask, asked)

    @property
    def _head(self) -> CheckedHead:
        return CheckedHead(self.head, len(self.tags))

    def _loss(self, encoded: Tensor, batch: Batch) -> Tensor:
        return self._head.loss(encoded, batch.tags, batch.mask)

    def _found(self, encoded: Tensor, mask: Tensor) -> tuple[Any, Any]:
        """(spans, 4), as :meth:`TagSet.find_spans` gives them, and (spans,), probabilities."""
        return find(
            self._spans(encoded, mask),
            self.tags,
            self.threshold,
            partial(self.tag_probabilities, encoded, mask),
            partial(self.span_probabilities, encoded, mask),
        )

    def _spans(self, encoded: Tensor, mask: Tensor) -> Any:
        """(spans, 4), as :meth:`TagSet.find_spans` gives them."""
        return self.tags.find_spans(self._head.decode(encoded, mask).cpu().numpy())


def find(
    best: Any,
    tags: TagSet,
    threshold: float | None,
    tag_probabilities: Callable[[], Tensor],
    probabilities: Callable[[Any], Tensor],
) -> tuple[Any, Any]:
    """The entities of a batch, (spans, 4), NumPy's, and their probabilities, (spans,).

    Args:
        best: (spans, 4), those of the most probable tagging.
        tags: what the tags are.
        threshold: probability from which on an entity is found; None: ``best`` are.
        tag_probabilities: gives (batch, length, tags).
        probabilities: gives those of spans, (spans,).
    """
    if threshold is None:
        return best, probabilities(best).detach().cpu().numpy()
    of_tags = tag_probabilities().detach().cpu().numpy()
    spans = candidates(of_tags, tags.label_of.numpy(), threshold, best)
    scores = probabilities(spans).detach().cpu().numpy()
    chosen = most_probable(spans, scores, threshold)
    return spans[chosen], scores[chosen]


def scored_spans(spans: Any, scores: Any, tags: TagSet, size: int) -> list[list[ScoredSpan]]:
    """Spans by sentence.

    Args:
        spans: (spans, 4), as :meth:`TagSet.find_spans` gives them.
        scores: (spans,).
        tags: what the labels' numbers stand for.
        size: how many sentences there are.
    """
    found: list[list[ScoredSpan]] = [[] for _ in range(size)]
    for (row, begin, stop, label), score in zip(spans.tolist(), scores.tolist(), strict=True):
        found[row].append(ScoredSpan(Span(tags.labels[label], begin, stop), score))
    return found


def read_taggings(paths: Tensor, log_probabilities: Tensor, tags: TagSet) -> list[list[Tagging]]:
    """Taggings by sentence, without those that aren't there.

    Args:
        paths: (batch, k, length), long: tag indices, as of :meth:`TaggerHead.k_best`.
        log_probabilities: (batch, k), minus infinity for what isn't there.
        tags: what the indices stand for.
    """
    k = paths.shape[1]
    spans: list[list[Span]] = [[] for _ in range(len(paths) * k)]
    for row, begin, stop, label in tags.find_spans(paths.flatten(0, 1).cpu().numpy()).tolist():
        spans[row].append(Span(tags.labels[label], begin, stop))
    # rounding may leave the one path of a sentence a little above 1
    probabilities = log_probabilities.exp().clamp(max=1).tolist()
    is_there = (log_probabilities > float("-inf")).tolist()
    return [
        [
            Tagging(spans[row * k + rank], probabilities[row][rank])
            for rank in range(k)
            if is_there[row][rank]
        ]
        for row in range(len(paths))
    ]
