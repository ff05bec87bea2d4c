from __future__ import annotations

import pytest

from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import PADDING, UNKNOWN, Vocabulary

SENTENCES = [Sentence(["a", "b", "a"]), Sentence(["c", "b", "a"])]


def test_symbols_are_ordered_by_count() -> None:
    vocab = Vocabulary(SENTENCES)
    vocab.build(lambda sentence: sentence.tokens)
    assert vocab.counts == {"a": 3, "b": 2, "c": 1}
    assert vocab.indices(["a", "b", "c", "never"]) == [2, 3, 4, UNKNOWN]
    assert len(vocab) == 5
    assert PADDING == 0


def test_rare_symbols_are_left_out_and_given_ones_kept() -> None:
    vocab = Vocabulary(SENTENCES)
    vocab.build(lambda sentence: sentence.tokens, min_count=2, also=["c", "z"])
    assert vocab.counts == {"a": 3, "b": 2, "c": 1, "z": 0}


def test_a_built_vocabulary_stays_as_it_is() -> None:
    vocab = Vocabulary(SENTENCES, counts={"z": 4})
    vocab.build(lambda sentence: sentence.tokens)
    assert vocab.counts == {"z": 4}
    assert "z" in vocab
    assert vocab["a"] == UNKNOWN


def test_a_vocabulary_belongs_to_one_embedder() -> None:
    vocab = Vocabulary(SENTENCES)
    vocab.build(lambda sentence: sentence.tokens)
    with pytest.raises(ValueError, match="got a second one that builds it"):
        vocab.build(lambda sentence: list("".join(sentence.tokens)))


def test_what_was_not_built_knows_nothing() -> None:
    with pytest.raises(LookupError, match=r"call vocab\.build in the constructor"):
        Vocabulary(SENTENCES).indices(["a"])
    assert Vocabulary(counts={}).indices(["a"]) == [1]
