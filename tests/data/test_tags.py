"""The tag set: entities of a whole batch at once."""

from __future__ import annotations

import numpy as np
import pytest

from ner_registry.data.schemes import TagScheme
from ner_registry.data.tags import TagSet


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "IOBES", "BIOUL"])
def test_spans_of_a_batch_are_those_of_its_sentences(scheme: TagScheme) -> None:
    tags = TagSet(scheme, ["LOC", "ORG", "PER"])
    generator = np.random.default_rng(0)
    paths = generator.integers(0, len(tags), (500, 9))  # most of them not legal
    lengths = generator.integers(0, 10, 500)
    paths[np.arange(9) >= lengths[:, None]] = 0
    found: list[list[tuple[str, int, int]]] = [[] for _ in paths]
    for row, begin, stop, label in tags.find_spans(paths).tolist():
        found[row].append((tags.labels[label], begin, stop))
    for row, (path, length) in enumerate(zip(paths.tolist(), lengths, strict=True)):
        assert found[row] == tags.decode(path[:length])


def test_no_sentence_has_no_span() -> None:
    tags = TagSet("IOB2", ["PER"])
    assert tags.find_spans(np.zeros((0, 3), np.int64)).shape == (0, 4)
    assert tags.find_spans(np.zeros((2, 3), np.int64)).shape == (0, 4)
