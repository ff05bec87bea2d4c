from __future__ import annotations

from pathlib import Path

import pytest

from ner_registry.errors import DataError
from ner_registry.readers import JsonlReader
from ner_registry.readers.untagged import read_jsonl, read_text


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
        ("{", "expected a JSON object, got Expecting property name"),
        ("[1]", "expected a JSON object, got '[1]'"),
        ('{"words": "Jim"}', "expected a list of strings under 'words', got \"Jim\""),
        ('{"words": ["Jim"]}', "expected a list of strings under 'tags', got no such key"),
        ('{"words": ["Jim"], "tags": []}', "expected 1 values under 'tags', got 0"),
        ('{"words": ["Jim"], "tags": ["PER"]}', "expected a tag such as O, B-PER or I-PER"),
        ('{"words": [], "tags": []}', "expected tokens under 'words', got none"),
        (
            '{"words": ["a"], "tags": ["O"], "tags": ["B-X"]}',
            "expected a JSON object, got the key 'tags' twice",
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


def test_records_to_tag() -> None:
    lines = [
        (1, '{"sentence": "Jim left. Ann stayed.", "id": 7}'),
        (2, '{"text": "Jim left. Ann stayed.", "id": 8}'),
        (3, '{"words": ["Oslo"]}'),
    ]
    whole, first, second, words = read_jsonl(lines, "stdin")
    assert len(whole) == 6
    assert whole.extra == {"id": 7}
    assert [s.tokens[0] for s in (first, second)] == ["Jim", "Ann"]
    assert second.extra == {"text": "Jim left. Ann stayed.", "record": 1, "id": 8}
    assert second.offsets == [(10, 13), (14, 20), (20, 21)]
    assert (words.tokens, words.text) == (["Oslo"], None)


def test_lines_of_text() -> None:
    sentences = list(read_text([(1, "Jim left. Ann stayed."), (2, "  "), (3, "Oslo")]))
    assert [s.extra["record"] for s in sentences] == [0, 0, 2]


def test_columns_of_untagged_records() -> None:
    lines = [(1, '{"words": ["a", "b"], "pos": ["X", "Y"]}'), (2, '{"words": ["a"]}')]
    first, second = read_jsonl(lines, "in.jsonl", ["pos"])
    assert first.columns == {"pos": ["X", "Y"]}
    assert second.columns == {}
    with pytest.raises(DataError, match=r"in.jsonl:1: expected 2 values under 'pos', got 1"):
        list(read_jsonl([(1, '{"words": ["a", "b"], "pos": ["X"]}')], "in.jsonl", ["pos"]))
