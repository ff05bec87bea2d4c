"""The dataset catalogue, and what a data path in a configuration means."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from ner_registry.errors import DataError, DownloadError


@dataclass(frozen=True)
class RemoteFile:
    """One file of a dataset.

    Attributes:
        name: its name within the dataset.
        sha256: its content's SHA-256, in hexadecimal digits.
        urls: where these very bytes are, in the order they are tried.
    """

    name: str
    sha256: str
    urls: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """A dataset that can be downloaded.

    Attributes:
        name: the first part of its files' catalogue names, as in ``conll2003/eng.train``.
        title: what it is, in one line.
        licence: under what terms it may be used, in one line.
        files: its files.
    """

    name: str
    title: str
    licence: str
    files: tuple[RemoteFile, ...]


# Other mirrors of CoNLL-2003 hold the same corpus in other bytes (IOB2 tags, no -DOCSTART-
# lines), so that scores would depend on which mirror answered.
_CONLL2003 = (
    "https://raw.githubusercontent.com/synalp/NER/"
    "c0ea07c81ec3512b5047dcd804b0ac2b10a3bdfc/corpus/CoNLL-2003/"
)
_WNUT17 = (
    "https://raw.githubusercontent.com/leondz/emerging_entities_17/"
    "e52a2d2a71ac1a051ca2d532eef28653c5c02603/"
)

DATASETS: dict[str, Dataset] = {
    "conll2003": Dataset(
        name="conll2003",
        title="CoNLL-2003 English named entities (PER, LOC, ORG, MISC) in Reuters news, IOB1",
        licence=(
            "Reuters text, for research use only, "
            "see https://trec.nist.gov/data/reuters/reuters.html"
        ),
        files=(
            RemoteFile(
                name="eng.train",
                sha256="eac0822f501353f265383ddf1edb0dcd42a1b6eefd3e383d7074db98c38eb41c",
                urls=(_CONLL2003 + "eng.train",),
            ),
            RemoteFile(
                name="eng.testa",
                sha256="aedc4ccbd1ae9795feaa0e86fe72d195b0258abed9d705b630d1c889276fac1e",
                urls=(_CONLL2003 + "eng.testa",),
            ),
            RemoteFile(
                name="eng.testb",
                sha256="0632f32c090ef31c223135b7fee3187a7cf8e65c4015c7866bb7783428cdd9a6",
                urls=(_CONLL2003 + "eng.testb",),
            ),
        ),
    ),
    "wnut17": Dataset(
        name="wnut17",
        title="WNUT-17 emerging entities (6 labels) in user-generated English, IOB2",
        licence="CC-BY 4.0, see https://github.com/leondz/emerging_entities_17",
        files=(
            RemoteFile(
                name="wnut17train.conll",
                sha256="731820e13f71af324c6b55a1575ec2ce59fbaa2a0806f8f0400b98d56cd6a7a5",
                urls=(_WNUT17 + "wnut17train.conll",),
            ),
            RemoteFile(
                name="emerging.dev.conll",
                sha256="e053b752b8155113ca66e7db08af5f2f5f43ab993694e4774f1ec5bad42312d8",
                urls=(_WNUT17 + "emerging.dev.conll",),
            ),
            RemoteFile(
                name="emerging.test.annotated",
                sha256="2aa79b764e56ec9264a1b30fdd9b70195bd00ff400b62edd8f399d5f13c178f0",
                urls=(_WNUT17 + "emerging.test.annotated",),
            ),
        ),
    ),
}

_SAMPLE = ("sample/train.conll", "sample/dev.conll", "sample/test.conll")


def cache_directory() -> Path:
    """Where downloads are kept: ``$NER_CACHE``, or ``ner_registry`` in the user's cache."""
    if own := os.environ.get("NER_CACHE"):
        return Path(own)
    if caches := os.environ.get("XDG_CACHE_HOME"):
        return Path(caches) / "ner_registry"
    return Path.home() / ".cache" / "ner_registry"


