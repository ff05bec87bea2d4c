"""A trained model on disk and back.

An archive is a tar of a few named files: ``config.json`` (every default written out),
``vocabulary/…``, ``weights.safetensors``, ``metrics.json`` and ``meta.json``. Nothing in it is
ever executed, unpickled or extracted. A run's directory is read as one too. An ensemble is an
archive whose weights are those of several models.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import sys
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from ner_registry.build import Experiment, build_tagger, parse_experiment
from ner_registry.data.files import json_bytes, tensor_bytes, write_file
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.ensemble import AnyTagger, Ensemble
from ner_registry.errors import ArchiveError, ConfigError, NerError
from ner_registry.tagger import Tagger

FORMAT_VERSION = 1
ARCHIVE_NAME = "model.tar.gz"
WEIGHTS_NAME = "weights.safetensors"
SEEDS_NAME = "seeds.json"  # marks the directory of several runs
BEST_WEIGHTS = "best.safetensors"  # what a run's directory calls them
# what broken content raises on its way into the model
_MISFITS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
)
_MEMBER = re.compile(
    r"(config|metrics|meta)\.json|weights\.safetensors|vocabulary/(tags|embedders/\w+)\.json"
)


@dataclass(frozen=True)
class Archive:
    """A model that was read from disk.

    Attributes:
        experiment: the run's parts.
        config: the run's config, every default written out.
        tagger: the model, ready to tag; an ensemble where it has several members.
        meta: versions, hashes and the like.
    """

    experiment: Experiment
    config: dict[str, Any]
    tagger: AnyTagger
    meta: dict[str, Any]


def write_vocabulary(directory: Path, tagger: Tagger, vocabularies: dict[str, Vocabulary]) -> None:
    """Writes what the model knows of the training data into a run's directory."""
    (directory / "vocabulary" / "embedders").mkdir(parents=True, exist_ok=True)
    tags = {"scheme": tagger.tags.scheme, "labels": tagger.tags.labels}
    write_file(directory / "vocabulary" / "tags.json", json_bytes(tags))
    for name, vocab in vocabularies.items():
        # one long line: JSON escapes whatever a symbol may hold
        content = json.dumps(vocab.counts).encode()
        write_file(directory / "vocabulary" / "embedders" / f"{name}.json", content)


def write_archive(directory: Path) -> Path:
    """Packs a run's directory into its ``model.tar.gz``; the path of that."""
    return _write(directory / ARCHIVE_NAME, _read_directory(directory))


def write_ensemble(path: Path, directories: Sequence[Path]) -> None:
    """Packs the runs of one config that differ in their seeds into one archive.

    Raises:
        ArchiveError: they know different vocabularies or tags.
    """
    members = [_read_directory(directory) for directory in directories]
    first = members[0]
    for directory, member in zip(directories, members, strict=True):
        for name in first.keys() | member.keys():
            if name.startswith("vocabulary/") and first.get(name) != member.get(name):
                raise ArchiveError(f"{directory}: its {name} isn't that of {directories[0]}")
    weights = {
        f"members.{number}.{name}": tensor
        for number, member in enumerate(members)
        for name, tensor in safetensors.torch.load(member[WEIGHTS_NAME]).items()
    }
    meta = json.loads(first["meta.json"]) | {"members": len(members)}
    meta["random_seed"] = [json.loads(m["meta.json"])["random_seed"] for m in members]
    contents = {name: content for name, content in first.items() if name != "metrics.json"}
    contents |= {WEIGHTS_NAME: tensor_bytes(weights), "meta.json": json_bytes(meta)}
    _write(path, contents)


