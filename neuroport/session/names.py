"""What the names that a host uses stand for: ports, populations, and OBJECT.VARIABLE."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from neuroport.errors import InvalidInput, UnknownName, together
from neuroport.numerics import units
from neuroport.program.machine import Array, Port, Program
from neuroport.program.names import written
from neuroport.program.plan import Declared


@dataclass(frozen=True, slots=True)
class Output:
    """What is heard under a name: the spikes of a population, samples of an array, or its values as they are."""

    kind: Literal["spikes", "records", "values"]
    of: str


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
        self._recorded = {r.array for r in program.records if not r.readout}
        self._ports = {port.name: port for port in program.ports}

    def target(self, name: str) -> str:
        """What a port leads to; of every other name the name itself."""
        port = self._ports.get(name)
        return name if port is None else port.target

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
            return self._arrays[name]
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
            return Output("spikes", target)
        if target not in self._arrays:
            self.check(name, [*self._ports, *self._spiking, *self._written()], "output")
        array = self._arrays[target].name
        return Output("records" if array in self._recorded else "values", array)

    @property
    def recorded(self) -> list[str]:
        """All names under which something is recorded in every run."""
        return [*self._spiking, *(written(name) for name in self._program.arrays if name in self._recorded)]


def _folded(name: str, declared: Declared) -> str:
    """What a parameter is of which a program has nothing but what follows from it."""
    value = f" of {declared.value}" if declared.value else f" in {declared.unit}" * bool(declared.unit)
    return (
        f"'{name}' is a constant parameter{value}: the program has only what follows from it, so a session cannot read "
        f"or change it; neuroport.load(NET, ['{name}=VALUE']), or --set {name}=VALUE, is for a program with another one"
    )


def _only_heard(port: Port) -> str:
    """Why nothing can be written through a port."""
    if port.direction == "spikes":
        return f"port '{port.name}' gives the spikes of '{port.target}', and takes nothing"
    return f"port '{port.name}' only reads '{port.target}'; declare it with `write: true` to write it, too"
