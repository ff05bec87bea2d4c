"""The model's tag set: which tags there are, as indices, and what they mean together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ner_registry.data.schemes import (
    Span,
    TagScheme,
    allowed,
    continues,
    prefixes,
    spans_to_tags,
    tags_to_spans,
)
from ner_registry.data.sentence import Sentence
from ner_registry.nn.linear_chain import Constraints


class TagSet:
    """Every tag that a scheme makes of some labels; ``O`` has index 0.

    Args:
        scheme: the tag scheme that the model works in.
        labels: entity labels, such as ``PER``, in the order that their tags are to have.

    Attributes:
        tags: the tags, by index.
        labels: the labels, each once.
    """

    def __init__(self, scheme: TagScheme, labels: Iterable[str]) -> None:
        self.scheme = scheme
        self.labels = list(dict.fromkeys(labels))
        tags = [f"{prefix}-{label}" for label in self.labels for prefix in prefixes(scheme)]
        self.tags = ["O", *tags]
        self._indices = {tag: index for index, tag in enumerate(self.tags)}

    def __len__(self) -> int:
        return len(self.tags)

    def encode(self, spans: Sequence[Span], length: int) -> Tensor:
        """Indices of the tags of a sentence, (length,), long; unknown labels become ``O``."""
        known = [span for span in spans if span.label in self.labels]
        tags = spans_to_tags(known, length, self.scheme)
        return torch.tensor([self._indices[tag] for tag in tags], dtype=torch.long)

    def encode_sentence(self, sentence: Sentence) -> Tensor:
        """As :meth:`encode`, of the entities that a sentence's tags mean in any scheme."""
        return self.encode(tags_to_spans(sentence.tags or []), len(sentence))

    def decode(self, indices: Sequence[int]) -> list[Span]:
        """The entities of a sentence whose tags have these indices."""
        return tags_to_spans([self.tags[index] for index in indices])

    def find_spans(self, paths: Any) -> Any:
        """The entities that tag indices stand for, of many sentences at once.

        Args:
            paths: (batch, length), NumPy's, long; 0 on padding.

        Returns:
            (spans, 4): row, first token, one after the last, label as in :attr:`labels`; in order.
        """
        before = np.zeros_like(paths)
        before[:, 1:] = paths[:, :-1]
        goes_on = self.continues.numpy()[before, paths]
        labels = self.label_of.numpy()[paths]
        rows, begins = np.nonzero((labels >= 0) & ~goes_on)
        stays = np.zeros_like(goes_on)
        stays[:, :-1] = goes_on[:, 1:]
        _, lasts = np.nonzero((labels >= 0) & ~stays)
        return np.stack([rows, begins, lasts + 1, labels[rows, begins]], 1)

    def label_index(self, label: str) -> int:
        """The number of a label, as in :attr:`label_of`."""
        return self.labels.index(label)

    @cached_property
    def label_of(self) -> Tensor:
        """(tags,), long: the number of each tag's label, -1 for ``O``."""
        return torch.tensor([-1] + [self.label_index(tag[2:]) for tag in self.tags[1:]])

    @cached_property
    def continues(self) -> Tensor:
        """(tags, tags), bool: ``[i, j]``: tag j after tag i goes on with i's entity."""
        return torch.tensor([[continues(a, b) for b in self.tags] for a in self.tags])

    @cached_property
    def constraints(self) -> Constraints:
        """What the scheme allows at the start, between neighbours and at the end."""
        return Constraints(
            torch.tensor([allowed(None, tag, self.scheme) for tag in self.tags]),
            torch.tensor([[allowed(a, b, self.scheme) for b in self.tags] for a in self.tags]),
            torch.tensor([allowed(tag, None, self.scheme) for tag in self.tags]),
        )
