"""Values of Jsonnet, as far as they are followed: each knows the expressions it is made of.

- an object is its literals, left to right (:class:`Layers`); a key is looked for right to left
- an ``if`` is both of its branches (:class:`Either`)
- what can't be followed is whatever went into it (:class:`Unclear`), and makes a guess
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ner_registry.config.positions import syntax
from ner_registry.config.positions.files import Place, Source


class Lazy:
    """An expression and where its names are looked up; its value is found when asked for.

    ``place`` is where it was written, of the argument that a parameter stands for.
    """

    def __init__(self, node: syntax.Node, scope: Scope, place: Place | None = None) -> None:
        self.node = node
        self.scope = scope
        self.place = place
        self.value: Value | None = None


@dataclass(frozen=True, eq=False)
class Scope:
    """The names that an expression sees; ``self``, ``super`` and ``$`` are among them."""

    source: Source
    outer: Scope | None = None
    names: dict[str, Lazy | Value] = field(default_factory=dict)

    def find(self, name: str) -> Lazy | Value | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None

    def within(self, binds: Iterable[syntax.Bind] = ()) -> Scope:
        """A scope in this one, whose names see each other."""
        inner = Scope(self.source, self)
        for bind in binds:
            if bind.value is not None:
                inner.names[bind.name] = Lazy(bind.value, inner)
        return inner

    def written(self, node: syntax.Node, at: int) -> Place:
        """Where a value was written that stands at ``at``: the argument, if it is just that."""
        bound = self.find(node.name) if isinstance(node, syntax.Name) else None
        passed = bound.place if isinstance(bound, Lazy) else None
        return passed or Place(self.source, at)


@dataclass(frozen=True, eq=False)
class Layer:
    """An object literal, and where its names are looked up."""

    node: syntax.Object
    scope: Scope

    def fields(self, key: str) -> list[syntax.Field]:
        """The field of that key, else those that are computed: they may be any key."""
        own = self.node.fields.get(key)
        return [own] if own else self.node.computed

    def inside(self, this: Value, below: Value) -> Scope:
        """The scope of its fields, as a layer of ``this`` with ``below`` under it."""
        inner = self.scope.within(self.node.binds)
        inner.names.update({"self": this, "super": below})
        if self.scope.find("$") is None:
            inner.names["$"] = this
        return inner


@dataclass(frozen=True, eq=False)
class Layers:
    """An object: what wins comes last. Without a layer: anything that has no keys."""

    layers: tuple[Layer | Value, ...] = ()
    this: Value | None = None  # of ``super``: the ``self`` it is a part of


@dataclass(frozen=True, eq=False)
class Items:
    """A list."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, eq=False)
class Closure:
    """A function, and where its names are looked up."""

    node: syntax.Function
    scope: Scope


@dataclass(frozen=True, eq=False)
class Either:
    """One of these."""

    options: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class Unclear:
    """Made of these, we can't tell how; ``each`` is what each item of a comprehension is."""

    parts: tuple[Lazy | Value, ...] = ()
    each: Hit | None = None


Value: TypeAlias = Layers | Items | Closure | Either | Unclear
NO_KEYS = Layers()


@dataclass(frozen=True, eq=False)
class Hit:
    """A value that a key may have, where it was written, and whether that is certain."""

    place: Place
    value: Lazy | Value
    sure: bool = True

    def given(self, sure: bool) -> Hit:
        """The same, which is as certain as what it depends on."""
        return self if sure or not self.sure else replace(self, sure=False)


@dataclass(frozen=True, eq=False)
class Lookup:
    """What was found for a key.

    Attributes:
        hits: what wins comes first; more than one if it depends on a condition.
        settled: one of them is certain to have the key.
        clear: nothing unclear was on the way that may have it as well.
    """

    hits: list[Hit]
    settled: bool
    clear: bool
