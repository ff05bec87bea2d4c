"""Servers that misbehave: the right file, or one line that says why there is none."""

from __future__ import annotations

import contextlib
import hashlib
import random
import re
import socket
import socketserver
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ner_registry.data import download
from ner_registry.data.download import fetch
from ner_registry.errors import DownloadError

GOOD = random.Random(1).randbytes(200_000)
OTHER = random.Random(2).randbytes(200_000)
SHA256 = hashlib.sha256(GOOD).hexdigest()
HALF = 120_000

# What a server does with a connection that asks for the bytes from one on: the how manieth
# request for the path it is, from 0, and where it asks to begin.
Behaviour = Callable[[socket.socket, int, int], None]


def reply(body: bytes, status: str = "200 OK", length: object = None, *headers: str) -> bytes:
    """An answer; ``length`` is what it claims, by default the truth."""
    claimed = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {claimed}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def part(body: bytes, begin: int, *headers: str) -> bytes:
    """What is asked for, as a part where it isn't the whole."""
    if not begin:
        return reply(body, "200 OK", None, *headers)
    span = f"Content-Range: bytes {begin}-{len(body) - 1}/{len(body)}"
    return reply(body[begin:], "206 Partial Content", None, span, *headers)


def chunked(body: bytes, *sizes: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head + b"".join(b"%b\r\n%b\r\n" % (size, body) for size in sizes)


def always(answer: bytes) -> Behaviour:
    return lambda connection, count, begin: connection.sendall(answer)


def at_first(trouble: Behaviour, times: int = 1) -> Behaviour:
    """Trouble, so many times; after that, what is asked for."""

    def behave(connection: socket.socket, count: int, begin: int) -> None:
        if count < times:
            trouble(connection, count, begin)
        else:
            connection.sendall(part(GOOD, begin))

    return behave


def hang_up(connection: socket.socket, count: int, begin: int) -> None:
    """Not a byte."""


def reset(connection: socket.socket, count: int, begin: int) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half(connection: socket.socket, count: int, begin: int) -> None:
    connection.sendall(part(GOOD, begin)[:HALF])


def half_and_reset(connection: socket.socket, count: int, begin: int) -> None:
    half(connection, count, begin)
    time.sleep(0.05)
    reset(connection, count, begin)


def quarter_and_reset(connection: socket.socket, count: int, begin: int) -> None:
    """Every time from the beginning."""
    connection.sendall(reply(GOOD)[:50_000])
    time.sleep(0.05)
    reset(connection, count, begin)


def stall(connection: socket.socket, count: int, begin: int) -> None:
    time.sleep(4 * download.READ_TIMEOUT)


def half_and_stall(connection: socket.socket, count: int, begin: int) -> None:
    half(connection, count, begin)
    stall(connection, count, begin)


def half_a_header_and_stall(connection: socket.socket, count: int, begin: int) -> None:
    connection.sendall(reply(GOOD)[:20])
    stall(connection, count, begin)


def slow(connection: socket.socket, count: int, begin: int) -> None:
    """Slow, but never silent for as long as would be given up."""
    answer = part(GOOD, begin)
    for at in range(0, len(answer), 20_000):
        connection.sendall(answer[at : at + 20_000])
        time.sleep(download.READ_TIMEOUT / 4)


def drip(connection: socket.socket, count: int, begin: int) -> None:
    """A byte now and then, without end."""
    connection.sendall(reply(b"", length=len(GOOD)))
    for at in range(100):
        connection.sendall(GOOD[at : at + 1])
        time.sleep(download.READ_TIMEOUT / 4)


def little_by_little(connection: socket.socket, count: int, begin: int) -> None:
    """Every connection breaks off after another 70,000 bytes."""
    answer = part(GOOD, begin)
    connection.sendall(answer[: answer.index(b"\r\n\r\n") + 4 + 70_000])


def changed_meanwhile(connection: socket.socket, count: int, begin: int) -> None:
    if count == 0:
        connection.sendall(part(OTHER, 0, 'ETag: "1"')[:HALF])
    else:
        connection.sendall(reply(GOOD, "200 OK", None, 'ETag: "2"'))


def changed_in_silence(connection: socket.socket, count: int, begin: int) -> None:
    """The end of one file joined to the beginning of another."""
    if count == 0:
        connection.sendall(part(OTHER, 0)[:HALF])
    else:
        connection.sendall(part(GOOD, begin))


def another_part(connection: socket.socket, count: int, begin: int) -> None:
    if begin:
        span = f"Content-Range: bytes {begin - 10}-{len(GOOD) - 1}/{len(GOOD)}"
        connection.sendall(reply(GOOD[begin - 10 :], "206 Partial Content", None, span))
    else:
        half(connection, count, begin) if count < 2 else connection.sendall(reply(GOOD))


def ranges_ignored(connection: socket.socket, count: int, begin: int) -> None:
    if count == 0:
        half(connection, count, begin)
    else:
        connection.sendall(reply(GOOD))


def redirect(target: str) -> Behaviour:
    return always(reply(b"", "302 Found", None, f"Location: {target}"))


# Those that end with the right file, and those that end with a line, and what that line says.
RIGHT: dict[str, Behaviour] = {
    "good": at_first(hang_up, 0),
    "hangs up at first": at_first(hang_up),
    "resets at first": at_first(reset),
    "half of it at first": at_first(half),
    "half of it and a reset at first": at_first(half_and_reset),
    "half of it and silence at first": at_first(half_and_stall),
    "silence at first": at_first(stall),
    "little by little": little_by_little,
    "500 at first": at_first(always(reply(b"oh", "500 Internal Server Error")), 2),
    "429 for an hour": at_first(always(reply(b"", "429 Many", None, "Retry-After: 3600"))),
    "slow": slow,
    "chunked": always(chunked(GOOD, b"%x" % len(GOOD)) + b"0\r\n\r\n"),
    "a changed file": changed_meanwhile,
    "a file changed in silence": changed_in_silence,
    "another part than asked for": another_part,
    "a length that is none": always(reply(GOOD, length="many")),
    "a negative length": always(reply(GOOD, length=-5)),
    "no gzip that says it is": always(reply(GOOD, "200 OK", None, "Content-Encoding: gzip")),
    "redirected": at_first(redirect("/elsewhere")),
    "ranges ignored": ranges_ignored,
}
WRONG: dict[str, tuple[Behaviour, str]] = {
    "hangs up": (hang_up, "closed connection|aborted|reset"),
    "resets": (reset, "reset"),
    "half of it": (always(reply(GOOD)[:HALF]), "expected 200,000 bytes, got "),
    "a quarter of it and a reset": (quarter_and_reset, "expected 200,000 bytes, got "),
    "silence": (stall, "timed out"),
    "half a header and silence": (half_a_header_and_stall, "timed out"),
    "a byte now and then": (drip, "too slow: [0-9]+ bytes a second"),
    "500": (always(reply(b"oh", "500 Internal Server Error")), "status 500"),
    "404": (always(reply(b"no", "404 Not Found")), "status 404"),
    "403": (always(reply(b"<html>", "403 Forbidden")), "status 403"),
    "204": (always(reply(b"", "204 No Content")), "status 204"),
    "416": (always(reply(b"", "416 Range Not Satisfiable")), "status 416"),
    "a part that nobody asked for": (always(part(GOOD, 10)), "status 206"),
    "another file": (always(reply(OTHER)), "SHA-256"),
    "a page to log in": (always(reply(b"<html>Hello!</html>")), "SHA-256"),
    "nothing": (always(reply(b"")), "SHA-256"),
    "a byte too many": (always(reply(GOOD + b"x")), "SHA-256"),
    "a length too long": (always(reply(GOOD, length=200_005)), "expected 200,005 bytes"),
    "a length too short": (always(reply(GOOD, length=199_995)), "SHA-256"),
    "two lengths": (always(reply(GOOD, "200 OK", None, "Content-Length: 5")), "Content-Length"),
    "a chunk cut short": (always(chunked(GOOD, b"fffff")), "expected the whole file"),
    "a chunk of no size": (always(chunked(GOOD, b"size")), "expected the whole file"),
    "in circles": (redirect("/circle"), "redirects"),
    "to a file": (redirect("file:///etc/hostname"), "connection adapters"),
    "to nowhere": (redirect("http://127.0.0.1:1/x"), "refused"),
    "no status": (always(b"\x16\x03\x01\x02\x00\x01\x00"), "."),
    "no header": (always(GOOD), "."),
    "a header without end": (always(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000), "."),
    "headers without end": (always(b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 1000), "."),
}


class Handler(socketserver.BaseRequestHandler):
    """Reads a request and lets its path's behaviour answer."""

    server: Server

    def handle(self) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := self.request.recv(65536)):
                return
            head += more
        path = head.split()[1].decode().lstrip("/")
        asked = re.search(rb"Range: bytes=(\d+)-", head)
        count = self.server.counts[path]
        self.server.counts[path] += 1
        behave = self.server.behaviours.get(path, RIGHT["good"])
        with contextlib.suppress(OSError):  # a client that gives up
            behave(self.request, count, int(asked[1]) if asked else 0)


