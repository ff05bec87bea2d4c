"""What the parts in a directory were made with, so that none made otherwise come beside them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ner_registry.data.files import write_json
from ner_registry.data.model_files import read_model
from ner_registry.errors import RunDirectoryError
from ner_registry.jobs.locks import LOCK_NAME
from ner_registry.jobs.predict import PredictSettings

NAME = "manifest.json"
_BEFORE_IT = {LOCK_NAME, f"{NAME}.part"}  # what a command that was killed at once leaves
_NOT_THE_MODEL = {"meta.json", "metrics.json"}  # a run's directory and its archive are one model


def describe(archive: str, settings: PredictSettings, device: str) -> dict[str, Any]:
    """What the bytes of a part depend on, beside its input.

    Raises:
        ArchiveError: the model can't be read.
    """
    digest = hashlib.sha256()
    contents = read_model(archive)
    for name, content in sorted(contents.items()):
        if name not in _NOT_THE_MODEL:
            digest.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    digest.update(f"{json.loads(contents['meta.json']).get('threshold')}\n".encode())
    versions = {name: version(name) for name in ("ner_registry", "torch")}
    return {"model_sha256": digest.hexdigest(), **asdict(settings), "device": device, **versions}


def check_manifest(directory: Path, made_with: dict[str, Any]) -> None:
    """Refuses a directory whose parts, if any, were made otherwise.

    Raises:
        RunDirectoryError: what differs; or the directory holds something else.
    """
    if directory.exists() and not directory.is_dir():
        raise RunDirectoryError(f"{directory}: expected a directory, got a file")
    path = directory / NAME
    if path.is_file():
        before = json.loads(path.read_bytes())
        for key, value in made_with.items():
            if before.get(key) != value:
                raise RunDirectoryError(
                    f"{directory}: its parts were made with {key} {json.dumps(before.get(key))}, "
                    f"got {json.dumps(value)}: choose another --output-dir"
                )
    elif directory.exists() and {path.name for path in directory.iterdir()} - _BEFORE_IT:
        raise RunDirectoryError(
            f"{directory}: expected an empty directory or that of an earlier such command, got "
            "another full one: choose another --output-dir"
        )


def write_manifest(directory: Path, made_with: dict[str, Any]) -> None:
    """Writes it, where it isn't there yet."""
    if not (directory / NAME).is_file():
        write_json(directory / NAME, made_with)
