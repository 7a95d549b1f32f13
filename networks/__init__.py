"""Networks that run as they are. Each is also a test."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from neuroport.errors import InvalidInput


def names() -> tuple[str, ...]:
    """The names of the shipped networks, sorted."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def path(name: str) -> Path:
    """The file of a shipped network.

    Raises InvalidInput when there is none of that name.
    """
    if name not in names():
        raise InvalidInput.one(None, f"there is no shipped network '{name}'; there are: {', '.join(names())}.")
    return Path(str(files(__name__) / f"{name}.yaml"))
