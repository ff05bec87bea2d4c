"""The LSTM kernel against PyTorch's own LSTM over packed sequences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from ner_registry.nn import lstm
from ner_registry.nn.lstm import bidirectional_lstm, is_supported
from ner_registry.nn.recurrent import BidirectionalRecurrent
from ner_registry.nn.threads import computing

pytestmark = pytest.mark.skipif(
    not is_supported(torch.zeros(1)), reason="numba isn't installed: there is no kernel"
)
# a mix, all of one length, one token each, one sentence, a row of padding alone, many
LENGTHS = [[6, 1, 4], [5, 5, 5, 5], [1, 1], [7], [3, 0, 2], list(range(1, 40))]


def layers(width: int, units: int) -> tuple[nn.LSTM, nn.LSTM]:
    torch.manual_seed(0)
    return nn.LSTM(width, units, batch_first=True), nn.LSTM(width, units, batch_first=True)


def reference(inputs: Tensor, lengths: list[int], ahead: nn.LSTM, back: nn.LSTM) -> Tensor:
    """Slow and obvious: every sentence by itself, its second direction turned round."""
    rows = []
    for sentence, length in zip(inputs, lengths, strict=True):
        row = inputs.new_zeros(inputs.shape[1], 2 * ahead.hidden_size)
        if length:
            real = sentence[:length].unsqueeze(0)
            sides = ahead(real)[0][0], back(real.flip(1))[0][0].flip(0)
            row = torch.cat([torch.cat(sides, 1), row[length:]])
        rows.append(row)
    return torch.stack(rows)


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize(("width", "units"), [(5, 3), (16, 8), (7, 20)])
def test_outputs_and_gradients(lengths: list[int], width: int, units: int) -> None:
    ahead, back = layers(width, units)
    inputs = torch.randn(len(lengths), max(lengths), width, requires_grad=True)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)
    found = bidirectional_lstm(inputs, mask, ahead, back)
    expected = reference(inputs, lengths, ahead, back)
    torch.testing.assert_close(found, expected)
    assert not found[~mask].any()

    weights = torch.randn_like(found)
    of = [inputs, *ahead.parameters(), *back.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad((found * weights).sum(), of),
        torch.autograd.grad((expected * weights).sum(), of),
        rtol=1e-4,
        atol=1e-5,
    )


def test_it_equals_packed_sequences() -> None:
    ahead, back = layers(4, 6)
    both = nn.LSTM(4, 6, batch_first=True, bidirectional=True)
    for layer, suffix in ((ahead, ""), (back, "_reverse")):
        for name, weight in layer.state_dict().items():
            both.state_dict()[f"{name}{suffix}"].copy_(weight)
    inputs, lengths = torch.randn(3, 9, 4), torch.tensor([9, 2, 5])
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(both(packed)[0], batch_first=True)
    mask = torch.arange(9) < lengths.unsqueeze(1)
    torch.testing.assert_close(bidirectional_lstm(inputs, mask, ahead, back), expected)


@pytest.mark.parametrize("threads", [2, 3, 4, 8])
def test_threads_change_no_output(threads: int) -> None:
    torch.manual_seed(0)
    network = BidirectionalRecurrent("lstm", 6, hidden_size=10)
    inputs = torch.randn(33, 7, 6, requires_grad=True)
    mask = torch.arange(7) < torch.randint(0, 8, (33, 1))
    mask[0] = True
    of = [inputs, *network.parameters()]
    found = []
    for count in (1, threads):
        with computing(network, count):
            outputs = network(inputs, mask)
            found.append((outputs, torch.autograd.grad(outputs.square().sum(), of)))
    assert torch.equal(found[0][0], found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1])
    if threads < 4:  # a thread per direction: nothing is summed in another order
        for one, other in zip(found[0][1], found[1][1], strict=True):
            assert torch.equal(one, other)


def test_what_is_kept_for_training_changes_nothing() -> None:
    ahead, back = layers(5, 9)
    inputs = torch.randn(70, 11, 5)
    mask = torch.arange(11) < torch.randint(1, 12, (70, 1))
    kept = bidirectional_lstm(inputs, mask, ahead, back)
    with torch.inference_mode():
        assert torch.equal(bidirectional_lstm(inputs, mask, ahead, back), kept)


@pytest.mark.parametrize("different", [1, 40, 10_000])
@pytest.mark.parametrize(("width", "units"), [(5, 9), (40, 20)])
def test_inputs_that_repeat_change_nothing(different: int, width: int, units: int) -> None:
    """As in tagging, where a word's numbers are looked up once."""
    ahead, back = layers(width, units)
    words = torch.randn(different, width)
    words[0, :-1] = words[-1, :-1]  # two that differ in the last number alone
    inputs = words[torch.randint(different, (70, 11))]
    mask = torch.arange(11) < torch.randint(0, 12, (70, 1))
    inputs[~mask] = torch.nan
    kept = bidirectional_lstm(inputs, mask, ahead, back)
    with torch.inference_mode():
        assert torch.equal(bidirectional_lstm(inputs, mask, ahead, back), kept)


