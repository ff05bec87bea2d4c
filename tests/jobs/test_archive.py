"""A model on disk, in memory, elsewhere, and in another process: the same tags and scores."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

import ner_registry as nr
from ner_registry.errors import ArchiveError, ConfigError
from ner_registry.jobs.evaluate import as_text

TEXTS = [
    "Hartlow beat Kelfield 2-1 on Sunday. The coach was happy!",
    "",
    "In the U.S., Ann Rivers didn't speak.",
    "word " * 120,
]


def test_moved_and_loaded_elsewhere(run_directory: Path, tmp_path: Path) -> None:
    in_memory = nr.load(run_directory)(TEXTS)
    assert any(in_memory)
    moved = shutil.copy(run_directory / "model.tar.gz", tmp_path / "renamed.tar.gz")
    program = (
        "import json, sys, ner_registry as nr; "
        "print(json.dumps(nr.load(sys.argv[1])(json.loads(sys.argv[2]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(moved), json.dumps(TEXTS)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"OMP_NUM_THREADS": "1", "PATH": ""},
    )
    assert json.loads(done.stdout) == in_memory


def test_batches_make_no_difference(run_directory: Path, root: Path) -> None:
    tagger = nr.load(run_directory)
    reader = tagger.archive.experiment.dataset_reader
    sentences = list(reader.read(root / "ner_registry" / "sample" / "test.conll"))
    one, many = (list(tagger.predict(sentences, size)) for size in (1, 256))
    for left, right in zip(one, many, strict=True):
        assert left["tags"] == right["tags"]
        for a, b in zip(left["entities"], right["entities"], strict=True):
            assert a["score"] == pytest.approx(b["score"], abs=1e-5)


def test_what_a_call_gives(run_directory: Path) -> None:
    tagger = nr.load(run_directory)
    text = "Ann Rivers works in Hartlow. She likes Kelfield."
    entities = tagger(text)
    assert entities == tagger([text])[0]
    assert entities
    for entity in entities:
        assert text[entity["start_char"] : entity["end_char"]] == entity["text"]
        assert 0 < entity["score"] <= 1


@pytest.mark.parametrize("sentence", ["Maria", ["Maria"], None, nr.Sentence("Maria")])  # type: ignore[arg-type]
def test_what_is_no_sentence(sentence: Any, run_directory: Path) -> None:
    with pytest.raises(TypeError, match="expected a Sentence of a list of words, got"):
        next(nr.load(run_directory).predict([sentence]))


@pytest.mark.parametrize("wrong", [{"threshold": 5}, {"top_k": 0}, {"batch_size": 0}])
def test_numbers_out_of_range(wrong: dict[str, Any], run_directory: Path) -> None:
    with pytest.raises(nr.NerError, match=f"{next(iter(wrong))}: expected "):
        next(nr.load(run_directory).tag([nr.Sentence(["Maria"])], **wrong))


def test_formats_that_there_are_not(run_directory: Path) -> None:
    for wrong in ({"input_format": "xx"}, {"output_format": "csv"}, {"batch_size": 0}):
        with pytest.raises(nr.NerError, match=f"^{next(iter(wrong))}: expected "):
            nr.evaluate(run_directory, "sample/dev.conll", **wrong)


def test_the_directory_is_an_archive_too(run_directory: Path) -> None:
    text = "Ann Rivers works in Hartlow."
    assert nr.load(run_directory)(text) == nr.load(run_directory / "model.tar.gz")(text)


def test_there_is_no_pickle_in_it(run_directory: Path) -> None:
    with tarfile.open(run_directory / "model.tar.gz") as tar:
        names = tar.getnames()
    assert names == [
        "config.json",
        "meta.json",
        "metrics.json",
        "vocabulary/embedders/words.json",
        "vocabulary/tags.json",
        "weights.safetensors",
    ]


def repacked(path: Path, target: Path, change: dict[str, bytes | None], *, extra: str = "") -> Path:
    """An archive with some members changed, left out, or added."""
    with tarfile.open(path) as tar, tarfile.open(target, "w:gz") as out:
        for member in tar:
            file = tar.extractfile(member)
            assert file is not None
            content: bytes | None = change.get(member.name, file.read())
            if content is not None:
                member.size = len(content)
                out.addfile(member, io.BytesIO(content))
        if extra:
            out.addfile(tarfile.TarInfo(extra), io.BytesIO())
    return target


@pytest.mark.parametrize(
    ("change", "extra", "message"),
    [
        ({}, "../escaped", "'../escaped' isn't a member of a model"),
        ({}, "config.json", "'config.json' isn't a member of a model"),
        ({}, "code.py", "'code.py' isn't a member of a model"),
        ({"weights.safetensors": None}, "", "got one without weights.safetensors"),
        ({"metrics.json": b"{}"}, "", "metrics.json isn't what was written: its SHA-256 differs"),
        ({"meta.json": b"nonsense"}, "", "expected JSON in meta.json, got Expecting value"),
    ],
)
def test_what_is_refused(
    change: dict[str, bytes | None], extra: str, message: str, run_directory: Path, tmp_path: Path
) -> None:
    bad = repacked(run_directory / "model.tar.gz", tmp_path / "bad.tar.gz", change, extra=extra)
    with pytest.raises(ArchiveError) as caught:
        nr.load(bad)
    assert str(caught.value).startswith(f"{bad}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("packed", [".", "*"])
def test_what_tar_packs_again_is_the_same(packed: str, run_directory: Path, tmp_path: Path) -> None:
    again, model = tmp_path / "again.tar.gz", tmp_path / "model"
    with tarfile.open(run_directory / "model.tar.gz") as tar:
        tar.extractall(model, filter="data")
    with tarfile.open(again, "w:gz") as out:
        for path in [model] if packed == "." else sorted(model.iterdir()):
            out.add(path, "." if packed == "." else path.name)
    assert nr.load(again).labels == nr.load(run_directory).labels


@pytest.mark.parametrize("threshold", ["0.5", 0.0, 2.0, True])
def test_a_threshold_that_is_none_is_refused(
    threshold: Any, run_directory: Path, tmp_path: Path
) -> None:
    with tarfile.open(run_directory / "model.tar.gz") as tar:
        file = tar.extractfile("meta.json")
        assert file is not None
        meta = json.loads(file.read()) | {"threshold": threshold}
    change: dict[str, bytes | None] = {"meta.json": json.dumps(meta).encode()}
    bad = repacked(run_directory / "model.tar.gz", tmp_path / "bad.tar.gz", change)
    with pytest.raises(
        ArchiveError, match=r"expected a threshold from 0.05 to 1 in meta.json, got"
    ):
        nr.load(bad)


def test_a_cut_archive_is_refused(run_directory: Path, tmp_path: Path) -> None:
    content = (run_directory / "model.tar.gz").read_bytes()
    bad = tmp_path / "cut.tar.gz"
    bad.write_bytes(content[: len(content) // 2])
    with pytest.raises(ArchiveError, match="got a broken one"):
        nr.load(bad)


def test_evaluation_equals_seqeval_on_the_predictions(run_directory: Path, tmp_path: Path) -> None:
    from seqeval.metrics import f1_score

    lines = tmp_path / "predictions.jsonl"
    result = nr.evaluate(
        run_directory, "sample/test.conll", predictions_output_file=lines, device="cpu"
    )
    found = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    expected = f1_score([p["gold_tags"] for p in found], [p["tags"] for p in found])
    assert result["entities"]["overall"]["f1"] == pytest.approx(expected)
    metrics: dict[str, Any] = json.loads((run_directory / "metrics.json").read_bytes())
    assert result["entities"]["overall"]["f1"] == pytest.approx(metrics["test_f1-measure-overall"])
    assert result["token_macro_f1"] == pytest.approx(metrics["test_token_macro_f1"])
    assert result["entities"]["overall"]["support"] == 341
    assert result["repaired_tags"] == metrics["test_repaired_tags"] == 0
    assert "150 sentences, 0 tags repaired, " in as_text(result)
    assert sum(row["support"] for row in result["tokens"].values()) == 1619
    counts = [confusion["count"] for confusion in result["confusions"]]
    assert counts == sorted(counts, reverse=True)
    assert lines.read_bytes() == (run_directory / "predictions_test.jsonl").read_bytes()


def test_training_again_in_memory_is_the_python_api(config: dict[str, Any], tmp_path: Path) -> None:
    metrics = nr.train(config, tmp_path / "run")
    assert metrics["epoch"] == 1
    assert nr.evaluate(tmp_path / "run", "sample/dev.conll")["sentences"] == 150


def test_models_are_loaded_side_by_side(run_directory: Path) -> None:
    """And what others make meanwhile isn't counted."""
    stop = threading.Event()

    def make_others() -> None:
        while not stop.is_set():
            torch.nn.Linear(400, 400)

    other = threading.Thread(target=make_others)
    other.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            for loaded in pool.map(nr.load, [run_directory] * 12):
                assert loaded.labels
    finally:
        stop.set()
        other.join()


def test_packages_are_several(run_directory: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a list of names, got the string 'mine'"):
        nr.load(run_directory, include_packages="mine")
