"""A colour for each label, the same wherever and whenever it is shown."""

from __future__ import annotations

from zlib import crc32

# the labels that most corpora have, far apart from each other
_HUES = {"PER": 265, "PERSON": 265, "ORG": 200, "LOC": 30, "GPE": 30, "MISC": 140}


def hue_of(label: str) -> int:
    """Degrees around the wheel of colours, from 0 to 359."""
    return _HUES.get(label.upper(), crc32(label.encode("utf-8", "surrogatepass")) % 360)
