"""The sentences of a text put together again, for formats whose unit is the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ner_registry.formats.base import Tagged

_OF_A_TEXT = ("text", "record")  # keys that every sentence of a text has


@dataclass
class TaggedText:
    """A text and what is in it.

    Attributes:
        text: as it was given; where only words were, these with spaces between.
        offsets: of each token, its first character and the one after its last.
        entities: ``label``, ``start`` and ``end`` in tokens of the text, ``start_char``,
            ``end_char``, and ``score`` where it is known; in order.
        extra: what else its record held.
        line: of the input, from 1.
    """

    text: str
    offsets: list[tuple[int, int]] = field(default_factory=list)
    entities: list[dict[str, Any]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    line: int | None = None


def texts(tagged: Iterable[Tagged]) -> Iterator[TaggedText]:
    """Texts, each as soon as its last sentence is there."""
    whole: TaggedText | None = None
    record: object = None
    end = 0  # of the text but for white space, which is all that it has beside its tokens
    for sentence, found in tagged:
        extra = {k: v for k, v in sentence.extra.items() if k not in _OF_A_TEXT}
        number = sentence.extra.get("record")
        if whole is not None and (number != record or sentence.text != whole.text):
            yield whole
            whole = None
        if whole is None:
            text = " ".join(sentence.tokens) if sentence.text is None else sentence.text
            whole, record = TaggedText(text, extra=extra, line=sentence.line), number
            end = len(text.rstrip())
        _add(whole, sentence.offsets or _joined(sentence.tokens), found["entities"])
        if number is None or not end or (whole.offsets and whole.offsets[-1][1] == end):
            yield whole
            whole = None
    if whole is not None:
        yield whole


def _add(whole: TaggedText, offsets: list[tuple[int, int]], entities: list[dict[str, Any]]) -> None:
    before = len(whole.offsets)
    for entity in entities:
        start, end = entity["start"], entity["end"]
        whole.entities.append(
            entity
            | {
                "start": before + start,
                "end": before + end,
                "start_char": offsets[start][0],
                "end_char": offsets[end - 1][1],
            }
        )
    whole.offsets += offsets


def _joined(words: Iterable[str]) -> list[tuple[int, int]]:
    """The offsets of words with a space between them."""
    offsets = []
    begin = 0
    for word in words:
        offsets.append((begin, begin + len(word)))
        begin += len(word) + 1
    return offsets
