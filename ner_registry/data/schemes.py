"""Tag schemes and entity spans.

A tag is ``O`` or a prefix, a hyphen and a label, as in ``B-PER``. Spans are read from tags by
conlleval's rule in every scheme, so a tag that its scheme doesn't allow where it stands still
has one meaning, and the spans of legal tags are the scheme's own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

TagScheme = Literal["IOB1", "IOB2", "IOBES", "BIOUL"]
IllegalTags = Literal["repair", "refuse"]

# of an entity of one token, and of the first, an inner and the last token of a longer one
_PREFIXES: dict[TagScheme, str] = {
    "IOB1": "IIII",  # and B for the first token where an entity of that label ends right before
    "IOB2": "BBII",
    "IOBES": "SBIE",
    "BIOUL": "UBIL",
}
_OPENING = frozenset("BSU")
_CLOSING = frozenset("ESLU")
_DISTINCT_TAGS = 4096  # a corpus asks of a few tags, a hundred thousand times
_TAG = re.compile(r"O|[BIESLU]-\S(.*\S)?")


class Span(NamedTuple):
    """An entity: its label, its first token and the one after its last."""

    label: str
    start: int
    end: int


@lru_cache(_DISTINCT_TAGS)
def is_tag(text: str) -> bool:
    """Whether ``text`` is a tag of any scheme."""
    return _TAG.fullmatch(text) is not None and text.isprintable()


def prefixes(scheme: TagScheme) -> list[str]:
    """The prefixes that a scheme's tags may have, but for ``O``."""
    return sorted(set(_PREFIXES[scheme]) | {"B"})


def continues(before: str, tag: str) -> bool:
    """Whether ``tag``, right after ``before``, goes on with the same entity (conlleval)."""
    return (
        tag != "O"
        and before[1:] == tag[1:]
        and before[0] not in _CLOSING
        and tag[0] not in _OPENING
        and before != "O"
    )


def tags_to_spans(tags: Sequence[str]) -> list[Span]:
    """The entities of a sentence, in order, as conlleval reads them."""
    spans = []
    start = 0
    before = "O"
    for position, tag in enumerate(tags):
        if tag == before == "O":
            continue
        if not continues(before, tag):
            if before != "O":
                spans.append(Span(before[2:], start, position))
            start = position
        before = tag
    if before != "O":
        spans.append(Span(before[2:], start, len(tags)))
    return spans


def spans_to_tags(spans: Iterable[Span], length: int, scheme: TagScheme) -> list[str]:
    """Tags of a sentence of ``length`` tokens; ``spans`` are in order and don't overlap."""
    single, first, inner, last = list(_PREFIXES[scheme])
    tags = ["O"] * length
    before = Span("", 0, -1)
    for span in spans:
        label, start, end = span
        if end - start == 1:
            tags[start] = f"{single}-{label}"
        else:
            tags[start:end] = [f"{inner}-{label}"] * (end - start)
            tags[start] = f"{first}-{label}"
            tags[end - 1] = f"{last}-{label}"
        if scheme == "IOB1" and before.end == start and before.label == label:
            tags[start] = f"B-{label}"
        before = span
    return tags


@lru_cache(_DISTINCT_TAGS)
def allowed(before: str | None, tag: str | None, scheme: TagScheme) -> bool:
    """Whether ``tag`` may follow ``before``; None is beyond the first or the last token."""
    opened = before is not None and before != "O"
    goes_on = opened and tag is not None and continues(before or "", tag)
    if scheme in ("IOBES", "BIOUL"):
        must_go_on = opened and (before or "")[0] not in _CLOSING
        may_open = tag is None or tag == "O" or tag[0] in _OPENING
        return goes_on if must_go_on else may_open
    if tag is None or tag == "O" or goes_on:
        return True
    if scheme == "IOB2":
        return tag[0] == "B"
    # IOB1: B- tells two neighbours of one label apart and stands nowhere else
    return tag[0] == "I" or (opened and (before or "")[2:] == tag[2:])


def is_illegal(before: str | None, tag: str | None, scheme: TagScheme) -> bool:
    """Whether ``tag`` may not follow ``before``; None is beyond the first or the last token.

    A tag with a prefix that the scheme doesn't have may stand nowhere.
    """
    is_strange = tag is not None and tag != "O" and tag[0] not in prefixes(scheme)
    return is_strange or not allowed(before, tag, scheme)


def illegal_positions(tags: Sequence[str], scheme: TagScheme) -> list[int]:
    """Tokens whose tag may not stand where it does; the length, where the end is at fault."""
    pairs = pairwise([None, *tags, None])
    return [n for n, (before, tag) in enumerate(pairs) if is_illegal(before, tag, scheme)]


def detect_scheme(sentences: Iterable[Sequence[str]]) -> TagScheme:
    """The scheme that tags are most likely written in."""
    return scheme_of(Counter(pair for tags in sentences for pair in pairwise([None, *tags])))


def scheme_of(pairs: Mapping[tuple[str | None, str | None], int]) -> TagScheme:
    """The scheme in which tags follow each other so often; None is beyond a sentence's ends.

    ``S`` and ``E`` occur in IOBES alone, ``U`` and ``L`` in BIOUL alone. An entity of the
    other two begins with ``B`` in IOB2 and, but for the rare neighbour of its own kind, with
    ``I`` in IOB1: whichever is more frequent decides, IOB2 where no entity does.
    """
    seen: set[str] = set()
    begun = {"B": 0, "I": 0}
    for (before, tag), count in pairs.items():
        if tag is not None and tag != "O":
            seen.add(tag[0])
            if tag[0] in begun and (before or "O")[1:] != tag[1:]:
                begun[tag[0]] += count
    if seen & {"S", "E"}:
        return "IOBES"
    if seen & {"U", "L"}:
        return "BIOUL"
    return "IOB1" if begun["I"] > begun["B"] else "IOB2"
