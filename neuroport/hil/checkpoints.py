"""Checkpoints of sessions behind a link, and all checkpoints as they go through messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.disk import tree
from neuroport.disk.hdf5 import opened
from neuroport.disk.output import HDF5, check_output, new_hdf5
from neuroport.disk.tree import Tree
from neuroport.errors import InvalidInput, Place
from neuroport.hil.messages import unpacked
from neuroport.hil.wire import Carried
from neuroport.numerics.given import PATH, Kind, found
from neuroport.session import checkpoint as sessions
from neuroport.session.checkpoint import Checkpoint
from neuroport.session.forms import ARRAY, LIST, WHOLE, Named, Record

LINK = "link"
"""Where the state of a link lies in a checkpoint."""


@dataclass(slots=True)
class Arrivals:
    """What is under way from the chip through one port: when each row arrives, of which step it is, and what it is."""

    arrives: NDArray[np.int64]
    steps: NDArray[np.int64]
    values: NDArray[Any]

    def add(self, more: Arrivals) -> None:
        """Take more rows."""
        self.arrives = np.concatenate([self.arrives, more.arrives])
        self.steps = np.concatenate([self.steps, more.steps])
        self.values = np.concatenate([self.values, more.values])

    def chosen(self, which: NDArray[Any]) -> Arrivals:
        """Some of the rows, copies."""
        return Arrivals(self.arrives[which], self.steps[which], self.values[which])


@dataclass(frozen=True, eq=False, slots=True)
class UnderWay:
    """The state of a link.

    Of its directions; how many messages each port was sent; how many came late; what has not been taken.
    """

    to_chip: Carried
    from_chip: Carried
    sent: Mapping[str, int]
    late: int
    waiting: Mapping[str, Arrivals]


_CARRIED = Record(Carried, dict(dropped=WHOLE, step=WHOLE, gone=WHOLE, last=WHOLE, bad=Named(WHOLE)))
UNDER_WAY = Record(
    UnderWay,
    dict(
        to_chip=_CARRIED,
        from_chip=_CARRIED,
        sent=Named(WHOLE),
        late=WHOLE,
        waiting=Named(Record(Arrivals, dict(arrives=LIST, steps=LIST, values=ARRAY))),
    ),
)


@dataclass(frozen=True, eq=False, slots=True)
class LinkedCheckpoint:
    """All that a session and the link before it go on from."""

    session: Checkpoint
    link: UnderWay

    @property
    def step(self) -> int:
        """The number of the step that comes next."""
        return self.session.step

    def tree(self) -> Tree:
        """It as numbers, texts and arrays by name."""
        return {**self.session.tree(), LINK: UNDER_WAY.write(self.link)}

    def save(self, path: str | Path) -> None:
        """Write it to a file of its own; only an earlier checkpoint is replaced, InvalidInput for another file."""
        check_output(path, True, "a checkpoint", HDF5)
        if Path(path).exists() and not sessions.is_checkpoint(path):
            text = "is no checkpoint, and only a checkpoint is replaced; choose another name, or remove it yourself"
            raise InvalidInput.one(Place(str(path)), text)
        with new_hdf5(path) as file:
            tree.write(file.create_group(sessions.GROUP, track_order=True), self.tree())

    @staticmethod
    def load(path: str | Path) -> Checkpoint | LinkedCheckpoint:
        """Read a checkpoint, of a session behind a link or of another, from its file."""
        with opened(path, sessions.KIND) as root:
            if not root.has(sessions.GROUP):
                text = f"is an HDF5 file, but no checkpoint: it has no group {sessions.GROUP}"
                raise InvalidInput.one(Place(str(path)), text)
            return of_tree(tree.read(root.group(sessions.GROUP)), Place(str(path)))


GIVEN = Kind(
    "a checkpoint, or the path of one",
    lambda value: isinstance(value, Checkpoint | LinkedCheckpoint) or PATH.fits(value),
)
"""What a session is restored from, behind a link or not."""


def of_tree(written: Tree, place: Place | None = None) -> Checkpoint | LinkedCheckpoint:
    """The checkpoint that was written so; InvalidInput, at that place, for what is none."""
    if LINK not in written:
        return Checkpoint.of_tree(written, place)
    session = Checkpoint.of_tree({name: part for name, part in written.items() if name != LINK}, place)
    return LinkedCheckpoint(session, UNDER_WAY.read(written[LINK], LINK))


def sealed(message: Mapping[str, Any], sha256: str) -> Checkpoint | LinkedCheckpoint:
    """The checkpoint in a message, which has that SHA-256; InvalidInput for one that is damaged."""
    written = _leaves(unpacked(dict(message)))
    try:
        told = tree.seal(written)
    except (TypeError, ValueError, AttributeError):
        told = ""
    if told != sha256:
        raise InvalidInput.one(None, "the checkpoint is not what its sha256 says; send it as it was received")
    return of_tree(written)


def _leaves(value: Any) -> Any:
    """A tree out of a message, whose lists are of texts."""
    if isinstance(value, dict):
        return {name: _leaves(part) for name, part in value.items()}
    if not isinstance(value, list):
        return value
    if not all(isinstance(text, str) for text in value):
        raise InvalidInput.one(None, f"lists in a checkpoint are of texts; found {found(value)}")
    return tuple(value)
