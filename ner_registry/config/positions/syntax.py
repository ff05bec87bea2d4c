"""The tree of a Jsonnet text, in which every key, item and argument knows its place.

It holds what it takes to follow a value; all else is an :class:`Operation`. No two nodes are
equal (``eq=False``): two parts with the same text are still two places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


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
