"""What an expression makes, and a key of it.

The values are followed as Jsonnet would make them, but only as far as a key asks, and without
computing anything: what depends on a computation is told as not sure.
"""

from __future__ import annotations

from collections.abc import Sequence

from ner_registry.config.positions import syntax
from ner_registry.config.positions.files import Files, Place, Source
from ner_registry.config.positions.values import (
    NO_KEYS,
    Closure,
    Either,
    Hit,
    Items,
    Layer,
    Layers,
    Lazy,
    Lookup,
    Scope,
    Unclear,
    Value,
)


class TooLongError(Exception):
    """The way to a value is too long, or has no end."""


class Resolver:
    """Follows expressions through a config's files, as long as it is allowed to.

    Raises:
        TooLongError: of any method, when the steps are used up.
        RecursionError: of any method, too.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._roots: dict[str, Lazy] = {}
        self._steps = 0

    def allow(self, steps: int) -> None:
        """From now on, that many steps at most."""
        self._steps = steps

    def root(self, source: Source) -> Lazy | None:
        """The expression that a file is; None if it doesn't parse."""
        if source.path not in self._roots and source.tree is not None:
            self._roots[source.path] = Lazy(source.tree, Scope(source))
        return self._roots.get(source.path)

    # --- what an expression makes -------------------------------------------------------------

    def value(self, lazy: Lazy | Value) -> Value:
        """What was put off, now."""
        if not isinstance(lazy, Lazy):
            return lazy
        if lazy.value is None:
            lazy.value = self._evaluate(lazy.node, lazy.scope)
        return lazy.value

    def _spend(self) -> None:
        self._steps -= 1
        if self._steps < 0:
            raise TooLongError

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
                return Unclear() if bound is None else self.value(bound)
            case syntax.Sum(parts):
                return self._sum([self._evaluate(part, scope) for part in parts])
            case syntax.Index(target, key):
                return self._index(self._evaluate(target, scope), key)
            case syntax.Call(function, arguments):
                return self._call(self._evaluate(function, scope), arguments, scope)
            case syntax.If(_, yes, no):
                return Either((self._evaluate(yes, scope), self._evaluate(no, scope)))
            case syntax.Import(path):
                source = self._files.imported(scope.source, path)
                root = None if source is None else self.root(source)
                return Unclear() if root is None else self.value(root)
            case syntax.Repeat(item):
                return Unclear(each=self._item(item, scope, sure=False))
            case syntax.Operation(parts, keeps):
                return Unclear(tuple(Lazy(part, scope) for part in parts)) if keeps else NO_KEYS
        return NO_KEYS

    def _item(self, item: syntax.Argument, scope: Scope, sure: bool = True) -> Hit:
        return Hit(scope.written(item.value, item.at), Lazy(item.value, scope), sure)

    def _sum(self, values: list[Value]) -> Value:
        layers: list[Layer | Value] = []
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
        found = self.look(target, key)
        if not found.clear or not all(hit.sure for hit in found.hits):
            return Unclear(tuple(hit.value for hit in reversed(found.hits)))
        values = tuple(self.value(hit.value) for hit in found.hits)
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

    def made(self, part: Lazy | Value) -> Value:
        """What a part adds to a whole: of a function, what it makes when it is called."""
        value = self.value(part)
        return self._call(value, [], value.scope) if isinstance(value, Closure) else value

    # --- a key of a value ---------------------------------------------------------------------

    def look(self, value: Value, key: str) -> Lookup:
        """What a value has for a key, or a list for an index."""
        self._spend()
        match value:
            case Layers(_, this):
                return self._look_in(value, key, this or value, ())
            case Items(hits):
                at = int(key) if key.isdecimal() and len(key) < 9 else len(hits)
                return Lookup(list(hits[at : at + 1]), settled=at < len(hits), clear=True)
            case Either(options):
                return _either([self.look(option, key) for option in options])
            case Unclear(parts, each):
                looked = [self.look(self.made(part), key).hits for part in reversed(parts)]
                found = [each] if each is not None and key.isdecimal() else []
                found += [hit.given(False) for some in looked for hit in some]
                return Lookup(found, settled=False, clear=False)
        return Lookup([], settled=False, clear=True)

    def _look_in(
        self, part: Layer | Value, key: str, this: Value, under: tuple[Layer | Value, ...]
    ) -> Lookup:
        """``key`` in a part of ``this``, which lies on top of ``under``."""
        match part:
            case Layer(node):
                fields = part.fields(key)
                scope = part.inside(this, Layers(under, this))
                own = key in node.fields
                hits = [
                    Hit(scope.written(x.value, x.at), Lazy(x.value, scope), own) for x in fields
                ]
                return Lookup(hits, settled=own, clear=own or not fields)
            case Layers(layers):
                hits, clear = [], True
                for number in range(len(layers) - 1, -1, -1):
                    self._spend()
                    layer = layers[number]
                    if isinstance(layer, Layer) and not layer.fields(key):
                        continue
                    looked = self._look_in(layer, key, this, under + layers[:number])
                    hits += [hit.given(clear) for hit in looked.hits]
                    clear = clear and looked.clear
                    if looked.settled:
                        return Lookup(hits, settled=True, clear=clear)
                return Lookup(hits, settled=False, clear=clear)
            case Either(options):
                return _either([self._look_in(one, key, this, under) for one in options])
        return self.look(part, key)


def _either(lookups: list[Lookup]) -> Lookup:
    return Lookup(
        [hit for lookup in lookups for hit in lookup.hits],
        settled=all(lookup.settled for lookup in lookups),
        clear=all(lookup.clear for lookup in lookups),
    )
