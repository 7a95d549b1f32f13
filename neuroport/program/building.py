"""What building a program and running it takes at its peak, in one place.

What is held from pass to pass are the numbers of the program in real numbers, of that in integers and of executors:
they are counted. What passes take besides is for the one projection that is being worked at: bytes for each synapse,
the figures below, measured by `python benchmarks/scale.py --passes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import Place
from neuroport.program.machine import Program
from neuroport.program.room import MIB, Part
from neuroport.program.rows import PIECE, Rows

DRAWN = 56.0
"""While pairs of neurons are drawn, and numbered for random draws."""
ROW_DRAWN = 100.0
"""The same of a piece of rows (`neuroport.program.rows`), beside what stays of them."""
RANKED = 48.0
"""While the circuits of synapses are found, where these deviate, beside the pairs,"""
RANKS = 8.0
"""which stay until all projections are made."""
FORMATS = 0.5
"""While values are put into formats, beside what becomes of them; of those of parameters as much as they take."""
VALUES = 0.5
"""While the values of synapses are drawn, beside all that is held of the projection."""
CHECKED, ROW_CHECKED = 19.0, 1.0
"""While the program is verified."""
NEURON = 16.0
"""Of a neuron until all projections are made: its number for draws, and its circuit."""
REDRAWN, COUNTED = 16.0, 8.0
"""Of a piece of rows that are not stored, while they are counted; of each neuron that they lead to."""
MODULES = Part("Python's modules that are loaded for it", 2.5 * MIB)
"""From the network as it was read to the program."""


@dataclass(slots=True)
class Held:
    """What of the numbers of a population, a projection or a stimulus is held, in bytes.

    pairs: what says which synapses there are. real: all of the program in real numbers; integer: what that in integers
    has besides; lasts: what of the first one that has, too; parameters: what of that those of synapses take. synapses,
    neurons: how many there are of the one or other. piece: of rows, how many synapses are drawn at once, 0 of others.
    counting: what is taken while rows that are not stored are counted. deviates: whether circuits of synapses differ.
    """

    what: str
    place: Place | None = None
    synapses: float = 0.0
    neurons: float = 0.0
    pairs: float = 0.0
    real: float = 0.0
    integer: float = 0.0
    lasts: float = 0.0
    parameters: float = 0.0
    piece: float = 0.0
    counting: float = 0.0
    deviates: bool = False

    @property
    def drawn(self) -> float:
        """What is taken while its synapses are drawn."""
        if not self.piece:
            return DRAWN * self.synapses
        return ROW_DRAWN * self.piece + (self.real + self.counting if self.counting else self.pairs)

    @property
    def formats(self) -> float:
        """What is taken while values are put into the formats of a chip."""
        return FORMATS * self.synapses + self.parameters if self.synapses else 0.0

    @property
    def checked(self) -> float:
        """What is taken while the program is verified."""
        return (ROW_CHECKED if self.piece else CHECKED) * self.synapses


@dataclass(frozen=True, slots=True)
class Peak:
    """The moment at which most memory is taken: `while` what is done, and how much takes what, the largest first."""

    doing: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> float:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)


def held(real: Program, program: Program, synapses: Mapping[str, float]) -> list[Held]:
    """What is held of each object by a program in real numbers, and by what became of it, in the order of the program.

    `synapses`: how many synapses projections will have that have few here.
    """
    found = {p.name: Held(f"population '{p.name}'", p.place, neurons=float(p.size)) for p in program.populations}
    for p in program.projections:
        many = synapses.get(p.name, float(p.synapses))
        piece = min(many, float(PIECE)) if isinstance(p.wiring, Rows) else 0.0
        stored = 0.0 if p.redrawn else many
        one = found[p.name] = Held(f"the synapses of '{p.name}'", p.place, synapses=stored, piece=piece)
        if isinstance(p.wiring, Rows) and p.wiring.law is not None:
            targets = float(p.wiring.last - p.wiring.first)
            one.counting = REDRAWN * min(many, max(PIECE, targets)) + COUNTED * targets
    stimuli = [s.name for s in program.series] + [s.name for s in program.injections]
    found |= {name: Held(f"stimulus '{name}'") for name in stimuli}
    run = Held("the run")

    def size(owner: str, each: bool, array: NDArray[Any]) -> float:
        taken = float(array.nbytes if all(array.strides) else array.itemsize)
        return taken * synapses[owner] / len(array) if each and owner in synapses else taken

    before = {_place(array): array for _, _, array in numbers(real)}
    after = {_place(array): array for _, _, array in numbers(program)}
    seen: set[int] = set()
    for owner, each, array in numbers(real):
        if _place(array) not in seen:
            seen.add(_place(array))
            one, taken = found.get(owner, run), size(owner, each, array)
            one.real += taken
            one.lasts += taken if _place(array) in after else 0.0
    for parameter in real.arrays.values():
        if parameter.role == "parameter" and parameter.at == "synapse" and parameter.owner in found:
            one, numbers_ = found[parameter.owner], parameter.initial
            one.parameters += size(parameter.owner, all(numbers_.strides), numbers_)
    for p in real.projections:
        found[p.name].pairs = sum(size(p.name, len(array) == p.synapses, array) for array in p.wiring.numbers())
    few = {p.name: p.synapses for p in real.projections}
    for name, designed in real.designed.items():
        owner, each, _ = _owned(name, few, designed.circuit)
        if each:
            found[owner].deviates = True
    for owner, each, array in numbers(program):
        if _place(array) not in before and _place(array) not in seen:
            seen.add(_place(array))
            found.get(owner, run).integer += size(owner, each, array)
    return [*found.values(), run]


def others(objects: Sequence[Held], program: Program, synapses: Mapping[str, float], count: int) -> Iterator[Part]:
    """What so many programs of other specimens take, and what they are made from; nothing for none of them."""
    if not count:
        return
    few = {p.name: p.synapses for p in program.projections}
    names = {array.name for array in program.arrays.values() if array.role != "input" and array.designed is not None}
    found = [(name, program.arrays[name].initial) for name in names]
    found += [(name, values) for name, values in program.constants.items() if name in names]
    found += [(name, designed.circuit) for name, designed in program.designed.items()]
    size = 0.0
    for name, values in found:
        owner, each, _ = _owned(name, few, values)
        size += values.nbytes * (synapses[owner] / len(values) if each and owner in synapses else 1.0)
    yield Part("the programs of other specimens", count * size)
    yield Part("what these are made from", sum(one.real + RANKS * one.synapses for one in objects))


def numbers(program: Program) -> Iterator[tuple[str, bool, NDArray[Any]]]:
    """Every array of numbers of a program: whose it is, whether it grows with the synapses, and the array."""
    few = {p.name: p.synapses for p in program.projections}
    for array in program.arrays.values():
        yield array.owner, array.at == "synapse" and all(array.initial.strides), array.initial
    for p in program.projections:
        yield from ((p.name, len(array) == p.synapses, array) for array in p.wiring.numbers())
        yield p.name, False, p.indptr
        if isinstance(p.wiring, Rows) and p.wiring.arriving is not None:
            yield p.name, False, p.wiring.arriving
        yield from ((p.name, True, array) for array in (p.dendritic, p.twin) if array is not None)
    for name, values in program.constants.items():
        yield _owned(name, few, values)
    for name, designed in program.designed.items():
        yield from (_owned(name, few, values) for values in (designed.value, designed.circuit))
    yield from ((series.name, False, series.table) for series in program.series)
    for injection in program.injections:
        yield from ((injection.name, False, array) for array in (injection.steps, injection.neurons, injection.values))


def _owned(name: str, few: Mapping[str, int], values: NDArray[Any]) -> tuple[str, bool, NDArray[Any]]:
    owner = name.partition(".")[0]
    return owner, values.ndim > 0 and len(values) == few.get(owner), values


def _place(array: NDArray[Any]) -> int:
    """Where the numbers of an array lie: other arrays that see the same are found by it."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return id(array)


