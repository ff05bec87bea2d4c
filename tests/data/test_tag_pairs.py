"""Pairs of tags tell the same as the sentences themselves."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from ner_registry.data.schemes import (
    TagScheme,
    illegal_positions,
    tags_to_spans,
)
from ner_registry.data.sentence import Sentence
from ner_registry.data.tag_pairs import LINES_SHOWN, TagPairs

TAGS = ["O", "O", "O", *(f"{prefix}-{label}" for prefix in "BIESLU" for label in ("X", "Y"))]


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "IOBES", "BIOUL"])
@pytest.mark.parametrize("seed", range(10))
def test_pairs_of_random_tags(scheme: TagScheme, seed: int) -> None:
    draw = random.Random(seed)
    pairs, sentences, line = TagPairs(), [], 0
    for _ in range(draw.choice([1, 3, 40])):
        tags = [draw.choice(TAGS) for _ in range(draw.randrange(1, 9))]
        lines = range(line + 1, line + len(tags) + 1)
        line += len(tags) + 1
        sentences.append(Sentence(["a"] * len(tags), tags, line=lines[0], lines=lines))
        pairs.add(sentences[-1])
    labels = Counter(span.label for s in sentences for span in tags_to_spans(s.tags or []))
    assert list(pairs.labels().items()) == list(labels.items())
    places = [(s, n) for s in sentences for n in illegal_positions(s.tags or [], scheme)]
    illegal = pairs.illegal(scheme)
    if not places:
        assert illegal is None
        return
    first, position = places[0]
    padded = [None, *(first.tags or []), None]
    assert illegal is not None
    assert (illegal.before, illegal.tag) == (padded[position], padded[position + 1])
    assert (illegal.count, illegal.line) == (len(places), first.line_of(position))
    known = dict.fromkeys(sentence.line_of(n) for sentence, n in places)
    assert illegal.lines == list(known)[: LINES_SHOWN + 1]
