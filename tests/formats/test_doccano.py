from __future__ import annotations

import json
from typing import Any

import pytest

from ner_registry.errors import DataError

TEXT = "Maria met Ann in St. Louis. They left."


def record(*labels: Any, **more: Any) -> str:
    return json.dumps({"text": TEXT, "label": list(labels)} | more)


def test_labels_by_characters(read: Any) -> None:
    first, second = read(record([17, 26, "LOC"], [0, 5, "PER"], id=7), "doccano")
    assert first.tags == ["B-PER", "O", "O", "O", "B-LOC", "I-LOC", "O"]
    assert first.tokens[4:6] == ["St.", "Louis"]
    assert (second.tags, second.extra["id"]) == (["O"] * 3, 7)
    assert (second.text, second.line) == (TEXT, 1)


def test_the_older_key(read: Any) -> None:
    (sentence,) = read('{"text": "Ann", "labels": [[0, 3, "PER"]]}', "doccano")
    assert sentence.tags == ["B-PER"]


def test_labels_don_t_matter_to_who_tags(read: Any) -> None:
    (sentence,) = read('{"text": "Ann", "label": "?"}', "doccano", tagged=False)
    assert (sentence.tags, sentence.extra) == (None, {"text": "Ann", "record": 0})


def test_a_sentence_never_ends_within_an_entity(read: Any) -> None:
    text = "The band Who? Me! sang. We slept."
    (first, second) = read(json.dumps({"text": text, "label": [[9, 17, "ORG"]]}), "doccano")
    assert first.tokens == ["The", "band", "Who", "?", "Me", "!", "sang", "."]
    assert first.tags == ["O", "O", "B-ORG", "I-ORG", "I-ORG", "I-ORG", "O", "O"]
    assert second.tokens == ["We", "slept", "."]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            record([1, 5, "PER"]),
            "expected a span on the borders of tokens, got 'aria' (PER, 1 to 5); the tokens "
            "there: 'Maria'",
        ),
        (
            record([0, 6, "PER"]),
            "expected a span on the borders of tokens, got 'Maria ' (PER, 0 to 6); the tokens "
            "there: 'Maria'",
        ),
        (
            record([0, 9, "A"], [6, 13, "B"]),
            "expected spans apart from each other, got 'Maria met' (A, 0 to 9) and "
            "'met Ann' (B, 6 to 13)",
        ),
        (
            record([30, 90, "PER"]),
            "expected a span within the text's 38 characters, got 30 to 90",
        ),
        (record([3, 3, "PER"]), "expected a span within the text's 38 characters, got 3 to 3"),
        (record([0, "5", "PER"]), "expected a label and two whole numbers for a span, got 'PER'"),
        (record([0, True, "PER"]), "expected a label and two whole numbers for a span, got 'PER'"),
        (record([0, 5, ""]), "expected a label and two whole numbers for a span, got ''"),
        (record([0, 5]), 'expected labels such as [0, 3, "PER"], got [0, 5]'),
        (record("PER"), "expected labels such as [0, 3, \"PER\"], got 'PER'"),
        ('{"text": "Ann"}', "expected a list under 'label', got the keys: text"),
        ('{"label": []}', "expected a string under 'text', got the keys: label"),
        ("{}", "expected a string under 'text', got the keys: none"),
        ("[]", "expected a JSON object, got '[]'"),
    ],
)
def test_what_is_refused(read: Any, line: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(f"\n{line}\n", "doccano")
    assert str(caught.value).startswith(f"data:2: {message}")


def test_words_without_a_text(converted: Any) -> None:
    content = '{"words": ["In", "New", "York"], "tags": ["O", "B-LOC", "I-LOC"], "n": 1}'
    assert json.loads(converted(content, "jsonl", "doccano")) == {
        "text": "In New York",
        "label": [[3, 11, "LOC"]],
        "n": 1,
    }
