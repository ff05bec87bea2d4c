from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from ner_registry.data.schemes import Span
from ner_registry.data.sentence import Sentence
from ner_registry.formats.base import Tagged, make_record
from ner_registry.formats.html import write

TEXT = "<Ann> & Bo  left.\n"


class Page(HTMLParser):
    """The text of a page, its marks in brackets, and the elements that are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.marks: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)
        if tag == "mark":
            self.marks.append(dict(attrs))
        self.text += {"mark": "[", "b": "|"}.get(tag, "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += {"mark": "]"}.get(tag, "")

    def handle_data(self, data: str) -> None:
        if "p" in self.open:
            self.text += data


def test_a_page() -> None:
    offsets = [(0, 1), (1, 4), (4, 5), (6, 7), (8, 10), (12, 16), (16, 17)]
    tokens = [TEXT[begin:end] for begin, end in offsets]
    sentence = Sentence(tokens, offsets=offsets, text=TEXT)
    found = make_record(sentence, [Span("A&B", 1, 2), Span("PER", 4, 5)], [0.25, 1.0])
    page = Page()
    content = "".join(write([Tagged(sentence, found)], "data"))
    page.feed(content)
    page.close()
    assert page.text == "<[Ann|A&B]> & [Bo|PER]  left.\n"
    assert page.open == []
    assert [mark["title"] for mark in page.marks] == ["probability 0.250", "probability 1.000"]
    assert not re.search("https?:|src=|href=|url\\(", content)  # it needs nothing else
