from __future__ import annotations

import json
from typing import Any

import pytest

from ner_registry.errors import DataError

TEXT = "Ann left.\n Bo too."
TOKENS = [
    {"text": TEXT[start:end], "start": start, "end": end, "id": number}
    for number, (start, end) in enumerate(
        [(0, 3), (4, 8), (8, 9), (9, 10), (11, 13), (14, 17), (17, 18)]
    )
]


def task(**more: Any) -> str:
    return json.dumps({"text": TEXT, "tokens": TOKENS, "spans": []} | more)


def span(start: int, end: int, label: Any = "PER") -> dict[str, Any]:
    return {"start": start, "end": end, "label": label, "token_start": 0, "token_end": 0}


def test_tokens_are_one_sentence_without_those_of_white_space(read: Any) -> None:
    (sentence,) = read(task(spans=[span(11, 13)], answer="accept", meta={"a": 1}), "prodigy")
    assert sentence.tokens == ["Ann", "left", ".", "Bo", "too", "."]
    assert sentence.tags == ["O", "O", "O", "B-PER", "O", "O"]
    assert sentence.extra == {"answer": "accept", "meta": {"a": 1}}


def test_a_text_without_tokens_is_cut(read: Any, write: Any) -> None:
    first, second = read(json.dumps({"text": TEXT, "spans": [span(11, 13)]}), "prodigy")
    assert (first.tokens, second.tags) == (["Ann", "left", "."], ["B-PER", "O", "O"])
    assert json.loads(write([first, second], "prodigy")) == {
        "text": TEXT,
        "tokens": [
            {"text": "Ann", "start": 0, "end": 3, "id": 0, "ws": True},
            {"text": "left", "start": 4, "end": 8, "id": 1, "ws": False},
            {"text": ".", "start": 8, "end": 9, "id": 2, "ws": True},
            {"text": "Bo", "start": 11, "end": 13, "id": 3, "ws": True},
            {"text": "too", "start": 14, "end": 17, "id": 4, "ws": False},
            {"text": ".", "start": 17, "end": 18, "id": 5, "ws": False},
        ],
        "spans": [{"start": 11, "end": 13, "token_start": 3, "token_end": 3, "label": "PER"}],
    }


def test_what_was_said_of_other_spans_isn_t_passed_on(read: Any) -> None:
    content = task(answer="reject", _task_hash=1, _input_hash=2)
    (sentence,) = read(content, "prodigy", tagged=False)
    assert (sentence.tags, sentence.extra) == (None, {"_input_hash": 2})


def test_accepted_without_a_mark(read: Any) -> None:
    (sentence,) = read('{"text": "Ann", "answer": "accept"}', "prodigy")
    assert sentence.tags == ["O"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (task(answer="reject"), "expected accepted spans, got those of the answer 'reject'"),
        ('{"text": "Ann"}', "expected a list of objects under 'spans', got the keys: text"),
        (task(spans=[[0, 3]]), "expected a list of objects under 'spans', got the keys: spans,"),
        (task(spans=[{"start": 0, "end": 3}]), "expected a label and two whole numbers for a"),
        (task(spans=[span(0, 7)]), "expected a span on the borders of tokens, got 'Ann lef'"),
        (task(spans=[span(8, 10)]), "expected a span on the borders of tokens, got '.\\n'"),
        (task(tokens=["Ann"]), "expected tokens in order, each with the start and the end"),
        (task(tokens="Ann left"), "expected tokens in order, each with the start and the end"),
        (task(tokens=TOKENS[::-1]), "expected tokens in order, each with the start and the end"),
        (
            task(tokens=[{"text": "Bo", "start": 0, "end": 3}]),
            "expected the token 'Ann', got {'text': 'Bo', 'start': 0, 'end': 3}",
        ),
        (task(text=None), "expected a string under 'text', got the keys: spans, text, tokens"),
    ],
)
def test_what_is_refused(read: Any, line: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(f"\n{line}\n", "prodigy")
    assert str(caught.value).startswith(f"data:2: {message}")
