"""Turns a file of one format into another, without a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ner_registry.data.files import check_writable
from ner_registry.data.schemes import TagScheme, tags_to_spans
from ner_registry.data.sentence import Sentence
from ner_registry.data.tag_pairs import TagPairs, warn_of_repairs
from ner_registry.errors import NerError
from ner_registry.formats import (
    INPUTS,
    TAGGED_INPUTS,
    WITH_TAGS,
    format_of,
    reader_of,
    tagged_reader_of,
    writer_of,
)
from ner_registry.formats.base import Source, Tagged, make_record
from ner_registry.formats.files import (
    STDIO,
    check_readable,
    counted,
    is_coloured,
    looked_at,
    opened,
    writer,
)
from ner_registry.readers.base import numbered_lines


def convert(
    source: str,
    target: str,
    *,
    input_format: str | None = None,
    output_format: str | None = None,
    tag_scheme: TagScheme | None = None,
) -> None:
    """Reads tagged text in one format and writes it in another, as it streams through.

    Args:
        source: a file, or ``-`` for stdin.
        target: a file, or ``-`` for stdout.
        input_format: one of :data:`ner_registry.formats.INPUTS`; None: by the file's ending,
            ``text`` for stdin.
        output_format: one of :data:`ner_registry.formats.OUTPUTS`; None: by the file's ending,
            ``jsonl`` for stdout.
        tag_scheme: of the tags that are written, where the format holds tags; None: IOB2.

    Raises:
        NerError: the input is at fault, or the output can't hold it.
    """
    form = input_format or ("text" if source == STDIO else format_of(source))
    target_form = output_format or ("jsonl" if target == STDIO else format_of(target))
    if form not in INPUTS:
        raise NerError(f"{source}: expected one of {', '.join(INPUTS)} to read, got {form}")
    if tag_scheme is not None and target_form not in WITH_TAGS:
        holders = " or ".join(WITH_TAGS)
        raise NerError(f"--tag-scheme: expected {holders} to write, got {target_form}")
    check_readable(source)
    if target != STDIO:
        check_writable(Path(target), source)
    read = tagged_reader_of(form) if form in TAGGED_INPUTS else reader_of(form)
    name = "stdin" if source == STDIO else source
    with opened(source, "converting") as file, writer(None if target == STDIO else target) as out:
        write = writer_of(target_form, on_terminal=is_coloured(out))
        rows: Any = "untagged" if target_form == "conll" else "nothing"
        lines = numbered_lines(file, name)
        if form == "text" and input_format is None:
            lines = looked_at(lines, name, form)
        sentences = read(Source(lines, name, rows=rows))
        sentences = counted(sentences, source, "converting")
        pairs = TagPairs()
        for piece in write(_tagged(sentences, tag_scheme or "IOB2", pairs), name):
            out.write(piece)
    scheme = pairs.scheme()
    if (illegal := pairs.illegal(scheme)) is not None:
        warn_of_repairs(name, illegal, scheme)


def _tagged(sentences: Iterable[Sentence], scheme: TagScheme, pairs: TagPairs) -> Iterator[Tagged]:
    """Sentences with their entities; ``pairs`` counts the tags that they had."""
    for sentence in sentences:
        if sentence.tags is not None:
            pairs.add(sentence)
        spans = tags_to_spans(sentence.tags or [])
        yield Tagged(sentence, make_record(sentence, spans, scheme=scheme))
