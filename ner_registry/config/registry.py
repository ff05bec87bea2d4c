"""Names for classes: a kind of part keeps a table of the parts registered under it."""

from __future__ import annotations

import difflib
import importlib
import inspect
import logging
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.metadata import entry_points
from typing import Any, ClassVar, TypeVar

from ner_registry.errors import (
    ConfigError,
    Fault,
    NerError,
    RunError,
    is_out_of_memory,
    is_own,
    raised,
)

_Factory = TypeVar("_Factory", bound=Callable[..., Any])

logger = logging.getLogger(__name__)


class Registrable:
    """Base of every kind of part that a config selects by ``type``.

    A kind is a direct subclass. It says in ``supplied`` what the framework gives its parts;
    all other parameters of a part's constructor are its config.

    Attributes:
        supplied: names of the parameters that the framework supplies.
    """

    supplied: ClassVar[tuple[str, ...]] = ()
    _parts: ClassVar[dict[str, Callable[..., Any]]]
    _kinds: ClassVar[dict[str, type[Registrable]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if Registrable in cls.__bases__:
            cls._parts = {}
            Registrable._kinds[cls.__name__] = cls

    @classmethod
    def register(cls, name: str) -> Callable[[_Factory], _Factory]:
        """Decorator that makes a class, or a function that returns one's instance, a part.

        Raises:
            TypeError: the name is none, the class isn't of the kind, or the signature doesn't take
                what the kind supplies, or takes anything by ``*args`` or ``**kwargs``.
            ValueError: another part has the name already.
        """
        if not isinstance(name, str):
            raise TypeError(
                f'{cls.__name__}.register needs a name: @{cls.__name__}.register("...")'
            )

        def decorate(part: _Factory) -> _Factory:
            if isinstance(part, type) and not issubclass(part, cls):
                raise TypeError(f"{origin(part)} must be a subclass of {origin(cls)}")
            _check_signature(cls, part)
            missing = sorted(getattr(part, "__abstractmethods__", ()))
            if missing:
                raise TypeError(f"{origin(part)} must have {', '.join(missing)}")
            other = cls._parts.get(name)
            if other is not None and origin(other) != origin(part):
                raise ValueError(
                    f"the {cls.__name__} {name!r} is {origin(other)} already, "
                    f"got {origin(part)}: register it under another name"
                )
            cls._parts[name] = part
            return part

        return decorate

    @classmethod
    def registered(cls) -> dict[str, Callable[..., Any]]:
        """The registered parts of this kind, by name."""
        return dict(cls._parts)


def kinds() -> dict[str, type[Registrable]]:
    """Every kind of part, by the name of its class."""
    return dict(Registrable._kinds)


def origin(part: Callable[..., Any]) -> str:
    """Where a part is defined, as ``module.Name``."""
    return f"{part.__module__}.{part.__qualname__}"


def ask(path: str, part: Registrable, method: str, *arguments: Any) -> Any:
    """What a part's method gives; what one of somebody else's raises is told as theirs.

    Args:
        path: of the part, in the config.
        part: the part.
        method: which method.
        arguments: what it is given.

    Raises:
        RunError: the part isn't this package's, and raised something.
    """
    try:
        # as a call of the part itself, where modules have hooks
        call = part if method == "forward" else getattr(part, method)
        return call(*arguments)  # type: ignore[operator]  # a module
    except Exception as error:
        _blame(path, part, method, error)
        raise


def ask_each(path: str, part: Registrable, method: str, *arguments: Any) -> Iterator[Any]:
    """The same of a method that gives one thing after the other."""
    try:
        yield from getattr(part, method)(*arguments)
    except Exception as error:
        _blame(path, part, method, error)
        raise


def _blame(path: str, part: Registrable, method: str, error: Exception) -> None:
    if not (is_own(type(part)) or isinstance(error, NerError) or is_out_of_memory(error)):
        raise RunError(raised(f"{path}: {type(part).__name__}.{method}", error)) from error


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` was most likely meant to be, if one is near."""
    near = difflib.get_close_matches(name, list(candidates), n=1, cutoff=0.5)
    return near[0] if near else None


def import_packages(names: Iterable[str], flag: str | None = "--include-package") -> None:
    """Imports packages, modules below them included, so that their parts get registered.

    Args:
        names: the packages.
        flag: what named them; None: ``include_packages`` of the config.

    Raises:
        ConfigError: one can't be imported; names it and says why.
    """
    if isinstance(names, str):
        message = f"expected a list of names, got the string {names!r}: try [{names!r}]"
        raise ConfigError([Fault("include_packages", message)])
    faults = []
    for name in names:
        if "" not in sys.path:
            sys.path.append("")  # a file of the user's, in the working directory
        try:
            package = importlib.import_module(name)
            for module in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}."):
                if not module.name.endswith("__main__"):
                    importlib.import_module(module.name)
        except (Exception, SystemExit) as error:
            if name.endswith(".py") or "/" in name:
                meant = name.removesuffix(".py").strip("./").replace("/", ".")
                message = f"expected a module's name, as in an import, got {name!r}: try {meant}"
            else:
                message = f"can't import {name!r}: {_reason(error)}"
            faults.append(Fault("" if flag else "include_packages", message, flag))
    if faults:
        raise ConfigError(faults)


def include_flags(modules: Iterable[str]) -> str:
    """The flags that import modules; several of one package are imported by its name."""
    within: dict[str, list[str]] = {}
    for module in sorted(modules):
        within.setdefault(module.partition(".")[0], []).append(module)
    names = [package if len(of_it) > 1 else of_it[0] for package, of_it in within.items()]
    return " ".join(f"--include-package {name}" for name in names)


@cache
def import_plugins() -> None:
    """Imports, once, installed packages with an entry point ``ner_registry.plugins``."""
    for plugin in entry_points(group="ner_registry.plugins"):
        try:
            plugin.load()
        except Exception as error:
            # what it registers is missing then, but what doesn't need it still works
            logger.warning("plugin %s: %s", plugin.name, _reason(error))


def _reason(error: BaseException) -> str:
    """An error in one line, with the place in the package that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    outside = not ("importlib" in last.filename or last.filename == __file__)
    place = f" ({last.filename}:{last.lineno})" if outside else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def _check_signature(kind: type[Registrable], part: Callable[..., Any]) -> None:
    parameters = inspect.signature(part).parameters
    for name in kind.supplied:
        if name not in parameters:
            raise TypeError(f"{origin(part)} must take {name!r}: every {kind.__name__} is given it")
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(
                f"{origin(part)} takes {str(parameter)!r}, which would hide misspelt keys: "
                "name each parameter"
            )
