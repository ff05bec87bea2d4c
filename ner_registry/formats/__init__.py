"""Formats: the forms that text and its entities are read and written in, by name.

Each is a module of its own here, imported when it is first used, so that ``ner-run --help`` has
their names and nothing else. It may have ``read(source)``, which gives the sentences of texts
whose tags aren't known or don't matter; ``read_tagged(source)``, which gives them with their tags;
and ``write(tagged, name)``, which gives pieces of the output, and takes ``name`` for messages.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ner_registry.formats.base import Read, Write

INPUTS = ("text", "jsonl", "conll", "doccano", "prodigy")
TAGGED_INPUTS = ("jsonl", "conll", "doccano", "prodigy")
OUTPUTS = ("jsonl", "conll", "brackets", "html", "doccano", "prodigy", "text")
WITH_TAGS = ("jsonl", "conll")  # the others hold entities alone
_OF_ENDINGS = {
    ".txt": "text",
    ".text": "text",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".html": "html",
    ".htm": "html",
    ".conll": "conll",
}
_ENDINGS = {"conll": ".conll", "html": ".html", "text": ".txt", "brackets": ".txt"}


def format_of(path: str) -> str:
    """The format that a file's ending tells; CoNLL files come with all sorts of endings."""
    return _OF_ENDINGS.get(_ending_of(path), "conll")


def has_ending(path: str) -> bool:
    """Whether a file's ending tells its format."""
    return _ending_of(path) in _OF_ENDINGS


def _ending_of(path: str) -> str:
    return PurePath(path.lower().removesuffix(".gz")).suffix


def renamed(name: str, output_format: str) -> str:
    """A file's name with the ending of a format; one that ends in ``.gz`` still does."""
    plain = name[: -len(".gz")] if name.lower().endswith(".gz") else name
    ending = PurePath(plain).suffix
    # what isn't an ending of ours is part of the name: eng.testa and eng.testb stay apart
    stem = plain[: -len(ending)] if ending.lower() in _OF_ENDINGS else plain
    return stem + _ENDINGS.get(output_format, ".jsonl") + name[len(plain) :]


def reader_of(name: str) -> Read:
    """What reads text in a format of :data:`INPUTS`."""
    read: Read = import_module(f"{__name__}.{name}").read
    return read


def tagged_reader_of(name: str) -> Read:
    """What reads tagged text in a format of :data:`TAGGED_INPUTS`."""
    read: Read = import_module(f"{__name__}.{name}").read_tagged
    return read


def writer_of(name: str, *, on_terminal: bool = False) -> Write:
    """What writes a format of :data:`OUTPUTS`, with colours where there are any on a terminal."""
    module = import_module(f"{__name__}.{name}")
    write: Write = module.write
    return getattr(module, "write_on_terminal", write) if on_terminal else write
