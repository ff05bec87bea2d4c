from __future__ import annotations

import pytest
import torch

from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders import SubwordFeatures
from ner_registry.embedders.subwords import case_of, norm_of, shape_of


@pytest.mark.parametrize(
    ("word", "shape", "case", "norm"),
    [
        ("Paris", "Xxxx", "capital", "paris"),
        ("U.N.", "X.X.", "capitals", "u.n."),
        ("McCartney", "XxXxxx", "mixed", "mccartney"),
        ("1996-08-30", "ddd-dd-dd", "digits", "0000-00-00"),
        ("A", "X", "letter", "a"),
        ("works", "xxx", "small", "works"),
        ("--------", "---", "none", "--------"),
        ("iPhone6", "xXxxxd", "mixed", "iphone0"),
        ("\u00c9cole", "Xxxx", "capital", "\u00e9cole"),
    ],
)
def test_how_a_word_is_written(word: str, shape: str, case: str, norm: str) -> None:
    assert (shape_of(word), case_of(word), norm_of(word)) == (shape, case, norm)


def test_words_share_the_rows_of_what_they_share() -> None:
    embedder = SubwordFeatures(Vocabulary(), prefixes=(2,), suffixes=(3,), case=False)
    rows = embedder.index(Sentence(["Berlin", "Besin", "BERLIN"]))
    assert rows.shape == (3, 4)
    same = rows.unsqueeze(0) == rows.unsqueeze(1)
    assert same[0, 1].tolist() == [True, False, True, False]
    assert same[0, 2].tolist() == [False, False, False, True]
    assert embedder.output_dim == 4 * 20


def test_the_hash_is_the_same_everywhere() -> None:
    embedder = SubwordFeatures(Vocabulary(), prefixes=(1,), suffixes=(), shape=False)
    assert embedder.index(Sentence(["Oslo"])).tolist() == [[40534, 52370, 26420]]


def test_a_feature_never_trained_says_nothing() -> None:
    embedder = SubwordFeatures(Vocabulary())
    view = embedder.index(Sentence(["Oslo"])).unsqueeze(0)
    assert not embedder(view, torch.ones(1, 1, dtype=torch.bool)).any()


def test_features_are_hidden_in_training_alone() -> None:
    torch.manual_seed(0)
    embedder = SubwordFeatures(Vocabulary(), embedding_dim=1, feature_dropout=0.25)
    torch.nn.init.ones_(embedder.table.weight[1:])
    view = embedder.index(Sentence(["Oslo"] * 1000)).unsqueeze(0)
    mask = torch.ones(1, 1000, dtype=torch.bool)
    assert embedder.train()(view, mask).mean().item() == pytest.approx(0.75, abs=0.02)
    assert embedder.eval()(view, mask).all()


def test_there_must_be_a_feature() -> None:
    with pytest.raises(ValueError, match="expected a feature, got none"):
        SubwordFeatures(Vocabulary(), prefixes=(), suffixes=(), shape=False, case=False, norm=False)
