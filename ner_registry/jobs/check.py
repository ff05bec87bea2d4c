"""What in a faultless config is likely not meant."""

from __future__ import annotations

from typing import Any

from ner_registry.errors import Fault


def warnings(config: dict[str, Any]) -> list[Fault]:
    """What to think about again, each with the key to change.

    Args:
        config: a config without faults, every default written out.
    """
    found = []
    trainer, model = config["trainer"], config["model"]
    encoder, head = model["encoder"], model["head"]
    if not config["data_loader"]["shuffle"]:
        message = "the training data is never shuffled: true trains better"
        found.append(Fault("data_loader.shuffle", message))
    if encoder.get("num_layers") == 1 and encoder.get("dropout"):
        message = "has no effect between the layers of an encoder of one: set model.dropout"
        found.append(Fault("model.encoder.dropout", message))
    if trainer["patience"] is not None and trainer["patience"] >= trainer["num_epochs"]:
        message = f"has no effect within num_epochs, {trainer['num_epochs']}: lower it"
        found.append(Fault("trainer.patience", message))
    if trainer["validation_metric"].endswith("loss") and config["validation_data_path"]:
        message = "the least loss isn't the best tagging: consider +f1-measure-overall"
        found.append(Fault("trainer.validation_metric", message))
    if head.get("constraints") == "off" and model["tag_scheme"] in ("IOBES", "BIOUL"):
        message = f"lets tags stand where {model['tag_scheme']} forbids them: use decoding"
        found.append(Fault("model.head.constraints", message))
    return found
