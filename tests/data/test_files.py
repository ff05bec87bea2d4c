"""Tensors as bytes."""

from __future__ import annotations

import safetensors.torch
import torch

from ner_registry.data.files import are_as_written, tensor_bytes


def test_tensors_that_share_memory_or_lie_crosswise_are_written_whole() -> None:
    square = torch.arange(6.0).view(2, 3)
    tensors = {"one": square, "other": square, "row": square[1], "crosswise": square.t()}
    content = tensor_bytes(tensors)
    assert are_as_written(content)
    read = safetensors.torch.load(content)
    assert read.keys() == tensors.keys()
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())


def test_a_changed_byte_is_seen() -> None:
    content = bytearray(tensor_bytes({"one": torch.ones(3)}))
    content[-1] ^= 1
    assert not are_as_written(bytes(content))
