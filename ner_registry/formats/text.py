"""Plain text: each line is a text, and is cut into its sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ner_registry.data.segmentation import segment
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.formats.base import Source, Tagged
from ner_registry.formats.texts import texts


def read(source: Source) -> Iterator[Sentence]:
    """The sentences of plain text."""
    for number, line in source.lines:
        # a mark that began a file of its own, before several were made one
        yield from split(line.removeprefix("\ufeff"), number - 1, {}, number)


def write(tagged: Iterable[Tagged], name: str) -> Iterator[str]:
    """Texts alone, one a line.

    Raises:
        DataError: one has a line break in it.
    """
    for text in texts(tagged):
        if "\n" in text.text:
            message = "expected a text of one line, got one with a line break: use jsonl"
            raise DataError(name, message, text.line)
        yield f"{text.text}\n"


def split(text: str, record: int, extra: dict[str, Any], line: int) -> Iterator[Sentence]:
    """The sentences of a text, which carry it, the number of its record and what else there is."""
    for sentence in segment(text):
        sentence.extra = extra | {"text": text, "record": record}
        sentence.document = record
        sentence.line = line
        yield sentence
