"""What embedders of a word's characters share."""

from __future__ import annotations

import torch
from torch import Tensor

from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import PADDING, UNKNOWN, Vocabulary

MAX_LENGTH = 40
_KEPT = MAX_LENGTH // 2


def characters_of(sentence: Sentence, vocab: Vocabulary) -> Tensor:
    """The characters of each token, (length, characters), int32, padded with 0.

    A token longer than ``MAX_LENGTH``, an address or a rule of dashes, is read without its
    middle: what a word begins and ends with tells the most.
    """
    words = [
        word if len(word) <= MAX_LENGTH else word[:_KEPT] + word[-_KEPT:]
        for word in sentence.tokens
    ]
    width = max(map(len, words), default=0)
    rows = [vocab.indices(word) + [PADDING] * (width - len(word)) for word in words]
    return torch.tensor(rows, dtype=torch.int32).view(len(words), width)


def dropped(characters: Tensor, share: float) -> Tensor:
    """Characters, with some of them shown as unknown."""
    draw = torch.rand(characters.shape, device=characters.device)
    return characters.masked_fill((characters != PADDING) & (draw < share), UNKNOWN)
