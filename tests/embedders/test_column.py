from __future__ import annotations

import pytest

from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import UNKNOWN, Vocabulary
from ner_registry.embedders import Column
from ner_registry.errors import NerError

SENTENCE = Sentence(["Oslo", "is"], columns={"pos": ["NNP", "VBZ"]})


def test_values_of_the_column() -> None:
    embedder = Column(Vocabulary([SENTENCE]), column="pos", embedding_dim=3)
    assert list(embedder.vocab.counts) == ["NNP", "VBZ"]
    other = Sentence(["Rome", "!"], columns={"pos": ["NNP", "."]})
    assert embedder.index(other).tolist() == [embedder.vocab["NNP"], UNKNOWN]


def test_a_sentence_without_it() -> None:
    embedder = Column(Vocabulary([SENTENCE]), column="pos")
    with pytest.raises(NerError, match=r"expected sentences with a column 'pos', got none: name"):
        embedder.index(Sentence(["Rome"]))
