"""Every format does what its name is listed for."""

from __future__ import annotations

from importlib import import_module

import pytest

from ner_registry import formats

NAMES = sorted({*formats.INPUTS, *formats.TAGGED_INPUTS, *formats.OUTPUTS})


@pytest.mark.parametrize("name", NAMES)
def test_what_is_listed_is_there_and_nothing_else(name: str) -> None:
    module = import_module(f"ner_registry.formats.{name}")
    for function, names in (
        ("read", formats.INPUTS),
        ("read_tagged", formats.TAGGED_INPUTS),
        ("write", formats.OUTPUTS),
    ):
        assert hasattr(module, function) == (name in names), function
    assert set(formats.WITH_TAGS) <= set(formats.TAGGED_INPUTS)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.txt", "text"),
        ("b/a.TEXT.gz", "text"),
        ("a.jsonl", "jsonl"),
        ("a.json.GZ", "jsonl"),
        ("page.html", "html"),
        ("eng.train", "conll"),
        ("eng.train.gz", "conll"),
        ("a.txt.conll", "conll"),
        ("plain", "conll"),
    ],
)
def test_endings(path: str, name: str) -> None:
    assert formats.format_of(path) == name


def test_colours_are_for_terminals_and_for_brackets() -> None:
    for name in formats.OUTPUTS:
        plain, coloured = formats.writer_of(name), formats.writer_of(name, on_terminal=True)
        assert (plain is not coloured) == (name == "brackets")