class Server(socketserver.ThreadingTCPServer):
    """Behaves for each path as it is told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours: dict[str, Behaviour] = {}
        self.counts: Counter[str] = Counter()

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]  # TCP
        self.close_request(request)  # as it is: no polite end before a reset


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name, seconds in (
        ("CONNECT_TIMEOUT", 1.0),
        ("READ_TIMEOUT", 0.4),
        ("RATE_TIME", 0.5),
        ("BACKOFF", 0.01),
        ("LONGEST_RETRY_AFTER", 0.05),
    ):
        monkeypatch.setattr(download, name, seconds)
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url_of(server: Server, behaviour: Behaviour) -> str:
    path = "circle" if behaviour is WRONG["in circles"][0] else f"{len(server.behaviours)}"
    server.behaviours[path] = behaviour
    return f"http://127.0.0.1:{server.server_address[1]}/{path}"


@pytest.mark.parametrize("kind", RIGHT)
def test_the_right_file(kind: str, server: Server, tmp_path: Path) -> None:
    target = tmp_path / "file"
    fetch([url_of(server, RIGHT[kind])], target, SHA256)
    assert target.read_bytes() == GOOD
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("kind", WRONG)
def test_one_clear_line(kind: str, server: Server, tmp_path: Path) -> None:
    behaviour, told = WRONG[kind]
    target = tmp_path / "file"
    url = url_of(server, behaviour)
    with pytest.raises(DownloadError) as caught:
        fetch([url], target, SHA256)
    (line,) = caught.value.lines()
    assert line.startswith(f"file can't be downloaded: {url}: ")
    assert re.search(told, line), line
    assert len(line) < 500
    assert not target.exists()
    # what is left of it harms nobody: the next server gives the file
    fetch([url, url_of(server, RIGHT["good"])], target, SHA256)
    assert target.read_bytes() == GOOD
