"""The best paths of a linear chain, one sentence at a time.

Shapes: B sentences, T tokens, K tags.
"""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from ner_registry.nn.kernels.compiler import compiled, inner

Array = Any


@inner
def _merge(
    ranked: Array, steps: Array, fronts: Array, heads: Array, scores: Array, ways: Array
) -> None:
    """The best of all ways to reach a tag, from lists that are in order already.

    Args:
        ranked: (K, k), of each tag the scores of its best prefixes, best first.
        steps: (K,), what is added to those of each tag.
        fronts: (K,), room for the best score of each tag that isn't taken yet.
        heads: (K,), room for how many of each tag's are taken.
        scores: (k,), filled, best first; minus infinity where there are fewer.
        ways: (k,), filled with the places in ``ranked``, flat, that they come from.
    """
    count, most = ranked.shape
    for tag in range(count):
        heads[tag] = 0
        fronts[tag] = ranked[tag, 0] + steps[tag]
    for rank in range(most):
        top, chosen = -inf, 0
        for tag in range(count):
            if fronts[tag] > top:
                top, chosen = fronts[tag], tag
        scores[rank] = top
        ways[rank] = chosen * most + min(heads[chosen], most - 1)
        heads[chosen] += 1
        is_left = heads[chosen] < most
        fronts[chosen] = ranked[chosen, heads[chosen]] + steps[chosen] if is_left else -inf


@compiled
def k_best(
    emissions: Array,
    arrivals: Array,
    start: Array,
    end: Array,
    mask: Array,
    paths: Array,
    results: Array,
) -> None:
    """The k best paths of each sentence, best first, and their scores.

    Args:
        emissions: (B, T, K).
        arrivals: (K, K), the transitions transposed: ``[j, i]`` scores tag j after tag i.
        start: (K,).
        end: (K,).
        mask: (B, T).
        paths: (B, k, T), of zeros, filled up to each sentence's length.
        results: (B, k), filled; minus infinity where a sentence has fewer paths.
    """
    size, length, count = emissions.shape
    most = paths.shape[1]
    fronts, heads = np.empty(count), np.empty(count, np.int64)
    ranked = np.empty((2, count, most))
    ways = np.empty((length + 1, count, most), np.int64)
    for row in range(size):
        tokens = 0
        while tokens < length and mask[row, tokens]:
            tokens += 1
        result = results[row]
        for rank in range(most):
            result[rank] = -inf
        if tokens == 0:
            result[0] = 0
            continue
        for tag in range(count):
            for rank in range(most):
                ranked[0, tag, rank] = -inf
            ranked[0, tag, 0] = start[tag] + emissions[row, 0, tag]
        for step in range(1, tokens):
            before, after = ranked[(step - 1) % 2], ranked[step % 2]
            for tag in range(count):
                _merge(before, arrivals[tag], fronts, heads, after[tag], ways[step, tag])
                for rank in range(most):
                    after[tag, rank] += emissions[row, step, tag]
        last = ways[length, 0]
        scores = ranked[tokens % 2, 0]
        _merge(ranked[(tokens - 1) % 2], end, fronts, heads, scores, last)
        for rank in range(most):
            result[rank] = scores[rank]
            if scores[rank] == -inf:
                break
            way = last[rank]
            for step in range(tokens - 1, 0, -1):
                tag = way // most
                paths[row, rank, step] = tag
                way = ways[step, tag, way % most]
            paths[row, rank, 0] = way // most
