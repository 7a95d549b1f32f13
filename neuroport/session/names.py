"""What the names that a host uses stand for: ports, populations, and OBJECT.VARIABLE."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput, UnknownName, together
from neuroport.numerics import units
from neuroport.program.machine import Array, Port, Program
from neuroport.program.names import written
from neuroport.program.plan import Declared
from neuroport.session.exchange import Train, Write
from neuroport.session.inject import numbers_within


@dataclass(frozen=True, slots=True)
class Output:
    """What is heard under a name: the spikes of a population, samples of an array, or its values as they are.

    `neurons`: of these alone, which count from 0 (None: all). Of samples, their places among those that are recorded.
    """

    kind: Literal["spikes", "records", "values"]
    of: str
    neurons: NDArray[np.int64] | None = field(default=None, compare=False)

    def chosen(self, train: Train, copies: int) -> Train:
        """What is heard of the spikes of a population, or of samples of an array."""
        steps, found = train
        if self.neurons is None:
            return train
        if self.kind != "spikes":
            return steps, found[:, self.neurons]
        number, copy = np.divmod(found, copies)
        at = np.minimum(np.searchsorted(self.neurons, number), len(self.neurons) - 1)
        there = self.neurons[at] == number
        return steps[there], (at * copies + copy)[there]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be heard: under which names what, and of what of it is recorded."""

    by_name: tuple[tuple[str, Output], ...]
    of: frozenset[str]


class Names:
    """The names of a program, as users know them; `declared`: those that its network has, those of no array too."""

    def __init__(self, program: Program, declared: Mapping[str, Declared]) -> None:
        self._program, self._declared = program, declared
        self._arrays = {written(name): array for name, array in program.arrays.items()}
        self._spiking = [p.name for p in program.populations if p.spiking]
        self._recorded = {r.array: r.neurons for r in program.records if not r.readout}
        self._ports = {port.name: port for port in program.ports}
        self._parts = {port.name: port.part.neurons for port in program.ports if port.part is not None}

    def target(self, name: str) -> str:
        """What a port leads to; of every other name the name itself."""
        port = self._ports.get(name)
        return name if port is None else port.target

    def neurons(self, name: str) -> NDArray[np.int64] | None:
        """The neurons of the part that a port leads to; None for all, and for every other name."""
        return self._parts.get(name)

    def placed(self, write: Write) -> Write:
        """A write with the numbers of neurons in their population; InvalidInput for those that a port has not."""
        neurons = self.neurons(write.name)
        if neurons is None:
            return write
        array, what = self.to_write(write.name), f"port '{write.name}'"
        return replace(write, neurons=neurons[numbers_within(array, write.neurons, len(neurons), what)])

    def to_read(self, name: str) -> Array:
        """The array that is read under a name, OBJECT.VARIABLE or that of a port; InvalidInput if there is none."""
        found = self._arrays.get(self.target(name))
        if found is None:
            self._check_variable(name)
            raise InvalidInput.one(None, f"port '{name}' gives spikes; take them, or read a variable")
        return found

    def to_write(self, name: str) -> Array:
        """The array that a host writes, or adds to, under a name; InvalidInput if there is none."""
        port = self._ports.get(name)
        if port is None:
            if name not in self._arrays:
                self._check_variable(name)
            return _addable(self._arrays[name])
        if port.direction != "inject" and not port.writable:
            raise InvalidInput.one(port.place, _only_heard(port))
        return self._arrays[port.target]

    def input(self, name: str) -> Array:
        """The input that a host may add to under that name; InvalidInput if there is none."""
        array = self.to_write(name)
        if array.role != "input":
            raise InvalidInput.one(None, f"'{name}' is not an input; use `set` to change a variable")
        return array

    def outputs(self, names: Iterable[str]) -> Wanted:
        """What is heard under these names, each once; InvalidInput with all that are nothing."""
        found: dict[str, Output] = {}
        errors: list[InvalidInput] = []
        for name in names:
            try:
                found[name] = self.output(name)
            except InvalidInput as error:
                errors.append(error)
        if errors:
            raise together(errors)
        return Wanted(tuple(found.items()), frozenset(output.of for output in found.values()))

    def check(self, name: str, choices: Collection[str], what: str) -> None:
        """InvalidInput, with what there is, for a name that is not among the choices."""
        if name in choices:
            return
        if not choices:
            text = f"there is no {what} '{name}'; network '{self._program.name}' has none"
            raise UnknownName.one(None, text)
        whole = name.partition("[")[0].strip()
        near = (
            f"write '{whole}', without brackets" if whole in choices else units.suggestion(name, list(choices)).strip()
        )
        text = f"there is no {what} '{name}' in network '{self._program.name}'; there are: {', '.join(choices)}"
        raise UnknownName.one(None, f"{text}; {near}" if near else text)

    def _check_variable(self, name: str) -> None:
        """Say what a name is that stands for no array."""
        if name in self._declared:
            raise UnknownName.one(None, _folded(name, self._declared[name]))
        self.check(name, [*self._ports, *self._written()], "port or variable" if self._ports else "variable")

    def _written(self) -> list[str]:
        """The variables whose names can be written; the compiler's own have signs that nobody can write."""
        return [name for name in self._arrays if not set(name) & set("$#~")]

    def output(self, name: str) -> Output:
        """What is heard under a name; InvalidInput if that is nothing."""
        target = self.target(name)
        if target in self._spiking:
            return Output("spikes", target, self.neurons(name))
        if target not in self._arrays:
            self.check(name, [*self._ports, *self._spiking, *self._written()], "output")
        array = self._arrays[target].name
        neurons, recorded = self.neurons(name), self._recorded.get(array)
        if array not in self._recorded or not _covers(recorded, neurons, name in self._ports):
            return Output("values", array, neurons)
        return Output("records", array, _places(recorded, neurons))

    def recorded_of(self, name: str) -> Output:
        """What is heard under a name of what is recorded; InvalidInput for a port of neurons that not all are."""
        output = self.output(name)
        if output.kind == "values":
            text = f"not all neurons of port '{name}' are recorded of '{output.of}'; record them, or take the port"
            raise InvalidInput.one(None, text)
        return output

    @property
    def recorded(self) -> list[str]:
        """All names under which something is recorded in every run."""
        return [*self._spiking, *(written(name) for name in self._program.arrays if name in self._recorded)]


