"""What every DatasetReader is."""

from __future__ import annotations

import gzip
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path

from ner_registry.config.registry import Registrable
from ner_registry.data.schemes import IllegalTags, TagScheme, is_tag, prefixes
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError

_BLOCK = 2**16  # bytes
_JUDGED = 1000  # tokens at the beginning of a file that tell what its tokens are
# what files begin with that are often taken for text
_OTHERS = {
    b"\x1f\x8b": ": it is packed by gzip, but doesn't end in .gz",
    b"\xff\xfe": ": it looks like UTF-16",
    b"\xfe\xff": ": it looks like UTF-16",
}
_FEWEST = 3  # tokens: fewer tell nothing

# what a column of tags may be called
_HEADERS = {"tag", "tags", "label", "labels", "ner", "ner_tag", "ner_tags", "entity", "bio", "iob"}


class DatasetReader(ABC, Registrable):
    """Reads sentences from a file.

    Attributes:
        tag_scheme: the scheme of the file's tags, where it is declared; None: detected.
        illegal_tags: what becomes of tags that can't stand where they do in the scheme: they
            are read as conlleval does, and counted (``repair``), or the file is refused.
    """

    tag_scheme: TagScheme | None = None
    illegal_tags: IllegalTags = "repair"

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
        hint = ""
        if line == 1 and tag.lower() in _HEADERS:
            hint = ": take the header out"
        elif tag.startswith("M-"):
            hint = ": the M- of BMES is I- here"
        raise DataError(path, f"expected {expected}, got {tag!r}{hint}", line)


def refuse_what_are_no_tokens(
    sentences: Iterable[Sentence], path: str | Path, place: str
) -> Iterator[Sentence]:
    """Passes sentences on, unless their tokens come from a wrong column.

    Args:
        sentences: of a file, in order.
        path: the file.
        place: what of it holds the tokens, such as ``token_column 0``.

    Raises:
        DataError: more than half of the first tokens are tags, or each is its own number.
    """
    tokens = 0
    are_numbers, longest = True, 0
    tags: list[tuple[str, int | None]] = []  # each with its line
    judged = False
    for sentence in sentences:
        if not judged:
            tokens += len(sentence)
            tags += [(t, sentence.line_of(n)) for n, t in enumerate(sentence.tokens) if is_tag(t)]
            are_numbers = are_numbers and _are_numbers(sentence.tokens)
            longest = max(longest, len(sentence))
            judged = tokens >= _JUDGED
            if judged:
                _judge(tokens, tags, are_numbers and longest > 1, path, place)
        yield sentence
    if not judged:
        _judge(tokens, tags, are_numbers and longest > 1, path, place)


def _are_numbers(tokens: list[str]) -> bool:
    """Whether they are 1, 2, 3 and so on, or from 0."""
    count = len(tokens)
    return any(tokens == [str(first + n) for n in range(count)] for first in (0, 1))


def _judge(
    tokens: int,
    tags: list[tuple[str, int | None]],
    are_numbers: bool,
    path: str | Path,
    place: str,
) -> None:
    if tokens >= _FEWEST and are_numbers:
        raise DataError(path, f"expected tokens under {place}, got their numbers: 1, 2, 3 ...")
    if tokens >= _FEWEST and 2 * len(tags) > tokens:
        tag, line = tags[0]
        message = f"expected tokens under {place}, got tags, {len(tags)} of {tokens}, as {tag!r}"
        raise DataError(path, message, line)


def numbered_lines(file: BufferedIOBase, path: str | Path) -> Iterator[tuple[int, str]]:
    """Lines of UTF-8 text, numbered from 1, without their ends.

    A byte-order mark is dropped; only a newline, or carriage return and newline, ends a line.

    Args:
        file: the open file.
        path: names it in messages.

    Raises:
        DataError: a line isn't UTF-8, or what is packed is broken.
    """
    number = 1
    begun: list[bytes] = []  # of a line whose end is yet to come
    while block := _block(file, path):
        whole, newline, rest = block.rpartition(b"\n")
        if not newline:
            begun.append(block)
            continue
        lines = b"".join([*begun, whole]).split(b"\n")
        yield from enumerate(_decoded(lines, path, number), number)
        number += len(lines)
        begun = [rest] if rest else []
    if begun:
        yield from enumerate(_decoded([b"".join(begun)], path, number), number)


def _block(file: BufferedIOBase, path: str | Path) -> bytes:
    """What is there already, so that nobody waits for more; nothing at the end."""
    try:
        return file.read1(_BLOCK)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        reason = "another file" if isinstance(error, gzip.BadGzipFile) else error
        raise DataError(path, f"expected gzip, as it ends in .gz, got {reason}") from None


def _decoded(lines: list[bytes], path: str | Path, first: int) -> Iterator[str]:
    """Lines of text, without their ends; ``first`` is the number of the first."""
    try:
        text = b"\n".join(lines).decode()
    except UnicodeDecodeError:
        yield from _decoded_one_by_one(lines, path, first)
        return
    if first == 1:
        text = text.removeprefix("\ufeff")
    if "\r" in text:
        yield from (line.removesuffix("\r") for line in text.split("\n"))
    else:
        yield from text.split("\n")


def _decoded_one_by_one(lines: list[bytes], path: str | Path, first: int) -> Iterator[str]:
    """Those before the one that isn't UTF-8, which is told."""
    for number, raw in enumerate(lines, first):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            got = f"byte 0x{raw[error.start]:02x} at column {error.start + 1}"
            if number == 1:
                got += next((hint for mark, hint in _OTHERS.items() if raw.startswith(mark)), "")
            raise DataError(path, f"expected UTF-8 text, got {got}", number) from None
        yield line.removesuffix("\r")
