"""A convolution over the characters of words, as sums of rows of a small table.

A filter's product with a character is the same wherever the character stands, and there are some
hundred of them: so each product is computed once, and the convolution adds them up.

Shapes: N words of up to L characters, S symbols, W places that a filter sees, F filters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ner_registry.nn.kernels.compiler import compiled

Array = Any


@compiled
def forward(characters: Array, products: Array, best: Array, where: Array) -> None:
    """The greatest sum of each filter over the places of each word.

    Args:
        characters: (N, L), padded with 0.
        products: (W, S, F), of each symbol with each place of each filter; those of 0 are zero.
        best: (N, F), to be filled; zero where a word has no character.
        where: (N, F), int32, to be filled: the place of the middle of the greatest sum.
    """
    width, _, filters = products.shape
    half = width // 2
    total = np.empty(filters, np.float32)
    for word in range(characters.shape[0]):
        letters, of_best, of_where = characters[word], best[word], where[word]
        length = letters.shape[0]
        while length and letters[length - 1] == 0:
            length -= 1
        for each in range(filters):
            of_best[each] = np.float32(-np.inf) if length else np.float32(0)
            of_where[each] = 0
        for middle in range(length):
            for each in range(filters):
                total[each] = 0
            for place in range(width):
                at = middle + place - half
                if 0 <= at < length:
                    row = products[place, letters[at]]
                    for each in range(filters):
                        total[each] += row[each]
            for each in range(filters):
                is_better = total[each] > of_best[each]
                of_best[each] = total[each] if is_better else of_best[each]
                of_where[each] = np.int32(middle) if is_better else of_where[each]


@compiled
def backward(characters: Array, where: Array, grads: Array, found: Array) -> None:
    """Adds to the products' gradients those of the sums that were the greatest.

    Args:
        characters: (N, L).
        where: (N, F), as :func:`forward` filled it.
        grads: (N, F), of ``best``.
        found: (W, S, F), to be added to.
    """
    width, _, filters = found.shape
    half = width // 2
    length = characters.shape[1]
    for word in range(characters.shape[0]):
        letters, of_where, of_grads = characters[word], where[word], grads[word]
        if length == 0 or letters[0] == 0:
            continue
        for each in range(filters):
            for place in range(width):
                at = of_where[each] + place - half
                if 0 <= at < length and letters[at] != 0:
                    found[place, letters[at], each] += of_grads[each]