def find(path: str) -> Path:
    """The file that a data path means, downloaded if need be.

    The first of these that applies:

    1. a file, relative to the working directory;
    2. a ``http://`` or ``https://`` URL, kept in the cache once it is downloaded;
    3. ``sample/train.conll``, ``sample/dev.conll`` and ``sample/test.conll``, the corpus that
       comes with this package;
    4. a name ``dataset/file``: under ``$NER_DATA``, where it is the user's own and taken as it
       is; else, for a name of the catalogue, in the cache or, verified, from the network.

    Args:
        path: the data path, as in a configuration.

    Raises:
        DataError: it means no file; the message names near misses.
        DownloadError: the download failed, or the cached file isn't the dataset's.
        OSError: the download can't be stored.
    """
    if os.path.isdir(path):
        raise DataError(path, "expected a file, got a directory")
    if (own := _own_file(path)) is not None:
        return own
    if _is_url(path):
        return _download([path], _cached(path), None)
    name, _, file_name = path.partition("/")
    if name in DATASETS:
        for file in DATASETS[name].files:
            if file.name == file_name:
                return _fetch(DATASETS[name], file, cache_directory())
    raise DataError(path, "no such file" + _suggestion(path))


def find_here(path: str) -> Path | None:
    """The same, if it is on this machine already."""
    file = _own_file(path) or _cached(path)
    return file if file.is_file() else None


def download_dataset(name: str, directory: Path | None) -> list[Path]:
    """Have every file of a dataset on disk, and verified; those there already are kept.

    Args:
        name: the dataset's name in the catalogue.
        directory: where to put its folder ``name``, so that ``NER_DATA`` can point there. None
            is the cache, unless ``$NER_DATA`` holds the file.

    Returns:
        the files, in the catalogue's order.

    Raises:
        DownloadError: there is no such dataset, a download failed, or a file is there already
            with another content (it is left as it is).
        OSError: a file can't be read or written.
    """
    if name not in DATASETS:
        near = get_close_matches(name, DATASETS, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise DownloadError(f"no dataset {name!r}, there is {', '.join(DATASETS)}{meant}")
    from ner_registry.data.download import verify

    dataset = DATASETS[name]
    paths = []
    for file in dataset.files:
        own = _in_ner_data(f"{name}/{file.name}") if directory is None else None
        if own is not None:
            verify(own, file.sha256)
            paths.append(own)
        else:
            paths.append(_fetch(dataset, file, directory or cache_directory()))
    return paths


def _fetch(dataset: Dataset, file: RemoteFile, directory: Path) -> Path:
    return _download(
        file.urls,
        directory / dataset.name / file.name,
        file.sha256,
        hint=f"try again, or set NER_DATA to a folder that holds {dataset.name}/{file.name}",
    )


def _download(urls: Sequence[str], target: Path, sha256: str | None, *, hint: str = "") -> Path:
    # imported when it is needed, which is seldom: requests takes a fifth of a second
    from ner_registry.data.download import fetch

    return fetch(urls, target, sha256, hint=hint)


def _own_file(path: str) -> Path | None:
    """The file that a data path means, unless it is one to download."""
    if os.path.exists(path):
        return Path(path)
    if path in _SAMPLE:
        return Path(str(resources.files("ner_registry").joinpath(path)))
    return None if _is_url(path) else _in_ner_data(path)


def _cached(path: str) -> Path:
    """Where the download that a data path means is kept."""
    if _is_url(path):
        return cache_directory() / "urls" / _url_file_name(path)
    return cache_directory() / path


def _is_url(path: str) -> bool:
    return re.match("https?://", path, re.IGNORECASE) is not None


def _in_ner_data(path: str) -> Path | None:
    """The file of the name ``dataset/file`` under ``$NER_DATA``, if there is one."""
    root = os.environ.get("NER_DATA")
    name = PurePosixPath(path)
    if not root or name.is_absolute() or len(name.parts) < 2 or ".." in name.parts:
        return None
    file = os.path.join(root, name)
    return Path(file) if os.path.isfile(file) else None


def _url_file_name(url: str) -> str:
    """A file name that no other URL has, and that ends as the URL's path does."""
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    # File systems allow 255 bytes in a name, and the download adds ".part.lock".
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", last)[-100:]
    return "-".join(filter(None, (hashlib.sha256(url.encode()).hexdigest()[:16], readable)))


def _suggestion(path: str) -> str:
    """What may have been meant instead: a name of the catalogue, or a file beside ``path``."""
    known = [f"{d.name}/{file.name}" for d in DATASETS.values() for file in d.files]
    near = get_close_matches(path, [*known, *_SAMPLE], n=1)
    folder, last = os.path.split(path)
    try:
        beside = sorted(entry.name for entry in os.scandir(folder or ".") if entry.is_file())
    except (OSError, ValueError):
        beside = []
    near += [os.path.join(folder, name) for name in get_close_matches(last, beside, n=1)]
    return f"; did you mean {' or '.join(near)}?" if near else ""