def _write(path: Path, contents: dict[str, bytes]) -> Path:
    """Packs the members of an archive, with their hashes; gives the path back."""
    contents = dict(contents)
    meta = json.loads(contents["meta.json"])
    meta["sha256"] = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in sorted(contents.items())
        if name != "meta.json"
    }
    contents["meta.json"] = json_bytes(meta)
    packed = io.BytesIO()
    # no time and no owner: the same model gives the same bytes; weights hardly compress
    with (
        gzip.GzipFile("", "wb", 1, packed, mtime=0) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in sorted(contents.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    write_file(path, packed.getvalue())
    return path


def load_archive(
    path: str | Path,
    *,
    include_packages: Sequence[str] = (),
    device: torch.device | None = None,
) -> Archive:
    """Reads a model.

    Args:
        path: a ``model.tar.gz`` or a run's directory.
        include_packages: packages to import for the model's parts; those that the archive
            lists are never imported by themselves.
        device: where to put the model; None: the CPU.

    Raises:
        ArchiveError: it isn't an archive, doesn't verify, or needs a package that was neither
            named nor installed as a plugin.
    """
    path = Path(path)
    if path.is_dir() and (path / SEEDS_NAME).is_file():
        contents = _read_tar(path / ARCHIVE_NAME)
    elif path.is_dir():
        contents = _read_directory(path)
    elif path.is_file():
        contents = _read_tar(path)
    else:
        raise ArchiveError(
            f"{path}: expected a model.tar.gz or a run's directory, got no such file"
        )
    for name in ("config.json", "meta.json", "vocabulary/tags.json", WEIGHTS_NAME):
        if name not in contents:
            if name == WEIGHTS_NAME and path.is_dir():
                name = f"{BEST_WEIGHTS}: no epoch was finished"
            raise ArchiveError(f"{path}: expected a trained model, got one without {name}")
    try:
        return _restored(path, contents, include_packages, device)
    except NerError:
        raise
    except _MISFITS as error:
        reason = " ".join(str(error).split())
        raise ArchiveError(f"{path}: its parts don't fit together: {reason}") from error


def _restored(
    path: Path,
    contents: dict[str, bytes],
    include_packages: Sequence[str],
    device: torch.device | None,
) -> Archive:
    meta = json.loads(contents["meta.json"])
    version = meta["format_version"]
    if type(version) is not int or version < 1:
        raise ArchiveError(f"{path}: expected a format_version of 1 or more, got {version!r}")
    if version > FORMAT_VERSION:
        raise ArchiveError(
            f"{path}: expected format_version {FORMAT_VERSION} or less, got {version}: "
            "it was written by a newer ner_registry"
        )
    for name, digest in meta.get("sha256", {}).items():
        if hashlib.sha256(contents.get(name, b"")).hexdigest() != digest:
            raise ArchiveError(f"{path}: {name} isn't what was written: its SHA-256 differs")
    config = json.loads(contents["config.json"])
    # what the config includes is for training; a model's user names packages themselves
    config["include_packages"] = []
    try:
        experiment: Experiment = parse_experiment(config, include_packages)()
    except ConfigError as error:
        absent = [name for name in meta["packages"] if name not in sys.modules]
        if not absent or any(fault.location == "--include-package" for fault in error.faults):
            raise error.at(str(path)) from None
        raise ArchiveError(
            f"{path}: its parts come from {', '.join(absent)}, imported only if you name it: "
            f"--include-package {absent[0]} ({error.faults[0]})"
        ) from None
    tags = json.loads(contents["vocabulary/tags.json"])
    vocabularies = {
        name: Vocabulary(counts=json.loads(contents[f"vocabulary/embedders/{name}.json"]))
        for name in experiment.model.embedders
    }
    tag_set = TagSet(tags["scheme"], tags["labels"])
    count = meta.get("members", 1)
    members = [build_tagger(experiment.model, vocabularies, tag_set) for _ in range(count)]
    tagger: AnyTagger = Ensemble(members) if "members" in meta else members[0]
    tagger.load_state_dict(safetensors.torch.load(contents[WEIGHTS_NAME]))
    return Archive(experiment, config, tagger.to(device or "cpu").eval(), meta)


def _read_tar(path: Path) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as tar:
            for member in tar:
                known = member.isreg() and _MEMBER.fullmatch(member.name)
                if not known or member.name in contents:
                    raise ArchiveError(f"{path}: {member.name!r} isn't a member of a model")
                file = tar.extractfile(member)
                contents[member.name] = file.read() if file else b""
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ArchiveError(f"{path}: expected a model.tar.gz, got a broken one: {error}") from None
    return contents


def _read_directory(path: Path) -> dict[str, bytes]:
    contents = {}
    for pattern in ("*.json", "vocabulary/*.json", "vocabulary/embedders/*.json"):
        for file in path.glob(pattern):
            name = file.relative_to(path).as_posix()
            if _MEMBER.fullmatch(name):
                contents[name] = file.read_bytes()
    if (path / BEST_WEIGHTS).is_file():
        contents[WEIGHTS_NAME] = (path / BEST_WEIGHTS).read_bytes()
    return contents
