"""The kernels of the chain, a CPU's and a GPU's, against the same in log space.

Where there is no GPU, Triton's interpreter runs the latter, at a snail's pace.
"""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from ner_registry.nn import chain_operators
from ner_registry.nn import log_space as in_log_space
from ner_registry.nn.kernels import HAS_NUMBA
from ner_registry.nn.recurrent import BidirectionalRecurrent
from ner_registry.nn.threads import computing

pytestmark = pytest.mark.skipif(not HAS_NUMBA, reason="numba isn't installed: no kernels")
Shape = tuple[int, int, int]
Chain = Any  # emissions, transitions, start, end, mask

operators: Any = chain_operators
log_space: Any = in_log_space
SIZES = [(1, 1, 1), (1, 6, 2), (5, 7, 9), (8, 12, 17), (3, 20, 40)]
KINDS = ["plain", "constrained", "hard", "wide", "impossible emissions"]
SMALL = [(1, 1, 1), (2, 5, 3)]  # for the interpreter


@pytest.fixture(scope="module")
def on_gpu() -> Any:
    """The same three functions, as the GPU's kernels compute them."""
    pytest.importorskip("triton", reason="Triton isn't installed: no kernels for a GPU")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and "TRITON_INTERPRET" not in os.environ:
        pytest.skip("no GPU here")
    from ner_registry.nn.kernels import chain_gpu

    def moved(function: Any) -> Any:
        def run(*tensors: Tensor) -> Any:
            found = function(*(tensor.to(device) for tensor in tensors))
            return found.cpu() if isinstance(found, Tensor) else [part.cpu() for part in found]

        return run

    names = ("log_likelihood", "viterbi", "span_probabilities")
    return SimpleNamespace(**{name: moved(getattr(chain_gpu, name)) for name in names})


def make_chain(size: int, length: int, tags: int, kind: str, dtype: torch.dtype) -> Chain:
    generator = torch.Generator().manual_seed(size + length + tags)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    emissions, transitions, start, end = (
        3 * draw(size, length, tags),
        draw(tags, tags),
        draw(tags),
        draw(tags),
    )
    if kind == "constrained":  # a tag goes on or steps to the next one
        reach = torch.arange(tags)
        transitions[(reach - reach.unsqueeze(1)) % tags > 1] = -torch.inf
        start[1:] = -torch.inf
    if kind == "hard":
        transitions[0, :-1] = -1e4
    if kind == "wide":
        emissions *= 3e3
    if kind == "impossible emissions":
        emissions[:, ::2, 1:] = -torch.inf
    lengths = torch.randint(0, length + 1, (size, 1), generator=generator)
    lengths[0] = length
    mask = torch.arange(length) < lengths
    emissions[~mask] = torch.nan  # nothing may look at padding
    return (*(t.to(dtype) for t in (emissions, transitions, start, end)), mask)


def exact(chain: Chain) -> Chain:
    emissions, *steps, mask = chain
    found = (emissions.nan_to_num(0, None, -torch.inf), *steps)
    return (*(tensor.double() for tensor in found), mask)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_log_likelihood(shape: Shape, kind: str, dtype: torch.dtype) -> None:
    check_log_likelihood(operators, shape, kind, dtype)


def check_log_likelihood(kernels: Any, shape: Shape, kind: str, dtype: torch.dtype) -> None:
    chain = make_chain(*shape, kind, dtype)
    tags = torch.randint(0, shape[2], shape[:2])
    if kind == "impossible emissions":
        tags[:] = 0
    if kind == "constrained":
        tags[:] = 0
    tags[:, 3::4] = -1
    found = kernels.log_likelihood(*chain, tags)
    expected = log_space.log_likelihood(*exact(chain), tags)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-10
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == dtype
        torch.testing.assert_close(one.double(), other, rtol=tolerance, atol=10 * tolerance)


@pytest.mark.parametrize("score", [30.0, 79.0])
def test_a_tag_out_of_reach_may_score_high(score: float) -> None:
    emissions = torch.tensor([-score, -score, score]).repeat(2, 40, 1)
    transitions, start, end = torch.zeros(3, 3), torch.zeros(3), torch.zeros(3)
    transitions[:2, 2] = start[2] = -torch.inf
    mask, tags = torch.ones(2, 40, dtype=torch.bool), torch.zeros(2, 40, dtype=torch.long)
    chain = emissions, transitions, start, end, mask
    found = operators.log_likelihood(*chain, tags)
    expected = log_space.log_likelihood(*exact(chain), tags)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("wrong", [1, 2, 3])
def test_scores_of_steps_must_be_as_many_as_the_tags(wrong: int) -> None:
    chain = list(make_chain(2, 4, 3, "plain", torch.float32))
    chain[wrong] = torch.zeros(2, 2) if wrong == 1 else torch.zeros(2)
    with pytest.raises(ValueError, match="transitions, start and end of 3 tags"):
        operators.viterbi(*chain)


def test_a_tag_there_is_not_is_refused() -> None:
    chain = make_chain(2, 4, 3, "plain", torch.float32)
    with pytest.raises((IndexError, RuntimeError), match="out of"):
        operators.log_likelihood(*chain, torch.full((2, 4), 9))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_viterbi(shape: Shape, kind: str) -> None:
    check_viterbi(operators, shape, kind)


def check_viterbi(kernels: Any, shape: Shape, kind: str) -> None:
    chain = make_chain(*shape, kind, torch.float32)
    emissions, *steps, mask = chain
    clean = emissions.nan_to_num(0, None, -torch.inf)
    assert torch.equal(kernels.viterbi(*chain), log_space.viterbi(clean, *steps, mask))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("k", [1, 4])
