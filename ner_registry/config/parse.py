"""Parse: JSON values against signatures, to checked plans; every fault at once.

Nothing is constructed while parsing. A :class:`Plan` knows how, once everything is checked.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Collection, Iterator
from typing import Any, Literal, get_args, get_origin

from ner_registry.config.elsewhere import ALLENNLP, ALLENNLP_TYPES, SCHEMES
from ner_registry.config.hints import (
    SCALARS,
    a,
    describe,
    is_union,
    json_type,
    json_types,
    kind_of,
    part_of,
    unannotated,
)
from ner_registry.config.plan import Plan, as_json
from ner_registry.config.registry import Registrable, kinds, nearest, origin
from ner_registry.config.signatures import Parameter, config_parameters, supplied_to
from ner_registry.errors import ConfigError, Fault


def parse(cls: type[Any], config: Any) -> Plan:
    """A plan to construct ``cls`` with the arguments that ``config`` gives.

    Args:
        cls: a class whose constructor's type hints say what the config may hold.
        config: what a Jsonnet file evaluated to.

    Raises:
        ConfigError: with every fault, each with its path.
    """
    parser = _Parser(cls, as_json(config))
    plan = parser.object(cls, parser.config, "")
    if plan is None or parser.faults:
        raise ConfigError(parser.faults)
    return plan


class _Parser:
    """Checks one config; what is wrong with it gathers in ``faults``."""

    def __init__(self, root: type[Any], config: Any) -> None:
        self.root = root
        self.config = config
        self.faults: list[Fault] = []

    def fault(self, path: str, message: str) -> None:
        self.faults.append(Fault(path, message))

    def expected(self, path: str, hint: Any, value: Any) -> None:
        self.fault(path, f"expected {describe(hint)}, got {_shown(value)}")

    def value(self, hint: Any, value: Any, path: str, given: Collection[str]) -> Any:
        """The checked value, its objects turned to plans.

        ``given`` are the names supplied to the part whose parameter this is.
        """
        base, checks = unannotated(hint)
        if is_union(base):
            return self.union(base, value, path, given)
        if json_type(value) not in json_types(base):
            self.expected(path, hint, value)
            return None
        before = len(self.faults)
        result = self.checked(base, value, path, given)
        fine = len(self.faults) == before and value is not None
        if fine and not all(check.allows(value) for check in checks):
            self.expected(path, hint, value)
        return result

    def checked(self, base: Any, value: Any, path: str, given: Collection[str]) -> Any:
        """A value whose JSON type is right."""
        if base is float:
            if not math.isfinite(value):
                self.fault(path, f"expected a finite number, got {value}")
            return float(value)
        if base is int:
            if not math.isfinite(value) or value != int(value):
                self.expected(path, int, value)
                return None
            return int(value)
        if base in SCALARS or base is Any:
            return value
        if get_origin(base) is Literal:
            if value not in get_args(base):
                same = SCHEMES.get(value) if isinstance(value, str) else None
                hint = f"; that is {same!r} here" if same in get_args(base) else ""
                self.fault(path, f"expected {describe(base)}, got {_shown(value)}{hint}")
            return value
        if get_origin(base) in (list, tuple):
            return self.items(base, value, path, given)
        if get_origin(base) is dict:
            of_key, of_value = get_args(base)
            for key in value:
                self.value(of_key, key, join(path, key), given)
            return {k: self.value(of_value, v, join(path, k), given) for k, v in value.items()}
        return self.nested(base, value, path, given)

    def union(self, base: Any, value: Any, path: str, given: Collection[str]) -> Any:
        """By the JSON type alone, never by trying: a fault inside the chosen member is told."""
        members = [m for m in get_args(base) if json_type(value) in json_types(m)]
        if json_type(value) == "number" and len(members) > 1:
            # int and float side by side: what JSON writes whole is whole
            whole = isinstance(value, int)
            members.sort(key=lambda m: (unannotated(m)[0] is int) != whole)
            members = members[:1]
        if Any in members:
            return value
        literals = [m for m in members if get_origin(m) is Literal]
        others = [m for m in members if get_origin(m) is not Literal]
        if any(value in get_args(m) for m in literals):
            return value
        if not others:
            self.expected(path, base, value)
            return None
        if len(others) > 1:
            raise TypeError(f"{path}: {base} has several members for a JSON {json_type(value)}")
        return self.value(others[0], value, path, given)

    def items(self, base: Any, value: Any, path: str, given: Collection[str]) -> Any:
        """A list or tuple."""
        hints = list(get_args(base))
        if get_origin(base) is list or hints[-1] is ...:
            hints = hints[:1] * len(value)
        elif len(hints) != len(value):
            self.expected(path, base, value)
            return None
        items = [
            self.value(hint, item, join(path, str(index)), given)
            for index, (hint, item) in enumerate(zip(hints, value, strict=True))
        ]
        return items if get_origin(base) is list else tuple(items)

    def nested(self, base: Any, value: Any, path: str, given: Collection[str]) -> Plan | None:
        """A plan for a registered kind, a plain class, or a callable that makes one."""
        part = part_of(base)
        deferred = part is not base
        kind = kind_of(part)
        missing = set(kind.supplied if kind else supplied_to(part)) - set(given)
        if missing and not deferred:
            raise TypeError(
                f"{path}: a {part.__name__} needs {', '.join(sorted(missing))}; "
                f"ask for a Callable[..., {part.__name__}] and call it with that"
            )
        if kind is None:
            plan = self.object(part, value, path)
            return plan and dataclasses.replace(plan, deferred=deferred)
        name = value.get("type")
        if not isinstance(name, str):
            got = "no such key" if "type" not in value else _shown(name)
            message = f'expected the "type" of {a(kind)}{listed(kind.registered())}, got {got}'
            self.fault(join(path, "type"), message)
            return None
        factory = kind.registered().get(name)
        if factory is None:
            self.fault(join(path, "type"), _unknown_part(kind, name))
            return None
        arguments = {key: item for key, item in value.items() if key != "type"}
        plan = self.object(factory, arguments, path)
        return plan and dataclasses.replace(plan, name=name, deferred=deferred)

    def object(self, factory: Callable[..., Any], value: Any, path: str) -> Plan | None:
        """A plan to call ``factory`` with what an object holds."""
        if not isinstance(value, dict):
            self.fault(path, f"expected an object, got {_shown(value)}")
            return None
        parameters = config_parameters(factory)
        supplied = supplied_to(factory)
        arguments = {}
        meant = set()  # required keys that a misspelt one stands for: one fault, not two
        for key, item in value.items():
            here = join(path, key)
            if key in parameters:
                arguments[key] = self.value(parameters[key].hint, item, here, supplied)
            elif key in supplied:
                self.fault(here, "follows from the other parts: leave it out")
            else:
                near = nearest(key, parameters)
                places = self.places_of(key, path)
                if not places:
                    meant.add(near)
                self.fault(here, unknown_key(key, factory, places, near))
        for key, parameter in parameters.items():
            if key in value:
                continue
            if not parameter.required:
                self.default(parameter, factory, join(path, key), supplied)
            elif key not in meant:
                message = f"required: expected {describe(parameter.hint)}, got no such key"
                self.fault(join(path, key), message)
        return Plan(factory, arguments, path)

    def default(
        self, parameter: Parameter, factory: Callable[..., Any], path: str, given: Collection[str]
    ) -> None:
        """A default is part of the filled config, so it must be what its own hint allows."""
        before = len(self.faults)
        self.value(parameter.hint, as_json(parameter.default), path, given)
        if len(self.faults) > before:
            told = self.faults[before].message
            del self.faults[before:]
            self.fault(path, f"the default of {origin(factory)} isn't what it allows: {told}")

    def places_of(self, key: str, path: str) -> list[str]:
        """Where else in this config there is, or may be, an object with such a key."""
        objects = _objects(self.root, self.config, "")
        return [place for place, keys in objects if key in keys and place != path]


def unknown_key(
    key: str, factory: Callable[..., Any], places: Collection[str], near: str | None
) -> str:
    """What was meant by a key that isn't one: ours for AllenNLP's, elsewhere, misspelt."""
    if key in ALLENNLP:
        is_needless = ALLENNLP[key].startswith("leave it out")
        told = "isn't needed here" if is_needless else "has another name here"
        return f"AllenNLP's {key!r} {told}: {ALLENNLP[key]}"
    if places:
        where = " or ".join(place or "the top level" for place in places)
        return f"{key!r} belongs under {where}"
    is_part = any(factory in kind.registered().values() for kind in kinds().values())
    hint = f"; did you mean {near!r}?" if near else listed(config_parameters(factory))
    return f"not a key {f'of {factory.__qualname__}' if is_part else 'here'}{hint}"


def _objects(hint: Any, value: Any, path: str) -> Iterator[tuple[str, set[str]]]:
    """Every object that a config has or may have: its path, and the keys it may hold."""
    base, _ = unannotated(hint)
    if is_union(base):
        for member in get_args(base):
            yield from _objects(member, value, path)
    elif get_origin(base) is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from _objects(get_args(base)[1], item, join(path, key))
    elif get_origin(base) is list and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _objects(get_args(base)[0], item, join(path, str(index)))
    elif "object" in json_types(base) and base is not Any and get_origin(base) is not dict:
        part = part_of(base)
        kind = kind_of(part)
        keys = value if isinstance(value, dict) else {}
        named = keys.get("type") if kind else None
        if kind is None:
            factories = [part]
        else:
            known = kind.registered()
            factories = [known[named]] if named in known else list(known.values())
        yield path, {key for factory in factories for key in config_parameters(factory)}
        if len(factories) == 1:
            for key, parameter in config_parameters(factories[0]).items():
                yield from _objects(parameter.hint, keys.get(key), join(path, key))


def _unknown_part(kind: type[Registrable], name: str) -> str:
    told = f"no {kind.__name__} is registered as {name!r}"
    if name in ALLENNLP_TYPES:
        return f"{told}: AllenNLP's is {ALLENNLP_TYPES[name]}"
    for other in kinds().values():
        if name in other.registered():
            return f"{name!r} is {a(other)}, not {a(kind)}{listed(kind.registered())}"
    near = nearest(name, kind.registered())
    own = "a part of your own needs --include-package"
    if near is not None:
        return f"{told}; did you mean {near!r}? ({own})"
    return f"{told}{listed(kind.registered())}: {own}"


def listed(names: Collection[str]) -> str:
    """``(there are: a, b)``, to end a message with."""
    return f" (there are: {', '.join(sorted(names))})" if names else ""


def join(path: str, key: str) -> str:
    """A config path, one key deeper."""
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 60 else f"{text[:57]}..."
