"""Which values of a config are its parts' own defaults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ner_registry.config.parse import join
from ner_registry.config.plan import Plan, as_json
from ner_registry.config.signatures import config_parameters


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a config that aren't objects, or are empty ones, by dotted path."""
    if not isinstance(value, dict) or not value:
        yield path, value
    else:
        for key, item in value.items():
            yield from leaves(item, join(path, key))


def defaults_of(plan: Plan, path: str = "") -> dict[str, Any]:
    """The defaults of a config's keys by dotted path; what must be set has none."""
    found: dict[str, Any] = {}
    for name, parameter in config_parameters(plan.factory).items():
        here = join(path, name)
        given = plan.arguments.get(name)
        if not parameter.required:
            default = as_json(parameter.default)
            found |= leaves(default, here)
            if isinstance(given, Plan) and given.name is not None:
                chosen = default.get("type") if isinstance(default, dict) else None
                found[join(here, "type")] = chosen
        if isinstance(given, Plan):
            found |= defaults_of(given, here)
        elif isinstance(given, dict):
            for key, item in given.items():
                if isinstance(item, Plan):
                    found |= defaults_of(item, join(here, key))
    return found
