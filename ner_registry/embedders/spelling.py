"""What embedders of a word's characters share."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ner_registry.data.vocabulary import PADDING, UNKNOWN, Vocabulary
from ner_registry.data.word_rows import WordRows

MAX_LENGTH = 40
_KEPT = MAX_LENGTH // 2


def characters_of(vocab: Vocabulary) -> WordRows:
    """What gives the indices of words' characters.

    A word longer than ``MAX_LENGTH``, an address or a rule of dashes, is read without its
    middle: what a word begins and ends with tells the most.
    """
    return WordRows(partial(_indices, vocab))


def _indices(vocab: Vocabulary, word: str) -> list[int]:
    return vocab.indices(word if len(word) <= MAX_LENGTH else word[:_KEPT] + word[-_KEPT:])


def dropped(characters: Tensor, share: float) -> Tensor:
    """Characters, with some of them shown as unknown."""
    draw = torch.rand(characters.shape, device=characters.device)
    return characters.masked_fill((characters != PADDING) & (draw < share), UNKNOWN)
