"""From format to format and back, nothing that both can hold is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ner_registry.data.schemes import Span, TagScheme, spans_to_tags, tags_to_spans
from ner_registry.data.segmentation import tokenize
from ner_registry.data.sentence import Sentence
from ner_registry.formats import tagged_reader_of, writer_of
from ner_registry.formats.base import Source, Tagged, make_record

Converted = Callable[[str, str, str], str]
LABELS = st.sampled_from(["PER", "LOC", "work-of-art"])
WORDS = st.one_of(
    st.sampled_from(["Jim", "works", "in", "U.S.", '"', "<b>", "[", "\\", "Île-de-France", "."]),
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6),
)


@st.composite
def spans_over(draw: st.DrawFn, length: int) -> list[Span]:
    """Entities over so many tokens, in order and apart."""
    borders = draw(st.lists(st.integers(0, length), max_size=6, unique=True).map(sorted))
    return [
        Span(draw(LABELS), start, end) for start, end in pairwise(borders) if draw(st.booleans())
    ]


@st.composite
def tagged_words(draw: st.DrawFn) -> Sentence:
    words = draw(st.lists(WORDS, min_size=1, max_size=8))
    spans = draw(spans_over(len(words)))
    return Sentence(words, spans_to_tags(spans, len(words), "IOB2"))


@st.composite
def labelled_texts(draw: st.DrawFn) -> tuple[str, list[tuple[int, int, str]]]:
    """A text as doccano has it, its labels on the borders of our tokens."""
    space = st.sampled_from([" ", "  ", "\n\n", "\u00a0", ". ", '." ', ""])
    text = "".join(draw(st.lists(st.one_of(space, WORDS), max_size=20)))
    offsets = tokenize(text)
    spans = draw(spans_over(len(offsets)))
    return text, [(offsets[s.start][0], offsets[s.end - 1][1], s.label) for s in spans]


@pytest.mark.parametrize("scheme", get_args(TagScheme))
@pytest.mark.parametrize("form", ["jsonl", "conll", "prodigy"])
@given(sentences=st.lists(tagged_words(), min_size=1, max_size=4))
def test_words_and_entities(form: str, scheme: TagScheme, sentences: list[Sentence]) -> None:
    tagged = [
        Tagged(s, make_record(s, tags_to_spans(s.tags or []), scheme=scheme)) for s in sentences
    ]
    content = "".join(writer_of(form)(tagged, "data"))
    lines = enumerate(content.split("\n"), 1)
    again = list(tagged_reader_of(form)(Source(lines, "data")))
    assert [s.tokens for s in again] == [s.tokens for s in sentences]
    for one, other in zip(again, sentences, strict=True):
        assert tags_to_spans(one.tags or []) == tags_to_spans(other.tags or [])


@given(records=st.lists(labelled_texts(), max_size=4))
def test_texts_and_characters(
    converted: Converted, records: list[tuple[str, list[tuple[int, int, str]]]]
) -> None:
    rows: list[dict[str, Any]] = [
        {"text": text, "label": [list(label) for label in labels], "id": number}
        for number, (text, labels) in enumerate(records)
    ]
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    assert converted(content, "doccano", "doccano") == content
    through = converted(converted(content, "doccano", "prodigy"), "prodigy", "doccano")
    assert through == content
    through = converted(converted(content, "doccano", "jsonl"), "jsonl", "doccano")
    assert through == content
    marked = [[row["text"][start:end] for start, end, _ in row["label"]] for row in rows]
    tasks = map(json.loads, converted(content, "doccano", "prodigy").splitlines())
    for task, words in zip(tasks, marked, strict=True):
        assert [task["text"][s["start"] : s["end"]] for s in task["spans"]] == words
        for span in task["spans"]:
            assert task["tokens"][span["token_start"]]["start"] == span["start"]
            assert task["tokens"][span["token_end"]]["end"] == span["end"]
