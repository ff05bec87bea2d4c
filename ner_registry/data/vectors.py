"""Pretrained word vectors: text, and the binary form of word2vec."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import torch
from torch import Tensor

from ner_registry.data.files import open_binary
from ner_registry.errors import DataError

_LONGEST = 10_000  # bytes of a word; a longer one tells of a file of another kind


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
    """Vectors in GloVe's text form, or in word2vec's text or binary (``.bin``) form.

    Args:
        path: the file: plain, gzip (``.gz``) or the one member of a zip (``.zip``).
        max_vectors: how many to read from the top; None reads all.

    Raises:
        DataError: it isn't a word and as many numbers as the first one has, over and over.
    """
    rows: dict[str, int] = {}
    values: list[np.ndarray] = []
    try:
        with _opened(path) as (file, name):
            read = _binary if name.endswith(".bin") else _text
            for word, numbers in islice(read(file, path), max_vectors):
                if word not in rows:
                    rows[word] = len(values)
                    values.append(numbers)
    except (EOFError, gzip.BadGzipFile, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(path, f"expected word vectors, got a broken file: {error}") from None
    if not values:
        raise DataError(path, "expected word vectors, got none: the file is empty")
    return Vectors(rows, torch.from_numpy(np.stack(values)))


def _text(file: BinaryIO, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Of each line the word, and its numbers."""
    width = 0
    for number, raw in enumerate(file, 1):
        fields = raw.rstrip().split(b" ")
        if number == 1 and len(fields) == 2 and all(f.isdigit() for f in fields):
            continue  # word2vec's counts
        width = width or len(fields) - 1
        # a word may hold spaces: the numbers are the last fields
        word = b" ".join(fields[: len(fields) - width]).decode("utf-8", "replace")
        yield word, _numbers(fields[len(fields) - width :], width, path, number)


def _binary(file: BinaryIO, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """The same of a line of two counts, then words, a space and float32 numbers after each."""
    header = file.readline(100)
    counts = header.split()
    if len(counts) != 2 or not all(count.isdigit() for count in counts) or int(counts[1]) < 1:
        raise DataError(path, f"expected a line of two counts first, got {header[:40]!r}", 1)
    width = int(counts[1])
    for number in range(1, int(counts[0]) + 1):
        word = bytearray()
        while (byte := file.read(1)) not in (b" ", b"") and len(word) <= _LONGEST:
            word += byte
        numbers = file.read(4 * width)
        if byte != b" " or len(numbers) < 4 * width:
            message = f"expected {int(counts[0])} words of {width} numbers, got a broken one: "
            raise DataError(path, f"{message}number {number}")
        # some writers end each word's numbers with a newline
        yield word.lstrip(b"\n").decode("utf-8", "replace"), np.frombuffer(numbers, "<f4")


def _numbers(fields: list[bytes], width: int, path: Path, number: int) -> np.ndarray:
    try:
        if width and len(fields) == width:
            return np.array(fields, dtype=np.float32)
    except ValueError:
        pass
    got = b" ".join(fields)[:40].decode("utf-8", "replace")
    raise DataError(path, f"expected a word and {width or 'some'} numbers, got {got!r}", number)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, str]]:
    """The file as it was before it was packed, and its name then."""
    with open_binary(path) as file:
        if path.suffix == ".zip":
            with zipfile.ZipFile(cast(BinaryIO, file)) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                if len(names) != 1:
                    raise DataError(path, f"expected one member, got {len(names)}: {names[:3]}")
                with archive.open(names[0]) as member:
                    yield cast(BinaryIO, io.BufferedReader(member)), names[0]
        elif path.suffix.lower() == ".gz":
            yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, file))), path.stem
        else:
            yield cast(BinaryIO, file), path.name
