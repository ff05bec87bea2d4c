from __future__ import annotations

import pytest
import torch

from ner_registry.data.word_rows import WordRows


@pytest.mark.parametrize("words", [["a", "", "abc", "a"], [""], []])
def test_rows_are_padded_to_the_longest(words: list[str]) -> None:
    rows = WordRows(lambda word: [ord(letter) for letter in word])(words)
    width = max(map(len, words), default=0)
    expected = [[*map(ord, word)] + [0] * (width - len(word)) for word in words]
    assert rows.dtype == torch.int32
    assert rows.shape == (len(words), width)
    assert rows.tolist() == expected


def test_a_word_is_looked_up_once() -> None:
    asked: list[str] = []

    def numbers_of(word: str) -> list[int]:
        asked.append(word)
        return [len(word)]

    rows = WordRows(numbers_of)
    rows(["Oslo", "is", "Oslo"])
    assert rows(["is", "Oslo"]).tolist() == [[2], [4]]
    assert asked == ["Oslo", "is"]
