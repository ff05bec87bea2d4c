"""Which tags follow each other in a corpus."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ner_registry.data.schemes import TagScheme, continues, is_illegal, scheme_of
from ner_registry.data.sentence import Sentence

LINES_SHOWN = 5  # lines of a file that a message names

logger = logging.getLogger(__name__)


class _Place(NamedTuple):
    """Sentence and token."""

    sentence: int
    position: int


@dataclass
class _Seen:
    """How often a pair was met, where first, and on which lines, one more than are shown."""

    first: _Place
    first_line: int | None
    count: int = 0
    lines: dict[int, _Place] = field(default_factory=dict)


@dataclass(frozen=True)
class IllegalPairs:
    """Tags that can't stand where they do.

    Attributes:
        count: how many.
        before: the tag before the first of them; None: it is a sentence's first.
        tag: the first of them; None: a sentence can't end there.
        line: its line, as far as it is known.
        lines: the first lines with one, each once, in order; one more than are shown.
    """

    count: int
    before: str | None
    tag: str | None
    line: int | None
    lines: list[int]

    @property
    def first(self) -> str:
        """What a message says of the first of them, and of where the others are."""
        before, tag = self.before or "the beginning", self.tag or "the end"
        return f"the first is {tag} after {before}{shown(self.lines)}"


class TagPairs:
    """Counts which tag follows which, None being beyond a sentence's ends.

    Pairs tell all that is asked of a corpus's tags as a whole, its scheme, its labels and what
    can't stand where it does, in memory that doesn't grow with the corpus.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str | None, str | None], _Seen] = {}
        self._sentences = 0

    def add(self, sentence: Sentence) -> None:
        """Counts the pairs of a sentence that has tags."""
        before: str | None = None
        for position, tag in enumerate([*(sentence.tags or []), None]):
            seen = self._seen.get((before, tag))
            if seen is None:
                place = _Place(self._sentences, position)
                seen = self._seen[before, tag] = _Seen(place, sentence.line_of(position))
            seen.count += 1
            if len(seen.lines) <= LINES_SHOWN:
                line = sentence.line_of(position)
                if line is not None:
                    seen.lines.setdefault(line, _Place(self._sentences, position))
            before = tag
        self._sentences += 1

    @property
    def counts(self) -> Mapping[tuple[str | None, str | None], int]:
        """How often each pair was met."""
        return {pair: seen.count for pair, seen in self._seen.items()}

    def scheme(self) -> TagScheme:
        """The scheme that the tags are most likely written in."""
        return scheme_of(self.counts)

    def labels(self) -> Counter[str]:
        """How many entities there are of each label, as conlleval reads them."""
        labels: Counter[str] = Counter()
        for (before, tag), count in self.counts.items():
            if tag is not None and tag != "O" and not continues(before or "O", tag):
                labels[tag[2:]] += count
        return labels

    def illegal(self, scheme: TagScheme) -> IllegalPairs | None:
        """What can't stand where it does in a scheme."""
        illegal = [item for item in self._seen.items() if is_illegal(*item[0], scheme)]
        if not illegal:
            return None
        (before, tag), first = min(illegal, key=lambda item: item[1].first)
        places = sorted((place, line) for _, s in illegal for line, place in s.lines.items())
        return IllegalPairs(
            sum(seen.count for _, seen in illegal),
            before,
            tag,
            first.first_line,
            list(dict.fromkeys(line for _, line in places))[: LINES_SHOWN + 1],
        )


def warn_of_repairs(path: str, illegal: IllegalPairs, scheme: TagScheme) -> None:
    """Tells of tags of a file that were read in another way than they stand there."""
    logger.warning(
        "%s: %d tags can't stand where they do in %s and are read as conlleval does, %s",
        place(path, illegal.line),
        illegal.count,
        scheme,
        illegal.first,
    )


def place(path: str, line: int | None) -> str:
    """A line of a file, as far as it is known, as messages begin with it."""
    return path if line is None else f"{path}:{line}"


def shown(lines: Sequence[int | None]) -> str:
    """The first few of them, each once; nothing where they aren't known."""
    known = [str(line) for line in dict.fromkeys(lines) if line is not None]
    more = ", …" if len(known) > LINES_SHOWN else ""
    return f" (lines {', '.join(known[:LINES_SHOWN])}{more})" if known else ""
