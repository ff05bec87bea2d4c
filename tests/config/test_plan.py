"""Parsing: signatures against values, with nothing constructed and nothing special-cased."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import make_dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from ner_registry.config.parse import parse
from ner_registry.config.plan import Plan
from ner_registry.config.registry import Registrable, kinds
from ner_registry.config.snippets import snippet
from ner_registry.config.types import PositiveInt, Probability
from ner_registry.errors import ConfigError


class Shape(Registrable):
    """A kind of the test's own."""

    supplied = ("size",)


@pytest.fixture(scope="module", autouse=True)
def leave_no_kind_behind() -> Iterator[None]:
    yield
    del Registrable._kinds["Shape"]


@Shape.register("dot")
class Dot(Shape):
    def __init__(self, size: int, *, colour: Literal["red", "blue"] = "red") -> None:
        self.size, self.colour = size, colour


@Shape.register("box")
class Box(Shape):
    """Nested parts in every way that a signature can ask for them."""

    def __init__(
        self,
        size: int,
        *,
        inner: Shape,
        spare: Shape | None = None,
        row: list[Shape] = [],  # noqa: B006  # never changed
        named: dict[str, Shape] | None = None,
        later: Callable[..., Shape] | None = None,
        width: PositiveInt | Literal["auto"] = "auto",
        corner: tuple[float, float] = (0.0, 0.0),
        fill: Probability = 0.5,
        extra: Any = None,
    ) -> None:
        self.__dict__.update({key: value for key, value in locals().items() if key != "self"})


class Drawing:
    def __init__(self, *, shape: Callable[..., Shape], title: str | None = None) -> None:
        self.shape, self.title = shape, title


def faults(config: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(Drawing, config)
    return caught.value.lines()


def test_nested_parts_are_given_what_the_outer_one_is() -> None:
    config = {
        "shape": {
            "type": "box",
            "inner": {"type": "dot"},
            "spare": {"type": "dot", "colour": "blue"},
            "row": [{"type": "dot"}, {"type": "box", "inner": {"type": "dot"}}],
            "named": {"a": {"type": "dot"}},
            "later": {"type": "dot"},
            "width": 3,
            "corner": [1, 2.5],
            "extra": {"anything": [1]},
        }
    }
    drawing = parse(Drawing, config)()
    box = drawing.shape(size=7)
    assert (box.inner.size, box.spare.colour, box.row[1].inner.size) == (7, "blue", 7)
    assert box.named["a"].size == 7
    assert isinstance(box.later, Plan)
    assert box.later(size=9).size == 9
    assert (box.width, box.corner, box.extra) == (3, (1.0, 2.5), {"anything": [1]})


def test_the_filled_config_writes_every_default_and_parses_to_itself() -> None:
    plan = parse(Drawing, {"shape": {"type": "box", "inner": {"type": "dot"}}})
    filled = plan.filled()
    assert filled == {
        "shape": {
            "type": "box",
            "inner": {"type": "dot", "colour": "red"},
            "spare": None,
            "row": [],
            "named": None,
            "later": None,
            "width": "auto",
            "corner": [0.0, 0.0],
            "fill": 0.5,
            "extra": None,
        },
        "title": None,
    }
    assert parse(Drawing, filled).filled() == filled


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([], "expected an object, got []"),
        ({"shape": 3}, 'shape: expected an object with the "type" of a Shape, got 3'),
        (
            {"shape": {}},
            'shape.type: expected the "type" of a Shape (there are: box, dot), got no such key',
        ),
        (
            {"shape": {"type": "dto"}},
            "shape.type: no Shape is registered as 'dto'; did you mean 'dot'? "
            "(a part of your own needs --include-package)",
        ),
        (
            {"shape": {"type": "crf_tagger"}},
            "shape.type: no Shape is registered as 'crf_tagger': AllenNLP's is crf, as model.head",
        ),
        (
            {"shape": {"type": "round"}},
            "shape.type: no Shape is registered as 'round' (there are: box, dot): "
            "a part of your own needs --include-package",
        ),
        (
            {"shape": {"type": "dot", "size": 3}},
            "shape.size: follows from the other parts: leave it out",
        ),
        (
            {"shape": {"type": "dot", "colour": "green"}},
            'shape.colour: expected one of "red", "blue", got "green"',
        ),
        (
            {"shape": {"type": "box"}},
            'shape.inner: required: expected an object with the "type" of a Shape, got no such key',
        ),
        (
            {"shape": {"type": "box", "iner": {}}},
            "shape.iner: not a key of Box; did you mean 'inner'?",
        ),
        ({"shape": {"type": "dot"}, "title": True}, "title: expected a string or null, got true"),
        (
            {"shape": {"type": "dot"}, "titel": ""},
            "titel: not a key here; did you mean 'title'?",
        ),
        ({"shape": {"type": "dot"}, "x": 1}, "x: not a key here (there are: shape, title)"),
    ],
)
def test_a_fault_has_its_path_and_a_hint(config: Any, message: str) -> None:
    assert faults(config) == [message]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("width", 0, "expected a whole number at least 1, got 0"),
        ("width", "wide", 'expected a whole number at least 1 or one of "auto", got "wide"'),
        ("width", 1.5, "expected a whole number, got 1.5"),
        ("width", True, 'expected a whole number at least 1 or one of "auto", got true'),
        ("corner", [1], "expected a list of 2, got [1]"),
        ("fill", 2, "expected a number at least 0 and at most 1, got 2"),
        ("row", {}, 'expected a list, each item an object with the "type" of a Shape, got {}'),
    ],
)
def test_values_are_checked(key: str, value: Any, message: str) -> None:
    box = {"type": "box", "inner": {"type": "dot"}, key: value}
    assert faults({"shape": box}) == [f"shape.{key}: {message}"]


