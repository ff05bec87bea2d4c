from __future__ import annotations

from typing import Any

import pytest

from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError


def test_lines_of_text(read: Any) -> None:
    sentences = read("Jim left. Ann stayed.\n  \nOslo", "text")
    assert [s.extra["record"] for s in sentences] == [0, 0, 2]
    assert [s.line for s in sentences] == [1, 1, 3]


def test_texts_come_back_whole(converted: Any, write: Any) -> None:
    assert converted("Jim left.  Ann stayed. \nOslo", "text", "text") == (
        "Jim left.  Ann stayed. \nOslo\n"
    )
    assert write([Sentence(["New", "York"])], "text") == "New York\n"


def test_a_line_break_is_refused(write: Any) -> None:
    text = Sentence(["a", "b"], text="a\nb", offsets=[(0, 1), (2, 3)], line=4)
    with pytest.raises(DataError, match="data:4: expected a text of one line, got one with a"):
        write([text], "text")
