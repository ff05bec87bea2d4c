"""Downloads against a server on the loopback interface that misbehaves as each test says."""

from __future__ import annotations

import hashlib
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ner_registry.data import download
from ner_registry.data.download import fetch, verify
from ner_registry.errors import DownloadError

GOOD = random.Random(13).randbytes(1_000_000)
OTHER = random.Random(14).randbytes(1_000_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Reply:
    """How the server answers one request for a file.

    Attributes:
        send: bytes of the answer's body after which it goes wrong; None sends all.
        then: what goes wrong there.
        ranges: whether a ``Range`` is honoured.
        length: the ``Content-Length`` to claim; 0 claims none.
        pause: seconds before the body.
    """

    body: bytes = GOOD
    status: int = 200
    send: int | None = None
    then: str = "close"  # or "reset", "stall"
    ranges: bool = True
    length: int | None = None
    pause: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    path: str
    range: str | None
    if_range: str | None
    sent: int = 0


class Server:
    """Answers the n-th request for a path with its n-th reply, and then with its last."""

    def __init__(self) -> None:
        self.replies: dict[str, list[Reply]] = {}
        self.log: list[Request] = []
        self.released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *args: Any) -> None:
                pass

        class QuietServer(ThreadingHTTPServer):
            def handle_error(self, *args: Any) -> None:
                """A client that hangs up is nothing to print."""

        self.http = QuietServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def serve(self, path: str, *replies: Reply) -> str:
        """The URL under which these replies are given."""
        self.replies[path] = list(replies)
        return self.root + path

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        request = Request(
            handler.path, handler.headers.get("Range"), handler.headers.get("If-Range")
        )
        self.log.append(request)
        replies = self.replies[handler.path]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        status, body, headers = reply.status, reply.body, dict(reply.headers)
        current = request.if_range in (None, headers.get("ETag"))
        if request.range and reply.ranges and status == 200 and current:
            first, size = int(request.range[len("bytes=") : -1]), len(body)
            status, body = (206, body[first:]) if first < size else (416, b"")
            span = f"{first}-{size - 1}" if body else "*"
            headers["Content-Range"] = f"bytes {span}/{size}"
        length = len(body) if reply.length is None else reply.length
        if length:
            headers["Content-Length"] = str(length)
        else:
            headers["Connection"] = "close"
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        time.sleep(reply.pause)
        body = body[: reply.send]
        try:
            handler.wfile.write(body)
        except OSError:
            handler.close_connection = True
            return
        request.sent = len(body)
        if reply.send is not None or length != len(body):
            handler.close_connection = True
        if reply.send is not None and reply.then == "stall":
            self.released.wait(30)
        if reply.send is not None and reply.then == "reset":
            # Closing with a linger of no seconds sends a RST in place of a FIN. The client
            # must have read what came before it, which a RST would discard.
            time.sleep(0.1)
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()

    def close(self) -> None:
        self.released.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "CONNECT_TIMEOUT", 1.0)
    monkeypatch.setattr(download, "READ_TIMEOUT", 0.3)
    monkeypatch.setattr(download, "BACKOFF", 0.01)
    server = Server()
    yield server
    server.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "eng.train"


def assert_only_the_good_file(target: Path) -> None:
    assert target.read_bytes() == GOOD
    assert list(target.parent.iterdir()) == [target]


def refused(urls: list[str], target: Path, content: bytes | None = GOOD) -> str:
    """The one line that tells why these URLs don't give the file; nothing has its name."""
    with pytest.raises(DownloadError) as caught:
        fetch(urls, target, sha256(content) if content is not None else None, hint="do this")
    (line,) = caught.value.lines()
    assert line.endswith("; do this")
    assert "\n" not in line
    assert all(url in line for url in urls)
    assert not target.exists()
    return line


