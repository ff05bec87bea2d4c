"""A run's directory: whether a run may use it, and what is in it from the start."""

from __future__ import annotations

import json
import logging
import logging.handlers
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from ner_registry.archive import ARCHIVE_NAME, FORMAT_VERSION, write_vocabulary
from ner_registry.build import registered_modules
from ner_registry.config.plan import Plan
from ner_registry.data.files import write_json
from ner_registry.errors import ConfigError, Fault, RunDirectoryError
from ner_registry.jobs.prepare import Prepared

_package_logger = logging.getLogger("ner_registry")


def check_directory(
    directory: Path, plan: Plan, *, force: bool, recover: bool
) -> dict[str, Any] | None:
    """Whether the run may use the directory; the metrics of a finished run to recover.

    Raises:
        RunDirectoryError: it holds something that would be lost or mixed up.
        ConfigError: the run to recover had another config.
    """
    if not directory.exists():
        return None
    if not directory.is_dir():
        raise RunDirectoryError(f"{directory}: expected a directory, got a file")
    if not any(directory.iterdir()):
        return None
    is_run = (directory / "meta.json").is_file() and (directory / "config.json").is_file()
    if not recover:
        if not force:
            choices = "--recover goes on, --force replaces it" if is_run else "choose another"
            raise RunDirectoryError(
                f"{directory}: expected an empty directory, got a full one: {choices}"
            )
        if not is_run:
            raise RunDirectoryError(
                f"{directory}: --force replaces a run's directory alone, got one that isn't"
            )
        return None
    if not is_run:
        raise RunDirectoryError(f"{directory}: expected a run to go on with, got none")
    before = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    faults = list(_differences(before, json.loads(json.dumps(plan.filled())), ""))
    if faults:
        raise ConfigError(faults)
    if (directory / ARCHIVE_NAME).is_file():
        metrics: dict[str, Any] = json.loads((directory / "metrics.json").read_bytes())
        return metrics
    return None


def _differences(before: Any, now: Any, path: str) -> Iterator[Fault]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before | now:
            yield from _differences(before.get(key), now.get(key), f"{path}.{key}".lstrip("."))
    elif before != now:
        message = f"the run to recover has {json.dumps(before)}, got {json.dumps(now)}"
        yield Fault(path, message)


def check_data(directory: Path, hashes: dict[str, str]) -> None:
    """Refuses to go on with other data than the run began with."""
    meta = directory / "meta.json"
    if meta.is_file():
        before = json.loads(meta.read_bytes())["data_sha256"]
        for name in hashes:
            if before.get(name) != hashes[name]:
                raise RunDirectoryError(
                    f"{directory}: the {name} data has changed since the run began: "
                    "--force starts anew"
                )


def write_beginnings(directory: Path, prepared: Prepared, hashes: dict[str, str]) -> None:
    """Writes what is known of a run before it begins: config, meta and vocabulary."""
    write_json(directory / "config.json", prepared.plan.filled())
    meta = {
        "format_version": FORMAT_VERSION,
        "packages": sorted(registered_modules(prepared.plan)),
        "versions": {
            name: version(name)
            for name in ("ner_registry", "torch", "numpy", "safetensors", "jsonnet")
        }
        | {"python": platform.python_version()},
        "host": {"name": platform.node(), "system": platform.platform()},
        "git_revision": _git_revision(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "random_seed": prepared.experiment.random_seed,
        "threads": torch.get_num_threads(),
        "data_sha256": hashes,
    }
    write_json(directory / "meta.json", meta)
    write_vocabulary(directory, prepared.tagger, prepared.vocabularies)


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
    """Logs to a file, from what ``memory`` kept on."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    memory.setTarget(handler)
    memory.flush()
    _package_logger.removeHandler(memory)
    _package_logger.addHandler(handler)
    try:
        yield
    finally:
        _package_logger.removeHandler(handler)
        handler.close()
