"""Whatever a reader yields, a corpus is sound or refused."""

from __future__ import annotations

import pytest

from ner_registry.data.corpus import Corpus
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (Sentence(["a"], line=3), "data:3: expected tags, got a sentence without"),
        (Sentence(["a", "b"], ["O"]), "data: expected a tag for each token, got 2 tokens and 1"),
        (Sentence([], []), "data: expected a tag for each token, got 0 tokens and 0 tags"),
        (Sentence(["a"], ["PER"]), "data: expected a tag such as O, B-PER or I-PER, got 'PER'"),
    ],
)
def test_what_is_refused(sentence: Sentence, message: str) -> None:
    with pytest.raises(DataError) as caught:
        Corpus("data", [sentence])
    assert str(caught.value).startswith(message)


def test_illegal_tags_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    Corpus("data", [Sentence(["a", "b"], ["O", "I-X"], line=7)], "IOB2")
    assert "data: 1 tags can't stand where they do in IOB2" in caplog.text
    assert "token 2 of the sentence at line 7" in caplog.text


def test_a_view_is_as_long_as_its_sentence() -> None:
    import torch

    with pytest.raises(ValueError, match="the embedder 'it' must give a view as long as"):
        IndexedSentences([Sentence(["a", "b"])], {"it": lambda sentence: torch.zeros(3)})


def test_where_sentences_are() -> None:
    tags = ["O"] * 6
    lines = Corpus("data", [Sentence(["a"] * 6, tags, line=n) for n in range(1, 41)])
    assert lines.places([3, 0]) == "data:4, 1"
    assert lines.places(range(40)).endswith("31, 32, 8 more")
    words = Corpus("data", [Sentence(list("abcdef"), tags), Sentence(["a"], ["O"])])
    assert words.places([0, 1]) == "data:a b c d e ..., a"
