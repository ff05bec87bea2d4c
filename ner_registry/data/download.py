"""Downloads: a file is resumed, checked against its SHA-256, and only then given its name."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from ner_registry.bars import bytes_bar
from ner_registry.data.locks import only_one
from ner_registry.errors import DownloadError

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

# Seconds. They are short, so that a dead network is told in well under a minute: a host has
# several addresses, and each of them is given CONNECT_TIMEOUT, twice.
CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
BACKOFF = 0.5
LONGEST_RETRY_AFTER = 10.0

# A server that sends fewer bytes a second than that, for so many seconds, is given up.
LEAST_RATE = 1000
RATE_TIME = 30.0

# How often a body is asked for from one URL: at first, and after it broke off.
TRIES = 4
CHUNK = 64 * 1024


def fetch(
    urls: Sequence[str],
    target: Path,
    sha256: str | None,
    *,
    hint: str = "check the connection and try again",
) -> Path:
    """Download a file, or keep the one that is there.

    The bytes go to ``target`` + ``.part``, which outlives a failure and is continued the next
    time. What is stored is what the server sent: a ``.gz`` stays one.

    Args:
        urls: mirrors of the same bytes, tried in order.
        target: the file to write; its folder is created.
        sha256: the content's SHA-256 in hexadecimal digits, or None where it isn't known.
        hint: what the user can do when every URL fails; the error ends with it.

    Returns:
        ``target``.

    Raises:
        DownloadError: no URL gave the file, or ``target`` exists with another content (it is
            left as it is).
        OSError: the file can't be written, such as on a full disk.
    """
    if target.exists():
        verify(target, sha256)
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    failures = []
    with only_one(part.with_name(part.name + ".lock")):
        if target.exists():
            verify(target, sha256)
            return target
        with _session() as session:
            for url in urls:
                try:
                    _fetch_from(session, url, part, sha256)
                except _FailedError as failure:
                    failures.append(f"{url}: {failure}")
                else:
                    os.replace(part, target)
                    return target
    reasons = "; ".join(filter(None, [*failures, hint]))
    raise DownloadError(f"{target.name} can't be downloaded: {reasons}")


def verify(path: Path, sha256: str | None) -> None:
    """Check a file that is there already.

    Args:
        path: the file.
        sha256: what its SHA-256 must be, in hexadecimal digits; None accepts any content.

    Raises:
        DownloadError: its SHA-256 is another one.
        OSError: it can't be read.
    """
    if sha256 is not None and (got := _digest(path)) != sha256:
        raise DownloadError(
            f"{path}: expected SHA-256 {sha256}, got {got}; "
            "the file is left as it is: move it away to have it downloaded"
        )


class _FailedError(Exception):
    """One URL didn't give the file; the message says what was expected and what was got."""


def _fetch_from(session: requests.Session, url: str, part: Path, sha256: str | None) -> None:
    """Fill ``part`` from one URL and verify it; `_FailedError` where that can't be done."""
    # Without a hash nothing would tell a part of this file from one of an older version.
    for from_scratch in (sha256 is None, True):
        if from_scratch:
            part.unlink(missing_ok=True)
        resumed = _receive(session, url, part, sha256 is not None)
        got = _digest(part)
        if sha256 in (None, got):
            return
        failure = _FailedError(
            f"expected SHA-256 {sha256}, got {got} ({part.stat().st_size:,} bytes)"
        )
        part.unlink()
        if not resumed:
            break
    raise failure


def _receive(session: requests.Session, url: str, part: Path, hash_known: bool) -> bool:
    """Bring ``part`` to the length that the server declares, continuing it where possible.

    Returns:
        whether the end was joined to an earlier beginning.

    Raises:
        _FailedError: the server can't be reached, refuses, or breaks off every time.
    """
    etag: str | None = None
    for attempt in range(TRIES):
        if attempt:
            time.sleep(BACKOFF)
        have = part.stat().st_size if part.exists() else 0
        # Offsets are those of the file itself, not of a compressed form of it.
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if etag is not None:
                headers["If-Range"] = etag
        try:
            response = session.get(
                url, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)
            )
        except (requests.RequestException, HTTPError) as error:
            raise _FailedError(_reason(error)) from error
        with response:
            start = _first_byte(response, have)
            if start is None:
                problem = f"asked for the bytes from {have:,}, got {_status(response)}"
                part.unlink()
                continue
            problem = _write(response, part, start)
            if not problem:
                return start > 0
            # Where no hash will tell, only a strong ETag says that two bodies are of one file.
            if not hash_known:
                etag = response.headers.get("ETag", "")
                if not etag.startswith('"'):
                    etag = None
                    part.unlink()
    raise _FailedError(f"{problem}, {TRIES} tries")


def _first_byte(response: requests.Response, have: int) -> int | None:
    """Where in the file the response's body begins; None if the part must be given up.

    Args:
        response: an answer whose body isn't read yet.
        have: the number of bytes in the part, which is where the request asked to begin.

    Raises:
        _FailedError: the answer is no file.
    """
    if response.status_code == 200:
        return 0
    if have and response.status_code in (206, 416):
        begins = response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        return have if begins and response.status_code == 206 else None
    raise _FailedError(f"expected the file, got {_status(response)}")


def _write(response: requests.Response, part: Path, start: int) -> str:
    """Write the response's body to ``part`` from byte ``start`` on, down to the disk.

    Returns:
        what is wrong with the body; empty where nothing is.
    """
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdecimal() else None
    cause = ""
    with (
        part.open("ab" if start else "wb") as file,
        bytes_bar(f"downloading {part.stem}", total, start) as bar,
    ):
        try:
            received, since = 0, time.monotonic()
            # what is there already, so that a slow server is noticed
            while chunk := response.raw.read1(CHUNK, decode_content=False):
                file.write(chunk)
                bar.update(len(chunk))
                received += len(chunk)
                seconds = time.monotonic() - since
                if seconds > RATE_TIME:
                    if received < LEAST_RATE * seconds:
                        cause = f" (too slow: {received / seconds:,.0f} bytes a second)"
                        break
                    received, since = 0, time.monotonic()
        except HTTPError as error:
            cause = f" ({_reason(error)})"
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    if not cause and total in (None, size):
        return ""
    expected = "the whole file" if total is None else f"{total:,} bytes"
    return f"expected {expected}, got {size:,} bytes{cause}"


def _status(response: requests.Response) -> str:
    return f"HTTP status {response.status_code} {response.reason or ''}".rstrip()


def _reason(error: BaseException) -> str:
    """The words of the innermost cause, which requests wraps in several exceptions."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, TimeoutError):
            return "timed out"
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        error = inner
        # An exception that is merely being handled somewhere above (__context__) is no cause.
        carried = (arg for arg in inner.args if isinstance(arg, BaseException))
        inner = inner.__cause__ or next(carried, None)
    return " ".join(str(error).split()) or type(error).__name__


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _BoundedRetry(Retry):
    """Retries that don't sleep for an hour because a server asks for it."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        seconds = super().get_retry_after(response)
        return None if seconds is None else min(seconds, LONGEST_RETRY_AFTER)


def _session() -> requests.Session:
    """A session that repeats what fails before a body begins."""
    retry = _BoundedRetry(
        total=3,
        connect=1,
        read=1,
        status_forcelist=(429, 500, 502, 503, 504),
        backoff_factor=BACKOFF,
        raise_on_status=False,
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session
