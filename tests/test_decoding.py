"""Which entities are found, against all spans that there are."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import ner_registry as nr
from ner_registry.build import index_corpus, index_sentences
from ner_registry.data.corpus import Corpus
from ner_registry.data.schemes import TagScheme
from ner_registry.data.sentence import Sentence
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.decoding import LEAST, candidates, most_probable
from ner_registry.embedders import Embedding
from ner_registry.encoders import PassThroughEncoder
from ner_registry.ensemble import Ensemble
from ner_registry.heads import CrfHead, SoftmaxHead
from ner_registry.jobs.score import choose_threshold, score
from ner_registry.readers import ConllReader
from ner_registry.tagger import Tagger

LENGTHS = [1, 6, 3, 5, 2]


def make_tagger(head: Any, scheme: TagScheme, seed: int) -> Tagger:
    torch.manual_seed(seed)
    tags = TagSet(scheme, ["X", "Y"])
    embedder = Embedding(Vocabulary(counts=dict.fromkeys("abc", 2)), embedding_dim=8)
    made = head(8, tags)
    with torch.no_grad():
        made.projection.weight *= 2  # so that some spans are probable
    return Tagger({"words": embedder}, PassThroughEncoder(8), made, tags).eval()


def sentences() -> list[Sentence]:
    return [Sentence(list(("abcab" * 2)[number : number + n])) for number, n in enumerate(LENGTHS)]


def every_span() -> Any:
    return np.array(
        [
            (row, begin, end, label)
            for row, length in enumerate(LENGTHS)
            for begin in range(length)
            for end in range(begin + 1, length + 1)
            for label in range(2)
        ]
    )


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "IOBES"])
@pytest.mark.parametrize("head", [CrfHead, SoftmaxHead])
def test_entities_are_the_most_probable_of_all_spans(
    head: Any, scheme: TagScheme, members: int
) -> None:
    taggers = [make_tagger(head, scheme, seed) for seed in range(members)]
    tagger = taggers[0] if members == 1 else Ensemble(taggers)
    batch = index_sentences(tagger, sentences()).batch(list(range(len(LENGTHS))))
    spans = every_span()

    def probabilities(one: Tagger) -> Tensor:
        return one.head.span_probabilities(one.encode(batch), batch.mask, torch.from_numpy(spans))

    scores = torch.stack([probabilities(one) for one in taggers]).mean(0).detach().numpy()
    most = tagger.tags.labels
    sizes = []
    for threshold in (LEAST, 0.2, 0.35, 0.5, 0.7):
        expected: list[dict[Any, float]] = [{} for _ in LENGTHS]
        for number in np.argsort(-scores, kind="stable"):
            row, begin, end, label = spans[number].tolist()
            overlaps = any(begin < e and b < end for _, b, e in expected[row])
            if scores[number] >= threshold and not overlaps:
                expected[row][most[label], begin, end] = scores[number].item()
        tagger.threshold = threshold
        found = tagger.tag_with_scores(batch)
        sizes.append(sum(map(len, found)))
        for of_sentence, wanted in zip(found, expected, strict=True):
            got = {tuple(span): probability for span, probability in of_sentence}
            assert got == pytest.approx(wanted, rel=1e-5)
            # in order, as everything after it expects
            assert [s.start for s, _ in of_sentence] == sorted(s.start for s, _ in of_sentence)
        assert [s for s, _ in tagger.tag_k_best(batch, 2)] == found
        if members == 1:
            spans_only = [[span for span, _ in of_sentence] for of_sentence in found]
            assert taggers[0].loss_and_tag(batch)[1] == spans_only
    assert all(fewer <= more for more, fewer in pairwise(sizes))
    assert sizes[0] > sizes[-1]


def test_no_label_and_no_token_has_candidates() -> None:
    none = np.zeros((0, 4), np.int64)
    assert len(candidates(np.ones((2, 3, 1)), np.array([-1]), 0.1, none)) == 0
    assert len(candidates(np.zeros((2, 3, 2)), np.array([-1, 0]), 0.1, none)) == 0
    assert len(most_probable(none, np.zeros(0), 0.1)) == 0


def test_a_span_too_long_to_be_tried_is_found_if_the_most_probable_tagging_has_it() -> None:
    probabilities = np.full((1, 40, 2), 0.9)
    best = np.array([[0, 0, 40, 0]])
    found = candidates(probabilities, np.array([-1, 0]), 0.5, best)
    assert (found[:, 2] - found[:, 1]).tolist().count(32) == 9
    assert [0, 0, 40, 0] in found.tolist()
    assert (found[:, 2] - found[:, 1] > 32).sum() == 1


def test_where_there_is_nothing_to_find_a_threshold_is_found_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "nothing.conll"
    path.write_text("a O\n\nb O\n", encoding="utf-8")
    tagger = make_tagger(CrfHead, "IOB2", 0)
    corpus = Corpus(str(path), list(ConllReader().read(path)))
    assert LEAST <= choose_threshold(tagger, corpus, index_corpus(tagger, corpus), 32) < 1


def test_the_threshold_has_the_best_f1(run_directory: Path, root: Path) -> None:
    path = root / "ner_registry" / "sample" / "dev.conll"
    tagger = nr.load(run_directory).tagger
    assert isinstance(tagger, Tagger)
    corpus = Corpus(str(path), list(ConllReader().read(path)))
    data = index_corpus(tagger, corpus)
    chosen = choose_threshold(tagger, corpus, data, 32)
    scores = {}
    for number in range(1, 20):
        tagger.threshold = round(number / 20, 2)
        scores[tagger.threshold] = score(tagger, corpus, data, 32)["f1-measure-overall"]
    assert chosen in scores
    assert scores[chosen] == max(scores.values())
    assert min(scores.values()) < max(scores.values())
