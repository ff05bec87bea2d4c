"""A config with where each of its values came from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ner_registry.config import jsonnet
from ner_registry.config.positions import Positions
from ner_registry.errors import ConfigError, Fault


@dataclass(frozen=True)
class ConfigSource:
    """A config and what it was made from.

    Attributes:
        path: the config file.
        value: what it evaluated to, changed as the command line says.
        changes: config paths that the command line set, each with the flag that did; the last
            one that fits a path is the one that counts.
    """

    path: str
    value: dict[str, Any]
    changes: tuple[tuple[str, str], ...] = ()

    @cached_property
    def _positions(self) -> Positions:
        return Positions(self.path)

    def locate(self, path: str) -> str:
        """Where the value at a config path was written; for one that is missing, what lacks it."""
        for changed, flag in reversed(self.changes):
            if path == changed or path.startswith(f"{changed}."):
                return flag
        position = self._positions.find(path.split(".") if path else [])
        if position is None:
            return self.path
        place = f"{position.file}:{position.line}:{position.column}"
        return place if position.exact else f"{place} (near)"

    def unused_keys(self) -> list[tuple[str, str]]:
        """Keys of local objects that nothing uses, as far as that is certain: place and key."""
        unused = self._positions.unused_local_keys()
        return [(f"{p.file}:{p.line}:{p.column}", key) for p, key in unused]

    def placed(self, error: ConfigError) -> ConfigError:
        """The same faults, each placed where its value was written."""
        return ConfigError([self._placed(fault) for fault in error.faults])

    def _placed(self, fault: Fault) -> Fault:
        if fault.location is not None:
            return fault
        place = self.locate(fault.path)
        variable = _variable_at(place)
        came = f" (from the environment variable {variable})" if variable else ""
        return replace(fault, location=place, message=f"{fault.message}{came}")


def read_config(
    path: str | Path, overrides: Iterable[str] = (), settings: Iterable[str] = ()
) -> ConfigSource:
    """Evaluates a config file and applies what the command line changes.

    Args:
        path: a Jsonnet or JSON file.
        overrides: Jsonnet text of an object each, as ``--overrides`` takes it, applied in order.
        settings: ``PATH=VALUE`` each, as ``--set`` takes it: applied in order, after the
            overrides; a value that isn't JSON is a string.

    Raises:
        ConfigError: no such file, not Jsonnet, not an object; or a change that fits nowhere.
    """
    value = jsonnet.load(path)
    changes: list[tuple[str, str]] = []
    for text in overrides:
        changed = jsonnet.evaluate("--overrides", text)
        value = jsonnet.override(value, changed)
        changes += [(leaf, "--overrides") for leaf in _leaves(changed)]
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not jsonnet.is_text(setting):
            raise ConfigError([Fault(key, "expected text in UTF-8, got other bytes", "--set")])
        if not separator or not key:
            message = f"expected PATH=VALUE, such as trainer.num_epochs=3, got {setting!r}"
            raise ConfigError([Fault("", message, "--set")])
        value = jsonnet.replace_at(value, key, _json_or_text(text), f"--set {setting}")
        changes.append((key, f"--set {setting}"))
    return ConfigSource(str(path), value, tuple(changes))


def _variable_at(place: str) -> str | None:
    """The environment variable that a value was taken from, where its own line says so."""
    file, _, position = place.removesuffix(" (near)").partition(":")
    line, _, column = position.partition(":")
    if not (line.isdecimal() and column.isdecimal()):
        return None
    text = Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    value = re.match(r"[^,]*?std\.extVar\(\s*['\"](\w+)['\"]", text[int(column) - 1 :])
    return value[1] if value else None


def _leaves(overrides: dict[str, Any]) -> list[str]:
    """The config paths that overrides set: dotted keys whole, undotted ones to their leaves."""
    found = []
    for key, value in overrides.items():
        if "." not in key and isinstance(value, dict) and value:
            found += [f"{key}.{leaf}" for leaf in _leaves_of(value)]
        else:
            found.append(key)
    return found


def _leaves_of(value: dict[str, Any]) -> list[str]:
    found = []
    for key, item in value.items():
        below = _leaves_of(item) if isinstance(item, dict) else []
        found += [f"{key}.{leaf}" for leaf in below] or [key]
    return found


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
