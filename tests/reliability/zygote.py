"""A process that has loaded what training needs, and forks a run for each line it reads.

Its own arguments are those of a run that loads it. A line is JSON.
``{"arguments": […], "errors": FILE, "directory": DIR}`` runs ner-run with its stderr in a file, and
is answered by the process's number. Two more keys disturb it: at the ``point``-th thing that it
does to a file below the directory, from 0, the ``disturbance`` comes: ``KILL``, ``TERM`` or
``INT``, a signal, or ``EIO``, an I/O error. A ``journal`` gets the names of all points instead.
``{"wait": PROCESS}`` is answered by its exit code.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import sys
from typing import Any

from ner_registry.cli import main


class Points:
    """The moments just before a run changes something on disk."""

    def __init__(self, directory: str, point: int | None, disturbance: str) -> None:
        self.directory = directory
        self.point = point
        self.disturbance = disturbance
        self.names: list[str] = []
        self._fsync = os.fsync
        os.fsync = self._flush  # type: ignore[assignment]  # takes numbers alone
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            is_written = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
            if is_written and str(path).startswith(self.directory):
                self._pass(f"open {path}")
        elif event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir"):
            self._pass(f"{event} {arguments[0]}")

    def _flush(self, descriptor: int) -> None:
        self._pass(f"fsync {os.readlink(f'/proc/self/fd/{descriptor}')}", descriptor)
        self._fsync(descriptor)

    def _pass(self, name: str, descriptor: int | None = None) -> None:
        self.names.append(name.replace(self.directory, ""))
        if len(self.names) - 1 != self.point:
            return
        if self.disturbance == "EIO":
            raise OSError(errno.EIO, os.strerror(errno.EIO), name)
        is_file = descriptor is not None and stat.S_ISREG(os.fstat(descriptor).st_mode)
        if self.disturbance == "KILL" and descriptor is not None and is_file:
            # what wasn't flushed may be lost
            os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
        os.kill(os.getpid(), signal.Signals[f"SIG{self.disturbance}"])


def run(request: dict[str, Any]) -> None:
    with open(request["errors"], "wb") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    points = Points(request["directory"], request.get("point"), request.get("disturbance", "none"))
    code = main(request["arguments"])
    if "journal" in request:
        with open(request["journal"], "w", encoding="utf-8") as file:
            json.dump(points.names, file)
    sys.stderr.flush()
    os._exit(code)


def serve() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                try:
                    run(request)
                finally:
                    os._exit(70)  # an exception that ner-run let through
        print(answer, flush=True)


if __name__ == "__main__":
    assert main(sys.argv[1:]) == 0
    serve()
