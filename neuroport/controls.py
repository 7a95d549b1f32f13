"""What can be looked at and changed by name while a program is executed, in real units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport import units
from neuroport.derived import Switchboard, raw, real
from neuroport.errors import InvalidInput
from neuroport.executor import Executor
from neuroport.network import Network
from neuroport.program import Array, Program
from neuroport.values import Quantity


class Controls:
    """The variables, events and populations of a program being executed."""

    def __init__(self, network: Network, program: Program, executor: Executor, switchboard: Switchboard) -> None:
        self.network, self.program, self.executor, self.switchboard = network, program, executor, switchboard

    def trigger(self, event: str) -> None:
        """Run every triggered block of that name."""
        names = sorted({e.name for e in self.program.events})
        self.check_known(event, names, "event")
        self.executor.trigger(event)

    def reset(self, populations: Sequence[str], keep_learned: bool) -> None:
        """Put populations back to their initial state, but for what they learned if that is to be kept."""
        for name in populations:
            self.check_known(name, [p.name for p in self.program.populations], "population")
            arrays = self.program.arrays
            plastic = [n for n, a in arrays.items() if a.owner == name and a.kind_class == "plastic"]
            kept = [n for n in plastic if arrays[n].role in ("state", "visible")]
            kept += [f"{n}.visible" for n in kept if f"{n}.visible" in arrays]
            before = {n: self.executor.read(n) for n in kept} if keep_learned else {}
            self.executor.reset(name)
            for array, values in before.items():
                self.executor.write(array, values)

    def inject(self, population: str, input: str, neurons: Any, values: Any) -> None:
        """Add values to an input of some neurons in the coming step."""
        name = f"{population}.{input}"
        array = self.array(name)
        if array.role != "input":
            raise InvalidInput.one(None, f"'{name}' is not an input; use `set` to change a variable")
        total = self.executor.read(name)
        added = raw(np.asarray(values), array.type)
        added = added[..., None] if total.ndim == 2 and added.ndim == 1 else added
        np.add.at(total, np.asarray(neurons, np.int64), added)
        self.executor.write(name, total)

    def get(self, name: str) -> NDArray[np.float64]:
        """The values of OBJECT.VARIABLE: (size,), or (size, copies) in a batch."""
        array = self.array(name)
        return np.asarray(real(self.executor.read(name), array), np.float64)

    def set(self, name: str, value: Any) -> None:
        """Give OBJECT.VARIABLE new values: one for all or an array of its shape, in real units, or a quantity.

        Of parameters only dynamic ones can be set; what is derived from them follows.
        """
        number = self._number(name, value)
        array = self.program.arrays.get(name)
        if name in self.program.constants or (array is not None and array.role == "parameter"):
            if array is not None and not array.dynamic:
                text = f"'{name}' is fixed while the network runs; declare the parameter `dynamic: true` with a range"
                raise InvalidInput.one(None, text)
            if np.size(number) != 1:
                text = f"'{name}' is switched with one value for all, and {np.size(number)} were given; give one number"
                raise InvalidInput.one(None, text)
            self.switchboard.set(self.executor, {name: float(np.ravel(number)[0])})
            return
        array = self.array(name)
        self._write(array, number)
        visible = self.program.arrays.get(f"{name}.visible")
        if visible is not None:
            self._write(visible, number)

    def _write(self, array: Array, number: Any) -> None:
        values = raw(np.asarray(number), array.type)
        if array.initial.ndim == 2 and values.ndim == 1:
            values = values[:, None]  # the same in all copies
        values = np.broadcast_to(values, array.initial.shape)
        self.executor.write(array.name, values.astype(array.initial.dtype))

    def _number(self, name: str, value: Any) -> Any:
        """A value in the coherent system."""
        if isinstance(value, str):
            value = units.parse(value)
        if not isinstance(value, Quantity):
            return np.asarray(value)
        unit = self._declared_unit(name)
        if units.is_step(unit):
            return float(units.steps(value, self.network.dt)) if value.unit else value.number
        return units.coherent(value.number, value.unit)[0]

    def _declared_unit(self, name: str) -> str:
        owner, _, variable = name.partition(".")
        parameters = [d for p in self.network.populations if p.name == owner for d in p.neuron.parameters]
        parameters += [d for p in self.network.projections if p.name == owner for d in p.synapse.parameters]
        return next((d.unit for d in parameters if d.name == variable), "")

    def array(self, name: str) -> Array:
        """The array of that name; InvalidInput if there is none."""
        self.check_known(name, list(self.program.arrays), "variable")
        return self.program.arrays[name]

    def check_known(self, name: str, choices: Sequence[str], what: str) -> None:
        """InvalidInput, with what there is, for a name that is not among the choices."""
        if name not in choices:
            near = units.suggestion(name, list(choices)).strip()
            listed = ", ".join(choices) or "none"
            text = f"there is no {what} '{name}' in network '{self.network.name}'; there are: {listed}"
            raise InvalidInput.one(None, f"{text}; {near}" if near else text)
