"""Span probabilities of both heads against the sum over every tag sequence, in every scheme."""

from __future__ import annotations

import itertools
from typing import Literal, get_args

import pytest
import torch

from ner_registry.data.schemes import Span, TagScheme, illegal_positions, tags_to_spans
from ner_registry.data.tags import TagSet
from ner_registry.heads import CrfHead, SoftmaxHead

LENGTH = 3


@pytest.mark.parametrize("scheme", get_args(TagScheme))
@pytest.mark.parametrize("constraints", ["off", "decoding"])
@pytest.mark.parametrize("head_class", [CrfHead, SoftmaxHead])
def test_span_probabilities_sum_over_tag_sequences(
    scheme: TagScheme,
    constraints: Literal["off", "decoding"],
    head_class: type[CrfHead] | type[SoftmaxHead],
) -> None:
    torch.manual_seed(0)
    tags = TagSet(scheme, ["X", "Y"])
    head = head_class(4, tags, constraints=constraints).double()
    encoded = torch.randn(1, LENGTH, 4, dtype=torch.float64)
    mask = torch.ones(1, LENGTH, dtype=torch.bool)

    emissions = head.projection(encoded)[0]
    weights: dict[tuple[str, ...], float] = {}
    for path in itertools.product(range(len(tags)), repeat=LENGTH):
        sequence = tuple(tags.tags[index] for index in path)
        if constraints == "decoding" and illegal_positions(sequence, scheme):
            continue
        score = sum(emissions[t, tag] for t, tag in enumerate(path))
        if isinstance(head, CrfHead):
            score = score + head.crf.start[path[0]] + head.crf.end[path[-1]]
            score = score + sum(head.crf.transitions[a, b] for a, b in itertools.pairwise(path))
        weights[sequence] = float(torch.as_tensor(score).detach().exp())
    total = sum(weights.values())

    spans = [
        Span(label, start, end)
        for label in tags.labels
        for start in range(LENGTH)
        for end in range(start + 1, LENGTH + 1)
    ]
    asked = torch.tensor([[0, s.start, s.end, tags.label_index(s.label)] for s in spans])
    shares = head.span_probabilities(encoded, mask, asked).tolist()
    for span, share in zip(spans, shares, strict=True):
        expected = sum(w for sequence, w in weights.items() if span in tags_to_spans(sequence))
        assert share == pytest.approx(expected / total, abs=1e-12)

    best = max(weights, key=lambda sequence: weights[sequence])
    found = head.decode(encoded, mask)[0].tolist()
    assert tuple(tags.tags[index] for index in found) == best


def test_a_likelihood_over_the_allowed_sequences_alone() -> None:
    torch.manual_seed(0)
    tags = TagSet("IOB2", ["X"])
    free, bound = (
        CrfHead(4, tags, constraints="decoding"),
        CrfHead(4, tags, constraints="training"),
    )
    bound.load_state_dict(free.state_dict())
    encoded, mask = torch.randn(1, LENGTH, 4), torch.ones(1, LENGTH, dtype=torch.bool)
    gold = tags.encode([Span("X", 0, 2)], LENGTH).unsqueeze(0)
    assert bound.loss(encoded, gold, mask) < free.loss(encoded, gold, mask)


def test_label_smoothing_is_for_training_alone() -> None:
    torch.manual_seed(0)
    tags = TagSet("IOB2", ["X"])
    head, plain = SoftmaxHead(4, tags, label_smoothing=0.3), SoftmaxHead(4, tags)
    plain.load_state_dict(head.state_dict())
    encoded, mask = torch.randn(2, LENGTH, 4), torch.tensor([[True] * 3, [True, False, False]])
    gold = torch.tensor([[0, 1, 2], [1, 0, 0]])
    log_probabilities = head.projection(encoded).log_softmax(2)
    of_gold = -log_probabilities.gather(2, gold.unsqueeze(2)).squeeze(2)
    smoothed = 0.7 * of_gold - 0.3 * log_probabilities.mean(2)
    torch.testing.assert_close(head.train().loss(encoded, gold, mask), (smoothed * mask).sum(1))
    torch.testing.assert_close(
        head.eval().loss(encoded, gold, mask), plain.loss(encoded, gold, mask)
    )
