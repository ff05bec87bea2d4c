"""Columns in the manner of the CoNLL shared tasks: a token a line, its tag last."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator

from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.formats.base import Source, Tagged
from ner_registry.readers import ConllReader

_SEPARATORS = frozenset(" \t\r\n")


def read(source: Source) -> Iterator[Sentence]:
    """The sentences of a file whose tags, if any, don't matter.

    Raises:
        DataError: it isn't as the reader says.
    """
    return _with_rows(_reader_of(source).untagged(), source)


def read_tagged(source: Source) -> Iterator[Sentence]:
    """The sentences of a tagged file.

    Raises:
        DataError: it isn't as the reader says.
    """
    reader = copy.copy(_reader_of(source))
    if source.rows != "untagged":
        return _with_rows(reader, source)
    reader.docstart = "sentence"
    return map(_without_tags, _with_rows(reader, source))


def write(tagged: Iterable[Tagged], name: str) -> Iterator[str]:
    """A line per token: what is kept of its row, or the word, and the tag; then a blank one.

    Raises:
        DataError: a word or a label has a space, a tab or a line's end in it.
    """
    for sentence, record in tagged:
        rows = sentence.rows
        if rows is None:
            rows = [f"{word} " for word in record["words"]]
            for word in record["words"]:
                _check(word, sentence, name)
            if "gold_tags" in record and "gold_tags" not in sentence.extra:
                gold = zip(rows, record["gold_tags"], strict=True)
                rows = [f"{row}{tag} " for row, tag in gold]
        for entity in record["entities"]:
            _check(entity["label"], sentence, name)
        lines = zip(rows, record["tags"], strict=True)
        yield "".join(f"{row}{tag}\n" for row, tag in lines) + "\n"


def _check(value: str, sentence: Sentence, name: str) -> None:
    if not _SEPARATORS.isdisjoint(value):
        message = f"{value!r} holds white space, which CoNLL columns can't: use jsonl"
        raise DataError(name, message, sentence.line)


def _reader_of(source: Source) -> ConllReader:
    return source.reader if isinstance(source.reader, ConllReader) else ConllReader()


def _with_rows(reader: ConllReader, source: Source) -> Iterator[Sentence]:
    """Sentences with their rows, if these are to be kept, ready for another column."""
    reader.keeps_rows = source.rows != "nothing"
    for sentence in reader.read_lines(source.lines, source.name):
        if sentence.rows is not None:
            separator = "\t" if "\t" in sentence.rows[0] else " "
            sentence.rows = [row.rstrip(" \t") + separator for row in sentence.rows]
        yield sentence


def _without_tags(sentence: Sentence) -> Sentence:
    """Rows without their last column, which another tag then follows."""
    sentence.rows = [row[: _end(row[:-1])] for row in sentence.rows or ()]
    return sentence


def _end(row: str) -> int:
    """Where the last column of a row begins."""
    return max(row.rfind(" "), row.rfind("\t")) + 1
