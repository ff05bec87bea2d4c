"""Everything that can go wrong for a user, as exceptions that print as one line per fault.

NerError                  exit code 2: the user's input is at fault
├── ConfigError           a configuration: a list of faults, each with its config path
├── DataError             a data file: file, line, what was expected, what was got
├── ArchiveError          a model archive or a run's directory that can't be read
├── DownloadError         a download that failed or doesn't verify
├── PartsError            several files, each with its own fault
├── RunDirectoryError     a serialization directory that can't be used for this run
└── RunError              exit code 1: the run itself failed (loss not finite, disk full …)
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any


class NerError(Exception):
    """A fault that is told in plain lines; ``exit_code`` is what ``ner-run`` ends with."""

    exit_code = 2

    def __reduce__(self) -> tuple[Any, ...]:
        # between processes it travels as it is, however its constructor is called
        return _restored, (type(self), self.args, self.__dict__)

    def lines(self) -> list[str]:
        """One line per fault, as printed on stderr."""
        return [" ".join(str(self).split("\n"))]


def _restored(kind: type[NerError], args: tuple[Any, ...], state: dict[str, Any]) -> NerError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


@dataclass(frozen=True)
class Fault:
    """One fault of a configuration.

    Attributes:
        path: where in the config, keys joined by dots; empty for the config as a whole.
        message: what was expected, what was got, what to do.
        location: ``FILE``, ``FILE:LINE`` or ``FILE:LINE:COLUMN``, as far as it is known.
    """

    path: str
    message: str
    location: str | None = None

    def __str__(self) -> str:
        return ": ".join(part for part in (self.location, self.path, self.message) if part)


class ConfigError(NerError):
    """Every fault found in a configuration."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = list(faults)

    def at(self, location: str) -> ConfigError:
        """The same faults, those without a place of their own placed at ``location``."""
        return ConfigError([replace(f, location=f.location or location) for f in self.faults])

    def lines(self) -> list[str]:
        return [str(fault) for fault in self.faults]


class DataError(NerError):
    """A data file that can't be read as declared.

    Args:
        path: the file.
        message: what was expected and what was got.
        line: the line's number, from 1, if one is to blame.
    """

    def __init__(self, path: str | PathLike[str], message: str, line: int | None = None) -> None:
        place = fspath(path) if line is None else f"{fspath(path)}:{line}"
        super().__init__(f"{place}: {message}")


class ArchiveError(NerError):
    """A model archive, or a run's directory, that isn't one or doesn't verify."""


class DownloadError(NerError):
    """A download that failed, or whose content isn't what was expected."""


class RunDirectoryError(NerError):
    """A serialization directory that this run can't use."""


class PartsError(NerError):
    """Faults of several files, of which the others are done; exit code 2 if one is the user's."""

    def __init__(self, faults: Sequence[NerError]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = list(faults)
        self.exit_code = max(fault.exit_code for fault in faults)

    def lines(self) -> list[str]:
        return [line for fault in self.faults for line in fault.lines()]


class RunError(NerError):
    """The run itself failed; the user's input is not to blame."""

    exit_code = 1


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says, in Python's words or in PyTorch's, that there is no memory left."""
    if isinstance(error, MemoryError):
        return True
    said = re.search("out of memory|can't allocate memory", str(error))
    return isinstance(error, RuntimeError) and said is not None


def is_own(part: Any) -> bool:
    """Whether a class or a function is this package's."""
    return bool(part.__module__.split(".")[0] == __name__.split(".")[0])


def raised(where: str, error: Exception) -> str:
    """What somebody else's code raised, in one line, with its own place, if it has one in this."""
    reason = " ".join(str(error).split())
    frames = reversed(traceback.extract_tb(error.__traceback__))
    place = next((f" ({f.filename}:{f.lineno})" for f in frames if _is_theirs(f.filename)), "")
    return f"{where} raised {type(error).__name__}: {reason}{place}"


def _is_theirs(filename: str) -> bool:
    """Whether a file isn't Python's, PyTorch's or this package's."""
    path = Path(filename)
    libraries = (Path(__file__).parent, Path(traceback.__file__).parent)
    is_installed = bool({"site-packages", "dist-packages"} & set(path.parts))
    return "torch" not in path.parts and (
        is_installed or not any(path.is_relative_to(library) for library in libraries)
    )
