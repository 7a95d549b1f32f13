"""Which neurons synapses join: one by one (`Pairs`, `Rows`), or in runs that share the entries of a kernel."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.program.rows import Rows

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Synapses one by one, sorted by presynaptic, then postsynaptic neuron.

    pre, post: int64 (synapses,); indptr: int64 (source size + 1,), row i of presynaptic neuron i;
    element: uint64 (synapses,), the number by which a synapse's random draws are keyed.
    entry: int64 (synapses,) or None: which of the `entries` of a kernel each has, if they share what stands there.
    first_entry: by which number draws of the first entry are keyed.
    """

    pre: Integers
    post: Integers
    indptr: Integers
    element: NDArray[np.uint64]
    entry: Integers | None = None
    entries: int = 0
    first_entry: int = 0

    @property
    def synapses(self) -> int:
        """How many there are."""
        return len(self.pre)

    @property
    def kept(self) -> Integers:
        """The postsynaptic neuron of each, in the numbers in which it is kept."""
        return self.post

    def numbers(self) -> tuple[NDArray[Any], ...]:
        """All that says which they are."""
        shared = () if self.entry is None else (self.entry,)
        return (self.pre, self.post, self.element, *shared)

    def outgoing(self, size: int) -> Integers:
        """How many synapses each of so many presynaptic neurons has."""
        return np.bincount(self.pre, minlength=size)

    def incoming(self, size: int) -> Integers:
        """How many synapses each of so many postsynaptic neurons has."""
        return np.bincount(self.post, minlength=size)

    def uses(self) -> Integers:
        """How many synapses have each entry."""
        return np.bincount(np.zeros(0, np.int64) if self.entry is None else self.entry, minlength=self.entries)

    def listed(self) -> Pairs:
        """The same synapses one by one."""
        return self

    def joins_like(self, other: Wiring) -> bool:
        """Whether another one joins the same neurons in the same order."""
        if isinstance(other, Kernel):
            return False
        return all(x is y or np.array_equal(x, y) for x, y in ((self.indptr, other.indptr), (self.kept, other.kept)))

    def keyed_from(self, first: int) -> Pairs:
        """The same with numbers for random draws that begin so much later."""
        return replace(self, element=self.element + np.uint64(first), first_entry=self.first_entry + first)


@dataclass(frozen=True, eq=False)
class Kernel:
    """Synapses that share the entries of a kernel, in runs: `width` neurons one after the other, `step` entries apart.

    Rows that look alike are one template. That of presynaptic neuron i is `template`[i]; it has the runs
    first[template] .. first[template + 1], of which run r begins at the postsynaptic neuron target[i] + target_ahead[r]
    and at entry[i] + entry_ahead[r]. In a row runs ascend by target and do not overlap.

    template, target, entry_base: int32 (sources,); first: int64 (templates + 1,); target_ahead, entry_ahead: int32
    (runs,). No array has a number for every synapse: those that are asked for are made anew.
    first_entry: by which number draws of the first entry are keyed, and of a pair of neurons that with the number 0.
    """

    entries: int
    sources: int
    targets: int
    width: int
    step: int
    template: NDArray[np.int32]
    target: NDArray[np.int32]
    entry_base: NDArray[np.int32]
    first: Integers
    target_ahead: NDArray[np.int32]
    entry_ahead: NDArray[np.int32]
    first_entry: int = 0

    @cached_property
    def indptr(self) -> Integers:
        """Where the row of each presynaptic neuron begins, and where the last one ends: int64 (sources + 1,)."""
        return np.concatenate([[0], np.cumsum(self.outgoing(self.sources))]).astype(np.int64)

    @property
    def synapses(self) -> int:
        """How many there are."""
        return int(self.indptr[-1])

    @property
    def pre(self) -> Integers:
        """The presynaptic neuron of each synapse."""
        return np.repeat(np.arange(self.sources), np.diff(self.indptr))

    @property
    def post(self) -> Integers:
        """The postsynaptic neuron of each synapse."""
        source, run = self._runs()
        begin = self.target[source].astype(np.int64) + self.target_ahead[run]
        return (begin[:, None] + np.arange(self.width)).reshape(-1)

    @property
    def kept(self) -> Integers:
        """The postsynaptic neuron of each."""
        return self.post

    @property
    def entry(self) -> Integers:
        """The kernel's entry of each synapse."""
        source, run = self._runs()
        begin = self.entry_base[source].astype(np.int64) + self.entry_ahead[run]
        return (begin[:, None] + self.step * np.arange(self.width)).reshape(-1)

    @property
    def element(self) -> NDArray[np.uint64]:
        """The number by which a synapse's random draws are keyed: that of its pair of neurons."""
        return (self.pre * self.targets + self.post).astype(np.uint64) + np.uint64(self.first_entry)

    def numbers(self) -> tuple[NDArray[Any], ...]:
        """All that says which they are."""
        sizes = np.array([self.entries, self.sources, self.targets, self.width, self.step, self.first_entry])
        return (sizes, self.template, self.target, self.entry_base, self.first, self.target_ahead, self.entry_ahead)

    def outgoing(self, size: int) -> Integers:
        """How many synapses each of so many presynaptic neurons has."""
        return np.diff(self.first)[self.template] * self.width

    def incoming(self, size: int) -> Integers:
        """How many synapses each of so many postsynaptic neurons has."""
        source, run = self._runs()
        begins = np.bincount(self.target[source] + self.target_ahead[run], minlength=size + self.width)
        counted = np.cumsum(begins)
        counted[self.width :] -= counted[: -self.width].copy()
        return counted[:size]

    def uses(self) -> Integers:
        """How many synapses have each entry."""
        source, run = self._runs()
        begins = np.bincount(self.entry_base[source] + self.entry_ahead[run], minlength=self.entries)
        used = np.zeros(self.entries, np.int64)
        for ahead in range(0, self.width * self.step, self.step):
            used[ahead:] += begins[: self.entries - ahead]
        return used

    def listed(self) -> Pairs:
        """The same synapses one by one."""
        return Pairs(self.pre, self.post, self.indptr, self.element, self.entry, self.entries, self.first_entry)

    def joins_like(self, other: Wiring) -> bool:
        """Whether another one joins the same neurons by the same entries."""
        if not isinstance(other, Kernel):
            return False
        own, its = (replace(kernel, first_entry=0) for kernel in (self, other))
        return all(np.array_equal(getattr(own, f.name), getattr(its, f.name)) for f in fields(self))

    def keyed_from(self, first: int) -> Kernel:
        """The same with numbers for random draws that begin so much later."""
        return replace(self, first_entry=self.first_entry + first)

    def _runs(self) -> tuple[Integers, Integers]:
        """The presynaptic neuron of every run of all rows, and its number among those of the templates."""
        count = np.diff(self.first)[self.template]
        source = np.repeat(np.arange(self.sources), count)
        nth = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
        return source, self.first[self.template[source]] + nth


Wiring = Pairs | Rows | Kernel
