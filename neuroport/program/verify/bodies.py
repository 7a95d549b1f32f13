"""Legal bodies: what may stand where, names before their use, and reads and stores of arrays that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from neuroport.program.ir import (
    OVERFLOWS,
    Body,
    Bool,
    Expr,
    Int,
    Let,
    Read,
    Reduce,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
    Where,
    expressions,
    reductions,
    walk,
)
from neuroport.program.machine import Array, OwnedBody, Population, Program, Projection
from neuroport.program.names import ENTRIES
from neuroport.program.printer import expression, statement
from neuroport.program.reductions import AXES, most_terms
from neuroport.program.stated import bounds
from neuroport.program.verify import expressions as values
from neuroport.program.verify import sums
from neuroport.program.verify.expressions import each, kind


def problems(program: Program) -> Iterator[str]:
    """Everything that is wrong in the bodies, row conditions and readouts of a program whose objects are legal."""
    objects = _Objects({p.name: p for p in program.populations}, {p.name: p for p in program.projections})
    for owned in program.bodies():
        found = list(_Check(program, objects, _standing(objects, owned)).body(owned.body))
        yield from found
        if program.copies > 1 and not found:
            yield from (_told(str(owned), stmt, text) for stmt, text in sums.problems(program, owned))
    for projection in program.projections:
        yield from _rows(program, objects, projection)
    for readout in program.readouts:
        place = _Standing(f"readout {readout.name}", "condition", {"own": ("neuron", readout.population)})
        yield from _Check(program, objects, place).body((Spike(readout.bit),))


def _told(where: str, stmt: Stmt, text: str) -> str:
    return f"{where}, `{statement(stmt)}`: {text}"


@dataclass(frozen=True, slots=True)
class _Objects:
    """The populations and projections of a program by their names."""

    populations: Mapping[str, Population]
    projections: Mapping[str, Projection]

    def alike(self, one: str, other: str) -> bool:
        """Whether two objects have as many neurons, or synapses between the same."""
        if one in self.populations and other in self.populations:
            return self.populations[one].size == self.populations[other].size
        a, b = self.projections.get(one), self.projections.get(other)
        if a is None or b is None:
            return False
        return a.wiring.joins_like(b.wiring)


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a body stands. `ends`: for each place, the kind of array that may be read there, and whose.

    `what` condition: no body, but a condition on rows or of a readout.
    """

    where: str
    what: Literal["update", "synapses", "event", "condition"]
    ends: Mapping[Where, tuple[str, str]]
    projection: Projection | None = None


def _standing(objects: _Objects, owned: OwnedBody) -> _Standing:
    own: dict[Where, tuple[str, str]] = {"own": (owned.over, owned.owner)}
    if owned.over == "neuron":
        return _Standing(str(owned), "update" if owned.when == "update" else "event", own)
    projection = objects.projections[owned.owner]
    own |= {"pre": ("neuron", projection.source), "post": ("neuron", projection.target)}
    if owned.when == "event":
        twin = "kernel" if projection.shares else "synapse"
        return _Standing(str(owned), "event", own | {"twin": (twin, ANYBODY)}, projection)
    return _Standing(str(owned), "synapses", own, projection)


ANYBODY = ""
"""The owner of a twin: no program says which projection it is."""


def _rows(program: Program, objects: _Objects, projection: Projection) -> Iterator[str]:
    """A condition on rows guards the only Send of a step, and looks at presynaptic neurons alone."""
    if projection.row_condition is None:
        return
    where = f"projection {projection.name}, rows"
    place = _Standing(where, "condition", {"pre": ("neuron", projection.source)}, projection)
    yield from _Check(program, objects, place).body((Spike(projection.row_condition),))
    sends = [stmt for stmt in projection.step if not isinstance(stmt, Let)]
    if len(sends) != 1 or not isinstance(sends[0], Send) or sends[0].guard is None:
        yield f"{where}: the step is not one guarded send, so that no row can be skipped"
    elif sends[0].guard != projection.row_condition:
        yield f"{where}: the send of the step has another condition"


