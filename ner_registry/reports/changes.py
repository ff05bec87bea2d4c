"""What one group of runs gets right and another doesn't."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ner_registry.data.schemes import Span
from ner_registry.reports.judged import Judged

_EXAMPLES = 25


@dataclass(frozen=True)
class Change:
    """An entity with which the second group does better, or worse.

    Attributes:
        sentence: the number of its sentence, from 0.
        span: the entity.
        is_gold: whether it is true; if not, the runs that don't predict it are right.
        first: the share of the first group's runs that are right.
        second: likewise.
    """

    sentence: int
    span: Span
    is_gold: bool
    first: float
    second: float


@dataclass(frozen=True)
class Changes:
    """What the second group mends and what it breaks, per run.

    Attributes:
        found: true entities that the second finds and the first doesn't.
        lost: the other way round.
        dropped: false entities that the first predicts and the second doesn't.
        added: the other way round.
        mended: examples, the surest first.
        broken: likewise.
    """

    found: float
    lost: float
    dropped: float
    added: float
    mended: list[Change]
    broken: list[Change]


def changes(first: Sequence[Sequence[Judged]], second: Sequence[Sequence[Judged]]) -> Changes:
    """Those between two groups, each the sentences of its runs.

    A false entity that overlaps a true one is counted, but is no example of its own, nor are
    the same words a second time.
    """
    all_changes = [
        change
        for number in range(len(first[0]))
        for change in _of_sentence(
            number, [run[number] for run in first], [run[number] for run in second]
        )
    ]
    totals: defaultdict[tuple[bool, bool], float] = defaultdict(float)
    for change in all_changes:
        gain = change.second - change.first
        totals[change.is_gold, gain > 0] += abs(gain)
    gold = [sentence.gold for sentence in first[0]]
    shown = [c for c in all_changes if c.is_gold or not _touches(c.span, gold[c.sentence])]
    shown.sort(key=lambda change: -abs(change.second - change.first))
    unique: dict[tuple[str, str, bool], Change] = {}
    for change in shown:
        text = first[0][change.sentence].text(change.span)
        unique.setdefault((change.span.label, text, change.second > change.first), change)
    shown = list(unique.values())
    return Changes(
        found=totals[True, True],
        lost=totals[True, False],
        dropped=totals[False, True],
        added=totals[False, False],
        mended=[change for change in shown if change.second > change.first][:_EXAMPLES],
        broken=[change for change in shown if change.second < change.first][:_EXAMPLES],
    )


def _of_sentence(number: int, first: Sequence[Judged], second: Sequence[Judged]) -> list[Change]:
    gold = first[0].gold
    by_first, by_second = (
        Counter(span for sentence in group for span in sentence.predicted)
        for group in (first, second)
    )
    found = []
    for span in sorted({*gold, *by_first, *by_second}, key=lambda span: span[1:]):
        shares = by_first[span] / len(first), by_second[span] / len(second)
        if shares[0] != shares[1]:
            is_gold = span in gold
            rights = shares if is_gold else (1 - shares[0], 1 - shares[1])
            found.append(Change(number, span, is_gold, *rights))
    return found


def _touches(span: Span, others: Sequence[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)
