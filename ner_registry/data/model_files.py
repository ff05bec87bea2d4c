"""The files of a trained model, in an archive or in a run's directory.

An archive is a tar of a few named files: ``config.json`` (every default written out),
``vocabulary/…``, ``weights.safetensors``, ``metrics.json`` and ``meta.json``, which holds the
SHA-256 of all the others. A run's directory is read as one too.

Whoever wrote an archive is not trusted: its members are read into memory one by one, those of
an allow-list alone, and never more of them than the size of the file allows for. Nothing in it
is ever executed, unpickled or extracted.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ner_registry.data.files import are_as_written, json_bytes, write_file
from ner_registry.errors import ArchiveError

FORMAT_VERSION = 1
ARCHIVE_NAME = "model.tar.gz"
SEEDS_NAME = "seeds.json"  # marks a directory of several runs
WEIGHTS_NAME = "weights.safetensors"
BEST_WEIGHTS = "best.safetensors"  # what a run's directory calls them
_MEMBER = re.compile(
    r"(config|metrics|meta)\.json|weights\.safetensors|vocabulary/(tags|embedders/\w+)\.json"
)
_LISTS = re.compile(r"weights\.safetensors|vocabulary/embedders/.*")  # as long as a model is large
_MOST_MEMBERS = 256
_MOST_JSON = 2**20  # bytes of a member that isn't one of _LISTS
_MOST_HEADER = 2**16  # bytes of tar's own between two members
_EXPANSION = 16  # an archive unpacks to so many times its size, or to _SMALL bytes
_SMALL = 2**22
# what broken content raises where it is read as a tar, by tarfile's own parsing too, and as JSON
_NO_TAR = (
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    ArithmeticError,
    LookupError,
    ValueError,
)
_NO_JSON = (ValueError, LookupError, AttributeError, TypeError, RecursionError)


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
        contents = _read_tar(packed)
    else:
        raise ArchiveError(
            f"{path}: expected a model.tar.gz or a run's directory, got no such file"
        )
    for name in ("config.json", "meta.json", "vocabulary/tags.json", WEIGHTS_NAME):
        if name not in contents:
            if name == WEIGHTS_NAME and path.is_dir():
                name = f"{BEST_WEIGHTS}: no epoch was finished"
            raise ArchiveError(f"{path}: expected a trained model, got one without {name}")
    meta = _read_meta(path, contents["meta.json"])
    if packed.is_file():
        _verify(path, contents, meta.get("sha256"))
    return contents


def read_directory(path: Path) -> dict[str, bytes]:
    """Those that are in a run's directory.

    Raises:
        ArchiveError: the weights aren't those that were written.
    """
    contents = {}
    for pattern in ("*.json", "vocabulary/*.json", "vocabulary/embedders/*.json"):
        for file in path.glob(pattern):
            name = file.relative_to(path).as_posix()
            if _MEMBER.fullmatch(name):
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
    packed = io.BytesIO()
    # No time and no owner: the same model gives the same bytes. Nothing is compressed: weights
    # hardly can be, and so no archive of ours is one that unpacks to many times its size.
    with (
        gzip.GzipFile("", "wb", 0, packed, mtime=0) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, content in sorted(contents.items()):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    write_file(path, packed.getvalue())


def _read_meta(path: Path, content: bytes) -> dict[str, Any]:
    try:
        meta: dict[str, Any] = json.loads(content)
        version = meta["format_version"]
    except _NO_JSON as error:
        reason = " ".join(str(error).split())
        raise ArchiveError(f"{path}: its parts don't fit together: meta.json: {reason}") from error
    if type(version) is not int or version < 1:
        raise ArchiveError(f"{path}: expected a format_version of 1 or more, got {version!r}")
    if version > FORMAT_VERSION:
        raise ArchiveError(
            f"{path}: expected format_version {FORMAT_VERSION} or less, got {version}: "
            "it was written by a newer ner_registry"
        )
    return meta


def _verify(path: Path, contents: dict[str, bytes], hashes: Any) -> None:
    """Every member but the one that holds the hashes, which gzip's own checksum covers."""
    written = hashes if isinstance(hashes, dict) else {}
    for name in contents.keys() | written.keys():
        if name == "meta.json":
            continue
        if name not in contents:
            raise ArchiveError(f"{path}: expected {name}, which meta.json lists, got no such file")
        if name not in written:
            raise ArchiveError(f"{path}: expected the SHA-256 of {name} in meta.json, got none")
        if hashlib.sha256(contents[name]).hexdigest() != written[name]:
            raise ArchiveError(f"{path}: {name} isn't what was written: its SHA-256 differs")


def _read_tar(path: Path) -> dict[str, bytes]:
    try:
        with open(path, "rb") as packed, _Unpacking(packed) as file:
            return dict(_members(path, file))
    except _NO_TAR as error:
        raise ArchiveError(f"{path}: expected a model.tar.gz, got a broken one: {error}") from None


def _members(path: Path, file: _Unpacking) -> Iterator[tuple[str, bytes]]:
    """Name and content of each member.

    Raises:
        ArchiveError: one isn't a plain file of a model, stands there twice, or is too large.
    """
    left = max(_SMALL, _EXPANSION * path.stat().st_size)
    names: set[str] = set()
    with tarfile.open(fileobj=file, mode="r:") as tar:
        while (member := tar.next()) is not None:
            name, size = member.name, member.size
            known = member.isreg() and not member.issparse() and _MEMBER.fullmatch(name)
            if not known or name in names or len(names) == _MOST_MEMBERS:
                raise ArchiveError(f"{path}: {name[:80]!r} isn't a member of a model")
            most = left if _LISTS.fullmatch(name) else min(left, _MOST_JSON)
            if not 0 <= size <= most:
                raise ArchiveError(
                    f"{path}: expected {name} of at most {most:,} bytes, got {size:,}: "
                    "no model of ours unpacks to so many"
                )
            file.allow(size)
            content = file.read(size)
            if len(content) < size:
                raise EOFError(f"it ends within {name}")
            file.allow(_MOST_HEADER)
            left -= size
            names.add(name)
            yield name, content
    # up to the end, where gzip's checksum is
    if file.read().strip(b"\0"):
        raise ArchiveError(f"{path}: expected nothing after the last member, got something")


class _Unpacking(gzip.GzipFile):
    """A gzip stream that gives no more bytes than it is allowed to.

    tarfile believes what a header says of its own length, so that a small file could make it
    read without end.
    """

    def __init__(self, packed: io.BufferedReader) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._allowed = _MOST_HEADER

    def allow(self, size: int) -> None:
        """From here on, so many bytes."""
        self._allowed = size

    def read(self, size: int | None = -1) -> bytes:
        wanted = self._allowed + 1 if size is None or size < 0 else size
        content = super().read(min(wanted, self._allowed + 1))
        self._allowed -= len(content)
        if self._allowed < 0:
            raise tarfile.ReadError("a header longer than any of a model")
        return content
