"""Type hints, as far as a config goes: what JSON they accept, and how to say so."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ner_registry.config.registry import Registrable
from ner_registry.config.types import Pattern, Range

SCALARS: dict[Any, tuple[str, str]] = {
    # type hint: (JSON type, what a message calls it)
    bool: ("boolean", "true or false"),
    int: ("number", "a whole number"),
    float: ("number", "a number"),
    str: ("string", "a string"),
    type(None): ("null", "null"),
}


def describe(hint: Any) -> str:
    """A type hint in words, as in "expected ..."."""
    base, checks = unannotated(hint)
    if base in SCALARS:
        words = SCALARS[base][1]
    elif get_origin(base) is Literal:
        words = "one of " + ", ".join(json.dumps(choice) for choice in get_args(base))
    elif is_union(base):
        words = " or ".join(describe(member) for member in get_args(base))
    elif get_origin(base) is list or (get_origin(base) is tuple and get_args(base)[-1] is ...):
        words = f"a list, each item {describe(get_args(base)[0])}"
    elif get_origin(base) is tuple:
        words = f"a list of {len(get_args(base))}"
    elif get_origin(base) is dict:
        words = f"an object, each value {describe(get_args(base)[1])}"
    elif (kind := kind_of(part_of(base))) is not None:
        words = f'an object with the "type" of {a(kind)}'
    elif base is Any:
        words = "anything"
    elif is_object(part_of(base)):
        words = "an object"
    else:
        raise TypeError(
            f"{getattr(base, '__name__', base)}: use bool, int, float, str, Literal, list[...], "
            "tuple[...], dict[str, ...], a class with type hints, or a union of these"
        )
    for check in checks:
        words += f" ({check} of them)" if get_origin(base) in (list, tuple, dict) else f" {check}"
    return words


def a(kind: type[Any]) -> str:
    """The name of a class after its article."""
    return f"{'an' if kind.__name__[0] in 'AEIOU' else 'a'} {kind.__name__}"


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
    is_callable = get_origin(base) is get_origin(Callable[..., Any]) and get_args(base)
    return get_args(base)[-1] if is_callable else base


def is_object(base: Any) -> bool:
    """Whether an object of a config can stand for it: a class whose parameters have names."""
    if not (
        isinstance(base, type) and inspect.isfunction(inspect.getattr_static(base, "__init__"))
    ):
        return False
    parameters = inspect.signature(base).parameters.values()
    return all(p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def kind_of(base: Any) -> type[Registrable] | None:
    """The kind of a registrable class; None for a plain one."""
    is_kind = isinstance(base, type) and Registrable in base.__bases__
    return base if is_kind else None


def json_type(value: Any) -> str:
    """The JSON type of a value, by its name in JSON Schema; whole numbers are numbers."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if value is None:
        return "null"
    return "array" if isinstance(value, list) else "object"


def json_types(hint: Any) -> set[str]:
    """The JSON types that a hint accepts."""
    base, _ = unannotated(hint)
    if base is Any:
        return {"boolean", "number", "string", "null", "array", "object"}
    if base in SCALARS:
        return {SCALARS[base][0]}
    if get_origin(base) is Literal:
        return {json_type(choice) for choice in get_args(base)}
    if is_union(base):
        return set().union(*(json_types(member) for member in get_args(base)))
    if get_origin(base) in (list, tuple):
        return {"array"}
    return {"object"}
