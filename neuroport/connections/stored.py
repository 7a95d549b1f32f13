"""Pairs in an HDF5 file: `{file: pairs.h5, dataset: /pairs}`, rows of source and target."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.rule import Ends, Entry, Pairs, Rule
from neuroport.errors import InvalidInput
from neuroport.network.objects import Connect
from neuroport.numerics.units import quoted
from neuroport.yaml.arrays import Sink, read_dataset, stored_shape
from neuroport.yaml.slots import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Connect):
    """The rows of a data set (n, 2) of source, target; the path of the file starts at the folder of the network.

    `rows`: how many there were when the network was read.
    """

    file: str
    dataset: str
    rows: int = field(default=0, compare=False)


def read(entry: Entry) -> Stored | None:
    """Read it; the pairs themselves are read when they are needed."""
    report, at = entry.report, entry.beside("dataset")
    if entry.inner is None:
        report.add(entry.node, f"{entry.this} must name its file: write 'file: pairs.h5' and 'dataset: /pairs'")
        return None
    name = report.text(entry.inner, f"the file of {entry.this}")
    dataset = report.text(at, f"the data set of {entry.this}")
    if name is None or dataset is None:
        return None
    shape = stored_shape(report, entry.inner, Slot(entry.this, folder=entry.folder), name, dataset)
    if shape is None:
        return None
    if len(shape) != 2 or shape[1] != 2:
        report.add(at, f"{entry.this} has the shape {shape}; it must be (n, 2), rows of source and target")
        return None
    return Stored(file=name, dataset=dataset, rows=shape[0], place=entry.node.place)


def write(rule: Stored, sink: Sink, at: str) -> Any:
    """Write it."""
    return {"file": sink.path(rule.file), "dataset": rule.dataset}


def expected(rule: Stored, ends: Ends) -> float:
    """As many as the file had."""
    return float(rule.rows)


def pairs(rule: Stored, ends: Ends) -> Pairs:
    """Read them. Raises InvalidInput."""
    stored = read_dataset(Path(ends.folder) / rule.file, rule.dataset)
    if stored.ndim != 2 or stored.shape[1] != 2 or not _whole(stored):
        text = f"{quoted(rule.dataset)} in {quoted(rule.file)} must hold rows of two whole numbers, source and target"
        raise InvalidInput.one(rule.place, text)
    given = stored.astype(np.int64)
    return given[:, 0], given[:, 1]


def _whole(numbers: NDArray[np.float64] | NDArray[np.int64]) -> bool:
    """Whether they are neurons' numbers; those that do not exist are found where the neurons are known."""
    return bool(np.all((numbers == np.rint(numbers)) & (np.abs(numbers) < 2**53)))


RULE = Rule(Stored, read, write, expected, pairs, beside=("dataset",), ordered=True)
