from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest

from ner_registry.cli import main


@pytest.fixture
def convert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, code: int = 0) -> None:
        assert main(["convert", *arguments, "--quiet"]) == code

    return run


def test_schemes_and_back_leave_the_sample_as_it_was(convert: Any, root: Path) -> None:
    source = root / "ner_registry" / "sample" / "dev.conll"
    convert(str(source), "a.conll", "--tag-scheme", "BIOUL")
    convert("a.conll", "b.conll.gz", "--tag-scheme", "IOB2")
    convert("b.conll.gz", "c.conll", "--tag-scheme", "IOB1")
    assert Path("c.conll").read_bytes() == source.read_bytes()
    tags = {line.split()[-1][0] for line in Path("a.conll").read_text().splitlines() if line}
    assert tags == set("BIOUL")


def test_the_real_corpus_comes_back(convert: Any, conll2003: Path) -> None:
    convert(str(conll2003 / "eng.testa"), "a", "--tag-scheme", "IOBES")
    convert("a", "b", "--tag-scheme", "IOB1")
    # but for a second blank line at its end
    assert Path("b").read_bytes() + b"\n" == (conll2003 / "eng.testa").read_bytes()


def test_labelled_texts_to_train_on(convert: Any) -> None:
    row = {"text": "Jim left. Bo Li too.", "label": [[0, 3, "PER"], [10, 15, "PER"]]}
    Path("in.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    convert("in.jsonl", "out.conll", "--input-format", "doccano", "--tag-scheme", "IOBES")
    assert Path("out.conll").read_text(encoding="utf-8") == (
        "Jim S-PER\nleft O\n. O\n\nBo B-PER\nLi E-PER\ntoo O\n. O\n\n"
    )
    convert("in.jsonl", "out.jsonl.gz", "--input-format", "doccano")
    lines = gzip.decompress(Path("out.jsonl.gz").read_bytes()).decode().splitlines()
    assert [json.loads(line)["entities"] for line in lines] == [
        [{"label": "PER", "start": 0, "end": 1, "start_char": 0, "end_char": 3, "text": "Jim"}],
        [{"label": "PER", "start": 0, "end": 2, "start_char": 10, "end_char": 15, "text": "Bo Li"}],
    ]
    convert("out.jsonl.gz", "again.jsonl", "--output-format", "doccano")
    assert json.loads(Path("again.jsonl").read_bytes()) == row


def test_tags_that_are_repaired_are_counted(
    convert: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("in.conll").write_text("Jim B-PER\nLi I-PER\n\nOslo I-LOC\nis O\n", encoding="utf-8")
    convert("in.conll", "out.conll")
    assert Path("out.conll").read_text(encoding="utf-8") == (
        "Jim B-PER\nLi I-PER\n\nOslo B-LOC\nis O\n\n"
    )
    assert capsys.readouterr().err == (
        "warning: in.conll:4: 1 tags can't stand where they do in IOB2 and are read as conlleval "
        "does, the first is I-LOC after the beginning (lines 4)\n"
    )


def test_pipes(
    convert: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Jim B-PER\nleft O\n")))
    convert("-", "-", "--input-format", "conll")
    assert json.loads(capsys.readouterr().out)["tags"] == ["B-PER", "O"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Jim left.\n")))
    convert("-", "-", "--output-format", "conll")
    assert capsys.readouterr().out == "Jim O\nleft O\n. O\n\n"


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (
            '{"text": "Jim", "label": []}\n{"text": "Jims", "label": [[0, 3, "PER"]]}\n',
            ("in", "out.conll", "--input-format", "doccano"),
            "in:2: expected a span on the borders of tokens, got 'Jim' (PER, 0 to 3); the tokens "
            "there: 'Jims'",
        ),
        (
            "Jim PER\n",
            ("in", "out.conll"),
            "in:1: expected a tag such as O, B-PER or I-PER, got 'PER'",
        ),
        (
            '{"words": ["New York"], "tags": ["O"]}\n',
            ("in", "out.conll", "--input-format", "jsonl"),
            "in:1: 'New York' holds white space, which CoNLL columns can't: use jsonl",
        ),
        (
            "Jim O\n",
            ("in", "out.html", "--tag-scheme", "IOB1"),
            "--tag-scheme: expected jsonl or conll to write, got html",
        ),
        (
            "",
            ("page.html", "out.conll"),
            "page.html: expected one of text, jsonl, conll, doccano, prodigy to read, got html",
        ),
        (
            '{"text": "Jim", "label": []}\n',
            ("in", "out.conll", "--input-format", "jsonl"),
            "in:1: expected the keys words and tags, got 'label': try --input-format doccano",
        ),
        (
            "Jim O\n",
            ("in", "in"),
            "in: expected a file to write, got one that is used already",
        ),
        ("", ("nope", "out.conll"), "nope: expected a file to read, got no such file"),
        ("", ("in", "."), ".: expected a file to write, got a directory"),
    ],
)
def test_what_is_refused_leaves_nothing(
    content: str,
    arguments: tuple[str, ...],
    message: str,
    convert: Any,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("in").write_text(content, encoding="utf-8")
    convert(*arguments, code=2)
    assert capsys.readouterr().err.splitlines() == [message]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
