"""DatasetReaders: from a data file to sentences."""

from ner_registry.readers.base import DatasetReader
from ner_registry.readers.conll import ConllReader
from ner_registry.readers.jsonl import JsonlReader

__all__ = ["ConllReader", "DatasetReader", "JsonlReader"]
