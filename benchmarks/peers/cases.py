"""What is measured: everybody's program for one network each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroport
from benchmarks.peers import networks
from benchmarks.peers.apart import brian
from benchmarks.peers.measuring import Run, Took, timed
from neuroport import backends
from neuroport.backends.emulator import Emulator
from neuroport.network.network import Network

STEPS = 1000
OURS, PROTOTYPE, GENN, BRIAN = "ours", "prototype", "GeNN", "Brian2"
OTHERWISE = "ours, otherwise"
"""Ours with the same network in another way, which the name of the row tells."""


@dataclass
class Case:
    """A row: who takes part, and whether all compute the same.

    targets: how many times as long ours may take as the prototype, how many times as long others take at least, and
    the most that ours may take. `once`: it is not repeated; `most`: nor more often than that.
    """

    what: str
    unit: str
    scale: float
    contestants: dict[str, Run]
    same: Callable[[list[dict[str, Any]]], str]
    targets: dict[str, float] = field(default_factory=dict)
    once: bool = False
    most: int = 100
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """What the command line says: a folder for what is built, and the Python of those that have an environment."""

    folder: str
    closing: contextlib.ExitStack
    pythons: Mapping[str, str] = field(default_factory=dict)

    def python(self, name: str, option: str) -> str:
        """The Python of a contestant; ImportError where there is none."""
        if name not in self.pythons:
            raise ImportError(f"needs an environment of its own: {option} PYTHON")
        return self.pythons[name]


def spiking(size: int, longest: int, setting: Setting) -> Case:
    """A static network of `size` neurons, with delays of 1 to `longest` steps."""
    program = neuroport.compile(networks.balanced(size, longest))
    plain = networks.plain(program, size)
    machine = backends.load("emulator").open(program, 1, ["exc", "inh"])
    late = f", delays 1..{longest}" if longest > 1 else ""
    what = f"{size:,} neurons, {plain.pre.size:,} synapses{late}"

    def ours() -> Any:
        machine.advance(STEPS)
        return machine.drain().spikes

    case = Case(what, "ms per 1,000 steps", 1e3, {OURS: timed(ours)}, lambda found: spikes_compared(found, size))
    case.targets = _targets(size, longest)
    add(case, PROTOTYPE, lambda: timed_run(_prototype(longest)(plain, _room(size))))
    add(case, GENN, lambda: timed_run(_genn(plain, setting)))
    add(case, BRIAN, lambda: _brian(plain, setting))
    return case


def add(case: Case, name: str, made: Callable[[], Run]) -> None:
    """Let one more take part, if it is installed."""
    try:
        case.contestants[name] = made()
    except (ImportError, OSError) as error:
        case.missing[name] = str(error)


def timed_run(program: Any) -> Run:
    """A repeat of a program with a `run` of so many steps."""
    return timed(lambda: program.run(STEPS))


def _room(size: int) -> int:
    return 50 * size


def _targets(size: int, longest: int) -> dict[str, float]:
    large = size > 10_000
    if longest > 1:
        return {GENN: 2.4 if large else 1.7}
    return {PROTOTYPE: 1.3, GENN: 2.2 if large else 1.4, BRIAN: 3.0 if large else 1.9}


def _prototype(longest: int) -> Any:
    from benchmarks.peers import prototype

    return prototype.Static if longest == 1 else prototype.Delayed


def _genn(plain: networks.Balanced, setting: Setting) -> Any:
    from benchmarks.peers import genn

    return genn.Spiking(plain, setting.folder)


def _brian(plain: networks.Balanced, setting: Setting) -> Run:
    return brian(plain, setting.python(BRIAN, "--brian2"), setting.folder, STEPS, setting.closing)


def spikes_compared(found: list[dict[str, Any]], size: int) -> str:
    """Whether the prototype spikes as ours, and how often floating point does."""
    ours: NDArray[np.int64] = np.concatenate([networks.spikes(f[OURS], size) for f in found])
    told = []
    for name in found[0]:
        if name == OURS:
            continue
        if isinstance(found[0][name], int):
            first = len(networks.spikes(found[0][OURS], size))
            told.append(f"{name} {found[0][name] / first:.3f} times the spikes")
            continue
        theirs = np.concatenate([f[name] for f in found])
        if name == PROTOTYPE:
            same = np.array_equal(ours, theirs)
            told.append(f"prototype {'identical' if same else 'DIFFERENT'}, all {len(ours):,} spikes")
        else:
            told.append(f"{name} {len(theirs) / len(ours):.3f} times the spikes")
    return "; ".join(told)


def learning(size: int, setting: Setting) -> Case:
    """A network of `size` neurons with pair STDP on all excitatory synapses."""
    program = neuroport.compile(networks.plastic(size))
    plain = networks.plain_plastic(program, size)
    machine = backends.load("emulator").open(program, 1, ["exc", "inh"])

    def ours() -> Any:
        machine.advance(STEPS)
        return machine.drain().spikes

    def same(found: list[dict[str, Any]]) -> str:
        weights = [machine.read(f"exc_{target}.w").sum() for target in ("exc", "inh")]
        told = spikes_compared(found, size)
        if PROTOTYPE in found[0] and sum(weights) != programs[0].weight.sum(dtype=np.int64):
            return f"weights DIFFERENT; {told}"
        return told

    programs: list[Any] = []

    def prototype() -> Run:
        from benchmarks.peers import prototype_stdp

        programs.append(prototype_stdp.Learning(plain, _room(size)))
        return timed_run(programs[0])

    def genn() -> Run:
        from benchmarks.peers import genn

        return timed_run(genn.Learning(program, size, setting.folder))

    count = plain.plastic[0].size
    what = f"{size:,} neurons, pair STDP on {count:,} of {count + plain.fixed[0].size:,} synapses"
    case = Case(what, "ms per 1,000 steps", 1e3, {OURS: timed(ours)}, same)
    case.targets = {PROTOTYPE: 1.3, GENN: 2.2 if size > 10_000 else 1.5}
    add(case, PROTOTYPE, prototype)
    add(case, GENN, genn)
    return case


NUMPY = "NumPy float32"


def dense(setting: Setting) -> Case:
    """Three fully connected layers in which every weight changes in every step."""
    from benchmarks.peers import dense as own

    program = neuroport.compile(neuroport.load(own.NETWORK), chip=str(networks.WORDS))
    machine = backends.load("emulator").open(program, 1, [])
    programs: list[Any] = []

    def prototype() -> Run:
        programs.append(own.Fused(program))
        return timed_run(programs[0])

    def genn() -> Run:
        from benchmarks.peers import genn

        return timed_run(genn.Dense(own.initial(program), setting.folder))

    def same(_: Any) -> str:
        if not programs:
            return "-"
        equal = all(np.array_equal(machine.read(f"{n}.w"), getattr(programs[0], n).ravel()) for n in ("up", "out"))
        return f"prototype {'identical' if equal else 'DIFFERENT'}, all {program.projections[0].synapses:,} weights"

    what = "784-500-10, every weight in every step"
    case = Case(what, "us per step", 1e6 / STEPS, {OURS: timed(lambda: machine.advance(STEPS))}, same)
    case.targets = {GENN: 10.0, NUMPY: 6.0}
    add(case, PROTOTYPE, prototype)
    add(case, GENN, genn)
    add(case, NUMPY, lambda: timed_run(own.Floating(program)))
    return case


def memory(what: str, network: Callable[[], Network], projection: str, most: float, _: Setting) -> Case:
    """Bytes of a synapse on the emulator, as `compile --emit report` tells them."""
    program = neuroport.compile(network())
    (found,) = [m for m in Emulator().memory(program) if m.projection == projection]
    told = {OURS: lambda: Took(found.each, float("nan"))}
    return Case(f"memory, {what}", "bytes", 1.0, told, lambda _: "-", {OURS: most}, once=True)
