"""TaggerHeads: from a vector per token to tags and their probabilities."""

from ner_registry.heads.base import TaggerHead
from ner_registry.heads.chain import CrfHead, SoftmaxHead
from ner_registry.heads.checked import CheckedHead

__all__ = ["CheckedHead", "CrfHead", "SoftmaxHead", "TaggerHead"]
