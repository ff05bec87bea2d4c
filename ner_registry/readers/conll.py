"""Column files in the manner of the CoNLL shared tasks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from ner_registry.data.files import open_binary
from ner_registry.data.schemes import TagScheme
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.readers.base import DatasetReader, numbered_lines

_WHITE_SPACE = re.compile("[ \t]+")
_DOCSTART = "-DOCSTART-"


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
    ) -> None:
        self.token_column = token_column
        self.tag_column = tag_column
        self.columns = columns or {}
        self.delimiter = delimiter
        self.comment_prefix = comment_prefix
        self.docstart = docstart
        self.tag_scheme = tag_scheme

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
            yield from self.read_lines(numbered_lines(file, path), path)

    def read_lines(self, lines: Iterable[tuple[int, str]], path: str | Path) -> Iterator[Sentence]:
        """Sentences of numbered lines; ``path`` names them in messages."""
        rows: list[list[str]] = []
        kept: list[str] = []
        first, width = 0, 0  # of the file's first row, its line and how many columns it has
        document = -1
        begin = 0
        comment, tag_column = self.comment_prefix, self.tag_column
        has_boundaries, keeps_rows = self.docstart == "boundary", self.keeps_rows
        for number, line in lines:
            if comment is not None and line.startswith(comment):
                continue
            is_docstart = line.startswith(_DOCSTART)
            if (is_docstart and has_boundaries) or not line or line.isspace():
                if rows:
                    yield self._sentence(rows, kept, begin, max(document, 0))
                    rows, kept = [], []
                document += is_docstart
                continue
            row = self._row(line)
            if is_docstart and row[0] == _DOCSTART and not rows:
                document += 1
            if len(row) != width:
                if first:
                    raise DataError(
                        path,
                        f"expected {width} columns as in line {first}, got {len(row)}: {line!r}",
                        number,
                    )
                first, width = number, len(row)
                self._check_columns(width, path, number)
            if not rows:
                begin = number
            if tag_column is not None:
                self.check_tag(row[tag_column], path, number)
            rows.append(row)
            if keeps_rows:
                kept.append(line)
        if rows:
            yield self._sentence(rows, kept, begin, max(document, 0))

    def _row(self, line: str) -> list[str]:
        if self.delimiter == "tab":
            return line.split("\t")
        row = line.split(" ")
        if "" in row or "\t" in line:  # not a single space between columns
            return _WHITE_SPACE.split(line.strip(" \t"))
        return row

    def _check_columns(self, width: int, path: str | Path, number: int) -> None:
        wanted = {"token_column": self.token_column, "tag_column": self.tag_column}
        for name, column in (wanted | self.columns).items():
            if column is not None and not -width <= column < width:
                message = f"expected a column {column} ({name}), got {width} columns"
                raise DataError(path, message, number)
        if self.tag_column is not None and (self.token_column - self.tag_column) % width == 0:
            message = f"expected a column of tokens and one of tags, got {width} column(s)"
            raise DataError(path, message, number)

    def _sentence(
        self, rows: list[list[str]], kept: list[str], begin: int, document: int
    ) -> Sentence:
        columns = list(zip(*rows, strict=True))
        tags = None if self.tag_column is None else list(columns[self.tag_column])
        return Sentence(
            tokens=list(columns[self.token_column]),
            tags=tags,
            columns={name: list(columns[at]) for name, at in self.columns.items()},
            document=document,
            line=begin,
            rows=kept or None,
        )
