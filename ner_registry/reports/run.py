"""A run, read back from its directory."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from ner_registry.data.model_files import ARCHIVE_NAME, BEST_WEIGHTS, SEEDS_NAME
from ner_registry.errors import RunDirectoryError
from ner_registry.reports.judged import Judged, read_judged

SPLITS = ("validation", "test")
_META = {"data_sha256", "git_revision", "host", "packages", "started", "threads", "versions"}
_METRICS = {"best_epoch", "training_duration"}


@dataclass(frozen=True)
class Run:
    """What the directory of a run holds.

    Attributes:
        directory: where it is.
        config: with every default written out.
        meta: versions, host, hashes of the data.
        metrics: those of the end; of the last epoch where the run hasn't ended.
        history: the metrics of each epoch.
    """

    directory: Path
    config: dict[str, Any]
    meta: dict[str, Any]
    metrics: dict[str, Any]
    history: list[dict[str, Any]]

    @cached_property
    def predictions(self) -> dict[str, list[Judged]]:
        """The best model's, of ``validation`` and ``test`` as far as there are any.

        Raises:
            DataError: a file of them is broken.
        """
        files = {split: self.directory / f"predictions_{split}.jsonl" for split in SPLITS}
        return {split: read_judged(file) for split, file in files.items() if file.is_file()}

    @cached_property
    def weights(self) -> int | None:
        """How many numbers the model is made of."""
        path = self.directory / BEST_WEIGHTS
        if not path.is_file():
            return None
        count = 0
        try:
            with safe_open(path, framework="numpy") as file:
                for name in file.keys():  # noqa: SIM118  # it isn't a mapping
                    size = 1
                    for width in file.get_slice(name).get_shape():
                        size *= width
                    count += size
        except SafetensorError as error:
            raise RunDirectoryError(f"{path}: expected weights, got {error}") from None
        return count

    @property
    def archive_megabytes(self) -> float | None:
        """Size of the model to hand on."""
        path = self.directory / ARCHIVE_NAME
        return path.stat().st_size / 1e6 if path.is_file() else None


def read_run(directory: str | Path) -> Run:
    """The run in a directory.

    Raises:
        RunDirectoryError: there is none, or a file of it is broken.
    """
    directory = Path(directory)
    if not directory.is_dir():
        got = "a file" if directory.exists() else "no such directory"
        raise RunDirectoryError(f"{directory}: expected a run's directory, got {got}")
    if (directory / SEEDS_NAME).is_file():
        raise RunDirectoryError(
            f"{directory}: expected one run's directory, got one of several seeds: "
            "name one of its seed_N"
        )
    for name in ("config.json", "meta.json"):
        if not (directory / name).is_file():
            raise RunDirectoryError(f"{directory}: expected a run's directory, got no {name} in it")
    history = _history(directory / "metrics.jsonl")
    metrics = history[-1] if history else {}
    if (directory / "metrics.json").is_file():
        metrics = _object(directory / "metrics.json")
    config, meta = (_object(directory / name) for name in ("config.json", "meta.json"))
    if not isinstance(config.get("model"), dict) or not meta.keys() >= _META:
        raise RunDirectoryError(f"{directory}: its config.json or meta.json isn't a run's")
    if metrics and not metrics.keys() >= _METRICS:
        raise RunDirectoryError(f"{directory}: its metrics.json or metrics.jsonl isn't a run's")
    return Run(directory, config, meta, metrics, history)


def _history(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    lines = enumerate(path.read_bytes().splitlines(), 1)
    return [_parsed(line, f"{path}:{number}") for number, line in lines]


def _object(path: Path) -> dict[str, Any]:
    return _parsed(path.read_bytes(), str(path))


def _parsed(content: bytes, place: str) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError as error:
        raise RunDirectoryError(f"{place}: expected what a run wrote, got {error}") from None
    if not isinstance(value, dict):
        raise RunDirectoryError(f"{place}: expected an object, got {type(value).__name__}")
    return value
