"""Run by training.py in Flair's environment: trains one epoch and prints what it took.

flair_epoch.py DATA OUT
"""

from __future__ import annotations

import logging
import sys
import time

import flair
import torch
from flair.datasets import ColumnCorpus
from flair.embeddings import OneHotEmbeddings
from flair.models import SequenceTagger
from flair.trainers import ModelTrainer

torch.set_num_threads(1)
flair.device = torch.device("cpu")
columns = {0: "text", 1: "ner"}
corpus = ColumnCorpus(
    sys.argv[1],
    columns,
    train_file="train.bio",
    dev_file="dev.bio",
    test_file=None,
    autofind_splits=False,
    sample_missing_splits=False,
)
logging.getLogger("flair").setLevel(logging.WARNING)
embeddings = OneHotEmbeddings.from_corpus(corpus, field="text", min_freq=1, embedding_length=100)
tagger = SequenceTagger(
    embeddings=embeddings,
    tag_dictionary=corpus.make_label_dictionary("ner", add_unk=False),
    tag_type="ner",
    tag_format="BIO",
    hidden_size=128,
    rnn_layers=1,
    use_crf=True,
    reproject_embeddings=False,
    dropout=0.5,
    word_dropout=0.0,
    locked_dropout=0.0,
)
began = time.perf_counter()
ModelTrainer(tagger, corpus).train(
    sys.argv[2],
    learning_rate=0.001,
    optimizer=torch.optim.Adam,
    mini_batch_size=32,
    eval_batch_size=32,
    max_epochs=1,
    embeddings_storage_mode="none",
    save_final_model=False,
)
print(f"epoch seconds: {time.perf_counter() - began:.2f}")
