"""Networks that run as they are. Each is also a test."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from neuroport.errors import InvalidInput
from neuroport.numerics.given import TEXT, takes
from neuroport.numerics.units import quoted, suggestion
from neuroport.shelf import shelve


def names() -> tuple[str, ...]:
    """The names of the shipped networks, sorted; one in a folder has the folder's name in front: published/brunel.

    Descriptions of chips that go with one of them lie in the folder `chips`.
    """
    found = (name.removesuffix(".yaml") for name in _walk(files(__name__)) if name.endswith(".yaml"))
    return tuple(sorted(name for name in found if not name.startswith("chips/")))


@takes(name=TEXT)
def path(name: str) -> Path:
    """The file of a shipped network.

    Raises InvalidInput when there is none of that name.
    """
    if name not in names():
        remedy = suggestion(name, list(names())).strip() or "networks.names() tells what there is"
        raise InvalidInput.one(None, f"there is no shipped network {quoted(name)}; {remedy}")
    return Path(str(files(__name__) / f"{name}.yaml"))


def _walk(folder: Traversable, above: str = "") -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{above}{entry.name}/")
        else:
            yield f"{above}{entry.name}"


shelve(__name__)
