"""Each value is found where it was written; what can't be followed is found nearby."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import _jsonnet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ner_registry.config import jsonnet
from ner_registry.config.positions import Position, Positions

ROOT = Path(__file__).parent.parent.parent
EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.jsonnet"))
NAMES = ["main.jsonnet", "one.libsonnet", "two.libsonnet"]


def marked(*texts: str) -> tuple[list[str], tuple[int, int, int]]:
    """The texts without the mark ``@@``, and the text, line and column where it stood."""
    for number, text in enumerate(texts):
        before, mark, after = text.partition("@@")
        if mark:
            line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
            return [*texts[:number], before + after, *texts[number + 1 :]], (number, line, column)
    raise AssertionError(f"no mark in {texts}")


def found(folder: Path, texts: list[str], path: str) -> tuple[tuple[int, int, int], bool]:
    """Where the path's value is, in the files of those texts."""
    for name, text in zip(NAMES, texts, strict=False):
        (folder / name).write_text(text, encoding="utf-8")
    position = Positions(folder / "main.jsonnet").find(path.split(".") if path else [])
    assert position is not None
    file = NAMES.index(Path(position.file).name)
    return (file, position.line, position.column), position.exact


# the path that is looked for, and the files, the place marked with @@
EXACT = [
    # literals
    ("a", "{ @@a: 1 }"),
    ("a.b.c", "{\n  a: {\n    b: { x: 1, @@c: 2 },\n  },\n}"),
    ("a b.c", "{ 'a b': { @@\"c\": 1 } }"),
    ("é", '{ "x": "é\\"", @@"\\u00e9": 1 }'),
    ("a", "{ @@['a']: 1 }"),
    ("b", "{ a: |||\n    b: 1\n\n  ||| + 'b: 2', @@b: 3 }"),
    ("b", "{ a: |||-\n    b: 1\n  |||, @@b: 3 }"),
    ("b", "{ a: @'c:\\', @@b: 3 }"),
    ("b", "{ // b: 1\n # b: 2\n /* b: 3\n */ @@b: 4 }"),
    ("b", "{ a:: 1, @@b::: 2, c+: {} }"),
    ("c.d", "{ a:: 1, c+: { @@d: 1 } }"),
    ("b", "{ local b = 1, assert b == 1 : 'b', f(b):: b, @@b: b, }"),
    ("a", "{ @@a: -1, b:-$.a, c:!true }"),
    ("a.b", "({ a: ({ @@b: 1 }) })"),
    ("a.1", "{ a: [1, @@2, 3] }"),
    ("a.1.b", "{ a: [{ b: 1 }, { @@b: 2 },] }"),
    ("a.1.0", "{ a: [[1], [@@'x']] }"),
    ("a", "assert true; { @@a: 1 }"),
    # composition
    ("a", "{ a: 1 } + { @@a: 2 }"),
    ("a", "{ a: 1 } { @@a: 2 } { b: 3 }"),
    ("a.x", "{ a: { @@x: 1 } } + { a+: { y: 2 } }"),
    ("a.y", "{ a: { x: 1 } } + { a+: { @@y: 2 } } + { a+: { z: 1 } }"),
    ("a.x", "{ a: { x: 1 } } + { a+: { @@x: 2 } }"),
    ("a", "{ a: { x: 1 } } + { @@a+: { x: 2 } }"),
    ("a.x.y", "{ a: { x: { @@y: 1 } } } + { a+: { x+: { z: 2 } } }"),
    ("a.1", "{ a: [1] } + { a+: [@@2] }"),
    ("a.b", "{ local c = { b: 1 }, a: c { @@b: 2 } }"),
    ("b.x", "{ a:: { x: 1 }, b: $.a + { y: 1 } } + { a+:: { @@x: 2 } }"),
    # imports
    ("a", "(import 'one.libsonnet') + { b: 1 }", "{ @@a: 1 }"),
    ("a", "(import 'one.libsonnet') + { @@a: 1 }", "{ a: 1 }"),
    ("a.x", "(import 'one.libsonnet') { a+: { y: 1 } }", "\n{ a: {\n @@x: 1 } }"),
    ("a", "import 'one.libsonnet'", "import 'two.libsonnet'", "{ @@a: 1 }"),
    ("a", "local b = import 'one.libsonnet'; b + { c: 1 }", "{ @@a: 1 }"),
    ("a", "(import 'one.libsonnet').c", "{ a: 1, c: { @@a: 2 } }"),
    ("a.x", "{ a: (import 'one.libsonnet')['b c'].d }", "{ 'b c': { d: { @@x: 1 } } }"),
    ("a.x", "{ a: (import 'one.libsonnet').f(7) }", "{ f(x):: { @@x: -x } }"),
    ("a.x", "{ a: (import 'one.libsonnet').f(@@7) }", "{ f(x):: { x: x } }"),
    ("a", "{ @@a: importstr 'one.libsonnet' }", "{ a: 1 }"),
    # variables
    ("h", "local size = 256; { @@h: size }"),
    ("a.h", "local size = 256, b = { @@h: size }; { a: b }"),
    ("a.x", "local b = { x: 1 }; local b = { @@x: 2 }; { a: b }"),
    ("a.x", "local b = { x: 1 }; { local b = { @@x: 2 }, a: b }"),
    ("a.x", "local b = { c: { d: { @@x: 1 } } }; { a: b.c['d'] }"),
    ("a.x", "local b = [{ x: 1 }, { @@x: 2 }]; { a: b[1] }"),
    ("b.x", "{ a: { @@x: 1 }, b: self.a }"),
    ("b.c.x", "{ a: { @@x: 1 }, b: { a: { x: 2 }, c: $.a } }"),
    ("b.x", "{ a: { @@x: 1 } } + { a: { x: 2 }, b: super.a }"),
    ("c.x", "{ a:: { x: 1 }, c: self.a } + { a:: { @@x: 2 } }"),
    # conditions
    ("a.x", "{ a: if 1 == 1 then { @@x: 1 } else { y: 1 } }"),
    ("a.y", "{ a: if 1 == 2 then { x: 1 } else { @@y: 1 } }"),
    ("a.x", "{ a: if 1 == 1 then { @@x: 1 } }"),
    ("x", "{ y: 1 } + (if 1 == 1 then { @@x: 1 } else {})"),
    ("a.x", "{ a: { @@x: 1 } } + (if 1 == 1 then { a+: { z: 1 } } else {})"),
    # functions
    ("a.h", "local f(n) = { @@h: n * 2 }; { a: f(256) }"),
    ("a.h", "local f(n) = { h: n };\n{ a: f(@@256) }"),
    ("a.h", "local f(n) = { h: n };\n{ a: f(@@n=256) }"),
    ("a.h", "local f(m, n=1) = { h: n }; { a: f(1, @@2) }"),
    ("a.h", "local f(m, @@n=1) = { h: n }; { a: f(1) }"),
    ("a.h", "local f(n) = { h: n }, g(n) = f(n); { a: g(@@256) }"),
    ("a.h", "local f = function(n) { h: (n) }; { a: f(@@256) tailstrict }"),
    ("a.h.x", "local f(n) = { h: n }; { a: f({ @@x: 1 }) }"),
    ("a.h.x", "local f(n) = { h: n { y: 1 } }; { a: f({ @@x: 1 }) }"),
    ("a.x", "local f(n) = n + { y: 1 }; { a: f({ @@x: 1 }) }"),
    ("a.0", "local f(n) = [n, n]; { a: f(@@1) }"),
    ("a.h", "{ f(n):: { h: n }, a: self.f(@@256) }"),
    ("a.h", "local lib = { f(n): { g(m): { h: m } } }; { a: lib.f(1).g(@@2) }"),
    ("a.h", "function(n=1) { a: { @@h: -n } }"),
    # a missing key is at the object that lacks it
    ("b", "@@{ a: 1 }"),
    ("", "@@{ a: 1 }"),
    ("a.c", "{ @@a: { b: 1 } }"),
    ("a.c.d.e", "{ @@a: { b: 1 } }"),
    ("a.b.c", "{ a: { @@b: 1 } }"),
    ("a.7", "{ @@a: [1] }"),
    ("a.b", "{ @@a: [1] }"),
    ("a.z", "{ a: { x: 1 } } + { @@a+: { y: 1 } }"),
    ("z", "(import 'one.libsonnet') +\n@@{ b: 1 }", "{ a: 1 }"),
    ("z", "import 'one.libsonnet'", "@@{ a: 1 }"),
]

