"""Parts of a user's own that give what they mustn't: told in a line, never trained with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import Vocabulary
from ner_registry.embedders import Embedding, TokenEmbedder
from ner_registry.encoders import LstmEncoder, PassThroughEncoder, Seq2SeqEncoder
from ner_registry.errors import ConfigError, RunError
from ner_registry.heads import SoftmaxHead, TaggerHead
from ner_registry.jobs.train import train
from ner_registry.nn import chain_operators
from ner_registry.nn.lstm import bidirectional_lstm
from ner_registry.predictor import load
from ner_registry.training.callbacks import Callback

WRONG: Any = {
    "a token too few": lambda vectors: vectors[:, :-1],
    "turned round": lambda vectors: vectors.transpose(0, 1),
    "one row": lambda vectors: vectors[:1],
    "twice as long": lambda vectors: torch.cat([vectors, vectors], 1),
    "too narrow": lambda vectors: vectors[..., :-1],
    "a sum": lambda vectors: vectors.sum(1),
    "a tuple": lambda vectors: (vectors, None),
    "nothing": lambda vectors: None,
}


HOLDING: Any = {
    "stack": lambda encoder: {"type": "stack", "encoders": [encoder]},
    "mentions": lambda encoder: {"type": "mentions", "first": encoder, "second": encoder},
    "document": lambda encoder: {"type": "document", "encoder": encoder},
}


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a part that is registered for one test."""
    for kind in (Seq2SeqEncoder, TokenEmbedder, TaggerHead):
        monkeypatch.setattr(kind, "_parts", kind.registered())
    return "wrong"


def told(config: dict[str, Any], directory: Path) -> str:
    config |= {"data_loader": {"batch_size": 7}}
    with pytest.raises(RunError) as caught:
        train(config, directory, quiet=True)
    (line,) = caught.value.lines()
    return line


@pytest.mark.parametrize(
    ("within", "spoiling"),
    [
        *((None, spoiling) for spoiling in WRONG),
        ("stack", "a tuple"),
        ("mentions", "too narrow"),
        ("document", "twice as long"),
    ],
)
def test_an_encoder(
    within: str | None,
    spoiling: str,
    name: str,
    config: dict[str, Any],
    tmp_path: Path,
) -> None:
    @Seq2SeqEncoder.register(name)
    class Wrong(Seq2SeqEncoder):
        def __init__(self, input_dim: int) -> None:
            super().__init__()
            self.output_dim = 8
            self.layer = nn.Linear(input_dim, 8)

        def forward(self, inputs: Tensor, mask: Tensor) -> Any:
            return WRONG[spoiling](self.layer(inputs))

    config["model"]["encoder"] = {"type": name}
    if within is not None:
        config["model"]["encoder"] = HOLDING[within](config["model"]["encoder"])
    line = told(config, tmp_path / "run")
    assert line.startswith(
        "model.encoder: Wrong.forward must give (batch, length, output_dim), here ("
    )


