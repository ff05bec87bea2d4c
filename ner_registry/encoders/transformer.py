"""A transformer."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ner_registry.config.types import DropoutRate, LayerCount, PositiveInt
from ner_registry.encoders.base import Seq2SeqEncoder


@Seq2SeqEncoder.register("transformer")
class TransformerEncoder(Seq2SeqEncoder):
    """A small transformer (Vaswani et al. 2017), its layers normalised first (Xiong et al. 2020).

    Its time and memory grow with the square of a sentence's length.

    Args:
        hidden_size: width of the output, an even number and a multiple of ``num_heads``.
        num_layers: how many layers.
        num_heads: parts that attend to tokens of their own choice.
        feedforward_size: width within each layer.
        dropout: probability of dropping a number within the layers, in training.
    """

    def __init__(
        self,
        input_dim: int,
        *,
        hidden_size: PositiveInt = 128,
        num_layers: LayerCount = 2,
        num_heads: PositiveInt = 4,
        feedforward_size: PositiveInt = 256,
        dropout: DropoutRate = 0.1,
    ) -> None:
        super().__init__()
        if hidden_size % num_heads or hidden_size % 2:
            raise ValueError(
                f"hidden_size: expected an even multiple of num_heads ({num_heads}), "
                f"got {hidden_size}"
            )
        self.output_dim = hidden_size
        self.projection = nn.Linear(input_dim, hidden_size)
        layer = nn.TransformerEncoderLayer(
            hidden_size, num_heads, feedforward_size, dropout, batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, num_layers, nn.LayerNorm(hidden_size), enable_nested_tensor=False
        )

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        vectors = self.projection(inputs)
        outputs: Tensor = self.layers(vectors + _positions(vectors), src_key_padding_mask=~mask)
        return outputs * mask.unsqueeze(2)


def _positions(vectors: Tensor) -> Tensor:
    """Sines and cosines of each token's number, (length, width), of rising wave lengths."""
    length, width = vectors.shape[1:]
    steps = torch.arange(length, device=vectors.device, dtype=vectors.dtype).unsqueeze(1)
    pace = torch.arange(0, width, 2, device=vectors.device, dtype=vectors.dtype)
    angles = steps * torch.exp(-math.log(10_000.0) / width * pace)
    return torch.cat([angles.sin(), angles.cos()], 1)
