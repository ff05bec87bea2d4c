"""What components there are, and what each takes."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any

from tabulate import tabulate

import ner_registry.build  # noqa: F401  # imported for what it registers
from ner_registry.config.plan import config_parameters, describe
from ner_registry.config.registry import (
    Registrable,
    import_packages,
    import_plugins,
    kinds,
    nearest,
    origin,
)
from ner_registry.config.snippets import snippet
from ner_registry.errors import NerError


def show(
    kind: str | None = None, name: str | None = None, *, include_packages: Sequence[str] = ()
) -> str:
    """Every kind; the components of a kind; or one component.

    Raises:
        NerError: there is no such kind or component.
    """
    import_plugins()
    import_packages(include_packages)
    if kind is None:
        return tabulate(
            [[k, _first_line(cls)] for k, cls in sorted(kinds().items())], tablefmt="plain"
        )
    if kind not in kinds():
        raise NerError(f"no kind of component is named {kind!r}{_hint(kind, kinds())}")
    parts = kinds()[kind].parts()
    if name is None:
        rows = [[n, _first_line(part), _source(part)] for n, part in sorted(parts.items())]
        return tabulate(rows, tablefmt="plain")
    if name not in parts:
        raise NerError(f"no {kind} is registered as {name!r}{_hint(name, parts)}")
    return _component(kinds()[kind], name, parts[name])


def _component(kind: type[Registrable], name: str, part: Callable[..., Any]) -> str:
    rows = [
        [key, describe(p.hint), "required" if p.required else json.dumps(p.default)]
        for key, p in config_parameters(part).items()
    ]
    config = json.dumps(snippet(kind, name), indent=2)
    arguments = tabulate(rows, ["key", "expected", "default"]) if rows else "It takes no keys."
    return "\n\n".join(
        [
            f"{name}, a {kind.__name__}: {origin(part)} ({_source(part)})",
            inspect.getdoc(part) or "It has no documentation.",
            arguments,
            config,
        ]
    )


def _first_line(part: Any) -> str:
    return (inspect.getdoc(part) or "").partition("\n")[0]


def _source(part: Callable[..., Any]) -> str:
    package = part.__module__.split(".")[0]
    return "built in" if package == "ner_registry" else f"from {package}"


def _hint(name: str, candidates: Any) -> str:
    near = nearest(name, candidates)
    return f"; did you mean {near!r}?" if near else f" (there are: {', '.join(sorted(candidates))})"
