"""Write a program as the text of one module for several threads: what differs from a program of one thread.

Each runs all of it for a block of neurons (`blocks`). In a step they wait for each other before neurons change, which
synapses of other threads read, and before spikes of others are listed; and at its end, where something comes after.
"""

from __future__ import annotations

from neuroport.backends.emulator.blocks import is_whole, shared, whole
from neuroport.backends.emulator.emit import Emitter
from neuroport.backends.emulator.function import Function
from neuroport.backends.emulator.layout import Module
from neuroport.backends.emulator.lines import Block, Line
from neuroport.backends.emulator.values import Site
from neuroport.program.machine import Population, Program, Projection

OF_POPULATIONS = ("told", "told_count", "told_start")
"""Kinds of arguments that all threads have of a population: where they show their spikes to each other."""
OF_ALL = ("meeting", "seat", "halt")
"""Kinds of arguments by which they wait for each other, and end together."""


def emit_threads(program: Program) -> Module:
    """Generate the module of a program for several threads."""
    return ThreadEmitter(program).module()


class ThreadEmitter(Emitter):
    """Collects the parts of one module for several threads."""

    def __init__(self, program: Program) -> None:
        super().__init__(shared(program), more=("runtime_threads",))
        names = [p.name for p in program.populations]
        self._blocks, self._whole = names, [p.name for p in self.program.populations[len(names) :]]
        every_step = any(event.every_step for event in program.events)
        self._waits_at_end = every_step or bool(program.readouts or program.records or not self._whole)

    def _name_everything(self) -> None:
        super()._name_everything()
        for population in self.program.populations:
            for kind in OF_POPULATIONS:
                self._identifier(kind, population.name)

    def _identifier(self, kind: str, name: str) -> str:
        if kind in OF_ALL:
            return kind
        return self.names(f"{name}_{kind}", kind, name) if kind in OF_POPULATIONS else super()._identifier(kind, name)

    def _neuron_place(self, population: Population, function: Function) -> Site:
        first = function.use("first", population.name)
        return Site(own="i", element=f"np.uint64(i) + np.uint64({first})", source=population.name)

    def _all_but_diagonal(self, projection: Projection) -> bool:
        """Of a block of targets most rows are all, and the neuron that a row lacks has another number."""
        return False

    def _spikes(self, run: Function, name: str) -> list[str]:
        """The lines that list the spikes of a block and show them to all, or list those of all blocks."""
        block = name.removesuffix(whole(""))
        told = ", ".join(run.use(kind, block) for kind in OF_POPULATIONS)
        spikes = f"{run.use('spikes', name)}, {run.use('spike_count', name)}"
        if is_whole(name):
            return [f"listen(t, {told}, {spikes})"]
        seen = [f"tell(t, {spikes}, {told}, {run.use('seat')})"] if whole(name) in self._whole else []
        return super()._spikes(run, name) + seen

    def _meet(self, run: Function) -> list[Line]:
        return [f"meet({run.use('meeting')}, {run.use('seat')})"]

    def _before(self, run: Function, population: Population) -> list[Line]:
        if population.name == self._blocks[0]:
            return self._meet(run)
        if population.name in self._whole[:1]:
            return [*([] if self._waits_at_end else self._halting(run)), *self._meet(run)]
        return []

    def _after_event(self, run: Function) -> list[Line]:
        return self._meet(run)

    def _halting(self, run: Function) -> list[Line]:
        """Have all threads end when this one has to."""
        halt = run.use("halt")
        return [
            Block("if ctl[PAUSE] != 0:", [f"{halt}[0] = 1"]),
            Block("if ctl[ERROR_ARRAY] >= 0:", [f"{halt}[1] = 1"]),
        ]

    def _end(self, run: Function, may_fail: bool) -> list[Line]:
        halt = run.use("halt")
        last: list[Line] = [Block(f"if {halt}[1] != 0:", ["return k"]), Block(f"if {halt}[0] != 0:", ["return k + 1"])]
        return [*self._halting(run), *self._meet(run), *last] if self._waits_at_end else last
