"""Tags a file or a stream."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, TextIO, cast

from ner_registry.bars import progress_bar
from ner_registry.data.files import check_writable, open_binary
from ner_registry.data.sentence import Sentence
from ner_registry.errors import DataError
from ner_registry.predictor import BATCH_SIZE, Predictor, as_brackets, as_conll, as_jsonl, load
from ner_registry.readers import ConllReader, JsonlReader
from ner_registry.readers.base import numbered_lines
from ner_registry.readers.untagged import read_jsonl, read_text

_FORMATS: dict[str, Callable[[dict[str, Any]], str]] = {
    "jsonl": as_jsonl,
    "conll": as_conll,
    "brackets": as_brackets,
}
_TEXT_ENDINGS = (".txt", ".text")
_JSONL_ENDINGS = (".jsonl", ".ndjson", ".json")


def predict(
    archive: str | Path,
    source: str,
    *,
    include_packages: Sequence[str] = (),
    input_format: str | None = None,
    output_format: str = "jsonl",
    output_file: str | Path | None = None,
    batch_size: int = BATCH_SIZE,
    device: str = "auto",
) -> None:
    """Tags every sentence of a file or of stdin, as it streams through.

    Args:
        archive: a ``model.tar.gz`` or a run's directory.
        source: a file, or ``-`` for stdin.
        include_packages: packages to import for the model's parts.
        input_format: ``text``, ``jsonl`` or ``conll``; None: by the file's ending.
        output_format: ``jsonl``, ``conll`` or ``brackets``.
        output_file: where to write; None: stdout.
        batch_size: sentences in a batch.
        device: as in ``trainer.device``.

    Raises:
        NerError: the archive or the input is at fault.
    """
    if source != "-" and not Path(source).is_file():
        kind = "a directory" if Path(source).is_dir() else "no such file"
        raise DataError(source, f"expected a file to tag, got {kind}")
    if output_file is not None:
        check_writable(Path(output_file))
    predictor = load(archive, include_packages=include_packages, device=device)
    form = input_format or format_of(source)
    name = "stdin" if source == "-" else source
    with _opened(source) as file, _writer(output_file) as out:
        sentences = _sentences(predictor, file, form, name)
        if file is sys.stdin.buffer and not file.isatty():
            sentences = iter(progress_bar(sentences, "tagging stdin", unit=" sentences"))
        for prediction in predictor.predict(sentences, batch_size):
            out.write(_FORMATS[output_format](prediction))
            if source == "-":
                out.flush()  # somebody may be waiting at the other end of a pipe


def format_of(source: str) -> str:
    """The format that a file's ending tells; CoNLL files come with all sorts of endings."""
    ending = Path(source).suffix.lower()
    if source == "-" or ending in _TEXT_ENDINGS:
        return "text"
    return "jsonl" if ending in _JSONL_ENDINGS else "conll"


def _sentences(
    predictor: Predictor, file: BufferedReader, form: str, name: str
) -> Iterator[Sentence]:
    lines = numbered_lines(file, name)
    reader = predictor.archive.experiment.evaluation_reader
    if form == "text":
        return read_text(lines)
    if form == "jsonl":
        columns = reader.columns if isinstance(reader, JsonlReader) else ()
        return read_jsonl(lines, name, columns)
    untagged = reader if isinstance(reader, ConllReader) else ConllReader()
    return untagged.untagged().read_lines(lines, name)


@contextmanager
def _opened(source: str) -> Iterator[BufferedReader]:
    if source == "-":
        yield cast(BufferedReader, sys.stdin.buffer)
    else:
        with open_binary(source, "tagging") as file:
            yield file


@contextmanager
def _writer(path: str | Path | None) -> Iterator[TextIO]:
    if path is None:
        # a lone surrogate, which UTF-8 can't hold, is written as an escape
        text: Any = sys.stdout
        text.reconfigure(encoding="utf-8", errors="backslashreplace")
        yield sys.stdout
    else:
        # under its own name only when it is whole; a pipe or /dev/null is written as it is
        target = Path(path).resolve()
        is_plain = target.is_file() or not target.exists()
        aside = Path(f"{target}.part") if is_plain else target
        with open(aside, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            yield file
        if is_plain:
            os.replace(aside, target)
