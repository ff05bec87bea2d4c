"""Keys of local objects that nothing reads."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass, field

from ner_registry.config.positions import syntax


@dataclass(eq=False)
class _Use:
    """How a ``local`` that is an object literal is used."""

    name: str
    node: syntax.Object
    read: set[str] = field(default_factory=set)
    bare: bool = False


def unused_keys(tree: syntax.Node) -> Iterator[tuple[int, str]]:
    """Where such a key is written, and ``defaults.b``.

    Only of an object literal that is read by ``defaults.a`` alone, somewhere: as soon as it is
    used in any other way, any of its keys may be read.
    """
    for use in _uses(tree):
        for key, one in use.node.fields.items() if use.read and not use.bare else []:
            if key not in use.read:
                yield one.at, f"{use.name}.{key}"


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
