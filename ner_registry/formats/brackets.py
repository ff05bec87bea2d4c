"""Brackets for the eye, such as ``[PER Jim] works in [LOC Paris]``; never read."""

from __future__ import annotations

import colorsys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ner_registry.formats.base import Tagged
from ner_registry.formats.colours import hue_of


def write(tagged: Iterable[Tagged], name: str) -> Iterator[str]:
    """A sentence a line."""
    return (_line(record, lambda label: ("", "")) for _, record in tagged)


def write_on_terminal(tagged: Iterable[Tagged], name: str) -> Iterator[str]:
    """A sentence a line, entities in the colours of their labels."""
    return (_line(record, _coloured) for _, record in tagged)


def _line(record: dict[str, Any], around: Callable[[str], tuple[str, str]]) -> str:
    words = list(record["words"])
    for entity in record["entities"]:
        before, after = around(entity["label"])
        words[entity["start"]] = f"{before}[{entity['label']} {words[entity['start']]}"
        words[entity["end"] - 1] += f"]{after}"
    return " ".join(words) + "\n"


def _coloured(label: str) -> tuple[str, str]:
    """Escapes around an entity: bold, in one of the 6 × 6 × 6 colours that terminals have."""
    # of a lightness that is read on black as on white
    channels = colorsys.hls_to_rgb(hue_of(label) / 360, 0.5, 0.6)
    red, green, blue = (round(5 * channel) for channel in channels)
    return f"\x1b[1;38;5;{16 + 36 * red + 6 * green + blue}m", "\x1b[0m"
