"""Bidirectional layers against PyTorch's own over packed sequences."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ner_registry.nn.recurrent import BidirectionalRecurrent, Connections


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_it_equals_packed_sequences(cell: Literal["lstm", "gru"], layers: int) -> None:
    torch.manual_seed(0)
    ours = BidirectionalRecurrent(cell, 5, hidden_size=4, num_layers=layers)
    cells = {"lstm": nn.LSTM, "gru": nn.GRU}
    theirs = cells[cell](5, 4, layers, batch_first=True, bidirectional=True)
    for layer in range(layers):
        for direction, suffix in ((ours.forwards, ""), (ours.backwards, "_reverse")):
            for name, weight in direction[layer].named_parameters():
                reference = name.replace("_l0", f"_l{layer}{suffix}")
                with torch.no_grad():
                    getattr(theirs, reference).copy_(weight)
    lengths = torch.tensor([6, 1, 4])
    inputs = torch.randn(3, 6, 5)
    mask = torch.arange(6) < lengths.unsqueeze(1)
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)
    torch.testing.assert_close(ours(inputs, mask), expected)


def test_an_empty_row_is_harmless() -> None:
    layer = BidirectionalRecurrent("lstm", 3, hidden_size=2)
    inputs = torch.randn(2, 4, 3)
    mask = torch.tensor([[True] * 4, [False] * 4])
    outputs = layer(inputs, mask)
    torch.testing.assert_close(outputs[:1], layer(inputs[:1], mask[:1]))
    assert not outputs[1].any()


def test_dropout_stands_between_layers_alone() -> None:
    torch.manual_seed(0)
    mask = torch.ones(2, 5, dtype=torch.bool)
    inputs = torch.randn(2, 5, 3)
    for layers, differs in ((1, False), (2, True)):
        network = BidirectionalRecurrent(
            "lstm", 3, hidden_size=4, num_layers=layers, dropout=0.5
        ).train()
        assert torch.equal(network(inputs, mask), network(inputs, mask)) != differs


def test_connections() -> None:
    torch.manual_seed(0)
    inputs, mask = torch.randn(2, 4, 3), torch.ones(2, 4, dtype=torch.bool)
    plain = BidirectionalRecurrent("lstm", 3, hidden_size=2, num_layers=2)
    below = BidirectionalRecurrent("lstm", 3, hidden_size=2)
    below.forwards[0], below.backwards[0] = plain.forwards[0], plain.backwards[0]
    first, second = below(inputs, mask), plain(inputs, mask)
    expectations: list[tuple[Connections, torch.Tensor]] = [
        ("residual", first + second),
        ("dense", torch.cat([first, second], 2)),
    ]
    for connections, expected in expectations:
        layers = BidirectionalRecurrent(
            "lstm", 3, hidden_size=2, num_layers=2, connections=connections
        )
        layers.load_state_dict(plain.state_dict())
        torch.testing.assert_close(layers(inputs, mask), expected)
        assert layers.output_dim == expected.shape[2]


def test_dense_connections_grow_with_every_layer() -> None:
    layers = BidirectionalRecurrent("gru", 3, hidden_size=2, num_layers=3, connections="dense")
    outputs = layers(torch.randn(2, 4, 3), torch.ones(2, 4, dtype=torch.bool))
    assert outputs.shape[2] == layers.output_dim == 12


def test_rows_of_mixed_lengths_are_taken_apart_without_a_trace() -> None:
    torch.manual_seed(0)
    layers = BidirectionalRecurrent("lstm", 3, hidden_size=2, num_layers=2)
    lengths = torch.tensor([2, 30, *[1 + number % 7 for number in range(40)], 0])
    inputs = torch.randn(len(lengths), 30, 3, requires_grad=True)
    mask = torch.arange(30) < lengths.unsqueeze(1)
    outputs = layers(inputs, mask)
    outputs.square().sum().backward()
    assert inputs.grad is not None
    assert not outputs[~mask].any()
    for row, length in enumerate(lengths.tolist()):
        if length:
            alone = inputs[row : row + 1, :length].detach().requires_grad_()
            expected = layers(alone, mask[row : row + 1, :length])
            torch.testing.assert_close(outputs[row, :length], expected[0])
            (grad,) = torch.autograd.grad(expected.square().sum(), alone)
            torch.testing.assert_close(inputs.grad[row, :length], grad[0])
