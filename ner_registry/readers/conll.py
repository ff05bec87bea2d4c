"""Column files in the manner of the CoNLL shared tasks."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader
from pathlib import Path
from typing import Literal

from ner_registry.data.files import open_binary
from ner_registry.data.schemes import IllegalTags, TagScheme, is_tag
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.readers.base import DatasetReader, numbered_lines, refuse_what_are_no_tokens

_WHITE_SPACE = re.compile("[ \t]+")
_DOCSTART = "-DOCSTART-"

logger = logging.getLogger(__name__)


@DatasetReader.register("conll")
class ConllReader(DatasetReader):
    """One token per line, its columns side by side; blank lines between sentences.

    Args:
        token_column: the column that holds the tokens, from 0; negative counts from the end.
        tag_column: the column that holds the tags; null where there is none.
        columns: other columns to keep, by a name of their own, such as ``{pos: 1}``.
        delimiter: what separates columns: ``whitespace`` (spaces and tabs) or ``tab``.
        comment_prefix: lines that begin with it are skipped; null: there are no comments,
            since ``#`` begins real tokens.
        docstart: what a ``-DOCSTART-`` line is: a document ``boundary``, or a ``sentence``.
        tag_scheme: the scheme of the tags; null: detected from the whole file.
        illegal_tags: what becomes of tags that can't stand where they do: ``repair`` reads them
            as conlleval does, and counts them; ``refuse`` refuses the file.

    Attributes:
        keeps_rows: whether sentences keep their lines, for a file to be written like this one.
    """

    keeps_rows = False

    def __init__(
        self,
        *,
        token_column: int = 0,
        tag_column: int | None = -1,
        columns: dict[str, int] | None = None,
        delimiter: Literal["whitespace", "tab"] = "whitespace",
        comment_prefix: str | None = None,
        docstart: Literal["boundary", "sentence"] = "boundary",
        tag_scheme: TagScheme | None = None,
        illegal_tags: IllegalTags = "repair",
    ) -> None:
        self.token_column = token_column
        self.tag_column = tag_column
        self.columns = columns or {}
        self.delimiter = delimiter
        self.comment_prefix = comment_prefix
        self.docstart = docstart
        self.tag_scheme = tag_scheme
        self.illegal_tags = illegal_tags

    def untagged(self) -> ConllReader:
        """The same reader for files whose tags, if any, don't matter."""
        return ConllReader(
            token_column=self.token_column,
            tag_column=None,
            columns=self.columns,
            delimiter=self.delimiter,
            comment_prefix=self.comment_prefix,
            docstart=self.docstart,
        )

    def read(self, path: str | Path) -> Iterator[Sentence]:
        with open_binary(path) as file:
            # one that is packed and cut doesn't unpack
            is_cut = isinstance(file, BufferedReader) and _is_cut(file)
            tags: Counter[str] = Counter()
            for sentence in self.read_lines(numbered_lines(file, path), path):
                if is_cut:
                    tags.update(sentence.tags or ())
                yield sentence
        if is_cut and tags and sentence.tags and tags[last := sentence.tags[-1]] == 1:
            logger.warning(
                "%s:%s: the last line has no end, and its tag, %r, stands nowhere else in the "
                "file: it may be cut short",
                path,
                sentence.line_of(len(sentence)),
                last,
            )

    def read_lines(self, lines: Iterable[tuple[int, str]], path: str | Path) -> Iterator[Sentence]:
        """Sentences of numbered lines; ``path`` names them in messages."""
        place = f"token_column {self.token_column}"
        return refuse_what_are_no_tokens(self._sentences(lines, path), path, place)

    def _sentences(self, lines: Iterable[tuple[int, str]], path: str | Path) -> Iterator[Sentence]:
        rows: list[list[str]] = []
        kept: list[str] = []
        numbers: list[int] = []  # of the rows' lines
        first, width = 0, 0  # of the file's first row, its line and how many columns it has
        document = -1
        comment, tag_column = self.comment_prefix, self.tag_column
        has_boundaries, keeps_rows = self.docstart == "boundary", self.keeps_rows
        for number, line in lines:
            if comment is not None and line.startswith(comment):
                continue
            is_docstart = line.startswith(_DOCSTART) and line.split()[0] == _DOCSTART
            if (is_docstart and has_boundaries) or not line or line.isspace():
                if rows:
                    yield self._sentence(rows, kept, numbers, max(document, 0), path)
                    rows, kept, numbers = [], [], []
                if is_docstart:
                    document += 1
                    self._check_docstart(self._row(line), path, number)
                continue
            row = self._row(line)
            if is_docstart and not rows:
                document += 1
            if len(row) != width:
                if first:
                    raise DataError(
                        path,
                        f"expected {width} columns as in line {first}, got {len(row)}: {line!r}",
                        number,
                    )
                first, width = number, len(row)
                self._check_columns(width, line, path, number)
            if "\r" in line:
                message = f"expected a newline at each line's end, got {line[:40]!r}"
                raise DataError(path, message, number)
            if tag_column is not None:
                self.check_tag(row[tag_column], path, number)
            rows.append(row)
            numbers.append(number)
            if keeps_rows:
                kept.append(line)
        if rows:
            yield self._sentence(rows, kept, numbers, max(document, 0), path)

    def _row(self, line: str) -> list[str]:
        if self.delimiter == "tab":
            return line.split("\t")
        row = line.split(" ")
        if "" in row or "\t" in line:  # not a single space between columns
            return _WHITE_SPACE.split(line.strip(" \t"))
        return row

    def _check_columns(self, width: int, line: str, path: str | Path, number: int) -> None:
        wanted = {"token_column": self.token_column, "tag_column": self.tag_column}
        for name, column in (wanted | self.columns).items():
            if column is not None and not -width <= column < width:
                got = f"{width} columns, counted from 0"
                raise DataError(path, f"expected a column {column} ({name}), got {got}", number)
        if self.tag_column is not None and (self.token_column - self.tag_column) % width == 0:
            got = f"column {self.token_column % width} of {width} for both"
            if width == 1:
                got = f"one column, {line[:40]!r}: is the delimiter {self.delimiter}?"
            message = f"expected a column of tokens and one of tags, got {got}"
            raise DataError(path, message, number)

    def _check_docstart(self, row: list[str], path: str | Path, number: int) -> None:
        """A boundary is no token, so that an entity there would be lost."""
        column, width = self.tag_column, len(row)
        if column is None or not -width <= column < width:
            return
        if is_tag(row[column]) and row[column] != "O":
            raise DataError(path, f"expected O beside {_DOCSTART}, got {row[column]!r}", number)

    def _sentence(
        self,
        rows: list[list[str]],
        kept: list[str],
        numbers: Sequence[int],
        document: int,
        path: str | Path,
    ) -> Sentence:
        columns = list(zip(*rows, strict=True))
        tokens = list(columns[self.token_column])
        if "" in tokens:
            raise DataError(path, "expected a token, got none", numbers[tokens.index("")])
        if "\ufeff" in "".join(columns[0]):
            for number, (cell, *_) in zip(numbers, rows, strict=True):
                if cell.startswith("\ufeff"):
                    message = f"expected a byte-order mark at the file's beginning, got {cell!r}"
                    raise DataError(path, message, number)
        tags = None if self.tag_column is None else list(columns[self.tag_column])
        return Sentence(
            tokens=tokens,
            tags=tags,
            columns={name: list(columns[at]) for name, at in self.columns.items()},
            document=document,
            line=numbers[0],
            lines=_compact(numbers),
            rows=kept or None,
        )


def _compact(numbers: Sequence[int]) -> Sequence[int]:
    """The same line numbers, in little memory where no comment stands between them."""
    whole = range(numbers[0], numbers[-1] + 1)
    return whole if len(whole) == len(numbers) else numbers


def _is_cut(file: BufferedReader) -> bool:
    """Whether the last line of a file has no end; the file is at its beginning again."""
    if not file.seekable() or not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    last = file.read(1)
    file.seek(0)
    return not last.isspace()
