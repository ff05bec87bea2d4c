"""A training epoch of a BiLSTM-CRF with validation, and its memory, beside three peers.

Every system is its own command, run in turn; ours is ``ner-run train``. Peers that aren't given
are left out:

    --ncrfpp CHECKOUT           a checkout of github.com/jiesutd/NCRFpp
    --allennlp PATH[:PATH ...]  a checkout of github.com/allenai/allennlp, and what its imports need
    --allennlp-package PACKAGE  where its crf_tagger is registered
    --flair-python PYTHON       the interpreter of an environment that has Flair
    --peer-python PYTHON        that of NCRF++ and AllenNLP, if it isn't this one
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from results import publish

from ner_registry.data import catalogue
from ner_registry.data.schemes import spans_to_tags, tags_to_spans
from ner_registry.readers import ConllReader

HERE = Path(__file__).parent
NCRFPP = """train_dir={train}
dev_dir={dev}
test_dir={dev}
model_dir={out}
norm_word_emb=False
norm_char_emb=False
number_normalized=False
seg=True
word_emb_dim=100
use_crf=True
use_char=False
word_seq_feature=LSTM
status=train
optimizer=Adam
iteration=1
batch_size=32
ave_batch_loss=True
hidden_dim=256
dropout=0.5
lstm_layer=1
bilstm=True
learning_rate=0.001
l2=0
gpu=False
"""
ALLENNLP: dict[str, Any] = {
    "dataset_reader": {
        "type": "conll2003",
        "tag_label": "ner",
        "coding_scheme": "IOB1",
        "token_indexers": {"tokens": {"type": "single_id"}},
    },
    "model": {
        "type": "crf_tagger",
        "label_encoding": "BIO",
        "dropout": 0.5,
        "text_field_embedder": {
            "token_embedders": {"tokens": {"type": "embedding", "embedding_dim": 100}}
        },
        "encoder": {"type": "lstm", "input_size": 100, "hidden_size": 128, "bidirectional": True},
    },
    "data_loader": {"batch_sampler": {"type": "bucket", "batch_size": 32}},
    "trainer": {
        "optimizer": {"type": "adam", "lr": 0.001},
        "validation_metric": "+f1-measure-overall",
        "num_epochs": 1,
        "cuda_device": -1,
    },
}
Measure = Callable[[Path], tuple[float, float]]
"""Given a folder, the seconds of an epoch, and the megabytes that the whole command took."""


def ours(head: str, threads: int, epochs: int = 4) -> Measure:
    """Validation and checkpoint included; the first epoch, which loads the kernels, isn't."""

    def measure(out: Path) -> tuple[float, float]:
        command = [sys.executable, "-m", "ner_registry", "train", str(HERE / "word_only.jsonnet")]
        command += ["-s", str(out), "--quiet", "--set", f"model.head.type={head}"]
        command += ["--set", f"trainer.num_epochs={epochs}"]
        command += ["--set", f"trainer.num_threads={threads}"]
        _, memory = run(command)
        lines = (out / "metrics.jsonl").read_text().splitlines()
        ends = [json.loads(line)["training_duration"] for line in lines]
        return statistics.median(b - a for a, b in pairwise(ends)), memory

    return measure


def ncrfpp(checkout: Path, python: str, data: Path) -> Measure:
    def measure(out: Path) -> tuple[float, float]:
        config = out.with_suffix(".config")
        config.write_text(
            NCRFPP.format(train=data / "train.bio", dev=data / "dev.bio", out=out / "model")
        )
        out.mkdir()
        text, memory = run([python, "main.py", "--config", str(config)], cwd=checkout)
        found = re.search(r"training finished\. Time: ([\d.]+)s.*?Dev: time: ([\d.]+)s", text, re.S)
        assert found, text[-500:]
        return float(found[1]) + float(found[2]), memory

    return measure


def allennlp(path: str, package: str, python: str, data: Path) -> Measure:
    def measure(out: Path) -> tuple[float, float]:
        config = out.with_suffix(".json")
        files = {"train_data_path": f"{data}/train.txt", "validation_data_path": f"{data}/dev.txt"}
        config.write_text(json.dumps(ALLENNLP | files))
        command = [python, "-m", "allennlp", "train", str(config), "-s", str(out)]
        _, memory = run([*command, "--include-package", package], path=path)
        hours, minutes, seconds = json.loads((out / "metrics.json").read_text())[
            "training_duration"
        ].split(":")
        return 3600 * float(hours) + 60 * float(minutes) + float(seconds), memory

    return measure


