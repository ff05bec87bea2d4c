"""Prodigy's JSONL: ``{"text": "Jim left.", "tokens": […], "spans": […]}``, a text a line.

A text that comes with its ``tokens`` is one sentence, as any record of ours that does; one
without is cut into its sentences. Other keys are carried along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ner_registry.data.schemes import spans_to_tags
from ner_registry.data.sentence import Sentence
from ner_registry.formats.base import Source, Tagged
from ner_registry.formats.jsonl import as_line
from ner_registry.formats.offsets import (
    CharacterSpan,
    Place,
    align,
    character_span,
    cut,
    string,
)
from ner_registry.formats.texts import TaggedText, texts
from ner_registry.readers.jsonl import records

_OWN = ("text", "tokens", "spans")
_OF_AN_ANSWER = ("answer", "_task_hash")  # what is said of spans isn't true of others


def read(source: Source) -> Iterator[Sentence]:
    """The sentences of texts, whatever their spans.

    Raises:
        DataError: a line isn't such a record.
    """
    for count, (number, record) in enumerate(records(source.lines, source.name)):
        place = Place(source.name, number)
        extra = {k: v for k, v in record.items() if k not in (*_OWN, *_OF_AN_ANSWER)}
        yield from _sentences(record, None, count, extra, place)


def read_tagged(source: Source) -> Iterator[Sentence]:
    """The sentences of texts with tags by their spans.

    Raises:
        DataError: a line isn't such a record, its spans weren't accepted, or one doesn't fall
            on the borders of tokens.
    """
    for count, (number, record) in enumerate(records(source.lines, source.name)):
        place = Place(source.name, number)
        extra = {k: v for k, v in record.items() if k not in _OWN}
        yield from _sentences(record, _spans(record, place), count, extra, place)


def write(tagged: Iterable[Tagged], name: str) -> Iterator[str]:
    """A text a line, each span with its score where it is known."""
    for text in texts(tagged):
        extra = {k: v for k, v in text.extra.items() if k not in _OWN}
        own = {"text": text.text, "tokens": _tokens(text), "spans": _described(text)}
        yield as_line(own | extra)


def _sentences(
    record: dict[str, Any],
    spans: list[CharacterSpan] | None,
    count: int,
    extra: dict[str, Any],
    place: Place,
) -> Iterator[Sentence]:
    text = string(record, "text", place)
    if "tokens" not in record:
        yield from cut(text, spans, count, extra, place)
        return
    offsets = _offsets(record["tokens"], text, place)
    tags = None
    if spans is not None:
        tags = spans_to_tags(align(spans, offsets, text, place), len(offsets), "IOB2")
    yield Sentence(
        tokens=[text[begin:end] for begin, end in offsets],
        tags=tags,
        offsets=offsets,
        text=text,
        document=count,
        extra=extra,
        line=place.line,
    )


def _offsets(tokens: Any, text: str, place: Place) -> list[tuple[int, int]]:
    """Of each token, its characters; those of white space alone aren't words."""
    offsets = []
    before = 0
    for token in tokens if isinstance(tokens, list) else [tokens]:
        begin, end = (token.get("start"), token.get("end")) if isinstance(token, dict) else (0, 0)
        if not (type(begin) is type(end) is int and before <= begin < end <= len(text)):
            expected = "tokens in order, each with the start and the end of its characters"
            raise place.fault(f"expected {expected}, got {token!r}")
        if token.get("text", text[begin:end]) != text[begin:end]:
            raise place.fault(f"expected the token {text[begin:end]!r}, got {token!r}")
        if not text[begin:end].isspace():
            offsets.append((begin, end))
        before = end
    return offsets


def _spans(record: dict[str, Any], place: Place) -> list[CharacterSpan]:
    answer = record.get("answer", "accept")
    if answer != "accept":
        message = f"expected accepted spans, got those of the answer {answer!r}"
        raise place.fault(f"{message}: leave it out (prodigy db-out --answer accept)")
    # an accepted text where nobody marked anything may have no such key
    spans = record.get("spans", [] if "answer" in record else None)
    if not isinstance(spans, list) or not all(isinstance(span, dict) for span in spans):
        keys = ", ".join(sorted(record))
        raise place.fault(f"expected a list of objects under 'spans', got the keys: {keys}")
    return [character_span(s.get("label"), s.get("start"), s.get("end"), place) for s in spans]


def _tokens(text: TaggedText) -> list[dict[str, Any]]:
    """Each says whether a space follows it, from which Prodigy shows the text."""
    return [
        {
            "text": text.text[begin:end],
            "start": begin,
            "end": end,
            "id": number,
            "ws": text.text[end : end + 1].isspace(),
        }
        for number, (begin, end) in enumerate(text.offsets)
    ]


def _described(text: TaggedText) -> list[dict[str, Any]]:
    """Spans; the last token is one of the span's own."""
    return [
        {
            "start": entity["start_char"],
            "end": entity["end_char"],
            "token_start": entity["start"],
            "token_end": entity["end"] - 1,
            "label": entity["label"],
        }
        | ({"score": entity["score"]} if "score" in entity else {})
        for entity in text.entities
    ]
