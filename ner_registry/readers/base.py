"""What every DatasetReader is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ner_registry.config.registry import Registrable
from ner_registry.data.schemes import TagScheme, is_tag, prefixes
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError


class DatasetReader(ABC, Registrable):
    """Reads sentences from a file.

    Attributes:
        tag_scheme: the scheme of the file's tags, where it is declared; None: detected.
    """

    tag_scheme: TagScheme | None = None

    @abstractmethod
    def read(self, path: str | Path) -> Iterator[Sentence]:
        """Yields the sentences of a file, in order.

        Raises:
            DataError: the file isn't what the reader was declared to read.
        """

    def check_tag(self, tag: str, path: str | Path, line: int) -> None:
        """Refuses what isn't a tag, or isn't one of the declared scheme.

        Raises:
            DataError: naming file, line and tag.
        """
        scheme = self.tag_scheme
        if tag == "O" or (is_tag(tag) and (scheme is None or tag[0] in prefixes(scheme))):
            return
        expected = f"a tag of {scheme}" if scheme else "a tag such as O, B-PER or I-PER"
        raise DataError(path, f"expected {expected}, got {tag!r}", line)


def numbered_lines(file: BinaryIO, path: str | Path) -> Iterator[tuple[int, str]]:
    """Lines of UTF-8 text, numbered from 1, without their ends.

    A byte-order mark is dropped; only a newline, or carriage return and newline, ends a line.

    Args:
        file: the open file.
        path: names it in messages.

    Raises:
        DataError: a line isn't UTF-8.
    """
    for number, raw in enumerate(file, 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            got = f"byte 0x{raw[error.start]:02x} at column {error.start + 1}"
            raise DataError(path, f"expected UTF-8 text, got {got}", number) from None
        yield number, line.removesuffix("\n").removesuffix("\r")
