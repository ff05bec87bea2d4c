"""Which sentences go together in a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch.utils.data import Sampler


class LengthBatchSampler(Sampler[list[int]]):
    """Batches of sentences of like length, so that little is computed on padding.

    The order follows from the seed and the epoch alone: sentences are shuffled, sorted by
    length (which keeps equals shuffled), cut into batches, and the batches shuffled.

    Args:
        lengths: tokens of each sentence.
        batch_size: sentences in a batch; the last one may be smaller.
        shuffle: false gives the same order every time: by falling length.
        seed: of the shuffle.
    """

    def __init__(
        self, lengths: Sequence[int], *, batch_size: int, shuffle: bool, seed: int = 0
    ) -> None:
        self.lengths = torch.tensor(lengths)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        if not len(self.lengths):
            return
        order = torch.arange(len(self.lengths))
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        if self.shuffle:
            order = torch.randperm(len(order), generator=generator)
        by_length = self.lengths[order].argsort(descending=True, stable=True)
        batches = order[by_length].split(self.batch_size)
        turns: Iterable[int] = range(len(batches))
        if self.shuffle:
            turns = torch.randperm(len(batches), generator=generator).tolist()
        for turn in turns:
            yield batches[turn].tolist()
