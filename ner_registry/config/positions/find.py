"""A config's path to a place in its files: certain, or near it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path

from ner_registry.config.positions.files import Files, Place, Position, Source
from ner_registry.config.positions.resolver import Resolver, TooLongError
from ner_registry.config.positions.unused import unused_keys
from ner_registry.config.positions.values import Hit, Layer, Layers, Value


class Positions:
    """The places of a config's values in its main file and in what that imports.

    Whatever the text is, nothing here raises: a place is exact, a guess, or None.

    Args:
        path: the main file.
        text: its text, if it isn't to be read.
    """

    def __init__(self, path: str | Path, text: str | None = None) -> None:
        self._files = Files(path, text)
        self._resolver = Resolver(self._files)

    @property
    def files(self) -> list[str]:
        """The main file and every import in it that can be read, in the order of the text."""
        return [source.name for source in self._files.all()]

    def unused_local_keys(self) -> list[tuple[Position, str]]:
        """Keys of ``local`` objects that nothing reads: ``defaults.b``, and where it is."""
        return [
            (source.position(at, exact=True), key)
            for source in self._files.all()
            if source.tree is not None
            for at, key in unused_keys(source.tree)
        ]

    def find(self, path: Sequence[str]) -> Position | None:
        """Where the value at a config path was written.

        If the path's last keys aren't written anywhere, it is the place of the innermost object
        on the path that is.

        Args:
            path: keys, and indices of lists, from the outermost.
        """
        if self._files.main is None:
            return None
        keys = [str(key) for key in path]
        trail: list[list[Hit]] = []
        clear = False
        # endless recursion is Jsonnet's to refuse; a far place is then as good as we get
        with suppress(TooLongError, RecursionError):
            clear = self._follow(self._files.main, keys, trail)
        if not clear:
            known = [hits for key, hits in zip(keys, trail[1:], strict=False) if key.isidentifier()]
            guess = self._guess(keys, sum(any(hit.sure for hit in hits) for hits in known))
            if guess is not None:
                return guess.source.position(guess.at, exact=False)
        if not trail:
            return None
        hits = trail[-1]
        best = next((hit for hit in hits if hit.sure), hits[0])
        alone = all(hit.place == best.place for hit in hits)
        return best.place.source.position(best.place.at, clear and best.sure and alone)

    def _follow(self, main: Source, keys: list[str], trail: list[list[Hit]]) -> bool:
        """Adds the hits of each key to ``trail``; False if a key is missing, perhaps."""
        # enough for any config that a person wrote, and no more than a moment
        self._resolver.allow(10_000 + len(main.tokens))
        root = self._resolver.root(main)
        if root is None:
            return False
        value = self._resolver.made(root)
        trail.append([Hit(_start(main, value), value)])
        for key in keys:
            found = [
                (hit, self._resolver.look(self._resolver.value(hit.value), key))
                for hit in trail[-1]
            ]
            hits = [new.given(hit.sure) for hit, lookup in found for new in lookup.hits]
            if not hits:
                return all(lookup.clear and hit.sure for hit, lookup in found)
            trail.append(hits)
        return True

    def _guess(self, keys: list[str], known: int) -> Place | None:
        """Where the text has a key of that name, in keys that are the path's, in its order.

        At least ``known`` of them, or the innermost object that is known tells more.
        """
        ranked: list[tuple[int, Place]] = []
        for source in self._files.all() if keys else []:
            for key in source.keys.get(keys[-1], []):
                enclosing = list(islice(key.enclosing(), len(keys)))
                outwards = iter(keys[-2::-1])
                if len(enclosing) >= known and all(name in outwards for name in enclosing):
                    ranked.append((len(enclosing), Place(source, key.at)))
        if not ranked:
            return None
        most = max(rank for rank, _ in ranked)
        best = [place for rank, place in ranked if rank == most]
        # the main file comes before what it imports; in one file, the last wins
        return [place for place in best if place.source is best[0].source][-1]


def _start(main: Source, root: Value) -> Place:
    """The opening brace of the config's own object: of the main file if that has one."""
    layers = root.layers if isinstance(root, Layers) else ()
    places = [Place(x.scope.source, x.node.at) for x in layers if isinstance(x, Layer)]
    own = [place for place in places if place.source is main]
    return (own or places or [Place(main, main.tokens[0].at)])[-1]
