"""What torchrun says of this process, read without torch."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout


def is_one_of_several() -> bool:
    """Whether torchrun started others beside this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ["WORLD_SIZE"]) > 1


def is_first() -> bool:
    """Whether this process is to tell how things go."""
    return not is_one_of_several() or os.environ["RANK"] == "0"


@contextmanager
def heard_once() -> Iterator[None]:
    """Within it, the first process of a machine is heard alone, so that a fault is one line.

    What isn't caught within it is.
    """
    with ExitStack() as silence:
        if is_one_of_several() and os.environ["LOCAL_RANK"] != "0":
            nowhere = silence.enter_context(open(os.devnull, "w", encoding="utf-8"))
            silence.enter_context(redirect_stdout(nowhere))
            silence.enter_context(redirect_stderr(nowhere))
        yield
