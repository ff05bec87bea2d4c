"""JSONL, one record a line, as ``predict`` writes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ner_registry.data.segmentation import tokenize
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.formats.base import Source, Tagged
from ner_registry.formats.text import split
from ner_registry.readers import JsonlReader
from ner_registry.readers.jsonl import records, string_list

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_OWN = ("words", "tokens", "tags", "entities")  # what a record is written anew with


def read(source: Source) -> Iterator[Sentence]:
    """The sentences of records that hold ``words`` (or ``tokens``), ``sentence`` or ``text``.

    The first two are one sentence each; a ``text`` is cut into its sentences. Other keys are
    carried along. Where ``words`` are given, the reader's columns are read too.

    Raises:
        DataError: a line isn't a JSON object, or holds none of these.
    """
    reader, path = source.reader, source.name
    names = reader.columns if isinstance(reader, JsonlReader) else ()
    for count, (number, record) in enumerate(records(source.lines, path)):
        for key in ("words", "tokens"):
            if key in record:
                tokens = string_list(record, key, path, number)
                yield Sentence(
                    tokens,
                    columns={
                        name: _column(record, name, len(tokens), path, number)
                        for name in names
                        if name in record
                    },
                    document=count,
                    extra=_without(record, key),
                    line=number,
                )
                break
        else:
            yield from _of_string(record, count, path, number)


def read_tagged(source: Source) -> Iterator[Sentence]:
    """The sentences of records that hold ``words`` (or ``tokens``) and ``tags``.

    Where there is a ``text`` too, its words are looked for in it, and those of the next record
    after them, if it has the same ``record`` number.

    Raises:
        DataError: a line isn't such a record, or its words aren't in its text.
    """
    reader = source.reader if isinstance(source.reader, JsonlReader) else JsonlReader()
    before: tuple[Any, Any] | None = None
    end = 0
    for number, record in records(source.lines, source.name):
        if reader.tags_key not in record:
            _refuse_other_forms(record, source.name, number)
        is_empty = record.get("words", record.get("tokens")) == record.get(reader.tags_key) == []
        sentence = (
            Sentence([], tags=[], line=number)
            if is_empty
            else reader.sentence(record, source.name, number)
        )
        sentence.extra = {k: v for k, v in record.items() if k not in (*_OWN, reader.tags_key)}
        text = record.get("text")
        if isinstance(text, str):
            this = record.get("record"), text
            begin = end if this == before and this[0] is not None else 0
            sentence.text = text
            sentence.offsets = _offsets(sentence.tokens, text, begin, source.name, number)
            before, end = this, sentence.offsets[-1][1] if sentence.offsets else begin
        yield sentence


def write(tagged: Iterable[Tagged], name: str) -> Iterator[str]:
    """A record a line."""
    return (as_line(record) for _, record in tagged)


def as_line(record: dict[str, Any]) -> str:
    """A record as one line of JSON."""
    # a lone surrogate, which UTF-8 can't hold, is written as the escape it came as
    text = _JSON.encode(record)
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    return f"{text}\n"


def _of_string(record: dict[str, Any], count: int, path: str, number: int) -> Iterator[Sentence]:
    key = "sentence" if "sentence" in record else "text"
    value = record.get(key)
    if not isinstance(value, str):
        keys = ", ".join(sorted(record)) or "none"
        message = f"expected a key words, tokens, sentence or text, got the keys: {keys}"
        if key in record:
            message = f"expected a string under {key!r}, got {json.dumps(value)[:40]}"
        raise DataError(path, message, number)
    if key == "text":
        yield from split(value, count, _without(record, key), number)
        return
    offsets = tokenize(value)
    tokens = [value[begin:end] for begin, end in offsets]
    extra = _without(record, key)
    yield Sentence(tokens, offsets=offsets, text=value, document=count, extra=extra, line=number)


def _refuse_other_forms(record: dict[str, Any], path: str, number: int) -> None:
    """Tells of a record as an annotation tool writes it, which is JSONL too."""
    for key, form in (("spans", "prodigy"), ("label", "doccano"), ("labels", "doccano")):
        if key in record and "text" in record:
            message = f"expected the keys words and tags, got {key!r}: try --input-format {form}"
            raise DataError(path, message, number)


def _column(record: dict[str, Any], name: str, length: int, path: str, number: int) -> list[str]:
    values = string_list(record, name, path, number)
    if len(values) != length:
        message = f"expected {length} values under {name!r}, got {len(values)}"
        raise DataError(path, message, number)
    return values


def _offsets(
    words: Iterable[str], text: str, begin: int, path: str, number: int
) -> list[tuple[int, int]]:
    """Where words stand in a text, from a character on, with white space alone between them."""
    offsets = []
    for word in words:
        while text[begin : begin + 1].isspace():
            begin += 1
        end = begin + len(word)
        if text[begin:end] != word:
            got = text[begin:end]
            message = f"expected the word {word!r} at character {begin} of the text, got {got!r}"
            raise DataError(path, message, number)
        offsets.append((begin, end))
        begin = end
    return offsets


def _without(record: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}
