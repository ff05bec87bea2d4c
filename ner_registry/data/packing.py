"""A model's files packed into one, and unpacked again without trust in whoever packed them.

Members are read into memory one by one, those of an allow-list alone, and never more of them
than the size of the file allows for. Nothing is ever executed, unpickled or extracted.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ner_registry.errors import ArchiveError

MEMBER = re.compile(
    r"(config|metrics|meta)\.json|weights\.safetensors|vocabulary/(tags|embedders/\w+)\.json"
)
_LISTS = re.compile(r"weights\.safetensors|vocabulary/embedders/.*")  # as long as a model is large
_FOLDERS = (".", "vocabulary", "vocabulary/embedders")  # which tar packs besides, ours doesn't
_MOST_MEMBERS = 256
_MOST_JSON = 2**20  # bytes of a member that isn't one of _LISTS
_MOST_HEADER = 2**16  # bytes of tar's own between two members
_EXPANSION = 16  # an archive unpacks to so many times its size, or to _SMALL bytes
_SMALL = 2**22
# what broken content raises where it is read as a tar, by tarfile's own parsing too
_NO_TAR = (
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    ArithmeticError,
    LookupError,
    ValueError,
)


def pack(contents: Mapping[str, bytes]) -> bytes:
    """A gzipped tar of files, by their names."""
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
    return packed.getvalue()


def unpack(path: Path) -> dict[str, bytes]:
    """The files of a model that are in an archive, by their names.

    Raises:
        ArchiveError: it isn't one, holds anything else, or unpacks to too much.
    """
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
            name, size = member.name.removeprefix("./"), member.size
            if member.isdir() and name in _FOLDERS:
                continue
            known = member.isreg() and not member.issparse() and MEMBER.fullmatch(name)
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
