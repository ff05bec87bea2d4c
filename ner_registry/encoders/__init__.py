"""Seq2SeqEncoders: from a vector per token to one that knows of its neighbours."""

from ner_registry.encoders.base import Seq2SeqEncoder, encode
from ner_registry.encoders.context import Context
from ner_registry.encoders.dilated_cnn import DilatedCnnEncoder
from ner_registry.encoders.document import DocumentEncoder
from ner_registry.encoders.mentions import MentionsEncoder
from ner_registry.encoders.pass_through import PassThroughEncoder
from ner_registry.encoders.recurrent import GruEncoder, LstmEncoder
from ner_registry.encoders.stack import StackEncoder
from ner_registry.encoders.transformer import TransformerEncoder

__all__ = [
    "Context",
    "DilatedCnnEncoder",
    "DocumentEncoder",
    "GruEncoder",
    "LstmEncoder",
    "MentionsEncoder",
    "PassThroughEncoder",
    "Seq2SeqEncoder",
    "StackEncoder",
    "TransformerEncoder",
    "encode",
]
