"""The emulator: programs executed by generated code that LLVM compiles. The default backend; it needs no compiler."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from neuroport.program.executor import Executor
from neuroport.program.machine import Program
from neuroport.program.verify import given

if TYPE_CHECKING:
    from neuroport.backends.emulator.layout import Module
    from neuroport.backends.emulator.synapses import Memory
    from neuroport.program.room import Part


@dataclass(slots=True)
class _Last:
    """The module of the program that was opened last: the next executor of the same program need not write it anew."""

    made: tuple[Program, Program, Module] | None = None

    def module(self, program: Program, timed: bool, several: bool) -> tuple[Program, Module]:
        """A program with sums over elements written out, and its module."""
        from neuroport.backends.emulator.building import ALONE
        from neuroport.backends.emulator.emit import emit
        from neuroport.backends.emulator.emit_threads import emit_threads
        from neuroport.backends.unfold import unfolded

        with ALONE:
            made = self.made
            if made is None or made[0] is not program:
                plain = unfolded(program)
                made = self.made = program, plain, emit_threads(plain) if several else emit(plain, timed)
            return made[1:]


@dataclass(frozen=True, slots=True)
class Emulator:
    """Executes programs in compiled code (neuroport.program.executor.Backend).

    boundscheck: compile with index checks (for tests; about a third slower).
    times: take the time of the parts of a step.
    threads: how many threads compute a program.
    """

    name: str = "emulator"
    boundscheck: bool = False
    times: bool = False
    threads: int = 1
    _last: _Last = field(default_factory=lambda: _Last(), repr=False, compare=False)

    def missing(self) -> str | None:
        """A sentence saying what must be installed before this backend can run, or None."""
        if importlib.util.find_spec("llvmlite") is None:
            return "The emulator needs llvmlite, which is not installed. Run: pip install llvmlite"
        return None

    def check(self, program: Program) -> tuple[str, ...]:
        """Every reason why this backend cannot execute the program."""
        from neuroport.backends.emulator.limits import problems

        return problems(program, self.threads)

    def open(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Executor:
        """Prepare the program for execution with a run seed, keeping the spikes of these populations."""
        from neuroport.backends.emulator.limits import copies_together
        from neuroport.copies.views import open_unbatched

        given(program, self.name)
        if self.threads > 1:
            return self._several(program, seed, record_spikes)
        if program.copies == 1 or copies_together(program):
            return self._machine(program, seed, record_spikes)
        return open_unbatched(self._machine, program, seed, record_spikes)

    def timed(self) -> Emulator:
        """The same on one thread, whose executors tell what their time was spent on."""
        return Emulator(self.name, self.boundscheck, times=True)

    def threaded(self, threads: int) -> Emulator:
        """The same, whose executors compute on so many threads."""
        return replace(self, threads=threads, _last=_Last())

    def source(self, program: Program) -> str:
        """The text of the generated module."""
        from neuroport.backends.emulator.emit import module_text
        from neuroport.backends.emulator.emit_threads import emit_threads
        from neuroport.backends.emulator.limits import executed

        program = executed(program)
        return module_text(program) if self.threads == 1 else emit_threads(program).text

    def memory(self, program: Program) -> tuple[Memory, ...]:
        """What the synapses of each projection take."""
        from neuroport.backends.emulator.synapses import memory

        return memory(program)

    def room(self, program: Program, synapses: Mapping[str, float], full: Collection[str]) -> Iterable[Part]:
        """What an executor takes; see `neuroport.program.executor.Backend`."""
        from neuroport.backends.emulator.room import room

        return room(program, synapses, full, self.threads)

    def _machine(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Executor:
        from neuroport.backends.emulator.machine import Machine

        started = time.process_time()
        program, module = self._last.module(program, self.times, several=False)
        wrote = time.process_time() - started
        return Machine(program, seed, record_spikes, module=module, boundscheck=self.boundscheck, wrote=wrote)

    def _several(self, program: Program, seed: int, record_spikes: Sequence[str]) -> Executor:
        from neuroport.backends.emulator.threads import Threads

        program, module = self._last.module(program, self.times, several=True)
        return Threads(program, seed, record_spikes, self.threads, module=module, boundscheck=self.boundscheck)


__all__ = ["Emulator"]
