"""Pairs in a file: `{file: pairs.npy}`, `{file: pairs.h5, dataset: /pairs}`, rows of source and target.

Or in a file of NumPy or a table; or the places at which a sparse matrix of SciPy has values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.connections.rule import Ends, Entry, Pairs, Rule
from neuroport.disk.stored import Entries
from neuroport.errors import InvalidInput
from neuroport.network.objects import Connect
from neuroport.numerics.units import quoted
from neuroport.yaml.arrays import (
    Sink,
    read_dataset,
    read_entries,
    stored_entries,
    stored_shape,
    where,
    written_where,
)
from neuroport.yaml.slots import Shape, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored(Connect):
    """Rows (n, 2) of source, target, or a sparse matrix; the path of the file starts at the folder of the network.

    `dataset`: "" where the file needs no name; `rows`: how many pairs there were when the network was read.
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
    beside = {} if at is None else {"dataset": at}
    named = where(report, entry.node, {"file": entry.inner, **beside}, entry.this, entry.this)
    if named is None:
        return None
    (name, dataset), slot = named, Slot(entry.this, folder=entry.folder)
    before = len(report.problems)
    entries = stored_entries(report, entry.inner, slot, name, dataset)
    shape = None if entries else stored_shape(report, entry.inner, slot, name, dataset)
    if len(report.problems) > before:
        return None
    wrong = _unfit(entries, entry) if entries else "" if shape and shape[1:] == (2,) else _no_pairs(shape)
    if wrong:
        report.add(at or entry.inner, f"{entry.this} has the shape {wrong}")
        return None
    rows = len(entries.values) if entries else shape[0] if shape else 0
    return Stored(file=name, dataset=dataset, rows=rows, place=entry.node.place)


def _unfit(entries: Entries, entry: Entry) -> str:
    """ "" or the shape of a matrix that is not one of the two populations."""
    if entry.source is None or entry.target is None or entries.shape == (entry.source.size, entry.target.size):
        return ""
    return f"{entries.shape}; it must be {(entry.source.size, entry.target.size)}, one row per source neuron"


def _no_pairs(shape: Shape | None) -> str:
    return f"{shape}; it must be (n, 2), rows of source and target"


def write(rule: Stored, sink: Sink, at: str) -> Any:
    """Write it."""
    return written_where(rule.file, rule.dataset, sink)


def expected(rule: Stored, ends: Ends) -> float:
    """As many as the file had."""
    return float(rule.rows)


def pairs(rule: Stored, ends: Ends) -> Pairs:
    """Read them. Raises InvalidInput."""
    path = Path(ends.folder) / rule.file
    entries = read_entries(path, rule.dataset)
    if entries is not None:
        if entries.shape != ends.shape:
            text = f"{quoted(rule.file)} has the shape {entries.shape}; it must be {ends.shape}"
            raise InvalidInput.one(rule.place, f"{text}, one row per source neuron")
        return entries.rows, entries.columns
    stored = read_dataset(path, rule.dataset)
    if stored.ndim != 2 or stored.shape[1] != 2 or not _whole(stored):
        inside = f"{quoted(rule.dataset)} in " if rule.dataset else ""
        text = f"{inside}{quoted(rule.file)} must hold rows of two whole numbers, source and target"
        raise InvalidInput.one(rule.place, text)
    given = stored.astype(np.int64)
    return given[:, 0], given[:, 1]


def _whole(numbers: NDArray[np.float64] | NDArray[np.int64]) -> bool:
    """Whether they are neurons' numbers; those that do not exist are found where the neurons are known."""
    return bool(np.all((numbers == np.rint(numbers)) & (np.abs(numbers) < 2**53)))


RULE = Rule(Stored, read, write, expected, pairs, beside=("dataset",), ordered=True)
