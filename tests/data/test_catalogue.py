"""What a data path means, and the datasets that can be downloaded."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ner_registry.data import catalogue
from ner_registry.data.catalogue import (
    DATASETS,
    Dataset,
    RemoteFile,
    cache_directory,
    download_dataset,
    find,
    find_here,
)
from ner_registry.errors import DataError, DownloadError

REAL_DATA = os.environ.get("NER_DATA") or Path(__file__).parents[3] / "shared" / "data"
TRAIN = b"U.N. NNP I-NP I-ORG\n\n"
TEST = b"Paris NNP I-NP I-LOC\n\n"


class Web:
    """A folder served over HTTP on the loopback interface."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[str] = []
        requests = self.requests

        class Handler(SimpleHTTPRequestHandler):
            def log_message(self, *args: Any) -> None:
                requests.append(self.path)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
        self.root = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory, an empty cache, no data of the user's."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("NER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NER_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server with a dataset ``toy``, which is in the catalogue."""
    folder = tmp_path / "web"
    folder.mkdir()
    web = Web(folder)
    files = []
    for name, content in (("toy.train", TRAIN), ("toy.test", TEST)):
        (folder / name).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        files.append(RemoteFile(name, sha256, (f"{web.root}/{name}",)))
    monkeypatch.setitem(DATASETS, "toy", Dataset("toy", "Toy", "None", tuple(files)))
    yield web
    web.close()


def user_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: bytes) -> Path:
    """``$NER_DATA`` with one file in it."""
    file = tmp_path / "data" / "own" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(text)
    monkeypatch.setenv("NER_DATA", str(tmp_path / "data" / "own"))
    return file


def fault(path: str) -> str:
    with pytest.raises(DataError) as caught:
        find(path)
    (line,) = caught.value.lines()
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


