"""JSON Schema of a config, from the same signatures that the parse reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from ner_registry.config.hints import SCALARS, is_union, json_types, kind_of, part_of, unannotated
from ner_registry.config.plan import as_json
from ner_registry.config.registry import Registrable
from ner_registry.config.signatures import config_parameters, documentation_of
from ner_registry.config.types import Pattern, Range

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(cls: type[Any]) -> dict[str, Any]:
    """A schema, of draft 2020-12, for configs that :func:`parse` takes for ``cls``.

    Every part that is registered now has a definition of its own, ``KIND.NAME``.
    """
    definitions: dict[str, Any] = {}
    root = _object(cls, definitions)
    return (
        {"$schema": DIALECT, "title": f"{cls.__name__} of ner-run"} | root | {"$defs": definitions}
    )


def _object(factory: Callable[..., Any], definitions: dict[str, Any]) -> dict[str, Any]:
    told = documentation_of(factory)
    parameters = config_parameters(factory)
    properties = {}
    for name, parameter in parameters.items():
        properties[name] = _hint(parameter.hint, definitions)
        if name in told:
            properties[name] = properties[name] | {"description": told[name]}
        if not parameter.required:
            properties[name] = properties[name] | {"default": as_json(parameter.default)}
    return {
        "type": "object",
        "description": " ".join((factory.__doc__ or "").partition("\n")[0].split()),
        "properties": properties,
        "required": [name for name, parameter in parameters.items() if parameter.required],
        "additionalProperties": False,
    }


def _hint(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    base, checks = unannotated(hint)
    schema = _base(base, definitions)
    for check in checks:
        schema = schema | (_bounds(check, base) if isinstance(check, Range) else _form(check))
    return schema


def _base(base: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if base is Any:
        return {}
    if base is int:
        return {"type": "integer"}
    if base in SCALARS:
        return {"type": SCALARS[base][0]}
    if get_origin(base) is Literal:
        return {"enum": list(get_args(base))}
    if is_union(base):
        return {"anyOf": [_hint(member, definitions) for member in get_args(base)]}
    if get_origin(base) is list or (get_origin(base) is tuple and get_args(base)[-1] is ...):
        return {"type": "array", "items": _hint(get_args(base)[0], definitions)}
    if get_origin(base) is tuple:
        items = [_hint(item, definitions) for item in get_args(base)]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "items": False}
    if get_origin(base) is dict:
        of_key, of_value = (_hint(item, definitions) for item in get_args(base))
        return {"type": "object", "propertyNames": of_key, "additionalProperties": of_value}
    part = part_of(base)
    kind = kind_of(part)
    if kind is not None:
        return _kind(kind, definitions)
    name = part.__name__
    if name not in definitions:
        definitions[name] = {}  # it may hold itself
        definitions[name] = _object(part, definitions)
    return {"$ref": f"#/$defs/{name}"}


def _kind(kind: type[Registrable], definitions: dict[str, Any]) -> dict[str, Any]:
    """One of the kind's parts, told apart by ``type``, so that a fault is that part's own."""
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {
            "type": "object",
            "properties": {"type": {"enum": sorted(kind.registered())}},
            "required": ["type"],
            "allOf": [
                {
                    "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                    "then": {"$ref": f"#/$defs/{kind.__name__}.{name}"},
                }
                for name in sorted(kind.registered())
            ],
        }
        for name, part in sorted(kind.registered().items()):
            schema = _object(part, definitions)
            schema["properties"] = {"type": {"const": name}} | schema["properties"]
            schema["required"] = ["type", *schema["required"]]
            definitions[f"{kind.__name__}.{name}"] = schema
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _bounds(bounds: Range, base: Any) -> dict[str, Any]:
    """A range, by the keywords for numbers, lists or objects."""
    json_type = min(json_types(base))
    if json_type != "number":
        what = {"array": "Items", "object": "Properties", "string": "Length"}[json_type]
        limits = {f"min{what}": bounds.low, f"max{what}": bounds.high}
    else:
        limits = {
            "exclusiveMinimum" if bounds.above else "minimum": bounds.low,
            "exclusiveMaximum" if bounds.below else "maximum": bounds.high,
        }
    return {key: limit for key, limit in limits.items() if limit is not None}


def _form(pattern: Pattern) -> dict[str, Any]:
    return {"pattern": f"^(?:{pattern.regex})$", "description": pattern.meaning}


def schema_text(cls: type[Any]) -> str:
    """The schema as indented JSON."""
    return json.dumps(schema_of(cls), indent=2, ensure_ascii=False)
