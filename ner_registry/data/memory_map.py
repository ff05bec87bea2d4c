"""Indexed corpora on disk, made once and shared by whoever trains on them."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from torch import Tensor

from ner_registry.data.arrays import Arrays, ArraysInFiles, DamagedArraysError, map_arrays
from ner_registry.data.catalogue import cache_directory
from ner_registry.data.locks import only_one
from ner_registry.errors import RunError

logger = logging.getLogger(__name__)


def open_or_build(key: str, build: Callable[[Arrays], None]) -> dict[str, Tensor]:
    """The arrays of a key, mapped into memory; built if they aren't in the cache.

    They are built aside, by one process while others wait, and have their name when they are
    whole. Damaged ones are built again.

    Args:
        key: a name for all that decides what is in them.
        build: puts them together.

    Raises:
        RunError: they can't be written.
    """
    directory = cache_directory() / "indexed" / key
    try:
        return map_arrays(directory)
    except (OSError, DamagedArraysError):
        pass  # told below, where nobody else is at work on them
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with only_one(directory.with_name(f"{key}.lock")):
            return _open_or_build(directory, build)
    except OSError as error:
        raise RunError(
            f"{error.filename or directory}: the indexed corpus can't be kept there: "
            f"{error.strerror}: set NER_CACHE to another folder, or data_loader.memory_map to false"
        ) from error


def _open_or_build(directory: Path, build: Callable[[Arrays], None]) -> dict[str, Tensor]:
    try:
        return map_arrays(directory)
    except FileNotFoundError:
        logger.info("%s: indexing the training data, for this run and others", directory)
    except DamagedArraysError as error:
        logger.warning("%s: %s: it is built again", directory, error)
        shutil.rmtree(directory)
    aside = directory.with_name(f"{directory.name}.part")
    shutil.rmtree(aside, ignore_errors=True)  # of whoever was stopped
    aside.mkdir()
    try:
        with closing(ArraysInFiles(aside)) as arrays:
            build(arrays)
            arrays.finish()
        os.replace(aside, directory)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return map_arrays(directory)