def test_which_inputs_are_alike() -> None:
    from ner_registry.nn.kernels.lstm import distinct

    inputs = torch.randn(9, 5)[torch.randint(9, (30, 20))]
    mask = torch.arange(20) < torch.randint(0, 21, (30, 1))
    places = torch.empty(30, 20, dtype=torch.int32)
    firsts = torch.empty(600, dtype=torch.int32)
    count = distinct(*(tensor.numpy() for tensor in (inputs, mask, places, firsts)))
    assert count == len(inputs[mask].unique(dim=0))
    found = inputs.flatten(0, 1)[firsts[:count].long()]
    assert torch.equal(found[places[mask].long()], inputs[mask])


def test_nan_stays_nan() -> None:
    ahead, back = layers(3, 4)
    inputs = torch.randn(2, 4, 3)
    inputs[1, 2, 0] = torch.nan
    outputs = bidirectional_lstm(inputs, torch.ones(2, 4, dtype=torch.bool), ahead, back)
    assert outputs[1].isnan().any(1).all()
    assert not outputs[0].isnan().any()


def test_great_inputs_saturate() -> None:
    ahead, back = layers(3, 4)
    inputs = 1e4 * torch.randn(2, 5, 3)
    found = bidirectional_lstm(inputs, torch.ones(2, 5, dtype=torch.bool), ahead, back)
    torch.testing.assert_close(found, reference(inputs, [5, 5], ahead, back))


@pytest.mark.parametrize("width", [4, 6])
def test_inputs_must_be_as_wide_as_the_weights(width: int) -> None:
    mask = torch.ones(2, 3, dtype=torch.bool)
    with pytest.raises(ValueError, match=rf"expected inputs .* \(2, 3, 5\), got \(2, 3, {width}\)"):
        bidirectional_lstm(torch.randn(2, 3, width), mask, *layers(5, 4))


def test_no_rows_give_none() -> None:
    sides = layers(5, 4)
    inputs = torch.zeros(0, 3, 5, requires_grad=True)
    outputs = bidirectional_lstm(inputs, torch.ones(0, 3, dtype=torch.bool), *sides)
    assert outputs.shape == (0, 3, 8)
    outputs.sum().backward()
    assert all(not p.grad.any() for side in sides for p in side.parameters() if p.grad is not None)


def test_weights_may_lie_in_any_order() -> None:
    sides = layers(5, 4)
    inputs, mask = torch.randn(4, 3, 5), torch.ones(4, 3, dtype=torch.bool)
    expected = bidirectional_lstm(inputs, mask, *sides)
    for side in sides:
        weight = side.get_parameter("weight_ih_l0")
        weight.data = weight.data.t().contiguous().t()
    assert torch.equal(bidirectional_lstm(inputs, mask, *sides), expected)


@pytest.mark.parametrize("changed", ["inputs", "outputs", "weight"])
def test_what_the_way_back_reads_must_not_be_changed(changed: str) -> None:
    sides = layers(5, 4)
    inputs = torch.randn(2, 3, 5, requires_grad=True)
    outputs = bidirectional_lstm(inputs, torch.ones(2, 3, dtype=torch.bool), *sides)
    weight = sides[0].get_parameter("weight_hh_l0")
    tensors = {"inputs": inputs, "outputs": outputs, "weight": weight}
    with torch.no_grad():
        tensors[changed].zero_()
    with pytest.raises(RuntimeError, match=r"modified (by an )?inplace"):
        outputs.sum().backward()


def test_tiles_are_as_large_as_kernels_have_them() -> None:
    from ner_registry.nn.kernels import tiles

    assert (tiles.ROWS, tiles.columns(4)) == (lstm._ROWS, lstm._TILE)
