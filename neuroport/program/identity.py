"""Which program it is: so that what was saved of one is not taken for that of another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.program.machine import Array, Program
from neuroport.program.names import written
from neuroport.program.plan import Plan
from neuroport.program.printer import bare, kind
from neuroport.program.repeated import once, pieces


@dataclass(frozen=True, slots=True)
class Identity:
    """What a program and a plan are, but for what they record.

    program: the SHA-256, in hexadecimal, of the printed program with all its numbers. arrays: name -> its form in
    words, a space, and the SHA-256 of its initial values. plan: that of the protocol, the metrics and the readouts.
    """

    program: str
    arrays: Mapping[str, str]
    plan: str


def identity(program: Program, plan: Plan) -> Identity:
    """What this program and this plan are."""
    redrawn = {p.name for p in program.projections if p.redrawn}
    arrays = {
        name: f"{kind(a.type)} {a.initial.shape or 'scalar'} {_role(a)} "
        f"{_hash([once(a.initial) if a.owner in redrawn else a.initial], a.dtype)}"
        for name, a in program.arrays.items()
    }
    sampled = tuple(record for record in program.records if record.readout)
    text = [bare(replace(program, records=sampled)), *(f"{name} {text}" for name, text in arrays.items())]
    whole = hashlib.sha256("\n".join([*text, _hash(_numbers(program))]).encode())
    said = plain((plan.protocol, plan.metrics, tuple(sorted(plan.windows.items()))))
    return Identity(whole.hexdigest(), arrays, hashlib.sha256(said.encode()).hexdigest())


def _role(array: Array) -> str:
    return array.role if array.reduce == "sum" else f"{array.role} {array.reduce}"


def _numbers(program: Program) -> Iterator[NDArray[Any]]:
    """All numbers of a program but arrays: connections, stimuli, tables, what parameters are set to."""
    for p in program.projections:
        yield from p.wiring.numbers()
        yield from (values for values in (p.dendritic, p.twin) if values is not None)
    for i in program.injections:
        yield from (i.steps, i.neurons, i.values)
    for s in program.series:
        yield s.table
        yield from (numbers for numbers in (s.start, s.neurons) if numbers is not None)
    some = [r.neurons for r in program.records if r.readout] + [r.neurons for r in program.readouts]
    yield from (neurons for neurons in some if neurons is not None)
    yield from program.tables.values()
    yield from program.constants.values()


def _hash(numbers: Iterable[NDArray[Any]], told_in: np.dtype[Any] | None = None) -> str:
    """The SHA-256 of arrays of numbers. `told_in`: the dtype in which they are taken, if not their own."""
    found = hashlib.sha256()
    for values in numbers:
        dtype = (told_in or values.dtype).newbyteorder("<")
        found.update(f"{dtype.str}{values.shape or (1,)}".encode())
        flat = values if values.ndim == 1 else values.reshape(-1)
        for piece in pieces(flat.size):
            found.update(np.ascontiguousarray(flat[piece], dtype).view(np.uint8).data)
    return found.hexdigest()


def plain(value: Any) -> str:
    """A value of a plan as text, without the places where its parts stand."""
    if is_dataclass(value):
        told = [f for f in fields(value) if f.compare and not _not_yet(f, value)]
        inner = (f"{f.name}={plain(getattr(value, f.name))}" for f in told)
        return f"{type(value).__name__}({', '.join(inner)})"
    if isinstance(value, tuple):
        return f"({', '.join(map(plain, value))})"
    return repr(value)


def _not_yet(field: Field[Any], value: Any) -> bool:
    """Whether a value says nothing in a field that plans did not have at first."""
    return "later" in field.metadata and getattr(value, field.name) == field.default


def difference(there: Identity, here: Identity) -> str:
    """ "" or how one program differs from another: the first array that does, or else what."""
    for name in {**here.arrays, **there.arrays}:
        one, other = there.arrays.get(name, ""), here.arrays.get(name, "")
        if one == other:
            continue
        form, other_form = one.rpartition(" ")[0], other.rpartition(" ")[0]
        if not form or not other_form:
            return f"'{written(name)}' is {'there' if form else 'here'} only"
        if form != other_form:
            return f"'{written(name)}' is {form} there and {other_form} here"
        return f"'{written(name)}' has other initial values"
    if there.program != here.program:
        return "its statements, connections or stimuli are others"
    return ""
