from __future__ import annotations

import gzip
import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import ner_registry as nr
from ner_registry.cli import main
from ner_registry.data.schemes import Span, spans_to_tags
from ner_registry.data.sentence import Sentence
from ner_registry.jobs.convert import convert
from ner_registry.nn.threads import computing
from ner_registry.readers import ConllReader


@pytest.fixture
def predict(run_directory: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> str:
        assert main(["predict", str(run_directory), *arguments, "--quiet"]) == 0
        return capsys.readouterr().out

    return run


def test_plain_text(predict: Any, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("Ann didn't win. Bo did!\n\nOslo\u00a0won.\n", encoding="utf-8")
    first, second, third = map(json.loads, predict(str(path)).splitlines())
    assert first["words"] == ["Ann", "did", "n't", "win", "."]
    assert (first["text"], first["record"]) == ("Ann didn't win. Bo did!", 0)
    assert second["words"] == ["Bo", "did", "!"]
    assert (third["words"], third["record"]) == (["Oslo", "won", "."], 2)
    for prediction in (first, second, third):
        for entity in prediction["entities"]:
            assert prediction["text"][entity["start_char"] : entity["end_char"]] == entity["text"]


def test_threads_change_no_byte(run_directory: Path, root: Path) -> None:
    predictor = nr.load(run_directory)
    sentences = list(ConllReader().read(root / "ner_registry" / "sample" / "test.conll"))
    records = []
    for threads in (1, 2, 3):
        with computing(predictor.tagger, threads):
            records.append(list(predictor.predict(sentences, batch_size=8)))
    assert records[0] == records[1] == records[2]
    assert any(record["entities"] for record in records[0])


def test_stdin_is_text(predict: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"Ann left.\n"))
    monkeypatch.setattr("sys.stdin", stdin)
    assert json.loads(predict())["words"] == ["Ann", "left", "."]


@pytest.mark.parametrize(
    ("line", "flags", "is_doubted"),
    [
        ('{"words": ["Ann"]}', [], True),
        ('{"words": ["Ann"]}', ["--input-format", "text"], False),
        ("{Ann} left.", [], False),
        ("[1]", [], False),
    ],
)
def test_json_that_is_read_as_text_is_told_of(
    line: str,
    flags: list[str],
    is_doubted: bool,
    predict: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{line}\n{line}\n".encode())))
    predict(*flags)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    expected = "stdin: its first line is JSON, and is read as plain text: --input-format jsonl"
    assert warnings == [expected] * is_doubted


@pytest.mark.parametrize(
    ("line", "is_doubted"),
    [("EU B-ORG", True), ("-DOCSTART- -X- O", True), ("EU", False), ("EU rejects it.", False)],
)
def test_columns_that_are_read_as_text_are_told_of(
    line: str, is_doubted: bool, predict: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "in.txt"
    path.write_text(f"{line}\n", encoding="utf-8")
    predict(str(path))
    convert(str(path), str(tmp_path / "out.jsonl"))
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    expected = (
        f"{path}: its first line ends in a tag, as of CoNLL columns, and is read as plain text: "
        "--input-format conll"
    )
    assert warnings == [expected] * 2 * is_doubted


def test_records(predict: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(
        '{"words": ["Ann", "left", "."], "id": 1}\n{"sentence": "Ann left. Bo too."}\n'
        '{"text": "Ann left. Bo too.", "tags": "mine"}\n{"tokens": []}\n',
        encoding="utf-8",
    )
    words, sentence, first, second, empty = map(json.loads, predict(str(path)).splitlines())
    assert words["id"] == 1
    assert all("start_char" not in entity for entity in words["entities"])
    assert len(sentence["words"]) == 6
    assert (first["record"], second["record"]) == (2, 2)
    assert isinstance(first["tags"], list)
    assert empty == {"words": [], "tags": [], "entities": []}


def test_conll_in_and_out(predict: Any, root: Path, tmp_path: Path) -> None:
    source = root / "ner_registry" / "sample" / "test.conll"
    out = tmp_path / "out.conll"
    assert predict(str(source), "--output-format", "conll", "--output-file", str(out)) == ""
    rows = [line.split(" ") for line in out.read_text(encoding="utf-8").splitlines() if line]
    words = [line.split(" ")[0] for line in source.read_text(encoding="utf-8").splitlines() if line]
    assert [row[0] for row in rows] == [word for word in words if word != "-DOCSTART-"]
    tokens_only = tmp_path / "tokens.conll"
    tokens_only.write_text("\n".join(["Ann", "left", "", "Bo", ""]), encoding="utf-8")
    assert len(predict(str(tokens_only)).splitlines()) == 2


def test_columns_are_kept(predict: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.conll"
    path.write_text("-DOCSTART- -X- O\n\nAnn NNP B-LOC\nleft VBD O\n", encoding="utf-8")
    rows = [line.split(" ") for line in predict(str(path), "--output-format", "conll").split("\n")]
    assert [row[:3] for row in rows[:2]] == [["Ann", "NNP", "B-LOC"], ["left", "VBD", "O"]]
    assert [len(row) for row in rows] == [4, 4, 1, 1]


def test_packed_in_and_out(predict: Any, tmp_path: Path) -> None:
    path, out = tmp_path / "in.txt.gz", tmp_path / "out.gz"
    path.write_bytes(gzip.compress(b"Ann left.\n"))
    predict(str(path), "--output-file", str(out))
    assert json.loads(gzip.decompress(out.read_bytes()))["words"] == ["Ann", "left", "."]


TEXT = "It rained in Hartlow. They left Hartlow."


@pytest.mark.parametrize("form", ["doccano", "prodigy"])
def test_texts_to_label(form: str, predict: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    rows = [{"text": TEXT, "id": 1}, {"text": "", "id": 2}, {"text": "Hartlow", "id": 3}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = predict(str(path), "--input-format", form, "--output-format", form)
    first, second, third = map(json.loads, found.splitlines())
    assert [(row["text"], row["id"]) for row in (first, second, third)] == [
        (row["text"], row["id"]) for row in rows
    ]
    if form == "doccano":
        assert first["label"] == [[13, 20, "LOC"], [32, 39, "LOC"]]
        assert second["label"] == []
    else:
        assert [(s["start"], s["token_start"]) for s in first["spans"]] == [(13, 3), (32, 7)]
        assert all(0 < span["score"] <= 1 for span in first["spans"])


def test_a_page_of_a_text(predict: Any, tmp_path: Path) -> None:
    path, page = tmp_path / "text.txt", tmp_path / "page.html"
    path.write_text(f"{TEXT}\n", encoding="utf-8")
    predict(str(path), "--output-format", "html", "--output-file", str(page))
    content = page.read_text(encoding="utf-8")
    assert content.count("<p>") == 1
    assert content.count(">Hartlow<b>LOC</b></mark>") == 2


def test_a_file_of_another_ending(
    predict: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, page = tmp_path / "text.txt", tmp_path / "page.html"
    path.write_text(f"{TEXT}\n", encoding="utf-8")
    predict(str(path), "--output-file", str(page))
    assert f"{page}: will be JSONL: --output-format html" in caplog.messages
    lines = page.read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0])["words"][0] == TEXT.split()[0]


def test_a_threshold(predict: Any, root: Path) -> None:
    source = str(root / "ner_registry" / "sample" / "test.conll")
    plain = [json.loads(line) for line in predict(source).splitlines()]
    scores = sorted(entity["score"] for record in plain for entity in record["entities"])
    middle = scores[len(scores) // 2]
    found = [json.loads(line) for line in predict(source, "--threshold", repr(middle)).splitlines()]
    assert sum(len(record["entities"]) for record in found) == sum(s >= middle for s in scores)
    for record, before in zip(found, plain, strict=True):
        kept = [entity for entity in before["entities"] if entity["score"] >= middle]
        assert record["entities"] == kept
        spans = [Span(e["label"], e["start"], e["end"]) for e in kept]
        assert record["tags"] == spans_to_tags(spans, len(record["words"]), "IOB2")


def test_the_best_taggings(predict: Any, root: Path, tmp_path: Path) -> None:
    source = str(root / "ner_registry" / "sample" / "test.conll")
    for record in map(json.loads, predict(source, "--top-k", "4").splitlines()):
        taggings = record["taggings"]
        assert taggings[0]["tags"] == record["tags"]
        assert len({tuple(tagging["tags"]) for tagging in taggings}) == len(taggings)
        probabilities = [tagging["probability"] for tagging in taggings]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) <= 1 + 1e-5
        for entity in record["entities"]:  # an entity is in at least these of all taggings
            span = (entity["label"], entity["start"], entity["end"])
            with_it = sum(
                tagging["probability"]
                for tagging in taggings
                if span in {(e["label"], e["start"], e["end"]) for e in tagging["entities"]}
            )
            assert entity["score"] >= with_it - 1e-4
    path = tmp_path / "in.jsonl"
    path.write_text('{"sentence": "Hartlow"}\n{"words": []}\n', encoding="utf-8")
    one, empty = map(json.loads, predict(str(path), "--top-k", "1000").splitlines())
    assert sum(t["probability"] for t in one["taggings"]) == pytest.approx(1, abs=1e-5)
    assert empty["taggings"] == [{"tags": [], "entities": [], "probability": 1.0}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--threshold", "1.5"), "expected a number from 0 to 1, got '1.5'"),
        (("--threshold", "nan"), "expected a number from 0 to 1, got 'nan'"),
        (("--top-k", "0"), "expected a whole number at least 1, got '0'"),
        (("--input-format", "html"), "invalid choice: 'html'"),
    ],
)
def test_options_out_of_range(
    arguments: tuple[str, ...],
    message: str,
    run_directory: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["predict", str(run_directory), *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_taggings_are_for_jsonl(run_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["predict", str(run_directory), "--top-k", "2", "--output-format", "conll"]
    assert main(arguments) == 2
    assert capsys.readouterr().err == ("--top-k: jsonl alone holds several taggings, got conll\n")


def test_brackets(predict: Any, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("It rained in Hartlow.\n", encoding="utf-8")
    assert predict(str(path), "--output-format", "brackets") == "It rained in [LOC Hartlow] .\n"


def test_a_stream_longer_than_a_window_stays_in_order(predict: Any, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("".join(f"Line {n} {'so ' * (n % 7)}\n" for n in range(300)), encoding="utf-8")
    found = [json.loads(line) for line in predict(str(path), "--batch-size", "3").splitlines()]
    assert [prediction["words"][1] for prediction in found] == [str(n) for n in range(300)]


def _typed(count: int, asked: list[int]) -> Iterator[Sentence]:
    """Sentences, and a note of each that somebody asked for."""
    for number in range(count):
        asked.append(number)
        yield Sentence(["Ann", "met", "Bo", "in", "Hartlow", "."][number % 6 :])


def test_what_is_typed_in_is_answered_before_the_next_is_read(run_directory: Path) -> None:
    asked: list[int] = []
    next(nr.load(run_directory).predict(_typed(5, asked)))
    assert asked == [0]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_model_works_while_the_next_window_is_read(run_directory: Path, threads: int) -> None:
    tagger = nr.load(run_directory)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        asked: list[int] = []
        stream = tagger.predict(_typed(200, asked), batch_size=1)
        found = [record for record, _ in zip(stream, range(10), strict=False)]
        window = 32
        assert len(asked) == 1 + 8 + window * threads
        stream.close()  # type: ignore[attr-defined]  # a generator
        assert not [thread for thread in threading.enumerate() if "windows" in thread.name]
        rest = list(tagger.predict(_typed(200, []), batch_size=1))
    finally:
        torch.set_num_threads(before)
    assert rest[: len(found)] == found
    assert [record["words"] for record in rest] == [s.tokens for s in _typed(200, [])]


def test_records_without_a_word(predict: Any, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"sentence": ""}\n{"words": []}\n', encoding="utf-8")
    empty: dict[str, Any] = {"words": [], "tags": [], "entities": []}
    assert [json.loads(line) for line in predict(str(path)).splitlines()] == [empty, empty]


def test_what_a_tagger_takes(run_directory: Path) -> None:
    tagger: Any = nr.load(run_directory)
    assert repr(tagger) == "<a tagger of LOC, MISC, ORG, PER>"
    text = "Maria met them in Kelfield."
    assert tagger(iter([text, text])) == [tagger(text)] * 2
    assert tagger([]) == []
    for wrong, got in (
        (None, "NoneType"),
        (3, "int"),
        (b"Paris", "bytes"),
        ({"text": "a"}, "dict"),
        (["a", 3], "one with int"),
        ([["Jim", "left"]], "one with list"),
    ):
        with pytest.raises(TypeError, match=f"^expected a text or a list of texts, got {got};"):
            tagger(wrong)


def test_options_stand_anywhere(run_directory: Path, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("Ann left.\n", encoding="utf-8")
    arguments = ["predict", str(run_directory), "--device", "cpu", str(path), "--quiet"]
    assert main(arguments) == 0


def test_lone_surrogates_are_written_as_escapes(predict: Any, tmp_path: Path) -> None:
    path, out = tmp_path / "in.jsonl", tmp_path / "out"
    path.write_text('{"words": ["\\ud800", "left"]}\n', encoding="utf-8")
    for form in ("jsonl", "conll", "brackets"):
        predict(str(path), "--output-format", form, "--output-file", str(out))
        assert "\\ud800" in out.read_text(encoding="utf-8")


def test_what_is_no_plain_file_is_written_as_it_is(predict: Any, tmp_path: Path) -> None:
    path, link = tmp_path / "text.txt", tmp_path / "link"
    path.write_text("Ann left.\n", encoding="utf-8")
    link.symlink_to(tmp_path / "target")
    for out in (link, Path("/dev/null")):
        predict(str(path), "--output-file", str(out))
    assert link.is_symlink()
    assert (tmp_path / "target").is_file()
    assert Path("/dev/null").is_char_device()
    reading, writing = os.pipe()
    predict(str(path), "--output-file", f"/dev/fd/{writing}")
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert json.loads(pipe.read())["words"] == ["Ann", "left", "."]


@pytest.mark.parametrize("size", ["0", "-1", "x"])
def test_a_batch_size_is_positive(
    size: str, run_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["predict", str(run_directory), "--batch-size", size])
    assert caught.value.code == 2
    assert "expected a whole number at least 1" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_told_first(
    run_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for out, told in ((tmp_path, "got a directory"), (tmp_path / "no" / "x", "got a folder that")):
        arguments = ["predict", str(run_directory), "--output-file", str(out), "--quiet"]
        assert main(arguments) == 2
        assert told in capsys.readouterr().err


def test_a_model_of_documents_reads_each_text_as_one(
    config: dict[str, Any], tmp_path: Path
) -> None:
    """What is found in a text doesn't depend on how many others stream beside it."""
    lstm = {"type": "lstm", "hidden_size": 8}
    config["model"]["encoder"] = {"type": "mentions", "first": lstm, "second": lstm}
    config["trainer"] |= {"num_epochs": 4, "optimizer": {"type": "adam", "lr": 0.02}}
    nr.train(config, tmp_path / "run", quiet=True)
    tagger = nr.load(tmp_path / "run")
    texts = [f"Maria met Ann in Kelfield. Kelfield is {word}." for word in ("big", "old", "new")]
    assert any(tagger(texts))
    assert tagger("") == []
    assert list(tagger.predict([Sentence([])])) == [{"words": [], "tags": [], "entities": []}]
    together = tagger([*texts * 30, "Nobody met them."])
    for number, text in enumerate(texts):
        alone = tagger(text)
        found = together[number + 30]
        assert [entity["text"] for entity in found] == [entity["text"] for entity in alone]
        for one, other in zip(found, alone, strict=True):
            assert one["score"] == pytest.approx(other["score"], abs=1e-5)


@pytest.mark.parametrize(
    ("name", "line", "is_doubted"),
    [
        ("note.md", "Ann met Bo.", True),
        ("note", "Ann met Bo.", True),
        ("note.md", "Ann NNP B-PER", False),
        ("note.md", "Ann", False),
        ("note.md", "-DOCSTART- O", False),
        ("note.conll", "Ann NNP", False),
        ("note.txt.gz", "Ann met Bo.", False),
    ],
)
def test_text_that_is_read_as_columns_is_told_of(
    name: str,
    line: str,
    is_doubted: bool,
    predict: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    content = f"{line}\n".encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    predict(str(tmp_path / name))
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == is_doubted
    assert all("--input-format text reads all of them" in warning for warning in warnings)


def test_what_is_read_is_not_written_over(
    run_directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, same = tmp_path / "a.conll", str(tmp_path / "." / "a.conll")
    path.write_text("Ann B-PER\n", encoding="utf-8")
    other = str(tmp_path / "scores.json")
    for command in (
        ["predict", str(run_directory), str(path), "--output-file", same],
        ["evaluate", str(run_directory), str(path), "--output-file", same],
        ["evaluate", str(run_directory), str(path), "--predictions-output-file", same],
        [
            *("evaluate", str(run_directory), str(path)),
            *("--output-file", other, "--predictions-output-file", other),
        ],
    ):
        assert main([*command, "--quiet"]) == 2
        expected = "expected a file to write, got one that is used already"
        assert capsys.readouterr().err == f"{command[-1]}: {expected}\n"
        assert path.read_text(encoding="utf-8") == "Ann B-PER\n"
    assert main(["predict", str(run_directory), os.devnull, "--output-file", os.devnull]) == 0


def test_a_pipe_is_a_file(predict: Any, tmp_path: Path) -> None:
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    writing = threading.Thread(target=path.write_text, args=("Ann left.\n",))
    writing.start()
    assert json.loads(predict(str(path)))["words"] == ["Ann", "left", "."]
    writing.join()


def test_a_mark_that_began_a_file_of_its_own(predict: Any, tmp_path: Path) -> None:
    path = tmp_path / "several.txt"
    path.write_text("\ufeffAnn left.\n\ufeffBo left.\n", encoding="utf-8")
    words = [json.loads(line)["words"] for line in predict(str(path)).splitlines()]
    assert words == [["Ann", "left", "."], ["Bo", "left", "."]]
