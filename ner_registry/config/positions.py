"""Where in the Jsonnet files a value of the config was written.

The values are followed as Jsonnet would make them, but only as far as a path asks, and without
computing anything: what depends on a computation is told as a guess. In short:

- an object is its literals, left to right (:class:`Layers`); a key is looked for right to left
- an ``if`` is both of its branches (:class:`Either`)
- what can't be followed is whatever went into it (:class:`Unclear`), and makes a guess
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import ChainMap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ner_registry.config import jsonnet_syntax as syntax


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
        self.tokens = syntax.tokenize(text)

    @cached_property
    def tree(self) -> syntax.Node | None:
        with suppress(syntax.JsonnetSyntaxError, RecursionError):
            return syntax.Parser(self.tokens).parse()
        return None

    @cached_property
    def keys(self) -> dict[str, list[syntax.WrittenKey]]:
        """Every key of the text, by its name."""
        found: dict[str, list[syntax.WrittenKey]] = {}
        for key in syntax.written_keys(self.tokens):
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

    layers: tuple[Layer | Either | Unclear, ...] = ()
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


class _TooLongError(Exception):
    """The way to a value is too long, or has no end."""


class Positions:
    """The places of a config's values in its main file and in what that imports.

    Whatever the text is, nothing here raises: a place is exact, a guess, or None.

    Args:
        path: the main file.
        text: its text, if it isn't to be read.
    """

    def __init__(self, path: str | Path, text: str | None = None) -> None:
        self._sources: dict[str, Source | None] = {}
        self._roots: dict[str, Lazy] = {}
        self._steps = 0
        name = os.fspath(path)
        self._main = self._load(name, name, text)

    @property
    def files(self) -> list[str]:
        """The main file and every import in it that can be read, in the order of the text."""
        return [source.name for source in self._all_sources()]

    def find(self, path: Sequence[str]) -> Position | None:
        """Where the value at a config path was written.

        If the path's last keys aren't written anywhere, it is the place of the innermost object
        on the path that is.

        Args:
            path: keys, and indices of lists, from the outermost.
        """
        if self._main is None:
            return None
        keys = [str(key) for key in path]
        trail: list[list[Hit]] = []
        clear = False
        # endless recursion is Jsonnet's to refuse; a far place is then as good as we get
        with suppress(_TooLongError, RecursionError):
            clear = self._follow(keys, trail)
        if not clear:
            known = [hits for key, hits in zip(keys, trail[1:], strict=False) if key.isidentifier()]
            guess = self._guess(keys, sum(any(hit.sure for hit in hits) for hits in known))
            if guess is not None:
                return guess.source.position(guess.at, exact=False)
        if not trail:
            return None
        hits = trail[-1]
        best = next((hit for hit in hits if hit.sure), hits[0])
        alone = all(hit.place == best.place for hit in hits)
        return best.place.source.position(best.place.at, clear and best.sure and alone)

    def _follow(self, keys: list[str], trail: list[list[Hit]]) -> bool:
        """Adds the hits of each key to ``trail``; False if a key is missing, perhaps."""
        assert self._main is not None
        # enough for any config that a person wrote, and no more than a moment
        self._steps = 10_000 + len(self._main.tokens)
        root = self._root(self._main)
        if root is None:
            return False
        value = self._value(root)
        if isinstance(value, Closure):  # Jsonnet calls it
            value = self._call(value, [], root.scope)
        trail.append([Hit(self._start(value), value)])
        for key in keys:
            found = [(hit, self._look(self._value(hit.value), key)) for hit in trail[-1]]
            hits = [
                Hit(new.place, new.value, new.sure and hit.sure)
                for hit, lookup in found
                for new in lookup.hits
            ]
            if not hits:
                return all(lookup.clear and hit.sure for hit, lookup in found)
            trail.append(hits)
        return True

    def _start(self, root: Value) -> Place:
        """The opening brace of the config's own object: of the main file if that has one."""
        assert self._main is not None
        layers = root.layers if isinstance(root, Layers) else ()
        places = [Place(x.scope.source, x.node.at) for x in layers if isinstance(x, Layer)]
        own = [place for place in places if place.source is self._main]
        return (own or places or [Place(self._main, self._main.tokens[0].at)])[-1]

    def _guess(self, keys: list[str], known: int) -> Place | None:
        """Where the text has a key of that name, in keys that are the path's, in its order.

        At least ``known`` of them, or the innermost object that is known tells more.
        """
        ranked: list[tuple[int, Place]] = []
        for source in self._all_sources() if keys else []:
            for key in source.keys.get(keys[-1], []):
                enclosing = list(islice(key.enclosing(), len(keys)))
                outwards = iter(keys[-2::-1])
                if len(enclosing) >= known and all(name in outwards for name in enclosing):
                    ranked.append((len(enclosing), Place(source, key.at)))
        if not ranked:
            return None
        most = max(rank for rank, _ in ranked)
        best = [place for rank, place in ranked if rank == most]
        # the main file comes before what it imports; in one file, the last wins
        return [place for place in best if place.source is best[0].source][-1]

    # --- files --------------------------------------------------------------------------------

    def _load(self, path: str, name: str, text: str | None = None) -> Source | None:
        if path not in self._sources:
            with suppress(OSError, ValueError):  # no such file, or not text
                if text is None and os.path.isfile(path):
                    # line ends as they are: a column counts what Jsonnet counts
                    text = Path(path).read_bytes().decode()
            self._sources[path] = None if text is None else Source(path, name, text)
        return self._sources[path]

    def _import(self, source: Source, path: str) -> Source | None:
        try:
            full = os.path.abspath(os.path.join(os.path.dirname(source.path), path))
            here = os.path.join(os.getcwd(), "")
            if self._main is not None and full == os.path.abspath(self._main.path):
                return self._main
        except OSError:  # the working directory is gone
            return None
        return self._load(full, full.removeprefix(here))

    def _all_sources(self) -> list[Source]:
        found: list[Source] = []
        waiting = [self._main]
        while waiting:
            source = waiting.pop()
            if source is not None and source not in found:
                found.append(source)
                waiting += [self._import(source, path) for path in reversed(source.imports)]
        return found

    def _root(self, source: Source) -> Lazy | None:
        if source.path not in self._roots and source.tree is not None:
            self._roots[source.path] = Lazy(source.tree, Scope(source))
        return self._roots.get(source.path)

    # --- what an expression makes -------------------------------------------------------------

    def _value(self, lazy: Lazy | Value) -> Value:
        if not isinstance(lazy, Lazy):
            return lazy
        if lazy.value is None:
            lazy.value = self._evaluate(lazy.node, lazy.scope)
        return lazy.value

    def _spend(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise _TooLongError

    def _evaluate(self, node: syntax.Node, scope: Scope) -> Value:
        self._spend()
        while isinstance(node, syntax.Local):
            scope = scope.within(node.binds)
            node = node.body
        match node:
            case syntax.Object():
                return Layers((Layer(node, scope),))
            case syntax.Array(items):
                return Items(tuple(self._item(item, scope) for item in items))
            case syntax.Function():
                return Closure(node, scope)
            case syntax.Name(name):
                bound = scope.find(name)
                return Unclear() if bound is None else self._value(bound)
            case syntax.Sum(parts):
                return self._sum([self._evaluate(part, scope) for part in parts])
            case syntax.Index(target, key):
                return self._index(self._evaluate(target, scope), key)
            case syntax.Call(function, arguments):
                return self._call(self._evaluate(function, scope), arguments, scope)
            case syntax.If(_, yes, no):
                return Either((self._evaluate(yes, scope), self._evaluate(no, scope)))
            case syntax.Import(path):
                source = self._import(scope.source, path)
                root = None if source is None else self._root(source)
                return Unclear() if root is None else self._value(root)
            case syntax.Repeat(item):
                return Unclear(each=self._item(item, scope, sure=False))
            case syntax.Operation(parts, keeps):
                return Unclear(tuple(Lazy(part, scope) for part in parts)) if keeps else NO_KEYS
        return NO_KEYS

    def _item(self, item: syntax.Argument, scope: Scope, sure: bool = True) -> Hit:
        return Hit(scope.written(item.value, item.at), Lazy(item.value, scope), sure)

    def _sum(self, values: list[Value]) -> Value:
        layers: list[Layer | Either | Unclear] = []
        items: list[Hit] = []
        for value in values:
            if isinstance(value, Layers):
                layers.extend(value.layers)
            elif isinstance(value, Items):
                items.extend(value.hits)
            elif isinstance(value, Either | Unclear):
                layers.append(value)
        self._steps -= len(layers) + len(items)  # `a + a`, again and again
        if items and layers:  # a list and something that isn't clear
            return Unclear((Items(tuple(items)), Layers(tuple(layers))))
        return Items(tuple(items)) if items else Layers(tuple(layers))

    def _index(self, target: Value, key: str) -> Value:
        found = self._look(target, key)
        if not found.clear or not all(hit.sure for hit in found.hits):
            return Unclear(tuple(hit.value for hit in reversed(found.hits)))
        values = tuple(self._value(hit.value) for hit in found.hits)
        if len(values) == 1 and found.settled:
            return values[0]
        # of `key+:`, there may be nothing to add to
        return Either(values if found.settled else (*values, NO_KEYS)) if values else NO_KEYS

    def _call(self, function: Value, arguments: Sequence[syntax.Argument], scope: Scope) -> Value:
        if isinstance(function, Either):
            return Either(tuple(self._call(one, arguments, scope) for one in function.options))
        if not isinstance(function, Closure):
            return Unclear(tuple(Lazy(argument.value, scope) for argument in arguments))
        parameters = function.node.parameters
        inner = function.scope.within(parameters)
        for bind in parameters:
            default = inner.names.get(bind.name)
            if isinstance(default, Lazy):
                default.place = Place(inner.source, bind.at)
            else:
                inner.names[bind.name] = Unclear()  # hides what is outside, whatever it is
        positional = [bind.name for bind in parameters]
        for number, argument in enumerate(arguments):
            name = argument.name or (positional[number] if number < len(positional) else "")
            place = scope.written(argument.value, argument.at)
            inner.names[name] = Lazy(argument.value, scope, place)
        return self._evaluate(function.node.body, inner)

    def _made(self, part: Lazy | Value) -> Value:
        """What a part adds to a whole that is unclear: of a function, what it makes."""
        value = self._value(part)
        return self._call(value, [], value.scope) if isinstance(value, Closure) else value

    # --- a key of a value ---------------------------------------------------------------------

    def _look(self, value: Value, key: str) -> Lookup:
        self._spend()
        match value:
            case Layers(layers, this):
                return self._look_in(layers, key, this or value, ())
            case Items(hits):
                at = int(key) if key.isdecimal() and len(key) < 9 else len(hits)
                return Lookup(list(hits[at : at + 1]), settled=at < len(hits), clear=True)
            case Either(options):
                return _either([self._look(option, key) for option in options])
            case Unclear(parts, each):
                looked = [self._look(self._made(part), key).hits for part in reversed(parts)]
                found = [each] if each is not None and key.isdecimal() else []
                found += [Hit(hit.place, hit.value, sure=False) for some in looked for hit in some]
                return Lookup(found, settled=False, clear=False)
        return Lookup([], settled=False, clear=True)

    def _look_in(
        self,
        layers: tuple[Layer | Either | Unclear, ...],
        key: str,
        this: Value,
        under: tuple[Layer | Either | Unclear, ...],
    ) -> Lookup:
        """``key`` in the layers of ``this``, those on top of ``under``."""
        hits: list[Hit] = []
        clear = True
        for number in range(len(layers) - 1, -1, -1):
            self._spend()
            layer = layers[number]
            if isinstance(layer, Layer):
                own = layer.node.fields.get(key)
                # what is computed may be any key
                fields = [own] if own else layer.node.computed
                scope = layer.scope
                if fields:
                    scope = layer.inside(this, Layers(under + layers[:number], this))
                for one in fields:
                    place = scope.written(one.value, one.at)
                    hits.append(Hit(place, Lazy(one.value, scope), clear and one is own))
                if own:
                    return Lookup(hits, settled=True, clear=clear)
                clear = clear and not layer.node.computed
                continue
            looked = self._look_in_option(layer, key, this, under + layers[:number])
            hits += [Hit(hit.place, hit.value, hit.sure and clear) for hit in looked.hits]
            clear = clear and looked.clear
            if looked.settled:
                return Lookup(hits, settled=True, clear=clear)
        return Lookup(hits, settled=False, clear=clear)

    def _look_in_option(
        self, option: Value, key: str, this: Value, under: tuple[Layer | Either | Unclear, ...]
    ) -> Lookup:
        if isinstance(option, Either):
            return _either([self._look_in_option(one, key, this, under) for one in option.options])
        if isinstance(option, Layers):
            return self._look_in(option.layers, key, this, under)
        return self._look(option, key)

    # --- locals -------------------------------------------------------------------------------

    def unused_local_keys(self) -> list[tuple[Position, str]]:
        """Keys of ``local`` objects that nothing reads: ``defaults.b``, and where it is.

        Only of an object literal that is read by ``defaults.a`` alone, somewhere: as soon as it
        is used in any other way, any of its keys may be read.
        """
        found = []
        for source in self._all_sources():
            for use in _uses(source.tree) if source.tree is not None else []:
                for key, one in use.node.fields.items() if use.read and not use.bare else []:
                    if key not in use.read:
                        found.append((source.position(one.at, True), f"{use.name}.{key}"))
        return found


def _either(lookups: list[Lookup]) -> Lookup:
    return Lookup(
        [hit for lookup in lookups for hit in lookup.hits],
        settled=all(lookup.settled for lookup in lookups),
        clear=all(lookup.clear for lookup in lookups),
    )


@dataclass(eq=False)
class _Use:
    """How a ``local`` that is an object literal is used."""

    name: str
    node: syntax.Object
    read: set[str] = field(default_factory=set)
    bare: bool = False


def _uses(tree: syntax.Node) -> list[_Use]:
    """How each local object literal in a file is used; a key that is computed makes it bare."""
    uses: dict[syntax.Node, _Use] = {}
    waiting: list[tuple[syntax.Node, ChainMap[str, _Use | None]]] = [(tree, ChainMap())]

    def bind(
        binds: list[syntax.Bind], names: ChainMap[str, _Use | None], fixed: bool = True
    ) -> ChainMap[str, _Use | None]:
        inner = names.new_child({bind.name: None for bind in binds})
        for bind in binds:
            if fixed and isinstance(bind.value, syntax.Object):
                bare = bool(bind.value.computed)
                inner[bind.name] = uses[bind.value] = _Use(bind.name, bind.value, bare=bare)
            if bind.value is not None:
                waiting.append((bind.value, inner))
        return inner

    while waiting:
        node, names = waiting.pop()
        parts: list[syntax.Node] = []
        match node:
            case syntax.Name(name):
                use = names.get(name)
                if use is not None:
                    use.bare = True
            case syntax.Index(syntax.Name(name), key):
                use = names.get(name)
                if use is not None:
                    use.read.add(key)
            case syntax.Index(target):
                parts = [target]
            case syntax.Object(_, fields, computed, binds, asserts):
                own = {"self": uses.get(node), "super": None}
                names = names.new_child(own if "$" in names else own | {"$": own["self"]})
                # a computed key doesn't see the object, but to think so does no harm
                parts += asserts + [one.value for one in (*fields.values(), *computed)]
                parts += [one.key for one in computed if not isinstance(one.key, str)]
                names = bind(binds, names)
            case syntax.Array(items):
                parts = [item.value for item in items]
            case syntax.Repeat(item):
                parts = [item.value]
            case syntax.Sum(parts) | syntax.Operation(parts):
                pass
            case syntax.Call(function, arguments):
                parts = [function, *(argument.value for argument in arguments)]
            case syntax.Function(parameters, body):
                # a default isn't what the parameter always is
                parts, names = [body], bind(parameters, names, fixed=False)
            case syntax.Local(binds, body):
                parts, names = [body], bind(binds, names)
            case syntax.If(condition, yes, no):
                parts = [condition, yes, no]
        waiting += [(part, names) for part in parts]
    return list(uses.values())
