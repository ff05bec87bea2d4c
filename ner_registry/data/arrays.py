"""Arrays that grow at their ends, in memory or in files that are mapped into it later."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ner_registry.data.files import json_bytes, sha256_of, write_file

_MANIFEST = "manifest.json"
_BUFFER = 2**20  # bytes


class Arrays(Protocol):
    """Where arrays are put together, each under a name."""

    def append(self, name: str, part: Tensor) -> None:
        """Adds rows, (rows, …), of the same type and width as those before."""


class ArraysInMemory:
    """Arrays put together in memory."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Tensor]] = {}

    def append(self, name: str, part: Tensor) -> None:
        self._parts.setdefault(name, []).append(part)

    def tensors(self) -> dict[str, Tensor]:
        """Each array as one tensor."""
        return {name: torch.cat(parts) for name, parts in self._parts.items()}


class ArraysInFiles:
    """Arrays put together in a directory's files, never in memory as a whole.

    Args:
        directory: an empty one.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, _ArrayFile] = {}

    def append(self, name: str, part: Tensor) -> None:
        if name not in self._files:
            # numbered, since names may differ in nothing but their case
            path = self._directory / f"{len(self._files)}.bin"
            self._files[name] = _ArrayFile(path, part.dtype, part.shape[1:])
        self._files[name].append(part)

    def close(self) -> None:
        """Closes the files."""
        for file in self._files.values():
            file.close()

    def finish(self) -> None:
        """Closes the files, and says what is in them."""
        self.close()
        arrays = {name: file.description() for name, file in self._files.items()}
        manifest = {"arrays": arrays, "sha256": _digest_of(arrays)}
        write_file(self._directory / _MANIFEST, json_bytes(manifest))


class _ArrayFile:
    """An array's numbers as they are in memory, one after the other."""

    def __init__(self, path: Path, dtype: torch.dtype, width: torch.Size) -> None:
        self._path = path
        self._dtype = dtype
        self._width = width
        self._rows = 0
        self._digest = hashlib.sha256()
        self._file = open(path, "wb", buffering=_BUFFER)  # noqa: SIM115  # closed by its owner

    def append(self, part: Tensor) -> None:
        if part.dtype != self._dtype or part.shape[1:] != self._width:
            raise ValueError(
                f"expected rows of {self._dtype} and shape {tuple(self._width)}, "
                f"got {part.dtype} and {tuple(part.shape[1:])}"
            )
        content = part.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data
        self._digest.update(content)
        self._file.write(content)
        self._rows += len(part)

    def close(self) -> None:
        self._file.close()

    def description(self) -> dict[str, Any]:
        return {
            "file": self._path.name,
            "dtype": str(self._dtype).removeprefix("torch."),
            "shape": [self._rows, *self._width],
            "sha256": self._digest.hexdigest(),
        }


class DamagedArraysError(Exception):
    """Files that aren't as :class:`ArraysInFiles` wrote them; the message says which."""


def map_arrays(directory: Path) -> dict[str, Tensor]:
    """Arrays that :class:`ArraysInFiles` wrote, of which only what is looked at is read.

    First every file is read once, piece by piece, for its SHA-256: numbers that look up rows of
    tables do harm where they are wrong, and reading them costs a few hundredths of what
    reading the text that they stand for does, which every run does anyway.

    Raises:
        FileNotFoundError: there are none.
        DamagedArraysError: they aren't as they were written.
    """
    if not directory.exists():
        raise FileNotFoundError(directory)
    try:
        manifest = json.loads((directory / _MANIFEST).read_bytes())
        arrays = manifest["arrays"]
        is_whole = _digest_of(arrays) == manifest["sha256"]
    except (FileNotFoundError, ValueError, LookupError, TypeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise DamagedArraysError(f"{_MANIFEST} isn't as it was written")
    return {name: _map(directory / array["file"], array) for name, array in arrays.items()}


def _map(path: Path, array: dict[str, Any]) -> Tensor:
    dtype: torch.dtype = getattr(torch, array["dtype"])
    expected = math.prod(array["shape"]) * dtype.itemsize
    try:
        size = path.stat().st_size
        if size != expected:
            raise DamagedArraysError(f"{path.name}: expected {expected} bytes, got {size}")
        if (digest := sha256_of(path)) != array["sha256"]:
            raise DamagedArraysError(
                f"{path.name}: expected SHA-256 {array['sha256']}, got {digest}"
            )
        if size == 0:
            return torch.empty(array["shape"], dtype=dtype)
        content = np.memmap(path, np.uint8, "r")
    except FileNotFoundError:
        raise DamagedArraysError(f"{path.name} isn't there") from None
    with warnings.catch_warnings():
        # PyTorch has no tensors that can't be written to; nobody writes to these
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(content).view(dtype).view(array["shape"])


def _digest_of(arrays: dict[str, Any]) -> str:
    return hashlib.sha256(json_bytes(arrays)).hexdigest()
