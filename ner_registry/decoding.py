"""Which entities to find, where those of the most probable tagging aren't the best choice.

F1 counts entities, and its expectation is greatest where every entity is found that is at least
half as probable as the F1 that is reached (Lipton et al. 2014), whatever the rest of its sentence
may be. The most probable tagging holds some that are wrong more often than right; and where a model
is rarely sure, as on texts full of names that it has never seen, it lacks most of what F1 asks for.

Shapes: B sentences, T tokens, K tags, S spans, each (row, first token, one after the last, label).
"""

from __future__ import annotations

from typing import Any

import numpy as np

_LONGEST = 32  # tokens of an entity that no tagging need hold
LEAST = 0.05  # probability below which no threshold is


def candidates(tag_probabilities: Any, labels: Any, least: float, best: Any) -> Any:
    """Spans that may be as probable as ``least``, (S, 4), in order.

    A span isn't more probable than that any of its tokens has its label. Of those that this leaves,
    spans of more than 32 tokens are candidates only if the most probable tagging holds them.

    Args:
        tag_probabilities: (B, T, K), NumPy's; 0 on padding.
        labels: (K,), the label of each tag, -1 for none.
        least: above 0.
        best: (spans, 4), those of the most probable tagging.
    """
    found = [best]
    for label in range(labels.max(initial=-1) + 1):
        is_inside = tag_probabilities[:, :, labels == label].sum(2) >= least
        holds = is_inside  # (B, T): whether a span of so many tokens that begins there may be one
        for length in range(1, min(_LONGEST, is_inside.shape[1]) + 1):
            rows, begins = np.nonzero(holds)
            if len(rows) == 0:
                break
            ends, of_label = begins + length, np.full_like(rows, label)
            found.append(np.stack([rows, begins, ends, of_label], 1))
            holds = holds[:, :-1] & is_inside[:, length:]
    return np.unique(np.concatenate(found), axis=0)


def most_probable(spans: Any, scores: Any, threshold: float) -> Any:
    """Numbers of the spans to find, in the order that they are given in.

    The most probable span comes first, and none is found that overlaps one before it, so that a
    higher threshold finds some of what a lower one does. (From 0.5 on no two of them can overlap.)

    Args:
        spans: (S, 4).
        scores: (S,), their probabilities.
        threshold: spans of a lower probability aren't found.
    """
    chosen: list[int] = []
    taken: set[tuple[int, int]] = set()
    order = np.argsort(-scores, kind="stable")
    for number in order[scores[order] >= threshold].tolist():
        row, begin, end, _ = spans[number].tolist()
        tokens = [(row, token) for token in range(begin, end)]
        if taken.isdisjoint(tokens):
            taken.update(tokens)
            chosen.append(number)
    return np.array(sorted(chosen), dtype=np.int64)
