from __future__ import annotations

from collections.abc import Iterator

import pytest

from ner_registry.data.schemes import Span
from ner_registry.data.sentence import Sentence
from ner_registry.formats.base import Tagged, make_record
from ner_registry.formats.text import split
from ner_registry.formats.texts import texts

TEXT = "Jim left. Ann too. \n"


def tagged(*sentences: Sentence) -> Iterator[Tagged]:
    for sentence in sentences:
        yield Tagged(sentence, make_record(sentence, [Span("PER", 0, 1)], [0.5]))


def test_sentences_of_a_text_are_put_together() -> None:
    first, second = split(TEXT, 3, {"id": 7}, 4)
    (text,) = texts(tagged(first, second))
    assert (text.text, text.extra, text.line) == (TEXT, {"id": 7}, 4)
    assert text.offsets == [(0, 3), (4, 8), (8, 9), (10, 13), (14, 17), (17, 18)]
    assert [(e["start"], e["end"], e["start_char"], e["end_char"]) for e in text.entities] == [
        (0, 1, 0, 3),
        (3, 4, 10, 13),
    ]
    assert [entity["score"] for entity in text.entities] == [0.5, 0.5]


def test_a_text_is_there_before_the_next_begins() -> None:
    """Somebody may be waiting at the other end of a pipe."""
    sentences = tagged(*split(TEXT, 0, {}, 1), Sentence(["Bo"]), *split("Al. Cy.", 1, {}, 2))
    whole = texts(sentences)
    assert next(whole).text == TEXT
    assert next(whole).text == "Bo"
    assert next(sentences).sentence.tokens == ["Al", "."]


def test_a_text_of_which_a_part_is_missing() -> None:
    first, second = split(TEXT, 0, {}, 1)
    (other,) = split("Al", 1, {}, 2)
    found = list(texts(tagged(first, other, second)))
    assert [(text.text, len(text.entities)) for text in found] == [(TEXT, 1), ("Al", 1), (TEXT, 1)]


@pytest.mark.parametrize("record", [0, 1])
def test_equal_texts_are_texts_of_their_own(record: int) -> None:
    twice = [*split("Jim left.", 0, {}, 1), *split("Jim left.", record, {}, 2)]
    assert len(list(texts(tagged(*twice)))) == 2
