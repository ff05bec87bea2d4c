"""Inference in a chain against the sum over every path, written out."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from ner_registry.nn.linear_chain import Constraints, LinearChain

TAGS = 3
LENGTHS = [4, 2, 1, 3, 0]  # a mix, with a row of padding alone


def make_chain(seed: int = 0, scale: float = 1.0) -> LinearChain:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return scale * torch.randn(shape, generator=generator, dtype=torch.float64)

    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)
    return LinearChain(
        draw(len(LENGTHS), max(LENGTHS), TAGS), draw(TAGS, TAGS), draw(TAGS), draw(TAGS), mask
    )


def constraints() -> Constraints:
    """Tag 2 can't begin a sentence, follow tag 0, or end a sentence."""
    transitions = torch.ones(TAGS, TAGS, dtype=torch.bool)
    transitions[0, 2] = False
    edge = torch.tensor([True, True, False])
    return Constraints(edge, transitions, edge)


@pytest.fixture(params=["free", "constrained"])
def chain(request: pytest.FixtureRequest) -> LinearChain:
    free = make_chain()
    return free if request.param == "free" else free.constrained(constraints())


def paths(chain: LinearChain, row: int) -> Iterator[tuple[tuple[int, ...], float]]:
    """Every path of a sentence with its score: the slow, obvious reference."""
    length = int(chain.mask[row].sum())
    for path in itertools.product(range(TAGS), repeat=length):
        score = sum(float(chain.emissions[row, t, tag]) for t, tag in enumerate(path))
        score += sum(float(chain.transitions[a, b]) for a, b in itertools.pairwise(path))
        if path:
            score += float(chain.start[path[0]] + chain.end[path[-1]])
        yield path, score


def probabilities(chain: LinearChain, row: int) -> dict[tuple[int, ...], float]:
    scored = dict(paths(chain, row))
    weights = torch.tensor(list(scored.values()), dtype=torch.float64).softmax(0).tolist()
    return dict(zip(scored, weights, strict=True))


def test_the_log_partition_sums_every_path(chain: LinearChain) -> None:
    for row, log_z in enumerate(chain.log_partition().tolist()):
        scores = torch.tensor([score for _, score in paths(chain, row)], dtype=torch.float64)
        assert log_z == pytest.approx(float(scores.logsumexp(0)), abs=1e-12)


def test_the_score_is_that_of_the_path() -> None:
    chain = make_chain()
    for row, length in enumerate(LENGTHS):
        for path, score in paths(chain, row):
            tags = torch.zeros(chain.mask.shape, dtype=torch.long)
            tags[row, :length] = torch.tensor(path, dtype=torch.long)
            assert float(
                (chain.log_likelihood(tags) + chain.log_partition())[row]
            ) == pytest.approx(score, abs=1e-12)


def test_marginals_are_shares_of_the_paths(chain: LinearChain) -> None:
    marginals = chain.tag_marginals()
    for row, length in enumerate(LENGTHS):
        expected = torch.zeros(max(LENGTHS), TAGS, dtype=torch.float64)
        for path, probability in probabilities(chain, row).items():
            for t, tag in enumerate(path):
                expected[t, tag] += probability
        torch.testing.assert_close(marginals[row], expected)
        assert not marginals[row, length:].any()


def test_viterbi_and_k_best_find_the_best_paths(chain: LinearChain) -> None:
    k = 5
    best = chain.viterbi()
    several, log_probabilities = chain.k_best(k)
    for row, length in enumerate(LENGTHS):
        ranked = sorted(probabilities(chain, row).items(), key=lambda item: -item[1])
        ranked = [(path, p) for path, p in ranked if p > 0][:k]
        assert tuple(best[row, :length].tolist()) == ranked[0][0]
        assert not best[row, length:].any()
        for rank, (path, probability) in enumerate(ranked):
            assert tuple(several[row, rank, :length].tolist()) == path
            assert log_probabilities[row, rank].exp().item() == pytest.approx(probability)
        assert (log_probabilities[row, len(ranked) :] == float("-inf")).all()


