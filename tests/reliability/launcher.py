"""A process that has loaded what training needs, and forks torchrun's agent for each line it reads.

Its own arguments are those of a run that loads it. A line is JSON, as :class:`Request` has it, and
is answered by the agent's process number; ``{"wait": PROCESS}`` by its exit code: that of the rank
that failed first, or the signal's that ended the agent, or ENDLESS where it took too long.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from ner_registry.cli import main
from ner_registry.training import ranks

ENDLESS = 124
LIMIT = 400  # seconds

Request = dict[
    str, Any
]  # arguments, errors (a file), pids (a folder), ranks, port, restarts, folders, timeout


def work(request: Request) -> None:
    """A rank: runs ner-run, in a folder of its own if there is one for it."""
    rank = int(os.environ["RANK"])
    folder = request["folders"].get(str(rank))
    if folder is not None:
        os.chdir(folder)
    ranks.TIMEOUT = timedelta(seconds=request["timeout"])
    own = Path(request["pids"]) / str(rank)
    own.write_text(str(os.getpid()), encoding="utf-8")
    code = main(request["arguments"])
    # a function that has returned waits for torchrun's agent, which waits for ever if that is
    # then killed; ner-run itself is a process of its own there
    try:
        own.rename(own.with_suffix(".ended"))
    except FileNotFoundError:
        signal.pause()  # it is about to be killed
    if code:
        sys.exit(code)


def launch(request: Request) -> int:
    """What torchrun does, but for its own words."""
    os.setsid()  # so that the agent and its ranks can be ended together
    with open(request["errors"], "wb") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if request["ranks"] == 1:
        return main(request["arguments"])
    logging.getLogger("torch").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=request["ranks"],
        run_id="tested",
        rdzv_backend="static",
        rdzv_endpoint=f"127.0.0.1:{request['port']}",
        rdzv_configs={"rank": 0},
        max_restarts=request["restarts"],
        start_method="fork",
    )
    try:
        elastic_launch(config, work)(request)
    except ChildFailedError as error:
        return error.get_first_failure()[1].exitcode
    except SignalException as stopped:
        return 128 + stopped.sigval
    return 0


def wait(process: int) -> int:
    """The exit code of an agent, which is ended with its ranks where it takes too long."""
    began = time.monotonic()
    while time.monotonic() - began < LIMIT:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return ENDLESS


def serve() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            answer = wait(request["wait"])
        else:
            answer = os.fork()
            if answer == 0:
                code = 70  # an exception that ner-run let through
                try:
                    code = launch(request)
                finally:
                    sys.stderr.flush()
                    os._exit(code % 256)
        print(answer, flush=True)


if __name__ == "__main__":
    assert main(sys.argv[1:]) == 0
    serve()
