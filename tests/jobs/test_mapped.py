"""Training data that stays on disk: the same numbers, in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ner_registry.build import index_corpus, parse_experiment
from ner_registry.cli import main
from ner_registry.data import catalogue
from ner_registry.data.batches import LengthBatchSampler
from ner_registry.errors import DataError
from ner_registry.jobs.mapped import map_training_data
from ner_registry.jobs.prepare import Prepared, prepare
from ner_registry.jobs.train import train

EMBEDDERS: dict[str, dict[str, Any]] = {
    "words": {"type": "embedding", "embedding_dim": 50, "replace_singletons": 0.5},
    "chars": {"type": "character_cnn"},
    "subwords": {"type": "subwords"},
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "indexed"


@pytest.fixture
def config(config: dict[str, Any]) -> dict[str, Any]:
    config["model"]["embedders"] = EMBEDDERS
    config["trainer"]["num_epochs"] = 1
    return config


def prepared(config: dict[str, Any], *, is_mapped: bool) -> Prepared:
    loading = config["data_loader"] | {"memory_map": is_mapped}
    return prepare(parse_experiment(config | {"data_loader": loading}))


def test_a_run_is_the_same_to_the_byte(config: dict[str, Any], tmp_path: Path, cache: Path) -> None:
    config["data_loader"] |= {"mention_replacement": 0.5, "capitals": 0.2}
    runs = {}
    for name, is_mapped in (("memory", False), ("mapped", True)):
        config["data_loader"]["memory_map"] = is_mapped
        metrics = train(config, tmp_path / name)
        timed = ("duration", "second", "memory")
        runs[name] = (
            {k: v for k, v in metrics.items() if not any(word in k for word in timed)},
            (tmp_path / name / "best.safetensors").read_bytes(),
            (tmp_path / name / "predictions_test.jsonl").read_bytes(),
        )
    assert runs["memory"] == runs["mapped"]
    assert len(list(cache.iterdir())) == 1


def test_every_batch_is_the_same(config: dict[str, Any], cache: Path) -> None:
    mapped, held = prepared(config, is_mapped=True), prepared(config, is_mapped=False)
    assert mapped.summary() == held.summary()
    assert len(mapped.corpora["train"]) == len(held.corpora["train"]) == 700
    several = [5, 0, 699]
    assert mapped.corpora["train"].places(several) == held.corpora["train"].places(several)
    data = map_training_data(mapped), index_corpus(held.tagger, held.corpora["train"])
    assert list(data[0].lengths) == list(data[1].lengths)
    assert list(data[0].documents) == list(data[1].documents)
    for numbers in LengthBatchSampler(data[0].lengths, batch_size=32, shuffle=True):
        first, second = data[0].batch(numbers), data[1].batch(numbers)
        assert first.lengths == second.lengths
        assert first.views.keys() == second.views.keys() == EMBEDDERS.keys()
        for name in EMBEDDERS:
            assert first.views[name].dtype == second.views[name].dtype
            assert torch.equal(first.views[name], second.views[name])
        for name in ("tags", "mask", "documents", "words"):
            assert torch.equal(getattr(first, name), getattr(second, name))


def test_other_data_or_settings_have_files_of_their_own(
    config: dict[str, Any], tmp_path: Path, cache: Path
) -> None:
    data = tmp_path / "train.conll"
    data.write_bytes(catalogue.find("sample/dev.conll").read_bytes())
    config["train_data_path"] = str(data)
    lowercase = EMBEDDERS | {"words": EMBEDDERS["words"] | {"lowercase": True}}
    # without a vocabulary, which would differ by itself
    unlisted = config["model"] | {"embedders": {"subwords": {"type": "subwords"}}}
    count = 0
    for change in (
        {},
        {"dataset_reader": {"type": "conll", "comment_prefix": "# "}},
        {"model": config["model"] | {"embedders": lowercase}},
        {"model": config["model"] | {"tag_scheme": "IOB2"}},
        {"model": unlisted},
        {"model": unlisted, "data_loader": {"capitals": 0.1}},
    ):
        map_training_data(prepared(config | change, is_mapped=True))
        count += 1
        assert len(list(cache.iterdir())) == count
    map_training_data(prepared(config, is_mapped=True))
    assert len(list(cache.iterdir())) == count
    data.write_bytes(data.read_bytes().replace(b"Monday", b"Friday", 1) + b"\nIt PRP B-NP O\n")
    map_training_data(prepared(config, is_mapped=True))
    assert len(list(cache.iterdir())) == count + 1


@pytest.mark.parametrize("is_known", [True, False])
def test_data_that_changes_meanwhile(
    is_known: bool, config: dict[str, Any], tmp_path: Path, cache: Path
) -> None:
    data = tmp_path / "train.conll"
    data.write_bytes(catalogue.find("sample/dev.conll").read_bytes())
    config["data_loader"]["capitals"] = 0.1
    parts = prepared(config | {"train_data_path": str(data)}, is_mapped=True)
    if is_known:
        assert parts.corpora["train"].sha256
    data.write_bytes(data.read_bytes() + b"\nIt PRP B-NP O\n")
    with pytest.raises(DataError, match="it has changed while it was read: start again"):
        map_training_data(parts)
    # what isn't known to have changed is kept under the name of what it is
    assert len(list(cache.iterdir())) == (not is_known)


def test_a_cache_that_cannot_be_written(
    tmp_path: Path, cache: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache.parent.write_text("a file")
    command = ["train", str(root / "experiments" / "quickstart.jsonnet"), "--quiet"]
    change = ["--set", "data_loader.memory_map=true"]
    assert main([*command, "-s", str(tmp_path / "run"), *change]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "the indexed corpus can't be kept there: " in line
    assert line.endswith(": set NER_CACHE to another folder, or data_loader.memory_map to false")


# in a process of its own, since one that has held much before needs no more for a corpus
GROWTH = """
import json, sys
from ner_registry.build import index_corpus, parse_experiment
from ner_registry.jobs.mapped import map_training_data
from ner_registry.jobs.prepare import prepare

def peak():  # unlike getrusage's, not inherited from whoever started this process
    (line,) = [x for x in open("/proc/self/status") if x.startswith("VmHWM:")]
    return int(line.split()[1])

config, small, large = json.loads(sys.argv[1])
peaks = []
for path, is_mapped in ((small, True), (large, True), (large, False)):
    config["data_loader"]["memory_map"] = is_mapped
    parts = prepare(parse_experiment(config | {"train_data_path": path}))
    corpus = parts.corpora["train"]
    data = map_training_data(parts) if is_mapped else index_corpus(parts.tagger, corpus)
    data.batch([0, len(data) - 1])
    peaks.append(peak())
print(json.dumps(peaks))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_corpus(
    config: dict[str, Any], tmp_path: Path, cache: Path
) -> None:
    content = catalogue.find("sample/train.conll").read_bytes()
    for name, copies in (("small", 1), ("large", 10)):
        (tmp_path / name).write_bytes(copies * (content + b"\n"))
    config["model"]["embedders"] = {"words": EMBEDDERS["words"]}
    arguments = [config, str(tmp_path / "small"), str(tmp_path / "large")]
    command = [sys.executable, "-c", GROWTH, json.dumps(arguments)]
    done = subprocess.run(command, check=True, capture_output=True)
    small, large, in_memory = json.loads(done.stdout)
    assert large - small < (in_memory - small) / 3