NEAR = [
    ("a.x", "{ a: if 1 == 1 then { @@x: 1 } else { x: 2 } }"),
    ("x", "{ x: 1 } + (if 1 == 1 then { @@x: 2 } else {})"),
    ("a.h", "local f(n) = { h: n }; { a: if true then f(@@1) else f(2) }"),
    ("a.x", "{ a: std.mergePatch({ x: 1 }, { @@x: 2 }) }"),
    ("a.y", "{ a: std.mergePatch({ x: { z: 1 }, @@y: 1 }, { x: 2 }) }"),
    ("a.z", "{ @@a: std.mergePatch({ x: 1 }, { y: 2 }) }"),
    ("a.x.t", "{ t: 1, a: { [k]: { @@t: 2 } for k in ['x'] } }"),
    ("a.x", "{ a: { @@[k]: { t: 2 } for k in ['x'] } }"),
    ("a.xy", "{ a: { @@['x' + 'y']: 1, z: 2 } }"),
    ("a.1.t", "{ a: [{ @@t: k } for k in [1, 2]] }"),
    ("a.0.t", "{ t: 1, a: std.map(function(k) { @@t: k }, [1, 2]) }"),
    ("a.t", "{ t: 1, @@a: std.parseJson('{\"t\": 2}') }"),
    ("a.b.t", "{ t: 1, a: { @@b: std.parseJson('{\"t\": 2}'), c: { t: 1 } } }"),
    ("x", "{ @@x: 1 } + std.parseJson('{}')"),
    ("a.0.t", "{ a: [{ @@t: 1 }, { t: 2 }, { t: 3 }][2:] }"),
    ("a.2.t", "{ a: [{ t: 1 }] + (if true then [{ t: 2 }] else []) + [{ @@t: 3 }], t: 3 }"),
    ("b.t", "{ a: 1, b: import 'one.libsonnet' }", "std.foldl(function(a, k) { @@t: k }, [1], {})"),
]


