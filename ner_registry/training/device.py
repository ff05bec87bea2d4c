"""The device that a config or a command names."""

from __future__ import annotations

import os

import torch

from ner_registry.errors import ConfigError, Fault
from ner_registry.training.ranks import Ranks


def choose_device(name: str, path: str = "device") -> torch.device:
    """The device that ``trainer.device`` or ``--device`` names.

    Raises:
        ConfigError: there is no such device here; ``path`` is where it was named.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    fault = None
    try:
        device = torch.device(name)
    except RuntimeError:
        fault = f"expected auto, cpu, cuda, cuda:1 or mps, got {name!r}"
    else:
        gpus = torch.cuda.device_count()
        if device.type == "cuda" and (device.index or 0) >= gpus:
            fault = f"expected a GPU that is here, got {name!r} and {gpus} GPUs: use auto or cpu"
        if device.type == "mps" and not torch.backends.mps.is_available():
            fault = "expected a GPU that is here, got 'mps' without one: use auto or cpu"
    if fault is not None:
        raise ConfigError([Fault(path, fault)])
    return device


def check_device(device: torch.device, ranks: Ranks) -> None:
    """Refuses a device that ranks can't have one each of.

    Raises:
        ConfigError: it is one GPU, or there are fewer than ranks on this machine.
    """
    if ranks.size == 1 or device.type == "cpu":
        return
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    gpus = torch.cuda.device_count() if device.type == "cuda" else 1
    fault = None
    if gpus < here:
        fault = f"expected a GPU for each of {here} ranks, got {gpus}: start fewer, or use cpu"
    elif device.index is not None:
        fault = f"expected cuda, which is a GPU for each of {here} ranks, got {str(device)!r}"
    if fault is not None:
        raise ConfigError([Fault("trainer.device", fault)])
