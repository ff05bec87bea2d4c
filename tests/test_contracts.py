"""What holds for every registered part, whatever it is."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

import ner_registry.build  # noqa: F401  # registers the parts
from ner_registry.config.parse import parse
from ner_registry.config.plan import Plan
from ner_registry.config.registry import Registrable
from ner_registry.config.signatures import config_parameters
from ner_registry.config.snippets import snippet
from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.sentence import Sentence
from ner_registry.data.tags import TagSet
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders import TokenEmbedder
from ner_registry.encoders import Seq2SeqEncoder
from ner_registry.errors import ConfigError
from ner_registry.heads import TaggerHead
from ner_registry.training.averages import WeightAverage
from ner_registry.training.callbacks import Callback
from ner_registry.training.optimizers import Optimizer
from ner_registry.training.schedulers import LearningRateScheduler, advance

WIDTH = 6
LENGTHS = [5, 1, 3]
TAGS = TagSet("IOBES", ["LOC", "PER"])
# a column for the embedder that reads one, by the name that its snippet gives it
SENTENCES = [
    Sentence(tokens, columns={"...": [str(len(token)) for token in tokens]})
    for tokens in (["Jim", "works", "in", "Paris", "."], ["Ann"], ["Rain", "in", "Oslo"])
]


# where the smallest config makes a part that does nothing
SETTINGS: dict[str, dict[str, Any]] = {
    "dilated_cnn": {"channels": 4},
    "mentions": {
        "first": {"type": "lstm", "hidden_size": 2},
        "second": {"type": "lstm", "hidden_size": 2},
    },
    "document": {"encoder": {"type": "lstm", "hidden_size": 2}},
}


def plan_of(kind: type[Registrable], name: str) -> Plan:
    """The part from its smallest config, as a file would give it."""
    holder = make_dataclass("Holder", [("part", Callable[..., kind])])
    config = snippet(kind, name) | SETTINGS.get(name, {})
    found = parse(holder, {"part": config}).arguments["part"]
    assert isinstance(found, Plan)
    return found


def every(kind: type[Registrable]) -> pytest.MarkDecorator:
    names = sorted(kind.registered())
    assert names, f"no {kind.__name__} is registered"
    return pytest.mark.parametrize("name", names)


def mask_of(lengths: list[int], width: int) -> Tensor:
    return torch.arange(width) < torch.tensor(lengths).unsqueeze(1)


def check_gradients(module: nn.Module, loss: Tensor) -> None:
    loss.backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, f"no gradient reaches {name}"
        assert parameter.grad.any(), f"the gradient of {name} is zero"


def check_save_and_load(module: nn.Module, again: nn.Module) -> None:
    """What is saved is what is loaded, and nothing else decides the outputs."""
    saved = safetensors.torch.save(module.state_dict())
    again.load_state_dict(safetensors.torch.load(saved))


@every(Seq2SeqEncoder)
def test_an_encoder(name: str) -> None:
    torch.manual_seed(0)
    plan = plan_of(Seq2SeqEncoder, name)
    encoder, again = plan(input_dim=WIDTH).eval(), plan(input_dim=WIDTH).eval()
    inputs = torch.randn(len(LENGTHS), max(LENGTHS), WIDTH)
    mask = mask_of(LENGTHS, max(LENGTHS))
    outputs = encoder(inputs, mask)
    assert outputs.shape == (len(LENGTHS), max(LENGTHS), encoder.output_dim)

    wider = torch.cat([inputs, torch.randn(len(LENGTHS), 4, WIDTH)], 1)
    padded = encoder(wider, mask_of(LENGTHS, max(LENGTHS) + 4))[:, : max(LENGTHS)]
    torch.testing.assert_close(padded[mask], outputs[mask])
    for row, length in enumerate(LENGTHS):
        alone = encoder(inputs[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(alone[0], outputs[row, :length])
    assert encoder(inputs[:, :1], mask[:, :1]).shape[1] == 1

    check_save_and_load(encoder, again)
    assert torch.equal(again(inputs, mask), outputs)
    # adversarial training moves what is read along this
    read = inputs.clone().requires_grad_()
    again(read, mask)[mask].square().sum().backward()
    assert read.grad is not None
    assert read.grad[mask].any(1).all(), "no gradient reaches a token that is read"
    assert not read.grad[~mask].any(), "padding has a gradient"
    if list(encoder.parameters()):
        check_gradients(encoder, outputs[mask].square().sum())


@every(TokenEmbedder)
def test_an_embedder(name: str) -> None:
    torch.manual_seed(0)
    plan = plan_of(TokenEmbedder, name)
    vocab = Vocabulary(SENTENCES)
    embedder = plan(vocab=vocab).eval()
    again = plan(vocab=Vocabulary(counts=vocab.counts)).eval()
    data = IndexedSentences.index(SENTENCES, {"it": embedder.index})
    batch = data.batch(list(range(len(SENTENCES))))
    outputs = embedder(batch.views["it"], batch.mask)
    assert outputs.shape == (3, 5, embedder.output_dim)
    for row, length in enumerate(LENGTHS):
        alone = data.batch([row])
        vectors = embedder(alone.views["it"], alone.mask)
        torch.testing.assert_close(vectors[0], outputs[row, :length])

    check_save_and_load(embedder, again)
    assert torch.equal(again(batch.views["it"], batch.mask), outputs)
    for sentence in SENTENCES:
        assert torch.equal(again.index(sentence), embedder.index(sentence))
    assert (
        len(
            embedder.index(Sentence(["Neverseen", "\u00e9\U0001f600"], columns={"...": ["9", "2"]}))
        )
        == 2
    )
    check_gradients(embedder, (outputs[batch.mask] - 1).square().sum())


@every(TaggerHead)
def test_a_head(name: str) -> None:
    torch.manual_seed(0)
    plan = plan_of(TaggerHead, name)
    head, again = plan(input_dim=WIDTH, tags=TAGS), plan(input_dim=WIDTH, tags=TAGS)
    encoded = torch.randn(len(LENGTHS), max(LENGTHS), WIDTH)
    mask = mask_of(LENGTHS, max(LENGTHS))
    gold = torch.randint(0, len(TAGS), mask.shape)

    loss = head.loss(encoded, gold, mask)
    paths = head.decode(encoded, mask)
    marginals = head.tag_probabilities(encoded, mask)
    best, log_probabilities = head.k_best(encoded, mask, 3)
    assert (loss.shape, paths.shape) == ((3,), (3, 5))
    assert (loss >= 0).all()
    assert paths.dtype == torch.long
    assert not paths[~mask].any()
    assert marginals.shape == (3, 5, len(TAGS))
    torch.testing.assert_close(marginals.sum(2), mask.float())
    assert (best.shape, log_probabilities.shape) == ((3, 3, 5), (3, 3))
    assert torch.equal(best[:, 0], paths)
    assert (log_probabilities.diff(dim=1) <= 0).all()
    assert (log_probabilities <= 0).all()

    # the spans of one token sum up, over labels, to no more than its not being O
    spans = [
        [row, t, t + 1, label]
        for row, n in enumerate(LENGTHS)
        for t in range(n)
        for label in (0, 1)
    ]
    shares = head.span_probabilities(encoded, mask, torch.tensor(spans)).view(-1, 2).sum(1)
    assert (shares <= 1 - marginals[..., 0][mask] + 1e-6).all()

    wider = torch.cat([encoded, torch.randn(3, 4, WIDTH)], 1)
    longer = mask_of(LENGTHS, 9)
    more_gold = torch.cat([gold, torch.zeros(3, 4, dtype=torch.long)], 1)
    torch.testing.assert_close(head.loss(wider, more_gold, longer), loss)
    assert torch.equal(head.decode(wider, longer)[:, :5], paths)
    for row, length in enumerate(LENGTHS):
        one = slice(row, row + 1), slice(length)
        torch.testing.assert_close(
            head.loss(encoded[one], gold[one], mask[one]), loss[row : row + 1]
        )
        assert torch.equal(head.decode(encoded[one], mask[one]), paths[one])

    check_save_and_load(head, again)
    assert torch.equal(again.decode(encoded, mask), paths)
    check_gradients(head, loss.sum())


@every(TaggerHead)
def test_a_head_decodes_what_the_scheme_allows(name: str) -> None:
    torch.manual_seed(0)
    head = plan_of(TaggerHead, name)(input_dim=WIDTH, tags=TAGS)
    paths = head.decode(torch.randn(50, 7, WIDTH), torch.ones(50, 7, dtype=torch.bool))
    for path in paths.tolist():
        assert TAGS.encode(TAGS.decode(path), 7).tolist() == path


@every(Optimizer)
def test_an_optimizer(name: str) -> None:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = plan_of(Optimizer, name)(parameters=list(model.named_parameters()))
    before = model.weight.clone()
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    assert not torch.equal(model.weight, before)


@every(LearningRateScheduler)
def test_a_schedule(name: str) -> None:
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), 1.0)
    scheduler = plan_of(LearningRateScheduler, name)(optimizer=optimizer)
    for _ in range(30):
        optimizer.step()
        advance(scheduler, 0.0)
    assert 0 <= optimizer.param_groups[0]["lr"] <= 1


def callback_of(name: str) -> Callback:
    """One as a config gives it; skips the test where its package isn't installed."""
    try:
        callback: Callback = plan_of(Callback, name)()
        return callback
    except ConfigError as error:
        told = str(error)
    assert re.search(r"needs the package \w+: pip install \S+ \(No module named", told)
    pytest.skip(told)


