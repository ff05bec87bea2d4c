from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import UNKNOWN, Vocabulary
from ner_registry.embedders import Embedding
from ner_registry.errors import DataError

SENTENCES = [Sentence(["Oslo", "is", "is"]), Sentence(["is", "Rome"])]


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "glove.txt"
    path.write_text("is 1 2\noslo 3 4\nparis 5 6\n", encoding="utf-8")
    return path


def test_singletons_are_shown_as_unknown_in_training_alone() -> None:
    embedder = Embedding(Vocabulary(SENTENCES), embedding_dim=4, replace_singletons=1.0)
    view = torch.stack([embedder.index(SENTENCES[0])])
    mask = torch.ones_like(view, dtype=torch.bool)
    unknown = embedder.table.weight[UNKNOWN]
    trained = embedder.train()(view, mask)[0]
    assert torch.equal(trained[0], unknown)
    assert not torch.equal(trained[1], unknown)
    assert not torch.equal(embedder.eval()(view, mask)[0, 0], unknown)


def test_half_of_the_singletons() -> None:
    torch.manual_seed(0)
    embedder = Embedding(Vocabulary(SENTENCES), embedding_dim=4, replace_singletons=0.5)
    view = torch.full((1, 2000), embedder.vocab["Rome"])
    shown = embedder.train()(view, view.bool())[0]
    replaced = (shown == embedder.table.weight[UNKNOWN]).all(1).float().mean().item()
    assert replaced == pytest.approx(0.5, abs=0.05)


def test_pretrained_rows_and_the_lower_cased_way_to_them(vectors: Path) -> None:
    vocab = Vocabulary(SENTENCES)
    embedder = Embedding(vocab, embedding_dim=2, pretrained_file=str(vectors))
    table = embedder.table.weight
    assert set(vocab.counts) == {"is", "Oslo", "Rome", "oslo", "paris"}
    assert table[vocab["Oslo"]].tolist() == [3, 4]  # by its lower-cased vector
    paris, never = embedder.index(Sentence(["Paris", "Berlin"])).tolist()
    assert table[paris].tolist() == [5, 6]
    assert never == UNKNOWN


def test_a_restored_vocabulary_needs_no_file(vectors: Path) -> None:
    vocab = Vocabulary(SENTENCES)
    Embedding(vocab, embedding_dim=2, pretrained_file=str(vectors))
    vectors.unlink()
    again = Embedding(
        Vocabulary(counts=vocab.counts), embedding_dim=2, pretrained_file=str(vectors)
    )
    assert again.index(Sentence(["Paris"])).tolist() == [vocab["paris"]]


def test_a_frozen_table_has_no_gradient(vectors: Path) -> None:
    embedder = Embedding(
        Vocabulary(SENTENCES), embedding_dim=2, pretrained_file=str(vectors), trainable=False
    )
    assert not embedder.table.weight.requires_grad


def test_the_width_must_fit(vectors: Path) -> None:
    with pytest.raises(DataError, match="expected vectors of embedding_dim 3, got 2"):
        Embedding(Vocabulary(SENTENCES), embedding_dim=3, pretrained_file=str(vectors))


def test_lower_casing_and_min_count() -> None:
    embedder = Embedding(Vocabulary(SENTENCES), embedding_dim=2, lowercase=True, min_count=2)
    assert embedder.vocab.counts == {"is": 3}
    assert embedder.index(Sentence(["IS", "oslo"])).tolist() == [2, UNKNOWN]