def test_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_directory() == tmp_path / "cache"
    monkeypatch.delenv("NER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "ner_registry"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert cache_directory() == tmp_path / ".cache" / "ner_registry"


def test_a_file_is_itself_whatever_else_has_its_name(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_data(tmp_path, monkeypatch, "toy/toy.train", b"own")
    Path("toy").mkdir()
    Path("toy/toy.train").write_bytes(b"here")
    assert find("toy/toy.train") == Path("toy/toy.train")
    absolute = str(tmp_path / "work" / "toy" / "toy.train")
    assert find(absolute) == Path(absolute)
    assert web.requests == []


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no /dev/null here")
def test_a_file_need_not_be_a_regular_one() -> None:
    assert find("/dev/null") == Path("/dev/null")


def test_a_directory_is_a_fault(tmp_path: Path) -> None:
    assert fault(str(tmp_path)) == "expected a file, got a directory"
    assert fault(".") == "expected a file, got a directory"


def test_a_url_is_fetched_once(web: Web, tmp_path: Path) -> None:
    path = find(f"{web.root}/toy.train")
    assert path.read_bytes() == TRAIN
    assert path.is_relative_to(tmp_path / "cache")
    assert path.name.endswith("-toy.train")
    assert find(f"{web.root}/toy.train") == path
    assert web.requests == ["/toy.train"]


def test_urls_that_end_alike_are_kept_apart(web: Web) -> None:
    other = web.folder / "other"
    other.mkdir()
    (other / "toy.train").write_bytes(b"other")
    assert find(f"{web.root}/toy.train").read_bytes() == TRAIN
    assert find(f"{web.root}/other/toy.train").read_bytes() == b"other"
    assert find(f"{web.root}/toy.train?version=2").name != find(f"{web.root}/toy.train").name


@pytest.mark.parametrize(
    "tail", ["%2e%2e%2f%2e%2e%2fx", "", "?a=b", "a%00b", "ä" * 200, "a" * 300, "x%0ay"]
)
def test_any_url_has_a_safe_name_in_the_cache(tail: str) -> None:
    name = catalogue._url_file_name(f"http://127.0.0.1/data/{tail}")
    assert len(name) <= 117
    assert name[:16].isalnum()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")


def test_a_url_that_fails_is_named(web: Web) -> None:
    with pytest.raises(DownloadError, match=f"{web.root}/missing.conll: .* 404"):
        find(f"{web.root}/missing.conll")


@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_the_sample_comes_with_the_package(part: str) -> None:
    path = find(f"sample/{part}.conll")
    assert path.is_absolute()
    assert path.parts[-3:] == ("ner_registry", "sample", f"{part}.conll")


def test_a_name_is_downloaded_into_the_cache_once(web: Web, tmp_path: Path) -> None:
    path = find("toy/toy.train")
    assert path == tmp_path / "cache" / "toy" / "toy.train"
    assert path.read_bytes() == TRAIN
    assert find("toy/toy.train") == path
    assert web.requests == ["/toy.train"]


def test_what_is_here_already_is_found_without_the_network(web: Web, tmp_path: Path) -> None:
    for number, path in enumerate((f"{web.root}/toy.train", "toy/toy.train")):
        assert find_here(path) is None
        assert len(web.requests) == number
        found = find(path)
        assert find_here(path) == found
    assert find_here("sample/dev.conll") == find("sample/dev.conll")
    for path in ("nowhere.conll", "toy/nothing", str(tmp_path)):
        assert find_here(path) is None


def test_the_users_own_data_is_taken_as_it_is(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find("toy/toy.train")
    own = user_data(tmp_path, monkeypatch, "toy/toy.train", b"own")
    assert find("toy/toy.train") == own
    assert find("toy/toy.test") == tmp_path / "cache" / "toy" / "toy.test"


def test_names_beyond_the_catalogue_are_found_in_the_users_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = user_data(tmp_path, monkeypatch, "wnut17/train.conll", b"own")
    (tmp_path / "data" / "own" / "single").touch()
    (tmp_path / "data" / "secret").touch()
    assert find("wnut17/train.conll") == own
    assert fault("single") == "no such file"
    assert fault("../secret") == "no such file"
    assert fault("wnut17/../../secret") == "no such file"
    assert fault("wnut17/") == "no such file"


def test_a_cached_file_that_was_altered_is_told(web: Web) -> None:
    find("toy/toy.train").write_bytes(b"altered")
    with pytest.raises(DownloadError, match=r"toy.train: expected SHA-256 .*, got "):
        find("toy/toy.train")


def test_a_download_that_fails_says_what_to_do(web: Web) -> None:
    (web.folder / "toy.train").unlink()
    with pytest.raises(
        DownloadError, match=r"404.*set NER_DATA to a folder that holds toy/toy.train$"
    ):
        find("toy/toy.train")


def test_a_near_miss_is_suggested() -> None:
    assert fault("conll2003/eng.tran") == "no such file; did you mean conll2003/eng.train?"
    assert fault("eng.testb") == "no such file; did you mean conll2003/eng.testb?"
    assert fault("conll2003") == "no such file; did you mean conll2003/eng.train?"
    assert fault("samples/dev.conll") == "no such file; did you mean sample/dev.conll?"
    assert fault("somewhere/else.txt") == "no such file"
    assert fault("") == "no such file"
    assert fault("a\0b/c") == "no such file"
    assert fault("x" * 5000) == "no such file"


def test_a_near_miss_beside_the_path_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "work" / "reviews.jsonl").touch()
    (tmp_path / "work" / "reviews.d").mkdir()
    assert fault("review.jsonl") == "no such file; did you mean reviews.jsonl?"
    wrong, right = tmp_path / "work" / "review.jsonl", tmp_path / "work" / "reviews.jsonl"
    assert fault(str(wrong)) == f"no such file; did you mean {right}?"


def test_a_dataset_is_downloaded_once(web: Web, tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "toy"
    paths = download_dataset("toy", None)
    assert paths == [folder / "toy.train", folder / "toy.test"]
    assert [path.read_bytes() for path in paths] == [TRAIN, TEST]
    assert download_dataset("toy", None) == paths
    assert web.requests == ["/toy.train", "/toy.test"]


def test_a_dataset_is_downloaded_to_where_ner_data_can_point(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = download_dataset("toy", tmp_path / "elsewhere")
    assert paths == [tmp_path / "elsewhere" / "toy" / name for name in ("toy.train", "toy.test")]
    monkeypatch.setenv("NER_DATA", str(tmp_path / "elsewhere"))
    assert find("toy/toy.train") == paths[0]
    assert len(web.requests) == 2


def test_a_present_file_with_another_content_is_told_and_left(web: Web, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "toy" / "toy.test"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"mine")
    with pytest.raises(DownloadError, match=r"toy.test: expected SHA-256 .* left as it is"):
        download_dataset("toy", tmp_path / "elsewhere")
    assert file.read_bytes() == b"mine"
    assert (file.parent / "toy.train").read_bytes() == TRAIN


def test_what_the_user_has_is_not_downloaded_again(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = user_data(tmp_path, monkeypatch, "toy/toy.train", TRAIN)
    assert download_dataset("toy", None) == [own, tmp_path / "cache" / "toy" / "toy.test"]
    assert web.requests == ["/toy.test"]
    own.write_bytes(b"mine")
    with pytest.raises(DownloadError, match=r"own.toy.toy.train: expected SHA-256"):
        download_dataset("toy", None)
    assert own.read_bytes() == b"mine"
    assert download_dataset("toy", tmp_path / "new")[0].read_bytes() == TRAIN


def test_an_unknown_dataset_is_told() -> None:
    with pytest.raises(DownloadError, match=r"no dataset 'conl2003', .*did you mean conll2003?"):
        download_dataset("conl2003", None)
    with pytest.raises(DownloadError, match=r"no dataset 'xyz', there is conll2003, wnut17$"):
        download_dataset("xyz", None)


def test_the_catalogue_is_in_order() -> None:
    for name, dataset in DATASETS.items():
        assert dataset.name == name
        for file in dataset.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert all(url.startswith("https://") for url in file.urls)


def test_the_catalogue_knows_the_real_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    data = Path(REAL_DATA)
    if not (data / "conll2003" / "eng.train").exists():
        pytest.skip("CoNLL-2003 is neither in $NER_DATA nor in ../shared/data")
    monkeypatch.setenv("NER_DATA", str(data))
    assert [path.name for path in download_dataset("conll2003", None)] == [
        "eng.train",
        "eng.testa",
        "eng.testb",
    ]