def flair(python: str, data: Path) -> Measure:
    def measure(out: Path) -> tuple[float, float]:
        text, memory = run([python, str(HERE / "flair_epoch.py"), str(data), str(out)])
        found = re.search(r"epoch seconds: ([\d.]+)", text)
        assert found, text[-500:]
        return float(found[1]), memory

    return measure


def run(command: list[str], cwd: Path | None = None, path: str | None = None) -> tuple[str, float]:
    """What a command prints, and the most megabytes that it held.

    Peers get one thread, at which all of them are fastest.
    """
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    if "ner_registry" not in command:
        environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if path:
        environment["PYTHONPATH"] = path
    with tempfile.TemporaryFile("w+") as printed, tempfile.TemporaryFile("w+") as told:
        process = subprocess.Popen(command, stdout=printed, stderr=told, cwd=cwd, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        for file in (printed, told):
            file.seek(0)
        if status:
            raise SystemExit(f"{' '.join(command)}\n{told.read()[-2000:]}")
        return printed.read(), usage.ru_maxrss / 1024


def write_data(folder: Path) -> None:
    """CoNLL-2003 as the peers read it: IOB2, in two columns, and in four for AllenNLP."""
    for name, file in (("train", "eng.train"), ("dev", "eng.testa")):
        sentences = list(ConllReader().read(catalogue.find(f"conll2003/{file}")))
        with open(folder / f"{name}.bio", "w") as two, open(folder / f"{name}.txt", "w") as four:
            for sentence in sentences:
                spans = tags_to_spans(sentence.tags or [])
                tags = spans_to_tags(spans, len(sentence), "IOB2")
                for token, tag in zip(sentence.tokens, tags, strict=True):
                    two.write(f"{token} {tag}\n")
                    four.write(f"{token} X X {tag}\n")
                two.write("\n")
                four.write("\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ncrfpp", type=Path)
    parser.add_argument("--allennlp")
    parser.add_argument("--allennlp-package", default="allennlp_models.tagging")
    parser.add_argument("--flair-python")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--allennlp-python")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_data(folder)
        measures: dict[str, Measure] = {
            "ner_registry, crf, 2 threads": ours("crf", 2),
            "ner_registry, softmax, 2 threads": ours("softmax", 2),
            "ner_registry, crf, 1 thread": ours("crf", 1),
        }
        if args.ncrfpp:
            measures["NCRF++"] = ncrfpp(args.ncrfpp, args.peer_python, folder)
        if args.allennlp:
            python = args.allennlp_python or args.peer_python
            measures["AllenNLP"] = allennlp(args.allennlp, args.allennlp_package, python, folder)
        if args.flair_python:
            measures["Flair"] = flair(args.flair_python, folder)
        times: dict[str, list[float]] = {name: [] for name in measures}
        memories: dict[str, list[float]] = {name: [] for name in measures}
        for number in range(args.rounds):
            for name, measure in measures.items():
                out = folder / f"{re.sub(r'[^a-zA-Z0-9]+', '_', name)}_{number}"
                seconds, memory = measure(out)
                times[name].append(seconds)
                memories[name].append(memory)
                print(f"{name}: {seconds:.2f} s, {memory:.0f} MB")
    medians = {name: statistics.median(values) for name, values in times.items()}
    mine = medians["ner_registry, crf, 2 threads"]
    rows = [
        [
            name,
            seconds,
            f"{seconds / mine:.2f} ×",
            f"{min(times[name]):.1f}-{max(times[name]):.1f}",
            f"{statistics.median(memories[name]):.0f}",
        ]
        for name, seconds in medians.items()
    ]
    publish(
        "training",
        "An epoch of training",
        ["BiLSTM-CRF, 100 -> 2 × 128, batch 32", "seconds", "beside ours", "range", "peak MB"],
        rows,
        "CoNLL-2003 English, 14,041 sentences; validation on eng.testa and (but for NCRF++) a "
        "checkpoint are included, start-up isn't: ours is the median of the epochs after the "
        "first, which loads kernels; the peers run one. The memory is that of the whole command, "
        f"reports included. Medians of {args.rounds} rounds in turn. Peers have one thread, at "
        "which they are fastest. NCRF++ and AllenNLP also decode every training batch.",
    )


if __name__ == "__main__":
    main()
