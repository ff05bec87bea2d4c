"""Jsonnet text to tokens, each of which knows its place."""

from __future__ import annotations

import re
from typing import NamedTuple


class Token(NamedTuple):
    """``kind`` is name, string, number, symbol, operator, other or end."""

    kind: str
    text: str  # of a string: its value
    at: int


_TOKEN = re.compile(
    r"""
      (?P<blank>[ \t\r\n]++|(?://|\#)[^\n]*+|/\*.*?(?:\*/|\Z))
    | (?P<number>[0-9][0-9_]*+(?:\.[0-9][0-9_]*+)?(?:[eE][+-]?[0-9][0-9_]*+)?)
    | (?P<name>[_a-zA-Z][_a-zA-Z0-9]*+)
    | (?P<string>@"(?:[^"]|"")*+"?|@'(?:[^']|'')*+'?|"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?)
    | (?P<block>\|\|\|)
    | (?P<symbol>[{}\[\],.();])
    | (?P<operator>[!$:~+\-&|^=<>*/%]{1,8})
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_INSIDE_OPERATOR = re.compile(r"(?<=.)(?://|/\*|\|\|\|)")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BLOCK_START = re.compile(r"\|\|\|-?[ \t\r]*+\n")
_BLOCK_INDENT = re.compile(r"(?:\r?\n)*([ \t]+)")
_BLOCK_END = re.compile(r"[ \t]*+\|\|\|")
COLONS = frozenset({":", "::", ":::", "+:", "+::", "+:::"})


def tokenize(text: str) -> list[Token]:
    """The tokens of any text; what Jsonnet doesn't know is ``other``."""
    tokens = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None  # `other` is any character
        assert match.lastgroup is not None
        kind, found, end = match.lastgroup, match.group(), match.end()
        if kind == "string":
            found = _string(found)
        elif kind == "block":
            kind, found, end = _text_block(text, at)
        elif kind == "operator":
            found = _operator(found)
            end = at + len(found)
        if kind != "blank":
            tokens.append(Token(kind, found, at))
        at = end
    tokens.append(Token("end", "", len(text)))
    return tokens


def _operator(run: str) -> str:
    """Jsonnet's rule: no comment inside, and only a lone one ends in ``+``, ``-``, ``$`` …."""
    inside = _INSIDE_OPERATOR.search(run)
    run = run[: inside.start()] if inside else run
    return run.rstrip("+-~!$") if run.rstrip("+-~!$") else run[0]


def _string(quoted: str) -> str:
    if quoted[0] == "@":
        return quoted[2:-1].replace(quoted[1] * 2, quoted[1])
    inner = quoted[1:-1]
    if "\\" not in inner:
        return inner
    value = _ESCAPE.sub(lambda found: _unescape(found[1]), inner)
    # two \u escapes can make one character
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(escape: str) -> str:
    return chr(int(escape[1:], 16)) if len(escape) == 5 else _ESCAPED.get(escape, escape)


def _text_block(text: str, at: int) -> tuple[str, str, int]:
    """The kind, value and end of what starts with ``|||``."""
    start = _BLOCK_START.match(text, at)
    indent = _BLOCK_INDENT.match(text, start.end()) if start else None
    if start is None or indent is None:
        return "other", "|||", at + 3
    lines: list[str] = []
    place = start.end()
    while place < len(text):
        indented = text.startswith(indent[1], place)
        if not indented and not text.startswith(("\n", "\r\n"), place):
            end = _BLOCK_END.match(text, place)
            if end is None:
                break
            value = "".join(lines)
            return "string", value[:-1] if "-" in start[0] else value, end.end()
        after = text.find("\n", place) + 1 or len(text)
        lines.append(text[place + len(indent[1]) * indented : after])
        place = after
    return "other", "|||", place
