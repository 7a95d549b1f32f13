"""Random programs, some of whose synapses share the entries of a kernel, and whose neurons add up over a population."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from neuroport.connections.convolution import Convolution, wiring
from neuroport.connections.windows import Windows
from neuroport.program.intervals import repeated
from neuroport.program.ir import BOOL, Expr, Int, Let, Read, Reduce, Stmt, Temp
from neuroport.program.machine import Event, Program, Projection
from neuroport.program.wiring import Kernel
from tests.support.integer_cases import applied
from tests.support.programs import array, c, kept, test
from tests.support.random_programs import SUM, TABLES, Maker, Wired, population_of


def convolutional(seed: int) -> Program:
    """Two maps with a convolution between them and one back, whose events add up what their entries share.

    Another event adds up over the neurons of a map.
    """
    make = Maker(seed)
    rule = _rule(make)
    sizes = {"low": wiring(rule).sources, "high": wiring(rule).targets}
    own: dict[str, list[Read]] = {}
    for name, size in sizes.items():
        own[name] = [make.state(f"{name}.s{k}", "neuron", size, "state", history=9) for k in range(2)]
        make.arrays.append(array(f"{name}.i", "neuron", "input", SUM, [0] * size, slots=8))
        make.arrays.append(array(f"{name}.k", "scalar", "parameter", Int(0, 100), 40, dynamic=True))
    populations = tuple(population_of(make, name, size, own[name]) for name, size in sizes.items())
    ways = (("up", "low", "high", rule), ("down", "high", "low", replace(rule, transposed=True)))
    projections = tuple(_projection(make, name, source, target, wiring(way), own) for name, source, target, way in ways)
    events = (*(event for p in projections for event in _events(make, p, own)), _together(make, "low", own["low"]))
    return Program(
        name=f"convolutional {seed}", dt=1.0, seed=1, chip="test", integer=True, precision="float64",
        arrays=kept(make.arrays), populations=populations, projections=projections, events=events,
        readouts=(), records=(), injections=(), series=(), tables=TABLES, derived=(),
    )  # fmt: skip


def _together(make: Maker, population: str, own: list[Read]) -> Event:
    """An event of every neuron, which adds up over its population."""
    added = applied("wrap", make.number([*own, make.noise()], 1), c(20))
    assert isinstance(added.type, Int)
    size = len(next(a for a in make.arrays if a.name == own[0].array).initial)
    total = Reduce(added, Int(*repeated((added.type.lo, added.type.hi), 0, size)), "sum", "population", size)
    kept = make.state(f"{population}.t", "neuron", size, "state")
    return Event("change", population, "neuron", (make.store(kept, [kept, total]),), make.draw.random() < 0.5)


def _rule(make: Maker) -> Convolution:
    """A small convolution of any kind that has positions."""
    draw = make.draw
    while True:
        shape, kernel, stride, dilation = ((draw.randint(1, most), draw.randint(1, most)) for most in (4, 3, 2, 2))
        padding = draw.choice(["same", "valid", (draw.randint(0, 2), draw.randint(0, 2))])
        windows = Windows(shape, kernel, stride, padding, dilation)
        groups = draw.randint(1, 2)
        channels = (groups * draw.randint(1, 2), groups * draw.randint(1, 3))
        if all(windows.outputs):
            return Convolution(windows=windows, channels=channels, groups=groups)


def _projection(
    make: Maker, name: str, source: str, target: str, kernel: Kernel, own: dict[str, list[Read]]
) -> Projection:
    """Synapses that read what they share and what each has, and change the latter."""
    delay = make.draw.randint(1, 3)
    w, v = (
        make.state(f"{name}.{of}", "kernel", kernel.entries, role) for of, role in (("w", "weight"), ("v", "state"))
    )
    x = make.state(f"{name}.x", "synapse", kernel.synapses, "state")
    late = make.draw.random() < 0.4
    dendritic = np.array([make.draw.randrange(6) for _ in range(kernel.synapses)], np.int64) if late else None
    pre, post = make.draw.choice(own[source]), make.draw.choice(own[target])
    leaves: list[Expr] = [w, v, x, Read(pre.array, "pre", pre.type, delay - 1), Read(post.array, "post", post.type)]
    wired = Wired(source, target, leaves, {"x": x}, late)
    bodies = [wired.body(make, kinds) for kinds in ("ffx", "fbx", "bx")]
    return Projection(
        name, source, target, kernel.sources, kernel.targets, delay, kernel, dendritic, *bodies,
        twin=np.arange(kernel.entries),
    )  # fmt: skip


def _events(make: Maker, p: Projection, own: dict[str, list[Read]]) -> Iterator[Event]:
    """An event of every synapse, and one of every entry that adds up before and after it stores."""
    types = {a.name: a.type for a in make.arrays}
    w, v, x = (Read(f"{p.name}.{of}", "own", types[f"{p.name}.{of}"]) for of in "wvx")
    other = f"{'down' if p.name == 'up' else 'up'}.v"
    twin = Read(other, "twin", types[other])
    pre, post = make.draw.choice(own[p.source]), make.draw.choice(own[p.target])
    ends: list[Expr] = [Read(pre.array, "pre", pre.type, p.delay - 1), Read(post.array, "post", post.type)]
    terms = max(1, int(p.wiring.uses().max(initial=1)))

    def shared(leaves: list[Expr]) -> Expr:
        added = applied("wrap", make.number(leaves, 1), c(20))
        assert isinstance(added.type, Int)
        return Reduce(added, Int(*repeated((added.type.lo, added.type.hi), 0, terms)), "sum", "shared", terms)

    yield Event("change", p.name, "synapse", (make.store(x, [w, v, x, *ends, make.noise()]),), make.draw.random() < 0.5)
    leaves: list[Expr] = [w, v, make.noise()]
    small = Let("small", applied("wrap", make.number(leaves, 1), c(16)))
    leaves.append(Temp("small", small.value.type))
    first = Let("first", shared([w, v, x, *ends, leaves[-1]]))
    leaves.append(Temp("first", first.value.type))
    body: list[Stmt] = [small, first, make.store(w, [*leaves, shared([w, x, *ends])])]
    body.append(
        Let("mine", test("lt", w, applied("wrap", shared([w, x, *ends, Temp("first", first.value.type)]), c(24))))
    )
    read = [*leaves, shared([v, x, Temp("small", small.value.type)]), *([twin] if p.name == "down" else [])]
    body.append(replace(make.store(v, read), guard=Temp("mine", BOOL)))
    yield Event("change", p.name, "kernel", tuple(body), make.draw.random() < 0.5)
