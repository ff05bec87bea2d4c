from __future__ import annotations

from pathlib import Path

import pytest

from ner_registry.errors import DataError
from ner_registry.readers import JsonlReader


def test_words_or_tokens(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(
        '{"words": ["Jim"], "tags": ["B-PER"], "pos": ["NNP"]}\n\n'
        '{"tokens": ["in", "Oslo"], "tags": ["O", "B-LOC"], "pos": ["IN", "NNP"]}\n',
        encoding="utf-8",
    )
    first, second = JsonlReader(columns=["pos"]).read(path)
    assert (first.tokens, first.tags, first.columns) == (["Jim"], ["B-PER"], {"pos": ["NNP"]})
    assert (second.tokens, second.line) == (["in", "Oslo"], 3)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "expected a JSON object, got '{' (Expecting property name"),
        ("[1]", "expected a JSON object, got '[1]'"),
        ('{"words": "Jim"}', "expected a list of strings under 'words', got \"Jim\""),
        ('{"words": ["Jim"]}', "expected a list of strings under 'tags', got no such key"),
        ('{"words": ["a", ""]}', 'expected no empty string under \'words\', got ["a", ""]'),
        ('{"words": ["Jim"], "tags": []}', "expected 1 values under 'tags', got 0"),
        ('{"words": ["Jim"], "tags": ["PER"]}', "expected a tag such as O, B-PER or I-PER"),
        ('{"words": [], "tags": []}', "expected tokens under 'words', got none"),
        (
            '{"words": ["a"], "tags": ["O"], "tags": ["B-X"]}',
            'expected a JSON object, got \'{"words": ["a"], "tags": ["O"], "tags": \' '
            "(the key 'tags' twice)",
        ),
        (
            '{"words": ["O", "B-X", "a"], "tags": ["O", "O", "O"]}',
            "expected tokens under 'words', got tags, 2 of 3, as 'O'",
        ),
    ],
)
def test_what_is_refused(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(JsonlReader().read(path))
    assert str(caught.value).startswith(f"{path}:1: {message}")
