"""Callbacks: what is told how training goes, one file each."""

from ner_registry.training.callbacks import tensorboard, wandb
from ner_registry.training.callbacks.base import Callback

__all__ = ["Callback", "tensorboard", "wandb"]
