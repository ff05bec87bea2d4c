from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ner_registry.config import jsonnet
from ner_registry.config.source import read_config
from ner_registry.errors import ConfigError, Fault


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(text: str, name: str = "config.jsonnet") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_imports_and_environment(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIZE", "12")
    monkeypatch.setenv("BROKEN", "\udcff")  # what Python makes of a byte that isn't UTF-8
    write("{ a: 1 }", "part.libsonnet")
    config = write("(import 'part.libsonnet') + { size: std.parseInt(std.extVar('SIZE')) }")
    assert jsonnet.load(config) == {"a": 1, "size": 12}


def test_imports_from_outside_the_folder_are_told(
    write: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in ("mine/lib", "theirs"):
        (tmp_path / folder).mkdir(parents=True)
        write("{ a: 1 }", f"{folder}/part.libsonnet")
    (tmp_path / "mine" / "link").symlink_to(tmp_path / "theirs")
    config = write("import 'lib/part.libsonnet'", "mine/config.jsonnet")
    assert jsonnet.load(config) == {"a": 1}
    assert caplog.messages == []
    for place in ("../theirs/part.libsonnet", "link/part.libsonnet"):
        write(f"(import '{place}') + (import '{place}')", "mine/config.jsonnet")
        assert jsonnet.load(config) == {"a": 1}
        assert caplog.messages == [
            f"{config}: it imports {config.parent}/{place}, from outside its own folder"
        ]
        caplog.clear()


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ("{ a: { y: 5 } }", {"a": {"x": 1, "y": 5}, "list": [{"b": 1}, 2]}),
        ("{ 'a.x': { z: 2 } }", {"a": {"x": {"z": 2}}, "list": [{"b": 1}, 2]}),
        ("{ 'list.0.b': 9, 'list.1': 3 }", {"a": {"x": 1}, "list": [{"b": 9}, 3]}),
        (
            "{ 'new.deep.key': 1 }",
            {"a": {"x": 1}, "list": [{"b": 1}, 2], "new": {"deep": {"key": 1}}},
        ),
        ("{ a: null }", {"a": None, "list": [{"b": 1}, 2]}),
        ("local x = 4; { a+: { x: x } }", {"a": {"x": 4}, "list": [{"b": 1}, 2]}),
    ],
)
def test_overrides(write: Any, overrides: str, expected: Any) -> None:
    assert read_config(write("{ a: { x: 1 }, list: [{ b: 1 }, 2] }"), [overrides]).value == expected


def test_overrides_add_up(write: Any) -> None:
    found = read_config(write("{ a: 1, b: 1, c: 1 }"), ["{ a: 2, b: 2 }", "{ b: 3 }"])
    assert found.value == {"a": 2, "b": 3, "c": 1}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ("{ 'list.7': 1 }", "--overrides: list.7: nothing is named '7' in a list of 2"),
        ("{ 'a.x.y': 1 }", "--overrides: a.x.y: nothing is named 'y' in 1"),
        ("3", "--overrides: expected an object, got int"),
    ],
)
def test_overrides_that_fit_nowhere(write: Any, overrides: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(write("{ a: { x: 1 }, list: [1, 2] }"), [overrides])
    assert caught.value.lines() == [message]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("a.x=5", {"a": {"x": 5}, "list": [1, 2]}),
        ("a.x=text", {"a": {"x": "text"}, "list": [1, 2]}),
        ('a={"y": null}', {"a": {"y": None}, "list": [1, 2]}),
        ("list.1=true", {"a": {"x": 1}, "list": [1, True]}),
        ("b.c=k=v", {"a": {"x": 1}, "list": [1, 2], "b": {"c": "k=v"}}),
    ],
)
def test_settings(write: Any, setting: str, expected: Any) -> None:
    config = write("{ a: { x: 1 }, list: [1, 2] }")
    assert read_config(config, settings=[setting]).value == expected


def test_a_setting_without_a_value(write: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(write("{}"), settings=["trainer.num_epochs"])
    assert caught.value.lines() == [
        "--set: expected PATH=VALUE, such as trainer.num_epochs=3, got 'trainer.num_epochs'"
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{ a: 1,, }", "1:8"),
        ("{\n  a: std.extVar('NO_SUCH_VARIABLE'),\n}", "2:6"),
        ("{ a: import 'missing.libsonnet' }", "1:6"),
        ("{ a: error 'told' }", "1:6"),
    ],
)
def test_faults_have_their_place(write: Any, text: str, place: str) -> None:
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        jsonnet.load(path)
    (line,) = caught.value.lines()
    assert line.startswith(f"{path}:{place}: Jsonnet: ")


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "config.jsonnet"
    path.write_bytes(b"{ a: '\xff' }")
    with pytest.raises(ConfigError, match="expected UTF-8 text"):
        jsonnet.load(path)


def test_a_syntax_error_shows_the_line_with_a_caret(write: Any) -> None:
    path = write("{\n  model: {,},\n}\n")
    with pytest.raises(ConfigError) as caught:
        jsonnet.load(path)
    (line,) = caught.value.lines()
    assert line.startswith(f"{path}:2:11: Jsonnet: ")
    assert line.endswith("at the caret in: model: {^,},")


def test_a_value_from_the_environment_is_told_so(
    write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EPOCHS", "many")
    path = write("{\n  epochs: std.extVar('EPOCHS'), seed: 3 }")
    source = read_config(path)
    placed = source.placed(ConfigError([Fault("epochs", "expected a number"), Fault("seed", "no")]))
    assert placed.lines() == [
        f"{path}:2:3: epochs: expected a number (from the environment variable EPOCHS)",
        f"{path}:2:33: seed: no",
    ]
