"""The document around a sentence."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ner_registry.encoders import Context, DocumentEncoder, LstmEncoder

LENGTHS = [4, 2, 3, 1, 5]
WORDS = torch.arange(25).view(5, 5)
DOCUMENTS = Context(torch.tensor([7, 7, 7, 8, 8]), WORDS)


def parts() -> tuple[DocumentEncoder, Tensor, Tensor]:
    torch.manual_seed(0)
    encoder = DocumentEncoder(3, encoder=partial(LstmEncoder, hidden_size=2)).eval()
    mask = torch.arange(5) < torch.tensor(LENGTHS).unsqueeze(1)
    return encoder, torch.randn(5, 5, 3), mask


def test_it_reads_a_document_as_one_sequence() -> None:
    encoder, inputs, mask = parts()
    outputs = encoder(inputs, mask, DOCUMENTS)
    for first, stop in ((0, 3), (3, 5)):
        pieces = []
        for row in range(first, stop):
            pieces += [encoder.boundary.unsqueeze(0), inputs[row, : LENGTHS[row]]]
        joined = torch.cat(pieces).unsqueeze(0)
        encoded = encoder.encoder(joined, torch.ones(joined.shape[:2], dtype=torch.bool))[0]
        place = 0
        for row in range(first, stop):
            place += 1
            torch.testing.assert_close(
                outputs[row, : LENGTHS[row]], encoded[place : place + LENGTHS[row]]
            )
            place += LENGTHS[row]
    assert not outputs[~mask].any()


def test_only_sentences_of_the_same_document_matter() -> None:
    encoder, inputs, mask = parts()
    outputs = encoder(inputs, mask, DOCUMENTS)
    changed = inputs.clone()
    changed[4] += 1
    after = encoder(changed, mask, DOCUMENTS)
    torch.testing.assert_close(after[:3], outputs[:3])
    assert not torch.allclose(after[3, 0], outputs[3, 0])


def test_without_documents_each_sentence_is_one() -> None:
    encoder, inputs, mask = parts()
    torch.testing.assert_close(
        encoder(inputs, mask), encoder(inputs, mask, Context(torch.arange(5), WORDS))
    )
