"""Scores of random tag files are conlleval's and seqeval's, whatever the scheme."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import pytest
from seqeval.metrics import f1_score, precision_score, recall_score
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES

from ner_registry.data.corpus import Corpus
from ner_registry.data.schemes import Span, TagScheme, spans_to_tags
from ner_registry.data.tags import TagSet
from ner_registry.jobs.prepare import read_corpus
from ner_registry.readers import ConllReader
from ner_registry.reports.judged import Judged
from ner_registry.reports.scores import entity_scores
from ner_registry.training.metrics import TaggingMetrics

FILES = 1000
SCHEMES: tuple[TagScheme, ...] = get_args(TagScheme)
OF_SEQEVAL = {"IOB1": IOB1, "IOB2": IOB2, "IOBES": IOBES, "BIOUL": BILOU}
LABELS = ("PER", "LOC", "a-b")
Scores = tuple[float, float, float]
Tags = list[list[str]]


class Conlleval:
    """Counts as the script of the shared task does: token by token, chunks as they end."""

    def __init__(self) -> None:
        self.correct: Counter[str] = Counter()
        self.gold: Counter[str] = Counter()
        self.guessed: Counter[str] = Counter()

    def add(self, gold: Sequence[str], guessed: Sequence[str]) -> None:
        in_correct = False
        last: list[tuple[str, str]] = [("O", ""), ("O", "")]
        pairs = [*zip(gold, guessed, strict=True), ("O", "O")]
        for pair in pairs:
            now = [(tag[0], tag[2:]) for tag in pair]
            ends = [self.ends(before, tag) for before, tag in zip(last, now, strict=True)]
            starts = [self.starts(before, tag) for before, tag in zip(last, now, strict=True)]
            if in_correct:
                if all(ends) and last[0][1] == last[1][1]:
                    self.correct[last[0][1]] += 1
                    in_correct = False
                elif ends[0] != ends[1] or now[0][1] != now[1][1]:
                    in_correct = False
            if all(starts) and now[0][1] == now[1][1]:
                in_correct = True
            self.gold[now[0][1]] += starts[0]
            self.guessed[now[1][1]] += starts[1]
            last = now

    @staticmethod
    def ends(before: tuple[str, str], tag: tuple[str, str]) -> bool:
        if before[0] == "O":
            return False
        return tag[0] in "BSUO" or before[0] in "ESLU" or before[1] != tag[1]

    @staticmethod
    def starts(before: tuple[str, str], tag: tuple[str, str]) -> bool:
        if tag[0] == "O":
            return False
        return tag[0] in "BSU" or before[0] in "ESLUO" or before[1] != tag[1]

    def scores(self, label: str | None = None) -> Scores:
        """Precision, recall and F1 of a label, or of all."""
        counts = (self.correct, self.guessed, self.gold)
        correct, guessed, gold = (c.total() if label is None else c[label] for c in counts)
        precision = correct / guessed if guessed else 0.0
        recall = correct / gold if gold else 0.0
        both = precision + recall
        return precision, recall, 2 * precision * recall / both if both else 0.0


def random_tags(rng: random.Random, scheme: TagScheme, lengths: list[int], legal: bool) -> Tags:
    """Tags of sentences; unless they must be legal, anything may follow anything."""
    found = []
    for length in lengths:
        if not legal:
            tags = TagSet(scheme, LABELS).tags
            found.append(rng.choices(tags, [len(tags), *[1] * (len(tags) - 1)], k=length))
            continue
        spans, end = [], rng.randint(0, 2)
        while end < length:
            start, end = end, min(length, end + rng.randint(1, 3))
            spans.append(Span(rng.choice(LABELS), start, end))
            end += rng.randint(0, 2)
        found.append(spans_to_tags(spans, length, scheme))
    return found


def mixed(rng: random.Random, gold: Tags, other: Tags) -> Tags:
    """Guesses: the gold ones in some sentences, others in the rest."""
    return [a if rng.random() < 0.5 else b for a, b in zip(gold, other, strict=True)]


def as_corpus(tags: Tags, scheme: TagScheme, path: Path) -> Corpus:
    rows = "\n\n".join("\n".join(f"word {tag}" for tag in sentence) for sentence in tags)
    path.write_text(rows + "\n", encoding="utf-8")
    return read_corpus(ConllReader(tag_scheme=scheme), path)


def by_seqeval(gold: Tags, guessed: Tags, scheme: TagScheme | None = None) -> Scores:
    how = {"mode": "strict", "scheme": OF_SEQEVAL[scheme]} if scheme else {}
    precision, recall, f1 = (
        float(score(gold, guessed, zero_division=0, **how))
        for score in (precision_score, recall_score, f1_score)
    )
    return precision, recall, f1


def test_scores_agree(whole: bool, tmp_path: Path) -> None:
    repaired_files = 0
    for number in range(FILES if whole else 40):
        rng = random.Random(number)
        scheme = SCHEMES[number % len(SCHEMES)]
        legal = number % 8 < len(SCHEMES)
        lengths = [rng.randint(1, 20) for _ in range(rng.randint(1, 12))]
        gold = random_tags(rng, scheme, lengths, legal)
        guessed = mixed(rng, gold, random_tags(rng, scheme, lengths, legal))
        corpora = [as_corpus(tags, scheme, tmp_path / "data") for tags in (gold, guessed)]

        reference = Conlleval()
        metrics = TaggingMetrics(scheme)
        iob2: list[Tags] = [
            [spans_to_tags(s, n, "IOB2") for s, n in zip(corpus.spans, lengths, strict=True)]
            for corpus in corpora
        ]
        for sentence, length in enumerate(lengths):
            reference.add(gold[sentence], guessed[sentence])
            metrics.add(corpora[0].spans[sentence], corpora[1].spans[sentence], length)
        results = metrics.results()
        overall = tuple(
            results[f"{name}-overall"] for name in ("precision", "recall", "f1-measure")
        )
        assert overall == pytest.approx(reference.scores()), number
        for label in LABELS:
            ours = results.get(f"f1-measure-{label}", 0.0)
            assert ours == pytest.approx(reference.scores(label)[2]), number
        assert overall == pytest.approx(by_seqeval(iob2[0], iob2[1])), number
        if legal:
            assert overall == pytest.approx(by_seqeval(gold, guessed, scheme)), number

        judged = [
            Judged([""] * length, true, found, [1.0] * len(found))
            for length, true, found in zip(lengths, corpora[0].spans, corpora[1].spans, strict=True)
        ]
        table = entity_scores(judged)
        row = tuple(table["overall"][name] for name in ("precision", "recall", "f1"))
        assert row == pytest.approx(overall), number
        assert {label: table[label]["support"] for label in table if label != "overall"} == {
            label: reference.gold[label]
            for label in LABELS
            if reference.gold[label] or reference.guessed[label]
        }
        for corpus, tags in zip(corpora, (gold, guessed), strict=True):
            again = [
                spans_to_tags(s, n, scheme) for s, n in zip(corpus.spans, lengths, strict=True)
            ]
            assert (corpus.repaired == 0) == (again == tags), number
        repaired_files += corpora[0].repaired > 0
        assert not (legal and corpora[0].repaired)
    assert repaired_files
