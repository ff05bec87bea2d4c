"""What is in the data of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ner_registry.data.corpus import Corpus
from ner_registry.data.schemes import Span
from ner_registry.reports.judged import Judged
from ner_registry.reports.known import Known


@dataclass(frozen=True)
class DataStatistics:
    """What is in one file.

    Attributes:
        name: ``train``, ``validation`` or ``test``.
        sentences: how many there are.
        documents: how many, where the file is there to tell.
        tokens: how many.
        labels: how many entities of each label.
        unseen: the share of tokens that the training data doesn't have, where it is known.
    """

    name: str
    sentences: int
    documents: int | None
    tokens: int
    labels: Counter[str]
    unseen: float | None


def data_statistics(
    corpora: Mapping[str, Corpus], predictions: Mapping[str, Sequence[Judged]], known: Known | None
) -> list[DataStatistics]:
    """Of each file that is there, else of what was predicted from it."""
    found = []
    for name in ("train", "validation", "test"):
        if name in corpora:
            corpus = corpora[name]
            words = [sentence.tokens for sentence in corpus.sentences]
            documents = len({sentence.document for sentence in corpus.sentences})
            found.append(_of(name, words, corpus.spans, documents, known))
        elif name in predictions:
            words = [sentence.words for sentence in predictions[name]]
            spans = [sentence.gold for sentence in predictions[name]]
            found.append(_of(name, words, spans, None, known))
    return found


def _of(
    name: str,
    words: Sequence[Sequence[str]],
    spans: Sequence[Sequence[Span]],
    documents: int | None,
    known: Known | None,
) -> DataStatistics:
    tokens = sum(map(len, words))
    unseen = None
    if known is not None and name != "train":
        unseen = sum(not known.has_word(w) for ws in words for w in ws) / tokens
    labels = Counter(span.label for found in spans for span in found)
    return DataStatistics(name, len(words), documents, tokens, labels, unseen)
