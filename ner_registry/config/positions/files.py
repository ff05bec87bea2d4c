"""The main file and the files that it imports, each with its text, tokens and tree."""

from __future__ import annotations

import os
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from ner_registry.config.positions.cursor import JsonnetSyntaxError
from ner_registry.config.positions.lexer import tokenize
from ner_registry.config.positions.parser import Parser
from ner_registry.config.positions.syntax import Node
from ner_registry.config.positions.written_keys import WrittenKey, written_keys


@dataclass(frozen=True)
class Position:
    """A place in a file.

    Attributes:
        file: the main file as it was given; an import relative to the working directory if it
            is below it, else absolute.
        line: from 1.
        column: from 1: of the key, of an argument that was passed through, or of a list's item.
        exact: whether this is certain; if not, it is near the place.
    """

    file: str
    line: int
    column: int
    exact: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Source:
    """One file: its text, its tokens, and its tree if it parses."""

    def __init__(self, path: str, name: str, text: str) -> None:
        self.path = path
        self.name = name
        self.text = text
        self.tokens = tokenize(text)

    @cached_property
    def tree(self) -> Node | None:
        with suppress(JsonnetSyntaxError, RecursionError):
            return Parser(self.tokens).parse()
        return None

    @cached_property
    def keys(self) -> dict[str, list[WrittenKey]]:
        """Every key of the text, by its name."""
        found: dict[str, list[WrittenKey]] = {}
        for key in written_keys(self.tokens):
            found.setdefault(key.name, []).append(key)
        return found

    @cached_property
    def imports(self) -> list[str]:
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return [b.text for a, b in pairs if a[:2] == ("name", "import") and b.kind == "string"]

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(at + 1 for at, character in enumerate(self.text) if character == "\n")]

    def position(self, at: int, exact: bool) -> Position:
        line = bisect_right(self._lines, at)
        return Position(self.name, line, at - self._lines[line - 1] + 1, exact)


class Place(NamedTuple):
    """Where something starts."""

    source: Source
    at: int


# --- values, as far as they are followed ------------------------------------------------------


class Files:
    """The files of a config, each read once.

    Args:
        path: the main file.
        text: its text, if it isn't to be read.
    """

    def __init__(self, path: str | Path, text: str | None = None) -> None:
        self._sources: dict[str, Source | None] = {}
        name = os.fspath(path)
        self.main = self._load(name, name, text)

    def all(self) -> list[Source]:
        """The main file and every import in it that can be read, in the order of the text."""
        found: list[Source] = []
        waiting = [self.main]
        while waiting:
            source = waiting.pop()
            if source is not None and source not in found:
                found.append(source)
                waiting += [self.imported(source, path) for path in reversed(source.imports)]
        return found

    def imported(self, source: Source, path: str) -> Source | None:
        """What ``import 'path'`` in a file reads; None if that can't be read."""
        try:
            full = os.path.abspath(os.path.join(os.path.dirname(source.path), path))
            here = os.path.join(os.getcwd(), "")
            if self.main is not None and full == os.path.abspath(self.main.path):
                return self.main
        except OSError:  # the working directory is gone
            return None
        return self._load(full, full.removeprefix(here))

    def _load(self, path: str, name: str, text: str | None = None) -> Source | None:
        if path not in self._sources:
            with suppress(OSError, ValueError):  # no such file, or not text
                if text is None and os.path.isfile(path):
                    # line ends as they are: a column counts what Jsonnet counts
                    text = Path(path).read_bytes().decode()
            self._sources[path] = None if text is None else Source(path, name, text)
        return self._sources[path]
