from __future__ import annotations

import random

import pytest
import torch
from torch import Tensor

from ner_registry.data.batches import MAX_DOCUMENT, LengthBatchSampler, document_parts
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.sentence import Sentence

LENGTHS = [random.Random(0).randrange(1, 30) for _ in range(203)]


def test_every_sentence_is_in_one_batch_of_like_lengths() -> None:
    sampler = LengthBatchSampler(LENGTHS, batch_size=8, shuffle=True, seed=3)
    batches = list(sampler)
    assert len(batches) == len(sampler) == 26
    assert sorted(number for batch in batches for number in batch) == list(range(203))
    computed = sum(len(batch) * max(LENGTHS[n] for n in batch) for batch in batches)
    assert computed < 1.1 * sum(LENGTHS)


def test_the_order_follows_from_seed_and_epoch() -> None:
    sampler = LengthBatchSampler(LENGTHS, batch_size=8, shuffle=True, seed=3)
    first = list(sampler)
    sampler.epoch = 1
    second = list(sampler)
    sampler.epoch = 0
    assert list(sampler) == first != second
    assert list(LengthBatchSampler(LENGTHS, batch_size=8, shuffle=True, seed=4)) != first


def test_without_shuffling_long_sentences_come_first() -> None:
    batches = list(LengthBatchSampler(LENGTHS, batch_size=8, shuffle=False))
    ordered = [LENGTHS[number] for batch in batches for number in batch]
    assert ordered == sorted(LENGTHS, reverse=True)


def test_long_sentences_share_a_batch_with_fewer() -> None:
    lengths = [500, 90, 60, 9, 9, 9, 9, 1, 0]
    batches = list(LengthBatchSampler(lengths, batch_size=4, shuffle=False, max_tokens=100))
    assert [[lengths[n] for n in batch] for batch in batches] == [
        [500],
        [90],
        [60],
        [9, 9, 9, 9],
        [1, 0],
    ]
    assert list(LengthBatchSampler([], batch_size=4, shuffle=True)) == []


def test_views_of_any_shape_are_padded() -> None:
    def characters(sentence: Sentence) -> Tensor:
        width = max(map(len, sentence.tokens))
        return torch.tensor([[ord(c) for c in t.ljust(width, "\0")] for t in sentence.tokens])

    sentences = [Sentence(["ab", "c"]), Sentence(["defg"])]
    tags = iter([torch.tensor([1, 2]), torch.tensor([3])])
    data = IndexedSentences.index(sentences, {"chars": characters}, lambda sentence: next(tags))
    batch = data.batch([0, 1])
    assert batch.mask.tolist() == [[True, True], [True, False]]
    assert batch.tags.tolist() == [[1, 2], [3, 0]]
    assert batch.views["chars"].shape == (2, 2, 4)
    assert batch.views["chars"][0].tolist() == [[97, 98, 0, 0], [99, 0, 0, 0]]
    assert not batch.views["chars"][1, 1].any()


def test_batches_of_whole_documents() -> None:
    documents = [number // 7 for number in range(203)]
    sampler = LengthBatchSampler(LENGTHS, batch_size=30, shuffle=True, seed=3, documents=documents)
    batches = list(sampler)
    assert len(batches) == len(sampler) == 8
    assert sorted(number for batch in batches for number in batch) == list(range(203))
    for batch in batches:
        assert len(batch) in (28, 7)
        for start in range(0, len(batch), 7):
            assert batch[start : start + 7] == list(range(batch[start], batch[start] + 7))
    assert [number for batch in batches for number in batch] != list(range(203))


def test_a_long_document_is_cut_between_sentences() -> None:
    half = MAX_DOCUMENT // 2
    sizes = [(0, 3), (0, 4), (1, half), (1, half), (1, 1), (2, 2 * MAX_DOCUMENT), (2, 5), (0, 1)]
    sentences = [Sentence(["a"] * length, document=document) for document, length in sizes]
    parts = [[len(sentence) for sentence in part] for part in document_parts(sentences)]
    assert parts == [[3, 4], [half, half], [1], [2 * MAX_DOCUMENT], [5], [1]]
    data = IndexedSentences.index(sentences, {})
    assert list(data.documents) == [0, 0, 1, 1, 2, 3, 4, 5]


def test_the_same_word_has_the_same_number_whatever_its_case() -> None:
    sentences = [Sentence(["Oslo", "is", "OSLO"]), Sentence(["oslo", "was"])]
    words = IndexedSentences.index(sentences, {}).batch([0, 1]).words
    assert words[0, 0] == words[0, 2] == words[1, 0]
    assert len({*words[0].tolist(), *words[1, :2].tolist()}) == 3


@pytest.mark.parametrize("size", [1, 2, 3, 9])
@pytest.mark.parametrize("by_document", [False, True])
def test_ranks_share_a_batch(size: int, by_document: bool) -> None:
    documents = [number // 5 for number in range(len(LENGTHS))] if by_document else None
    sampler = LengthBatchSampler(LENGTHS, batch_size=8, shuffle=True, seed=3, documents=documents)
    for batch in sampler:
        shares = [sampler.share(batch, rank, size) for rank in range(size)]
        assert sorted(number for share in shares for number in share) == sorted(batch)
        assert size > 1 or shares == [batch]
        if documents is not None:  # none is cut
            parts = [{documents[number] for number in share} for share in shares]
            assert sum(map(len, parts)) == len(set().union(*parts))
        else:
            assert max(map(len, shares)) - min(map(len, shares)) <= 1
