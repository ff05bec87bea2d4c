"""Going on from a trained model with other data."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from ner_registry.data.model_files import WEIGHTS_NAME, read_counts, read_model, read_object
from ner_registry.data.schemes import TagScheme
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.errors import ArchiveError, ConfigError, Fault

logger = logging.getLogger(__name__)

_PATH = "model.from_archive"


@dataclass(frozen=True)
class Start:
    """What a model knows before it sees the training data.

    Attributes:
        scheme: the tag scheme that it works in; None: not decided.
        labels: those that it can find, in their order.
        vocabularies: of each embedder by name, the symbols and their counts.
        weights: by the names of the model's state.
    """

    scheme: TagScheme | None = None
    labels: list[str] = field(default_factory=list)
    vocabularies: dict[str, dict[str, int]] = field(default_factory=dict)
    weights: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str) -> Start:
        """What is in an archive.

        Raises:
            ConfigError: it can't be gone on from.
        """
        try:
            return cls._of(path, read_model(path))
        except ArchiveError as error:
            raise ConfigError([Fault(_PATH, str(error))]) from None

    @classmethod
    def _of(cls, path: str, contents: Mapping[str, bytes]) -> Start:
        if "members" in read_object(path, contents, "meta.json"):
            message = f"{path}: expected one model, got an ensemble: name the run of one seed"
            raise ArchiveError(message)
        tags = read_object(path, contents, "vocabulary/tags.json")
        scheme, labels = tags.get("scheme"), tags.get("labels")
        if (
            scheme not in get_args(TagScheme)
            or not isinstance(labels, list)
            or not all(isinstance(label, str) for label in labels)
        ):
            raise ArchiveError(f"{path}: expected a scheme and labels in vocabulary/tags.json")
        prefix = "vocabulary/embedders/"
        vocabularies = {
            name.removeprefix(prefix).removesuffix(".json"): read_counts(path, contents, name)
            for name in contents
            if name.startswith(prefix)
        }
        try:
            weights = safetensors.torch.load(contents[WEIGHTS_NAME])
        except (SafetensorError, ValueError) as error:
            raise ArchiveError(f"{path}: {WEIGHTS_NAME}: {error}") from None
        return cls(scheme, labels, vocabularies, weights)


def carry_over(
    start: Start, model: nn.Module, vocabularies: Mapping[str, Vocabulary], tags: TagSet
) -> None:
    """Copies weights into a model that may know more words and tags than theirs did.

    What is new stands after what was there before, so that the old weights are the first rows
    of the new ones (and, between tags, the first columns).

    Args:
        start: what there was before.
        model: the model.
        vocabularies: of its embedders.
        tags: its tags.

    Raises:
        ConfigError: a weight isn't there, or isn't of the same shape but for new rows.
    """
    weights, state = start.weights, model.state_dict()
    # what may have grown, from and to how many
    growth = {
        f"embedders.{name}.": (len(Vocabulary(counts=known)), len(vocabularies[name]))
        for name, known in start.vocabularies.items()
        if name in vocabularies
    }
    growth["head."] = (len(TagSet(tags.scheme, start.labels)), len(tags))
    faults = []
    for name, old in weights.items():
        new = state.get(name)
        if new is None or not _fits(old.shape, new.shape, _growth_of(name, growth)):
            got = "none" if new is None else f"{tuple(new.shape)}"
            message = (
                f"expected {name} of shape {tuple(old.shape)} as in the archive, got {got}: "
                "leave its model's parts as they are"
            )
            faults.append(Fault(_PATH, message))
            continue
        with torch.no_grad():
            new[tuple(slice(size) for size in old.shape)] = old
    if faults:
        raise ConfigError(faults)
    if weights and (fresh := sorted(state.keys() - weights.keys())):
        logger.info("%s: not in the archive, and so from nothing: %s", _PATH, ", ".join(fresh))


def _growth_of(name: str, growth: Mapping[str, tuple[int, int]]) -> tuple[int, int] | None:
    return next((pair for prefix, pair in growth.items() if name.startswith(prefix)), None)


def _fits(old: torch.Size, new: torch.Size, growth: tuple[int, int] | None) -> bool:
    """Whether nothing differs but what counts words, or tags."""
    return len(old) == len(new) and all(
        a == b or (a, b) == growth for a, b in zip(old, new, strict=True)
    )
