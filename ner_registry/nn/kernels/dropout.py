"""Dropping numbers at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from ner_registry.nn.kernels.compiler import compiled

Array = Any
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_27, _30, _31 = np.uint64(27), np.uint64(30), np.uint64(31)


@compiled
def draw(seed: int, words: Array) -> None:
    """Fills ``words``, uint64, with random bits that follow from the seed.

    SplitMix64 (Steele, Lea & Flood 2014): each word depends on its number alone, not on the one
    before, so that several are computed at once.
    """
    start = np.uint64(seed)
    for number in range(words.shape[0]):
        word = start + np.uint64(number + 1) * _STEP
        word = (word ^ (word >> _30)) * _FIRST
        word = (word ^ (word >> _27)) * _SECOND
        words[number] = word ^ (word >> _31)


@compiled
def drop(inputs: Array, draws: Array, least: int, scale: float, outputs: Array) -> None:
    """Fills ``outputs`` (N,) with inputs, scaled, and zeros where a draw is below ``least``."""
    bound, factor = np.uint16(least), np.float32(scale)
    for place in range(inputs.shape[0]):
        outputs[place] = inputs[place] * factor if draws[place] >= bound else np.float32(0)
