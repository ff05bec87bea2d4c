"""Parse: JSON values against signatures, to checked plans; every fault at once.

Nothing is constructed while parsing. A :class:`Plan` knows how, once everything is checked.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import types
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ner_registry.config.registry import Registrable, kinds, nearest, origin
from ner_registry.config.types import Pattern, Range
from ner_registry.errors import ConfigError, Fault

_T = TypeVar("_T")

_SCALARS: dict[Any, tuple[str, str]] = {
    # type hint: (JSON type, what a message calls it)
    bool: ("boolean", "true or false"),
    int: ("number", "a whole number"),
    float: ("number", "a number"),
    str: ("string", "a string"),
    type(None): ("null", "null"),
}


@dataclass(frozen=True)
class Plan:
    """A factory with checked arguments: call it with what the framework supplies.

    Attributes:
        factory: a class, or a function, that makes the part.
        arguments: values for its parameters; nested plans are built when this one is.
        name: its registered name; None for a class that a config doesn't select by name.
        deferred: whether it is handed over as it is, for whoever asked for it to call.
    """

    factory: Callable[..., Any]
    arguments: dict[str, Any]
    name: str | None = None
    deferred: bool = False

    def __call__(self, **supplied: Any) -> Any:
        """The part itself, built from the arguments and what is supplied."""
        arguments = {key: _built(value, supplied) for key, value in self.arguments.items()}
        return self.factory(**supplied, **arguments)

    def filled(self) -> dict[str, Any]:
        """The config that says the same with every default written out."""
        config = {} if self.name is None else {"type": self.name}
        for name, parameter in config_parameters(self.factory).items():
            config[name] = _as_json(self.arguments.get(name, parameter.default))
        return config


@dataclass(frozen=True)
class Parameter:
    """A parameter of a constructor that a config can set."""

    hint: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether a config must set it."""
        return self.default is inspect.Parameter.empty


def parse(cls: type[_T], config: Any) -> Plan:
    """A plan to construct ``cls`` with the arguments that ``config`` gives.

    Args:
        cls: a class whose constructor's type hints say what the config may hold.
        config: what a Jsonnet file evaluated to.

    Raises:
        ConfigError: with every fault, each with its path.
    """
    faults: list[Fault] = []
    plan = _object(cls, config, "", faults)
    if plan is None or faults:
        raise ConfigError(faults)
    return plan


@cache
def config_parameters(factory: Callable[..., Any]) -> dict[str, Parameter]:
    """What a config can set of a factory: its parameters, without the supplied ones."""
    supplied = _supplied(factory)
    is_class = isinstance(factory, type)
    target = factory.__init__ if is_class else factory
    hints = get_type_hints(target, include_extras=True)
    parameters = {}
    for name, parameter in inspect.signature(factory).parameters.items():
        if name in supplied:
            continue
        if name not in hints:
            raise TypeError(f"{origin(factory)}: parameter {name!r} has no type hint")
        parameters[name] = Parameter(hints[name], parameter.default)
    return parameters


def describe(hint: Any) -> str:
    """A type hint in words, as in "expected ..."."""
    base, checks = unannotated(hint)
    if base in _SCALARS:
        words = _SCALARS[base][1]
    elif get_origin(base) is Literal:
        words = "one of " + ", ".join(json.dumps(choice) for choice in get_args(base))
    elif is_union(base):
        words = " or ".join(describe(member) for member in get_args(base))
    elif get_origin(base) is list:
        words = f"a list, each item {describe(get_args(base)[0])}"
    elif get_origin(base) is tuple:
        words = f"a list of {len(get_args(base))}"
    elif get_origin(base) is dict:
        words = f"an object, each value {describe(get_args(base)[1])}"
    elif (kind := kind_of(part_of(base))) is not None:
        words = f'an object with the "type" of a {kind.__name__}'
    elif base is Any:
        words = "anything"
    else:
        words = "an object"
    for check in checks:
        words += f" ({check} of them)" if get_origin(base) in (list, dict) else f" {check}"
    return words