def test_k_best(shape: tuple[int, int, int], kind: str, k: int) -> None:
    chain = make_chain(*shape, kind, torch.float64)
    k = min(k, shape[2] ** shape[1])
    paths, scores = operators.k_best(*chain, k)
    expected, expected_scores = log_space.k_best(*exact(chain), k)
    torch.testing.assert_close(scores, expected_scores)
    assert torch.equal(paths, expected)
    clearest = operators.viterbi(*chain)
    assert torch.equal(paths[:, 0], clearest)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [*SIZES[1:-1], (2, 6, 40)], ids=str)
def test_span_probabilities(shape: Shape, kind: str) -> None:
    check_span_probabilities(operators, shape, kind)


def check_span_probabilities(kernels: Any, shape: Shape, kind: str) -> None:
    size, _, tags = shape
    chain = make_chain(*shape, kind, torch.float32)
    labels = (torch.arange(tags) - 1) // 2
    continues = (labels == labels.unsqueeze(1)) & (torch.arange(tags) % 2 == 0)
    continues[labels < 0] = False
    spans = torch.tensor(
        [
            (row, start, end, label)
            for row in range(size)
            for start in range(int(chain[-1][row].sum()))
            for end in range(start + 1, int(chain[-1][row].sum()) + 1)
            for label in range(max(1, int(labels.max()) + 1))
        ]
    ).view(-1, 4)
    found = kernels.span_probabilities(*chain, spans, labels, continues)
    expected = log_space.span_probabilities(*exact(chain), spans, labels, continues)
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-6)
    assert ((found >= 0) & (found <= 1 + 1e-6)).all()


def test_a_gpus_kernels_without_one() -> None:
    """In a process of its own, since Triton asks once whether to interpret."""
    pytest.importorskip("triton", reason="Triton isn't installed: no kernels for a GPU")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", __file__, "-k", "test_on_a_gpu"]
    environment = os.environ | {"TRITON_INTERPRET": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert f"{len(KINDS)} passed" in done.stdout


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the interpreter: a logarithm of 0
@pytest.mark.parametrize("kind", KINDS)
def test_on_a_gpu(on_gpu: Any, kind: str) -> None:
    has_gpu = torch.cuda.is_available()
    for shape in SIZES if has_gpu else SMALL:
        check_log_likelihood(on_gpu, shape, kind, torch.float32)
        check_viterbi(on_gpu, shape, kind)
    if has_gpu or kind == "constrained":
        check_log_likelihood(on_gpu, SMALL[1], kind, torch.float64)
        check_span_probabilities(on_gpu, SMALL[1], kind)


def test_shared_rows_change_nothing() -> None:
    chain = make_chain(400, 20, 9, "plain", torch.float32)
    tags = torch.zeros(400, 20, dtype=torch.long)
    model = BidirectionalRecurrent("lstm", 1, hidden_size=1)
    found = []
    for threads in (1, 2, 5):
        with computing(model, threads):
            found.append([*operators.log_likelihood(*chain, tags), operators.viterbi(*chain)])
    for other in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(found[0], other, strict=True))


def test_a_long_sentence_with_constraints_out_of_reach() -> None:
    """What one tag loses beside another decides, once the other can't end the sentence."""
    emissions = torch.zeros(1, 2000, 2)
    emissions[:, :, 1] = 3
    transitions = torch.tensor([[0.0, -torch.inf], [-torch.inf, 0.0]])
    end = torch.tensor([0.0, -torch.inf])
    mask = torch.ones(1, 2000, dtype=torch.bool)
    chain = (emissions, transitions, torch.zeros(2), end, mask)
    none = torch.full((1, 2000), -1)
    likelihood, marginals, _ = operators.log_likelihood(*chain, none)
    assert likelihood.item() == pytest.approx(0)
    assert (marginals[0, :, 0] == -1).all()


def test_nan_is_told() -> None:
    emissions, *rest = make_chain(2, 3, 4, "plain", torch.float32)
    emissions[0, 1, 2] = torch.nan
    tags = torch.zeros(2, 3, dtype=torch.long)
    likelihood = operators.log_likelihood(emissions, *rest, tags)[0]
    assert likelihood[0].isnan()


def test_the_operators_are_sound() -> None:
    chain = exact(make_chain(2, 3, 4, "plain", torch.float32))
    for tensor in chain[:4]:
        tensor.requires_grad_()
    tags = torch.zeros(2, 3, dtype=torch.long)
    checks = ("test_schema", "test_autograd_registration", "test_faketensor")
    registered = torch.ops.ner_registry
    torch.library.opcheck(registered.chain_log_likelihood, (*chain, tags), test_utils=checks)
    with torch.no_grad():
        torch.library.opcheck(registered.chain_viterbi, chain, test_utils=checks)
        torch.library.opcheck(registered.chain_k_best, (*chain, 2), test_utils=checks)
        spans = torch.tensor([[0, 0, 1, 0]]), torch.tensor([-1, 0, 0, 0]), torch.eye(4) > 0
        torch.library.opcheck(
            registered.chain_span_probabilities, (*chain, *spans), test_utils=checks
        )


def test_torch_compile_takes_them_whole() -> None:
    emissions, *rest = exact(make_chain(3, 5, 4, "plain", torch.float32))
    tags = torch.zeros(3, 5, dtype=torch.long)

    def loss(emissions: Tensor) -> Tensor:
        found: Tensor = operators.log_likelihood(2 * emissions, *rest, tags)[0]
        return found.sum()

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    found = []
    for function in (loss, compiled):
        leaf = emissions.clone().requires_grad_()
        value = function(leaf)
        value.backward()
        found.append((value.detach(), leaf.grad))
    torch.testing.assert_close(found[0], found[1])
