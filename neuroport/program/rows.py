"""Synapses of which no more is kept than what cannot be computed: the postsynaptic neuron of each, in few bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics.draws import Drawn, unsigned
from neuroport.program.laws import Law

Integers = NDArray[np.int64]

PIECE = 1 << 17
"""About how many synapses are looked at at once."""


class Joined(Protocol):
    """What all forms of synapses have."""

    @property
    def entries(self) -> int:
        """Of how many entries of a kernel, if they share them."""
        ...

    @property
    def indptr(self) -> Integers:
        """Where rows begin."""
        ...

    @property
    def kept(self) -> NDArray[Any]:
        """The postsynaptic neuron of each."""
        ...


@dataclass(frozen=True, eq=False)
class Rows:
    """At most one synapse from a neuron to another, sorted by presynaptic, then postsynaptic neuron.

    indptr: int64 (sources + 1,), where the row of each presynaptic neuron begins, and where the last one ends;
    stored: uint16, uint32 or uint64 (synapses,), the postsynaptic neuron of each. Other arrays with a number for every
    synapse are made anew whenever they are asked for.
    targets, first: by which numbers draws are keyed: those of the pairs of a neuron and one of so many, which here
    count from the first. first_entry: from which number on.
    law: by which rows are drawn that are not stored, onto all neurons from the first to before the last.
    arriving: how many synapses each of these has, where it is known.
    """

    indptr: Integers
    stored: NDArray[Any]
    targets: int
    first: int = 0
    first_entry: int = 0
    law: Law | None = None
    last: int = 0
    arriving: Integers | None = None

    @classmethod
    def drawn(cls, law: Law, sources: int, first: int, last: int) -> Rows:
        """Those onto some neurons that a law draws; they are counted, and not stored."""
        indptr, arriving = np.zeros(sources + 1, np.int64), np.zeros(last - first, np.int64)
        row = 1
        for count, columns in _batches(law, sources, first, last, max(PIECE, last - first)):
            indptr[row : row + len(count)] = count
            arriving += np.bincount(columns, minlength=last - first)
            row += len(count)
        none = np.zeros(0, unsigned(law.targets - 1))
        return cls(np.cumsum(indptr), none, law.targets, first, 0, law, last, arriving)

    @property
    def kept(self) -> NDArray[Any]:
        """The postsynaptic neuron of each, in few bytes."""
        if self.law is None:
            return self.stored
        return np.concatenate([self.stored, *(kept for _, _, kept in self.pieces())])

    @property
    def synapses(self) -> int:
        """How many there are."""
        return int(self.indptr[-1])

    @property
    def entries(self) -> int:
        """Of how many entries of a kernel: they share none."""
        return 0

    @property
    def entry(self) -> None:
        """Which of them each has."""
        return None

    @property
    def pre(self) -> Integers:
        """The presynaptic neuron of each."""
        return np.repeat(np.arange(len(self.indptr) - 1), np.diff(self.indptr))

    @property
    def post(self) -> Integers:
        """The postsynaptic neuron of each."""
        return self.kept.astype(np.int64)

    @property
    def element(self) -> NDArray[np.uint64]:
        """The number by which a synapse's random draws are keyed: that of its pair of neurons."""
        return np.concatenate([np.zeros(0, np.uint64), *self.elements()])

    def pieces(self) -> Iterator[tuple[int, int, NDArray[Any]]]:
        """All synapses, some rows at a time: the first of these, before which they end, and what is kept of them."""
        sources, row = len(self.indptr) - 1, 0
        if self.law is not None:
            for counts, columns in _batches(self.law, sources, self.first, self.last):
                yield row, row + len(counts), columns
                row += len(counts)
            return
        while row < sources:
            ahead = int(np.searchsorted(self.indptr, self.indptr[row] + PIECE, side="right")) - 1
            end = min(max(ahead, row + 1), sources)
            yield row, end, self.stored[self.indptr[row] : self.indptr[end]]
            row = end

    def elements(self) -> Iterator[NDArray[np.uint64]]:
        """The numbers by which draws are keyed, in pieces."""
        for row, end, kept in self.pieces():
            begins = np.arange(row, end, dtype=np.uint64) * np.uint64(self.targets)
            begins += np.uint64(self.first + self.first_entry)
            yield np.repeat(begins, np.diff(self.indptr[row : end + 1])) + kept

    def numbers(self) -> tuple[NDArray[Any], ...]:
        """All that says which they are."""
        which = np.array([self.targets, self.first, self.first_entry])
        return (which, self.indptr, self.stored) if self.law is None else (which, *self.law.numbers())

    def outgoing(self, size: int) -> Integers:
        """How many synapses each of so many presynaptic neurons has."""
        return np.diff(self.indptr)

    def incoming(self, size: int) -> Integers:
        """How many synapses each of so many postsynaptic neurons has."""
        return np.pad(self._arriving, (0, size - len(self._arriving)))

    @cached_property
    def _arriving(self) -> Integers:
        if self.arriving is not None:
            return self.arriving
        counted = np.zeros(0, np.int64)
        for _, _, kept in self.pieces():
            here = np.bincount(kept, minlength=len(counted))
            here[: len(counted)] += counted
            counted = here
        return counted

    def uses(self) -> Integers:
        """How many synapses have each entry of a kernel."""
        return np.zeros(0, np.int64)

    def listed(self) -> Rows:
        """The same synapses one by one."""
        return self

    def joins_like(self, other: Joined) -> bool:
        """Whether another one joins the same neurons in the same order."""
        if other.entries:
            return False
        return np.array_equal(self.indptr, other.indptr) and np.array_equal(self.kept, other.kept)

    def keyed_from(self, first: int) -> Rows:
        """The same with numbers for random draws that begin so much later."""
        return replace(self, first_entry=self.first_entry + first)

    def onto(self, first: int, last: int) -> Rows:
        """The synapses onto some neurons, which then count from the first of these."""
        if self.law is not None:
            part = Rows.drawn(self.law, len(self.indptr) - 1, self.first + first, self.first + last)
            return part.keyed_from(self.first_entry)
        counts, found = np.zeros(len(self.indptr) - 1, np.int64), [self.stored[:0]]
        for row, end, kept in self.pieces():
            inside = (kept >= first) & (kept < last)
            before = np.concatenate([[0], np.cumsum(inside)])
            counts[row:end] = np.diff(before[self.indptr[row : end + 1] - self.indptr[row]])
            found.append(kept[inside] - kept.dtype.type(first))
        indptr = np.concatenate([[0], np.cumsum(counts)])
        return replace(self, indptr=indptr, stored=np.concatenate(found), first=self.first + first)