@pytest.mark.parametrize(("path", "texts"), [(path, texts) for path, *texts in EXACT])
def test_exact(tmp_path: Path, path: str, texts: list[str]) -> None:
    plain, expected = marked(*texts)
    assert found(tmp_path, plain, path) == (expected, True)


@pytest.mark.parametrize(("path", "texts"), [(path, texts) for path, *texts in NEAR])
def test_near(tmp_path: Path, path: str, texts: list[str]) -> None:
    plain, expected = marked(*texts)
    assert found(tmp_path, plain, path) == (expected, False)


def test_how_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below" / "lib").mkdir(parents=True)
    (tmp_path / "below" / "main.jsonnet").write_text(
        "(import '../up.libsonnet') + (import 'lib/x.libsonnet')"
    )
    (tmp_path / "below" / "lib" / "x.libsonnet").write_text("import 'y.libsonnet'")
    (tmp_path / "below" / "lib" / "y.libsonnet").write_text("{\n  x: 1\n}")
    (tmp_path / "up.libsonnet").write_text("{ up: 1 }")
    monkeypatch.chdir(tmp_path / "below")
    positions = Positions("./main.jsonnet")
    up = str(tmp_path / "up.libsonnet")
    x, y = str(Path("lib", "x.libsonnet")), str(Path("lib", "y.libsonnet"))
    assert positions.files == ["./main.jsonnet", up, x, y]
    assert str(positions.find(["x"])) == f"{y}:2:3"
    assert positions.find(["up"]) == Position(up, 1, 3, True)
    assert positions.find([]) == Position(y, 1, 1, True)


def test_the_text_may_be_given(tmp_path: Path) -> None:
    assert Positions("--overrides", "{\n b: 1 }").find(["b"]) == Position("--overrides", 2, 2, True)


