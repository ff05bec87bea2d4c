"""TokenEmbedders: from a token to a vector, by way of numbers."""

from ner_registry.embedders.base import TokenEmbedder
from ner_registry.embedders.embedding import Embedding

__all__ = ["Embedding", "TokenEmbedder"]
