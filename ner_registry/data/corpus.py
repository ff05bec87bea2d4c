"""A corpus as read, and as tensors."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from ner_registry.data.schemes import (
    Span,
    TagScheme,
    detect_scheme,
    illegal_positions,
    is_tag,
    tags_to_spans,
)
from ner_registry.data.sentence import Sentence
from ner_registry.data.tags import TagSet
from ner_registry.errors import DataError

logger = logging.getLogger(__name__)


class Corpus:
    """All sentences of a tagged file.

    Args:
        path: the file, for messages.
        sentences: its sentences, every one with tags.
        scheme: the tag scheme they are in; detected where it is None.

    Attributes:
        spans: the entities of each sentence.

    Raises:
        DataError: there is no sentence, or one without tags.
    """

    def __init__(
        self, path: str, sentences: Sequence[Sentence], scheme: TagScheme | None = None
    ) -> None:
        if not sentences:
            raise DataError(path, "expected sentences, got none: the file is empty")
        for sentence in sentences:
            _check(sentence, path)
        self.path = path
        self.sentences = sentences
        tags = [sentence.tags or [] for sentence in sentences]
        self.scheme = scheme or detect_scheme(tags)
        self.spans: list[list[Span]] = [tags_to_spans(sequence) for sequence in tags]
        if not self.labels:
            logger.warning("%s: there is no entity in it", path)
        self._report_illegal(tags)

    @cached_property
    def labels(self) -> Counter[str]:
        """How many entities there are of each label."""
        return Counter(span.label for spans in self.spans for span in spans)

    @cached_property
    def tokens(self) -> int:
        """How many tokens there are."""
        return sum(map(len, self.sentences))

    def report_unknown_labels(self, tags: TagSet) -> None:
        """Warns of entities that the model can never find, with count and first line."""
        for label, count in self.labels.items():
            if label not in tags.labels:
                where = next(
                    sentence.line
                    for sentence, spans in zip(self.sentences, self.spans, strict=True)
                    if any(span.label == label for span in spans)
                )
                place = self.path if where is None else f"{self.path}:{where}"
                logger.warning(
                    "%s: %d entities of label %s, which the training data doesn't have: "
                    "they count as missed",
                    place,
                    count,
                    label,
                )

    def _report_illegal(self, tags: Sequence[Sequence[str]]) -> None:
        places = []
        for sentence, sequence in zip(self.sentences, tags, strict=True):
            positions = illegal_positions(sequence, self.scheme)
            places += [(sentence.line, position) for position in positions]
        if places:
            line, position = places[0]
            logger.warning(
                "%s: %d tags can't stand where they do in %s; read as conlleval does "
                "(the first: token %d of the sentence at line %s)",
                self.path,
                len(places),
                self.scheme,
                position + 1,
                line,
            )


def _check(sentence: Sentence, path: str) -> None:
    """Whatever the reader, every token has a tag, and there is a token."""
    if sentence.tags is None:
        raise DataError(path, "expected tags, got a sentence without", sentence.line)
    if not sentence.tokens or len(sentence.tags) != len(sentence.tokens):
        got = f"{len(sentence.tokens)} tokens and {len(sentence.tags)} tags"
        raise DataError(path, f"expected a tag for each token, got {got}", sentence.line)
    for tag in sentence.tags:
        if not is_tag(tag):
            message = f"expected a tag such as O, B-PER or I-PER, got {tag!r}"
            raise DataError(path, message, sentence.line)


def _checked(view: Tensor, sentence: Sentence, name: str) -> Tensor:
    if len(view) != len(sentence):
        raise ValueError(
            f"the embedder {name!r} must give a view as long as the sentence, {len(sentence)}, "
            f"got shape {tuple(view.shape)}"
        )
    return view


class Item(NamedTuple):
    """A sentence as tensors: its views, (length, …) each, and its tags, (length,)."""

    number: int
    views: dict[str, Tensor]
    tags: Tensor


@dataclass
class Batch:
    """Sentences as tensors, padded with 0.

    Attributes:
        numbers: of each sentence, its place in the corpus.
        views: of each embedder, (batch, length, …).
        tags: (batch, length), long.
        mask: (batch, length), bool, true on real tokens.
    """

    numbers: list[int]
    views: dict[str, Tensor]
    tags: Tensor
    mask: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(
            self.numbers,
            {name: view.to(device, non_blocking=True) for name, view in self.views.items()},
            self.tags.to(device, non_blocking=True),
            self.mask.to(device, non_blocking=True),
        )


class IndexedSentences(Dataset[Item]):
    """Sentences indexed once, up front.

    Args:
        sentences: the sentences.
        indexers: of each embedder by name, what turns a sentence into its view.
        tags: of each sentence, the indices of its tags, (length,); none where not known.
    """

    def __init__(
        self,
        sentences: Sequence[Sentence],
        indexers: dict[str, Callable[[Sentence], Tensor]],
        tags: Sequence[Tensor] | None = None,
    ) -> None:
        self.lengths = list(map(len, sentences))
        self._items = [
            Item(
                number,
                {
                    name: _checked(index(sentence), sentence, name)
                    for name, index in indexers.items()
                },
                torch.zeros(len(sentence), dtype=torch.long) if tags is None else tags[number],
            )
            for number, sentence in enumerate(sentences)
        ]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, number: int) -> Item:
        return self._items[number]


def collate(items: Sequence[Item]) -> Batch:
    """Pads sentences into a batch."""
    lengths = torch.tensor([len(item.tags) for item in items])
    mask = torch.arange(int(lengths.max())) < lengths.unsqueeze(1)
    views = {name: _pad([item.views[name] for item in items]) for name in items[0].views}
    tags = _pad([item.tags for item in items])
    return Batch([item.number for item in items], views, tags, mask)


def _pad(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors that may differ in any dimension, stacked and padded with 0 at the ends."""
    shape = [max(sizes) for sizes in zip(*(tensor.shape for tensor in tensors), strict=True)]
    padded = tensors[0].new_zeros([len(tensors), *shape])
    for row, tensor in zip(padded, tensors, strict=True):
        row[tuple(slice(size) for size in tensor.shape)] = tensor
    return padded