def _batches(law: Law, sources: int, first: int, last: int, many: int = PIECE) -> Iterator[Drawn]:
    """The rows of a law, onto some neurons and counted from the first of these, so many synapses at a time."""
    counts: list[Integers] = []
    columns: list[NDArray[Any]] = []
    drawn = 0
    for count, found in law.rows(sources):
        inside = (found >= first) & (found < last)
        if not inside.all():
            of = np.repeat(np.arange(len(count)), count)
            count, found = np.bincount(of[inside], minlength=len(count)), found[inside]
        counts.append(count)
        columns.append(found - found.dtype.type(first))
        drawn += len(found)
        if drawn >= many:
            yield np.concatenate(counts), np.concatenate(columns)
            counts, columns, drawn = [], [], 0
    if counts:
        yield np.concatenate(counts), np.concatenate(columns)


def gathered(drawn: Iterator[Drawn], sources: int, expected: float, targets: int) -> Rows:
    """So many rows out of pieces: the numbers of synapses of some rows, and their postsynaptic neurons.

    expected: about how many synapses there will be. Memory is taken for these at once, not twice for all, and of pieces
    nothing stays, so that no small array keeps what lay around it.
    """
    indptr, row = np.zeros(sources + 1, np.int64), 1
    kept: NDArray[Any] = np.zeros(0, np.uint16)
    at, room = 0, int(expected + 8.0 * expected**0.5)
    for count, columns in drawn:
        indptr[row : row + len(count)] = count
        row += len(count)
        end = at + len(columns)
        if end > len(kept):
            longer = np.empty(max(end, room, at + at // 4), columns.dtype)
            longer[:at] = kept[:at]
            kept = longer
        kept[at:end] = columns
        at = end
    kept.resize(at, refcheck=False)
    return Rows(np.cumsum(indptr), kept, targets)