@pytest.mark.parametrize("text", [None, b"\xff{ a: 1 }", b""])
def test_without_a_text_there_is_no_place(tmp_path: Path, text: bytes | None) -> None:
    path = tmp_path / "main.jsonnet"
    if text is not None:
        path.write_bytes(text)
    positions = Positions(path)
    assert positions.find(["a"]) is None
    assert positions.unused_local_keys() == []
    assert Positions(tmp_path).files == []


def test_line_ends_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "main.jsonnet"
    path.write_bytes(b"{\r\n  a: |||\r\n    x\r\n  |||,\r\n  b: 1,\r\n}\r\n")
    assert Positions(path).find(["b"]) == Position(str(path), 5, 3, True)


# --- whole configs ----------------------------------------------------------------------------


def paths(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every path of a config, with its value."""
    children = enumerate(value) if isinstance(value, list) else ()
    for key, child in value.items() if isinstance(value, dict) else children:
        yield (*above, str(key)), child
        yield from paths(child, (*above, str(key)))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.name)
def test_every_value_of_an_experiment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    positions = Positions(path.relative_to(ROOT))
    config = list(paths(jsonnet.load(path)))
    assert config
    for keys, value in config:
        position = positions.find(keys)
        assert position is not None
        assert position.exact
        line = Path(position.file).read_text(encoding="utf-8").splitlines()[position.line - 1]
        if not keys[-1].isdecimal():
            assert re.match(rf"['\"]?{re.escape(keys[-1])}\b", line[position.column - 1 :])
        if not isinstance(value, dict | list):
            written = json.dumps(value).replace('"', "'")
            assert written.removesuffix(".0") in line[position.column - 1 :]


class Composer:
    """Random Jsonnet whose numbers are all different, and which is followed exactly."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.numbers = 1000
        self.names = 0
        self.files: dict[str, str] = {}

    def number(self) -> str:
        self.numbers += 1
        return str(self.numbers)

    def name(self) -> str:
        self.names += 1
        return "v" + "i" * self.names

    def object(self, depth: int) -> str:
        """An object literal: objects at a to c, numbers at x to z, a list at l."""
        lines = []
        keys = self.random.sample("abcxyzl", self.random.randint(1, 5))
        for key in keys:
            colon = self.random.choice([":", ":", ":", ":::"])
            quote = self.random.choice(["", "", "'", '"'])
            if key in "xyz":
                value = self.number()
            elif key == "l":
                count, objects = self.random.randint(0, 3), self.random.random() < 0.5
                items = (self.expression(depth - 1) if objects else self.number() for _ in "iii")
                value = "[" + ",\n".join(islice(items, count)) + "]"
            else:
                value = self.expression(depth - 1)
            if key not in "xyz" and self.random.random() < 0.6:
                colon = "+" + colon
            lines.append(f"{quote}{key}{quote}{colon} {value},\n")
        if self.random.random() < 0.2:
            lines.append(f"h:: {self.expression(depth - 1)},\n")
            lines.append("g: self.h,\n")
        self.random.shuffle(lines)
        return "{\n" + "".join(lines) + "}"

    def expression(self, depth: int) -> str:
        """Something that makes an object."""
        if depth <= 0:
            return self.object(0) if self.random.random() < 0.3 else f"{{ x: {self.number()} }}"
        one = self.object(depth)
        two = self.expression(depth - 1)
        name = self.name()
        match self.random.randrange(9):
            case 0 | 1:
                return f"({two} + {one})"
            case 2:
                return f"{two} {one}"
            case 3:
                file = f"{name}.libsonnet"
                self.files[file] = two
                return f"((import '{file}') + {one})"
            case 4:
                return f"(local {name} = {two}; {name} + {one} + {self.object(depth - 1)})"
            case 5:
                return f"(local {name}(p) = p + {one}; {name}({two}))"
            case 6:
                return f"(local {name}(p, q=\n{two}) = q {{ y: p }}; {name}(\n{self.number()}))"
            case 7:
                return f"{{ k:: {one} }}.k {{ z: {self.number()} }}"
            case _:
                return one


@pytest.mark.parametrize("seed", range(24))
def test_compositions(tmp_path: Path, seed: int) -> None:
    """Jsonnet's own value at each path is the literal that stands where it was found."""
    composer = Composer(seed)
    composer.files["main.jsonnet"] = f"{composer.expression(3)} + {composer.expression(3)}"
    for name, text in composer.files.items():
        (tmp_path / name).write_text(text)
    path = tmp_path / "main.jsonnet"
    positions = Positions(path)
    config = json.loads(_jsonnet.evaluate_file(str(path)))
    for keys, value in paths(config):
        position = positions.find(keys)
        assert position is not None
        assert position.exact, keys
        lines = Path(position.file).read_text().splitlines()
        rest = "\n".join([lines[position.line - 1][position.column - 1 :], *lines[position.line :]])
        if isinstance(value, int):
            number = re.match(r"""['"]?(?:[xyz]['"]?:+ )?(\d+)""", rest)
            assert number is not None, (keys, rest)
            assert int(number[1]) == value, keys
        elif not keys[-1].isdecimal():
            assert re.match(rf"['\"]?{keys[-1]}['\"]?\+?:", rest), (keys, rest)


# --- whatever the text ------------------------------------------------------------------------

VALID = [
    r"""{ a: "x\"\\\/\b\f\n\r\té\ud83d\ude00", b: '\'"', 'c"': 1 }""",
    r"""{ a: @'it''s \', b: @"say ""x"" \" }""",
    "{ a: |||\n  x: {\n\n    y\n  |||\n|||, b: |||-\n\n  z\n||| }".replace("  |||\n|||", "|||"),
    "{ a: 1 + 2 * 3 - 4 / 5 % 6 << 1 >> 2 & 7 | 8 ^ 9, b: !true && false || 1 < 2 == true }",
    "{ a: 1 == 2 != true, b: 1 != 2 }",
    "{ a: ~1, b: -(+1), c: 1 <= 2, d: 1 >= 2, e: 'a' in { a: 1 }, f: 2 > 1 }",
    "{ a: [1, 2, 3][0:2], b: [1, 2, 3][::2], c: [1, 2, 3][1:], d: 'abc'[:2], e: [1, 2][0:2:1] }",
    "{ a: 'abc'[1], b: std.length([1, 2,]), c: [], d: {}, e: 1_000, f: 1.5e-3, g: 1E+5 }",
    "local f(x, y=x) = x + y; { a: f(1), b: f(y=1, x=2), c: f(1, y=3) tailstrict }",
    "{ a: (function(x) x)(1), b: (function() { c: 1 })().c }",
    "{ assert self.a == 1 : 'a is ' + self.a, a: 1 }",
    "assert 1 == 1 : 'no'; local a = 1, b(x) = x; assert true; { a: b(a) }",
    "{ a: if false then error 'no' else 1, b:: error 'x' + 'y' }",
    "{ a: [x * y for x in [1, 2] if x > 1 for y in [3, 4] if y > x] }",
    "{ a: [[z for z in [x]] for x in [1]], b: { ['k' + x]: x for x in ['a', 'b'] if x != 'a' } }",
    "{ local z = 1, [x]: z + $.b.length for x in [] } + { b: { length: 1 } }",
    "{ local z = 1, [x]: z, local y = 2, for x in ['a'] }",
    "{ [null]: 1, [if true then 'a']: 2, ['a' + 'b']+: {} }",
    "{ a: importstr 'other.libsonnet', b: importbin 'main.jsonnet', c: import 'other.libsonnet' }",
    "{ a: 1 } { b: super.a, c: 'a' in super, d: super['a'] } { e+: {} }",
    "{ a: 1, b: self { a: 3 }.a, c:: $, d: self['a'], e: std.objectFields(self.x), x:: {} }",
    "{ f(x): { g(y):: x + y, h: self.g(1) } }.f(2)",
    "{ a:-1, b:!true, c:~1, d+:-1, e:+1, g::-1, h:$.a, i:[$.a,-$.a] }",
    "local a = { b: c }, c = { d: 1 }; a { b+: c }",
    "local fib(n) = if n < 2 then 1 else fib(n - 1) + fib(n - 2); { a: fib(5), b: { c: fib(3) } }",
    "local f(n) = if n == 0 then {} else { a: f(n - 1) }; f(5)",
    "local a = import 'main.jsonnet'; { a: 1, b:: a.b }",
    "{ a: { b: self.c, c: { d: $.e } }, e: { f: 1 } }",
    "{ a:: self.b, b:: self.a, c: 1 }",
    "{ a: std.mergePatch({ x: { y: 1 } }, { x+: { z: 1 } }), b: std.manifestJson({ c: 1 }) }",
    "[{ a: 1 }, [{ a: 2 }]]",
    "'just text'",
    "function(x=1) { a: x }",
    "local d = { a: 1 }; { a: d.a, b: std.length(d) }",
    "{ a: " * 60 + "1" + " }" * 60,
    "{ a: 1 }" + " + { a+: 1 }" * 200,
    "".join(f"local v{n} = {n}; " for n in range(300)) + "{ a: v7 }",
    "local a0 = { a: 1 }; " + "".join(f"local a{n + 1} = a{n} + a{n}; " for n in range(9)) + "a9",
]


@pytest.mark.parametrize("text", VALID, ids=range(len(VALID)))
def test_every_feature_of_jsonnet(tmp_path: Path, text: str) -> None:
    path = tmp_path / "main.jsonnet"
    path.write_text(text, encoding="utf-8")
    (tmp_path / "other.libsonnet").write_text("{ a: { b: 1 } }")
    config = json.loads(_jsonnet.evaluate_file(str(path)))
    positions = Positions(path)
    start = time.perf_counter()
    for keys, _ in paths(config):
        assert positions.find(keys) is not None
        positions.find([*keys, "missing"])
        positions.find(["missing", *keys])
    assert positions.find([]) is not None
    assert str(path) in positions.files
    positions.unused_local_keys()
    assert time.perf_counter() - start < 30


PIECES = st.sampled_from(
    [*"{}[](),.:;=+-!~$ '\"\\@|#/*\n0aé", "|||", "|||\n a", "local ", "import ", "'main'", "if ",
     " then ", " else ", "for ", " in ", "function(", "self", "super", "error ", "assert ", "a: ",
     "a+: ", "::", "std.f(", "a", "b", "{ a: ", " }", "tailstrict", "\r\n", "\0", "\ud800"]
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)))
def test_no_text_is_too_strange(text: str) -> None:
    positions = Positions("main", text)
    for path in ([], ["a"], ["a", "a"], ["a", "b", "0"], ["0", "a"], [""]):
        position = positions.find(path)
        if position is not None:
            line = text.split("\n")[position.line - 1]
            assert 1 <= position.column <= len(line) + 1
    positions.unused_local_keys()


