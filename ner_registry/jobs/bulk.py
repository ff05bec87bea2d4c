"""Tags many files, a part each, by several workers."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from ner_registry.bars import progress_bar
from ner_registry.errors import NerError, PartsError, RunError
from ner_registry.jobs.locks import locked
from ner_registry.jobs.manifest import check_manifest, describe, write_manifest
from ner_registry.jobs.parts import Part, PartTagger, clear_traces, find_parts
from ner_registry.jobs.predict import PredictSettings

logger = logging.getLogger(__name__)

EngineName = Literal["processes", "ray"]
Engine = Callable[[PartTagger, Sequence[Part], int], Generator[tuple[Part, NerError | None]]]


def predict_parts(
    archive: str,
    inputs: Sequence[str],
    directory: Path,
    settings: PredictSettings,
    *,
    include_packages: Sequence[str] = (),
    device: str = "auto",
    workers: int = 1,
    engine: EngineName = "processes",
) -> None:
    """Tags files, each to a file in a directory, named alike, that is there when it is whole.

    Parts that are there are done already. Each worker computes on one thread, so that no byte
    depends on how many there are.

    Args:
        archive: a ``model.tar.gz`` or a run's directory.
        inputs: files, or patterns of their names.
        directory: where to write; made if need be.
        settings: what is read and written.
        include_packages: packages to import for the model's parts.
        device: as in ``trainer.device``.
        workers: how many tag at once.
        engine: what they are: processes of this machine, or actors of a Ray cluster, whose nodes
            all see the files under the same names.

    Raises:
        PartsError: of some inputs; the others are done.
        NerError: the archive or the directory is at fault.
    """
    parts = find_parts(inputs, directory, settings.output_format)
    made_with = describe(archive, settings, device)
    check_manifest(directory, made_with)
    run = _engine(engine)
    directory.mkdir(parents=True, exist_ok=True)
    with locked(directory):
        check_manifest(directory, made_with)  # another may have just begun, and ended
        write_manifest(directory, made_with)
        clear_traces(directory)
        try:
            tagger = PartTagger(archive, settings, tuple(include_packages), device)
            faults = _tag(run, tagger, parts, _missing(parts, directory), workers)
        except (KeyboardInterrupt, OSError, RunError):
            done = len(parts) - len(_missing(parts, directory))
            logger.warning("%d of %d parts are done: the same command goes on", done, len(parts))
            raise
        finally:
            clear_traces(directory)
    if faults:
        raise PartsError([faults[part] for part in parts if part in faults])


def _engine(name: EngineName) -> Engine:
    if name == "ray":
        from ner_registry.jobs.ray_actors import tag_by_actors

        return tag_by_actors
    from ner_registry.jobs.processes import tag_by_processes

    return tag_by_processes


def _missing(parts: Sequence[Part], directory: Path) -> list[Part]:
    """Those that aren't done."""
    done = set(os.listdir(directory))
    return [part for part in parts if part.target.name not in done]


def _tag(
    run: Engine,
    tagger: PartTagger,
    parts: Sequence[Part],
    missing: Sequence[Part],
    workers: int,
) -> dict[Part, NerError]:
    """What is wrong with the parts that couldn't be tagged."""
    done = len(parts) - len(missing)
    with closing(run(tagger, missing, workers)) as outcomes:
        bar = progress_bar(outcomes, "tagging", len(parts), initial=done, unit=" parts")
        return {part: fault for part, fault in bar if fault is not None}
