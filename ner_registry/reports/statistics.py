"""What is in the data of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ner_registry.data.corpus import Corpus
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
            documents: int | None = len({sentence.document for sentence in corpus.sentences})
            words = (word for sentence in corpus.sentences for word in sentence.tokens)
            count, tokens, labels = len(corpus), corpus.tokens, corpus.labels
        elif name in predictions:
            sentences = predictions[name]
            documents = None
            words = (word for sentence in sentences for word in sentence.words)
            count, tokens = len(sentences), sum(len(sentence.words) for sentence in sentences)
            labels = Counter(span.label for sentence in sentences for span in sentence.gold)
        else:
            continue
        unseen = None
        if known is not None and name != "train":
            unseen = sum(not known.has_word(word) for word in words) / tokens
        found.append(DataStatistics(name, count, documents, tokens, labels, unseen))
    return found
