"""What every Seq2SeqEncoder is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from ner_registry.config.registry import Registrable, ask
from ner_registry.encoders.context import Context
from ner_registry.shapes import check_vectors, lent


class Seq2SeqEncoder(nn.Module, ABC, Registrable):
    """Turns a sequence of vectors into another of the same length.

    It is given ``input_dim``, the width of what it reads.

    Attributes:
        output_dim: width of what it gives.
        reads_documents: whether ``forward`` takes a third argument, the batch's
            :class:`ner_registry.encoders.context.Context`; batches are of whole documents then.
    """

    supplied = ("input_dim",)
    output_dim: int
    reads_documents: bool = False

    @abstractmethod
    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, input_dim) -> (batch, length, output_dim).

        ``mask`` is (batch, length), bool, true on real tokens. What is given for a real token
        must not depend on padding.
        """


def encode(
    encoder: Seq2SeqEncoder, inputs: Tensor, mask: Tensor, context: Context | None
) -> Tensor:
    """What an encoder gives; the context is handed to those that read documents alone.

    Raises:
        RunError: it isn't (batch, length, output_dim).
    """
    beside = (context,) if encoder.reads_documents else ()
    outputs: Tensor = ask("model.encoder", encoder, "forward", inputs, lent(mask, encoder), *beside)
    check_vectors(outputs, "model.encoder", encoder, mask)
    return outputs
