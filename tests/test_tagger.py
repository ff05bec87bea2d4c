from __future__ import annotations

import torch
from torch import Tensor

from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders import Embedding
from ner_registry.encoders import PassThroughEncoder
from ner_registry.heads import SoftmaxHead
from ner_registry.tagger import Tagger


def make_tagger(dropout: float) -> Tagger:
    tags = TagSet("IOB2", ["X"])
    embedder = Embedding(Vocabulary(counts={"a": 2, "b": 1}), embedding_dim=40)
    return Tagger(
        {"words": embedder}, PassThroughEncoder(40), SoftmaxHead(40, tags), tags, dropout=dropout
    )


def zeros(encoded: Tensor) -> float:
    return (encoded == 0).float().mean().item()


def test_dropout_is_on_the_embeddings_and_on_the_encoders_output() -> None:
    torch.manual_seed(0)
    view = {"words": torch.tensor([[2, 3] * 50])}
    mask = torch.ones(1, 100, dtype=torch.bool)
    tagger = make_tagger(0.5).train()
    assert 0.7 < zeros(tagger.encode(view, mask)) < 0.8  # a half, and a half of the rest
    assert zeros(tagger.eval().encode(view, mask)) == 0
