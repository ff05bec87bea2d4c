"""Jsonnet text to a small tree in which every key, item and argument knows its place.

Jsonnet's own parser isn't reachable from Python, and what it evaluates to has lost where it was
written. The tree holds what it takes to follow a value; all else is an :class:`Operation`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, TypeVar


class JsonnetSyntaxError(ValueError):
    """Text that isn't Jsonnet, or not as we know it."""


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


# --- the tree; eq=False: two parts with the same text are still two places -------------------


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A string, number, boolean or null."""

    text: str | None  # of a string: its value; of a number: its digits


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A variable; also ``self``, ``super``, ``$`` and ``std``."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """``key: value``; of ``key+: value``, the value is ``super.key + value``."""

    at: int
    key: Node | str  # a node: computed
    value: Node


@dataclass(frozen=True, slots=True, eq=False)
class Bind:
    """``name = value`` of a ``local``, or a parameter, whose default may be missing."""

    at: int
    name: str
    value: Node | None


@dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """An argument of a call, or an item of a list."""

    at: int
    name: str | None
    value: Node


@dataclass(frozen=True, slots=True, eq=False)
class Object:
    """``{ … }``; a comprehension is an object whose only field is computed."""

    at: int
    fields: dict[str, Field]
    computed: list[Field]
    binds: list[Bind]
    asserts: list[Node]


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    """``[a, b]``."""

    items: list[Argument]


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """``[item for …]``; what the loops bind is bound around it."""

    item: Argument


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """``a + b + c``, and ``a { … }``."""

    parts: list[Node]


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """``target.key``, ``target['key']`` or ``target[0]``."""

    target: Node
    key: str


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """``function(arguments)``."""

    function: Node
    arguments: list[Argument]


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """``function(parameters) body``, and what methods and ``local f(x) =`` are short for."""

    parameters: list[Bind]
    body: Node


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """``local binds; body``."""

    binds: list[Bind]
    body: Node


@dataclass(frozen=True, slots=True, eq=False)
class If:
    """``if condition then yes else no``."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True, eq=False)
