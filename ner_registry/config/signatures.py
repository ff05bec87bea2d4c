"""What a config can set of a class: its constructor's parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

from ner_registry.config.hints import describe
from ner_registry.config.registry import kinds, origin
from ner_registry.errors import ConfigError, Fault


@dataclass(frozen=True)
class Parameter:
    """A parameter of a constructor that a config can set."""

    hint: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether a config must set it."""
        return self.default is inspect.Parameter.empty


@cache
def config_parameters(factory: Callable[..., Any]) -> dict[str, Parameter]:
    """What a config can set of a factory: its parameters, without the supplied ones.

    Raises:
        ConfigError: a parameter has no type hint, or one that isn't there at run time.
    """
    supplied = supplied_to(factory)
    is_class = isinstance(factory, type)
    target: Any = factory.__init__ if is_class else factory
    parameters = {}
    for name, parameter in inspect.signature(factory).parameters.items():
        if name not in supplied:
            if parameter.annotation is inspect.Parameter.empty:
                raise _at_fault(factory, name, f"has no type hint, such as {name}: int")
            hint = _resolved(factory, name, parameter.annotation, target.__globals__)
            parameters[name] = Parameter(hint, parameter.default)
    return parameters


def _resolved(
    factory: Callable[..., Any], name: str, annotation: Any, names: dict[str, Any]
) -> Any:
    """A hint as an object; only those that a config can set, so the others may be for types."""
    holder = type("holder", (), {"__annotations__": {name: annotation}})
    try:
        hint = get_type_hints(holder, globalns=names, include_extras=True)[name]
        describe(hint)
    except (NameError, TypeError, ValueError, IndexError) as error:
        raise _at_fault(factory, name, f"has a type hint that no config fits: {error}") from None
    return hint


def _at_fault(factory: Callable[..., Any], name: str, what: str) -> ConfigError:
    return ConfigError([Fault("", f"{origin(factory)}: its parameter {name!r} {what}")])


def supplied_to(factory: Callable[..., Any]) -> tuple[str, ...]:
    """The names of what the framework supplies to a registered part."""
    for kind in kinds().values():
        if factory in kind.registered().values():
            return kind.supplied
    return ()


def documentation_of(factory: Callable[..., Any]) -> dict[str, str]:
    """What a docstring's ``Args:`` or ``Attributes:`` says of each key, in one line each."""
    section = re.search(
        r"^(?:Args|Attributes):\n((?:(?: {4}.*)?\n?)+)",
        inspect.getdoc(factory) or "",
        re.MULTILINE,
    )
    if section is None:
        return {}
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", section[1], re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
