"""One JSON object per line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ner_registry.data.files import open_binary
from ner_registry.data.schemes import IllegalTags, TagScheme
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.readers.base import DatasetReader, numbered_lines, refuse_what_are_no_tokens


@DatasetReader.register("jsonl")
class JsonlReader(DatasetReader):
    """Lines such as ``{"words": ["Jim", "works"], "tags": ["B-PER", "O"]}``.

    ``tokens`` is read where there is no ``words``.

    Args:
        tags_key: the key that holds the tags.
        columns: keys of other lists to keep, one value per token.
        tag_scheme: the scheme of the tags; null: detected from the whole file.
        illegal_tags: what becomes of tags that can't stand where they do: ``repair`` reads them
            as conlleval does, and counts them; ``refuse`` refuses the file.
    """

    def __init__(
        self,
        *,
        tags_key: str = "tags",
        columns: list[str] | None = None,
        tag_scheme: TagScheme | None = None,
        illegal_tags: IllegalTags = "repair",
    ) -> None:
        self.tags_key = tags_key
        self.columns = columns or []
        self.tag_scheme = tag_scheme
        self.illegal_tags = illegal_tags

    def read(self, path: str | Path) -> Iterator[Sentence]:
        return refuse_what_are_no_tokens(self._sentences(path), path, "'words'")

    def _sentences(self, path: str | Path) -> Iterator[Sentence]:
        with open_binary(path) as file:
            for number, record in records(numbered_lines(file, path), path):
                yield self.sentence(record, path, number)

    def sentence(self, record: dict[str, Any], path: str | Path, number: int) -> Sentence:
        """The sentence of one line's object.

        Raises:
            DataError: it isn't as declared.
        """
        tokens_key = "words" if "words" in record else "tokens"
        tokens = string_list(record, tokens_key, path, number)
        if not tokens:
            raise DataError(path, f"expected tokens under {tokens_key!r}, got none", number)
        lists = {
            key: string_list(record, key, path, number) for key in (self.tags_key, *self.columns)
        }
        for key, values in lists.items():
            if len(values) != len(tokens):
                message = f"expected {len(tokens)} values under {key!r}, got {len(values)}"
                raise DataError(path, message, number)
        tags = lists[self.tags_key]
        for tag in tags:
            self.check_tag(tag, path, number)
        columns = {key: lists[key] for key in self.columns}
        return Sentence(tokens=tokens, tags=tags, columns=columns, line=number)


def records(
    lines: Iterable[tuple[int, str]], path: str | Path
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of the lines that aren't blank, each with its line's number.

    Raises:
        DataError: a line holds something else.
    """
    return ((number, parse_record(line, path, number)) for number, line in lines if line.strip())


def parse_record(line: str, path: str | Path, number: int) -> dict[str, Any]:
    """The object that a line holds.

    Raises:
        DataError: it isn't a JSON object.
    """
    try:
        record = json.loads(
            line, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as error:
        reason = str(error).replace(": line 1 column", " at column").partition(" (char")[0]
        message = f"expected a JSON object, got {line[:40]!r} ({reason})"
        raise DataError(path, message, number) from None
    if not isinstance(record, dict):
        raise DataError(path, f"expected a JSON object, got {line[:40]!r}", number)
    return record


def string_list(record: dict[str, Any], key: str, path: str | Path, number: int) -> list[str]:
    """The list of strings under a key.

    Raises:
        DataError: there is no such key, or its value is something else.
    """
    values = record.get(key)
    got = "no such key" if key not in record else json.dumps(values)[:40]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise DataError(path, f"expected a list of strings under {key!r}, got {got}", number)
    if "" in values:
        raise DataError(path, f"expected no empty string under {key!r}, got {got}", number)
    return values


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless it has a key twice: Python would take the last one and say nothing."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} twice")
    return found


def _finite(text: str) -> float:
    """A number, which JSON may write larger than any that can be written again."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number


def _refuse(constant: str) -> None:
    """NaN and the infinities, which Python reads but JSON doesn't have."""
    raise ValueError(f"{constant}, which isn't JSON")
