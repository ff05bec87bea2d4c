"""Training sentences, shown otherwise than they stand."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ner_registry.data.schemes import tags_to_spans
from ner_registry.data.sentence import Sentence, StreamedSentences


class Augmentation:
    """What is shown of a training sentence when its turn comes: itself, or what it might be.

    The corpus is indexed with each of its sentences a second time, in capitals, where these may
    be shown. Then all that is left to do is to say which token is taken from where.

    Args:
        sentences: the training data, iterated more than once.
        count: how many there are.
        mention_replacement: probability of showing a mention as one drawn from those like it.
        capitals: probability of showing a sentence in capitals.

    Attributes:
        count: how many sentences there are.
        variants: those to index after them, as many or none.
        indexed: how many sentences there are with these.
    """

    def __init__(
        self,
        sentences: Iterable[Sentence],
        count: int,
        *,
        mention_replacement: float = 0.0,
        capitals: float = 0.0,
    ) -> None:
        self.count = count
        self.indexed = count * (1 + bool(capitals))
        self.variants: Iterable[Sentence] = ()
        self._capitals = capitals
        if capitals:
            self.variants = StreamedSentences(lambda: map(in_capitals, sentences))
        self._replace = None
        if mention_replacement:
            self._replace = MentionReplacement(sentences, mention_replacement)

    def __call__(
        self, sentences: Tensor, positions: Tensor, documents: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Where the tokens to show are in the corpus, in training.

        Args:
            sentences: (batch, length), the number of each token's sentence.
            positions: (batch, length), its place in that.
            documents: (batch,), the number of each sentence's document.

        Returns:
            as ``sentences`` and ``positions``.
        """
        if self._replace is not None:
            sentences, positions = self._replace(sentences, positions, documents)
        if self._capitals:
            is_in_capitals = torch.rand(len(sentences), 1) < self._capitals
            sentences = sentences + self.count * is_in_capitals
        return sentences, positions


def in_capitals(sentence: Sentence) -> Sentence:
    """The same as a headline might have it."""
    return replace(sentence, tokens=[token.upper() for token in sentence.tokens])


class MentionReplacement:
    """Shows mentions as other ones of the same label, as if they had stood there.

    (Dai & Adel 2020.) So names that are met often are met less often, rare ones as often as
    others, and each in many contexts: what tells the label of a name that was never seen is
    what stands around it.

    A mention is shown as one of as many tokens, so that a sentence keeps its length and its tags,
    and one in capitals as one in capitals. Any of these, itself too, is as likely, however often
    it occurs. Equal mentions of a document that are in one batch are shown as the same.

    Args:
        sentences: the training data; gone through once.
        probability: of drawing what a mention is shown as.
    """

    def __init__(self, sentences: Iterable[Sentence], probability: float) -> None:
        self._probability = probability
        begins, starts, names = array("q", [0]), array("q"), array("q")
        first = array("q")  # of each name, the first mention: sentence, token, how many tokens
        kinds = array("q")
        known_names: dict[tuple[str, ...], int] = {}
        known_kinds: dict[tuple[str, int, bool], int] = {}
        for number, sentence in enumerate(sentences):
            for label, start, end in tags_to_spans(sentence.tags or []):
                tokens = sentence.tokens[start:end]
                name = known_names.setdefault((label, *tokens), len(known_names))
                if name == len(kinds):
                    first.extend((number, start, end - start))
                    kind = label, len(tokens), all(map(str.isupper, tokens))
                    kinds.append(known_kinds.setdefault(kind, len(known_kinds)))
                starts.append(start)
                names.append(name)
            begins.append(len(names))
        self._begins = _tensor(begins)  # of each sentence, its first mention; and after the last
        self._starts, self._names = _tensor(starts), _tensor(names)
        self._first = _tensor(first).view(-1, 3)
        self._kinds = _tensor(kinds)  # of each name
        self._by_kind = self._kinds.argsort(stable=True)  # names of a kind stand together
        self._kind_sizes = self._kinds.bincount()
        self._kind_begins = self._kind_sizes.cumsum(0) - self._kind_sizes

    def __call__(
        self, sentences: Tensor, positions: Tensor, documents: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Where the tokens to show are, as :class:`Augmentation` is asked and answers.

        Args:
            sentences: (batch, length), the number of each token's sentence.
            positions: (batch, length), its place in that.
            documents: (batch,), the number of each sentence's document.

        Returns:
            as ``sentences`` and ``positions``.
        """
        numbers = sentences[:, 0]
        rows, within = _spread(self._begins[numbers + 1] - self._begins[numbers])
        mentions = self._begins[numbers[rows]] + within
        names = self._names[mentions]
        pairs, which = torch.stack([documents[rows], names], 1).unique(dim=0, return_inverse=True)
        kinds = self._kinds[pairs[:, 1]]
        draw = torch.rand(2, len(kinds), dtype=torch.float64)
        chosen = (draw[0] * self._kind_sizes[kinds]).long()
        other = self._by_kind[self._kind_begins[kinds] + chosen]
        is_shown = (draw[1] < self._probability)[which]
        rows, starts = rows[is_shown], self._starts[mentions[is_shown]]
        first = self._first[other[which[is_shown]]]

        mention, within = _spread(first[:, 2])
        places = rows[mention], starts[mention] + within
        sentences = sentences.index_put(places, first[mention, 0])
        return sentences, positions.index_put(places, first[mention, 1] + within)


def _tensor(numbers: Sequence[int]) -> Tensor:
    return torch.tensor(numbers, dtype=torch.long)


def _spread(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Of so many things of each row, one after the other: the row, and which of its it is."""
    rows = torch.arange(len(counts)).repeat_interleave(counts)
    return rows, torch.arange(len(rows)) - (counts.cumsum(0) - counts)[rows]