class Import:
    """``import 'path'``."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """Anything else: its value comes from its parts, if ``keeps`` (else it has no keys)."""

    parts: list[Node]
    keeps: bool


Node: TypeAlias = (
    Scalar
    | Name
    | Object
    | Array
    | Repeat
    | Sum
    | Index
    | Call
    | Function
    | Local
    | If
    | Import
    | Operation
)

_LEVELS = ["||", "&&", "|", "^", "&", "== !=", "< > <= >= in", "<< >>", "+ -", "* / %"]
_LEVEL = {operator: n for n, row in enumerate(_LEVELS) for operator in row.split()}
_T = TypeVar("_T")


class Parser:
    """A recursive descent through tokens: one method per form of the grammar."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def parse(self) -> Node:
        """The whole text as one expression.

        Raises:
            JsonnetSyntaxError: it isn't one.
            RecursionError: it is nested too deep for us.
        """
        root = self._expression()
        if self._token.kind != "end":
            raise self._unexpected()
        return root

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

    def _expression(self, level: int = 0) -> Node:
        left = self._operand()
        while self._token.kind in ("operator", "name"):
            operator = self._token.text
            if _LEVEL.get(operator, -1) < level:
                break
            self._take()
            right = self._expression(_LEVEL[operator] + 1)
            left = _sum(left, right) if operator == "+" else Operation([left, right], keeps=False)
        return left

    def _operand(self) -> Node:
        if self._token.kind == "operator" and self._accept("+", "-", "!", "~"):
            return Operation([self._operand()], keeps=False)
        node = self._primary()
        while True:
            if self._accept("."):
                node = Index(node, self._take("name").text)
            elif self._sees("{"):
                node = _sum(node, self._object())
            elif self._accept("["):
                node = self._brackets(node)
            elif self._accept("("):
                node = Call(node, self._separated(")", self._argument))
                self._accept("tailstrict")
            else:
                return node

    def _primary(self) -> Node:
        if self._sees("{"):
            return self._object()
        token = self._take()
        if token.kind in ("string", "number"):
            return Scalar(token.text)
        match token.text:
            case "(":
                node = self._expression()
                self._expect(")")
                return node
            case "[":
                return self._array()
            case "true" | "false" | "null":
                return Scalar(None)
            case "local" | "assert":
                self._next -= 1
                return self._statements()
            case "if":
                return self._if()
            case "function":
                self._expect("(")
                return Function(self._separated(")", self._parameter), self._expression())
            case "error":
                return Operation([self._expression()], keeps=False)
            case "import":
                return Import(self._take("string").text)
            case "importstr" | "importbin":
                self._take("string")
                return Operation([], keeps=token.text == "importbin")
        if token.kind == "name" or token.text == "$":
            return Name(token.text)
        self._next -= 1
        raise self._unexpected()

    def _statements(self) -> Node:
        """``local …;`` and ``assert …;`` one after the other: a loop, for there can be many."""
        groups = []
        while self._sees("local", "assert"):
            if self._accept("local"):
                groups.append(self._separated(";", self._bind))
            else:
                self._accept("assert")
                groups.append([Bind(self._token.at, "", check) for check in self._assert()])
                self._expect(";")
        body = self._expression()
        for group in reversed(groups):
            body = Local(group, body)
        return body

    def _bind(self) -> Bind:
        name = self._take("name")
        if self._accept("("):
            parameters = self._separated(")", self._parameter)
            self._expect("=")
            return Bind(name.at, name.text, Function(parameters, self._expression()))
        self._expect("=")
        return Bind(name.at, name.text, self._expression())

    def _parameter(self) -> Bind:
        name = self._take("name")
        return Bind(name.at, name.text, self._expression() if self._accept("=") else None)

    def _argument(self) -> Argument:
        at, name = self._token.at, None
        after = self._tokens[self._next + 1 : self._next + 2]
        if self._token.kind == "name" and after and after[0][:2] == ("operator", "="):
            name = self._take().text
            self._take()
        return Argument(at, name, self._expression())

    def _separated(self, end: str, one: Callable[[], _T]) -> list[_T]:
        """What stands between commas up to ``end``, which is taken too."""
        found = []
        while not self._accept(end):
            found.append(one())
            if not self._sees(end):
                self._expect(",")
        return found

    def _assert(self) -> list[Node]:
        checks = [self._expression()]
        if self._accept(":"):
            checks.append(self._expression())
        return checks

    def _if(self) -> Node:
        condition = self._expression()
        self._expect("then")
        yes = self._expression()
        return If(condition, yes, self._expression() if self._accept("else") else Scalar(None))

    def _brackets(self, target: Node) -> Node:
        """``target[…]``: an index, or a slice."""
        parts = []
        colons = False
        while not self._accept("]"):
            if self._accept(":", "::"):
                colons = True
            else:
                parts.append(self._expression())
        index = parts[0] if len(parts) == 1 and not colons else None
        if isinstance(index, Scalar) and index.text is not None:
            return Index(target, index.text)
        return Operation([target, *parts], keeps=True)

    def _array(self) -> Node:
        items = []
        while not self._accept("]"):
            items.append(Argument(self._token.at, None, self._expression()))
            comma = self._accept(",")
            if len(items) == 1 and self._sees("for"):
                return self._loops("]", Repeat(items[0]))
            if not comma and not self._sees("]"):
                raise self._unexpected()
        return Array(items)

    def _loops(self, end: str, body: Node) -> Node:
        """``for x in xs if condition … end``, as locals around what is repeated."""
        binds = []
        while not self._accept(end):
            at = self._token.at
            if self._accept("for"):
                name = self._take("name").text
                self._expect("in")
                binds.append(Bind(at, name, Operation([self._expression()], keeps=True)))
            else:
                self._expect("if")
                binds.append(Bind(at, "", self._expression()))
        for bind in reversed(binds):
            body = Local([bind], body)
        return body

    def _object(self) -> Node:
        node = Object(self._token.at, {}, [], [], [])
        self._expect("{")
        while not self._accept("}"):
            if self._accept("local"):
                node.binds.append(self._bind())
            elif self._accept("assert"):
                node.asserts.extend(self._assert())
            elif self._sees("for") and node.computed:
                return self._loops("}", node)
            else:
                field = self._field()
                if isinstance(field.key, str):
                    node.fields[field.key] = field
                else:
                    node.computed.append(field)
            if not self._sees("}", "for"):
                self._expect(",")
        return node

    def _field(self) -> Field:
        at = self._token.at
        key: Node | str
        if self._accept("["):
            key = self._expression()
            self._expect("]")
            if isinstance(key, Scalar) and key.text is not None:
                key = key.text
        elif self._token.kind in ("name", "string"):
            key = self._take().text
        else:
            raise self._unexpected()
        method = self._accept("(")
        parameters = self._separated(")", self._parameter) if method else []
        colon = self._take("operator").text
        if colon not in COLONS:
            raise self._unexpected()
        value = self._expression()
        if method:
            value = Function(parameters, value)
        elif colon[0] == "+" and isinstance(key, str):
            value = Sum([Index(Name("super"), key), value])
        return Field(at, key, value)


def _sum(left: Node, right: Node) -> Sum:
    """One flat list, so that a long chain of ``+`` isn't a deep tree."""
    if not isinstance(left, Sum):
        return Sum([left, right])
    left.parts.append(right)  # nothing else holds it yet
    return left


# --- what can be seen without understanding -------------------------------------------------


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
