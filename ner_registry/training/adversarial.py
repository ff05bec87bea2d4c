"""Training on what misleads the model most."""

from __future__ import annotations

import torch
from torch import Tensor

from ner_registry.data.indexed import Batch
from ner_registry.tagger import Tagger


def adversarial_backward(model: Tagger, batch: Batch, size: float, weight: float) -> Tensor:
    """Adds the gradient of sentences as they are, and as they are hardest, to the parameters'.

    (Miyato et al. 2017; for taggers Yasunaga et al. 2018.) The embeddings of a sentence are moved
    by a small step in the direction in which its loss grows fastest, and the tags must be found
    there as well: what the model has learnt by heart changes soonest, what many embeddings agree
    on stays. The loss is the mean of both.

    The embedders run once, and the gradient that says where to move is a part of the one that is
    wanted anyway, so that it costs the encoder and the head a second time, and no more.

    Args:
        model: in training.
        batch: the sentences.
        size: length of the step, the norm over all of a sentence's tokens together.
        weight: what a sentence counts for in the gradient.

    Returns:
        the loss of the sentences as they are, summed, ().
    """
    embedded = model.embed(batch)
    plain = embedded.detach().requires_grad_()
    losses = model.loss(batch, plain)
    (losses.sum() * weight / 2).backward()
    gradient = _gradient(plain)
    hardest = (plain.detach() + size * _units(gradient)).requires_grad_()
    (model.loss(batch, hardest).sum() * weight / 2).backward()
    if embedded.requires_grad:
        embedded.backward(gradient + _gradient(hardest))
    return losses.detach().sum()


def _gradient(vectors: Tensor) -> Tensor:
    assert vectors.grad is not None
    return vectors.grad


def _units(directions: Tensor) -> Tensor:
    """Each sentence's as one vector of length 1, (batch, length, width); zeros stay."""
    norms: Tensor = directions.flatten(1).norm(dim=1).view(-1, 1, 1)
    return directions / norms.clamp(min=torch.finfo(norms.dtype).tiny)
