from __future__ import annotations

from typing import Any

import torch

from ner_registry.build import index_sentences
from ner_registry.data.sentence import Sentence
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders import Embedding
from ner_registry.encoders import PassThroughEncoder
from ner_registry.heads import SoftmaxHead
from ner_registry.tagger import Tagger


def make_tagger(**settings: Any) -> Tagger:
    tags = TagSet("IOB2", ["X"])
    embedder = Embedding(Vocabulary(counts={"a": 2, "b": 1}), embedding_dim=40)
    return Tagger(
        {"words": embedder}, PassThroughEncoder(40), SoftmaxHead(40, tags), tags, **settings
    )


def zeros(tagger: Tagger) -> float:
    sentences = [Sentence(["a", "b"] * 50)]
    data = index_sentences(tagger, sentences)
    return (tagger.encode(data.batch([0])) == 0).float().mean().item()


def test_dropout_is_on_the_embeddings_and_on_the_encoders_output() -> None:
    torch.manual_seed(0)
    tagger = make_tagger(dropout=0.5).train()
    assert 0.7 < zeros(tagger) < 0.8  # a half, and a half of the rest
    assert zeros(tagger.eval()) == 0


def test_a_words_embeddings_are_hidden_together() -> None:
    torch.manual_seed(0)
    assert 0.1 < zeros(make_tagger(word_dropout=0.2).train()) < 0.3


def test_variational_dropout_is_the_same_at_every_token() -> None:
    torch.manual_seed(0)
    tagger = make_tagger(dropout=0.5, variational_dropout=True).train()
    data = index_sentences(tagger, [Sentence(["a"] * 50)])
    encoded = tagger.encode(data.batch([0]))[0]
    assert torch.equal(encoded, encoded[:1].expand_as(encoded))
    assert (encoded == 0).any()
