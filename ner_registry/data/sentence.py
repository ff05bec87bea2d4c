"""A sentence: the one thing that readers yield and everything after them takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Sentence:
    """A tokenized sentence, with its tags where they are known.

    Attributes:
        tokens: the words, in order.
        tags: one tag per token, in the scheme of the file they came from.
        columns: any other column of the data, by name, one value per token.
        offsets: of each token, its first character in ``text`` and the one after its last.
        text: the text that ``offsets`` refer to.
        document: number, from 0, of the document that the sentence belongs to in its file.
        extra: what else its record held; predictions pass it through.
        line: line of the file, from 1, where the sentence begins.
        lines: of each token, where tokens have lines of their own.
        rows: of each token, as much of its line in a file of columns as is kept.
    """

    tokens: list[str]
    tags: list[str] | None = None
    columns: dict[str, list[str]] = field(default_factory=dict)
    offsets: list[tuple[int, int]] | None = None
    text: str | None = None
    document: int = 0
    extra: dict[str, Any] = field(default_factory=dict)
    line: int | None = None
    lines: Sequence[int] = ()
    rows: list[str] | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    def line_of(self, position: int) -> int | None:
        """The line of a token, as far as it is known; beyond the last one, that of the last."""
        return self.lines[min(position, len(self.lines) - 1)] if self.lines else self.line


class StreamedSentences:
    """Sentences that are read anew in each pass over them, and never kept.

    Args:
        read: begins a pass.
    """

    def __init__(self, read: Callable[[], Iterator[Sentence]]) -> None:
        self._read = read

    def __iter__(self) -> Iterator[Sentence]:
        return self._read()
