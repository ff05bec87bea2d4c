"""What in a faultless config is likely not meant, and what its data files say against it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

import torch

from ner_registry.build import Experiment, build_tagger
from ner_registry.config.plan import Plan
from ner_registry.config.registry import ask_each
from ner_registry.data.corpus import check_sentence
from ner_registry.data.schemes import detect_scheme, illegal_positions
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders import TokenEmbedder
from ner_registry.errors import DataError, Fault, RunError
from ner_registry.jobs.prepare import find_files, reader_of
from ner_registry.readers import DatasetReader

HEAD = 200  # sentences of a data file that are read


def warnings(plan: Plan) -> list[Fault]:
    """What to think about again, each with the key to change; reads no data.

    Args:
        plan: a config without faults.
    """
    return [*_of_settings(plan.filled()), *_of_data(plan), *_of_parameter_groups(plan)]


def faults_of_data(plan: Plan) -> tuple[list[Fault], list[Fault]]:
    """Faults and warnings that the head of each data file shows, and pretrained files.

    Raises:
        ConfigError: a data path means no file.
    """
    experiment: Experiment = plan()
    faults: list[Fault] = []
    doubts: list[Fault] = []
    for name, file in find_files(experiment).items():
        reader = reader_of(experiment, name)
        try:
            tags = list(_tags_of(reader, file))
        except DataError as error:
            faults.append(Fault(f"{name}_data_path", str(error)))
            continue
        except RunError as error:  # of a reader of somebody else's
            faults.append(Fault("", str(error)))
            continue
        declared = reader.tag_scheme
        illegal = sum(len(illegal_positions(t, declared)) for t in tags) if declared else 0
        if declared and illegal:
            message = (
                f"{file}: {illegal} tags of its first {len(tags)} sentences can't stand where "
                f"they do in {declared}; they look like {detect_scheme(tags)}"
            )
            told = faults if reader.illegal_tags == "refuse" else doubts
            told.append(Fault("dataset_reader.tag_scheme", message))
    for name, embedder in experiment.model.embedders.items():
        assert isinstance(embedder, Plan)
        try:
            cast(type[TokenEmbedder], embedder.factory).check_files(embedder.arguments)
        except DataError as error:
            faults.append(Fault(f"model.embedders.{name}", str(error)))
    return faults, doubts


def _tags_of(reader: DatasetReader, file: Path) -> Iterator[Sequence[str]]:
    """Those of a file's first sentences.

    Raises:
        DataError: there is none, or one isn't as training needs it.
        RunError: the reader is somebody else's, and raised something.
    """
    number = -1
    read = islice(ask_each("dataset_reader", reader, "read", file), HEAD)
    for number, sentence in enumerate(read):
        check_sentence(sentence, str(file), number)
        yield sentence.tags
    if number < 0:
        raise DataError(file, "expected sentences, got none")


def _of_settings(config: dict[str, Any]) -> Iterator[Fault]:
    trainer, model = config["trainer"], config["model"]
    encoder, head = model["encoder"], model["head"]
    if not config["data_loader"]["shuffle"]:
        message = "the training data is never shuffled: true trains better"
        yield Fault("data_loader.shuffle", message)
    if encoder["type"] in ("lstm", "gru") and encoder["num_layers"] == 1 and encoder["dropout"]:
        message = "has no effect between the layers of an encoder of one: set model.dropout"
        yield Fault("model.encoder.dropout", message)
    if trainer["patience"] is not None and trainer["patience"] >= trainer["num_epochs"]:
        message = f"has no effect within num_epochs, {trainer['num_epochs']}: lower it"
        yield Fault("trainer.patience", message)
    if trainer["validation_metric"].endswith("loss") and config["validation_data_path"]:
        message = "the least loss isn't the best tagging: consider +f1-measure-overall"
        yield Fault("trainer.validation_metric", message)
    if head.get("constraints") == "off" and model["tag_scheme"] in ("IOBES", "BIOUL"):
        message = f"lets tags stand where {model['tag_scheme']} forbids them: use decoding"
        yield Fault("model.head.constraints", message)


def _of_data(plan: Plan) -> Iterator[Fault]:
    """Data that a user may believe to be looked at."""
    if plan.arguments.get("test_data_path") and "evaluate_on_test" not in plan.arguments:
        message = "isn't looked at: set evaluate_on_test to true, or to false if that is meant"
        yield Fault("test_data_path", message)
    train, validation, test = (
        plan.arguments.get(f"{name}_data_path") for name in ("train", "validation", "test")
    )
    if train == validation:
        message = "is the training data: what is learnt by heart looks best"
        yield Fault("validation_data_path", message)
    if test is not None and test in (train, validation):
        what = "training" if test == train else "validation"
        message = f"is the {what} data: its scores say nothing of other text"
        yield Fault("test_data_path", message)


def _of_parameter_groups(plan: Plan) -> Iterator[Fault]:
    """Groups that match no parameter, by a model without data, size or memory."""
    groups = plan.filled()["trainer"]["optimizer"].get("parameter_groups") or []
    if not groups:
        return
    experiment: Experiment = plan()
    vocabularies = {name: Vocabulary(counts={}) for name in experiment.model.embedders}
    tags = TagSet(experiment.model.tag_scheme or "IOB2", ["PER"])
    with torch.device("meta"):
        tagger = build_tagger(experiment.model, vocabularies, tags)
    left = [name for name, parameter in tagger.named_parameters() if parameter.requires_grad]
    for number, group in enumerate(groups):
        matching = {n for n in left if any(re.search(x, n) for x in group["parameters"])}
        if not matching:
            path = f"trainer.optimizer.parameter_groups.{number}.parameters"
            yield Fault(path, f"matches no parameter; there are: {', '.join(left)}")
        left = [name for name in left if name not in matching]
