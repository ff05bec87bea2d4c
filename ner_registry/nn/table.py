"""A table of vectors whose rows are looked up."""

from __future__ import annotations

from torch import nn


class Table(nn.Embedding):
    """A table that is read in two ways alone: rows looked up by calling it, and ``state_dict()``.

    So an optimizer may leave a row as it is until somebody asks for it: see
    :class:`ner_registry.training.row_adam.RowOptimizer`.
    """
