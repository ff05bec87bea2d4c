"""Jsonnet to plain values, faults with their place, and overrides on top."""

from __future__ import annotations

import json
import logging
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import _jsonnet

from ner_registry.errors import ConfigError, Fault

logger = logging.getLogger(__name__)

_PLACE = re.compile(r"(?P<file>[^\n\t:][^\n:]*):(?:\()?(?P<line>\d+)(?::(?P<column>\d+))?")


def load(path: str | Path) -> dict[str, Any]:
    """The object that a config file evaluates to.

    Environment variables are ``std.extVar``s. Imports are relative to the importing file; one
    that reaches beyond the folder of the config is told in a warning.

    Args:
        path: a Jsonnet or JSON file.

    Raises:
        ConfigError: no such file, not Jsonnet, or not an object.
    """
    file = Path(path)
    if not file.is_file():
        kind = "a directory" if file.is_dir() else "no such file"
        raise ConfigError([Fault("", f"expected a config file, got {kind}", str(path))])
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        message = f"expected UTF-8 text, got byte 0x{error.object[error.start]:02x}"
        raise ConfigError([Fault("", message, str(path))]) from None
    return evaluate(str(path), text)


def override(config: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """``config`` with ``overrides`` applied; both stay as they are.

    A key with dots replaces the whole value at that path; objects under keys without dots
    merge into what is there.

    Raises:
        ConfigError: a dotted path goes through something that holds no keys.
    """
    result = _merge(config, {key: v for key, v in overrides.items() if "." not in key})
    for key, value in overrides.items():
        if "." in key:
            result = replace_at(result, key, value, "--overrides")
    return result


def replace_at(config: dict[str, Any], path: str, value: Any, flag: str) -> dict[str, Any]:
    """``config`` with the whole value at a dotted path replaced; lists count from 0.

    Raises:
        ConfigError: the path goes through something that holds no keys; ``flag`` is to blame.
    """
    result: dict[str, Any] = _replace(config, path.split("."), value, Fault(path, "", flag))
    return result


def _merge(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def _replace(node: Any, keys: list[str], value: Any, blame: Fault) -> Any:
    if not keys:
        return value
    key, *rest = keys
    if isinstance(node, dict):
        return node | {key: _replace(node.get(key, {}), rest, value, blame)}
    if isinstance(node, list) and key.isdecimal() and int(key) < len(node):
        at = int(key)
        return [*node[:at], _replace(node[at], rest, value, blame), *node[at + 1 :]]
    here = f"a list of {len(node)}" if isinstance(node, list) else json.dumps(node)
    raise ConfigError([replace(blame, message=f"nothing is named {key!r} in {here}")])


def evaluate(name: str, text: str) -> dict[str, Any]:
    """The object that Jsonnet text evaluates to.

    Args:
        name: stands for the text in faults; its imports are looked for beside a file of that name.
        text: the Jsonnet.

    Raises:
        ConfigError: it isn't Jsonnet, or no object.
    """
    if not is_text(name + text):
        raise ConfigError([Fault("", "expected a path and text in UTF-8, got other bytes", name)])
    variables = {key: value for key, value in os.environ.items() if is_text(key + value)}
    imports = _Imports(name)
    try:
        result = json.loads(
            _jsonnet.evaluate_snippet(name, text, ext_vars=variables, import_callback=imports.read)
        )
    except RuntimeError as error:
        raise ConfigError([_fault(name, text, str(error))]) from None
    if not isinstance(result, dict):
        message = f"expected an object, got {type(result).__name__}"
        raise ConfigError([Fault("", message, name)])
    return result


class _Imports:
    """What a config reads of other files.

    Args:
        name: the config's file.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._folder = os.path.join(os.path.realpath(os.path.dirname(name)), "")
        self._told: set[str] = set()

    def read(self, folder: str, path: str) -> tuple[str, bytes]:
        """The name and content of ``path``, imported by a file in ``folder``.

        Raises:
            RuntimeError: it can't be read; Jsonnet tells where it was to be.
        """
        file = os.path.join(folder, path)
        real = os.path.realpath(file)
        if not real.startswith(self._folder) and real not in self._told:
            self._told.add(real)
            logger.warning("%s: it imports %s, from outside its own folder", self._name, file)
        try:
            return file, Path(file).read_bytes()
        except OSError as error:
            raise RuntimeError(error.strerror) from None


def _fault(name: str, text: str, report: str) -> Fault:
    """Jsonnet's report of an error in one line, placed where it happened, and shown there."""
    report = report.strip()
    if report.startswith("STATIC ERROR: "):
        place, message = report.removeprefix("STATIC ERROR: ").split(": ", 1)
    else:
        # the message, and under it the stack, innermost first
        message, _, place = report.removeprefix("RUNTIME ERROR: ").partition("\n")
    if message.startswith("undefined external variable"):
        message += ": set the environment variable"
    found = _PLACE.search(place)
    location = ":".join(filter(None, found.groups())) if found else name
    shown = _shown(name, text, found) if found else ""
    return Fault("", f"Jsonnet: {' '.join(message.split())}{shown}", location)


def _shown(name: str, text: str, place: re.Match[str]) -> str:
    """The line of an error with a caret before the character it was found at."""
    try:
        source = text if place["file"] == name else Path(place["file"]).read_text(encoding="utf-8")
        line = source.splitlines()[int(place["line"]) - 1]
    except (OSError, ValueError, IndexError):
        return ""
    column = int(place["column"] or 1) - 1
    return f", at the caret in: {line[:column].lstrip()}^{line[column:].rstrip()}"


def is_text(value: str) -> bool:
    """Whether it can be told to Jsonnet, which takes UTF-8 alone."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