def test_faults_at_any_depth_are_told_together() -> None:
    row = [{"type": "dot", "colour": 1}, {"type": "box", "inner": {"type": "dott"}}]
    shape = {"type": "box", "inner": {"type": "dot"}, "row": row, "fill": -1}
    assert [line.split(":")[0] for line in faults({"shape": shape, "tilte": 0})] == [
        "shape.row.0.colour",
        "shape.row.1.inner.type",
        "shape.fill",
        "tilte",
    ]


def test_a_part_must_take_what_its_kind_supplies() -> None:
    with pytest.raises(TypeError, match="must take 'size': every Shape is given it"):

        @Shape.register("blind")
        class Blind(Shape):
            def __init__(self, *, colour: str) -> None: ...


def test_a_part_must_name_its_parameters() -> None:
    with pytest.raises(TypeError, match="would hide misspelt keys"):

        @Shape.register("anything")
        class Anything(Shape):
            def __init__(self, size: int, **kwargs: Any) -> None: ...


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ValueError, match=r"the Shape 'dot' is .*Dot already"):

        @Shape.register("dot")
        class Other(Shape):
            def __init__(self, size: int) -> None: ...


def test_the_snippet_of_every_part_parses() -> None:
    import ner_registry.build  # noqa: F401  # registers them

    tried = [(kind, name) for kind in kinds().values() for name in kind.registered()]
    assert len(tried) > 15
    for kind, name in tried:
        holder = make_dataclass("Holder", [("part", Callable[..., kind])])
        parse(holder, {"part": snippet(kind, name)})


def test_numbers_in_a_union_go_by_how_they_are_written() -> None:
    class Sizes:
        def __init__(self, *, a: int | float, b: PositiveInt | Probability, c: Any | None) -> None:
            self.values = [a, b, c]

    values = parse(Sizes, {"a": 3, "b": 0.5, "c": None})().values
    assert values == [3, 0.5, None]
    assert isinstance(values[0], int)
    assert parse(Sizes, {"a": 2.5, "b": 2, "c": [1]})().values == [2.5, 2, [1]]


def test_a_default_must_be_what_its_hint_allows() -> None:
    class Wrong:
        def __init__(self, *, width: int = "no") -> None: ...  # type: ignore[assignment]

    with pytest.raises(ConfigError, match="isn't what it allows: expected a whole number"):
        parse(Wrong, {})


def test_a_refusal_by_a_constructor_is_a_fault_at_its_path() -> None:
    class Odd(Shape):
        def __init__(self, size: int, *, width: int = 3) -> None:
            if width % 2 == 0:
                raise ValueError(f"width must be odd, got {width}")

    Shape.register("odd")(Odd)
    plan = parse(Drawing, {"shape": {"type": "odd", "width": 4}})
    with pytest.raises(ConfigError) as caught:
        plan().shape(size=3)
    assert caught.value.lines() == ["shape: width must be odd, got 4"]


def test_a_parameter_needs_a_type_hint() -> None:
    class Bare(Shape):
        def __init__(self, size: int, *, width=3) -> None: ...  # type: ignore[no-untyped-def]

    Shape.register("bare")(Bare)
    with pytest.raises(ConfigError, match="its parameter 'width' has no type hint"):
        parse(Drawing, {"shape": {"type": "bare"}})


def test_values_from_python_are_taken_too(tmp_path: Path) -> None:
    class Files:
        def __init__(
            self, *, path: str, corner: tuple[float, float], count: int, named: dict[str, bool]
        ) -> None:
            self.values = [path, corner, count, named]

    corner = (1, np.float32(0.5))
    config = {"path": tmp_path, "corner": corner, "count": np.int64(3), "named": {7: True}}
    made = parse(Files, config)()
    assert made.values == [str(tmp_path), (1.0, 0.5), 3, {"7": True}]
    with pytest.raises(ConfigError, match="3: not a key here"):
        parse(Files, config | {3: 1})


@pytest.mark.parametrize(
    ("key", "path", "message"),
    [
        ("cuda_device", "", "AllenNLP's 'cuda_device' has another name here: trainer.device"),
        ("use_amp", "", "AllenNLP's 'use_amp' isn't needed here: leave it out"),
        ("colour", "", "'colour' belongs under shape"),
        ("title", "shape", "'title' belongs under the top level"),
    ],
)
def test_a_key_that_belongs_elsewhere(key: str, path: str, message: str) -> None:
    config: dict[str, Any] = {"shape": {"type": "dot"}}
    (config[path] if path else config)[key] = "red"
    assert faults(config)[0].startswith(f"{path}.{key}: {message}".lstrip("."))
