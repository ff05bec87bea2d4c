"""What ``predict`` reads: sentences whose tags aren't known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ner_registry.data.segmentation import segment, tokenize
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.readers.jsonl import parse_record, string_list


def read_text(lines: Iterable[tuple[int, str]]) -> Iterator[Sentence]:
    """The sentences of plain text, each line of which is a record."""
    for number, line in lines:
        yield from _split(line, number - 1, {})


def read_jsonl(
    lines: Iterable[tuple[int, str]], path: str, columns: Sequence[str] = ()
) -> Iterator[Sentence]:
    """The sentences of records that hold ``words`` (or ``tokens``), ``sentence`` or ``text``.

    The first two are one sentence each; a ``text`` is cut into its sentences. Other keys are
    carried along.

    Args:
        lines: numbered from 1.
        path: names the input in messages.
        columns: keys of other lists to keep, one value per token, where ``words`` are given.

    Raises:
        DataError: a line isn't a JSON object, or holds none of these.
    """
    records = ((number, line) for number, line in lines if line.strip())
    for count, (number, line) in enumerate(records):
        record = parse_record(line, path, number)
        for key in ("words", "tokens"):
            if key in record:
                tokens = string_list(record, key, path, number)
                yield Sentence(
                    tokens,
                    columns={
                        name: _column(record, name, len(tokens), path, number)
                        for name in columns
                        if name in record
                    },
                    document=count,
                    extra=_without(record, key),
                    line=number,
                )
                break
        else:
            yield from _of_string(record, count, path, number)


def _of_string(record: dict[str, Any], count: int, path: str, number: int) -> Iterator[Sentence]:
    key = "sentence" if "sentence" in record else "text"
    value = record.get(key)
    if not isinstance(value, str):
        keys = ", ".join(sorted(record)) or "none"
        message = f"expected a key words, tokens, sentence or text, got the keys: {keys}"
        raise DataError(path, message, number)
    if key == "text":
        yield from _split(value, count, _without(record, key))
        return
    offsets = tokenize(value)
    tokens = [value[begin:end] for begin, end in offsets]
    extra = _without(record, key)
    yield Sentence(tokens, offsets=offsets, text=value, document=count, extra=extra, line=number)


def _column(record: dict[str, Any], name: str, length: int, path: str, number: int) -> list[str]:
    values = string_list(record, name, path, number)
    if len(values) != length:
        message = f"expected {length} values under {name!r}, got {len(values)}"
        raise DataError(path, message, number)
    return values


def _split(text: str, record: int, extra: dict[str, Any]) -> Iterator[Sentence]:
    for sentence in segment(text):
        sentence.extra = extra | {"text": text, "record": record}
        sentence.document = record
        yield sentence


def _without(record: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != key}