@every(Callback)
def test_a_callback(name: str, run_directory: Path, tmp_path: Path) -> None:
    """It is told of a run, of its end by a signal, and of what recovers it."""
    (tmp_path / "config.json").write_bytes((run_directory / "config.json").read_bytes())
    lines = (run_directory / "metrics.jsonl").read_text("utf-8").splitlines()
    history = [json.loads(line) for line in lines]
    for first, last in ((0, 5), (4, 8)):
        callback = callback_of(name)
        callback.on_train_begin(tmp_path, history[:first])
        for metrics in history[first:last]:
            callback.on_epoch_end(metrics)
        if last == len(history):
            callback.on_train_end(json.loads((run_directory / "metrics.json").read_bytes()))
        callback.close()
    callback_of(name).close()  # of a run that never began


@every(WeightAverage)
def test_an_average(name: str) -> None:
    """Between the least and the greatest weights there were, and put in place for a while."""
    model = nn.Linear(1, 1, bias=False)
    average = plan_of(WeightAverage, name)(model=model)
    for value in range(40):
        with torch.no_grad():
            model.weight.fill_(value)
        average.after_step()
    for epoch in range(2):
        average.after_epoch(epoch)
    with average.in_place():
        assert 0 < model.weight.item() <= 39
    assert model.weight.item() == 39


def test_every_key_of_every_part_is_documented() -> None:
    from ner_registry.config.registry import kinds

    for kind in kinds().values():
        for name, part in kind.registered().items():
            if not part.__module__.startswith("ner_registry."):
                continue  # another test's, in this process
            documentation = inspect.getdoc(part) or ""
            for key in config_parameters(part):
                assert f"\n    {key}:" in documentation, f"{kind.__name__} {name}: {key}"