@dataclass(slots=True)
class _Check:
    """Looks at one body. `lets`: the values that were named so far; `done`: the parts that were looked at.

    `reduced`: those within a sum over synapses, which see what these have.
    """

    program: Program
    objects: _Objects
    place: _Standing
    lets: dict[str, Expr] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    reduced: set[int] = field(default_factory=set)

    def body(self, body: Body) -> Iterator[str]:
        """Everything that is wrong in the body, with the statement."""
        for stmt in body:
            yield from (_told(self.place.where, stmt, text) for text in self._statement(stmt))
        spikes = sum(isinstance(stmt, Spike) for stmt in body)
        if spikes > 1:
            yield f"{self.place.where}: {spikes} statements say when a neuron spikes; one may"

    def _statement(self, stmt: Stmt) -> Iterator[str]:
        self.reduced |= {id(part) for whole in reductions(stmt) for part in walk(whole.x)}
        for whole in expressions((stmt,)):
            for expr in each(whole, self.done):
                yield from values.problems(self.program, expr)
                yield from self._part(expr)
        match stmt:
            case Let():
                if stmt.name in self.lets:
                    yield f"the name '{stmt.name}' is given twice"
                self.lets[stmt.name] = stmt.value
            case Store():
                yield from self._store(stmt)
            case Send():
                yield from self._send(stmt)
            case Spike():
                if self.place.what not in ("update", "condition"):
                    yield "only a population's neurons spike, in their update"
                yield from _truth(stmt.condition)

    # ------------------------------------------------------------------------------------------------------- reading

    def _part(self, expr: Expr) -> Iterator[str]:
        match expr:
            case Temp():
                value = self.lets.get(expr.name)
                if value is None:
                    yield f"'{expr.name}' has no value yet"
                elif type(value.type) is not type(expr.type):
                    yield f"'{expr.name}' is {kind(value.type)}, and is said to be {kind(expr.type)}"
            case Read(array=name):
                if name in self.program.arrays:
                    yield from self._read(expr, self.program.arrays[name])
                else:
                    yield f"there is no array '{name}'"
            case Sum() if self.program.copies == 1:
                yield "a sum over copies stands in a program of one"
            case Reduce():
                yield from self._reduced(expr)

    def _terms(self, expr: Reduce) -> int:
        """How many terms a reduction has at most."""
        projection = self.place.projection
        if projection is None:
            return max(1, self.objects.populations[self.place.ends["own"][1]].size)
        return most_terms(projection.wiring, (projection.source_size, projection.target_size), expr.axis)

    def _alone(self, over: str, expr: Reduce) -> bool:
        """Whether each synapse that adds up what is shared is alone, or the entries of a kernel add that up."""
        projection = self.place.projection
        shared = expr.axis == "shared" and projection is not None and projection.shares
        return not shared or (over == "kernel" and expr.op == "sum")

    def _reduced(self, expr: Reduce) -> Iterator[str]:
        """What is wrong with a reduction: only events have them, of what they run over."""
        over = self.place.ends["own"][0] if "own" in self.place.ends else ""
        if self.place.what != "event" or expr.axis not in AXES[over] or not self._alone(over, expr):
            yield f"{expr.name} stands here; only events reduce, over what they run over"
        elif expr.terms < (most := self._terms(expr)):
            yield f"{expression(expr)} has {most} terms, and is said to have {expr.terms}"
        if any(isinstance(part, Reduce) for part in walk(expr.x)):
            yield f"{expression(expr)} stands around another one"

    def _read(self, read: Read, array: Array) -> Iterator[str]:
        if type(read.type) is not type(array.type):
            yield f"{array.name} is {kind(array.type)}, and is said to be {kind(read.type)}"
        if not self._there(read, array):
            values_of = "one value" if array.at == "scalar" else f"a value for each {array.at} of {array.owner}"
            yield f"{array.name} cannot be read at '{read.at}' here; it has {values_of}"
        elif read.at == "twin":
            yield from self._twin(array)
        if array.role == "input" and self.place.what != "update":
            yield f"{array.name} is an input, which only its neurons read, in their update"
        elif array.role == "input" and array.name not in self.objects.populations[array.owner].inputs:
            yield f"{array.name} is none of the inputs that are cleared after the update"
        if read.lag != 0:
            yield from self._lag(read, array)

    def _there(self, read: Read, array: Array) -> bool:
        if "scalar" in (read.at, array.at):
            return read.at == array.at
        if read.at == "single":
            return self.place.what in ("synapses", "event") and self._is_single(array)
        at, owner = self.place.ends.get(read.at, ("", ""))
        here, of_synapse = array.at == at, self.place.ends.get("own", ("", ""))[0] == "synapse"
        if read.at == "own" and {at, array.at} == {"kernel", "synapse"}:
            here = of_synapse or id(read) in self.reduced
        elif read.at in ("pre", "post"):
            here = here and (of_synapse or self.place.what == "condition" or id(read) in self.reduced)
        return here and (owner == ANYBODY or self._belongs(array.owner, owner))

    def _is_single(self, array: Array) -> bool:
        return array.at == "neuron" and self.objects.populations[array.owner].size == 1

    def _belongs(self, found: str, owner: str) -> bool:
        """Whether an array's owner is the one that is meant; in events also another copy or part of that one."""
        if found == owner:
            return True
        return self.place.what == "event" and _kin(found) == _kin(owner) and self.objects.alike(found, owner)

    def _twin(self, array: Array) -> Iterator[str]:
        projection, size = self.place.projection, len(array.initial)
        if projection is None or projection.twin is None or projection.twin.max(initial=-1) >= size:
            yield f"{array.name} is read from a twin, and not every synapse has one among its {size} synapses"

    def _lag(self, read: Read, array: Array) -> Iterator[str]:
        projection = self.place.projection
        if read.at not in ("pre", "post") or projection is None:
            yield f"{array.name} is read as it was; only synapses do that, with what belongs to neurons"
            return
        if read.lag == "synapse" and self.place.what == "event":
            yield f"{array.name} is read as it was a dendritic delay ago, in an event; only a step does that"
        needed = projection.longest_delay if read.lag == "synapse" else read.lag
        if needed < 0 or (needed > 0 and array.history <= needed):
            yield f"{array.name} is read {needed} steps back, but keeps {array.history}"

    # ------------------------------------------------------------------------------------------------------- writing

    def _store(self, stmt: Store) -> Iterator[str]:
        if stmt.guard is not None:
            yield from _truth(stmt.guard)
        array = self.program.arrays.get(stmt.array)
        if array is None:
            yield f"there is no array '{stmt.array}'"
            return
        at, owner = self.place.ends.get("own", ("", ""))
        allowed = ("state", "weight", "visible") + (("input",) if self.place.what == "update" else ())
        if array.at != at or not self._belongs(array.owner, owner) or array.role not in allowed:
            yield f"{array.name}, {array.role} of {array.owner}, cannot be assigned here"
        if type(stmt.value.type) is not type(array.type):
            yield f"{array.name} is {kind(array.type)}, and the value is {kind(stmt.value.type)}"
        elif self.program.integer and array.role != "input":
            yield from _fits(stmt, array)
        if stmt.overflow not in OVERFLOWS:
            yield f"'{stmt.overflow}' is no rule for what lies outside a range"
        elif stmt.overflow != "none":
            yield from self._limits(stmt, array)

    def _limits(self, stmt: Store, array: Array) -> Iterator[str]:
        if stmt.overflow == "wrap" and not self.program.integer:
            yield f"{array.name} wraps, which has no meaning in a program of real numbers"
        if not isinstance(array.type, Int):
            yield f"{array.name} is {kind(array.type)}, and has no limits"
        elif array.role != "input" and not array.type.lo <= stmt.lo <= stmt.hi <= array.type.hi:
            yield f"the limits {stmt.lo}..{stmt.hi} are not within {array.type.lo}..{array.type.hi}, its format"
        span = stmt.hi - stmt.lo + 1
        if stmt.overflow == "wrap" and span > 2**63 and span != 2**64:
            yield f"{stmt.lo}..{stmt.hi} is no word into which a value can be wrapped"

    def _send(self, stmt: Send) -> Iterator[str]:
        if stmt.guard is not None:
            yield from _truth(stmt.guard)
        projection = self.place.projection
        if projection is None or self.place.what != "synapses":
            yield "only synapses send, in their step and at spikes"
            return
        array = self.program.arrays.get(stmt.input)
        end = projection.target if stmt.to == "post" else projection.source
        if array is None or array.role != "input" or array.owner != end:
            yield f"{end} has no input '{stmt.input}'"
            return
        if type(stmt.value.type) is not type(array.type):
            yield f"{array.name} is {kind(array.type)}, and the value is {kind(stmt.value.type)}"
        if stmt.delay == "synapse" and stmt.to == "pre":
            yield "what goes back to the presynaptic neuron has no dendritic delay"
        elif stmt.delay == "synapse" and array.slots <= projection.longest_delay:
            yield f"it arrives up to {projection.longest_delay} steps later, but {array.name} has {array.slots} slots"


def _fits(stmt: Store, array: Array) -> Iterator[str]:
    """The format of an integer that is stored; one that lies outside of it has a rule for that."""
    if not (isinstance(array.type, Int) and isinstance(stmt.value.type, Int)):
        return
    if stmt.value.type.frac not in (0, array.type.frac):
        yield f"{array.name} has {array.type.frac} fractional bits, and the value {stmt.value.type.frac}"
    low, high = bounds(stmt.value)
    if stmt.overflow == "none" and (high < array.type.lo or low > array.type.hi):
        yield f"{array.name} holds {array.type.lo}..{array.type.hi}, and the value lies in {low}..{high}"


def _truth(condition: Expr) -> Iterator[str]:
    if not isinstance(condition.type, Bool):
        yield f"a condition is {kind(condition.type)}"


def _kin(name: str) -> str:
    """What copies NAME#k of an object, parts NAME~k of a projection, and entries of kernels have in common."""
    if ENTRIES in name:
        return ENTRIES
    return re.split("[#~]", name, maxsplit=1)[0]
