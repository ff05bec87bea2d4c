"""No encoder at all."""

from __future__ import annotations

from torch import Tensor

from ner_registry.encoders.base import Seq2SeqEncoder


@Seq2SeqEncoder.register("pass_through")
class PassThroughEncoder(Seq2SeqEncoder):
    """Gives what it is given: the head sees each token alone."""

    def __init__(self, input_dim: int) -> None:
        super().__init__()
        self.output_dim = input_dim

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        return inputs