def peak(objects: Sequence[Held], executors: Sequence[Part], always: Sequence[Part] = ()) -> Peak:
    """The moment at which most is taken. `executors`: what these take; `always`: what is there from the beginning."""
    most = max(_moments(objects, executors), key=lambda moment: moment.size)
    return Peak(most.doing, _sorted((*most.parts, MODULES, *always)))


def _moments(objects: Sequence[Held], executors: Sequence[Part]) -> Iterator[Peak]:
    """The passes that can be the peak, each with what is held and what it takes besides."""
    before = [(one, one.real + NEURON * one.neurons) for one in objects if not one.synapses + one.piece]
    for one in (one for one in objects if one.synapses + one.piece):
        ranked = one.pairs + RANKED * one.synapses if one.deviates else 0.0
        ranks = RANKS * one.synapses if one.deviates else 0.0
        values = one.real + ranks + VALUES * one.synapses
        yield _moment(f"{one.what} are drawn", [*before, (one, max(one.drawn, ranked, values))])
        before.append((one, one.real + ranks))
    whole = [(one, one.real + one.integer) for one in objects]
    yield _moment("numbers are put into formats", whole, {one.what: one.formats for one in objects})
    lasting = [(one, one.lasts + one.integer) for one in objects]
    yield _moment("the program is verified", lasting, {one.what: one.checked for one in objects})
    opened = _moment("it runs", lasting)
    yield Peak(opened.doing, _sorted((*opened.parts, *executors)))


def _moment(doing: str, sizes: Sequence[tuple[Held, float]], besides: Mapping[str, float] | None = None) -> Peak:
    """A moment at which objects take so much, and one at a time so much besides, by what it is."""
    largest = max(besides, key=besides.__getitem__) if besides else ""
    more = besides[largest] if besides else 0.0
    parts = [Part(one.what, size + more * (one.what == largest), one.place) for one, size in sizes]
    return Peak(doing, _sorted(parts))


def _sorted(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Parts of one thing as one, the largest first."""
    sizes: dict[str, Part] = {}
    for part in parts:
        known = sizes.get(part.what)
        sizes[part.what] = part if known is None else Part(part.what, known.size + part.size, part.place or known.place)
    return tuple(sorted((part for part in sizes.values() if part.size), key=lambda part: -part.size))
