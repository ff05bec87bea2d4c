"""The report of a run: what is in it, what it makes of broken or hostile directories."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import ner_registry as nr
from ner_registry.cli import main
from ner_registry.jobs.report import report

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
VOID = {"meta", "link", "br", "input"}


class Page(HTMLParser):
    """A page's text, headings and what it fetches; every tag that opens must close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.headings: list[str] = []
        self.fetched: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "action", "xlink:href") and not (value or "").startswith(
                ("#", "data:,")
            ):
                self.fetched.append(f"{name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            return
        self.text += data
        if self.open and self.open[-1] in ("h1", "h2"):
            self.headings.append(data)


def page_of(directory: Path) -> Page:
    return Page((directory / "report.html").read_text(encoding="utf-8"))


@pytest.fixture
def copy(run_directory: Path, tmp_path: Path) -> Path:
    """A run that a test may spoil."""
    return Path(shutil.copytree(run_directory, tmp_path / "run"))


def rewrite(path: Path, change: Callable[[Any], Any]) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_bytes()))), encoding="utf-8")


def test_training_leaves_one_that_is_whole_and_needs_nothing_else(run_directory: Path) -> None:
    page = page_of(run_directory)
    assert page.headings == [
        "quickstart",
        "Scores",
        "Curves",
        "Confusions",
        "Where it is weak",
        "Confidence",
        "Data",
        "Config",
        "The costliest mistakes",
    ]
    assert page.fetched == []
    metrics = json.loads((run_directory / "metrics.json").read_bytes())
    for name in ("best_validation_f1-measure-overall", "test_f1-measure-overall"):
        assert f"{100 * metrics[name]:.2f}" in page.text
    assert page.text.count("never seen") == 1
    assert sum(tag == "svg" for tag, _ in page.tags) == 3
    html = (run_directory / "report.html").read_text(encoding="utf-8")
    assert not re.search("#0000[ce]", html)  # every colour is the page's


def test_the_command_writes_the_same(run_directory: Path, copy: Path, capsys: Any) -> None:
    (copy / "report.html").unlink()
    (copy.parent / "quickstart").mkdir()
    moved = copy.rename(copy.parent / "quickstart")
    assert main(["report", str(moved), "--quiet"]) == 0
    assert capsys.readouterr().out == f"{moved}/report.html\n"
    assert (moved / "report.html").read_bytes() == (run_directory / "report.html").read_bytes()


def test_it_agrees_with_evaluate(run_directory: Path) -> None:
    """The mistakes' counts are the false negatives and positives behind the scores."""
    page = page_of(run_directory)
    found = nr.evaluate(run_directory, "sample/dev.conll")
    for row in found["confusions"][:10]:
        assert f"{row['gold']}{row['predicted']}{row['count']}" in page.text.replace("\n", "")
    assert f"{100 * found['token_macro_f1']:.2f}" in page.text


def test_user_text_stays_text(copy: Path) -> None:
    evil = "</mark><script>alert(1)</script>\ud800$x$"
    label = 'A"><img/src=x>&$'

    def change(line: str) -> str:
        prediction = json.loads(line)
        prediction["words"] = [evil for _ in prediction["words"]]
        prediction["gold_tags"] = [tag.replace("PER", label) for tag in prediction["gold_tags"]]
        for entity in prediction["entities"]:
            entity["label"] = entity["label"].replace("LOC", label)
        return json.dumps(prediction)

    for name in ("validation", "test"):
        path = copy / f"predictions_{name}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(map(change, lines)) + "\n", encoding="utf-8")
    history = copy / "metrics.jsonl"
    history.write_text(history.read_text(encoding="utf-8").replace("-LOC", f"-{label[2:]}"))
    rewrite(copy / "config.json", lambda config: config | {"test_data_path": evil})
    report(copy)
    page = page_of(copy)
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not any(tag == "img" for tag, _ in page.tags)
    assert "</mark><script>alert(1)</script>?$x$" in page.text
    assert label in page.text


def test_what_isnt_there_is_said(copy: Path) -> None:
    def moved(config: dict[str, Any]) -> dict[str, Any]:
        return config | {
            f"{name}_data_path": "gone.conll" for name in ("train", "validation", "test")
        }

    rewrite(copy / "config.json", moved)
    report(copy)
    page = page_of(copy)
    assert "Which entities were seen in training isn't known" in page.text
    assert "The training data isn't there" in page.text
    assert "since the data isn't there to tell its own scheme" in page.text
    assert "no word seen" in page.text  # the vocabulary tells
    assert "never seen" not in page.text


def test_data_that_has_changed_is_as_good_as_gone(copy: Path) -> None:
    rewrite(
        copy / "meta.json",
        lambda meta: meta | {"data_sha256": dict.fromkeys(meta["data_sha256"], "0" * 64)},
    )
    report(copy)
    assert "never seen" not in page_of(copy).text


