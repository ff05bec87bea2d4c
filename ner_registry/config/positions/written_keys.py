"""The keys that the text alone shows: what can be seen without understanding it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ner_registry.config.positions.lexer import COLONS, Token


@dataclass(frozen=True, slots=True, eq=False)
class WrittenKey:
    """A key as the text alone shows it."""

    at: int
    name: str
    inside: WrittenKey | None

    def enclosing(self) -> Iterator[str]:
        """The keys around it, innermost first."""
        key = self.inside
        while key is not None:
            yield key.name
            key = key.inside


def written_keys(tokens: list[Token]) -> Iterator[WrittenKey]:
    """Every key that follows ``{`` or ``,`` in braces, whether the text parses or not."""
    brackets: list[tuple[str, WrittenKey | None]] = []
    current: WrittenKey | None = None
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before.kind == "symbol":
            if before.text in "{[(":
                brackets.append((before.text, current))
            elif before.text in "}])" and brackets:
                current = brackets.pop()[1]
            elif before.text == "," and brackets:
                current = brackets[-1][1]
        starts = before[:2] in (("symbol", "{"), ("symbol", ",")) and brackets
        ends = after.text in COLONS or after[:2] == ("symbol", "(")
        if starts and ends and brackets[-1][0] == "{" and token.kind in ("name", "string"):
            current = WrittenKey(token.at, token.text, current)
            yield current
