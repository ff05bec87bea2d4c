"""Tag schemes: lossless, legal, and read as conlleval reads them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from ner_registry.data.schemes import (
    Span,
    TagScheme,
    allowed,
    detect_scheme,
    illegal_positions,
    is_tag,
    spans_to_tags,
    tags_to_spans,
)
from ner_registry.data.tags import TagSet

SCHEMES: tuple[TagScheme, ...] = get_args(TagScheme)


@st.composite
def tagged(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Entities, some of them neighbours, in a sentence of some length."""
    spans: list[Span] = []
    position = 0
    for gap, length, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from("XY")))
    ):
        spans.append(Span(label, position + gap, position + gap + length))
        position = spans[-1].end
    return spans, position + draw(st.integers(0, 2))


@pytest.mark.parametrize("scheme", SCHEMES)
@given(tagged())
def test_spans_survive_every_scheme(scheme: TagScheme, data: tuple[list[Span], int]) -> None:
    spans, length = data
    tags = spans_to_tags(spans, length, scheme)
    assert tags_to_spans(tags) == spans
    assert illegal_positions(tags, scheme) == []
    assert set(tags) <= set(TagSet(scheme, "XY").tags)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_legal_tags_are_those_that_some_spans_make(scheme: TagScheme) -> None:
    """By enumeration: a sequence is legal exactly if its spans give it back."""
    tags = TagSet(scheme, ["X", "Y"]).tags
    for length in (1, 2, 3):
        for sequence in itertools.product(tags, repeat=length):
            padded = [None, *sequence, None]
            legal = all(allowed(a, b, scheme) for a, b in itertools.pairwise(padded))
            again = spans_to_tags(tags_to_spans(sequence), length, scheme)
            assert legal == (again == list(sequence)), sequence


def slow_conlleval(tags: Sequence[str]) -> list[Span]:
    """conlleval's startOfChunk and endOfChunk, as its tables have them."""
    spans: list[Span] = []
    open_at: int | None = None
    previous, previous_type = "O", ""
    for position, tag in enumerate([*tags, "O"]):
        current, _, current_type = tag.partition("-")
        changed = previous_type != current_type
        ends = previous != "O" and (
            changed or previous in "ESLU" or current in ("B", "S", "U", "O")
        )
        starts = current != "O" and (
            changed or current in "BSU" or previous in ("E", "S", "L", "U", "O")
        )
        if ends and open_at is not None:
            spans.append(Span(previous_type, open_at, position))
            open_at = None
        if starts:
            open_at = position
        previous, previous_type = current, current_type
    return spans


def test_spans_are_conllevals_on_random_tags() -> None:
    generator = random.Random(0)
    prefixes = {"IOB1": "BI", "IOB2": "BI", "IOBES": "BIES", "BIOUL": "BIUL"}
    for number in range(1000):
        scheme = SCHEMES[number % len(SCHEMES)]
        tags = ["O"] + [f"{p}-{label}" for p in prefixes[scheme] for label in ("X", "Y")]
        sequence = generator.choices(tags, k=generator.randrange(1, 12))
        assert tags_to_spans(sequence) == slow_conlleval(sequence)
        if scheme == "IOB2":  # seqeval reads the others by other rules of its own
            found = [Span(label, start, end + 1) for label, start, end in get_entities(sequence)]
            assert tags_to_spans(sequence) == found


@pytest.mark.parametrize(
    ("sentences", "scheme"),
    [
        ([["I-X", "I-X", "O"], ["I-Y", "B-Y"]], "IOB1"),
        ([["B-X", "I-X", "O"]], "IOB2"),
        ([["B-X", "O"], ["I-X", "O", "B-X"]], "IOB2"),
        ([["S-X", "O"]], "IOBES"),
        ([["B-X", "E-X"]], "IOBES"),
        ([["U-X"]], "BIOUL"),
        ([["B-X", "L-X"]], "BIOUL"),
        ([["O"]], "IOB2"),
    ],
)
def test_detection(sentences: list[list[str]], scheme: TagScheme) -> None:
    assert detect_scheme(sentences) == scheme


@pytest.mark.parametrize(
    "text",
    [
        *("B_PER", "b-PER", "PER", "B-", "-PER", "", "X-PER", "B- PER", "B-PER ", "o"),
        *("B-PER\u00a0", "B-PER\u200b", "B-P\u200bER", "B-PER\n", "\ufeffO"),
    ],
)
def test_what_is_no_tag(text: str) -> None:
    assert not is_tag(text)


@pytest.mark.parametrize("text", ["O", "B-PER", "U-a b", "S-人名", "I-x-y_z.1"])
def test_what_is_a_tag(text: str) -> None:
    assert is_tag(text)


def test_illegal_positions() -> None:
    assert illegal_positions(["O", "I-X", "I-Y"], "IOB2") == [1, 2]
    assert illegal_positions(["B-X"], "IOBES") == [1]
    assert illegal_positions(["B-X", "I-X", "B-X"], "IOB1") == [0]
