from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

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
