"""The bootstrap against loops that do what its definition says."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from ner_registry.data.schemes import Span
from ner_registry.errors import NerError
from ner_registry.reports.bootstrap import f1, interval, p_value, resampled, units_of
from ner_registry.reports.judged import Judged
from ner_registry.reports.significance import f1_differences, seeds_p


def test_units_are_documents_where_there_are_enough() -> None:
    few = units_of([0, 0, 1, 1], 4)
    assert (few.name, few.count) == ("sentences", 4)
    many = units_of([7 * (n // 2) for n in range(60)], 60)
    assert (many.name, many.count) == ("documents", 30)
    counts = np.arange(60.0)[:, None]
    assert many.total(counts)[:, 0].tolist() == [4 * n + 1 for n in range(30)]
    assert units_of(None, 3).count == 3
    with pytest.raises(NerError, match="data's 60 sentences, got 59"):
        units_of([0] * 60, 59)


def test_every_sample_draws_as_many_units() -> None:
    drawn = resampled(np.ones((13, 1)), 5000, np.random.default_rng(0))
    assert drawn.shape == (5000, 1)
    assert set(drawn.ravel()) == {13}


def test_samples_are_those_of_all_equally_likely_draws() -> None:
    """Three units: the share of each sum is that of the 27 draws that make it."""
    counts = np.array([[0.0], [1.0], [5.0]])
    drawn = resampled(counts, 60_000, np.random.default_rng(0)).ravel()
    sums = [sum(draw) for draw in product([0, 1, 5], repeat=3)]
    for value in set(sums):
        assert (drawn == value).mean() == pytest.approx(sums.count(value) / 27, abs=0.008)


def test_f1_is_the_harmonic_mean() -> None:
    counts = np.array([[3.0, 4.0, 6.0], [0, 0, 0], [0, 2, 0]])
    precision, recall = 3 / 4, 3 / 6
    assert f1(counts).tolist() == pytest.approx([2 / (1 / precision + 1 / recall), 0, 0])


def test_the_interval_leaves_a_fortieth_on_either_side() -> None:
    low, high = interval(np.arange(1001.0))
    assert [float(low), float(high)] == [25, 975]


def test_p_is_how_often_chance_is_as_great() -> None:
    differences = np.array([0.0, 0.5, 1.0, 1.0, 1.5, 2.0, 2.1, -0.1, 1.0, 1.0])
    # away from the observed 1 by at least 1: 0.0, 2.0, 2.1 and -0.1
    assert p_value(np.array(1.0), differences) == pytest.approx(5 / 11)
    assert p_value(np.array(0.0), differences) == 1


def run(right: float, seed: int, sentences: int = 400) -> list[Judged]:
    """Sentences of one entity that is found so often."""
    found = np.random.default_rng(seed).random(sentences) < right
    span = Span("A", 0, 1)
    return [Judged(["x"], [span], [span] if f else [], [0.9] if f else []) for f in found]


def test_a_run_doesnt_differ_from_itself() -> None:
    one = run(0.8, 0)
    for row in f1_differences([one], [one], units_of(None, len(one))):
        assert (row.difference, row.low, row.high, row.p) == (0, 0, 0, 1)


def test_a_better_run_is_told_from_chance() -> None:
    worse, better, as_good = run(0.6, 0), run(0.9, 1), run(0.6, 2)
    units = units_of(None, len(worse))
    overall, of_label = f1_differences([worse], [better], units)
    assert overall.p < 0.001
    assert 0 < overall.low < overall.difference < overall.high
    assert overall.difference == pytest.approx(overall.second - overall.first)
    assert of_label.difference == overall.difference
    assert f1_differences([worse], [as_good], units)[0].p > 0.05


def test_the_order_of_groups_is_the_sign_alone() -> None:
    first, second = [run(0.7, 0), run(0.7, 1)], [run(0.75, 2), run(0.75, 3)]
    units = units_of(None, 400)
    there, back = (f1_differences(*pair, units)[0] for pair in ((first, second), (second, first)))
    assert there.difference == -back.difference
    assert there.p == pytest.approx(back.p, abs=0.05)


def test_seeds_widen_the_interval() -> None:
    """Two groups whose runs differ widely say less than two runs that happen to be apart."""
    units = units_of(None, 400)
    alone = f1_differences([run(0.6, 0)], [run(0.9, 1)], units)[0]
    first = [run(0.3, 0), run(0.9, 1)]
    second = [run(0.9, 2), run(0.9, 3)]
    spread = f1_differences(first, second, units)[0]
    assert spread.high - spread.low > 2 * (alone.high - alone.low)


@pytest.mark.parametrize("seed", range(5))
def test_the_permutation_test_tries_every_split(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.random(3).tolist(), (rng.random(4) + 0.3).tolist()
    values = [*first, *second]

    def gap(chosen: tuple[int, ...]) -> float:
        inside = [values[n] for n in chosen]
        outside = [value for n, value in enumerate(values) if n not in chosen]
        return abs(float(np.mean(inside) - np.mean(outside)))

    gaps = [gap(chosen) for chosen in combinations(range(7), 3)]
    expected = np.mean([g >= gap((0, 1, 2)) - 1e-12 for g in gaps])
    assert seeds_p(first, second) == pytest.approx(expected)


def test_the_permutation_test_on_known_cases() -> None:
    assert seeds_p([1, 2, 3], [4, 5, 6]) == pytest.approx(2 / 20)
    assert seeds_p([1, 1], [1, 1]) == 1
    assert seeds_p([1], [2, 3]) is None
    many = seeds_p(list(range(12)), list(range(20, 32)))  # too many splits to try them all
    assert many is not None
    assert many < 0.001
