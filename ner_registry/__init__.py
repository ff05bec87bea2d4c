"""Declared named-entity taggers: train, evaluate and use them.

Names are imported when they are first used, so that ``ner-run --help`` needs no PyTorch.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ner_registry.data.sentence import Sentence
    from ner_registry.data.tags import TagSet
    from ner_registry.data.vocabulary import Vocabulary
    from ner_registry.embedders import TokenEmbedder
    from ner_registry.encoders import Seq2SeqEncoder
    from ner_registry.errors import NerError
    from ner_registry.heads import TaggerHead
    from ner_registry.jobs.evaluate import evaluate
    from ner_registry.jobs.train import train
    from ner_registry.predictor import load
    from ner_registry.readers import DatasetReader
    from ner_registry.training.callbacks import Callback

_HOMES = {
    "Callback": "training.callbacks",
    "DatasetReader": "readers",
    "NerError": "errors",
    "Sentence": "data.sentence",
    "TagSet": "data.tags",
    "Vocabulary": "data.vocabulary",
    "Seq2SeqEncoder": "encoders",
    "TaggerHead": "heads",
    "TokenEmbedder": "embedders",
    "evaluate": "jobs.evaluate",
    "load": "predictor",
    "train": "jobs.train",
}

__all__ = [
    "Callback",
    "DatasetReader",
    "NerError",
    "Sentence",
    "Seq2SeqEncoder",
    "TagSet",
    "TaggerHead",
    "TokenEmbedder",
    "Vocabulary",
    "evaluate",
    "load",
    "train",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version(__name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
