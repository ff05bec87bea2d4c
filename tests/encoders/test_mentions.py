"""What the document says of the same word elsewhere."""

from __future__ import annotations

from functools import partial

import torch

from ner_registry.encoders import (
    Context,
    MentionsEncoder,
    PassThroughEncoder,
    StackEncoder,
)


def test_the_second_reads_the_mean_over_other_mentions() -> None:
    torch.manual_seed(0)
    encoder = MentionsEncoder(2, first=PassThroughEncoder, second=PassThroughEncoder)
    words = torch.tensor([[1, 2, 1], [1, 3, 0], [1, 2, 0]])
    mask = words > 0
    context = Context(torch.tensor([4, 4, 5]), words)
    inputs = torch.randn(3, 3, 2)
    outputs = encoder(inputs, mask, context)
    torch.testing.assert_close(outputs[..., :2], inputs)
    torch.testing.assert_close(outputs[..., 2:4], inputs)
    others = outputs[..., 4:]
    torch.testing.assert_close(others[0, 0], (inputs[0, 2] + inputs[1, 0]) / 2)
    torch.testing.assert_close(others[0, 2], (inputs[0, 0] + inputs[1, 0]) / 2)
    torch.testing.assert_close(others[1, 0], (inputs[0, 0] + inputs[0, 2]) / 2)
    alone = [(0, 1), (1, 1), (2, 0), (2, 1), (1, 2), (2, 2)]
    assert not any(others[at].any() for at in alone)


def test_without_a_context_there_are_none() -> None:
    encoder = MentionsEncoder(2, first=PassThroughEncoder, second=PassThroughEncoder)
    inputs, mask = torch.randn(1, 3, 2), torch.ones(1, 3, dtype=torch.bool)
    assert not encoder(inputs, mask)[..., 4:].any()


def test_a_stack_hands_the_context_on() -> None:
    torch.manual_seed(0)
    mentions = partial(MentionsEncoder, first=PassThroughEncoder, second=PassThroughEncoder)
    stack = StackEncoder(2, encoders=[PassThroughEncoder, mentions])
    assert stack.reads_documents
    assert not StackEncoder(2, encoders=[PassThroughEncoder]).reads_documents
    words = torch.tensor([[1, 2], [1, 3]])
    context = Context(torch.tensor([4, 4]), words)
    inputs, mask = torch.randn(2, 2, 2), words > 0
    torch.testing.assert_close(stack(inputs, mask, context), mentions(2)(inputs, mask, context))
    assert stack(inputs, mask, context)[0, 0, 4:].any()