def test_as_many_best_paths_as_there_are(chain: LinearChain) -> None:
    """One more is asked for than the longest sentence has."""
    k = TAGS ** max(LENGTHS) + 1
    several, log_probabilities = chain.k_best(k)
    assert several.shape == (len(LENGTHS), k, max(LENGTHS))
    for row, length in enumerate(LENGTHS):
        expected = {path: p for path, p in probabilities(chain, row).items() if p > 0}
        there = log_probabilities[row] > float("-inf")
        paths_found = [tuple(path) for path in several[row, there, :length].tolist()]
        assert dict(
            zip(paths_found, log_probabilities[row, there].exp().tolist(), strict=True)
        ) == (pytest.approx(expected))
        assert log_probabilities[row].exp().sum().item() == pytest.approx(1)
        assert not several[row, ~there].any()


def test_span_probabilities_are_shares_of_the_paths(chain: LinearChain) -> None:
    labels = torch.tensor([-1, 0, 0])  # as O, B-X, I-X
    continues = torch.tensor([[False] * 3, [False, False, True], [False, False, True]])
    spans = [
        (row, start, end, 0)
        for row, length in enumerate(LENGTHS)
        for start in range(length)
        for end in range(start + 1, length + 1)
    ]
    found = chain.span_probabilities(torch.tensor(spans), labels, continues).tolist()
    for (row, start, end, _), probability in zip(spans, found, strict=True):
        expected = sum(
            p for path, p in probabilities(chain, row).items() if (start, end) in spans_of(path)
        )
        assert probability == pytest.approx(expected, abs=1e-12)


def spans_of(path: tuple[int, ...]) -> set[tuple[int, int]]:
    """Entities of a path of O, B-X, I-X, where an I-X after O begins one (conlleval)."""
    spans = set()
    start = None
    for t, tag in enumerate((*path, 0)):
        if start is not None and tag != 2:
            spans.add((start, t))
            start = None
        if tag and start is None:
            start = t
    return spans


def test_no_span_is_no_probability() -> None:
    none = torch.zeros(0, 4, dtype=torch.long)
    flat = torch.zeros(TAGS, dtype=torch.long), torch.zeros(TAGS, TAGS, dtype=torch.bool)
    assert make_chain().span_probabilities(none, *flat).shape == (0,)


def test_the_gradient_is_right() -> None:
    chain = make_chain()
    inputs = [chain.emissions, chain.transitions, chain.start, chain.end]
    for tensor in inputs:
        tensor.requires_grad_()

    def log_partition(emissions: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
        return LinearChain(emissions, transitions, start, end, chain.mask).log_partition()

    assert torch.autograd.gradcheck(log_partition, inputs)


def test_the_gradient_is_right_under_constraints() -> None:
    chain = make_chain()
    inputs = [chain.emissions, chain.transitions]
    for tensor in inputs:
        tensor.requires_grad_()

    def log_partition(emissions: Tensor, transitions: Tensor) -> Tensor:
        free = LinearChain(emissions, transitions, chain.start, chain.end, chain.mask)
        return free.constrained(constraints()).log_partition()

    assert torch.autograd.gradcheck(log_partition, inputs)


def test_long_sentences_and_great_scores_stay_exact() -> None:
    generator = torch.Generator().manual_seed(1)
    emissions = torch.empty(2, 1000, 5, dtype=torch.float64).uniform_(
        -1e4, 1e4, generator=generator
    )
    transitions = torch.randn(5, 5, generator=generator, dtype=torch.float64)
    edge = torch.zeros(5, dtype=torch.float64)
    mask = torch.ones(2, 1000, dtype=torch.bool)
    exact = LinearChain(emissions, transitions, edge, edge, mask)
    rough = LinearChain(emissions.float(), transitions.float(), edge.float(), edge.float(), mask)
    difference = (exact.log_partition() - rough.log_partition()).abs()
    assert (difference / exact.log_partition().abs()).max() < 1e-5
    assert torch.equal(exact.viterbi(), rough.viterbi())
    marginals = exact.tag_marginals()
    torch.testing.assert_close(marginals.sum(2), torch.ones(2, 1000, dtype=torch.float64))
