"""A small hand-made program and run, for tests of traces, comparison and plots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from neuroport.chips.chip import Chip, ChipInstance
from neuroport.connections.all_to_all import AllToAll
from neuroport.network.model import NeuronModel, State, SynapseModel
from neuroport.network.network import Network
from neuroport.network.objects import Population, Projection
from neuroport.network.results import Recording
from neuroport.numerics.units import Quantity
from neuroport.program.executor import Capture
from neuroport.program.ir import Int
from neuroport.program.machine import Array, Program, Record, ReportLine
from neuroport.program.machine import Population as Cells
from neuroport.program.machine import Projection as Synapses
from neuroport.trace.write import Provenance, Writer
from tests.support.wiring import joined

NEURON = NeuronModel(name="cell", states=(State(name="v", unit="mV"),))
SYNAPSE = SynapseModel(name="static", states=(State(name="w", weight=True, variable_class="weight"),))
NETWORK = Network(
    name="small",
    dt=Quantity(0.5, "ms"),
    populations=(Population(name="a", size=3, neuron=NEURON), Population(name="b", size=2, neuron=NEURON)),
    projections=(
        Projection(
            name="ab",
            source="a",
            target="b",
            synapse=SYNAPSE,
            input="i",
            connect=AllToAll(),
            delay=Quantity(1, "step"),
        ),
    ),
    record=Recording(spikes=("a", "b")),
)


def array(name: str, at: str, role: str, size: int, bits: int, frac: int) -> Array:
    """An integer array of `bits` bits, all zero."""
    made = Array(
        name=name,
        owner=name.partition(".")[0],
        at=at,  # type: ignore[arg-type]
        role=role,  # type: ignore[arg-type]
        type=Int(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1, frac),
        initial=np.zeros(size, dtype=np.int64),
    )
    return replace(made, initial=made.initial.astype(made.kept(integer=True)))


PROGRAM = Program(
    name="small",
    dt=0.5,
    seed=3,
    chip="generic8",
    integer=True,
    precision="float64",
    arrays={
        "a.v": array("a.v", "neuron", "state", 3, 16, 4),
        "b.v": array("b.v", "neuron", "state", 2, 16, 4),
        "ab.w": array("ab.w", "synapse", "weight", 6, 8, 5),
    },
    populations=(
        Cells(name="a", size=3, body=(), inputs=(), spiking=True, spike_slots=1),
        Cells(name="b", size=2, body=(), inputs=(), spiking=True, spike_slots=1),
    ),
    projections=(
        Synapses(
            name="ab",
            source="a",
            target="b",
            source_size=3,
            target_size=2,
            delay=1,
            wiring=joined(np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3), 3, 2),
            dendritic=None,
            step=(),
            arrive=(),
            post_body=(),
        ),
    ),
    events=(),
    readouts=(),
    records=(Record("a.v", 10), Record("ab.w", 50)),
    injections=(),
    series=(),
    tables={},
    derived=(),
    report=(ReportLine("ab.w", "weights", "2 of 6 weights became zero", {"zero": 2}),),
)
CHIP = Chip(name="generic8")
SOURCE = Provenance(
    network=NETWORK,
    text="neuroport: 1\nname: small\n",
    program=PROGRAM,
    chip=CHIP,
    instance=ChipInstance(CHIP, 7),
    backend="emulator",
    seed=3,
)


def captures(steps: int = 200, change: Callable[[Capture], None] | None = None) -> list[Capture]:
    """What a run of `steps` steps hands over, in two pieces; `change` may alter the second."""
    rng = np.random.default_rng(0)
    result = []
    for start in (0, steps // 2):
        stop = start + steps // 2
        capture = Capture()
        for name, size in (("a", 3), ("b", 2)):
            where = np.argwhere(rng.random((stop - start, size)) < 0.1)
            capture.spikes[name] = (where[:, 0] + start, where[:, 1])
        at = np.arange(start, stop)
        sampled = at[(at + 1) % 10 == 0]
        capture.records["a.v"] = (sampled, np.outer(sampled, [1, -1, 2]))
        slow = at[(at + 1) % 50 == 0]
        capture.records["ab.w"] = (slow, np.outer(slow // 50, np.arange(-3, 3)))
        result.append(capture)
    if change:
        change(result[1])
    return result


def write(path: Path, change: Callable[[Capture], None] | None = None, source: Provenance = SOURCE) -> Path:
    """A complete trace of 200 steps at `path`."""
    with Writer(path, source, overwrite=True) as writer:
        for number, capture in enumerate(captures(change=change)):
            writer.capture(capture)
            writer.metric("dkl", 100 * number + 100, 0.5 / (number + 1))
            writer.metric("rates", 100 * number + 100, [1.0, 2.0])
            writer.flush()
        writer.close(
            steps=200,
            digest="abc",
            final={
                "a.v": np.array([5, 6, 7]),
                "b.v": np.array([-1, 0]),
                "ab.w": np.array([1, 2, 3, 4, 5, 6]),
            },
            spike_counts={"a": 60, "b": 40},
            overflows={"a.v": 3},
            build_s=0.5,
            run_s=1.5,
        )
    return path


def killed(path: Path) -> Path:
    """The parts of a run that was killed after it had recorded something."""
    writer = Writer(path, SOURCE)
    writer.capture(captures()[0])
    writer.flush()
    writer.parts.release()
    return writer.folder
