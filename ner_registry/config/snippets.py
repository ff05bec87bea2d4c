"""The smallest config of a part."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

from ner_registry.config.hints import is_union, kind_of, part_of, unannotated
from ner_registry.config.registry import Registrable
from ner_registry.config.signatures import config_parameters
from ner_registry.config.types import Range


def snippet(kind: type[Registrable], name: str) -> dict[str, Any]:
    """A config that parses: the part's type, and a value for each required key."""
    required = {
        key: example(parameter.hint)
        for key, parameter in config_parameters(kind.registered()[name]).items()
        if parameter.required
    }
    return {"type": name, **required}


def example(hint: Any) -> Any:
    """A value that a type hint allows."""
    base, checks = unannotated(hint)
    ranges = [check for check in checks if isinstance(check, Range)]
    if is_union(base):
        return example(get_args(base)[0])
    if base in (int, float):
        return _number(base, ranges[0] if ranges else Range())
    if base in (str, Any):
        return "..."
    if base is bool:
        return False
    if base is type(None):
        return None
    origin = get_origin(base)
    if origin is list:
        return [example(get_args(base)[0])] * (1 if ranges else 0)
    if origin is tuple:
        return [example(item) for item in get_args(base) if item is not ...]
    if origin is dict:
        return {"name": example(get_args(base)[1])} if ranges else {}
    part = part_of(base)
    kind = kind_of(part)
    if kind is not None:
        return snippet(kind, min(kind.registered(), key=lambda name: (_needs(kind, name), name)))
    if get_origin(base) is Literal:
        return get_args(base)[0]
    return {
        key: example(parameter.hint)
        for key, parameter in config_parameters(part).items()
        if parameter.required
    }


def _needs(kind: type[Registrable], name: str) -> int:
    """How many keys a part requires: the one that needs least makes the shortest example."""
    return sum(p.required for p in config_parameters(kind.registered()[name]).values())


def _number(base: type, bounds: Range) -> float:
    """A number within bounds: 1 if that fits, else one between or beside them."""
    for candidate in (1, bounds.low, bounds.high, 0):
        if candidate is not None and bounds.allows(candidate):
            return int(candidate) if base is int else float(candidate)
    low, high = bounds.low or 0.0, bounds.high
    return math.nextafter(low, math.inf) if high is None else (low + high) / 2
