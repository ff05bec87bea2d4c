"""CPU beside GPU in one table: the study's configuration, its heads, decoding, equal results.

Without a GPU its column is empty, and the table says so.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from results import publish

from ner_registry.build import build_tagger, index_corpus, parse_experiment
from ner_registry.config.source import read_config
from ner_registry.data.batches import LengthBatchSampler
from ner_registry.data.corpus import Corpus
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.jobs.prepare import find_files, read_corpus, reader_of
from ner_registry.nn.crf import LinearChainCrf
from ner_registry.nn.threads import computing
from ner_registry.tagger import Tagger
from ner_registry.training.gradient import clip_gradient
from ner_registry.training.state import TrainingState

EXPERIMENTS = Path(__file__).parent.parent / "experiments"
NOTHING_RANDOM = '{"model.dropout": 0, "model.embedders.words.replace_singletons": 0}'


class Setting:
    """A config's model on a device, with its data."""

    def __init__(self, config: str, device: str, overrides: str = "{}") -> None:
        source = read_config(EXPERIMENTS / config, [overrides])
        self.experiment = parse_experiment(source.value)()
        self.corpora: dict[str, Corpus] = {
            name: read_corpus(reader_of(self.experiment, name), file)
            for name, file in find_files(self.experiment).items()
        }
        train = self.corpora["train"]
        torch.manual_seed(0)
        vocabularies = {
            name: Vocabulary(train.sentences) for name in self.experiment.model.embedders
        }
        tags = TagSet(train.scheme, train.labels)
        self.tagger: Tagger = build_tagger(self.experiment.model, vocabularies, tags).to(device)
        self.state: TrainingState = self.experiment.trainer.state_of(self.tagger)
        self.data: dict[str, IndexedSentences] = {
            name: index_corpus(self.tagger, corpus) for name, corpus in self.corpora.items()
        }

    def epoch(self, number: int, most: int | None = None) -> list[float]:
        """An epoch, or its first steps; the losses."""
        data = self.data["train"]
        sampler = LengthBatchSampler(data.lengths, batch_size=32, shuffle=True)
        sampler.epoch = number
        losses = []
        for step, numbers in enumerate(sampler):
            if step == most:
                break
            self.state.optimizer.zero_grad()
            loss = self.tagger.loss(data.batch(numbers)).sum()
            (loss / len(numbers)).backward()
            if self.experiment.trainer.grad_norm is not None:
                clip_gradient(list(self.tagger.parameters()), self.experiment.trainer.grad_norm)
            self.state.optimizer.step()
            losses.append(loss.detach())
        return torch.stack(losses).tolist()

    @torch.inference_mode()
    def tag(self, batch_size: int) -> list[Any]:
        """The test data's entities."""
        self.tagger.eval()
        data = self.data["test"]
        sampler = LengthBatchSampler(data.lengths, batch_size=batch_size, shuffle=False)
        found = [self.tagger.tag_with_scores(data.batch(numbers)) for numbers in sampler]
        self.tagger.train()
        return found


def timed(run: Callable[[], Any], device: str, rounds: int = 3) -> float:
    """Median seconds, the device's work included."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def crf_milliseconds(shape: Sequence[int], device: str) -> tuple[float, float]:
    """Loss with gradient, and decoding."""
    size, length, tags = shape
    crf = LinearChainCrf(tags).to(device)
    emissions = torch.randn(size, length, tags, device=device, requires_grad=True)
    mask = torch.ones(size, length, dtype=torch.bool, device=device)
    gold = torch.randint(0, tags, (size, length), device=device)

    def loss() -> None:
        (-crf(emissions, mask).log_likelihood(gold).sum()).backward()

    @torch.inference_mode()
    def decode() -> None:
        crf(emissions, mask).viterbi()

    for warm in (loss, decode):
        warm()
    return 1e3 * timed(loss, device, 9), 1e3 * timed(decode, device, 9)


def measure(device: str) -> dict[str, float]:
    """Every row of the table on one device."""
    found: dict[str, float] = {}
    for name in ("bilstm", "bilstm_crf"):
        setting = Setting(f"{name}.jsonnet", device)
        train, tag = partial(setting.epoch, 1), partial(setting.tag, 1024)
        with computing(setting.tagger):
            train()
            found[f"{name}: ten epochs of training, s"] = 10 * timed(train, device)
            tag()
            took = timed(tag, device)
        found[f"{name}: sentences decoded per second"] = len(setting.data["test"]) / took
    for shape in ((32, 50, 9), (512, 50, 9)):
        loss, decoding = crf_milliseconds(shape, device)
        found[f"CRF {shape}: loss and gradient, ms"] = loss
        found[f"CRF {shape}: decoding, ms"] = decoding
    return found


def difference() -> float:
    """How far the losses of 20 steps without dropout lie apart, relative to them."""
    losses = []
    for device in ("cpu", "cuda"):
        setting = Setting("bilstm_crf.jsonnet", device, NOTHING_RANDOM)
        losses.append(torch.tensor(setting.epoch(0, 20)))
    return float(((losses[0] - losses[1]) / losses[0]).abs().max())


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    has_gpu = torch.cuda.is_available()
    columns = [measure("cpu")]
    if has_gpu:
        columns.append(measure("cuda"))
    rows: list[list[Any]] = [[name, *(column[name] for column in columns)] for name in columns[0]]
    for row in rows:
        row += [] if has_gpu else ["not measured"]
    gpu = torch.cuda.get_device_name() if has_gpu else "no GPU was at hand"
    told = f"Losses differ by at most {difference():.1e} of themselves. " if has_gpu else ""
    publish(
        "gpu",
        "CPU and GPU",
        ["the study's configuration, 2 × 256 units", "CPU", f"GPU ({gpu})"],
        rows,
        f"{told}Training alone, without validation and checkpoints; medians of three epochs.",
    )


if __name__ == "__main__":
    main()
