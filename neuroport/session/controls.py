"""What can be looked at and changed by name while a program is executed, in real units."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.numerics import units
from neuroport.numerics.units import Quantity
from neuroport.program.constants import real
from neuroport.program.executor import Executor
from neuroport.program.ir import Numbers, Read, walk
from neuroport.program.machine import Array, Program
from neuroport.program.names import written
from neuroport.program.plan import Plan, coherent
from neuroport.session.host import Checker, numbers, shaped
from neuroport.session.inject import Injections
from neuroport.session.switchboard import Switchboard


class Controls:
    """The variables, events and populations of a program being executed."""

    def __init__(self, program: Program, plan: Plan, executor: Executor, switchboard: Switchboard) -> None:
        self.program, self.plan, self.executor, self.switchboard = program, plan, executor, switchboard
        self.checker = Checker(plan.declared, program)
        self._arrays = {written(name): array for name, array in program.arrays.items()}
        self._injections = Injections(self.checker, executor)
        self.given: dict[str, Numbers] = {}
        """What the host gave to weights that no rule changes, before any circuit deviates."""

    def trigger(self, event: str) -> None:
        """Run every triggered block of that name."""
        names = sorted({e.name for e in self.program.events})
        self.check_known(event, names, "event")
        self.executor.trigger(event)

    def reset(self, populations: Sequence[str], keep_learned: bool) -> None:
        """Put populations back to their initial state, but for what they learned if that is to be kept."""
        for name in populations:
            self.check_known(name, [p.name for p in self.program.populations], "population")
        for name in populations:
            arrays = self.program.arrays
            plastic = [n for n, a in arrays.items() if a.owner == name and a.kind_class == "plastic"]
            kept = [n for n in plastic if arrays[n].role in ("state", "visible")]
            kept += [arrays[n].visible for n in kept if arrays[n].visible]
            before = {n: self.executor.read(n) for n in kept} if keep_learned else {}
            self.executor.reset(name)
            self._injections.forget({n for n, a in arrays.items() if a.owner == name})
            for array, values in before.items():
                self.executor.write(array, values)

    def inject(self, population: str, input: str, neurons: Any, values: Any) -> None:
        """Add values to an input of some neurons in the coming step.

        InvalidInput, and nothing has changed, for neurons that there are not, and where all that was injected for this
        step leaves the range of the input.
        """
        name = f"{population}.{input}"
        array = self.array(name)
        if array.role != "input":
            raise InvalidInput.one(None, f"'{name}' is not an input; use `set` to change a variable")
        self._injections.add(array, neurons, values)

    def get(self, name: str) -> NDArray[np.float64]:
        """The values of OBJECT.VARIABLE: (size,), or (size, copies) in a batch."""
        array = self.array(name)
        return np.asarray(real(self.executor.read(array.name), array), np.float64)

    def set(self, name: str, value: Any) -> None:
        """Give OBJECT.VARIABLE new values: one for all or an array of its shape, in real units, or a quantity.

        Of parameters only dynamic ones can be set; what is derived from them follows. The circuits of a specimen make
        of parameters and static weights what they made of the old ones. Nothing has changed when values are refused.
        """
        number = numbers(name, self._number(name, value))
        array = self.array(name)
        if array.role == "parameter":
            self._switch(array, number)
            return
        if array.role == "visible":
            text = f"'{name}' follows from '{array.hidden}'; set what it follows from"
            raise InvalidInput.one(None, text)
        values = self.checker.typed(array, shaped(array, number))
        visible = self.program.arrays.get(array.visible)
        raws = {a.name: self._raw(a, values) for a in (array, visible) if a is not None}
        for one, raw in raws.items():
            self.executor.write(one, raw.astype(array.initial.dtype))
        if array.role == "weight" and array.kind_class == "weight":
            self.given[name] = np.array(values)
        if array.role == "input":
            self._injections.replaced(array, values, raws[name])

    def _switch(self, array: Array, number: Numbers) -> None:
        name = written(array.name)
        if not array.dynamic:
            text = f"'{name}' is fixed while the network runs; declare the parameter `dynamic: true` with a range"
            raise InvalidInput.one(array.place, text)
        follows = next((d for d in self.program.derived if d.array == array.name), None)
        if follows is not None:
            of = sorted({written(e.array) for e in walk(follows.value) if isinstance(e, Read)})
            raise InvalidInput.one(None, f"'{name}' follows from {', '.join(of)}; set what it follows from")
        if number.size != 1:
            text = f"'{name}' is switched with one value for all, and {number.size} were given; give one number"
            raise InvalidInput.one(None, text)
        self.switchboard.set(self.executor, {array.name: number.ravel()[0]})

    def _raw(self, array: Array, values: Numbers) -> Numbers:
        """Values as the array holds them, through the circuits of a specimen where they deviate."""
        designed = self.program.designed.get(array.name)
        if designed is None:
            return self.checker.raw(array, values)
        self.checker.limits(array, values)
        return self.switchboard.saturating(array, designed.made(values))

    def _number(self, name: str, value: Any) -> Any:
        """A value in the coherent system."""
        try:
            if isinstance(value, str):
                value = units.parse(value)
            if not isinstance(value, Quantity):
                return value
            return coherent(value, self.plan.declared.get(name), self.plan.dt)
        except units.UnitError as error:
            raise InvalidInput.one(None, f"'{name}': {error}") from None

    def array(self, name: str) -> Array:
        """The array of that name; InvalidInput if there is none."""
        self.check_known(name, self._arrays, "variable")
        return self._arrays[name]

    def check_known(self, name: str, choices: Collection[str], what: str) -> None:
        """InvalidInput, with what there is, for a name that is not among the choices."""
        if name not in choices:
            near = units.suggestion(name, list(choices)).strip()
            listed = ", ".join(choices) or "none"
            text = f"there is no {what} '{name}' in network '{self.program.name}'; there are: {listed}"
            raise InvalidInput.one(None, f"{text}; {near}" if near else text)
