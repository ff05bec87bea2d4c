from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ner_registry.errors import DataError
from ner_registry.formats.files import is_coloured, opened, writer
from ner_registry.readers import ConllReader
from ner_registry.readers.base import numbered_lines


def test_packed_files_are_alike_and_read_as_plain_ones(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.conll.gz", "b.GZ")]
    for path in paths:
        with writer(path) as out:
            out.write("Jim B-PER\n" * 3)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert gzip.decompress(paths[0].read_bytes()) == b"Jim B-PER\n" * 3
    with opened(str(paths[0])) as file:
        assert list(numbered_lines(file, "a")) == [(n, "Jim B-PER") for n in (1, 2, 3)]
    assert [len(sentence) for sentence in ConllReader().read(paths[1])] == [3]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda packed: b"plain text", id="not packed"),
        pytest.param(lambda packed: packed[:15], id="cut off"),
        pytest.param(lambda packed: packed[:-8] + bytes(8), id="of another sum"),
        pytest.param(lambda packed: packed[:10] + bytes(40), id="garbled"),
    ],
)
def test_broken_files_are_told(broken: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(broken(gzip.compress(b"Jim B-PER\n" * 50)))
    with (
        pytest.raises(DataError, match=r"a\.gz: expected gzip, as it ends in \.gz, got "),
        opened(str(path)) as file,
    ):
        list(numbered_lines(file, path))


def test_a_fault_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("before", encoding="utf-8")
    with pytest.raises(TypeError), writer(path) as out:
        out.writelines(["half", None])  # type: ignore[list-item]  # it is the fault
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert path.read_text(encoding="utf-8") == "before"


def test_colour_is_for_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    leader, follower = os.openpty()
    with open(follower, "w", encoding="utf-8") as terminal, open(os.devnull, "w") as other:
        assert is_coloured(terminal)
        assert not is_coloured(other)
        monkeypatch.setenv("NO_COLOR", "1")
        assert not is_coloured(terminal)
    os.close(leader)
