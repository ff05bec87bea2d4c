from __future__ import annotations

from ner_registry.data.schemes import Span
from ner_registry.data.sentence import Sentence
from ner_registry.formats.base import Tagged, make_record
from ner_registry.formats.brackets import write, write_on_terminal


def tagged() -> list[Tagged]:
    sentence = Sentence(["Jim", "left", "New", "York"])
    return [Tagged(sentence, make_record(sentence, [Span("PER", 0, 1), Span("LOC", 2, 4)]))]


def test_brackets() -> None:
    assert list(write(tagged(), "data")) == ["[PER Jim] left [LOC New York]\n"]


def test_colours_are_around_the_same() -> None:
    (line,) = write_on_terminal(tagged(), "data")
    parts = line.split("\x1b[")
    assert [part.partition("m")[2] for part in parts[1:]] == [
        "[PER Jim]",
        " left ",
        "[LOC New York]",
        "\n",
    ]
    assert len({part.partition("m")[0] for part in parts[1:]}) == 3  # two colours, and none
