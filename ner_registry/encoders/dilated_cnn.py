"""A dilated convolution."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from ner_registry.config.types import DropoutRate, PositiveInt, Range
from ner_registry.encoders.base import Seq2SeqEncoder
from ner_registry.nn.dropout import Dropout


@Seq2SeqEncoder.register("dilated_cnn")
class DilatedCnnEncoder(Seq2SeqEncoder):
    """Convolutions that see further with every layer (Yu & Koltun 2016; Strubell et al. 2017).

    Each layer adds to what it reads what it finds among ``width`` tokens, ``dilation`` apart.
    All tokens are computed at once.

    Args:
        channels: width of the output.
        width: tokens that a layer sees at once, an odd number.
        dilations: how far apart they are, for each layer.
        dropout: probability of dropping a number that a layer adds, in training.
    """

    def __init__(
        self,
        input_dim: int,
        *,
        channels: PositiveInt,
        width: PositiveInt = 3,
        dilations: Annotated[tuple[PositiveInt, ...], Range(1)] = (1, 2, 4, 1),
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__()
        if width % 2 == 0:
            raise ValueError(f"width: expected an odd number, got {width}")
        self.output_dim = channels
        self.projection = nn.Linear(input_dim, channels)
        self.layers = nn.ModuleList(
            nn.Conv1d(channels, channels, width, padding=width // 2 * dilation, dilation=dilation)
            for dilation in dilations
        )
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        real = mask.unsqueeze(2)
        outputs = self.projection(inputs)
        for layer in self.layers:
            # padding is seen as zeros, as what lies beyond a sentence's ends
            seen = (outputs * real).transpose(1, 2)
            outputs = outputs + self.dropout(torch.relu(layer(seen)).transpose(1, 2))
        result: Tensor = outputs * real
        return result
