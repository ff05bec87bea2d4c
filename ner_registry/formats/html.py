"""A page that shows texts with their entities marked; it needs no network and is never read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from ner_registry.formats.base import Tagged
from ner_registry.formats.colours import hue_of
from ner_registry.formats.texts import TaggedText, texts

_HEAD = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Named entities</title>
<style>
  :root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --tint: 88%; --edge: 42%; }
  @media (prefers-color-scheme: dark) {
    :root { --paper: #15181c; --ink: #e4e7eb; --tint: 24%; --edge: 72%; }
  }
  body {
    margin: 2rem auto; padding: 0 1rem; max-width: 46rem;
    background: var(--paper); color: var(--ink);
    font: 1.05rem/2 system-ui, sans-serif;
  }
  p { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0 0 1rem; }
  mark {
    padding: 0.2em 0.35em; border-radius: 0.3em; color: inherit;
    background: hsl(var(--hue) 70% var(--tint));
    -webkit-box-decoration-break: clone; box-decoration-break: clone;
  }
  mark b {
    margin-left: 0.4em; font-size: 0.7em; letter-spacing: 0.03em; user-select: none;
    color: hsl(var(--hue) 60% var(--edge));
  }
  @media print { body { margin: 0; max-width: none; } mark { print-color-adjust: exact; } }
</style>
</head>
<body>
"""
_FOOT = "</body>\n</html>\n"


def write(tagged: Iterable[Tagged], name: str) -> Iterator[str]:
    """The page, a paragraph per text."""
    yield _HEAD
    for text in texts(tagged):
        yield f"<p>{_marked(text)}</p>\n"
    yield _FOOT


def _marked(text: TaggedText) -> str:
    parts = []
    at = 0
    for entity in text.entities:
        parts.append(escape(text.text[at : entity["start_char"]], quote=False))
        at = entity["end_char"]
        parts.append(_mark(text.text[entity["start_char"] : at], entity))
    return "".join([*parts, escape(text.text[at:], quote=False)])


def _mark(words: str, entity: dict[str, Any]) -> str:
    title = f' title="probability {entity["score"]:.3f}"' if "score" in entity else ""
    label = escape(entity["label"], quote=False)
    return (
        f'<mark style="--hue: {hue_of(entity["label"])}"{title}>'
        f"{escape(words, quote=False)}<b>{label}</b></mark>"
    )
