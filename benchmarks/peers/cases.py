"""What is measured: everybody's program for one network each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import neuroport
from benchmarks.peers import networks
from benchmarks.peers.apart import brian
from benchmarks.peers.measuring import Run, timed
from neuroport import backends

STEPS = 1000
OURS, PROTOTYPE, GENN, BRIAN = "ours", "prototype", "GeNN", "Brian2"


@dataclass
class Case:
    """A row: who takes part, and whether all compute the same.

    targets: how many times as long ours may take as the prototype, and how many times as long others take at least.
    """

    what: str
    unit: str
    scale: float
    contestants: dict[str, Run]
    same: Callable[[list[dict[str, Any]]], str]
    targets: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """What the command line says: a folder for what is built, an environment for Brian2."""

    folder: str
    closing: contextlib.ExitStack
    python: str | None = None


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
    if setting.python is None:
        raise ImportError("needs an environment of its own: --brian2 PYTHON")
    return brian(plain, setting.python, setting.folder, STEPS, setting.closing)


def spikes_compared(found: list[dict[str, Any]], size: int) -> str:
    """Whether the prototype spikes as ours, and how often floating point does."""
    ours: NDArray[np.int64] = np.concatenate([networks.spikes(f[OURS], size) for f in found])
    told = []
    for name in found[0]:
        if name == OURS:
            continue
        if name == BRIAN:
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
