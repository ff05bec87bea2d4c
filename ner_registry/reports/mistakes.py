"""What a tagger gets wrong: true and predicted entities paired, and named by kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from ner_registry.data.schemes import Span
from ner_registry.reports.judged import Judged

Kind = Literal["missed", "spurious", "boundary", "type", "boundary and type"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Mistake:
    """A true entity that wasn't found exactly, a predicted one that isn't true, or both.

    Attributes:
        kind: ``missed`` and ``spurious`` entities overlap none of the other side, or one that is
            part of another mistake; in the other kinds two overlap, and their boundaries, their
            types, or both differ.
        gold: the true entity.
        predicted: the predicted one.
        score: its probability.
    """

    kind: Kind
    gold: Span | None
    predicted: Span | None
    score: float | None

    @property
    def cost(self) -> int:
        """How many of the false negatives and false positives behind F1 it makes."""
        return (self.gold is not None) + (self.predicted is not None)


@dataclass
class Repeated:
    """A mistake made on the same words wherever they stand.

    Attributes:
        key: kind, label and words of the true entity and of the predicted one.
        places: the sentence's number, and the mistake in it.
    """

    key: tuple[str, ...]
    places: list[tuple[int, Mistake]] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """That of all its places together."""
        return sum(mistake.cost for _, mistake in self.places)

    @property
    def score(self) -> float:
        """The mean probability of what was predicted wrongly; 0 where nothing was."""
        return sum(mistake.score or 0.0 for _, mistake in self.places) / len(self.places)


def mistakes_in(sentence: Judged) -> list[Mistake]:
    """The mistakes of a sentence, in order.

    Each wrong entity is part of one mistake. Of those that overlap, pairs with the same
    boundaries come first, then those with the same label, then those that share most tokens;
    what is left over is missed or spurious.
    """
    missed = [span for span in sentence.gold if span not in sentence.correct]
    spurious = {
        span: score
        for span, score in zip(sentence.predicted, sentence.scores, strict=True)
        if span not in sentence.correct
    }
    pairs = [(g, p) for g in missed for p in spurious if g.start < p.end and p.start < g.end]
    found = []
    for gold, predicted in sorted(pairs, key=_closeness):
        if gold in missed and predicted in spurious:
            missed.remove(gold)
            score = spurious.pop(predicted)
            found.append(Mistake(_kind(gold, predicted), gold, predicted, score))
    found += [Mistake("missed", span, None, None) for span in missed]
    found += [Mistake("spurious", None, span, score) for span, score in spurious.items()]
    return sorted(found, key=lambda m: (m.gold or m.predicted or Span("", 0, 0)).start)


def repeated_mistakes(sentences: Sequence[Judged]) -> dict[Kind, list[Repeated]]:
    """All mistakes by kind, the costliest first, those of equal cost as sure as the model was."""
    by_key: defaultdict[tuple[str, ...], list[tuple[int, Mistake]]] = defaultdict(list)
    for number, sentence in enumerate(sentences):
        for mistake in mistakes_in(sentence):
            by_key[_key(sentence, mistake)].append((number, mistake))
    ordered = sorted(
        (Repeated(key, places) for key, places in by_key.items()),
        key=lambda repeated: (-repeated.cost, -repeated.score),
    )
    return {kind: [repeated for repeated in ordered if repeated.key[0] == kind] for kind in KINDS}


def confusions(sentences: Iterable[Judged]) -> dict[tuple[str | None, str | None], int]:
    """How often a true label was predicted as another; None is no entity.

    Right labels with wrong boundaries count as right.
    """
    counts: defaultdict[tuple[str | None, str | None], int] = defaultdict(int)
    for sentence in sentences:
        for span in sentence.correct:
            counts[span.label, span.label] += 1
        for mistake in mistakes_in(sentence):
            pair = (mistake.gold, mistake.predicted)
            gold, predicted = (span.label if span else None for span in pair)
            counts[gold, predicted] += 1
    return dict(counts)


def _closeness(pair: tuple[Span, Span]) -> tuple[bool, bool, int, int, int]:
    gold, predicted = pair
    shared = min(gold.end, predicted.end) - max(gold.start, predicted.start)
    same = gold[1:] == predicted[1:]
    return not same, gold.label != predicted.label, -shared, gold.start, predicted.start


def _kind(gold: Span, predicted: Span) -> Kind:
    if gold[1:] == predicted[1:]:
        return "type"
    return "boundary" if gold.label == predicted.label else "boundary and type"


def _key(sentence: Judged, mistake: Mistake) -> tuple[str, ...]:
    parts: list[str] = [mistake.kind]
    for span in (mistake.gold, mistake.predicted):
        parts += [span.label, sentence.text(span)] if span else ["", ""]
    return tuple(parts)
