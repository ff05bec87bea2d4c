"""Tags a file or a stream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ner_registry.data.files import check_writable
from ner_registry.errors import NerError
from ner_registry.formats import format_of, reader_of, writer_of
from ner_registry.formats.base import Source
from ner_registry.formats.files import STDIO, check_readable, counted, is_coloured, opened, writer
from ner_registry.predictor import BATCH_SIZE, load
from ner_registry.readers.base import numbered_lines


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
    threshold: float = 0.0,
    top_k: int | None = None,
) -> None:
    """Tags every sentence of a file or of stdin, as it streams through.

    Args:
        archive: a ``model.tar.gz`` or a run's directory.
        source: a file, or ``-`` for stdin.
        include_packages: packages to import for the model's parts.
        input_format: one of :data:`ner_registry.formats.INPUTS`; None: by the file's ending,
            ``text`` for stdin.
        output_format: one of :data:`ner_registry.formats.OUTPUTS`.
        output_file: where to write; None: stdout.
        batch_size: sentences in a batch.
        device: as in ``trainer.device``.
        threshold: entities of a lower score are left out.
        top_k: how many of each sentence's most probable taggings to write; None: none.

    Raises:
        NerError: the archive or the input is at fault.
    """
    if top_k is not None and output_format != "jsonl":
        raise NerError(f"--top-k: jsonl alone holds several taggings, got {output_format}")
    check_readable(source)
    if output_file is not None:
        check_writable(Path(output_file))
    predictor = load(archive, include_packages=include_packages, device=device)
    read = reader_of(input_format or ("text" if source == STDIO else format_of(source)))
    name = "stdin" if source == STDIO else source
    with opened(source, "tagging") as file, writer(output_file) as out:
        write = writer_of(output_format, on_terminal=is_coloured(out))
        reader = predictor.archive.experiment.evaluation_reader
        rows: Any = "whole" if output_format == "conll" else "nothing"
        sentences = read(Source(numbered_lines(file, name), name, reader, rows))
        sentences = counted(sentences, source, "tagging")
        tagged = predictor.tag(sentences, batch_size, threshold=threshold, top_k=top_k)
        for piece in write(tagged, name):
            out.write(piece)
            if source == STDIO:
                out.flush()  # somebody may be waiting at the other end of a pipe
