"""The parts of a bulk of text: files to tag, each with where what is found in it goes."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ner_registry.bars import silenced
from ner_registry.errors import DataError, NerError, RunError
from ner_registry.formats import renamed
from ner_registry.formats.files import STDIO, check_readable
from ner_registry.jobs.predict import PredictSettings, tag_file
from ner_registry.predictor import load

MOST_TRIES = 3
_ASIDE = "*.part"
_TRIES = ".*.tries"


class Part(NamedTuple):
    """A file to tag, and the file that is there when, and only when, it is done."""

    source: str
    target: Path


TagPart = Callable[[Part], NerError | None]


@dataclass(frozen=True)
class PartTagger:
    """What every worker does: loads the model, then tags parts with it.

    Attributes:
        archive: a ``model.tar.gz`` or a run's directory.
        settings: what is read and written.
        include_packages: packages to import for the model's parts.
        device: as in ``trainer.device``.
    """

    archive: str
    settings: PredictSettings
    include_packages: Sequence[str]
    device: str

    def load(self) -> TagPart:
        """Loads the model; gives what tags a part with it, or tells what is wrong with the part.

        Raises:
            ArchiveError: the model can't be read.
        """
        predictor = load(self.archive, include_packages=self.include_packages, device=self.device)

        def tag(part: Part) -> NerError | None:
            if part.target.exists():  # by a worker that was killed before it said so
                return None
            with _Tries(part) as tries:
                if tries.count > MOST_TRIES:
                    return RunError(
                        f"{part.source}: its worker was killed {MOST_TRIES} times, perhaps for "
                        "want of memory: fewer --workers or a smaller --batch-size need less"
                    )
                try:
                    with silenced(True):
                        tag_file(predictor, part.source, part.target, self.settings)
                except NerError as fault:
                    return fault
            return None

        return tag


class _Tries:
    """Counts how often a part was begun and not ended, in a file, whoever dies meanwhile."""

    def __init__(self, part: Part) -> None:
        self._path = part.target.with_name(f".{part.target.name}.tries")
        self.count = 0

    def __enter__(self) -> _Tries:
        with open(self._path, "ab") as file:
            file.write(b".")
        self.count = self._path.stat().st_size
        return self

    def __exit__(self, *raised: object) -> None:
        self._path.unlink(missing_ok=True)


def find_parts(inputs: Sequence[str], directory: Path, output_format: str) -> list[Part]:
    """The parts that inputs name, each a file or a pattern, in their order.

    Raises:
        NerError: a file isn't there, two would be written to one, or one over itself.
    """
    sources = list(dict.fromkeys(source for given in inputs for source in _matching(given)))
    originals = {Path(source).resolve() for source in sources}
    taken: dict[Path, str] = {}
    for source in sources:
        target = directory / renamed(Path(source).name, output_format)
        if target in taken:
            raise NerError(
                f"{source}: its output would be {target}, and so would {taken[target]}'s"
            )
        if target.resolve() in originals:
            raise NerError(f"{source}: its output would be {target}, which is an input")
        taken[target] = source
    return [Part(source, target) for target, source in taken.items()]


def _matching(given: str) -> Iterator[str]:
    if given == STDIO:
        raise NerError("--output-dir: expected files to tag, got -")
    if Path(given).exists() or not glob.has_magic(given):
        check_readable(given)
        yield given
        return
    found = [path for path in glob.glob(given, recursive=True) if Path(path).is_file()]
    if not found:
        raise DataError(given, "expected files to read, got none of such a name")
    yield from sorted(found)


def clear_traces(directory: Path) -> None:
    """Removes what killed workers left."""
    for pattern in (_ASIDE, _TRIES):
        for path in directory.glob(pattern):
            path.unlink(missing_ok=True)