@pytest.mark.parametrize(
    "text",
    [
        "/*" * 10_000,
        "|||\n a" * 20_000,
        " |||\n" * 20_000,
        "{a:" * 5_000,
        "[" * 10_000,
        "'\\" * 50_000,
        "!" * 10_000,
        "{a:1}+" * 2_000 + "{b:1}",
        "local v={a:1};" * 1_000 + "{a:v.a}",
        "local v0={x:1};" + "".join(f"local v{n + 1}=v{n}+v{n};" for n in range(60)) + "v60",
        "local f(x)=f(x)+f(x); {a:f(1)}",
        "{a:self.b+self.b,b:self.a+self.a}",
        "local v=v; v + {a: v}",
        "import 'main'",
    ],
    ids=lambda text: text[:12],
)
def test_no_text_takes_long(text: str) -> None:
    start = time.perf_counter()
    positions = Positions("main", text)
    for path in (["a"], ["x"], ["a", "b", "c"]):
        positions.find(path)
    positions.unused_local_keys()
    assert time.perf_counter() - start < 30  # what isn't linear takes hours


# --- keys of locals ---------------------------------------------------------------------------


UNUSED: list[tuple[str, list[tuple[int, int, str]]]] = [
    ("local d = { a: 1, b: 2, 'c': 3 };\n{ x: d.a, y: d['c'] }", [(1, 19, "d.b")]),
    ("{ local d = { a: 1,\n b: 2 }, x: d.a }", [(2, 2, "d.b")]),
    ("local f(n) = (local d = { a: 1, b: n }; d.a); { x: f(1) }", [(1, 33, "d.b")]),
    ("local d = { a: { b: 1 }, c: { b: 1 } }; { x: d.a.b }", [(1, 26, "d.c")]),
    ("local d = { a: self.b, b: 2, c: 3 }; { x: d.a }", [(1, 30, "d.c")]),
    # each in its own scope
    ("local d = { a: 1, b: 2 }; { x: d.a, y: (local d = { b: 1 }; d.b) }", [(1, 19, "d.b")]),
    ("local d = { a: 1, b: 2 }; { x: d.a, y: (function(d) d.b)({ b: 1 }) }", [(1, 19, "d.b")]),
    ("local d = { a: 1, b: 2 }; { x: d.a, y: [d.b for d in [{ b: 1 }]] }", [(1, 19, "d.b")]),
    # certain of nothing
    ("local d = { a: 1, b: 2 }; { x: d.a, y: d }", []),
    ("local d = { a: 1, b: 2 }; { x: d.a } + d", []),
    ("local d = { a: 1, b: 2 }; d { x: d.a }", []),
    ("local d = { a: 1, b: 2 }; { x: d.a, y: d['b' + ''] }", []),
    ("local d = { a: 1, b: 2 }; { x: d.a, y: std.length(d) }", []),
    ("local d = { a: 1, b: 2 }; local e = d; { x: d.a, y: e.b }", []),
    ("local d = { a: 1, b: 2 }; { x: d.a, y: 'b' in d }", []),
    ("local d = { a: 1, b: 2 }; { x: d.a, y: [k for k in std.objectFields(d)] }", []),
    ("local d = { a: 1, b: 2 }; { [d.a + '']: 1, y: (function(e=d) e.b)() }", []),
    ("local d = { a: 1, b: 2, c: { e: $.b } }; { x: d.a, y: d.c }", []),
    ("local d = { a: 1, b: 2, c:: self }; { x: d.a, y: d.c.b }", []),
    ("local d = { a: 1, ['b']: 2, ['c' + '']: 3 }; { x: d.a }", []),
    ("local f(d={ a: 1, b: 2 }) = d.a; { x: f() }", []),
    ("local d = { a: 1 } + { b: 2 }; { x: d.a }", []),
    ("local d = { a: 1, b: 2 }; { x: 1 }", []),
    ("{ d:: { a: 1, b: 2 }, x: self.d.a }", []),
]


