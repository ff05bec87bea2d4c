"""Where formats are read from and written to: files, packed or not, and pipes."""

from __future__ import annotations

import errno
import gzip
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

from ner_registry.bars import progress_bar
from ner_registry.data.files import flush_directory, open_binary
from ner_registry.data.schemes import is_tag
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.formats import format_of, has_ending

logger = logging.getLogger(__name__)

STDIO = "-"
# what writing to a file raises where there is no room, without its name
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)


def check_readable(source: str) -> None:
    """Refuses what isn't a file, nor stdin.

    Raises:
        DataError: naming it.
    """
    # a pipe is as good, such as the shell's <(...)
    if source != STDIO and (Path(source).is_dir() or not Path(source).exists()):
        kind = "a directory" if Path(source).is_dir() else "no such file"
        raise DataError(source, f"expected a file to read, got {kind}")


def warn_of_ending(path: str | Path, output_format: str) -> None:
    """Warns of JSONL in a file whose ending tells of another format that holds entities."""
    named = format_of(str(path)) if has_ending(str(path)) else output_format
    if output_format == "jsonl" and named in ("html", "conll"):
        logger.warning("%s: will be JSONL: --output-format %s", path, named)


@contextmanager
def opened(source: str, doing: str = "reading") -> Iterator[BufferedIOBase]:
    """A file, or stdin for ``-``; a file's bar tells what is done with it."""
    if source == STDIO:
        yield cast(BufferedIOBase, sys.stdin.buffer)
    else:
        with open_binary(source, doing) as file:
            yield file


def counted(sentences: Iterator[Sentence], source: str, doing: str) -> Iterator[Sentence]:
    """Sentences, with a bar that counts those of stdin, whose end nobody knows."""
    if source != STDIO or sys.stdin.isatty():
        return sentences
    return iter(progress_bar(sentences, f"{doing} stdin", unit=" sentences"))


@contextmanager
def writer(path: str | Path | None) -> Iterator[TextIO]:
    """A file to write text to, packed where it ends in ``.gz``; None: stdout."""
    if path is None:
        # a lone surrogate, which UTF-8 can't hold, is written as an escape
        text: Any = sys.stdout
        text.reconfigure(encoding="utf-8", errors="backslashreplace")
        yield sys.stdout
        return
    # under its own name only when it is whole; a pipe or /dev/null is written as it is
    given = Path(path)
    is_plain = given.is_file() or not given.exists()
    target = given.resolve() if is_plain else given
    aside = Path(f"{target}.part") if is_plain else target
    try:
        with open(aside, "wb") as file, _packed(file, target) as packed, _text(packed) as out:
            yield out
    except BaseException as error:
        if is_plain:
            aside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            error.filename = str(path)
        raise
    if is_plain:
        _flush(aside)
        os.replace(aside, target)
        flush_directory(target.parent)


def _flush(path: Path) -> None:
    """Returns when a file is on disk, so that whoever finds it by its name finds it whole."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _packed(file: BinaryIO, target: Path) -> Any:
    """The file itself, or what packs into it, without the time, so that runs are alike."""
    if target.suffix.lower() != ".gz":
        return file
    return gzip.GzipFile("", "wb", 6, file, mtime=0)


def _text(file: BinaryIO) -> TextIO:
    return TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="\n")


def is_coloured(file: TextIO) -> bool:
    """Whether a file is a terminal whose owner hasn't asked for no colour (no-color.org)."""
    return file.isatty() and not os.environ.get("NO_COLOR")


def looked_at(lines: Iterator[tuple[int, str]], name: str, form: str) -> Iterator[tuple[int, str]]:
    """Lines of which nobody said what they are, and a word where they look like something else."""
    for number, line in lines:
        if number == 1 and form == "text" and _is_json(line):
            logger.warning(
                "%s: its first line is JSON, and is read as plain text: --input-format jsonl", name
            )
        if number == 1 and form == "text" and _ends_in_tag(line):
            logger.warning(
                "%s: its first line ends in a tag, as of CoNLL columns, and is read as plain text: "
                "--input-format conll",
                name,
            )
        if number == 1 and form == "conll" and _ends_in_tag(line) is False and not has_ending(name):
            logger.warning(
                "%s: its first line doesn't end in a tag, and the first word of each is read, as "
                "of CoNLL columns: --input-format text reads all of them",
                name,
            )
        yield number, line


def _ends_in_tag(line: str) -> bool | None:
    """None: of a line of one word nobody can say."""
    _, *others = line.split() or [""]
    return is_tag(others[-1]) if others else None


def _is_json(line: str) -> bool:
    if not line.startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
