"""The document around a sentence."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ner_registry.encoders.base import Seq2SeqEncoder, encode
from ner_registry.encoders.context import Context


@Seq2SeqEncoder.register("document")
class DocumentEncoder(Seq2SeqEncoder):
    """An encoder that reads a whole document at once, so that every sentence knows the others.

    The sentences of a document stand one after the other, with a vector of its own before each.
    What is tagged is still one sentence, and no entity crosses its ends. A document is what the
    data marks as one, or a text; one of more than
    1,000 tokens is read in parts.

    Args:
        encoder: reads the document.
    """

    reads_documents = True

    def __init__(self, input_dim: int, *, encoder: Callable[..., Seq2SeqEncoder]) -> None:
        super().__init__()
        self.encoder = encoder(input_dim=input_dim)
        if self.encoder.reads_documents:
            raise ValueError("encoder: expected one that reads a sequence, got one of documents")
        self.output_dim = self.encoder.output_dim
        self.boundary = nn.Parameter(torch.empty(input_dim).uniform_(-0.1, 0.1))

    def forward(self, inputs: Tensor, mask: Tensor, context: Context | None = None) -> Tensor:
        """As any encoder's; without a context each sentence is a document."""
        sizes = mask.sum(1) + 1  # of each sentence, with its boundary
        starts = sizes.cumsum(0) - sizes
        begins = torch.ones_like(sizes, dtype=torch.bool)
        if context is not None:
            documents = context.documents
            begins[1:] = documents[1:] != documents[:-1]
        row = begins.cumsum(0) - 1  # of the document that a sentence is in
        starts = starts - starts[begins][row]
        lengths = torch.zeros_like(sizes).scatter_add(0, row, sizes)[: int(row[-1]) + 1]
        steps = torch.arange(mask.shape[1], device=mask.device)
        rows = row.unsqueeze(1).expand_as(mask)
        places = starts.unsqueeze(1) + 1 + steps  # shape: (batch, length)

        length = int(lengths.max())
        joined = inputs.new_zeros(len(lengths), length, inputs.shape[2])
        joined[row, starts] = self.boundary
        joined[rows[mask], places[mask]] = inputs[mask]
        steps = torch.arange(length, device=mask.device)
        encoded = encode(self.encoder, joined, steps < lengths.unsqueeze(1), None)
        outputs: Tensor = encoded.new_zeros(*mask.shape, self.output_dim)
        outputs[mask] = encoded[rows[mask], places[mask]]
        return outputs
