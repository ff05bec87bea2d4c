"""F1 by group, and calibration, on sentences counted by hand."""

from __future__ import annotations

import pytest

from ner_registry.data.schemes import Span
from ner_registry.reports.bootstrap import units_of
from ner_registry.reports.breakdown import (
    by_entities_seen,
    by_entity_length,
    by_sentence_length,
    by_words_seen,
)
from ner_registry.reports.calibration import calibration
from ner_registry.reports.judged import Judged
from ner_registry.reports.known import Known
from ner_registry.reports.marked import pieces

SENTENCES = [
    Judged(
        ["Jim", "Kelly", "left", "Paris", "."],
        [Span("PER", 0, 2), Span("LOC", 3, 4)],
        [Span("PER", 0, 1), Span("LOC", 3, 4)],
        [0.85, 0.95],
    ),
    Judged(["Paris", "Hilton"], [Span("PER", 0, 2)], [Span("LOC", 0, 1)], [0.85]),
    Judged(["none", "in", "this", "one", ",", "it", "has", "none"], [], [], []),
]
UNITS = units_of(None, len(SENTENCES))
KNOWN = Known({"Jim", "Paris", "left"}, str, "here", {"Paris": {"LOC"}, "Jim": {"ORG"}})


def test_by_entity_length() -> None:
    one, two = by_entity_length(SENTENCES, UNITS)
    assert (one.name, one.gold, one.predicted) == ("1", 1, 3)
    assert one.precision == pytest.approx(1 / 3)
    assert one.recall == 1
    assert (two.name, two.gold, two.predicted, two.f1) == ("2", 2, 0, 0)
    assert one.low <= one.f1 <= one.high


def test_by_sentence_length() -> None:
    (short,) = by_sentence_length(SENTENCES, UNITS)
    assert (short.name, short.gold, short.predicted) == ("1–5", 3, 3)
    assert short.f1 == pytest.approx(1 / 3)


def test_by_words_seen() -> None:
    rows = {row.name: row for row in by_words_seen(SENTENCES, UNITS, KNOWN)}
    assert {name: (row.gold, row.predicted) for name, row in rows.items()} == {
        "every word seen": (1, 3),
        "some words seen": (2, 0),
    }


def test_by_entities_seen() -> None:
    rows = {row.name: row for row in by_entities_seen(SENTENCES, UNITS, KNOWN)}
    assert {name: (row.gold, row.predicted) for name, row in rows.items()} == {
        "seen with this label": (1, 2),
        "seen with other labels only": (0, 1),
        "never seen": (2, 0),
    }


def test_calibration() -> None:
    found = calibration(SENTENCES)
    low, high = found.bins
    assert (low.low, low.high, low.count, low.accuracy) == (12 / 15, 13 / 15, 2, 0)
    assert (high.count, high.accuracy) == (1, 1)
    assert high.confidence == pytest.approx(0.95)
    assert found.error == pytest.approx((2 * 0.85 + 0.05) / 3)
    ends = Judged(["x"], [], [Span("A", 0, 1)] * 3, [0.0, 1 / 15, 1.0])
    assert [(b.low, b.high, b.count) for b in calibration([ends]).bins] == [
        (0, 1 / 15, 2),
        (14 / 15, 1, 1),
    ]
    sure = Judged(["x"], [Span("A", 0, 1)], [Span("A", 0, 1)], [1.0])
    assert calibration([sure]).error == 0
    assert calibration([Judged(["x"], [], [], [])]).bins == []


def test_pieces_are_the_sentence() -> None:
    first = SENTENCES[0]
    found = pieces(first.words, first.gold, first.gold[1], first.gold[1])
    assert " ".join(piece.text for piece in found) == " ".join(first.words)
    assert [(p.label, p.is_meant) for p in found if p.label] == [("PER", False), ("LOC", True)]


def test_far_ends_of_a_long_sentence_are_cut_off() -> None:
    words = [str(number) for number in range(200)]
    spans = [Span("A", 60, 90), Span("B", 100, 101), Span("C", 150, 151)]
    found = pieces(words, spans, spans[1], spans[1])
    assert (found[0].text, found[-1].text) == ("…", "…")
    assert found[1].label == "A"
    assert found[1].text.split() == words[75:90]
    assert [piece.text for piece in found if piece.is_meant] == ["100"]
    assert not any(piece.label == "C" for piece in found)
