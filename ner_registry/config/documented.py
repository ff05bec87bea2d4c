"""What a registered part tells of itself: its docstring, and the keys that a config can set."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from ner_registry.config.hints import describe
from ner_registry.config.plan import as_json
from ner_registry.config.signatures import Parameter, config_parameters, documentation_of


class Key(NamedTuple):
    """A key of a part, each of its fields for the eye.

    Attributes:
        name: the key.
        expected: what its value may be.
        default: as JSON, or ``required``.
        meaning: what its docstring says of it.
    """

    name: str
    expected: str
    default: str
    meaning: str


def keys_of(part: Callable[..., Any]) -> list[Key]:
    """The keys that a config can set of a part, in the order of its signature."""
    told = documentation_of(part)
    return [
        Key(name, describe(parameter.hint), _default(parameter), told.get(name, ""))
        for name, parameter in config_parameters(part).items()
    ]


def summary_of(part: Callable[..., Any]) -> str:
    """The first line of a part's docstring."""
    return (inspect.getdoc(part) or "").partition("\n")[0]


def text_of(part: Callable[..., Any]) -> str:
    """A part's docstring, without what it says of each key."""
    documentation = inspect.getdoc(part) or "It has no documentation."
    return documentation.partition("\nArgs:")[0].strip()


def _default(parameter: Parameter) -> str:
    return (
        "required" if parameter.required else json.dumps(as_json(parameter.default), default=repr)
    )