@pytest.mark.parametrize(("text", "expected"), UNUSED)
def test_unused_local_keys(text: str, expected: list[tuple[int, int, str]]) -> None:
    unused = Positions("main", text).unused_local_keys()
    assert [(at.line, at.column, key) for at, key in unused] == expected


def test_unused_keys_of_an_import(tmp_path: Path) -> None:
    (tmp_path / "main.jsonnet").write_text("(import 'one.libsonnet')")
    (tmp_path / "one.libsonnet").write_text("local d = { a: 1, b: 2 };\n{ x: d.a }")
    (position, key), *others = Positions(tmp_path / "main.jsonnet").unused_local_keys()
    assert (str(position), key, others) == (f"{tmp_path / 'one.libsonnet'}:1:19", "d.b", [])


def test_the_cases_are_jsonnet(tmp_path: Path) -> None:
    cases = [marked(*texts)[0] for _, *texts in EXACT + NEAR] + [[text] for text, _ in UNUSED]
    # in one go: it is the start of Jsonnet, and each file, that takes its time
    every = ["local made(x) = if std.isFunction(x) then x() else x; ["]
    for number, (text, *others) in enumerate(cases):
        if others:
            (tmp_path / str(number)).mkdir()
            for name, other in zip(NAMES[1:], others, strict=False):
                (tmp_path / str(number) / name).write_text(other, encoding="utf-8")
        # what the main file imports is in the case's own folder
        here = re.sub(r"(import(?:str)? ')", rf"\g<1>{number}/", text) if others else text
        every.append(f"made((\n{here}\n)),")
    (tmp_path / "all").write_text("\n".join([*every, "]"]), encoding="utf-8")
    assert len(json.loads(_jsonnet.evaluate_file(str(tmp_path / "all")))) == len(cases) > 100