def _value(hint: Any, value: Any, path: str, faults: list[Fault], given: tuple[str, ...]) -> Any:
    """The checked value, its objects turned to plans; appends what is wrong to ``faults``.

    ``given`` are the names supplied to the part whose parameter this is.
    """
    base, checks = unannotated(hint)
    before = len(faults)
    if is_union(base):
        result = _union(base, value, path, faults, given)
    elif _json_type(value) not in _json_types(base):
        faults.append(Fault(path, f"expected {describe(hint)}, got {_shown(value)}"))
        return None
    elif base in _SCALARS or base is Any:
        result = _scalar(base, value, path, faults)
    elif get_origin(base) is Literal:
        result = value
        if value not in get_args(base):
            faults.append(Fault(path, f"expected {describe(base)}, got {_shown(value)}"))
    elif get_origin(base) in (list, tuple):
        result = _items(base, value, path, faults, given)
    elif get_origin(base) is dict:
        of_key, of_value = get_args(base)
        result = {}
        for key, item in value.items():
            _value(of_key, key, join(path, key), faults, given)
            result[key] = _value(of_value, item, join(path, key), faults, given)
    else:
        result = _nested(base, value, path, faults, given)
    if len(faults) == before:
        for check in checks:
            if not check.allows(value):
                faults.append(Fault(path, f"expected {describe(hint)}, got {_shown(value)}"))
    return result


def _union(base: Any, value: Any, path: str, faults: list[Fault], given: tuple[str, ...]) -> Any:
    """By the JSON type alone, never by trying: a fault inside the chosen member is told."""
    json_type = _json_type(value)
    fitting = [m for m in get_args(base) if json_type in _json_types(unannotated(m)[0])]
    if not fitting:
        faults.append(Fault(path, f"expected {describe(base)}, got {_shown(value)}"))
        return None
    if len(fitting) > 1 and json_type not in ("number", "string"):
        raise TypeError(f"{path}: {base} has several members for a JSON {json_type}")
    if json_type == "number" and float in fitting:
        return _value(float, value, path, faults, given)
    literals = [m for m in fitting if get_origin(m) is Literal and value in get_args(m)]
    return _value((literals or fitting[::-1])[0], value, path, faults, given)


def _scalar(base: Any, value: Any, path: str, faults: list[Fault]) -> Any:
    if base is float:
        return float(value)
    if base is int and value != int(value):
        faults.append(Fault(path, f"expected a whole number, got {_shown(value)}"))
        return None
    return int(value) if base is int else value


def _items(base: Any, value: Any, path: str, faults: list[Fault], given: tuple[str, ...]) -> Any:
    hints = list(get_args(base))
    if get_origin(base) is list or hints[-1] is ...:
        hints = hints[:1] * len(value)
    elif len(hints) != len(value):
        faults.append(Fault(path, f"expected {describe(base)}, got {_shown(value)}"))
        return None
    items = [
        _value(hint, item, join(path, str(index)), faults, given)
        for index, (hint, item) in enumerate(zip(hints, value, strict=True))
    ]
    return items if get_origin(base) is list else tuple(items)


def _nested(base: Any, value: Any, path: str, faults: list[Fault], given: tuple[str, ...]) -> Any:
    """A plan for a registered kind, a plain class, or a callable that makes one."""
    part = part_of(base)
    deferred = part is not base
    kind = kind_of(part)
    if kind is None:
        return _object(part, value, path, faults)
    missing = set(kind.supplied) - set(given)
    if missing and not deferred:
        raise TypeError(
            f"{path}: a {kind.__name__} needs {', '.join(sorted(missing))}; "
            f"ask for a Callable[..., {kind.__name__}] and call it with that"
        )
    name = value.get("type")
    if not isinstance(name, str):
        names = ", ".join(sorted(kind.parts()))
        got = "no such key" if "type" not in value else _shown(name)
        message = f'expected the "type" of a {kind.__name__} ({names}), got {got}'
        faults.append(Fault(join(path, "type"), message))
        return None
    factory = kind.parts().get(name)
    if factory is None:
        faults.append(Fault(join(path, "type"), _unknown(kind, name)))
        return None
    arguments = {key: item for key, item in value.items() if key != "type"}
    plan = _object(factory, arguments, path, faults)
    return plan and dataclasses.replace(plan, name=name, deferred=deferred)


