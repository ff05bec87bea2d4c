"""Span probabilities of both heads against the sum over every tag sequence, in every scheme."""

from __future__ import annotations

import itertools
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

import pytest
import torch
from torch import Tensor

from ner_registry.build import index_sentences
from ner_registry.data.schemes import (
    Span,
    TagScheme,
    illegal_positions,
    spans_to_tags,
    tags_to_spans,
)
from ner_registry.data.tags import TagSet
from ner_registry.heads import CrfHead, SoftmaxHead
from ner_registry.nn.linear_chain import LinearChain
from ner_registry.predictor import load
from ner_registry.readers import ConllReader
from ner_registry.tagger import Tagger, read_taggings

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


def sampled(chain: LinearChain, row: int, count: int) -> Tensor:
    """Paths of a sentence drawn from the model, (count, length): forwards, then back."""
    length = int(chain.mask[row].sum())
    emissions, transitions = chain.emissions[row].double(), chain.transitions.double()
    sums = [chain.start.double() + emissions[0]]
    for emission in emissions[1:length]:
        sums.append((sums[-1].unsqueeze(1) + transitions).logsumexp(0) + emission)
    last = (sums[-1] + chain.end.double()).softmax(0).multinomial(count, replacement=True)
    path = [last]
    for before in reversed(sums[:-1]):
        weights = (before + transitions[:, path[-1]].t()).softmax(1)
        path.append(weights.multinomial(1).squeeze(1))
    return torch.stack(path[::-1], 1)


def test_probabilities_are_frequencies_in_what_a_trained_model_draws(
    run_directory: Path, root: Path
) -> None:
    tagger = load(run_directory, device="cpu").tagger
    assert isinstance(tagger, Tagger)
    path = root / "ner_registry" / "sample" / "test.conll"
    sentences = list(islice(ConllReader().read(path), 40))
    batch = index_sentences(tagger, sentences).batch([*range(len(sentences))])
    torch.manual_seed(0)
    draws = 4000
    with torch.inference_mode():
        encoded = tagger.encode(batch)
        chain = tagger.head._inferred(encoded, batch.mask)  # type: ignore[operator]
        found = tagger.tag_k_best(batch, 3)
        for row, (scored, taggings) in enumerate(found):
            paths = sampled(chain, row, draws)
            spans = Counter(map(tuple, tagger.tags.find_spans(paths.numpy())[:, 1:].tolist()))
            unsure = [span for span, count in spans.items() if count > draws / 100]
            asked = torch.tensor([(row, *span) for span in unsure], dtype=torch.long).view(-1, 4)
            exact = tagger.head.span_probabilities(encoded, batch.mask, asked).tolist()
            claims = {span: (spans[span], p) for span, p in zip(unsure, exact, strict=True)}
            for (label, start, end), score in scored:
                key = (start, end, tagger.tags.labels.index(label))
                assert claims.get(key, (0, 0.0))[1] == pytest.approx(score, abs=1e-5)
            whole = Counter(map(tuple, paths.tolist()))
            for k, (entities, probability) in enumerate(taggings):
                tags = tuple(tagger.tags.encode(entities, paths.shape[1]).tolist())
                claims[k, 0, 0] = (whole[tags], probability)
            for count, probability in claims.values():
                deviation = (probability * (1 - probability) / draws) ** 0.5
                assert abs(count / draws - probability) < 5 * deviation + 1e-3


@pytest.mark.parametrize("scheme", get_args(TagScheme))
@pytest.mark.parametrize("head_class", [CrfHead, SoftmaxHead])
def test_the_best_taggings_are_all_there_are(
    scheme: TagScheme, head_class: type[CrfHead] | type[SoftmaxHead]
) -> None:
    """Asked for more than there are, a head gives every sequence that its scheme allows."""
    torch.manual_seed(0)
    tags = TagSet(scheme, ["X"])
    head = head_class(4, tags).double()
    encoded = torch.randn(1, LENGTH, 4, dtype=torch.float64)
    mask = torch.ones(1, LENGTH, dtype=torch.bool)
    (taggings,) = read_taggings(*head.k_best(encoded, mask, 1000), tags)
    found = [tuple(spans_to_tags(spans, LENGTH, scheme)) for spans, _ in taggings]
    sequences = itertools.product(tags.tags, repeat=LENGTH)
    assert set(found) == {s for s in sequences if not illegal_positions(s, scheme)}
    assert len(found) == len(set(found))
    probabilities = [tagging.probability for tagging in taggings]
    assert sum(probabilities) == pytest.approx(1)
    assert probabilities == sorted(probabilities, reverse=True)
    asked = torch.tensor([[0, 0, 2, 0]])
    with_it = sum(tagging.probability for tagging in taggings if Span("X", 0, 2) in tagging.spans)
    assert head.span_probabilities(encoded, mask, asked).item() == pytest.approx(with_it)


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
