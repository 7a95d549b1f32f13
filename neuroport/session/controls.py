"""What can be looked at and changed by name while a program is executed, in real units."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput, Problem, RunFailed, Unsupported, together
from neuroport.numerics import units
from neuroport.numerics.parts import Part
from neuroport.numerics.units import Quantity
from neuroport.program.constants import real
from neuroport.program.executor import Executor
from neuroport.program.ir import Numbers, Read, walk
from neuroport.program.machine import Array, Program
from neuroport.program.names import written
from neuroport.program.plan import Plan, coherent
from neuroport.program.reset import put_back
from neuroport.program.switchboard import Switchboard
from neuroport.session.agenda import Entry, Waiting
from neuroport.session.exchange import Write, span
from neuroport.session.host import Checker, numbers, shaped
from neuroport.session.inject import Addition, Injected, Injections, Intent, cells_of, spread
from neuroport.session.names import Names


@dataclass(frozen=True, eq=False, slots=True)
class Setting:
    """Numbers that an array is given: of the elements `cells` (None: of all).

    `raws`: as the arrays of these names hold them, each with how many of them circuits put beyond its format.
    """

    array: Array
    cells: NDArray[np.int64] | None
    values: Numbers
    raws: dict[str, tuple[Numbers, int]]


@dataclass(frozen=True, eq=False, slots=True)
class Switch:
    """What a dynamic parameter is switched to."""

    name: str
    value: Numbers


Act = Addition | Setting | Switch
MOST_WAITING = 2**22
"""For as many numbers there is room in what waits for steps to come."""
FOR_ONE = 100
"""As much room as so many numbers is taken by each write besides."""


@dataclass(frozen=True, eq=False, slots=True)
class Pending:
    """What is done in every step from `first` until before `end`, to the array of that name.

    `values` are added to an input, or given to a variable or parameter: to the elements `cells` (None: to all).
    """

    name: str
    first: int
    end: int
    values: Numbers
    cells: NDArray[np.int64] | None = None


class Full(InvalidInput):
    """There is no room for more that waits for steps to come."""


@dataclass(eq=False)
class Ready:
    """Writes that have been checked, and what is counted of them.

    `intent`: all additions to inputs, `switched`: parameters that are switched now, together, `now`: variables that are
    given values now, `later`: what is done in steps to come (first, end), which takes `room`.
    """

    intent: Intent = field(default_factory=Intent)
    switched: dict[str, Numbers] = field(default_factory=dict)
    now: list[Setting] = field(default_factory=list)
    later: list[tuple[int, int, Act]] = field(default_factory=list)
    room: int = 0
    injected: int = 0
    late: int = 0
    clipped: int = 0


@dataclass
class Tally:
    """Numbers that a host gave: those added to inputs, those that came late, and those put to an end of their range.

    `dropped`: numbers and spikes that were no longer kept when they were taken.
    """

    injected: int = 0
    late: int = 0
    clipped: int = 0
    dropped: int = 0


class Controls:
    """The variables, events and populations of a program being executed."""

    def __init__(self, program: Program, plan: Plan, executor: Executor, switchboard: Switchboard) -> None:
        self.program, self.plan, self.executor, self.switchboard = program, plan, executor, switchboard
        self.checker, self.names, self.tally = Checker(plan.declared, program), Names(program, plan.declared), Tally()
        self.injections = Injections(self.checker, executor)
        self._waiting: Waiting[Act] = Waiting()
        self.given: dict[str, Numbers] = {}
        """What the host gave to weights that no rule changes, before any circuit deviates."""

    def trigger(self, event: str) -> None:
        """Run every triggered block of that name."""
        self.check_known(event, sorted({e.name for e in self.program.events}), "event")
        self.executor.trigger(event)

    def reset(self, populations: Sequence[str], keep_learned: bool) -> None:
        """Put populations back to their initial state, but for what they learned if that is to be kept."""
        for name in populations:
            self.check_known(name, [p.name for p in self.program.populations], "population")
        for name in populations:
            before = {n: self.executor.read(n) for n in self._learned(name)} if keep_learned else {}
            self.executor.reset(name)
            self.injections.forget(n for n, a in self.program.arrays.items() if a.owner == name)
            for array, values in before.items():
                self.executor.write(array, values)

    def reset_some(self, name: str, part: Part, keep_learned: bool) -> None:
        """The same for some neurons of a population. Unsupported where the executor cannot save its state."""
        save = getattr(self.executor, "save", None)
        if save is None:
            raise Unsupported(f"this executor cannot put a part of '{name}' back; reset all of it, or take another one")
        kept = self._learned(name) if keep_learned else []
        self.executor.load(put_back(self.program, save(), name, part.neurons, kept))
        inputs = (n for n, a in self.program.arrays.items() if a.owner == name and a.role == "input")
        self.injections.forget_some(inputs, part.neurons)

    def _learned(self, population: str) -> list[str]:
        """The arrays of what a population learned."""
        arrays = self.program.arrays
        plastic = [n for n, a in arrays.items() if a.owner == population and a.kind_class == "plastic"]
        kept = [n for n in plastic if arrays[n].role in ("state", "visible")]
        return kept + [arrays[n].visible for n in kept if arrays[n].visible]

    def get(self, name: str) -> NDArray[np.float64]:
        """The values of OBJECT.VARIABLE: (size,), or (size, copies) in a batch."""
        array = self.names.to_read(name)
        values, neurons = np.asarray(real(self.executor.read(array.name), array), np.float64), self.names.neurons(name)
        return values if neurons is None else values[neurons]

    def check_known(self, name: str, choices: Collection[str], what: str) -> None:
        """InvalidInput, with what there is, for a name that is not among the choices."""
        self.names.check(name, choices, what)

    # ------------------------------------------------------------------------------------------------------ writing

    def inject(self, write: Write) -> None:
        """Add values to an input. InvalidInput, and nothing has changed, for what cannot be added."""
        self.names.input(write.name)
        self.make(self.ready([write]))

    def set(self, name: str, value: Any, clip: bool = False) -> None:
        """Give OBJECT.VARIABLE new values: one for all or an array of its shape, in real units, or a quantity.

        Nothing has changed when values are refused; with `clip` those beyond an end of the range are put there.
        """
        ready = Ready()
        self._do(self._change(self.names.to_write(name), self.names.placed(Write(name, value)), ready, clip))
        self.tally.clipped += ready.clipped

    def set_some(self, name: str, part: Part, value: float | int) -> None:
        """Give a parameter that has one number for each neuron a new value for some of them."""
        numbers = np.array(self.switchboard.value(name))
        numbers[part.neurons] = value
        self.switchboard.set(self.executor, {name: numbers})

    def ready(self, writes: Sequence[Write], clip: bool = False) -> Ready:
        """Check writes, beside each other. InvalidInput with all that is wrong with them; nothing has changed."""
        ready = Ready()
        errors: list[InvalidInput] = []
        for write in writes:
            try:
                self._prepare(write, ready, clip)
            except InvalidInput as error:
                errors.append(error)
                if isinstance(error, Full):
                    break
        if ready.switched and (problems := self._refused(ready.switched)):
            errors.append(InvalidInput(problems))
        if errors:
            raise together(errors)
        return ready

    def make(self, ready: Ready) -> None:
        """Do what has been checked, and keep the rest for its steps."""
        self.tally.late += ready.late
        self.tally.clipped += ready.clipped
        self.tally.injected += ready.injected
        self.injections.accept(ready.intent)
        if ready.switched:
            self.switchboard.set(self.executor, ready.switched)
        for setting in ready.now:
            self._give(setting)
        for first, end, act in ready.later:
            self._waiting.add(first, end, act, _room(act))

    @property
    def next(self) -> int:
        """The next step before which something is to be done that was given for it."""
        return self._waiting.next

    @property
    def pending(self) -> tuple[Pending, ...]:
        """All that is to be done in steps to come, in the order in which it was given."""
        coming = self.executor.step + 1
        return tuple(_pending(entry, coming) for entry in self._waiting)

    def hold(self, pending: Iterable[Pending], injected: Mapping[str, Injected], tally: Tally) -> None:
        """Hold what another one held before the same step: what is to come, what was injected, and the counts."""
        acts = [(self._act(one), one.first, one.end) for one in pending]
        added = [(act, first, end) for act, first, end in acts if isinstance(act, Addition)]
        self.injections.hold(injected, added)
        self.tally, self._waiting = replace(tally), Waiting()
        for act, first, end in acts:
            self._waiting.add(first, end, act, _room(act))

    def _act(self, one: Pending) -> Act:
        """What it was made of, as it was checked."""
        array = self.program.arrays[one.name]
        if array.role == "parameter":
            return Switch(one.name, one.values)
        if array.role == "input":
            return Addition(array, np.asarray(one.cells), one.values)
        return self._setting(array, one.values, one.cells)

    @property
    def waiting(self) -> int:
        """How many writes wait for steps to come."""
        return len(self._waiting)

    def arrive(self) -> None:
        """Do what was given for the step that comes next."""
        for act in self._waiting.due(self.executor.step):
            self._do(act)

    def _keep_for_later(self, ready: Ready, first: int, end: int, act: Act) -> None:
        """Note what is done in steps to come; InvalidInput where there is no room for it."""
        ready.later.append((first, end, act))
        ready.room += _room(act)
        waiting = self.injections.waiting(ready.intent) + self._waiting.size + ready.room
        if waiting > MOST_WAITING:
            text = f"{waiting:,} numbers would wait for their steps, and at most {MOST_WAITING:,} do; give them later"
            raise Full([Problem(None, text)])

    def _refused(self, switched: Mapping[str, Numbers]) -> tuple[Problem, ...]:
        """Why parameters cannot be switched to these values, if they cannot."""
        try:
            self.switchboard.checked(switched)
        except RunFailed as error:
            return (Problem(None, str(error)),)
        return ()

    def _prepare(self, write: Write, ready: Ready, clip: bool) -> None:
        """Check a write beside those that are ready."""
        coming = self.executor.step
        array, write = self.names.to_write(write.name), self.names.placed(write)
        at, first, end = span(write, coming, self.plan.dt)
        act: Act
        if array.role == "input":
            act = added = self._addition(array, write, ready, clip)
            self.injections.intend(ready.intent, added, first, end)
        else:
            act = self._change(array, write, ready, clip)
        if at is not None and at < coming:
            ready.late += _count(act)
        if first == coming:
            if isinstance(act, Switch):
                ready.switched[act.name] = act.value
            elif isinstance(act, Setting):
                ready.now.append(act)
            else:
                ready.injected += act.values.size
            first += 1
        if first < end:
            self._keep_for_later(ready, first, end, act)

    def _addition(self, array: Array, write: Write, ready: Ready, clip: bool) -> Addition:
        cells = self.injections.cells(array, write.neurons)
        given = spread(array, cells, numbers(array.name, self._number(array.name, write.values)))
        values = self.checker.typed(array, given, cells) if clip else self.checker.plain(array, given, cells)
        if clip:
            values, outside = self.checker.clipped(array, values)
            ready.clipped += outside
        return Addition(array, cells, values)

    def _change(self, array: Array, write: Write, ready: Ready, clip: bool) -> Setting | Switch:
        """What giving values to a variable comes to."""
        name = written(array.name)
        number = numbers(name, self._number(name, write.values))
        if array.role == "parameter":
            return self._switch(array, write, number, ready, clip)
        if array.role == "visible":
            text = f"'{name}' follows from '{array.hidden}'; set what it follows from"
            raise InvalidInput.one(None, text)
        cells = None if write.neurons is None else cells_of(array, write.neurons)
        values = shaped(array, number) if cells is None else spread(array, cells, number)
        sure = clip or array.name in self.program.designed
        values = self.checker.typed(array, values, cells) if sure else self.checker.plain(array, values, cells)
        if clip:
            values, outside = self.checker.clipped(array, values)
            ready.clipped += outside
        return self._setting(array, values, cells)

    def _setting(self, array: Array, values: Numbers, cells: NDArray[np.int64] | None) -> Setting:
        """Values of elements, and as the array and what is seen of it hold them."""
        shown = self.program.arrays.get(array.visible)
        raws = {one.name: self._raw(one, values, cells) for one in (array, shown) if one is not None}
        return Setting(array, cells, values, raws)

    def _switch(self, array: Array, write: Write, number: Numbers, ready: Ready, clip: bool) -> Switch:
        name = written(array.name)
        if not array.dynamic:
            text = f"'{name}' is fixed while the network runs; declare the parameter `dynamic: true` with a range"
            raise InvalidInput.one(array.place, text)
        follows = next((d for d in self.program.derived if d.array == array.name), None)
        if follows is not None:
            of = sorted({written(e.array) for e in walk(follows.value) if isinstance(e, Read)})
            raise InvalidInput.one(None, f"'{name}' follows from {', '.join(of)}; set what it follows from")
        copies = self.program.copies if array.own else 1
        if number.size not in (1, copies) or write.neurons is not None:
            many = "some of its values" if number.size == 1 else str(number.size)
            each = f" or with one for each of {copies} copies" if array.own else ""
            text = f"'{name}' is switched with one value for all{each}, and {many} were given; give one number"
            raise InvalidInput.one(None, f"{text}{' or ' + str(copies) if each else self._own_values(name, number)}")
        if clip:
            number, outside = self.checker.clipped(array, number)
            ready.clipped += outside
        number = number.ravel()
        return Switch(array.name, number if array.own and number.size > 1 else number[0])

    def _own_values(self, name: str, number: Numbers) -> str:
        """How copies get a parameter of their own, where one value for each was given."""
        copies = self.program.copies
        if copies == 1 or number.size != copies:
            return ""
        return f", or say in the network file that each copy has its own: copies: {{params: {{{name}: […]}}}}"

    def _raw(self, array: Array, values: Numbers, cells: NDArray[np.int64] | None) -> tuple[Numbers, int]:
        """Values as the array holds them, through the circuits of a specimen where they deviate, and what is beyond."""
        designed = self.program.designed.get(array.name)
        if designed is None:
            return self.checker.raw(array, values, cells=cells).astype(array.dtype), 0
        self.checker.limits(array, values, cells=cells)
        made = designed.made(values if cells is None else _placed(array, values, cells))
        raw, outside = self.switchboard.saturating(array, made if cells is None else made[cells])
        return raw.astype(array.dtype), outside

    def _number(self, name: str, value: Any) -> Any:
        """A value in the coherent system."""
        try:
            if isinstance(value, str):
                value = _with_unit(value)
            if not isinstance(value, Quantity):
                return value
            return coherent(value, self.plan.declared.get(name), self.plan.dt)
        except units.UnitError as error:
            raise InvalidInput.one(None, f"'{name}': {error}") from None

    # -------------------------------------------------------------------------------------------------------- doing

    def _do(self, act: Act) -> None:
        """Do what has been checked before the coming step."""
        match act:
            case Addition():
                self.injections.make(act)
                self.tally.injected += act.values.size
            case Switch():
                self.switchboard.set(self.executor, {act.name: act.value})
            case Setting():
                self._give(act)

    def _give(self, one: Setting) -> None:
        array, cells = one.array, one.cells
        for name, (raw, beyond) in one.raws.items():
            whole = raw
            if cells is not None:
                whole = self.executor.read(name)
                whole[cells] = raw
            self.executor.write(name, whole)
            self.switchboard.count(self.program.arrays[name], beyond)
        if array.static:
            self.given[array.name] = self._all_given(one)
        if array.role == "input":
            self.injections.replaced(array, one.values, one.raws[array.name][0])

    def _all_given(self, one: Setting) -> Numbers:
        """What static weights have been given, with what they are given now."""
        if one.cells is None:
            return np.array(one.values)
        name = one.array.name
        designed = self.program.designed.get(name)
        known = self.get(name) if designed is None else np.array(designed.value, one.values.dtype)
        values = np.array(self.given.get(name, known))
        values[one.cells] = one.values
        return values


def _with_unit(text: str) -> Quantity | str:
    """The quantity that a text is; the text of a number alone is no number."""
    quantity = units.parse(text)
    return quantity if quantity.unit else text


def _count(act: Act) -> int:
    """How many numbers it is."""
    return act.value.size if isinstance(act, Switch) else int(act.values.size)


def _room(act: Act) -> int:
    """For how many numbers it needs room, about."""
    return FOR_ONE + 2 * _count(act)


def _pending(entry: Entry[Act], coming: int) -> Pending:
    act, steps = entry.what, (max(entry.first, coming), entry.end)
    if isinstance(act, Switch):
        return Pending(act.name, *steps, np.asarray(act.value))
    return Pending(act.array.name, *steps, act.values, act.cells)


def _placed(array: Array, values: Numbers, cells: NDArray[np.int64]) -> Numbers:
    """Values of some elements among those of all; the others are 0."""
    placed = np.zeros(array.initial.shape, values.dtype)
    placed[cells] = values
    return placed
