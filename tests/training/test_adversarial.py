"""What embeddings are moved to, and the gradient of both."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ner_registry.data.indexed import Batch, IndexedSentences
from ner_registry.data.sentence import Sentence
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders import Embedding
from ner_registry.encoders import LstmEncoder
from ner_registry.errors import RunError
from ner_registry.heads import CrfHead
from ner_registry.tagger import Tagger
from ner_registry.training.adversarial import adversarial_backward
from ner_registry.training.optimizers import Optimizer
from ner_registry.training.settings import TrainerSettings

SENTENCES = [
    Sentence(["a", "b", "a"], ["B-X", "O", "B-X"]),
    Sentence(["b"], ["O"]),
    Sentence(["c", "a", "b", "b"], ["O", "B-X", "I-X", "O"]),
]
SIZE, WEIGHT = 0.2, 0.25


def made(kind: type[Tagger] = Tagger, *, trainable: bool = True) -> tuple[Tagger, Batch]:
    torch.manual_seed(0)
    tags = TagSet("IOB2", ["X"])
    vocab = Vocabulary(counts={"a": 2, "b": 1})
    words = Embedding(vocab, embedding_dim=5, trainable=trainable)
    tagger = kind({"words": words}, LstmEncoder(5, hidden_size=4), CrfHead(8, tags), tags)
    data = IndexedSentences.index(SENTENCES, {"words": words.index}, tags.encode_sentence)
    return tagger.train(), data.batch([0, 1, 2])


def reference(tagger: Tagger, batch: Batch) -> Tensor:
    """The loss of both, a sentence at a time, with its gradient by way of autograd alone."""
    embedded = tagger.embed(batch)
    if not embedded.requires_grad:
        embedded.requires_grad_()
    grad = torch.autograd.grad(tagger.loss(batch, embedded).sum(), embedded, retain_graph=True)[0]
    steps = [SIZE * direction / direction.norm() for direction in grad]
    plain = tagger.loss(batch, embedded)
    hardest = tagger.loss(batch, embedded + torch.stack(steps))
    assert (hardest > plain).all()
    return (plain.sum() + hardest.sum()) * WEIGHT / 2


@pytest.mark.parametrize("trainable", [True, False])
def test_the_gradient_is_that_of_sentences_as_they_are_and_as_they_are_hardest(
    trainable: bool,
) -> None:
    tagger, batch = made(trainable=trainable)
    reference(tagger, batch).backward()
    expected = {name: p.grad for name, p in tagger.named_parameters()}
    tagger, batch = made(trainable=trainable)
    loss = adversarial_backward(tagger, batch, SIZE, WEIGHT)
    torch.testing.assert_close(loss, tagger.loss(batch).sum().detach())
    for name, parameter in tagger.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name])
        assert parameter.grad is not None or name == "embedders.words.table.weight"
    of_words = tagger.get_parameter("embedders.words.table.weight").grad
    assert (of_words is not None) == trainable


def test_it_adds_to_the_gradient_that_is_there() -> None:
    tagger, batch = made()
    adversarial_backward(tagger, batch, SIZE, WEIGHT)
    once = {name: p.grad.clone() for name, p in tagger.named_parameters() if p.grad is not None}
    adversarial_backward(tagger, batch, SIZE, WEIGHT)
    for name, parameter in tagger.named_parameters():
        torch.testing.assert_close(parameter.grad, 2 * once[name])


def test_what_counts_for_nothing_is_moved_nowhere() -> None:
    """A rank without a share of the batch has a gradient of zeros, and none that isn't finite."""
    tagger, batch = made()
    adversarial_backward(tagger, batch, SIZE, 0.0)
    for parameter in tagger.parameters():
        assert parameter.grad is not None
        assert not parameter.grad.any()


class Watched(Tagger):
    """Remembers what its encoder was given."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.seen: list[Tensor] = []

    def loss(self, batch: Batch, embedded: Tensor | None = None) -> Tensor:
        assert embedded is not None
        self.seen.append(embedded.detach())
        return super().loss(batch, embedded)


@pytest.mark.parametrize("weight", [0.25, 1e-20, 1e-25, 1e-35])
def test_no_sentence_is_moved_further_than_was_said(weight: float) -> None:
    """However small its gradient; the squares of the last three are zeros in float32."""
    tagger, batch = made(Watched)
    assert isinstance(tagger, Watched)
    adversarial_backward(tagger, batch, SIZE, weight)
    plain, hardest = tagger.seen
    steps = (hardest - plain).flatten(1).norm(dim=1)
    assert (steps <= 1.001 * SIZE).all()
    if weight == 0.25:
        torch.testing.assert_close(steps, torch.full((3,), SIZE))


class Detached(LstmEncoder):
    """Learns, but not from what it reads."""

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        return super().forward(inputs.detach(), mask)


def test_an_encoder_without_a_gradient_is_told_of() -> None:
    tagger, batch = made()
    tagger.encoder = Detached(5, hidden_size=4)
    with pytest.raises(RunError, match="doesn't pass on"):
        adversarial_backward(tagger, batch, SIZE, WEIGHT)


@pytest.mark.parametrize(
    ("share", "steps"), [(0.0, []), (0.25, [3, 7]), (0.5, [1, 3, 5, 7]), (1.0, list(range(8)))]
)
def test_the_batches_are_evenly_spread(share: float, steps: list[int]) -> None:
    settings = TrainerSettings(
        optimizer=Optimizer.registered()["adam"],
        num_epochs=1,
        adversarial_perturbation=0.3,
        adversarial_share=share,
    )
    assert [step for step in range(8) if settings.perturbation_at(step) == 0.3] == steps
    assert all(settings.perturbation_at(step) in (0, 0.3) for step in range(8))
