"""Sentences, tag schemes, vocabularies, batches and where data files come from."""
