"""A run's directory: whether a run may use it, and what is in it from the start."""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ner_registry.archive import write_vocabulary
from ner_registry.build import registered_modules
from ner_registry.config.plan import Plan
from ner_registry.data.files import write_json
from ner_registry.data.model_files import ARCHIVE_NAME, FORMAT_VERSION
from ner_registry.errors import ConfigError, Fault, NerError, RunDirectoryError
from ner_registry.jobs.locks import LOCK_NAME, SEEDS_LOCK_NAME, locked
from ner_registry.jobs.prepare import Prepared
from ner_registry.nn.kernels import HAS_NUMBA

_package_logger = logging.getLogger("ner_registry")


def check_directory(
    directory: Path, plan: Plan, *, force: bool, recover: bool
) -> dict[str, Any] | None:
    """Whether the run may use the directory; the metrics of a finished run to recover.

    Raises:
        RunDirectoryError: it holds something that would be lost or mixed up.
        ConfigError: the run to recover had another config.
    """
    for parent in (directory, *directory.absolute().parents):
        if parent.exists() and not parent.is_dir():
            raise RunDirectoryError(f"{directory}: expected a directory, got a file: {parent}")
    names = {path.name for path in directory.iterdir()} if directory.exists() else set()
    if names <= {LOCK_NAME}:
        return None
    is_run = LOCK_NAME in names or {"config.json", "meta.json"} <= names
    if not recover and not force:
        if LOCK_NAME in names:
            with locked(directory):
                pass  # where a run is at work, that is what to say
        choices = "--recover goes on, --force replaces it" if is_run else "choose another"
        raise RunDirectoryError(
            f"{directory}: expected an empty directory, got a full one: {choices}"
        )
    if not is_run:
        told = (
            "expected a run to go on with, got none"
            if recover
            else "--force replaces a run's directory alone, got one that isn't"
        )
        if SEEDS_LOCK_NAME in names:
            told = "expected one run, got those of several seeds: say how many by --seeds"
        raise RunDirectoryError(f"{directory}: {told}")
    if force:
        return None
    if not has_begun(directory):
        if "checkpoints" in names:
            raise RunDirectoryError(f"{directory}: its meta.json is gone: --force starts anew")
        return None
    before = _read_json(directory / "config.json")
    faults = list(_differences(before, json.loads(json.dumps(plan.filled())), ""))
    if faults:
        raise ConfigError(faults)
    if (directory / ARCHIVE_NAME).is_file():
        return _read_json(directory / "metrics.json")
    return None


def _differences(before: Any, now: Any, path: str) -> Iterator[Fault]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before | now:
            yield from _differences(before.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    elif before != now:
        message = (
            f"the run to recover has {json.dumps(before)}, got {json.dumps(now)}; another run goes "
            "on from its model by model.from_archive"
        )
        yield Fault(path, message)


def has_begun(directory: Path) -> bool:
    """Whether the run in a directory came as far as to say what it is."""
    return (directory / "meta.json").is_file()


def check_data(directory: Path, hashes: dict[str, str]) -> None:
    """Refuses to go on with other data than the run began with."""
    before = _read_json(directory / "meta.json").get("data_sha256", {})
    for name in hashes:
        if before.get(name) != hashes[name]:
            raise RunDirectoryError(
                f"{directory}: the {name} data has changed since the run began: --force starts anew"
            )


def clear(directory: Path) -> None:
    """Empties the directory of a run but for its lock."""
    # first, so that half an emptied run isn't one to go on with
    (directory / "meta.json").unlink(missing_ok=True)
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK_NAME:
            path.unlink()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RunDirectoryError(f"{path}: expected what a run wrote, got {error}") from None
    return value


def recorded_threads(directory: Path) -> int | None:
    """How many threads the run in the directory began with.

    Going on with as many makes it end as if it had never stopped.
    """
    threads = _read_json(directory / "meta.json").get("threads")
    return threads if isinstance(threads, int) and threads > 0 else None


def write_beginnings(
    directory: Path, prepared: Prepared, hashes: dict[str, str], threads: int, ranks: int
) -> None:
    """Writes what is known of a run before it begins: vocabulary, config and, last, meta."""
    write_vocabulary(directory, prepared.tagger, prepared.vocabularies)
    write_json(directory / "config.json", prepared.plan.filled())
    meta = {
        "format_version": FORMAT_VERSION,
        "packages": sorted(registered_modules(prepared.plan)),
        "versions": {
            name: version(name)
            for name in ("ner_registry", "torch", "numpy", "safetensors", "jsonnet")
        }
        | ({"numba": version("numba")} if HAS_NUMBA else {})
        | {"python": platform.python_version()},
        "host": {"name": platform.node(), "system": platform.platform()},
        "git_revision": _git_revision(),
        "process": os.getpid(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "random_seed": prepared.experiment.random_seed,
        "threads": threads,
        "ranks": ranks,
        "data_sha256": hashes,
    }
    write_json(directory / "meta.json", meta)


def add_to_meta(directory: Path, known: dict[str, Any]) -> None:
    """Adds to a run's ``meta.json``."""
    write_json(directory / "meta.json", _read_json(directory / "meta.json") | known)


def _git_revision() -> str | None:
    """The commit of the working directory, where it is in a git repository."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return found.stdout.strip() or None


@contextmanager
def buffered_log() -> Iterator[logging.handlers.MemoryHandler]:
    """Keeps what is logged before there is a directory to log to."""
    memory = logging.handlers.MemoryHandler(10_000, flushLevel=logging.CRITICAL + 1)
    level = _package_logger.level
    _package_logger.setLevel(logging.INFO)
    _package_logger.addHandler(memory)
    try:
        yield memory
    finally:
        _package_logger.removeHandler(memory)
        _package_logger.setLevel(level)


@contextmanager
def logged_to(path: Path, memory: logging.handlers.MemoryHandler) -> Iterator[None]:
    """Logs to a file, from what ``memory`` kept on, to the fault that ends it."""
    # names of files may be no UTF-8
    handler = _LogFile(path, encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    memory.setTarget(handler)
    memory.flush()
    _package_logger.removeHandler(memory)
    _package_logger.addHandler(handler)
    try:
        yield
    except NerError as error:
        # whoever catches it tells it once more, elsewhere
        for line in error.lines():
            handler.handle(_package_logger.makeRecord("", logging.ERROR, "", 0, line, (), None))
        raise
    finally:
        _package_logger.removeHandler(handler)
        handler.close()


class _LogFile(logging.FileHandler):
    """A log that a full disk doesn't cut off unnoticed."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # of logging
        raise  # it is called where the error is handled
