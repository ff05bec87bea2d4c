"""Files to read, packed or not; files that are either whole or not there."""

from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
from collections.abc import Mapping
from io import BufferedIOBase, BufferedReader, FileIO
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from ner_registry.bars import bytes_bar
from ner_registry.errors import NerError

_BLOCK = 2**16  # bytes that are read at once


def open_binary(path: str | Path, doing: str = "reading") -> BufferedIOBase:
    """A file to read; one that ends in ``.gz`` is unpacked on the way.

    A bar tells how far it is read, and what is done.
    """
    file = BufferedReader(_WatchedFile(path, doing), _BLOCK)
    return _Unpacked(file) if Path(path).suffix.lower() == ".gz" else file


class _WatchedFile(FileIO):
    def __init__(self, path: str | Path, doing: str) -> None:
        super().__init__(path)
        size = os.fstat(self.fileno()).st_size
        self._bar = bytes_bar(f"{doing} {os.path.basename(path)}", size or None)

    def readinto(self, buffer: Any, /) -> int | None:
        count = super().readinto(buffer)
        self._bar.update(count or 0)
        return count

    def close(self) -> None:
        super().close()
        self._bar.close()


class _Unpacked(gzip.GzipFile):
    """Closes what it unpacks, too."""

    def __init__(self, packed: BufferedReader[Any]) -> None:
        super().__init__(fileobj=packed, mode="rb")
        self._packed = packed

    def close(self) -> None:
        super().close()
        self._packed.close()


def write_file(path: Path, content: bytes) -> None:
    """Writes a file aside, flushes it to disk, and gives it its name.

    What isn't a plain file, such as a pipe or ``/dev/null``, is written to as it is.

    Raises:
        OSError: with the file's name; what was there before is there still.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    aside = path.with_name(f"{path.name}.part")
    write_flushed(aside, content)
    os.replace(aside, path)
    flush_directory(path.parent)


def write_flushed(path: Path, content: bytes) -> None:
    """Writes a file under its name, and returns when it is on disk.

    Raises:
        OSError: with the file's name, which a full disk doesn't tell.
    """
    try:
        with open(path, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def flush_directory(directory: Path) -> None:
    """Makes the names in a directory last through a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that can't do it for directories
            raise
    finally:
        os.close(descriptor)


def check_writable(path: Path, *others: str | Path) -> None:
    """Refuses, before any work is done, a file that can't be written.

    Args:
        path: the file.
        others: what is read, or written too, and must be another one.

    Raises:
        NerError: it is a directory, or one of the others, or its folder isn't there.
    """
    for other in map(Path, others):
        if path.resolve() == other.resolve() and not path.is_char_device():  # /dev/null may
            raise NerError(f"{path}: expected a file to write, got one that is used already")
    if path.is_dir():
        raise NerError(f"{path}: expected a file to write, got a directory")
    if not path.absolute().parent.is_dir():
        raise NerError(f"{path}: expected a file to write, got a folder that isn't there")


def write_json(path: Path, value: Any) -> None:
    """Writes indented JSON, as :func:`write_file` does."""
    write_file(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """Indented JSON; NaN is refused, since no other reader knows it."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode("utf-8", "backslashreplace")


def tensor_bytes(tensors: Mapping[str, Tensor]) -> bytes:
    """Tensors in the form of safetensors, with their SHA-256 in its metadata.

    Those that share memory are each written whole.
    """
    apart: dict[str, Tensor] = {}
    seen = set()
    for name, tensor in tensors.items():
        whole = tensor.detach().contiguous()
        place = whole.untyped_storage().data_ptr()
        apart[name] = whole.clone() if place in seen else whole
        seen.add(place)
    digest = _digest_of_tensors(safetensors.torch.save(apart))[1]
    return safetensors.torch.save(apart, {"sha256": digest})


def are_as_written(content: bytes) -> bool:
    """Whether tensors are those that :func:`tensor_bytes` was given."""
    try:
        written, digest = _digest_of_tensors(content)
    except (ValueError, LookupError, AttributeError, TypeError, RecursionError):
        return False
    return written == digest


def _digest_of_tensors(content: bytes) -> tuple[str | None, str]:
    """The SHA-256 that is written in a safetensors file, and that of all else in it."""
    begin = 8 + int.from_bytes(
        content[:8], "little"
    )  # its form: length of the header, header, data
    header = json.loads(content[8:begin])
    written = header.pop("__metadata__", {}).get("sha256")
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    digest.update(memoryview(content)[begin:])
    return written, digest.hexdigest()


def sha256_of(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
