"""What formats read from, and what they write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from ner_registry.data.schemes import Span, TagScheme, spans_to_tags
from ner_registry.data.sentence import Sentence
from ner_registry.readers import DatasetReader


@dataclass(frozen=True)
class Source:
    """Something to read.

    Attributes:
        lines: numbered from 1.
        name: names it in messages.
        reader: what the model's data was read with, which says where in a record things are;
            None: where they usually are.
        rows: what sentences keep of their lines in a file of columns: nothing; the whole; or
            all but the tag, for another to take its place, and then lines that begin a document
            are sentences too.
    """

    lines: Iterable[tuple[int, str]]
    name: str
    reader: DatasetReader | None = None
    rows: Literal["nothing", "whole", "untagged"] = "nothing"


class Tagged(NamedTuple):
    """A sentence, and what there is to write of it, as JSONL has it."""

    sentence: Sentence
    record: dict[str, Any]


Read = Callable[[Source], Iterator[Sentence]]
Write = Callable[[Iterable[Tagged], str], Iterator[str]]


def make_record(
    sentence: Sentence,
    spans: Sequence[Span],
    scores: Sequence[float] | None = None,
    *,
    scheme: TagScheme = "IOB2",
    beside: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A sentence with its entities, as JSONL has it.

    Args:
        sentence: the sentence.
        spans: its entities.
        scores: their probabilities, where they are known.
        scheme: of the tags.
        beside: what else is known of it.

    Returns:
        ``words``, ``tags``, ``entities``, what else is known, and what the sentence carries.
    """
    record = {
        "words": sentence.tokens,
        "tags": spans_to_tags(spans, len(sentence), scheme),
        "entities": describe(sentence, spans, scores),
        **(beside or {}),
    }
    return record | {k: v for k, v in sentence.extra.items() if k not in record}


def describe(
    sentence: Sentence, spans: Sequence[Span], scores: Sequence[float] | None = None
) -> list[dict[str, Any]]:
    """Entities of a sentence by their tokens, and by characters where it has a text."""
    text, offsets = sentence.text, sentence.offsets
    entities = []
    for number, (label, start, end) in enumerate(spans):
        entity: dict[str, Any] = {"label": label, "start": start, "end": end}
        if text is None or offsets is None:
            entity["text"] = " ".join(sentence.tokens[start:end])
        else:
            first, last = offsets[start][0], offsets[end - 1][1]
            entity |= {"start_char": first, "end_char": last, "text": text[first:last]}
        if scores is not None:
            entity["score"] = scores[number]
        entities.append(entity)
    return entities
