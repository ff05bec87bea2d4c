"""Tags a file or a stream."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ner_registry.data.files import check_writable
from ner_registry.errors import NerError, is_own
from ner_registry.formats import format_of, has_ending, reader_of, writer_of
from ner_registry.formats.base import Source
from ner_registry.formats.files import (
    STDIO,
    check_readable,
    counted,
    is_coloured,
    looked_at,
    opened,
    warn_of_ending,
    writer,
)
from ner_registry.predictor import BATCH_SIZE, Predictor, load
from ner_registry.readers.base import numbered_lines

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PredictSettings:
    """What is read, and what is written of it.

    Attributes:
        input_format: one of :data:`ner_registry.formats.INPUTS`; None: by the file's ending,
            ``text`` for stdin.
        output_format: one of :data:`ner_registry.formats.OUTPUTS`.
        batch_size: sentences in a batch.
        threshold: entities of a lower score are left out.
        top_k: how many of each sentence's most probable taggings to write; None: none.

    Raises:
        NerError: the output's format can't hold what is asked for.
    """

    input_format: str | None = None
    output_format: str = "jsonl"
    batch_size: int = BATCH_SIZE
    threshold: float = 0.0
    top_k: int | None = None

    def __post_init__(self) -> None:
        if self.top_k is not None and self.output_format != "jsonl":
            raise NerError(f"--top-k: jsonl alone holds several taggings, got {self.output_format}")


def predict(
    archive: str | Path,
    source: str,
    settings: PredictSettings,
    *,
    include_packages: Sequence[str] = (),
    output_file: str | Path | None = None,
    device: str = "auto",
) -> None:
    """Tags every sentence of a file or of stdin, as it streams through.

    Args:
        archive: a ``model.tar.gz`` or a run's directory.
        source: a file, or ``-`` for stdin.
        settings: what is read and written.
        include_packages: packages to import for the model's parts.
        output_file: where to write; None: stdout.
        device: as in ``trainer.device``.

    Raises:
        NerError: the archive or the input is at fault.
    """
    check_readable(source)
    if output_file is not None:
        check_writable(Path(output_file), source)
        warn_of_ending(output_file, settings.output_format)
    predictor = load(archive, include_packages=include_packages, device=device)
    tag_file(predictor, source, output_file, settings)


def tag_file(
    predictor: Predictor,
    source: str,
    output_file: str | Path | None,
    settings: PredictSettings,
) -> None:
    """What :func:`predict` does with a model that is there.

    Raises:
        DataError: the input is at fault.
    """
    form = settings.input_format or ("text" if source == STDIO else format_of(source))
    read = reader_of(form)
    name = "stdin" if source == STDIO else source
    with _rarely_collected(), opened(source, "tagging") as file, writer(output_file) as out:
        write = writer_of(settings.output_format, on_terminal=is_coloured(out))
        reader = predictor.archive.experiment.evaluation_reader
        rows: Any = "whole" if settings.output_format == "conll" else "nothing"
        lines = numbered_lines(file, name)
        if settings.input_format is None:
            lines = looked_at(lines, name, form)
            if form == "conll" and not (has_ending(name) or is_own(type(reader))):
                logger.warning(
                    "%s: is read as CoNLL columns, not by the model's %s: evaluate uses that one",
                    name,
                    type(reader).__name__,
                )
        sentences = read(Source(lines, name, reader, rows))
        sentences = counted(sentences, source, "tagging")
        tagged = predictor.tag(
            sentences, settings.batch_size, threshold=settings.threshold, top_k=settings.top_k
        )
        for piece in write(tagged, name):
            out.write(piece)
            if source == STDIO:
                out.flush()  # somebody may be waiting at the other end of a pipe


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Within it, Python seldom looks for objects that hold each other.

    Thousands of sentences are made here, none of which is such a one: it took a sixth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
