from __future__ import annotations

from typing import Any

import pytest
import torch

from ner_registry.data.sentence import Sentence
from ner_registry.data.vocabulary import UNKNOWN, Vocabulary
from ner_registry.embedders import CharacterCnn, CharacterLstm
from ner_registry.embedders.spelling import MAX_LENGTH

SENTENCES = [Sentence(["Oslo", "is", "a", "town"]), Sentence(["x" * 30 + "y" * 30])]
KINDS = pytest.mark.parametrize("kind", [CharacterCnn, CharacterLstm])


@KINDS
def test_a_very_long_word_is_read_without_its_middle(kind: Any) -> None:
    embedder = kind(Vocabulary(SENTENCES))
    view = embedder.index(SENTENCES[1])
    x, y = embedder.vocab["x"], embedder.vocab["y"]
    half = MAX_LENGTH // 2
    assert view.tolist() == [[x] * half + [y] * half]


@KINDS
def test_the_same_word_has_the_same_vector_wherever_it_stands(kind: Any) -> None:
    embedder = kind(Vocabulary(SENTENCES)).eval()
    view = embedder.index(Sentence(["is", "Oslo", "is"])).unsqueeze(0)
    vectors = embedder(view, torch.ones(1, 3, dtype=torch.bool))[0]
    torch.testing.assert_close(vectors[0], vectors[2])
    assert not torch.allclose(vectors[0], vectors[1])


@KINDS
def test_characters_are_hidden_in_training_alone(kind: Any) -> None:
    embedder = kind(Vocabulary(SENTENCES), character_dropout=1.0)
    known = embedder.index(Sentence(["Oslo"])).unsqueeze(0)
    hidden = torch.full_like(known, UNKNOWN)
    mask = torch.ones(1, 1, dtype=torch.bool)
    torch.testing.assert_close(embedder.train()(known, mask), embedder(hidden, mask))
    embedder.eval()
    assert not torch.allclose(embedder(known, mask), embedder(hidden, mask))


def test_a_character_lstm_reads_to_both_ends() -> None:
    torch.manual_seed(0)
    embedder = CharacterLstm(Vocabulary(SENTENCES), embedding_dim=3, hidden_size=2).eval()
    view = embedder.index(Sentence(["Oslo", "a"]))
    vectors = embedder(view.unsqueeze(0), torch.ones(1, 2, dtype=torch.bool))[0]
    ahead, back = embedder.layer.forwards[0], embedder.layer.backwards[0]
    for row, length in enumerate((4, 1)):
        symbols = embedder.symbols(view[row : row + 1, :length])
        torch.testing.assert_close(vectors[row, :2], ahead(symbols)[0][0, -1])
        torch.testing.assert_close(vectors[row, 2:], back(symbols.flip(1))[0][0, -1])
