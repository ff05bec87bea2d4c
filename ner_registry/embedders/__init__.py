"""TokenEmbedders: from a token to a vector, by way of numbers."""

from ner_registry.embedders.base import TokenEmbedder
from ner_registry.embedders.character_cnn import CharacterCnn
from ner_registry.embedders.character_lstm import CharacterLstm
from ner_registry.embedders.column import Column
from ner_registry.embedders.embedding import Embedding
from ner_registry.embedders.subwords import SubwordFeatures

__all__ = [
    "CharacterCnn",
    "CharacterLstm",
    "Column",
    "Embedding",
    "SubwordFeatures",
    "TokenEmbedder",
]
