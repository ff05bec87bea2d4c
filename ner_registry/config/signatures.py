"""What a config can set of a class: its constructor's parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

from ner_registry.config.registry import kinds, origin


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
        TypeError: a parameter has no type hint.
    """
    supplied = supplied_to(factory)
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


def supplied_to(factory: Callable[..., Any]) -> tuple[str, ...]:
    """The names of what the framework supplies to a registered part."""
    for kind in kinds().values():
        if factory in kind.parts().values():
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
