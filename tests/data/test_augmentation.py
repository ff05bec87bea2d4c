"""Mentions shown as other ones, wherever a batch's tokens come from."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
import torch
from torch import Tensor

from ner_registry.data.augmentation import Augmentation
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.schemes import tags_to_spans
from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import Vocabulary

SENTENCES = [
    Sentence(words.split(), tags.split(), document=document)
    for document, words, tags in (
        (0, "Ann met Bo Li in Rome", "B-PER O B-PER I-PER O B-LOC"),
        (0, "Ann left", "B-PER O"),
        (1, "nothing here", "O O"),
        (1, "Ada of Constantinople", "B-PER O B-LOC"),
        (1, "Ann", "B-PER"),
        (1, "OSLO : Cy Young", "B-LOC O B-PER I-PER"),
        (2, "LIMA", "B-LOC"),
    )
]
WORDS = sorted({form for s in SENTENCES for word in s.tokens for form in (word, word.upper())})
ALL = IndexedSentences.index(SENTENCES, {}).batch([*range(len(SENTENCES))]).words
NUMBERS = {
    word.lower(): int(ALL[row, column])
    for row, sentence in enumerate(SENTENCES)
    for column, word in enumerate(sentence.tokens)
}


def characters(sentence: Sentence) -> Tensor:
    """A view whose sentences differ in width."""
    width = max(map(len, sentence.tokens))
    return torch.tensor([[ord(c) for c in t.ljust(width, "\0")] for t in sentence.tokens])


def shown(numbers: list[int], **chances: float) -> list[list[str]]:
    """The words of a batch, read from two of its views, which must agree."""
    data = IndexedSentences.index(
        SENTENCES,
        {
            "words": lambda s: torch.tensor([*map(WORDS.index, s.tokens)]),
            "characters": characters,
        },
        lambda s: torch.tensor([1 + (tag != "O") for tag in s.tags or []]),
        augmentation=Augmentation(SENTENCES, len(SENTENCES), **chances),
    )
    batch = data.batch(numbers)
    words = []
    for row, number in enumerate(numbers):
        length = len(SENTENCES[number])
        words.append([WORDS[index] for index in batch.views["words"][row, :length]])
        spelled = batch.views["characters"][row, :length].tolist()
        assert words[-1] == ["".join(map(chr, filter(None, word))) for word in spelled]
        assert not batch.views["characters"][row, length:].any()
        assert batch.words[row, :length].tolist() == [NUMBERS[word.lower()] for word in words[-1]]
        tags = [1 + (tag != "O") for tag in SENTENCES[number].tags or []]
        assert batch.tags[row, :length].tolist() == tags
    return words


def names(label: str, length: int, *, capitals: bool) -> set[tuple[str, ...]]:
    found = {
        tuple(sentence.tokens[span.start : span.end])
        for sentence in SENTENCES
        for span in tags_to_spans(sentence.tags or [])
        if span.label == label and span.end - span.start == length
    }
    return {name for name in found if all(word.isupper() for word in name) == capitals}


def test_without_a_chance_every_mention_is_itself() -> None:
    assert shown([3, 0, 2]) == [SENTENCES[number].tokens for number in (3, 0, 2)]


def test_a_mention_is_shown_as_any_of_its_kind() -> None:
    counts: Counter[tuple[str, ...]] = Counter()
    for _ in range(300):
        first, nothing, last = shown([0, 2, 6], mention_replacement=1)
        assert nothing == SENTENCES[2].tokens
        assert (first[1], first[4]) == ("met", "in")
        counts.update([(first[0],), (*first[2:4],), (first[5],), (last[0],)])
    kinds = [
        names("PER", 1, capitals=False),
        names("PER", 2, capitals=False),
        names("LOC", 1, capitals=False),
        names("LOC", 1, capitals=True),
    ]
    assert set(counts) == set().union(*kinds)
    for kind in kinds:
        assert len(kind) == 2
        assert all(counts[name] == pytest.approx(150, abs=45) for name in kind)


def test_as_many_mentions_are_shown_as_others_as_was_said() -> None:
    others = sum(shown([6], mention_replacement=0.3)[0] != ["LIMA"] for _ in range(600))
    # of two names in capitals, half of those drawn are the other
    assert others == pytest.approx(600 * 0.3 / 2, abs=40)


def test_equal_mentions_of_a_document_stay_equal() -> None:
    seen = set()
    for _ in range(50):
        first, second, elsewhere = shown([0, 1, 4], mention_replacement=0.5)
        assert first[0] == second[0]
        seen.add((first[0], elsewhere[0]))
    assert seen == {*product(["Ann", "Ada"], repeat=2)}


def test_a_sentence_may_be_shown_in_capitals() -> None:
    seen = {" ".join(shown([0], capitals=0.5)[0]) for _ in range(50)}
    assert seen == {"Ann met Bo Li in Rome", "ANN MET BO LI IN ROME"}
    for words in shown([0, 3, 5], capitals=1, mention_replacement=1):
        assert words == [word.upper() for word in words]


def test_a_corpus_is_as_long_as_it_was() -> None:
    augmentation = Augmentation(SENTENCES, len(SENTENCES), capitals=0.5)
    data = IndexedSentences.index(SENTENCES, {}, augmentation=augmentation)
    assert list(data.lengths) == [*map(len, SENTENCES)]
    assert list(data.documents) == [sentence.document for sentence in SENTENCES]


def test_what_is_only_in_variants_is_in_the_vocabulary() -> None:
    augmentation = Augmentation(SENTENCES, len(SENTENCES), capitals=0.5)
    vocabulary = Vocabulary(SENTENCES, variants=augmentation.variants)
    vocabulary.build(lambda sentence: sentence.tokens)
    assert vocabulary.counts["Ann"] == vocabulary.counts["ANN"] == 3
    assert vocabulary.counts["LIMA"] == vocabulary.counts[":"] == 1


def test_a_word_in_capitals_is_as_frequent_as_it_is_otherwise() -> None:
    sentences = [Sentence(["Oslo"], ["O"]), Sentence(["Oslo"], ["O"]), Sentence(["OSLO"], ["O"])]
    augmentation = Augmentation(sentences, 3, capitals=0.5)
    vocabulary = Vocabulary(sentences, variants=augmentation.variants)
    vocabulary.build(lambda sentence: sentence.tokens)
    assert vocabulary.counts == {"OSLO": 3, "Oslo": 2}


def test_a_corpus_without_mentions_is_shown_as_it_is() -> None:
    sentences = [Sentence(["a", "b"], ["O", "O"])]
    augmentation = Augmentation(sentences, 1, mention_replacement=1.0)
    index = {"it": lambda s: torch.tensor([1, 2])}
    data = IndexedSentences.index(sentences, index, augmentation=augmentation)
    assert data.batch([0]).views["it"].tolist() == [[1, 2]]
