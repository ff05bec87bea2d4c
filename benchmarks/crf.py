"""The CRF layer alone: loss with gradient, and decoding, beside pytorch-crf and TorchCRF.

Each system runs with one thread and with all, in turn, and its better median counts.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from results import publish
from torch import Tensor
from torchcrf import CRF

from ner_registry.nn.crf import LinearChainCrf
from ner_registry.nn.recurrent import BidirectionalRecurrent
from ner_registry.nn.threads import available_threads, computing

SHAPES = [(32, 15, 9), (32, 50, 9), (32, 124, 9), (128, 50, 17), (512, 50, 9), (32, 50, 64)]
ROUNDS = 51
Run = Callable[[], object]


def systems(size: int, length: int, tags: int) -> dict[str, tuple[Run, Run]]:
    """By name, what does loss and gradient, and what decodes."""
    torch.manual_seed(0)
    emissions = torch.randn(size, length, tags, requires_grad=True)
    mask = torch.ones(size, length, dtype=torch.bool)
    gold = torch.randint(0, tags, (size, length))
    found: dict[str, tuple[Run, Run]] = {}

    def add(name: str, loss: Callable[[], Tensor], decode: Run) -> None:
        found[name] = (lambda: loss().backward(), torch.inference_mode()(decode))

    ours = LinearChainCrf(tags)
    add(
        "ner_registry",
        lambda: -ours(emissions, mask).log_likelihood(gold).sum(),
        lambda: ours(emissions, mask).viterbi(),
    )
    theirs = CRF(tags, batch_first=True)
    add(
        "pytorch-crf",
        lambda: -theirs(emissions, gold, mask, reduction="sum"),
        lambda: theirs.decode(emissions, mask),
    )
    try:
        from TorchCRF import CRF as Other  # noqa: N811
    except ImportError:
        return found
    other = Other(tags, use_gpu=False)
    add(
        "TorchCRF",
        lambda: -other(emissions, gold, mask).sum(),
        lambda: other.viterbi_decode(emissions, mask),
    )
    return found


def medians(runs: dict[str, Run]) -> dict[str, float]:
    """Milliseconds of each, run in turn."""
    for run in runs.values():
        run()
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            times[name].append(1e3 * (time.perf_counter() - began))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> None:
    threads = available_threads()
    rows = []
    for shape in SHAPES:
        found = systems(*shape)
        for kind, job in ((0, "loss and gradient"), (1, "decoding")):
            runs = {name: pair[kind] for name, pair in found.items()}
            best = dict.fromkeys(runs, float("inf"))
            for count in (1, threads):
                # ours shares its rows among threads, the others leave it to PyTorch's operators
                model = BidirectionalRecurrent("lstm", 1, hidden_size=1)
                with computing(model, count):
                    ours = medians({"ner_registry": runs["ner_registry"]})
                torch.set_num_threads(count)
                others = {name: run for name, run in runs.items() if name != "ner_registry"}
                for name, value in (ours | medians(others)).items():
                    best[name] = min(best[name], value)
            mine = best.pop("ner_registry")
            cells = [f"{value:.1f} ({value / mine:.0f} ×)" for value in best.values()]
            rows.append([", ".join(map(str, shape)), job, mine, *cells])
    publish(
        "crf",
        "The CRF layer, milliseconds",
        ["batch, time, tags", "", "ner_registry", *best],
        rows,
        f"Median of {ROUNDS} rounds in turn; behind each peer, how many times as long it takes.",
    )


if __name__ == "__main__":
    main()