@pytest.mark.parametrize("left", ["metrics.jsonl", None])
def test_a_run_that_is_not_finished(copy: Path, left: str | None) -> None:
    names = ["metrics.json", "metrics.jsonl", "best.safetensors", "model.tar.gz"]
    names += ["predictions_validation.jsonl", "predictions_test.jsonl", "report.html"]
    for name in names:
        if name != left:
            (copy / name).unlink()
    report(copy)
    page = page_of(copy)
    assert "There are no predictions" in page.text
    assert ("No epoch is finished." in page.text) == (left is None)


def test_a_run_without_validation_data(config: dict[str, Any], tmp_path: Path) -> None:
    config |= {"validation_data_path": None, "evaluate_on_test": False}
    config["trainer"] |= {"num_epochs": 1, "validation_metric": "-loss"}
    nr.train(config, tmp_path / "run", quiet=True)
    page = page_of(tmp_path / "run")
    assert page.headings == ["run", "Scores", "Curves", "Data", "Config"]
    assert sum(tag == "svg" for tag, _ in page.tags) == 1


def test_a_model_that_predicts_nothing(copy: Path) -> None:
    path = copy / "predictions_validation.jsonl"
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    kept = [line | {"entities": [], "tags": ["O"] * len(line["words"])} for line in lines]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in kept), encoding="utf-8")
    report(copy)
    assert "No entity was predicted." in page_of(copy).text


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("config.json", None, "expected a run's directory, got no config.json in it"),
        ("config.json", "{", "config.json: expected what a run wrote, got"),
        ("config.json", "{}", "its config.json or meta.json isn't a run's"),
        ("config.json", '{"model": {}}', "train_data_path: required"),
        ("metrics.json", "[]", "metrics.json: expected an object, got list"),
        ("meta.json", "{}", "its config.json or meta.json isn't a run's"),
        ("metrics.json", '{"epoch": 1}', "its metrics.json or metrics.jsonl isn't a run's"),
        ("metrics.jsonl", "{}\nno", "metrics.jsonl:2: expected what a run wrote, got"),
        ("predictions_validation.jsonl", "", "expected predictions, got none"),
        ("predictions_test.jsonl", '{"words": []}', ":1: expected a prediction with gold_tags"),
        ("best.safetensors", "no", "best.safetensors: expected weights, got"),
        ("vocabulary/embedders/words.json", "no", "words.json: expected what a run wrote, got"),
        ("seeds.json", "{}", "got one of several seeds: name one of its seed_N"),
    ],
)
def test_a_broken_directory_is_told_in_a_line(
    copy: Path, capsys: Any, name: str, content: str | None, told: str
) -> None:
    if content is None:
        (copy / name).unlink()
    else:
        (copy / name).write_text(content, encoding="utf-8")
    assert main(["report", str(copy), "--quiet"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert any(told in line for line in lines), lines
    assert all(line.startswith(str(copy)) for line in lines)


def test_without_the_extra(
    config: dict[str, Any],
    copy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)  # as if it weren't installed
    config["trainer"]["num_epochs"] = 1
    nr.train(config, tmp_path / "plain", quiet=True)
    assert (tmp_path / "plain" / "model.tar.gz").is_file()
    assert not (tmp_path / "plain" / "report.html").exists()
    needs = "needs Jinja and matplotlib: pip install 'ner_registry[report]'"
    assert needs in (tmp_path / "plain" / "out.log").read_text(encoding="utf-8")
    assert main(["report", str(copy)]) == 2
    assert capsys.readouterr().err == f"report {needs}\n"


DRIVER = """
<script>
const told = [];
const tell = () => told.push(form.elements.shown.value + " of " +
  [...document.querySelectorAll(".mistake")].filter((card) => card.checkVisibility()).length);
tell();
for (const box of form.querySelectorAll("[name=kind]")) { if (box.value !== "missed") box.click(); }
tell();
form.elements.label.value = "PER";
form.elements.label.dispatchEvent(new Event("input", { bubbles: true }));
tell();
document.title = told.join("; ");
</script></body>
"""


def test_its_filters_work_in_a_browser(copy: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of these is installed: {', '.join(BROWSERS)}")
    path = copy / "report.html"
    html = path.read_text(encoding="utf-8")
    path.write_text(html.replace("</body>", DRIVER), encoding="utf-8")
    page = Page(html)
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += ["--enable-logging=stderr", "--virtual-time-budget=2000", path.as_uri()]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert "CONSOLE" not in run.stderr
    cards = [attributes for tag, attributes in page.tags if "data-gold" in attributes]
    missed = [card for card in cards if not card["data-predicted"]]
    persons = [card for card in missed if card["data-gold"] == "PER"]
    counts = [len(found) for found in (cards, missed, persons)]
    assert counts[0] > counts[1] > 0
    told = re.search("<title>(.*?)</title>", run.stdout)
    assert told is not None
    assert told[1] == "; ".join(f"{count} shown of {count}" for count in counts)
