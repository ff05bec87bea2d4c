"""Checked plans: what to construct, from which arguments, once the framework supplies the rest."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from os import PathLike, fspath
from typing import Any

from ner_registry.config.signatures import config_parameters, supplied_to
from ner_registry.errors import (
    ConfigError,
    DataError,
    Fault,
    NerError,
    RunError,
    is_out_of_memory,
    is_own,
    raised,
)


@dataclass(frozen=True)
class Plan:
    """A factory with checked arguments: call it with what the framework supplies.

    Attributes:
        factory: a class, or a function, that makes the part.
        arguments: values for its parameters; nested plans are built when this one is.
        path: where in the config it stands.
        name: its registered name; None for a class that a config doesn't select by name.
        deferred: whether it is handed over as it is, for whoever asked for it to call.
    """

    factory: Callable[..., Any]
    arguments: dict[str, Any]
    path: str = ""
    name: str | None = None
    deferred: bool = False

    def __call__(self, *supplied: Any, **named: Any) -> Any:
        """The part itself, built from the arguments and what is supplied.

        Raises:
            ConfigError: the constructor refused a value with a ``ValueError``.
            RunError: it is somebody else's, and raised something else.
        """
        given = dict(zip(supplied_to(self.factory), supplied, strict=False)) | named
        arguments = {key: _built(value, given) for key, value in self.arguments.items()}
        try:
            return self.factory(**given, **arguments)
        except (ValueError, DataError) as error:
            raise ConfigError([Fault(self.path, str(error))]) from error
        except Exception as error:
            if is_own(self.factory) or isinstance(error, NerError) or is_out_of_memory(error):
                raise
            where = f"{self.path}: {self.factory.__name__}"
            raise RunError(raised(where, error)) from error

    def filled(self) -> dict[str, Any]:
        """The config that says the same with every default written out."""
        config = {} if self.name is None else {"type": self.name}
        for name, parameter in config_parameters(self.factory).items():
            config[name] = as_json(self.arguments.get(name, parameter.default))
        return config


def _built(value: Any, supplied: dict[str, Any]) -> Any:
    """``value`` with the plans in it built, but for those handed over as they are."""
    if isinstance(value, Plan):
        if value.deferred:
            return value
        return value(**{key: supplied[key] for key in supplied_to(value.factory)})
    if isinstance(value, dict):
        return {key: _built(item, supplied) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_built(item, supplied) for item in value)
    return value


def as_json(value: Any) -> Any:
    """A value of a config or of a default, as JSON has it."""
    if isinstance(value, Plan):
        return value.filled()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return as_json({f.name: getattr(value, f.name) for f in dataclasses.fields(value)})
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(item) for item in value]
    if isinstance(value, PathLike):
        return fspath(value)
    if isinstance(value, bool | int | float):
        return value
    # such as NumPy's
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value
