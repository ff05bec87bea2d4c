"""Seq2SeqEncoders: from a vector per token to one that knows of its neighbours."""

from ner_registry.encoders.base import Seq2SeqEncoder
from ner_registry.encoders.pass_through import PassThroughEncoder
from ner_registry.encoders.recurrent import GruEncoder, LstmEncoder

__all__ = ["GruEncoder", "LstmEncoder", "PassThroughEncoder", "Seq2SeqEncoder"]
