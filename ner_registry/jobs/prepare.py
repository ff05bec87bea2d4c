"""Everything before the first batch: data read, model built."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ner_registry.build import Experiment, build_tagger
from ner_registry.config.plan import Plan
from ner_registry.config.registry import ask_each, nearest
from ner_registry.data import catalogue
from ner_registry.data.augmentation import Augmentation
from ner_registry.data.corpus import Corpus
from ner_registry.data.files import tensor_bytes
from ner_registry.data.sentence import StreamedSentences
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.errors import ConfigError, DataError, Fault, RunError
from ner_registry.jobs.warm_start import Start, carry_over
from ner_registry.nn.kernels import HAS_NUMBA
from ner_registry.nn.threads import available_threads
from ner_registry.readers import DatasetReader
from ner_registry.tagger import Tagger
from ner_registry.training.callbacks.callback_list import CallbackList
from ner_registry.training.device import choose_device
from ner_registry.training.ranks import Ranks
from ner_registry.training.state import TrainingState


@dataclass
class Prepared:
    """Everything that training needs, built and checked; nothing is written yet.

    Attributes:
        plan: the config, checked.
        experiment: its parts.
        corpora: ``train``, and ``validation`` and ``test`` where there are any.
        augmentation: how training sentences are shown.
        vocabularies: of each embedder.
        tagger: the model, on its device.
        state: the model, its optimizer and its schedule.
        callbacks: what is told how training goes.
    """

    plan: Plan
    experiment: Experiment
    corpora: dict[str, Corpus]
    augmentation: Augmentation
    vocabularies: dict[str, Vocabulary]
    tagger: Tagger
    state: TrainingState
    callbacks: CallbackList

    def summary(self, threads: int | None = None) -> list[str]:
        """What will be trained on what, a line each; with so many threads, if that is known."""
        count = sum(p.numel() for p in self.tagger.parameters() if p.requires_grad)
        model, trainer = (self.plan.arguments[name].filled() for name in ("model", "trainer"))
        parts = [f"embedders.{name}: {part['type']}" for name, part in model["embedders"].items()]
        parts += [f"{name}: {model[name]['type']}" for name in ("encoder", "head")]
        data = [
            f"{name} data: {len(corpus):,} sentences, {corpus.tokens:,} tokens, "
            f"{corpus.labels.total():,} entities ({corpus.scheme}, {corpus.repaired} tags "
            f"repaired) from {corpus.path}"
            for name, corpus in self.corpora.items()
        ]
        tags = self.tagger.tags
        return [
            *data,
            *parts,
            f"tags: {len(tags)} of {tags.scheme} for {', '.join(tags.labels) or 'no label'}",
            f"parameters: {count:,}",
            f"training: up to {trainer['num_epochs']} epochs in batches of "
            f"{self.experiment.data_loader.batch_size} by {trainer['optimizer']['type']}",
            f"device: {self.tagger.device}, "
            f"{threads or self.experiment.trainer.num_threads or available_threads()} threads"
            + ("" if HAS_NUMBA else ", without numba: PyTorch's operators alone, which are slower"),
        ]


def prepare(plan: Plan) -> Prepared:
    """Reads the data of a checked config and builds its model; writes nothing.

    Raises:
        ConfigError: the device isn't there, or what a callback needs.
        DataError: a data file is at fault.
    """
    experiment: Experiment = plan()
    callbacks = CallbackList([make() for make in experiment.trainer.callbacks])
    device = choose_device(experiment.trainer.device, "trainer.device")
    corpora = {
        name: read_data(experiment, name, file) for name, file in find_files(experiment).items()
    }

    seed_everything(experiment.random_seed)
    train = corpora["train"]
    path = experiment.model.from_archive
    start = Start.read(path) if path is not None else Start()
    scheme = start.scheme or experiment.model.tag_scheme or train.scheme
    if experiment.model.tag_scheme not in (None, scheme):
        message = f"expected {scheme}, as in the archive, got {experiment.model.tag_scheme}"
        raise ConfigError([Fault("model.tag_scheme", message)])
    tags = TagSet(scheme, [*start.labels, *sorted(train.labels)])
    for name in ("validation", "test"):
        if name in corpora:
            corpora[name].report_unknown_labels(tags)
    _check_metric(experiment.trainer.validation_metric, corpora)
    augmentation = experiment.data_loader.augmentation_of(train)
    vocabularies = {
        name: Vocabulary(
            train.sentences,
            before=start.vocabularies.get(name),
            variants=augmentation.variants,
        )
        for name in experiment.model.embedders
    }
    tagger = build_tagger(experiment.model, vocabularies, tags)
    carry_over(start, tagger, vocabularies, tags)
    tagger.to(device)
    state = experiment.trainer.state_of(tagger)
    return Prepared(plan, experiment, corpora, augmentation, vocabularies, tagger, state, callbacks)


def check_alike(prepared: Prepared, hashes: dict[str, str], ranks: Ranks) -> None:
    """Refuses ranks that would not train the same model on the same data.

    Raises:
        RunError: one that has other data, or begins with other weights, than the first.
    """
    if ranks.size == 1:
        return
    weights = hashlib.sha256(tensor_bytes(prepared.tagger.state_dict())).hexdigest()
    own = {f"{name} data": value for name, value in hashes.items()} | {"first weights": weights}
    expected, *others = ranks.gather(own)
    for rank, got in enumerate(others, 1):
        for name, value in expected.items():
            if got.get(name) != value:
                raise RunError(
                    f"rank {rank}: expected the {name} of rank 0, got others: every machine needs "
                    "the same files and the same versions"
                )


def read_data(experiment: Experiment, name: str, file: Path) -> Corpus:
    """The ``train``, ``validation`` or ``test`` data; the first stays on disk if that is wanted.

    Raises:
        DataError: it isn't as declared.
    """
    is_streamed = name == "train" and experiment.data_loader.memory_map
    return read_corpus(reader_of(experiment, name), file, is_streamed=is_streamed)


def read_corpus(reader: DatasetReader, file: Path, *, is_streamed: bool = False) -> Corpus:
    """All sentences of a tagged file.

    Args:
        reader: what reads it.
        file: the file.
        is_streamed: whether they are read anew whenever they are needed, rather than kept.

    Raises:
        DataError: it isn't as declared.
    """
    sentences = StreamedSentences(partial(ask_each, "dataset_reader", reader, "read", file))
    return Corpus(
        str(file),
        sentences if is_streamed else list(sentences),
        reader.tag_scheme,
        reader.illegal_tags,
    )


def reader_of(experiment: Experiment, name: str) -> DatasetReader:
    """What reads the ``train``, ``validation`` or ``test`` data."""
    return experiment.dataset_reader if name == "train" else experiment.evaluation_reader


def find_files(experiment: Experiment) -> dict[str, Path]:
    """The files that the config's data paths mean: ``train``, ``validation``, ``test``.

    Raises:
        ConfigError: some mean no file; every one is told at once.
    """
    paths = {
        "train": experiment.train_data_path,
        "validation": experiment.validation_data_path,
        "test": experiment.test_data_path if experiment.evaluate_on_test else None,
    }
    files = {}
    faults = []
    for name, path in paths.items():
        if path is not None:
            try:
                files[name] = catalogue.find(path)
            except DataError as error:
                faults.append(Fault(f"{name}_data_path", str(error)))
    if faults:
        raise ConfigError(faults)
    return files


def _check_metric(metric: str, corpora: Mapping[str, Corpus]) -> None:
    """Refuses the F1 of a label that no data has."""
    label = metric[1:].removeprefix("f1-measure-")
    labels = {label for corpus in corpora.values() for label in corpus.labels}
    if metric[1:].startswith("f1-measure-") and label not in {"overall", *labels}:
        near = nearest(label, {"overall", *labels})
        hint = f"; did you mean 'f1-measure-{near}'?" if near else ""
        known = ", ".join(sorted(labels))
        message = f"expected overall or a label of the data ({known}), got {label!r}{hint}"
        raise ConfigError([Fault("trainer.validation_metric", message)])


def seed_everything(seed: int) -> None:
    """Begins all random numbers anew."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
