"""Which sentences go together in a batch."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Sampler

from ner_registry.data.sentence import Sentence

MAX_DOCUMENT = 1000  # tokens; a longer document is read in parts
LONG_SENTENCE = 512  # tokens; batches of longer sentences have fewer of them in training


class LengthBatchSampler(Sampler[list[int]]):
    """Batches of sentences of like length, so that little is computed on padding.

    The order follows from the seed and the epoch alone: sentences are shuffled, sorted by
    length (which keeps equals shuffled), cut into batches, and the batches shuffled.

    Args:
        lengths: tokens of each sentence.
        batch_size: sentences in a batch; the last one may be smaller.
        shuffle: false gives the same order every time: by falling length.
        seed: of the shuffle.
        max_tokens: tokens in a batch, padding included, unless it is of one sentence alone;
            None: any number.
        documents: the number of each sentence's document, those of one side by side, where
            batches are to be of whole documents of like length, in order, about ``batch_size``
            sentences in the mean.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        *,
        batch_size: int,
        shuffle: bool,
        seed: int = 0,
        max_tokens: int | None = None,
        documents: Sequence[int] | None = None,
    ) -> None:
        self._documents = documents
        self.lengths = _tensor(lengths)
        self._begins: Tensor | None = None  # each document's first sentence, and after the last
        if documents is not None:
            sizes = _tensor(documents).unique_consecutive(return_counts=True)[1]
            self._begins = nn.functional.pad(sizes.cumsum(0), (1, 0))
            batch_size = max(1, round(batch_size * len(sizes) / max(1, len(lengths))))
            tokens = nn.functional.pad(self.lengths.cumsum(0), (1, 0))
            self.lengths = tokens[self._begins].diff().int()
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = 0
        longest_first = self.lengths.sort(descending=True).values
        self._sizes = list(_sizes(longest_first, batch_size, max_tokens or sys.maxsize))

    def __len__(self) -> int:
        return len(self._sizes)

    def share(self, batch: list[int], rank: int, size: int) -> list[int]:
        """A rank's part of a batch, in whole documents where batches are of these.

        Sentences of a batch stand by length, so that all parts are of about as many tokens. One
        is empty where there are fewer sentences, or documents, than ranks.
        """
        if self._documents is None:
            return batch[rank::size]
        parts = [list(numbers) for _, numbers in groupby(batch, self._documents.__getitem__)]
        return [number for part in parts[rank::size] for number in part]

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.arange(len(self.lengths))
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        if self.shuffle:
            order = torch.randperm(len(order), generator=generator)
        by_length = self.lengths[order].argsort(descending=True, stable=True)
        batches = order[by_length].split(self._sizes)
        turns: Iterable[int] = range(len(batches))
        if self.shuffle:
            turns = torch.randperm(len(batches), generator=generator).tolist()
        for turn in turns:
            chosen = batches[turn].tolist()
            if self._begins is not None:
                begins = self._begins
                chosen = [
                    number for n in chosen for number in range(int(begins[n]), int(begins[n + 1]))
                ]
            yield chosen


def _sizes(lengths: Tensor, batch_size: int, max_tokens: int) -> Iterator[int]:
    """How many sentences each batch has, given their lengths, the longest first."""
    begin = 0
    while begin < len(lengths):
        longest = max(1, int(lengths[begin]))
        size = max(1, min(batch_size, max_tokens // longest, len(lengths) - begin))
        yield size
        begin += size


def _tensor(numbers: Sequence[int]) -> Tensor:
    """Numbers of sentences, in little memory."""
    return torch.from_numpy(np.array(numbers, dtype=np.int32))


def document_parts(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    """Sentences that stand together in a document, or in a part of a long one."""
    part: list[Sentence] = []
    tokens = 0
    for sentence in sentences:
        tokens += len(sentence)
        if part and (sentence.document != part[0].document or tokens > MAX_DOCUMENT):
            yield part
            part, tokens = [], len(sentence)
        part.append(sentence)
    if part:
        yield part
