"""The files of a trained model, in an archive or in a run's directory.

An archive is a tar of a few named files: ``config.json`` (every default written out),
``vocabulary/…``, ``weights.safetensors``, ``metrics.json`` and ``meta.json``, which holds the
SHA-256 of all the others. A run's directory is read as one too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ner_registry.data.files import are_as_written, json_bytes, write_file
from ner_registry.data.packing import MEMBER, pack, unpack
from ner_registry.errors import ArchiveError

FORMAT_VERSION = 1
ARCHIVE_NAME = "model.tar.gz"
SEEDS_NAME = "seeds.json"  # marks a directory of several runs
WEIGHTS_NAME = "weights.safetensors"
BEST_WEIGHTS = "best.safetensors"  # what a run's directory calls them


def read_model(path: str | Path) -> dict[str, bytes]:
    """The content of a model's files by name, verified.

    Args:
        path: a ``model.tar.gz``, a run's directory, or one of several runs.

    Raises:
        ArchiveError: it isn't a model, doesn't verify, or is of a newer format.
    """
    path = Path(path)
    packed = path / ARCHIVE_NAME if (path / SEEDS_NAME).is_file() else path
    if packed.is_dir():
        contents = read_directory(packed)
    elif packed.is_file():
        contents = unpack(packed)
    else:
        raise ArchiveError(
            f"{path}: expected a model.tar.gz or a run's directory, got no such file"
        )
    for name in ("config.json", "meta.json", "vocabulary/tags.json", WEIGHTS_NAME):
        if name not in contents:
            if name == WEIGHTS_NAME and path.is_dir():
                name = f"{BEST_WEIGHTS}: no epoch was finished"
            raise ArchiveError(f"{path}: expected a trained model, got one without {name}")
    meta = read_object(path, contents, "meta.json")
    _check_version(path, meta.get("format_version"))
    if packed.is_file():
        _verify(path, contents, meta.get("sha256"))
    return contents


def read_object(path: str | Path, contents: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """The JSON object that a model's file holds.

    Args:
        path: the model, for messages.
        contents: its files, as :func:`read_model` gives them.
        name: which.

    Raises:
        ArchiveError: it isn't JSON, or no object.
    """
    try:
        value = json.loads(contents[name])
    except (ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ArchiveError(f"{path}: expected JSON in {name}, got {reason}") from None
    if not isinstance(value, dict):
        got = type(value).__name__
        raise ArchiveError(f"{path}: expected a JSON object in {name}, got {got}")
    return value


def read_counts(path: str | Path, contents: Mapping[str, bytes], name: str) -> dict[str, int]:
    """The counts of symbols in a vocabulary's file, as :func:`read_object` reads it.

    Raises:
        ArchiveError: a count isn't a whole number.
    """
    counts = read_object(path, contents, name)
    if not all(type(count) is int for count in counts.values()):
        raise ArchiveError(f"{path}: expected whole numbers in {name}, got something else")
    return counts


def read_directory(path: Path) -> dict[str, bytes]:
    """Those that are in a run's directory.

    Raises:
        ArchiveError: the weights aren't those that were written.
    """
    contents = {}
    for pattern in ("*.json", "vocabulary/*.json", "vocabulary/embedders/*.json"):
        for file in path.glob(pattern):
            name = file.relative_to(path).as_posix()
            if MEMBER.fullmatch(name):
                contents[name] = file.read_bytes()
    if (path / BEST_WEIGHTS).is_file():
        contents[WEIGHTS_NAME] = (path / BEST_WEIGHTS).read_bytes()
        if not are_as_written(contents[WEIGHTS_NAME]):
            raise ArchiveError(
                f"{path / BEST_WEIGHTS}: it isn't what was written: its SHA-256 differs"
            )
    return contents


def write_model(path: Path, contents: dict[str, bytes]) -> None:
    """Packs files into an archive, with their hashes."""
    contents = dict(contents)
    meta = json.loads(contents["meta.json"])
    meta["sha256"] = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in sorted(contents.items())
        if name != "meta.json"
    }
    contents["meta.json"] = json_bytes(meta)
    write_file(path, pack(contents))


def _check_version(path: Path, version: Any) -> None:
    if type(version) is not int or version < 1:
        raise ArchiveError(f"{path}: expected a format_version of 1 or more, got {version!r}")
    if version > FORMAT_VERSION:
        raise ArchiveError(
            f"{path}: expected format_version {FORMAT_VERSION} or less, got {version}: "
            "it was written by a newer ner_registry"
        )


def _verify(path: Path, contents: dict[str, bytes], hashes: Any) -> None:
    """Every member but the one that holds the hashes, which gzip's own checksum covers."""
    written = hashes if isinstance(hashes, dict) else {}
    for name in sorted(contents.keys() | written.keys()):
        if name == "meta.json":
            continue
        if name not in contents:
            raise ArchiveError(f"{path}: expected {name}, which meta.json lists, got no such file")
        if name not in written:
            raise ArchiveError(f"{path}: expected the SHA-256 of {name} in meta.json, got none")
        if hashlib.sha256(contents[name]).hexdigest() != written[name]:
            raise ArchiveError(f"{path}: {name} isn't what was written: its SHA-256 differs")
