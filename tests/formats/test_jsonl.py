from __future__ import annotations

import json
from typing import Any

import pytest

from ner_registry.errors import DataError
from ner_registry.readers import JsonlReader


def test_records_to_tag(read: Any) -> None:
    content = (
        '{"sentence": "Jim left. Ann stayed.", "id": 7}\n'
        '{"text": "Jim left. Ann stayed.", "id": 8}\n'
        '{"words": ["Oslo"]}\n'
    )
    whole, first, second, words = read(content, "jsonl", tagged=False)
    assert len(whole) == 6
    assert whole.extra == {"id": 7}
    assert [s.tokens[0] for s in (first, second)] == ["Jim", "Ann"]
    assert second.extra == {"text": "Jim left. Ann stayed.", "record": 1, "id": 8}
    assert second.offsets == [(10, 13), (14, 20), (20, 21)]
    assert (words.tokens, words.text) == (["Oslo"], None)


def test_columns_of_untagged_records(read: Any) -> None:
    reader = JsonlReader(columns=["pos"])
    content = '{"words": ["a", "b"], "pos": ["X", "Y"]}\n{"words": ["a"]}\n'
    first, second = read(content, "jsonl", tagged=False, reader=reader)
    assert first.columns == {"pos": ["X", "Y"]}
    assert second.columns == {}
    with pytest.raises(DataError, match=r"data:1: expected 2 values under 'pos', got 1"):
        read('{"words": ["a", "b"], "pos": ["X"]}', "jsonl", tagged=False, reader=reader)


def test_tagged_words_are_found_in_their_text(read: Any) -> None:
    text = "Jim left.  Ann stayed."
    records = [
        {"words": ["Jim", "left", "."], "tags": ["B-PER", "O", "O"], "text": text, "record": 0},
        {"words": ["Ann", "stayed", "."], "tags": ["B-PER", "O", "O"], "text": text, "record": 0},
        {"words": ["Ann"], "tags": ["O"], "text": "Ann", "record": 1, "entities": [], "id": 7},
        {"words": [], "tags": [], "text": " ", "record": 2},
    ]
    content = "\n".join(map(json.dumps, records))
    first, second, third, fourth = read(content, "jsonl")
    assert first.offsets == [(0, 3), (4, 8), (8, 9)]
    assert second.offsets == [(11, 14), (15, 21), (21, 22)]
    assert (third.offsets, third.extra) == ([(0, 3)], {"text": "Ann", "record": 1, "id": 7})
    assert (fourth.tokens, fourth.offsets) == ([], [])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            '{"words": ["Bo"], "tags": ["O"], "text": "Jim"}',
            "expected the word 'Bo' at character 0 of the text, got 'Ji'",
        ),
        ('{"words": ["Bo"]}', "expected a list of strings under 'tags', got no such key"),
        ('{"text": "Bo"}', "expected a list of strings under 'tokens', got no such key"),
    ],
)
def test_what_is_refused_of_tagged_records(read: Any, line: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(f"\n{line}", "jsonl")
    assert str(caught.value) == f"data:2: {message}"
