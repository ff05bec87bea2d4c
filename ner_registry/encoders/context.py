"""What an encoder may know beyond the sentences of a batch."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Context(NamedTuple):
    """Where the sentences of a batch stand, and which of their words are the same.

    Attributes:
        documents: (batch,), long, the number of each sentence's document; sentences of one
            stand together, in order.
        words: (batch, length), long, equal where words are, whatever their case.
    """

    documents: Tensor
    words: Tensor
