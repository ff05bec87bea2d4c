"""Bars on a real terminal, of a process of its own."""

from __future__ import annotations

import functools
import http.server
import os
import pty
import subprocess
import sys
import termios
import threading
from pathlib import Path

SCRIPT = """
import sys
import ner_registry.bars as bars
from ner_registry.cli import main
bars.DELAY = 0.0  # as if all took long
url, run, text = sys.argv[1:]
for place, more in (("quiet", ["--quiet"]), ("loud", [])):
    settings = [f"train_data_path={url}/{place}/train.conll", "trainer.num_epochs=1"]
    settings += ["test_data_path=null", "evaluate_on_test=false"]
    settings = [word for setting in settings for word in ("--set", setting)]
    config = "experiments/quickstart.jsonnet"
    assert main(["train", config, "-s", f"{run}/{place}", *settings, *more]) == 0
    assert main(["predict", f"{run}/{place}", text, *more]) == 0
    print("THEN", file=sys.stderr)
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def on_terminal(arguments: list[str], root: Path, cache: Path) -> str:
    """What a script writes to stderr, where that is a terminal."""
    terminal, stderr = pty.openpty()
    termios.tcsetwinsize(stderr, (24, 100))
    environment = os.environ | {"NER_CACHE": str(cache), "NO_PROXY": "127.0.0.1"}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=root,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
    )
    os.close(stderr)
    written = b""
    try:
        while piece := os.read(terminal, 2**16):
            written += piece
    except OSError:
        pass  # how Linux tells that nobody writes to it any more
    os.close(terminal)
    assert process.wait() == 0, written.decode()
    return written.decode()


def test_bars_of_all_long_work_and_none_if_quiet(root: Path, tmp_path: Path) -> None:
    lines = (root / "ner_registry" / "sample" / "train.conll").read_text("utf-8").split("\n\n")
    for place in ("quiet", "loud"):
        (tmp_path / "served" / place).mkdir(parents=True)
        (tmp_path / "served" / place / "train.conll").write_text("\n\n".join(lines[:50]), "utf-8")
    text = tmp_path / "text.txt"
    text.write_text("Jim works in Paris.\n", encoding="utf-8")
    handler = functools.partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}"
        arguments = [url, str(tmp_path / "runs"), str(text)]
        written = on_terminal(arguments, root, tmp_path / "cache")
        server.shutdown()
        thread.join()
    quiet, loud, rest = written.split("THEN\r\n")
    assert quiet == rest == ""
    for doing in (
        "downloading",
        "reading",
        "indexing",
        "epoch 0",
        "evaluating",
        "tagging text.txt",
    ):
        assert f"\r{doing}" in loud, doing
    assert "<" in loud  # the time that is left
    assert "\x1b[3" not in loud  # colours
    # what is said stands on lines of its own
    assert "\rdone: 1 epochs" in loud or "\ndone: 1 epochs" in loud
