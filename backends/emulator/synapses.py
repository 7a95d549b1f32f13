"""What generated code needs of synapses besides their values, and how many bytes all of it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.emulator.emit import delayed_input, emit
from neuroport.backends.emulator.layout import AHEAD, Module, held, power_of_two, ring_of_sums, unsigned_dtype, width
from neuroport.backends.emulator.limits import executed
from neuroport.backends.emulator.redrawing import of_law
from neuroport.copies.states import own_name
from neuroport.errors import Unsupported
from neuroport.program.machine import Program, Projection
from neuroport.program.wiring import Kernel


@dataclass(frozen=True, slots=True)
class Index:
    """An index array: its length, its format, and how it is made."""

    length: int
    dtype: np.dtype[Any]
    made: Callable[[], NDArray[Any]]

    @property
    def nbytes(self) -> int:
        """The memory that it takes."""
        return self.length * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class Memory:
    """The bytes that a projection takes while it runs."""

    projection: str
    synapses: int
    nbytes: int

    @property
    def each(self) -> float:
        """Bytes of a synapse."""
        return self.nbytes / max(self.synapses, 1)


def connections(program: Program, projection: Projection) -> dict[str, Index]:
    """What generated code may ask for of a projection's synapses, by its kind."""
    target, source = (unsigned_dtype(size - 1) for size in (projection.target_size, projection.source_size))
    columns = lru_cache(maxsize=1)(lambda: np.argsort(projection.wiring.kept.astype(target, copy=False), kind="stable"))
    none = np.zeros(0, np.int64)
    dendritic, twin = (none if v is None else v for v in (projection.dendritic, projection.twin))
    synapses, counted = projection.synapses, np.dtype(np.int64)
    late = np.dtype(np.uint8 if projection.longest_delay < 256 else np.uint32)
    return {
        "rows": Index(projection.source_size + 1, counted, lambda: projection.indptr),
        "post": Index(synapses, target, lambda: projection.wiring.kept),
        "element": Index(synapses, np.dtype(np.uint64), lambda: projection.element),
        "twin": Index(len(twin), unsigned_dtype(max(2**16, len(twin))), lambda: twin),
        "dendritic": Index(len(dendritic), late, lambda: dendritic),
        "places": _places(program, projection),
        "columns": Index(projection.target_size + 1, counted, lambda: _ends(projection)),
        "column_synapse": Index(
            synapses + AHEAD, unsigned_dtype(max(2**16, synapses)), lambda: np.pad(columns(), (0, AHEAD))
        ),
        "column_pre": Index(synapses, source, lambda: projection.pre[columns()]),
        **_kernel(projection, columns),
    }


def _kernel(projection: Projection, columns: Callable[[], NDArray[Any]]) -> dict[str, Index]:
    """What is asked for of synapses that share the entries of a kernel: by rows, or of each."""
    wiring, synapses = projection.wiring, projection.synapses
    if not projection.shares:
        return {}
    format = unsigned_dtype(max(2**16, wiring.entries))
    each = {
        "entry": Index(synapses, format, lambda: _entries(projection)),
        "column_entry": Index(synapses, format, lambda: _entries(projection)[columns()]),
    }
    if not isinstance(wiring, Kernel):
        return each
    rows: dict[str, NDArray[Any]] = {"template": wiring.template, "runs": wiring.first, "row_post": wiring.target}
    rows |= {"row_entry": wiring.entry_base, "run_post": wiring.target_ahead, "run_entry": wiring.entry_ahead}
    return each | {kind: Index(len(numbers), numbers.dtype, partial(_given, numbers)) for kind, numbers in rows.items()}


def _entries(projection: Projection) -> NDArray[np.int64]:
    """The kernel's entry of each synapse."""
    found = projection.wiring.entry
    assert found is not None
    return found


def _given(numbers: NDArray[Any]) -> NDArray[Any]:
    return numbers


def _places(program: Program, projection: Projection) -> Index:
    """Where in a ring of sums what each synapse sends comes to, if the ring began with the row of the present step."""
    name = delayed_input(program, projection)
    if not name or projection.dendritic is None:
        return Index(0, np.dtype(np.uint16), lambda: np.zeros(0, np.uint16))
    late, size = projection.dendritic, projection.target_size
    sums = ring_of_sums(program.arrays[name], size)
    return Index(projection.synapses, unsigned_dtype(sums - 1), lambda: late * size + projection.post)


def _ends(projection: Projection) -> NDArray[Any]:
    """Where the columns begin, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(projection.wiring.incoming(projection.target_size))])


def asked(module: Module) -> set[tuple[str, str]]:
    """The arrays that a module gets, by their kind and name."""
    return {(a.kind, a.name) for entry in (module.run, *module.events) for a in entry.arguments}


def memory(program: Program) -> tuple[Memory, ...]:
    """What each projection of a program takes: its synapses' values and all that says where they are.

    Of copies that are written out all together; nothing is told of a program that cannot be executed.
    """
    try:
        made = executed(program)
    except Unsupported:
        return ()
    wanted = asked(emit(made))
    taken = {p.name: 0 for p in program.projections}
    for projection in made.projections:
        name = projection.name if made.copies == program.copies else own_name(projection.name)
        taken[name] += sum(_bytes(made, projection, wanted))
    return tuple(Memory(p.name, p.synapses, taken[p.name]) for p in program.projections)


def _bytes(program: Program, projection: Projection, wanted: set[tuple[str, str]]) -> Iterator[int]:
    for array in program.arrays.values():
        if array.owner == projection.name and array.at in ("synapse", "kernel"):
            copies = width(program) if program.copies > 1 and array.own else 1
            rows = 1 + (power_of_two(array.history) if array.history else 0)
            numbers = 1 if projection.redrawn else len(array.initial)
            yield numbers * copies * held(array, program).itemsize * rows
    yield sum(numbers.nbytes for kind, numbers in of_law(projection).items() if (kind, projection.name) in wanted)
    for kind, index in connections(program, projection).items():
        if (kind, projection.name) in wanted:
            yield index.nbytes
