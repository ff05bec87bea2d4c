"""Formats without files: lines in, pieces out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ner_registry.data.schemes import tags_to_spans
from ner_registry.data.sentence import Sentence
from ner_registry.formats import TAGGED_INPUTS, reader_of, tagged_reader_of, writer_of
from ner_registry.formats.base import Source, Tagged, make_record


def _read(content: str, form: str, *, tagged: bool = True, **settings: Any) -> list[Sentence]:
    read = tagged_reader_of(form) if tagged and form in TAGGED_INPUTS else reader_of(form)
    return list(read(Source(enumerate(content.split("\n"), 1), "data", **settings)))


def _write(sentences: list[Sentence], form: str) -> str:
    spans = [tags_to_spans(sentence.tags or []) for sentence in sentences]
    tagged = [Tagged(s, make_record(s, of)) for s, of in zip(sentences, spans, strict=True)]
    return "".join(writer_of(form)(tagged, "data"))


@pytest.fixture(scope="session")
def read() -> Callable[..., list[Sentence]]:
    """The sentences of some content in a format."""
    return _read


@pytest.fixture(scope="session")
def write() -> Callable[[list[Sentence], str], str]:
    """Sentences in a format."""
    return _write


@pytest.fixture(scope="session")
def converted() -> Callable[[str, str, str], str]:
    """Content of one format in another."""
    return lambda content, form, target: _write(_read(content, form), target)
