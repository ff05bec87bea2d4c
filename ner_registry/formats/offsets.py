"""Entities by their characters in a text: cut into sentences, set on tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ner_registry.data.schemes import Span, is_tag, spans_to_tags
from ner_registry.data.segmentation import split_sentences, tokenize
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError


class CharacterSpan(NamedTuple):
    """An entity: its label, its first character and the one after its last."""

    label: str
    start: int
    end: int


class Place(NamedTuple):
    """Where a record stands, for messages."""

    path: str
    line: int

    def fault(self, message: str) -> DataError:
        """A fault of the record."""
        return DataError(self.path, message, self.line)


def cut(
    text: str,
    spans: Sequence[CharacterSpan] | None,
    record: int,
    extra: dict[str, Any],
    place: Place,
) -> Iterator[Sentence]:
    """The sentences of a text, with tags in IOB2 where its entities are known.

    A sentence never ends within an entity; a text without tokens is one empty sentence.

    Raises:
        DataError: an entity isn't one of the text, or doesn't fall on the borders of tokens.
    """
    offsets = tokenize(text)
    entities = [] if spans is None else align(spans, offsets, text, place)
    tags = None if spans is None else spans_to_tags(entities, len(offsets), "IOB2")
    for first, last in _sentences(text, offsets, entities):
        yield Sentence(
            tokens=[text[begin:end] for begin, end in offsets[first:last]],
            tags=None if tags is None else tags[first:last],
            offsets=offsets[first:last],
            text=text,
            document=record,
            extra=extra | {"text": text, "record": record},
            line=place.line,
        )


def align(
    spans: Sequence[CharacterSpan], offsets: Sequence[tuple[int, int]], text: str, place: Place
) -> list[Span]:
    """Entities by their tokens, in order.

    Raises:
        DataError: one isn't within the text, overlaps another or cuts a token.
    """
    if not spans:
        return []
    starts = {begin: token for token, (begin, _) in enumerate(offsets)}
    ends = {end: token for token, (_, end) in enumerate(offsets, 1)}
    found = []
    before = CharacterSpan("", 0, 0)
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        label, start, end = span
        if not 0 <= start < end <= len(text):
            length = len(text)
            raise place.fault(
                f"expected a span within the text's {length} characters, got {start} to {end}"
            )
        if start < before.end:
            raise place.fault(
                f"expected spans apart from each other, got {_shown(before, text)} and "
                f"{_shown(span, text)}"
            )
        if start not in starts or end not in ends:
            touched = [text[a:b] for a, b in offsets if a < end and b > start]
            raise place.fault(
                f"expected a span on the borders of tokens, got {_shown(span, text)}; the tokens "
                f"there: {' '.join(map(repr, touched)) or 'none'}"
            )
        found.append(Span(label, starts[start], ends[end]))
        before = span
    return found


def character_span(label: Any, start: Any, end: Any, place: Place) -> CharacterSpan:
    """A span as JSON holds it.

    Raises:
        DataError: it isn't two whole numbers and a label.
    """
    if not (isinstance(label, str) and is_tag(f"B-{label}") and type(start) is type(end) is int):
        got = f"{label!r}, {start!r}, {end!r}"
        raise place.fault(f"expected a label and two whole numbers for a span, got {got}")
    return CharacterSpan(label, start, end)


def string(record: dict[str, Any], key: str, place: Place) -> str:
    """What stands under a key.

    Raises:
        DataError: it isn't a string.
    """
    value = record.get(key)
    if not isinstance(value, str):
        keys = ", ".join(sorted(record)) or "none"
        raise place.fault(f"expected a string under {key!r}, got the keys: {keys}")
    return value


def _sentences(
    text: str, offsets: Sequence[tuple[int, int]], entities: Sequence[Span]
) -> list[tuple[int, int]]:
    """Spans of tokens; those that an entity goes across are one."""
    whole: list[tuple[int, int]] = []
    remaining = iter(entities)
    entity = next(remaining, None)
    for first, last in split_sentences(text, offsets) or [(0, 0)]:
        while entity is not None and entity.end <= first:
            entity = next(remaining, None)
        if entity is not None and entity.start < first:
            whole[-1] = (whole[-1][0], last)
        else:
            whole.append((first, last))
    return whole


def _shown(span: CharacterSpan, text: str) -> str:
    return f"{text[span.start : span.end]!r} ({span.label}, {span.start} to {span.end})"
