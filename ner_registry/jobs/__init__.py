"""Whole jobs: train a declared experiment, evaluate a model on a file."""
