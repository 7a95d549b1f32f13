"""Where in GeNN everything is that the host reads or writes between steps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.genn import places
from neuroport.backends.genn.build import Built
from neuroport.backends.genn.model import GlobalArray, Group, Model, Parameter, Synapses
from neuroport.backends.genn.rings import Rings
from neuroport.program.machine import Program

Indices = NDArray[np.int64]


class Homes:
    """By names of arrays: variables, of synapses with the places of their elements; arrays open to all; settings."""

    def __init__(self, program: Program, model: Model, built: Built, rings: Rings) -> None:
        self._program, self._model, self._built = program, model, built
        self.variables: dict[str, tuple[Any, Indices | None]] = {}
        self.open: dict[str, tuple[Any, Indices]] = {}
        self.past: dict[str, Any] = {}
        self.bits: dict[str, Any] = {}
        self._of_neurons()
        self._of_synapses()
        known = self.variables.keys() | self.open.keys()
        self.idle = {
            array.name: array.initial.copy()
            for array in program.arrays.values()
            if array.at != "scalar" and array.role != "input" and array.name not in known
        }
        self.mirrors = self._mirrors()
        self.settings: dict[tuple[str, str], list[tuple[Group, Parameter | GlobalArray]]] = {}
        self.by_hand: dict[str, Any] = {}
        self.tables: dict[str, Any] = {}
        self._of_settings()
        self.delayed = {name: list(filter(rings.sums, groups)) for name, groups in self._delayed().items()}
        self.cursors = [
            built.neurons[n.name].vars[v.ident] for n in model.neurons for v in n.variables if v.holds == "cursor"
        ]

    def arrays(self, kind: str) -> list[tuple[Any, GlobalArray]]:
        """All arrays of groups that are of a kind."""
        return [(self._in(g, a), a) for g in self._model.groups() for a in g.arrays if a.kind == kind]

    def set(self, of: str, name: str, value: float | int | NDArray[Any]) -> None:
        """Give a scalar, the row of a series or a switch its value in all groups that have it."""
        for group, where in self.settings.get((of, name), ()):
            if isinstance(where, Parameter):
                number = float(value) if where.type in ("float", "double") else int(value)
                self._built.group(group).set_dynamic_param_value(where.ident, number)
            else:
                held = self._in(group, where)
                held.view[:] = value
                held.push_to_device()

    def _in(self, group: Group, array: GlobalArray) -> Any:
        return self._built.group(group).extra_global_params[array.ident]

    def _of_neurons(self) -> None:
        for neurons in self._model.neurons:
            for variable in neurons.variables:
                made = self._built.neurons[neurons.name].vars[variable.ident]
                if variable.holds == "array":
                    self.variables[variable.name] = (made, None)
                elif variable.holds == "bit":
                    self.bits[variable.name] = made
            for held in neurons.arrays:
                if held.kind == "array":
                    self.open[held.name] = (self._in(neurons, held), np.arange(neurons.size))
                elif held.kind == "past":
                    self.past[held.name] = self._in(neurons, held)

    def _of_synapses(self) -> None:
        for synapses in self._model.synapses:
            group = self._built.synapses[synapses.name]
            where = places.of_synapses(self._program.projection(synapses.owner))
            for variable in synapses.variables:
                if variable.holds == "array":
                    self.variables[variable.name] = (group.vars[variable.ident], where)
            for held in synapses.arrays:
                if held.kind == "array":
                    self.open[held.name] = (self._in(synapses, held), where)

    def _mirrors(self) -> dict[str, list[tuple[str, Indices]]]:
        """By arrays of entries of a kernel: arrays of synapses that repeat them, with the entry of each synapse."""
        mirrors: dict[str, list[tuple[str, Indices]]] = {}
        for array in self._program.arrays.values():
            if array.mirror:
                entry = self._program.projection(array.owner).wiring.entry
                assert entry is not None
                mirrors.setdefault(array.mirror, []).append((array.name, entry))
        return mirrors

    def _of_settings(self) -> None:
        """Which groups hold a scalar, the row of a series, or an input that is written by hand."""
        for group in self._model.groups():
            for parameter in group.parameters:
                if parameter.dynamic:
                    self.settings.setdefault((parameter.of, parameter.name), []).append((group, parameter))
            for array in group.arrays:
                if array.kind in ("wide", "rows"):
                    of = "row" if array.kind == "rows" else "scalar"
                    self.settings.setdefault((of, array.name), []).append((group, array))
                elif array.kind == "late":
                    self.by_hand[array.name] = self._in(group, array)
                elif array.kind == "series":
                    self.tables[array.name] = self._in(group, array)

    def _delayed(self) -> dict[str, list[Synapses]]:
        """By inputs: the groups that send to them with a delay."""
        delayed: dict[str, list[Synapses]] = {}
        inputs = {(n.name, ident): name for n in self._model.neurons for ident, name in n.inputs.items()}
        for synapses in self._model.synapses:
            if synapses.slots > 1 and synapses.post_input and "addToPostDelay" in synapses.step + synapses.arrive:
                delayed.setdefault(inputs[synapses.target, synapses.post_input], []).append(synapses)
        return delayed
