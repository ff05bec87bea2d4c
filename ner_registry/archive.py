"""A trained model on disk and back."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from threading import get_ident
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from ner_registry.build import (
    Experiment,
    build_tagger,
    parse_experiment,
    registered_modules,
)
from ner_registry.config.plan import Plan
from ner_registry.config.registry import include_flags
from ner_registry.data.files import json_bytes, tensor_bytes, write_file
from ner_registry.data.model_files import (
    ARCHIVE_NAME,
    WEIGHTS_NAME,
    read_counts,
    read_directory,
    read_model,
    read_object,
    write_model,
)
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.decoding import LEAST
from ner_registry.ensemble import AnyTagger, Ensemble
from ner_registry.errors import ArchiveError, ConfigError, NerError
from ner_registry.tagger import Tagger

_TOO_LARGE = "its config makes a model of more than its {:,} weights"
# what broken content raises on its way into the model
_MISFITS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Archive:
    """A model that was read from disk.

    Attributes:
        experiment: the run's parts.
        config: the run's config, every default written out.
        tagger: the model, ready to tag; an ensemble where it has several members.
        meta: versions, hashes and the like.
    """

    experiment: Experiment
    config: dict[str, Any]
    tagger: AnyTagger
    meta: dict[str, Any]


def write_vocabulary(directory: Path, tagger: Tagger, vocabularies: dict[str, Vocabulary]) -> None:
    """Writes what the model knows of the training data into a run's directory."""
    (directory / "vocabulary" / "embedders").mkdir(parents=True, exist_ok=True)
    tags = {"scheme": tagger.tags.scheme, "labels": tagger.tags.labels}
    write_file(directory / "vocabulary" / "tags.json", json_bytes(tags))
    for name, vocab in vocabularies.items():
        # one long line: JSON escapes whatever a symbol may hold
        content = json.dumps(vocab.counts).encode()
        write_file(directory / "vocabulary" / "embedders" / f"{name}.json", content)


def write_archive(directory: Path) -> None:
    """Packs a run's directory into its ``model.tar.gz``."""
    write_model(directory / ARCHIVE_NAME, read_directory(directory))


def write_ensemble(path: Path, directories: Sequence[Path]) -> None:
    """Packs the runs of one config that differ in their seeds into one archive.

    Raises:
        ArchiveError: they know different vocabularies or tags.
    """
    members = [read_model(directory) for directory in directories]
    first = members[0]
    for directory, member in zip(directories, members, strict=True):
        for name in first.keys() | member.keys():
            if name.startswith("vocabulary/") and first.get(name) != member.get(name):
                raise ArchiveError(f"{directory}: its {name} isn't that of {directories[0]}")
    weights = {
        f"members.{number}.{name}": tensor
        for number, member in enumerate(members)
        for name, tensor in safetensors.torch.load(member[WEIGHTS_NAME]).items()
    }
    meta = json.loads(first["meta.json"]) | {"members": len(members)}
    metas = [json.loads(member["meta.json"]) for member in members]
    meta["random_seed"] = [of_member["random_seed"] for of_member in metas]
    if "threshold" in meta:
        meta["threshold"] = fmean(of_member["threshold"] for of_member in metas)
    contents = {name: content for name, content in first.items() if name != "metrics.json"}
    contents |= {WEIGHTS_NAME: tensor_bytes(weights), "meta.json": json_bytes(meta)}
    write_model(path, contents)


def load_archive(
    path: str | Path,
    *,
    include_packages: Sequence[str] = (),
    device: torch.device | None = None,
) -> Archive:
    """Reads a model.

    Args:
        path: a ``model.tar.gz``, a run's directory, or that of several seeds.
        include_packages: packages to import for the model's parts; those that the archive
            lists are never imported by themselves.
        device: where to put the model; None: the CPU.

    Raises:
        ArchiveError: it isn't an archive, doesn't verify, or needs a package that was neither
            named nor installed as a plugin.
    """
    path = Path(path)
    contents = read_model(path)
    try:
        return _restored(path, contents, include_packages, device)
    except ConfigError as error:
        raise error.at(str(path)) from None
    except NerError:
        raise
    except _MISFITS as error:
        reason = " ".join(str(error).split())
        raise ArchiveError(f"{path}: its parts don't fit together: {reason}") from error


