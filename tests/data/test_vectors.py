from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from ner_registry.data.vectors import read_vectors
from ner_registry.errors import DataError

TEXT = "the 0.5 -1\nof 2 3e-1\n. . 0 1\n"  # the last word is ". ."


@pytest.mark.parametrize("form", ["glove.txt", "glove.txt.gz", "glove.zip", "word2vec.txt"])
def test_every_form(form: str, tmp_path: Path) -> None:
    path = tmp_path / form
    if form.endswith(".gz"):
        path.write_bytes(gzip.compress(TEXT.encode()))
    elif form.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("glove.txt", TEXT)
    else:
        path.write_text("3 2\n" * form.startswith("word2vec") + TEXT, encoding="utf-8")
    vectors = read_vectors(path)
    assert vectors.rows == {"the": 0, "of": 1, ". .": 2}
    torch.testing.assert_close(vectors.matrix, torch.tensor([[0.5, -1], [2, 0.3], [0, 1]]))
    assert read_vectors(path, 2).rows == {"the": 0, "of": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": expected word vectors, got none: the file is empty"),
        (b"the 1 2\nof 1\n", ":2: expected a word and 2 numbers, got "),
        (b"the 1 2\nof 1 x\n", ":2: expected a word and 2 numbers, got '1 x'"),
        (b"the\n", ":1: expected a word and some numbers, got "),
    ],
)
def test_what_is_no_vector(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_vectors(path)
    assert str(caught.value).startswith(f"{path}{message}")


@pytest.mark.parametrize("name", ["vectors.gz", "vectors.zip"])
def test_a_broken_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"nonsense")
    with pytest.raises(DataError, match="got a broken file"):
        read_vectors(path)


def word2vec_binary(newlines: bool) -> bytes:
    """As gensim writes it, or with the newlines of word2vec itself."""
    rows = {"the": [0.5, -1], "of": [2, 0.3], "\u00e9t\u00e9": [0, 1]}
    end = b"\n" if newlines else b""
    parts = [w.encode() + b" " + np.array(v, "<f4").tobytes() + end for w, v in rows.items()]
    return b"3 2\n" + b"".join(parts)


@pytest.mark.parametrize("newlines", [True, False])
@pytest.mark.parametrize("packed", [True, False])
def test_word2vecs_binary_form(newlines: bool, packed: bool, tmp_path: Path) -> None:
    content = word2vec_binary(newlines)
    path = tmp_path / ("vectors.bin.gz" if packed else "vectors.bin")
    path.write_bytes(gzip.compress(content) if packed else content)
    vectors = read_vectors(path)
    assert vectors.rows == {"the": 0, "of": 1, "\u00e9t\u00e9": 2}
    torch.testing.assert_close(vectors.matrix, torch.tensor([[0.5, -1], [2, 0.3], [0, 1]]))
    assert list(read_vectors(path, 1).rows) == ["the"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"the 1 2\n", ":1: expected a line of two counts first, got b'the 1 2"),
        (word2vec_binary(True)[:-4], ": expected 3 words of 2 numbers, got a broken one: number 3"),
        (b"3 2\n" + b"x" * 50_000, ": expected 3 words of 2 numbers, got a broken one: number 1"),
    ],
)
def test_what_is_no_binary_vector(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "vectors.bin"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_vectors(path)
    assert str(caught.value).startswith(f"{path}{message}")
