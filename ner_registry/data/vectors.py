"""Pretrained word vectors in text form."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import torch
from torch import Tensor

from ner_registry.errors import DataError


@dataclass
class Vectors:
    """Word vectors.

    Attributes:
        rows: the row of each word in ``matrix``.
        matrix: (words, width), float32.
    """

    rows: dict[str, int]
    matrix: Tensor

    @property
    def width(self) -> int:
        return self.matrix.shape[1]


def read_vectors(path: Path, max_vectors: int | None = None) -> Vectors:
    """Vectors in GloVe's text form, or word2vec's, which begins with a line of two counts.

    Args:
        path: the file: plain, gzip (``.gz``) or the one member of a zip (``.zip``).
        max_vectors: how many to read from the top; None reads all.

    Raises:
        DataError: a line that isn't a word and as many numbers as the first one has.
    """
    rows: dict[str, int] = {}
    values: list[np.ndarray] = []
    width = 0
    try:
        with _opened(path) as file:
            for number, raw in enumerate(file, 1):
                if max_vectors is not None and len(values) == max_vectors:
                    break
                fields = raw.rstrip().split(b" ")
                if number == 1 and len(fields) == 2 and all(f.isdigit() for f in fields):
                    continue  # word2vec's counts
                width = width or len(fields) - 1
                # a word may hold spaces: the numbers are the last fields
                word = b" ".join(fields[: len(fields) - width]).decode("utf-8", "replace")
                numbers = _numbers(fields[len(fields) - width :], width, path, number)
                if word not in rows:
                    rows[word] = len(values)
                    values.append(numbers)
    except (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(path, f"expected word vectors, got a broken file: {error}") from None
    if not values:
        raise DataError(path, "expected word vectors, got none: the file is empty")
    return Vectors(rows, torch.from_numpy(np.stack(values)))


def _numbers(fields: list[bytes], width: int, path: Path, number: int) -> np.ndarray:
    try:
        if width and len(fields) == width:
            return np.array(fields, dtype=np.float32)
    except ValueError:
        pass
    got = b" ".join(fields)[:40].decode("utf-8", "replace")
    raise DataError(path, f"expected a word and {width or 'some'} numbers, got {got!r}", number)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if path.suffix == ".gz":
        with gzip.open(path, "rb") as packed:
            yield cast(BinaryIO, io.BufferedReader(packed))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                raise DataError(path, f"expected one member, got {len(names)}: {names[:3]}")
            with archive.open(names[0]) as member:
                yield cast(BinaryIO, io.BufferedReader(member))
    else:
        with open(path, "rb") as plain:
            yield plain
