"""Views come back as they were given, padded, whatever their shapes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ner_registry.data.indexed import IndexedSentences
from ner_registry.data.sentence import Sentence
from ner_registry.errors import RunError

SENTENCES = [Sentence(["a"] * length) for length in (3, 1, 4, 2)]


def padded(parts: list[Tensor]) -> Tensor:
    shape = [max(sizes) for sizes in zip(*(part.shape for part in parts), strict=True)]
    whole = torch.zeros(len(parts), *shape, dtype=parts[0].dtype)
    for row, part in zip(whole, parts, strict=True):
        row[tuple(map(slice, part.shape))] = part
    return whole


@pytest.mark.parametrize(
    "widths",
    [
        [(), (), (), ()],
        [(5,), (5,), (5,), (5,)],
        [(0,), (0,), (0,), (0,)],
        [(2,), (0,), (1,), (7,)],
        [(2, 3), (4, 1), (1, 1), (3, 5)],
        [(2, 3, 2), (4, 1, 1), (1, 0, 1), (3, 5, 2)],
    ],
)
@pytest.mark.parametrize("dtype", [torch.long, torch.int32, torch.float32, torch.bfloat16])
def test_views_of_any_shape(widths: list[tuple[int, ...]], dtype: torch.dtype) -> None:
    views = [
        torch.randint(1, 100, (len(sentence), *width)).to(dtype)
        for sentence, width in zip(SENTENCES, widths, strict=True)
    ]
    turn = iter(views)
    data = IndexedSentences.index(SENTENCES, {"it": lambda sentence: next(turn)})
    for numbers in ([0], [2, 1], [3, 0, 2, 1]):
        view = data.batch(numbers).views["it"]
        assert view.dtype == dtype
        assert torch.equal(view, padded([views[number] for number in numbers]))


@pytest.mark.parametrize("other", [torch.zeros(1, 2), torch.zeros(1, dtype=torch.long)])
def test_views_of_several_kinds_are_refused(other: Tensor) -> None:
    turn = iter([torch.zeros(3), other])
    with pytest.raises(RunError, match=r"embedders.it: index must give torch.float32 in 1"):
        IndexedSentences.index(SENTENCES, {"it": lambda sentence: next(turn)})