def _object(factory: Callable[..., Any], value: Any, path: str, faults: list[Fault]) -> Plan | None:
    """A plan to call ``factory`` with what the object ``value`` holds."""
    if not isinstance(value, dict):
        faults.append(Fault(path, f"expected an object, got {_shown(value)}"))
        return None
    parameters = config_parameters(factory)
    supplied = _supplied(factory)
    arguments = {}
    meant = set()  # required keys that a misspelt one stands for: one fault, not two
    for key, item in value.items():
        if key in parameters:
            hint = parameters[key].hint
            arguments[key] = _value(hint, item, join(path, key), faults, supplied)
        elif key in supplied:
            message = "follows from the other parts: leave it out"
            faults.append(Fault(join(path, key), message))
        else:
            near = nearest(key, parameters)
            meant.add(near)
            hint = f"; did you mean {near!r}?" if near else _listed(parameters)
            faults.append(Fault(join(path, key), f"not a key of {factory.__qualname__}{hint}"))
    for key, parameter in parameters.items():
        if parameter.required and key not in value and key not in meant:
            message = f"required: expected {describe(parameter.hint)}, got no such key"
            faults.append(Fault(join(path, key), message))
    return Plan(factory, arguments)


def _unknown(kind: type[Registrable], name: str) -> str:
    for other in kinds().values():
        if name in other.parts():
            return f"{name!r} is a {other.__name__}, not a {kind.__name__}{_listed(kind.parts())}"
    near = nearest(name, kind.parts())
    hint = f"; did you mean {near!r}?" if near else _listed(kind.parts())
    return f"no {kind.__name__} is registered as {name!r}{hint}"


def _listed(names: Any) -> str:
    return f" (there are: {', '.join(sorted(names))})" if names else ""


def join(path: str, key: str) -> str:
    """A config path, one key deeper."""
    return f"{path}.{key}" if path else key


def _built(value: Any, supplied: dict[str, Any]) -> Any:
    """``value`` with the plans in it built, but for those handed over as they are."""
    if isinstance(value, Plan):
        if value.deferred:
            return value
        return value(**{key: supplied[key] for key in _supplied(value.factory)})
    if isinstance(value, dict):
        return {key: _built(item, supplied) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_built(item, supplied) for item in value)
    return value


def _as_json(value: Any) -> Any:
    if isinstance(value, Plan):
        return value.filled()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _as_json({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    return value


def _supplied(factory: Callable[..., Any]) -> tuple[str, ...]:
    for kind in kinds().values():
        if factory in kind.parts().values():
            return kind.supplied
    return ()


def unannotated(hint: Any) -> tuple[Any, list[Range | Pattern]]:
    """A hint without its annotations, and those of them that check a value."""
    if get_origin(hint) is not Annotated:
        return hint, []
    base, *notes = get_args(hint)
    return base, [note for note in notes if isinstance(note, Range | Pattern)]


def is_union(base: Any) -> bool:
    """Whether a hint is a union."""
    return get_origin(base) in (Union, types.UnionType)


def part_of(base: Any) -> Any:
    """What a ``Callable[..., Part]`` makes; any other hint itself."""
    return get_args(base)[-1] if get_origin(base) is get_origin(Callable[..., Any]) else base


def kind_of(base: Any) -> type[Registrable] | None:
    """The kind of a registrable class; None for a plain one."""
    is_kind = isinstance(base, type) and Registrable in base.__bases__
    return base if is_kind else None


def _json_type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if value is None:
        return "null"
    return "array" if isinstance(value, list) else "object"


def _json_types(base: Any) -> set[str]:
    """The JSON types that a hint, without its annotations, accepts."""
    if base is Any:
        return {"boolean", "number", "string", "null", "array", "object"}
    if base in _SCALARS:
        return {_SCALARS[base][0]}
    if get_origin(base) is Literal:
        return {_json_type(choice) for choice in get_args(base)}
    if is_union(base):
        return set().union(*(_json_types(unannotated(m)[0]) for m in get_args(base)))
    if get_origin(base) in (list, tuple):
        return {"array"}
    return {"object"}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