def _covers(recorded: NDArray[np.int64] | None, neurons: NDArray[np.int64] | None, is_port: bool) -> bool:
    """Whether all that is heard under a name is recorded; under that of an array it is what is recorded of it."""
    if recorded is None or not is_port:
        return True
    return neurons is not None and bool(np.isin(neurons, recorded).all())


def _places(recorded: NDArray[np.int64] | None, neurons: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Where some neurons stand among those that are recorded (None: all)."""
    return neurons if recorded is None or neurons is None else np.searchsorted(recorded, neurons)


def _folded(name: str, declared: Declared) -> str:
    """What a parameter is of which a program has nothing but what follows from it."""
    value = f" of {declared.value}" if declared.value else f" in {declared.unit}" * bool(declared.unit)
    return (
        f"'{name}' is a constant parameter{value}: the program has only what follows from it, so a session cannot read "
        f"or change it; neuroport.load(NET, ['{name}=VALUE']), or --set {name}=VALUE, is for a program with another one"
    )


def _addable(array: Array) -> Array:
    """The array; InvalidInput for an input of which the largest is taken."""
    if array.reduce == "max":
        text = f"'{array.name}' takes the largest of what synapses send (reduce: max), and nothing is added to it; "
        raise InvalidInput.one(array.place, f"{text}let it go to another input")
    return array


def _only_heard(port: Port) -> str:
    """Why nothing can be written through a port."""
    if port.direction == "spikes":
        return f"port '{port.name}' gives the spikes of '{port.target}', and takes nothing"
    return f"port '{port.name}' only reads '{port.target}'; declare it with `write: true` to write it, too"
