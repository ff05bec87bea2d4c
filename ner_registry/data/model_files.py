"""The files of a trained model, in an archive or in a run's directory.

An archive is a tar of a few named files: ``config.json`` (every default written out),
``vocabulary/…``, ``weights.safetensors``, ``metrics.json`` and ``meta.json``. Nothing in it is
ever executed, unpickled or extracted. A run's directory is read as one too.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from pathlib import Path

from ner_registry.data.files import json_bytes, write_file
from ner_registry.errors import ArchiveError

FORMAT_VERSION = 1
ARCHIVE_NAME = "model.tar.gz"
SEEDS_NAME = "seeds.json"  # marks a directory of several runs
WEIGHTS_NAME = "weights.safetensors"
BEST_WEIGHTS = "best.safetensors"  # what a run's directory calls them
_MEMBER = re.compile(
    r"(config|metrics|meta)\.json|weights\.safetensors|vocabulary/(tags|embedders/\w+)\.json"
)


def read_model(path: str | Path) -> dict[str, bytes]:
    """The content of a model's files by name, verified.

    Args:
        path: a ``model.tar.gz``, a run's directory, or one of several runs.

    Raises:
        ArchiveError: it isn't a model, doesn't verify, or is of a newer format.
    """
    path = Path(path)
    if path.is_dir() and (path / SEEDS_NAME).is_file():
        contents = _read_tar(path / ARCHIVE_NAME)
    elif path.is_dir():
        contents = read_directory(path)
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
    _verify(path, contents)
    return contents


def read_directory(path: Path) -> dict[str, bytes]:
    """Those that are in a run's directory."""
    contents = {}
    for pattern in ("*.json", "vocabulary/*.json", "vocabulary/embedders/*.json"):
        for file in path.glob(pattern):
            name = file.relative_to(path).as_posix()
            if _MEMBER.fullmatch(name):
                contents[name] = file.read_bytes()
    if (path / BEST_WEIGHTS).is_file():
        contents[WEIGHTS_NAME] = (path / BEST_WEIGHTS).read_bytes()
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


def _verify(path: Path, contents: dict[str, bytes]) -> None:
    try:
        meta = json.loads(contents["meta.json"])
        version, hashes = meta["format_version"], meta.get("sha256", {}).items()
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ArchiveError(f"{path}: its parts don't fit together: {reason}") from error
    if type(version) is not int or version < 1:
        raise ArchiveError(f"{path}: expected a format_version of 1 or more, got {version!r}")
    if version > FORMAT_VERSION:
        raise ArchiveError(
            f"{path}: expected format_version {FORMAT_VERSION} or less, got {version}: "
            "it was written by a newer ner_registry"
        )
    for name, digest in hashes:
        if hashlib.sha256(contents.get(name, b"")).hexdigest() != digest:
            raise ArchiveError(f"{path}: {name} isn't what was written: its SHA-256 differs")


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
