from __future__ import annotations

from typing import Any

import pytest

from ner_registry.data.schemes import tags_to_spans
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.formats.base import Tagged, make_record
from ner_registry.formats.conll import write as write_conll
from ner_registry.readers import ConllReader

DOCUMENT = "-DOCSTART- -X- O O\n\nEU  NNP I-NP\tI-ORG \n. . O O\n\n"


def test_all_but_the_tag_stays_as_it_was(read: Any, write: Any) -> None:
    sentences = read(DOCUMENT, "conll", rows="untagged")
    assert write(sentences, "conll") == ("-DOCSTART- -X- O O\n\nEU  NNP I-NP\tB-ORG\n. . O O\n\n")


def test_a_column_is_added_to_whole_rows(read: Any, write: Any) -> None:
    for tagged in (True, False):
        (sentence,) = read(DOCUMENT, "conll", rows="whole", tagged=tagged)
        sentence.tags = ["B-LOC", "O"]
        assert write([sentence], "conll") == "EU  NNP I-NP\tI-ORG\tB-LOC\n. . O O\tO\n\n"


def test_rows_are_read_as_the_reader_says(read: Any, write: Any) -> None:
    reader = ConllReader(token_column=1, tag_column=0, delimiter="tab")
    (sentence,) = read("B-LOC\tNew York\nO\tgrew", "conll", rows="whole", reader=reader)
    assert sentence.tokens == ["New York", "grew"]
    assert write([sentence], "conll") == "B-LOC\tNew York\tB-LOC\nO\tgrew\tO\n\n"
    assert not reader.keeps_rows


def test_gold_tags_stand_before_those_found() -> None:
    sentence = Sentence(["Jim", "left"])
    record = make_record(sentence, tags_to_spans(["B-PER", "O"]), beside={"gold_tags": ["O", "O"]})
    assert list(write_conll([Tagged(sentence, record)], "data")) == ["Jim O B-PER\nleft O O\n\n"]


def test_gold_tags_of_the_input_are_no_column() -> None:
    sentence = Sentence(["Jim", "left"], extra={"gold_tags": 5})
    record = make_record(sentence, tags_to_spans(["B-PER", "O"]))
    assert list(write_conll([Tagged(sentence, record)], "data")) == ["Jim B-PER\nleft O\n\n"]


def test_other_white_space_is_a_part_of_its_word(read: Any, write: Any) -> None:
    words = ["10\u00a0000", "\u2028", "a\u3000b"]
    (sentence,) = read(write([Sentence(words, ["O"] * 3)], "conll"), "conll")
    assert sentence.tokens == words


@pytest.mark.parametrize(
    "sentence", [Sentence(["New York"], line=3), Sentence(["Oslo"], ["B-capital city"], line=3)]
)
def test_white_space_is_refused(write: Any, sentence: Sentence) -> None:
    with pytest.raises(DataError, match=r"data:3: '.+' holds white space, which CoNLL columns"):
        write([sentence], "conll")