@pytest.mark.parametrize("spoil", WRONG.values(), ids=WRONG)
def test_an_embedder(
    spoil: Callable[[Tensor], Any], name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    @TokenEmbedder.register(name)
    class Wrong(TokenEmbedder):
        def __init__(self, vocab: Any) -> None:
            super().__init__()
            self.output_dim = 3
            self.layer = nn.Linear(2, 3)

        def index(self, sentence: Sentence) -> Tensor:
            return torch.ones(len(sentence), 2)

        def forward(self, view: Tensor, mask: Tensor) -> Any:
            return spoil(self.layer(view))

    config["model"]["embedders"]["mine"] = {"type": name}
    line = told(config, tmp_path / "run")
    assert line.startswith("model.embedders.mine: Wrong.forward must give (batch, length, ")


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (lambda sentence: [1] * len(sentence), "index must give a tensor as long as the sentence"),
        (lambda sentence: torch.ones(2), "index must give a tensor as long as the sentence"),
        (lambda sentence: vars()["gone"], "Wrong.index raised KeyError: 'gone' ("),
        (lambda sentence: sentence.tokens.pop(), "index must leave the sentence as it is, got it"),
        (
            lambda sentence: torch.ones(len(sentence), device="meta"),
            "index must give a tensor on the cpu, got one on meta",
        ),
    ],
    ids=["a list", "of another length", "raises", "changes its sentence", "elsewhere"],
)
def test_an_index(
    index: Any, expected: str, name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    @TokenEmbedder.register(name)
    class Wrong(TokenEmbedder):
        def __init__(self, vocab: Any) -> None:
            super().__init__()
            self.output_dim = 1

        def index(self, sentence: Sentence) -> Any:
            return index(sentence)

        def forward(self, view: Tensor, mask: Tensor) -> Tensor:
            raise AssertionError

    config["model"]["embedders"]["mine"] = {"type": name}
    line = told(config, tmp_path / "run")
    assert line.startswith(f"model.embedders.mine: {expected}")
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_what_pytorch_raises_in_a_part_is_the_parts(
    name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    @Seq2SeqEncoder.register(name)
    class Wrong(Seq2SeqEncoder):
        def __init__(self, input_dim: int) -> None:
            super().__init__()
            self.output_dim = 8
            self.layer = nn.Linear(input_dim + 1, 8)

        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            outputs: Tensor = self.layer(inputs)
            return outputs

    config["model"]["encoder"] = {"type": name}
    line = told(config, tmp_path / "run")
    assert line.startswith("model.encoder: Wrong.forward raised RuntimeError: mat1 and mat2 shapes")
    assert f"({__file__}:" in line


def test_what_raises_names_its_own_line(name: str, config: dict[str, Any], tmp_path: Path) -> None:
    @Seq2SeqEncoder.register(name)
    class Wrong(Seq2SeqEncoder):
        def __init__(self, input_dim: int) -> None:
            super().__init__()
            self.output_dim = input_dim

        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            raise ValueError("no\nway")

    config["model"]["encoder"] = {"type": name}
    line = told(config, tmp_path / "run")
    assert line.startswith(f"model.encoder: Wrong.forward raised ValueError: no way ({__file__}:")


WRONG_HEADS: Any = {
    "loss in float64": ("loss", lambda found: found.double(), r"(batch,) of torch.float32, got"),
    "decode of numbers": ("decode", lambda found: found.float(), "(batch, length) of torch.int64"),
    "tags left out": ("tag_probabilities", lambda found: found[..., 1:], "(batch, length, tags)"),
    "a list": ("span_probabilities", lambda found: found.tolist(), "(spans,), here"),
    "of any token": (
        "decode",
        lambda found: found + (found == found),
        "tags from 0 to 16, and 0 on padding, where the mask is false, got 1",
    ),
    "beyond the tags": ("decode", lambda found: found - 3, "tags from 0 to 16, and 0 on padding"),
    "no gradient": (
        "loss",
        lambda found: found.detach(),
        "a loss with a gradient, got one without",
    ),
    "not a number": (
        "span_probabilities",
        lambda found: found / 0 - found / 0,
        "numbers from 0 to 1",
    ),
    "logarithms": (
        "span_probabilities",
        lambda found: found.log() - 1,
        "numbers from 0 to 1, got -",
    ),
    "paths alone": (
        "k_best",
        lambda found: found[0],
        "(batch, k) second, here (1, 2), got NoneType",
    ),
    "one path": ("k_best", lambda found: (found[0][:, 0], found[1]), "(batch, k, length) first"),
}


@pytest.mark.parametrize(("method", "spoil", "expected"), WRONG_HEADS.values(), ids=WRONG_HEADS)
def test_a_head(
    method: str,
    spoil: Callable[[Any], Any],
    expected: str,
    name: str,
    config: dict[str, Any],
    tmp_path: Path,
) -> None:
    class Wrong(SoftmaxHead):
        pass

    def wrong(self: Any, *arguments: Any) -> Any:
        return spoil(getattr(SoftmaxHead, method)(self, *arguments))

    setattr(Wrong, method, wrong)
    TaggerHead.register(name)(Wrong)
    config["model"]["head"] = {"type": name}
    config["trainer"] |= {"tune_threshold": True, "num_epochs": 1}

    def use() -> None:
        train(config, tmp_path / "run", quiet=True)
        list(load(tmp_path / "run").tag([Sentence(["Berlin"])], top_k=2))

    with pytest.raises(RunError) as caught:
        use()
    (line,) = caught.value.lines()
    assert line.startswith(f"model.head: Wrong.{method} must give {expected}")


@pytest.mark.parametrize("part", ["embedders.mine", "encoder"])
def test_a_forgotten_super(part: str, name: str, config: dict[str, Any], tmp_path: Path) -> None:
    @TokenEmbedder.register(name)
    class WrongEmbedder(TokenEmbedder):
        def __init__(self, vocab: Any) -> None:
            self.output_dim = 1

        def index(self, sentence: Sentence) -> Tensor:
            return torch.ones(len(sentence), 1)

        def forward(self, view: Tensor, mask: Tensor) -> Tensor:
            return view

    @Seq2SeqEncoder.register(name)
    class WrongEncoder(Seq2SeqEncoder):
        def __init__(self, input_dim: int) -> None:
            self.output_dim = input_dim

        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            return inputs

    if part == "encoder":
        config["model"]["encoder"] = {"type": name}
    else:
        config["model"]["embedders"]["mine"] = {"type": name}
    line = told(config, tmp_path / "run")
    assert line.startswith(f"model.{part}: WrongE")
    assert line.endswith(".__init__ must call super().__init__()")


def test_what_is_not_a_number_before_any_step(
    name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    @Seq2SeqEncoder.register(name)
    class Wrong(Seq2SeqEncoder):
        def __init__(self, input_dim: int) -> None:
            super().__init__()
            self.output_dim = input_dim

        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            return inputs / 0

    config["model"]["encoder"] = {"type": name}
    line = told(config, tmp_path / "run")
    assert ": no step was made before: a part divides by 0 or takes its logarithm; " in line


@pytest.mark.parametrize("keeps", [True, False])
def test_what_an_archive_does_not_hold(
    keeps: bool,
    name: str,
    config: dict[str, Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    @TokenEmbedder.register(name)
    class Numbering(TokenEmbedder):
        """Numbers words as it meets them, and keeps that where no archive does."""

        output_dim = 20

        def __init__(self, vocab: Vocabulary) -> None:
            super().__init__()
            vocab.build(lambda sentence: sentence.tokens)
            self.vocab, self.numbers = vocab, dict[str, int]()
            self.vectors = nn.Embedding(3000, 20)

        def index(self, sentence: Sentence) -> Tensor:
            if keeps:
                numbers = [self.numbers.setdefault(t, len(self.numbers)) for t in sentence.tokens]
                return torch.tensor(numbers)
            return torch.tensor(self.vocab.indices(sentence.tokens))

        def forward(self, view: Tensor, mask: Tensor) -> Tensor:
            vectors: Tensor = self.vectors(view)
            return vectors

    config["model"]["embedders"] = {"mine": {"type": name}}
    train(config, tmp_path / "run", quiet=True)
    warnings = [line for line in caplog.messages if "otherwise than the model" in line]
    assert len(warnings) == keeps


def test_an_encoder_that_reads_padding(
    name: str, config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @Seq2SeqEncoder.register(name)
    class Unpacked(Seq2SeqEncoder):
        def __init__(self, input_dim: int) -> None:
            super().__init__()
            self.output_dim = 32
            self.layer = nn.LSTM(input_dim, 16, batch_first=True, bidirectional=True)

        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            outputs: Tensor = self.layer(inputs)[0]
            return outputs

    config["model"]["encoder"] = {"type": name}
    train(config, tmp_path / "run", quiet=True)
    (warning,) = [line for line in caplog.messages if "alone in their batch" in line]
    assert " of 100 sentences " in warning


def test_a_hook_that_is_never_called() -> None:
    with pytest.raises(
        TypeError, match=r"Wrong\.on_epoch is never called: there are on_train_begin"
    ):

        class Wrong(Callback):
            def on_epoch(self) -> None:
                pass


def test_a_name_that_is_forgotten() -> None:
    register: Any = Seq2SeqEncoder.register
    with pytest.raises(TypeError, match=r"Seq2SeqEncoder\.register needs a name"):

        @register
        class Wrong(Seq2SeqEncoder):
            pass


@pytest.mark.parametrize("hint", [dict, list, tuple, Path, Callable, object, nn.Module])
def test_a_hint_that_no_config_fits(
    hint: Any, name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    class Wrong(Seq2SeqEncoder):
        def __init__(self, input_dim: int, *, mine: Any = None) -> None:
            super().__init__()
            self.output_dim = input_dim

        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            return inputs

    Wrong.__init__.__annotations__["mine"] = hint
    Seq2SeqEncoder.register(name)(Wrong)
    config["model"]["encoder"] = {"type": name}
    with pytest.raises(ConfigError) as caught:
        train(config, tmp_path / "run", quiet=True)
    (line,) = caught.value.lines()
    assert "its parameter 'mine' has a type hint that no config fits: " in line
    assert line.endswith(" a class with type hints, or a union of these")


def test_vectors_of_another_type(name: str, config: dict[str, Any], tmp_path: Path) -> None:
    @Seq2SeqEncoder.register(name)
    class Wrong(Seq2SeqEncoder):
        def __init__(self, input_dim: int) -> None:
            super().__init__()
            self.output_dim = input_dim

        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            return inputs.double()

    config["model"]["encoder"] = {"type": name}
    line = told(config, tmp_path / "run")
    assert line.startswith(
        "model.encoder: Wrong.forward must give (batch, length, output_dim) of torch.float32, "
        "got torch.float64; "
    )


def test_a_tensor_elsewhere(name: str, config: dict[str, Any], tmp_path: Path) -> None:
    @Seq2SeqEncoder.register(name)
    class Wrong(LstmEncoder):
        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            return super().forward(inputs, mask).to("meta")

    config["model"]["encoder"] = {"type": name, "hidden_size": 4}
    line = told(config, tmp_path / "run")
    assert line.startswith(
        "model.encoder: Wrong.forward must give a tensor on cpu, as its inputs are, got one on meta"
    )


def test_a_mask_that_is_changed(name: str, config: dict[str, Any], tmp_path: Path) -> None:
    class Careful(SoftmaxHead):
        def loss(self, encoded: Tensor, tags: Tensor, mask: Tensor) -> Tensor:
            assert mask.any(1).all()
            return super().loss(encoded, tags, mask.logical_not_().logical_not())

    @TokenEmbedder.register(name)
    class Embeds(Embedding):
        def forward(self, view: Tensor, mask: Tensor) -> Tensor:
            return super().forward(view, mask.zero_())

    @Seq2SeqEncoder.register(name)
    class Encodes(PassThroughEncoder):
        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            assert mask.any(1).all()
            return super().forward(inputs, mask.zero_())

    TaggerHead.register(name)(Careful)
    config["model"] = {
        "embedders": {"mine": {"type": name, "embedding_dim": 4}},
        "encoder": {"type": name},
        "head": {"type": name},
    }
    train(config, tmp_path / "run", quiet=True)


def test_weights_that_no_gradient_reaches(
    name: str, config: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    @Seq2SeqEncoder.register(name)
    class Detaches(LstmEncoder):
        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            return super().forward(inputs.detach(), mask)

    config["model"]["encoder"] = {"type": name, "hidden_size": 4}
    train(config, tmp_path / "run", quiet=True)
    (warning,) = [record.getMessage() for record in caplog.records if "no gradient" in record.msg]
    assert warning.startswith("no gradient reaches embedders.")


def test_kernels_never_read_beyond_what_there_is() -> None:
    emissions, steps = torch.randn(2, 4, 3), torch.zeros(3, 3)
    mask = torch.ones(2, 5, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"a mask and tags of \(2, 4\), got \(2, 5\)"):
        chain_operators.viterbi(emissions, steps, steps[0], steps[0], mask)
    layers = nn.LSTM(3, 2, batch_first=True), nn.LSTM(3, 2, batch_first=True)
    with pytest.raises(ValueError, match=r"\(2, 5, 3\), got \(2, 4, 3\)"):
        bidirectional_lstm(emissions, mask, *layers)


def test_a_part_of_another_kind_is_refused(name: str) -> None:
    class Wrong(torch.nn.Module):
        def __init__(self, input_dim: int) -> None:
            super().__init__()

    with pytest.raises(
        TypeError, match=r"Wrong must be a subclass of ner_registry\.\S+\.Seq2SeqEncoder$"
    ):
        Seq2SeqEncoder.register(name)(Wrong)
    assert name not in Seq2SeqEncoder.registered()


def test_what_raises_when_it_is_made_is_the_parts(
    name: str, config: dict[str, Any], tmp_path: Path
) -> None:
    @Seq2SeqEncoder.register(name)
    class Wrong(Seq2SeqEncoder):
        def __init__(self, input_dim: int) -> None:
            self.layer = nn.Linear(input_dim, 8)  # PyTorch wants its own __init__ called before

        def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
            raise NotImplementedError

    config["model"]["encoder"] = {"type": name}
    line = told(config, tmp_path / "run")
    assert line.startswith(
        "model.encoder: Wrong raised AttributeError: cannot assign module before"
    )
    assert f"({__file__}:" in line
