"""Several taggers as one, against their distributions added up path by path."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import product

import pytest
import torch

from ner_registry.build import index_sentences
from ner_registry.data.sentence import Sentence
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders import Embedding
from ner_registry.encoders import PassThroughEncoder
from ner_registry.ensemble import Ensemble
from ner_registry.heads import CrfHead, SoftmaxHead
from ner_registry.tagger import Tagger

TAGS = TagSet("IOB2", ["X"])
COUNTS = {"a": 2, "b": 1, "c": 1}


def member(seed: int, head: type[CrfHead] | type[SoftmaxHead]) -> Tagger:
    torch.manual_seed(seed)
    embedder = Embedding(Vocabulary(counts=COUNTS), embedding_dim=5)
    return Tagger({"words": embedder}, PassThroughEncoder(5), head(5, TAGS), TAGS).eval()


@pytest.mark.parametrize("head", [CrfHead, SoftmaxHead])
def test_spans_are_scored_by_the_mean_of_exact_probabilities(
    head: type[CrfHead] | type[SoftmaxHead],
) -> None:
    members = [member(seed, head) for seed in range(3)]
    ensemble = Ensemble(members)
    sentences = [Sentence(["a", "b", "c", "a"]), Sentence(["c", "a", "b", "b"])]
    data = index_sentences(ensemble, sentences)
    batch = data.batch([0, 1])
    found = ensemble.tag_with_scores(batch)
    for row in range(2):
        spans: dict[object, float] = defaultdict(float)
        tags: dict[tuple[int, int], float] = defaultdict(float)
        for tagger in members:
            chain = tagger.head._inferred(tagger.encode(batch), batch.mask)  # type: ignore[operator]
            for path in product(range(len(TAGS)), repeat=4):
                chosen = torch.zeros_like(batch.tags)
                chosen[row] = torch.tensor(path)
                share = chain.log_likelihood(chosen)[row].exp().item() / 3
                for token, tag in enumerate(path):
                    tags[token, tag] += share
                for span in TAGS.decode(path):
                    spans[span] += share
        for scored in found[row]:
            assert scored.score == pytest.approx(spans[scored.span], rel=1e-4)
        legal = (
            path
            for path in product(range(len(TAGS)), repeat=4)
            if TAGS.encode(TAGS.decode(path), 4).tolist() == list(path)
        )

        votes = [(math.prod(tags[at] for at in enumerate(path)), path) for path in legal]
        assert [scored.span for scored in found[row]] == TAGS.decode(max(votes)[1])


@pytest.mark.parametrize("head", [CrfHead, SoftmaxHead])
def test_the_best_tagging_is_the_one_that_is_chosen(
    head: type[CrfHead] | type[SoftmaxHead],
) -> None:
    ensemble = Ensemble([member(seed, head) for seed in range(3)])
    sentences = [Sentence(["a", "b", "c", "a"]), Sentence(["c"])]
    batch = index_sentences(ensemble, sentences).batch([0, 1])
    chosen = ensemble.tag_with_scores(batch)
    for (scored, taggings), alone in zip(ensemble.tag_k_best(batch, 50), chosen, strict=True):
        assert scored == alone
        assert taggings[0].spans == [span for span, _ in alone]
        assert sum(probability for _, probability in taggings) == pytest.approx(1, abs=1e-5)
