"""A place in a list of tokens, and the ways to go on from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ner_registry.config.positions.lexer import Token

_T = TypeVar("_T")


class JsonnetSyntaxError(ValueError):
    """Text that isn't Jsonnet, or not as we know it."""


class Cursor:
    """The next token, which is looked at, taken or refused; the last one has the kind end."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _sees(self, *texts: str) -> bool:
        return self._token.text in texts and self._token.kind in ("name", "symbol", "operator")

    def _take(self, kind: str | None = None) -> Token:
        token = self._token
        if token.kind in ("other", "end") or kind not in (None, token.kind):
            raise self._unexpected()
        self._next += 1
        return token

    def _accept(self, *texts: str) -> bool:
        seen = self._sees(*texts)
        self._next += seen
        return seen

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected()

    def _unexpected(self) -> JsonnetSyntaxError:
        return JsonnetSyntaxError(f"unexpected {self._token.text!r} at {self._token.at}")

    def _separated(self, end: str, one: Callable[[], _T]) -> list[_T]:
        """What stands between commas up to ``end``, which is taken too."""
        found = []
        while not self._accept(end):
            found.append(one())
            if not self._sees(end):
                self._expect(",")
        return found
