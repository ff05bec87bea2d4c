"""doccano's JSONL: ``{"text": "Jim left.", "label": [[0, 3, "PER"]]}``, a text a line.

Its earlier key ``labels`` is read too. Other keys are carried along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ner_registry.data.sentence import Sentence
from ner_registry.formats.base import Source, Tagged
from ner_registry.formats.jsonl import as_line
from ner_registry.formats.offsets import CharacterSpan, Place, character_span, cut, string
from ner_registry.formats.texts import texts
from ner_registry.readers.jsonl import records

_OWN = ("text", "label", "labels")


def read(source: Source) -> Iterator[Sentence]:
    """The sentences of texts, whatever their labels.

    Raises:
        DataError: a line isn't such a record.
    """
    return _read(source, tagged=False)


def read_tagged(source: Source) -> Iterator[Sentence]:
    """The sentences of texts with tags by their labels.

    Raises:
        DataError: a line isn't such a record, or a label doesn't fall on the borders of tokens.
    """
    return _read(source, tagged=True)


def write(tagged: Iterable[Tagged], name: str) -> Iterator[str]:
    """A text a line."""
    for text in texts(tagged):
        label = [[e["start_char"], e["end_char"], e["label"]] for e in text.entities]
        extra = {k: v for k, v in text.extra.items() if k not in _OWN}
        yield as_line({"text": text.text, "label": label} | extra)


def _read(source: Source, *, tagged: bool) -> Iterator[Sentence]:
    for count, (number, record) in enumerate(records(source.lines, source.name)):
        place = Place(source.name, number)
        text = string(record, "text", place)
        spans = _spans(record, place) if tagged else None
        extra = {k: v for k, v in record.items() if k not in _OWN}
        yield from cut(text, spans, count, extra, place)


def _spans(record: dict[str, Any], place: Place) -> list[CharacterSpan]:
    labels = record.get("label", record.get("labels"))
    if not isinstance(labels, list):
        keys = ", ".join(sorted(record))
        raise place.fault(f"expected a list under 'label', got the keys: {keys}")
    spans = []
    for label in labels:
        if not (isinstance(label, list) and len(label) == 3):
            raise place.fault(f'expected labels such as [0, 3, "PER"], got {label!r}')
        start, end, name = label
        spans.append(character_span(name, start, end, place))
    return spans
