"""Sentences as tensors, and batches of them."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from ner_registry.data.arrays import Arrays, ArraysInMemory
from ner_registry.data.augmentation import Augmentation
from ner_registry.data.batches import document_parts
from ner_registry.data.sentence import Sentence
from ner_registry.data.views import Tokens, View, ViewBuilder, is_shapes
from ner_registry.errors import RunError

# names of arrays; those of embedders' views begin with the last
_TAGS, _WORDS, _EMBEDDER = "tags", "words", "embedders."
_MANY_WORDS = 2**16  # so many go to their array together


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

    Each view of them is one array, the sentences one after the other, so that a batch is a
    look-up per view, wherever the arrays are.

    Args:
        arrays: as :func:`index_into` put them together.
        device: where batches are wanted.
        home: where to keep the views; None: there too.
        augmentation: what shows sentences otherwise than they stand; None: each as itself.

    Attributes:
        lengths: tokens of each sentence.
        documents: the number of the document, or of the part of a long one, of each sentence.
    """

    def __init__(
        self,
        arrays: Mapping[str, Tensor],
        device: torch.device,
        home: torch.device | None = None,
        augmentation: Augmentation | None = None,
    ) -> None:
        self.device = device
        self._home = home or device
        self._augmentation = augmentation
        self._lengths, self._documents = arrays["lengths"], arrays["documents"]
        count = augmentation.count if augmentation is not None else len(self._lengths)
        self.lengths: Sequence[int] = self._lengths[:count].numpy().data
        self.documents: Sequence[int] = self._documents[:count].numpy().data
        lengths = self._lengths.long()
        self._begins = lengths.cumsum(0) - lengths
        self._padding = int(lengths.sum())  # the place after all tokens
        views = {
            name: View(arrays, name, lengths, self._home)
            for name in (_TAGS, _WORDS, *filter(_is_embedders, arrays))
        }
        self._tags, self._words = views.pop(_TAGS), views.pop(_WORDS)
        self._views = {name.removeprefix(_EMBEDDER): view for name, view in views.items()}

    @classmethod
    def index(
        cls,
        sentences: Iterable[Sentence],
        indexers: Mapping[str, Callable[[Sentence], Tensor]],
        encode: Callable[[Sentence], Tensor] | None = None,
        device: torch.device | None = None,
        augmentation: Augmentation | None = None,
    ) -> IndexedSentences:
        """Sentences in memory, as :func:`index_into` indexes them."""
        arrays = ArraysInMemory()
        variants = augmentation.variants if augmentation is not None else ()
        index_into(arrays, chain(sentences, variants), indexers, encode)
        device = device or torch.device("cpu")
        return cls(arrays.tensors(), device, augmentation=augmentation)

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, numbers: list[int]) -> Batch:
        """Some of the sentences, by their places in the corpus."""
        chosen = torch.tensor(numbers)
        lengths = self._lengths[chosen].long()
        documents = self._documents[chosen]
        steps = torch.arange(int(lengths.max()))
        # shape: (batch, length)
        mask = steps < lengths.unsqueeze(1)
        sentences, positions = chosen.unsqueeze(1).expand_as(mask), steps.expand_as(mask)
        own = shown = self._tokens(sentences, positions, mask)
        if self._augmentation is not None:
            taken = self._augmentation(sentences, positions, documents)
            shown = self._tokens(*taken, mask)

        def rows(view: View, tokens: Tokens) -> Tensor:
            return view.rows(tokens).to(self.device, non_blocking=True)

        return Batch(
            numbers,
            lengths.tolist(),
            {name: rows(view, shown) for name, view in self._views.items()},
            rows(self._tags, own),
            mask.to(self.device, non_blocking=True),
            documents.to(self.device, non_blocking=True),
            rows(self._words, shown),
        )

    def _tokens(self, sentences: Tensor, positions: Tensor, mask: Tensor) -> Tokens:
        places = torch.where(mask, self._begins[sentences] + positions, self._padding)
        return Tokens(sentences, positions, mask, places.to(self._home, non_blocking=True))


def index_into(
    arrays: Arrays,
    sentences: Iterable[Sentence],
    indexers: Mapping[str, Callable[[Sentence], Tensor]],
    encode: Callable[[Sentence], Tensor] | None = None,
) -> None:
    """Indexes sentences in one pass.

    Args:
        arrays: gets what :class:`IndexedSentences` needs.
        sentences: the sentences.
        indexers: of each embedder by name, what turns a sentence into its view.
        encode: gives the indices of a sentence's tags, (length,); None where they aren't known.

    Raises:
        RunError: a view isn't as long as its sentence, or isn't on the CPU; or an indexer has
            changed the sentence.
    """
    builders = {name: ViewBuilder(arrays, f"{_EMBEDDER}{name}") for name in indexers}
    lengths, documents, words = array("i"), array("q"), array("q")
    for document, part in enumerate(document_parts(sentences)):
        for sentence in part:
            lengths.append(len(sentence))
            documents.append(document)
            tokens = list(sentence.tokens)
            for name, index in indexers.items():
                view = index(sentence)
                _check(view, tokens, sentence, name)
                builders[name].add(view)
            if encode is not None:
                arrays.append(_TAGS, encode(sentence))
            words.extend(map(_number_of, sentence.tokens))
        if len(words) > _MANY_WORDS:
            arrays.append(_WORDS, torch.tensor(words, dtype=torch.long))
            del words[:]
    for builder in builders.values():
        builder.finish()
    padding = 1 if encode is not None else sum(lengths) + 1
    arrays.append(_TAGS, torch.zeros(padding, dtype=torch.long))
    arrays.append(_WORDS, torch.tensor([*words, 0], dtype=torch.long))
    arrays.append("lengths", torch.tensor(lengths, dtype=torch.int32))
    arrays.append("documents", torch.tensor(documents, dtype=torch.long))


@lru_cache(2**16)
def _number_of(token: str) -> int:
    """The same for the same word, whatever its case, and in every process."""
    word = token.lower().encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(word, digest_size=8).digest(), "little", signed=True)


def _is_embedders(name: str) -> bool:
    return name.startswith(_EMBEDDER) and not is_shapes(name)


def _check(view: Any, tokens: list[str], sentence: Sentence, name: str) -> None:
    wanted = f"model.embedders.{name}: index must"
    if sentence.tokens != tokens:
        raise RunError(f"{wanted} leave the sentence as it is, got it with other tokens: copy them")
    if not isinstance(view, Tensor) or view.shape[:1] != (len(tokens),):
        got = f"shape {tuple(view.shape)}" if isinstance(view, Tensor) else type(view).__name__
        raise RunError(f"{wanted} give a tensor as long as the sentence, {len(tokens)}, got {got}")
    if view.device.type != "cpu":
        raise RunError(f"{wanted} give a tensor on the cpu, got one on {view.device}")
