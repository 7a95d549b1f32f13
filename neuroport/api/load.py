"""Network files and shipped networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import neuroport.networks as networks
from neuroport.disk.paths import exists
from neuroport.files import network as reader
from neuroport.numerics.given import PATH, TEXT, TEXTS, takes

if TYPE_CHECKING:
    from neuroport.network.network import Network


@takes(path=PATH, sets=TEXTS)
def load(path: str | Path, sets: Sequence[str] = ()) -> Network:
    """Read a network file, or one of the shipped networks by its name.

    `sets`: changes as on the command line, "PATH=VALUE". InvalidInput has all problems.
    """
    return reader.load(found(path), sets)


@takes(text=TEXT, sets=TEXTS, folder=PATH)
def loads(text: str, sets: Sequence[str] = (), folder: str | Path = ".") -> Network:
    """Read a network out of the text of a network file. `sets`: see `load`; `folder`: where its relative paths start.

    InvalidInput has all problems, with line and column.
    """
    return reader.loads(text, "<text>", str(folder), sets)


def found(path: str | Path) -> Path:
    """The path of a network file, or that of a shipped network by its name."""
    shipped = str(path) in networks.names() and not exists(path)
    return networks.path(str(path)) if shipped else Path(path)
