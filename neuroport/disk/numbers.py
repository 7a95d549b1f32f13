"""Files of numbers that are not HDF5, by their endings."""

from __future__ import annotations

from pathlib import Path

from neuroport.disk.csv import of_csv
from neuroport.disk.npy import of_npy, of_npz
from neuroport.disk.paths import unreadable
from neuroport.disk.stored import Stored, Wrong
from neuroport.errors import InvalidInput, Place

ENDINGS = (".npy", ".npz", ".csv")


def is_plain(path: Path) -> bool:
    """Whether the name of a file says that it is of one of these kinds."""
    return path.suffix.lower() in ENDINGS


def found(path: Path, name: str) -> Stored:
    """What a file holds under a name, "" where there is one thing only. Raises InvalidInput, at the path."""
    wrong = unreadable(path, "the name of a file of numbers")
    if wrong:
        raise InvalidInput.one(Place(str(path)), wrong)
    try:
        match path.suffix.lower():
            case ".npy" if name:
                raise Wrong("holds one array; leave `dataset` out")
            case ".npy":
                return of_npy(path)
            case ".npz":
                return of_npz(path, name)
            case _:
                return of_csv(path, name)
    except Wrong as error:
        raise InvalidInput.one(Place(str(path)), str(error)) from None
