"""Pairing what is true with what was predicted."""

from __future__ import annotations

import random

import pytest

from ner_registry.data.schemes import Span, spans_to_tags, tags_to_spans
from ner_registry.reports.heat import NOTHING, entity_heat
from ner_registry.reports.judged import Judged
from ner_registry.reports.mistakes import Mistake, mistakes_in, repeated_mistakes


def tagged(gold: list[Span], predicted: list[Span], words: str = "a b c d e f") -> Judged:
    return Judged(words.split(), gold, predicted, [0.5] * len(predicted))


def random_sentence(rng: random.Random) -> Judged:
    length = rng.randint(1, 12)
    tags = ["O", "B-A", "I-A", "B-B", "I-B"]
    gold, predicted = (tags_to_spans(rng.choices(tags, k=length)) for _ in range(2))
    words = [str(number) for number in range(length)]
    return Judged(words, gold, predicted, [rng.random() for _ in predicted])


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        ([Span("A", 1, 3)], [], "missed"),
        ([], [Span("A", 1, 3)], "spurious"),
        ([Span("A", 1, 3)], [Span("A", 2, 3)], "boundary"),
        ([Span("A", 1, 3)], [Span("B", 1, 3)], "type"),
        ([Span("A", 1, 3)], [Span("B", 2, 5)], "boundary and type"),
    ],
)
def test_each_kind(gold: list[Span], predicted: list[Span], kind: str) -> None:
    (found,) = mistakes_in(tagged(gold, predicted))
    assert found.kind == kind
    assert found.gold == (gold[0] if gold else None)
    assert found.predicted == (predicted[0] if predicted else None)
    assert found.cost == len(gold) + len(predicted)


def test_neighbours_that_only_touch_are_apart() -> None:
    found = mistakes_in(tagged([Span("A", 0, 2)], [Span("A", 2, 4)]))
    assert [mistake.kind for mistake in found] == ["missed", "spurious"]


def test_the_closest_pair_goes_first() -> None:
    gold = [Span("A", 0, 4)]
    predicted = [Span("B", 0, 3), Span("A", 3, 5)]
    same_label, left_over = sorted(mistakes_in(tagged(gold, predicted)), key=lambda m: m.kind)
    assert same_label == Mistake("boundary", Span("A", 0, 4), Span("A", 3, 5), 0.5)
    assert left_over == Mistake("spurious", None, Span("B", 0, 3), 0.5)


@pytest.mark.parametrize("seed", range(20))
def test_every_wrong_entity_is_part_of_one_mistake(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(50):
        sentence = random_sentence(rng)
        found = mistakes_in(sentence)
        gold = [m.gold for m in found if m.gold]
        predicted = [m.predicted for m in found if m.predicted]
        assert sorted(gold) == sorted(set(sentence.gold) - sentence.correct)
        assert sorted(predicted) == sorted(set(sentence.predicted) - sentence.correct)
        for mistake in found:
            if mistake.gold and mistake.predicted:
                span, other = mistake.gold, mistake.predicted
                assert max(span.start, other.start) < min(span.end, other.end)
        unpaired_gold = [m.gold for m in found if m.gold and not m.predicted]
        unpaired = [m.predicted for m in found if m.predicted and not m.gold]
        assert not any(g.start < p.end and p.start < g.end for g in unpaired_gold for p in unpaired)


def test_the_costliest_first_and_repeats_as_one() -> None:
    sentences = [
        tagged([Span("A", 0, 1)], [], "Paris is"),
        tagged([Span("A", 0, 1)], [Span("B", 0, 1)], "Rome is"),
        tagged([Span("A", 1, 2)], [], "in Paris"),
        tagged([Span("A", 0, 1)], [], "Oslo is"),
    ]
    found = repeated_mistakes(sentences)
    assert [r.key[2] for r in found["missed"]] == ["Paris", "Oslo"]
    assert [number for number, _ in found["missed"][0].places] == [0, 2]
    assert [r.cost for r in found["missed"]] == [2, 1]
    assert found["type"][0].cost == 2
    assert found["type"][0].score == 0.5
    assert found["spurious"] == found["boundary"] == []


def test_the_heat_map_counts_each_entity_once() -> None:
    rng = random.Random(1)
    sentences = [random_sentence(rng) for _ in range(300)]
    found = entity_heat(sentences)
    counts = {
        (gold, predicted): cell.count
        for gold, cells in found.rows
        for predicted, cell in zip(found.names, cells, strict=True)
        if cell is not None
    }
    for label in ("A", "B"):
        gold = sum(span.label == label for s in sentences for span in s.gold)
        predicted = sum(span.label == label for s in sentences for span in s.predicted)
        assert sum(n for (name, _), n in counts.items() if name == label) == gold
        assert sum(n for (_, name), n in counts.items() if name == label) == predicted
    assert (NOTHING, NOTHING) not in counts


def test_the_tags_of_spans_come_back() -> None:
    prediction = {
        "words": ["Jim", "Kelly", "left"],
        "tags": ["B-PER", "I-PER", "O"],
        "entities": [{"label": "PER", "start": 0, "end": 2, "text": "Jim Kelly", "score": 0.9}],
        "gold_tags": ["B-PER", "B-PER", "O"],
    }
    sentence = Judged.of(prediction)
    assert spans_to_tags(sentence.predicted, 3, "IOB2") == prediction["tags"]
    assert spans_to_tags(sentence.gold, 3, "IOB2") == prediction["gold_tags"]
    assert sentence.text(sentence.predicted[0]) == "Jim Kelly"
    assert sentence.correct == set()
