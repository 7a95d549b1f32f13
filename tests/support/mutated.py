"""Models of the library that are wrong in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files

import yaml

from neuroport.network.model import NeuronModel, SynapseModel


def mutated(model: NeuronModel | SynapseModel, section: str, instead: Mapping[str, str]) -> str:
    """The text of a shipped model, in JSON, in which other texts stand instead of some.

    Raises ValueError where one of these is not there.
    """
    assert model.place is not None
    found = yaml.safe_load((files("neuroport") / model.place.file).read_text("utf-8"))
    text = json.dumps(found[section][model.name])
    for old, new in instead.items():
        if old not in text:
            raise ValueError(f"{old!r} is not in {model.name}")
        text = text.replace(old, new)
    return text
