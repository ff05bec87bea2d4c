"""Sentences as tensors, and batches of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ner_registry.bars import without_bar
from ner_registry.data.batches import document_parts
from ner_registry.data.sentence import Sentence


@dataclass
class Batch:
    """Sentences as tensors, padded with 0.

    Attributes:
        numbers: of each sentence, its place in the corpus.
        lengths: of each sentence, its tokens.
        views: of each embedder, (batch, length, …).
        tags: (batch, length), long.
        mask: (batch, length), bool, true on real tokens.
        documents: (batch,), long, the number of the document, or of the part of a long one,
            that each sentence is in.
        words: (batch, length), long, equal where words are, whatever their case; 0 on padding.
    """

    numbers: list[int]
    lengths: list[int]
    views: dict[str, Tensor]
    tags: Tensor
    mask: Tensor
    documents: Tensor
    words: Tensor


class IndexedSentences:
    """Sentences indexed once, up front.

    Each view of them is one tensor, the sentences one after the other, so that a batch is a
    look-up per view, wherever the tensors are.

    Args:
        sentences: the sentences.
        indexers: of each embedder by name, what turns a sentence into its view.
        tags: of each sentence, the indices of its tags, (length,); none where not known.
        device: where to keep them.
        watch: shows a bar while an embedder goes through the sentences.

    Attributes:
        lengths: tokens of each sentence.
        documents: the number of the document, or of the part of a long one, of each sentence.

    Raises:
        ValueError: a view isn't as long as its sentence.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        indexers: Mapping[str, Callable[[Sentence], Tensor]],
        tags: Sequence[Tensor] | None = None,
        device: torch.device | None = None,
        watch: Callable[[Sequence[Sentence]], Iterable[Sentence]] = without_bar,
    ) -> None:
        self.lengths = list(map(len, sentences))
        self.device = device or torch.device("cpu")
        self.documents = [
            number for number, part in enumerate(document_parts(sentences)) for _ in part
        ]
        self._documents = torch.tensor(self.documents, dtype=torch.long)
        self._lengths = torch.tensor(self.lengths, dtype=torch.long)
        self._offsets = self._lengths.cumsum(0) - self._lengths
        self._padding = sum(self.lengths)  # the place of a row of zeros after all others
        self._views = {}
        for name, index in indexers.items():
            views = [index(sentence) for sentence in watch(sentences)]
            for view, sentence in zip(views, sentences, strict=True):
                _check(view, sentence, name)
            self._views[name] = _View(views, self.device)
        # within a process a string's hash is as good as the string
        words = [hash(token.lower()) for sentence in sentences for token in sentence.tokens]
        self._words = _View([torch.tensor(words, dtype=torch.long)], self.device)
        if tags is None:
            tags = [torch.zeros(self._padding, dtype=torch.long)]
        self._tags = _View(tags, self.device)

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, numbers: list[int]) -> Batch:
        """Some of the sentences, by their places in the corpus."""
        chosen = torch.tensor(numbers)
        lengths = self._lengths[chosen]
        steps = torch.arange(int(lengths.max()))
        # shape: (batch, length)
        places = torch.where(
            steps < lengths.unsqueeze(1), self._offsets[chosen].unsqueeze(1) + steps, self._padding
        ).to(self.device, non_blocking=True)
        return Batch(
            numbers,
            lengths.tolist(),
            {name: view.rows(places, chosen) for name, view in self._views.items()},
            self._tags.rows(places, chosen),
            places != self._padding,
            self._documents[chosen].to(self.device, non_blocking=True),
            self._words.rows(places, chosen),
        )


class _View:
    """What an embedder sees of all sentences, in one tensor with a row of zeros at its end.

    Args:
        parts: of each sentence, (length, …); they may differ in any dimension.
        device: where to keep it.
    """

    def __init__(self, parts: Sequence[Tensor], device: torch.device) -> None:
        self._shapes = None
        if len({part.shape[1:] for part in parts}) > 1:
            self._shapes = torch.tensor([part.shape[1:] for part in parts])
            widest = self._shapes.amax(0).tolist()
            parts = [_widened(part, widest) for part in parts]
        empty = parts[0].new_zeros(1, *parts[0].shape[1:]) if parts else torch.zeros(1)
        self._values = torch.cat([*parts, empty]).to(device)

    def rows(self, places: Tensor, numbers: Tensor) -> Tensor:
        """The rows at places (batch, length), no wider than the chosen sentences are."""
        rows = self._values.index_select(0, places.flatten())
        rows = rows.view(*places.shape, *rows.shape[1:])
        if self._shapes is not None:
            widths = self._shapes[numbers].amax(0).tolist()
            for dimension, width in enumerate(widths, 2):
                rows = rows.narrow(dimension, 0, width)
        return rows


def _widened(part: Tensor, widths: Sequence[int]) -> Tensor:
    """Padded with 0 in every dimension but the first."""
    padding: list[int] = []
    for width, wanted in zip(reversed(part.shape[1:]), reversed(widths), strict=True):
        padding += [0, wanted - width]
    return functional.pad(part, padding)


def _check(view: Tensor, sentence: Sentence, name: str) -> None:
    if len(view) != len(sentence):
        raise ValueError(
            f"the embedder {name!r} must give a view as long as the sentence, {len(sentence)}, "
            f"got shape {tuple(view.shape)}"
        )
