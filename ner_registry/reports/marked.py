"""Sentences cut at their entities, for a page to mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ner_registry.data.schemes import Span

_AROUND = 25  # words of a long sentence that are shown on either side


@dataclass(frozen=True)
class Piece:
    """Words that are an entity together, or are outside of any.

    Attributes:
        text: the words.
        label: the entity's; None outside.
        is_meant: whether it is the entity that the sentence is shown for.
    """

    text: str
    label: str | None = None
    is_meant: bool = False


def pieces(
    words: Sequence[str], spans: Sequence[Span], meant: Span | None, around: Span
) -> list[Piece]:
    """A sentence in pieces, its far ends cut off where it is long.

    Args:
        words: of the sentence.
        spans: its entities, in order.
        meant: the one that it is shown for, where it is one of them.
        around: what must be in sight.
    """
    first = max(0, around.start - _AROUND)
    last = min(len(words), around.end + _AROUND)
    found = [Piece("…")] if first else []
    position = first
    for span in spans:
        start, end = max(span.start, first), min(span.end, last)
        if start < end:
            if position < start:
                found.append(Piece(" ".join(words[position:start])))
            found.append(Piece(" ".join(words[start:end]), span.label, span == meant))
            position = end
    if position < last:
        found.append(Piece(" ".join(words[position:last])))
    return [*found, Piece("…")] if last < len(words) else found
