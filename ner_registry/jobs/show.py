"""What components there are, and what each takes."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Sequence
from textwrap import indent
from typing import Any

from tabulate import tabulate

from ner_registry.build import Experiment, parse_experiment
from ner_registry.config.defaults import leaves
from ner_registry.config.documented import keys_of, summary_of, text_of
from ner_registry.config.hints import a
from ner_registry.config.registry import (
    Registrable,
    import_packages,
    import_plugins,
    kinds,
    nearest,
    origin,
)
from ner_registry.config.schema import schema_text
from ner_registry.config.snippets import snippet
from ner_registry.config.source import ConfigSource
from ner_registry.errors import ConfigError, NerError


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
            [[k, summary_of(cls)] for k, cls in sorted(kinds().items())], tablefmt="plain"
        )
    if kind not in kinds():
        raise NerError(f"no kind of component is named {kind!r}{_hint(kind, kinds())}")
    parts = kinds()[kind].registered()
    if name is None:
        rows = [[n, summary_of(part), _source(part)] for n, part in sorted(parts.items())]
        return "\n\n".join([tabulate(rows, tablefmt="plain"), *_duties(kinds()[kind])])
    if name not in parts:
        raise NerError(f"no {kind} is registered as {name!r}{_hint(name, parts)}")
    return _component(kinds()[kind], name, parts[name])


def show_config(source: ConfigSource, *, include_packages: Sequence[str] = ()) -> str:
    """A config with every default written out, and where each value comes from.

    Raises:
        ConfigError: with every fault of the config.
    """
    try:
        plan = parse_experiment(source.value, include_packages)
    except ConfigError as error:
        raise source.placed(error) from None
    rows = []
    for path, value in leaves(plan.filled()):
        came = source.locate(path) if _holds(source.value, path.split(".")) else "default"
        rows.append([path, json.dumps(value), came])
    return tabulate(rows, ["key", "value", "from"], disable_numparse=True)


def show_schema(*, include_packages: Sequence[str] = ()) -> str:
    """The JSON Schema of a config."""
    import_plugins()
    import_packages(include_packages)
    return schema_text(Experiment)


def _holds(value: Any, keys: Sequence[str]) -> bool:
    """Whether a config says something at a path."""
    if not keys:
        return True
    return isinstance(value, dict) and keys[0] in value and _holds(value[keys[0]], keys[1:])


def _duties(kind: type[Registrable]) -> Iterator[str]:
    """What a part of a kind must have and may have."""
    yield f"Each is a {origin(kind)}:\n{indent(text_of(kind), '  ')}"
    for name in (name for name in vars(kind) if not name.startswith("_")):
        member = getattr(kind, name)
        if inspect.isroutine(member):
            heading = f"{name}{inspect.signature(member)}".replace("'", "")
        elif isinstance(member, property):
            heading = f"{name}, a property"
        else:
            continue
        yield f"{heading}\n{indent(inspect.getdoc(member) or '', '  ')}"


def _component(kind: type[Registrable], name: str, part: Callable[..., Any]) -> str:
    rows = keys_of(part)
    config = json.dumps(snippet(kind, name), indent=2)
    headers = ["key", "expected", "default", "meaning"]
    arguments = tabulate(rows, headers, maxcolwidths=[None, 30, None, 50], disable_numparse=True)
    return "\n\n".join(
        [
            f"{name}, {a(kind)}: {origin(part)} ({_source(part)})\n{_place(part)}",
            text_of(part),
            arguments if rows else "It takes no keys.",
            f"The least that it needs:\n{config}",
        ]
    )


def _place(part: Callable[..., Any]) -> str:
    """File and line where a part is defined."""
    return f"{inspect.getsourcefile(part)}:{inspect.getsourcelines(part)[1]}"


def _source(part: Callable[..., Any]) -> str:
    package = part.__module__.split(".")[0]
    return "built in" if package == "ner_registry" else f"from {package}"


def _hint(name: str, candidates: Any) -> str:
    near = nearest(name, candidates)
    return f"; did you mean {near!r}?" if near else f" (there are: {', '.join(sorted(candidates))})"