def parse_recorded(
    path: Path, config: dict[str, Any], meta: dict[str, Any], include_packages: Sequence[str]
) -> tuple[Plan, Experiment]:
    """Checks the config of a run once more, as one that trains nothing, and builds its parts.

    Args:
        path: where it was read, for messages.
        config: the run's.
        meta: the run's.
        include_packages: packages to import for its parts.

    Raises:
        ArchiveError: it needs a package that was neither named nor installed as a plugin.
        ConfigError: it says what this version doesn't know.
    """
    # what the config includes is for training; a model's user names packages themselves
    config = config | {"include_packages": []}
    # nobody watches it any more, and where it began is in its weights already
    for section, key, value in (("trainer", "callbacks", []), ("model", "from_archive", None)):
        if isinstance(config.get(section), dict):
            config[section] = config[section] | {key: value}
    try:
        plan = parse_experiment(config, include_packages)
        return plan, plan()
    except ConfigError as error:
        absent = [name for name in meta["packages"] if name not in sys.modules]
        if not absent or any(fault.location == "--include-package" for fault in error.faults):
            raise error.at(str(path)) from None
        raise ArchiveError(
            f"{path}: its parts come from {', '.join(absent)}, imported only if you name it: "
            f"{include_flags(absent)} ({error.faults[0]})"
        ) from None


def _restored(
    path: Path,
    contents: dict[str, bytes],
    include_packages: Sequence[str],
    device: torch.device | None,
) -> Archive:
    meta = read_object(path, contents, "meta.json")
    config = read_object(path, contents, "config.json")
    plan, experiment = parse_recorded(path, config, meta, include_packages)
    tags = read_object(path, contents, "vocabulary/tags.json")
    tag_set = TagSet(tags["scheme"], tags["labels"])
    vocabularies = {
        name: Vocabulary(counts=read_counts(path, contents, f"vocabulary/embedders/{name}.json"))
        for name in experiment.model.embedders
    }
    weights = safetensors.torch.load(contents[WEIGHTS_NAME])
    count = _count_members(weights)
    if meta.get("members", 1) != count:
        raise ValueError(f"expected the weights of {meta['members']} members, got {count}")
    if not registered_modules(plan):  # a part of somebody else's may need to compute to be built
        _check_size(experiment, vocabularies, tag_set, weights)
    members = [build_tagger(experiment.model, vocabularies, tag_set) for _ in range(count)]
    tagger: AnyTagger = Ensemble(members) if "members" in meta else members[0]
    tagger.load_state_dict(weights)
    tagger.threshold = _threshold(meta)
    return Archive(experiment, config, tagger.to(device or "cpu").eval(), meta)


def _threshold(meta: dict[str, Any]) -> float | None:
    threshold = meta.get("threshold")
    if threshold is None or (isinstance(threshold, float) and LEAST <= threshold <= 1):
        return threshold
    raise ValueError(f"expected a threshold from {LEAST} to 1 in meta.json, got {threshold!r}")


def _count_members(weights: Mapping[str, Tensor]) -> int:
    """How many taggers weights are of."""
    numbers = {name.split(".")[1] for name in weights if name.startswith("members.")}
    return max(1, len(numbers))


def _check_size(
    experiment: Experiment,
    vocabularies: Mapping[str, Vocabulary],
    tags: TagSet,
    weights: Mapping[str, Tensor],
) -> None:
    """Refuses, before it takes any memory, a model larger than the weights it is to have.

    Raises:
        ValueError: the config declares such a one.
    """
    most = sum(tensor.numel() for tensor in weights.values())
    with torch.device("meta"), _at_most(most):
        # tags of its own, since they keep the tables that are made of them
        tagger = build_tagger(experiment.model, vocabularies, TagSet(tags.scheme, tags.labels))
    if sum(parameter.numel() for parameter in tagger.parameters()) > most:
        raise ValueError(_TOO_LARGE.format(most))


@contextmanager
def _at_most(left: int) -> Iterator[None]:
    """Stops at the first parameter that makes a model larger than that.

    PyTorch calls its hook for what every thread makes.
    """
    most, thread = left, get_ident()

    def count(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal left
        if get_ident() != thread:
            return
        left -= 0 if parameter is None else parameter.numel()
        if left < 0:
            raise ValueError(_TOO_LARGE.format(most))

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()
