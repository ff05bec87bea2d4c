"""Training on what misleads the model most."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from ner_registry.data.indexed import Batch
from ner_registry.errors import RunError
from ner_registry.tagger import Tagger


def adversarial_backward(model: Tagger, batch: Batch, size: float, weight: float) -> Tensor:
    """Adds the gradient of sentences as they are, and as they are hardest, to the parameters'.

    (Miyato et al. 2017; for taggers Yasunaga et al. 2018.) The embeddings of a sentence, with what
    dropout left of them, are moved by a small step in the direction in which the loss grows
    fastest, and the tags must be found there as well: what the model has learnt by heart changes
    soonest, what many embeddings agree on stays. What is learnt from is the mean of both losses.
    Unlike Miyato et al. it doesn't scale embeddings to one size, so that without weight decay they
    may outgrow the step.

    The embedders run once, and the gradient that says where to move is a part of the one that is
    wanted anyway, so that it costs the encoder and the head a second time, and no more.

    Args:
        model: in training.
        batch: the sentences.
        size: length of the step, the norm over all of a sentence's tokens together.
        weight: what a sentence counts for in the gradient.

    Returns:
        the loss of the sentences as they are, summed, ().

    Raises:
        RunError: the encoder gives nothing that depends on what it reads.
    """
    embedded = model.embed(batch)
    plain = embedded.detach().requires_grad_()
    losses = model.loss(batch, plain)
    (losses.sum() * weight / 2).backward()
    gradient = _gradient(plain)
    # of length 1 for each sentence, or zeros where a sentence has none
    directions = functional.normalize(gradient.flatten(1)).view_as(gradient)
    hardest = (plain.detach() + size * directions).requires_grad_()
    (model.loss(batch, hardest).sum() * weight / 2).backward()
    if embedded.requires_grad:
        embedded.backward(gradient + _gradient(hardest))
    return losses.detach().sum()


def _gradient(vectors: Tensor) -> Tensor:
    if vectors.grad is None:
        raise RunError(
            "trainer.adversarial_perturbation needs the gradient of the embeddings, which "
            "model.encoder doesn't pass on: does it detach what it reads?"
        )
    return vectors.grad
