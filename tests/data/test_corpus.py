"""Whatever a reader yields, a corpus is sound or refused."""

from __future__ import annotations

import pytest

from ner_registry.data.corpus import Corpus
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.sentence import Sentence
from ner_registry.data.tags import TagSet
from ner_registry.errors import DataError, RunError


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        (Sentence(["a"], line=3), "data:3: expected tags, got a sentence without"),
        (
            Sentence(["a", "b"], ["O"]),
            "data: sentence 1: expected a tag for each token, got 2 tokens and 1",
        ),
        (
            Sentence([], []),
            "data: sentence 1: expected a sentence with tokens, got one without",
        ),
        (
            Sentence(["a"], ["PER"]),
            "data: sentence 1: expected a tag such as O, B-PER or I-PER, got 'PER'",
        ),
        (Sentence(["a"], [1]), "data: sentence 1: expected tags that are strings, none"),  # type: ignore[list-item]
        (
            Sentence(["a", ""], ["O", "O"]),
            "data: sentence 1: expected tokens that are strings, none",
        ),
        (Sentence("ab", ["O", "O"]), "data: sentence 1: expected a list of tokens, got the string"),  # type: ignore[arg-type]
    ],
)
def test_what_is_refused(sentence: Sentence, message: str) -> None:
    with pytest.raises(DataError) as caught:
        Corpus("data", [sentence])
    assert str(caught.value).startswith(message)


def test_illegal_tags_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    rows = range(7, 14)
    tags = ["O", "I-X", "O", "I-X", "I-Y", "B-Y", "I-X"]
    corpus = Corpus("data", [Sentence(list("abcdefg"), tags, line=7, lines=rows)], "IOB2")
    assert corpus.repaired == 4
    assert caplog.messages == [
        "data:8: 4 tags can't stand where they do in IOB2 and are read as conlleval does, the "
        "first is I-X after O (lines 8, 10, 11, 13)"
    ]


def test_a_prefix_that_the_scheme_does_not_have_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sentences = [Sentence(["a", "b"], ["S-X", "U-X"]), Sentence(["a"], ["L-X"])]
    corpus = Corpus("data", sentences)
    assert (corpus.scheme, corpus.repaired) == ("IOBES", 2)
    assert corpus.labels == {"X": 3}
    assert caplog.messages[0].startswith("data: 2 tags can't stand where they do in IOBES and")


def test_illegal_tags_are_refused_where_that_is_declared() -> None:
    sentence = Sentence(["a", "b"], ["O", "I-X"], line=7)
    Corpus("data", [sentence], "IOB1", "refuse")
    with pytest.raises(DataError) as caught:
        Corpus("data", [sentence], "IOB2", "refuse")
    assert str(caught.value) == (
        "data:7: expected tags of IOB2, got 1 that can't stand where they do, the first is I-X "
        "after O (lines 7): correct them, or set illegal_tags to 'repair', which reads them as "
        "conlleval does"
    )


def test_labels_that_the_model_does_not_know_are_told(caplog: pytest.LogCaptureFixture) -> None:
    tags = ["B-X", "O", "B-Y", "O", "B-Y"]
    corpus = Corpus("data", [Sentence(list("abcde"), tags, lines=range(3, 8))])
    corpus.report_unknown_labels(TagSet("IOB2", ["X"]))
    assert caplog.messages == [
        "data:5: 2 entities of label Y, which the training data doesn't have: they count as "
        "missed (lines 5, 7)"
    ]


def test_a_view_is_as_long_as_its_sentence() -> None:
    import torch

    with pytest.raises(RunError, match=r"embedders.it: index must give a tensor as long as"):
        IndexedSentences.index([Sentence(["a", "b"])], {"it": lambda sentence: torch.zeros(3)})


def test_where_sentences_are() -> None:
    tags = ["O"] * 6
    lines = Corpus("data", [Sentence(["a"] * 6, tags, line=n) for n in range(1, 41)])
    assert lines.places([3, 0]) == "data:4, 1"
    assert lines.places(range(40)).endswith("31, 32, 8 more")
    words = Corpus("data", [Sentence(list("abcdef"), tags), Sentence(["a"], ["O"])])
    assert words.places([0, 1]) == "data:a b c d e ..., a"