@pytest.mark.parametrize("checksum", [sha256(GOOD), None])
def test_a_file_is_fetched_and_nothing_else_is_left(
    server: Server, target: Path, checksum: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    assert fetch([server.serve("/f", Reply())], target, checksum) == target
    assert_only_the_good_file(target)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("checksum", [sha256(GOOD), None])
def test_a_body_needs_no_declared_length(
    server: Server, target: Path, checksum: str | None
) -> None:
    chunked = b"".join(
        b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (GOOD[:70_000], GOOD[70_000:], b"")
    )
    fetch([server.serve("/f", Reply(length=0))], target, checksum)
    assert_only_the_good_file(target)
    target.unlink()
    reply = Reply(chunked, length=0, headers={"Transfer-Encoding": "chunked"})
    fetch([server.serve("/g", reply)], target, checksum)
    assert_only_the_good_file(target)


def test_a_gzip_file_is_stored_as_it_is(server: Server, target: Path) -> None:
    fetch([server.serve("/f", Reply(headers={"Content-Encoding": "gzip"}))], target, None)
    assert_only_the_good_file(target)


def test_a_file_that_is_there_is_kept_without_a_request(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(GOOD)
    fetch([server.serve("/f", Reply())], target, sha256(GOOD))
    assert server.log == []
    assert_only_the_good_file(target)


def test_a_file_with_another_content_is_told_and_left(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(OTHER)
    with pytest.raises(DownloadError, match=f"{sha256(GOOD)}, got {sha256(OTHER)}; .* left"):
        fetch([server.serve("/f", Reply())], target, sha256(GOOD))
    assert server.log == []
    assert target.read_bytes() == OTHER


def test_verify(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(GOOD)
    verify(path, sha256(GOOD))
    verify(path, None)
    with pytest.raises(DownloadError, match="f: expected SHA-256"):
        verify(path, sha256(OTHER))


def test_a_part_is_continued_with_a_range(server: Server, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / "eng.train.part").write_bytes(GOOD[:600_000])
    fetch([server.serve("/f", Reply())], target, sha256(GOOD))
    assert server.log == [Request("/f", "bytes=600000-", None, sent=400_000)]
    assert_only_the_good_file(target)


@pytest.mark.parametrize("then", ["close", "reset", "stall"])
def test_a_body_that_breaks_off_is_continued(server: Server, target: Path, then: str) -> None:
    url = server.serve("/f", Reply(send=600_000, then=then), Reply())
    fetch([url], target, sha256(GOOD))
    first, second = server.log
    assert first.range is None
    assert second.range is not None
    assert second.sent == len(GOOD) - int(second.range[len("bytes=") : -1])
    # What was read of a chunk that never became whole is asked for again.
    assert second.sent <= 400_000 + download.CHUNK
    assert_only_the_good_file(target)


def test_a_part_outlives_a_failure_and_is_continued_from_a_mirror(
    server: Server, target: Path
) -> None:
    down = server.serve("/f", Reply(send=300_000), Reply(status=404))
    refused([down], target)
    kept = (target.parent / "eng.train.part").stat().st_size
    assert 300_000 - download.CHUNK <= kept <= 300_000
    fetch([down, server.serve("/mirror", Reply())], target, sha256(GOOD))
    assert [request.range for request in server.log[2:]] == [f"bytes={kept}-"] * 2
    assert server.log[-1].sent == len(GOOD) - kept
    assert_only_the_good_file(target)


def test_a_server_that_ignores_the_range_sends_the_file_anew(server: Server, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / "eng.train.part").write_bytes(OTHER[:600_000])
    fetch([server.serve("/f", Reply(ranges=False))], target, sha256(GOOD))
    assert [(request.range, request.sent) for request in server.log] == [
        ("bytes=600000-", len(GOOD))
    ]
    assert_only_the_good_file(target)


@pytest.mark.parametrize(
    "part",
    [OTHER[:600_000], GOOD, GOOD + b"more"],
    ids=["of another file", "complete", "longer than the file"],
)
def test_a_part_that_is_no_beginning_is_given_up(server: Server, target: Path, part: bytes) -> None:
    target.parent.mkdir()
    (target.parent / "eng.train.part").write_bytes(part)
    fetch([server.serve("/f", Reply())], target, sha256(GOOD))
    assert [request.range for request in server.log] == [f"bytes={len(part)}-", None]
    assert_only_the_good_file(target)


def test_a_range_other_than_the_one_asked_for_is_not_taken(server: Server, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / "eng.train.part").write_bytes(GOOD[:600_000])
    wrong = Reply(GOOD[500_000:], 206, headers={"Content-Range": "bytes 500000-999999/1000000"})
    fetch([server.serve("/f", wrong, Reply())], target, sha256(GOOD))
    assert [request.range for request in server.log] == ["bytes=600000-", None]
    assert_only_the_good_file(target)


def test_without_a_hash_an_earlier_part_is_not_trusted(server: Server, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / "eng.train.part").write_bytes(OTHER[:600_000])
    fetch([server.serve("/f", Reply())], target, None)
    assert [request.range for request in server.log] == [None]
    assert_only_the_good_file(target)


def test_without_a_hash_only_a_strong_etag_allows_to_continue(server: Server, target: Path) -> None:
    strong = {"ETag": '"1"'}
    url = server.serve("/f", Reply(send=600_000, headers=strong), Reply(headers=strong))
    fetch([url], target, None)
    assert server.log[1].range is not None
    assert server.log[1].if_range == '"1"'
    assert server.log[1].sent < len(GOOD)
    assert_only_the_good_file(target)

    for headers in ({}, {"ETag": 'W/"1"'}):
        target.unlink()
        server.log.clear()
        url = server.serve("/f", Reply(OTHER, send=600_000, headers=headers), Reply())
        fetch([url], target, None)
        assert [request.range for request in server.log] == [None, None]
        assert_only_the_good_file(target)


def test_without_a_hash_a_file_that_changed_meanwhile_is_fetched_anew(
    server: Server, target: Path
) -> None:
    url = server.serve(
        "/f",
        Reply(OTHER, send=600_000, headers={"ETag": '"1"'}),
        Reply(headers={"ETag": '"2"'}),
    )
    fetch([url], target, None)
    assert server.log[1].sent == len(GOOD)
    assert_only_the_good_file(target)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_trouble_is_waited_out(server: Server, target: Path, status: int) -> None:
    trouble = Reply(b"busy", status)
    fetch([server.serve("/f", trouble, trouble, Reply())], target, sha256(GOOD))
    assert len(server.log) == 3
    assert_only_the_good_file(target)


def test_a_server_does_not_make_the_download_sleep_for_long(
    server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "LONGEST_RETRY_AFTER", 0.05)
    busy = Reply(b"busy", 429, headers={"Retry-After": "5"})
    start = time.monotonic()
    fetch([server.serve("/f", busy, Reply())], target, sha256(GOOD))
    assert time.monotonic() - start < 3
    assert_only_the_good_file(target)


def test_a_lasting_trouble_is_told(server: Server, target: Path) -> None:
    line = refused([server.serve("/f", Reply(b"oh", 500))], target)
    assert "expected the file, got HTTP status 500 Internal Server Error" in line
    assert len(server.log) == 4


def test_a_missing_file_is_told_at_once_and_the_mirror_asked(server: Server, target: Path) -> None:
    missing = server.serve("/f", Reply(b"no", 404))
    assert "got HTTP status 404 Not Found" in refused([missing], target)
    assert len(server.log) == 1
    fetch([missing, server.serve("/mirror", Reply())], target, sha256(GOOD))
    assert_only_the_good_file(target)


def test_wrong_bytes_are_told_once_and_the_mirror_asked(server: Server, target: Path) -> None:
    wrong = server.serve("/f", Reply(OTHER))
    line = refused([wrong], target)
    assert f"expected SHA-256 {sha256(GOOD)}, got {sha256(OTHER)} (1,000,000 bytes)" in line
    assert len(server.log) == 1
    assert list(target.parent.iterdir()) == []
    fetch([wrong, server.serve("/mirror", Reply())], target, sha256(GOOD))
    assert_only_the_good_file(target)


def test_wrong_bytes_after_a_resumption_are_fetched_once_more(server: Server, target: Path) -> None:
    url = server.serve("/f", Reply(OTHER, send=600_000), Reply(OTHER))
    refused([url], target)
    assert [request.range is None for request in server.log] == [True, False, True]
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("content", [GOOD, None])
def test_a_length_that_never_comes_is_told(
    server: Server, target: Path, content: bytes | None
) -> None:
    url = server.serve("/f", Reply(length=len(GOOD) + 5, ranges=False))
    line = refused([url], target, content)
    assert "expected 1,000,005 bytes, got " in line
    assert len(server.log) == download.TRIES


def test_a_length_that_is_too_short_is_told_where_the_hash_is_known(
    server: Server, target: Path
) -> None:
    url = server.serve("/f", Reply(length=len(GOOD) - 5))
    assert "(999,995 bytes)" in refused([url], target)


def test_a_server_that_stalls_is_given_up(server: Server, target: Path) -> None:
    start = time.monotonic()
    line = refused([server.serve("/f", Reply(send=0, then="stall"))], target)
    assert "expected 1,000,000 bytes, got 0 bytes (timed out), 4 tries" in line
    assert time.monotonic() - start < 4


def test_a_server_that_never_answers_is_given_up(server: Server, target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        line = refused([f"http://127.0.0.1:{mute.getsockname()[1]}/f"], target)
    assert "/f: timed out; do this" in line


def test_a_refused_connection_is_told(server: Server, target: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    urls = [f"http://127.0.0.1:{port}/f", f"http://127.0.0.1:{port}/mirror"]
    line = refused(urls, target)
    assert line == (
        f"eng.train can't be downloaded: {urls[0]}: Connection refused; "
        f"{urls[1]}: Connection refused; do this"
    )


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/f", "http://", "http://127.0.0.1:port/f"])
def test_what_is_no_url_is_told(server: Server, target: Path, url: str) -> None:
    refused([url], target)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_no_fault_of_the_download(server: Server, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / "eng.train.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        fetch([server.serve("/f", Reply())], target, sha256(GOOD))
    assert not target.exists()


TWO_PROCESSES = """
import os, sys
from pathlib import Path
from ner_registry.data.download import fetch
url, target, sha256 = sys.argv[1:]
child = os.fork()
fetch([url], Path(target), sha256)
if not child:
    os._exit(0)
sys.exit(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no fork, and no lock, on this platform")
def test_of_two_processes_the_second_waits_for_the_first(server: Server, target: Path) -> None:
    target.parent.mkdir()
    # As a process leaves it that was killed: nobody holds it.
    (target.parent / "eng.train.part.lock").touch()
    url = server.serve("/f", Reply(pause=0.5))
    subprocess.run(
        [sys.executable, "-c", TWO_PROCESSES, url, str(target), sha256(GOOD)],
        check=True,
        timeout=60,
    )
    assert len(server.log) == 1
    assert_only_the_good_file(target)


@pytest.mark.skipif(sys.platform == "win32", reason="no lock on this platform")
def test_of_many_at_once_each_has_the_file_and_no_two_write(server: Server, target: Path) -> None:
    # The first few fail, so that the lock is handed on with the work not done.
    url = server.serve("/f", Reply(b"no", 404), Reply(b"no", 404), Reply(pause=0.1))
    outcomes: list[Path | None] = []

    def run() -> None:
        try:
            outcomes.append(fetch([url], target, sha256(GOOD)))
        except DownloadError:
            outcomes.append(None)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == sorted(["None"] * 2 + [str(target)] * 6)
    assert len(server.log) == 3
    assert_only_the_good_file(target)
