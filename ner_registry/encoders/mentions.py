"""What the document says of the same word elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ner_registry.config.types import DropoutRate
from ner_registry.encoders.base import Seq2SeqEncoder, encode
from ner_registry.encoders.context import Context
from ner_registry.nn.dropout import LockedDropout


@Seq2SeqEncoder.register("mentions")
class MentionsEncoder(Seq2SeqEncoder):
    """Two encoders, the second of which also reads what the first made of other mentions.

    A name is often introduced once and then used without anything around it that tells what it
    names. Beside the first encoder's output for a token, the second one reads the mean of its
    outputs for the same word elsewhere in the document (as Akbik et al. 2019 pool embeddings,
    and Krishnan & Manning 2006 labels), zeros where it stands nowhere else.

    It gives what both make, side by side.

    Args:
        first: reads each sentence.
        second: reads what the first gives, and the mean over other mentions beside it.
        dropout: probability of dropping a dimension of what the second reads, in training, at
            every token of a sentence (Gal & Ghahramani 2016).
    """

    reads_documents = True

    def __init__(
        self,
        input_dim: int,
        *,
        first: Callable[..., Seq2SeqEncoder],
        second: Callable[..., Seq2SeqEncoder],
        dropout: DropoutRate = 0.0,
    ) -> None:
        super().__init__()
        self.first = first(input_dim=input_dim)
        self.second = second(input_dim=2 * self.first.output_dim)
        self.output_dim = self.first.output_dim + self.second.output_dim
        self.dropout = LockedDropout(dropout)

    def forward(self, inputs: Tensor, mask: Tensor, context: Context | None = None) -> Tensor:
        """As any encoder's; without a context there are no other mentions."""
        encoded = encode(self.first, inputs, mask, context)
        others = torch.zeros_like(encoded)
        if context is not None:
            others[mask] = _mean_of_others(encoded[mask], _mentions(context, mask))
        both = self.dropout(torch.cat([encoded, others], 2))
        found = encode(self.second, both, mask, context)
        return torch.cat([encoded, found], 2)


def _mentions(context: Context, mask: Tensor) -> Tensor:
    """A number for each real token, (tokens,): the same for the same word of a document."""
    documents = context.documents.unsqueeze(1).expand_as(mask)[mask]
    pairs = torch.stack([documents, context.words[mask]], 1)
    numbers: Tensor = pairs.unique(dim=0, return_inverse=True)[1]
    return numbers


def _mean_of_others(vectors: Tensor, groups: Tensor) -> Tensor:
    """(tokens, width): of the other tokens in the same group; zeros where there is none."""
    count = int(groups.max()) + 1
    sums = vectors.new_zeros(count, vectors.shape[1]).index_add(0, groups, vectors)
    sizes = vectors.new_zeros(count).index_add(0, groups, vectors.new_ones(len(groups)))
    others = sizes[groups].unsqueeze(1) - 1
    return (sums.index_select(0, groups) - vectors) * (others > 0) / others.clamp(min=1)
