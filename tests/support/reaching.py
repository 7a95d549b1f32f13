"""Programs whose events and synapses reach others: twins, copies written out, several inputs, series in frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neuroport.program.ir import INT, Expr, Int, Random, Read, Send, Spike, Store
from neuroport.program.machine import Event, Population, Program, Projection, Readout, Record, Series
from tests.support.programs import array, c, call, pairs, program
from tests.support.programs import test as condition

WORD = Int(-128, 127)

SIZES = {"x": 3, "y": 4}
DENSE = [(i, j) for i in range(3) for j in range(4)]
THIN = [(0, 1), (0, 3), (1, 0), (1, 1), (1, 2), (2, 3)]


def own(name: str, type_: Int = WORD) -> Read:
    return Read(name, "own", type_)


def plus(a: Expr, b: Expr) -> Expr:
    return call("add", a, b, lo=-1000, hi=1000)


def kept(name: str, value: Expr, guard: Expr | None = None, rule: Any = "saturate") -> Store:
    return Store(name, value, guard, rule, -128, 127)


def population(name: str, *more: Store) -> Population:
    """Neurons that add what they receive to their state, and all wrap."""
    total = plus(own(f"{name}.v"), call("mul", own(f"{name}.i"), c(3), lo=-1000, hi=1000))
    return Population(name, SIZES[name[0]], (kept(f"{name}.v", total, rule="wrap"), *more), (f"{name}.i",), False, 1)


def states(name: str) -> list[Any]:
    return [
        array(f"{name}.v", "neuron", "state", WORD, range(5, 5 + SIZES[name[0]])),
        array(f"{name}.i", "neuron", "input", INT, [0] * SIZES[name[0]]),
    ]


def plastic(name: str, source: str, target: str, chosen: list[tuple[int, int]], **more: Any) -> Projection:
    """Synapses whose weights grow with both neurons in every step, and are sent."""
    growth = call("shr", call("mul", Read(f"{source}.v", "pre", WORD), Read(f"{target}.v", "post", WORD)), c(6))
    grown = kept(f"{name}.w", call("add", own(f"{name}.w"), growth), rule="wrap")
    send = Send(f"{target}.i", call("shr", own(f"{name}.w"), c(5)))
    sizes = (SIZES[source[0]], SIZES[target[0]])
    return pairs(name, source, target, sizes, chosen, step=(grown, send), **more)


def weights(p: Projection) -> list[Any]:
    values = (np.arange(p.synapses) * 37 + len(p.name)) % 200 - 100
    return [
        array(f"{p.name}.w", "synapse", "weight", WORD, values),
        array(f"{p.name}.m", "synapse", "state", WORD, values // 2),
    ]


def twins_of(p: Projection, other: Projection, swapped: bool) -> Projection:
    places = {pair: k for k, pair in enumerate(zip(other.pre.tolist(), other.post.tolist(), strict=True))}
    mine = zip(p.pre.tolist(), p.post.tolist(), strict=True)
    return replace(p, twin=np.array([places[pair[::-1] if swapped else pair] for pair in mine], np.int64))


def follow(name: str, other: str, every_step: bool = True) -> Event:
    """m := 3/4 m + w of the twin; w := the twin's m - w where m is odd; noise in half of them."""
    w, m = Read(f"{other}.w", "twin", WORD), Read(f"{other}.m", "twin", WORD)
    odd = condition("eq", call("mod", own(f"{name}.m"), c(2)), c(1))
    noise = call("shr", Random(31, Int(0, 2**32 - 1)), c(29), lo=0, hi=7)
    smooth = plus(call("shr", call("mul", own(f"{name}.m"), c(3)), c(2)), plus(w, noise))
    return Event(
        "each_step" if every_step else "change",
        name,
        "synapse",
        (kept(f"{name}.m", smooth), kept(f"{name}.w", call("sub", m, own(f"{name}.w")), odd, "wrap")),
        every_step,
    )


def twins() -> Program:
    """Twins between dense and thin projections, the same way and back, some of them both ways."""
    up, up2 = plastic("up", "x", "y", DENSE), plastic("up2", "x", "y", DENSE)
    down = plastic("down", "y", "x", [(j, i) for i, j in DENSE])
    thin, thin2 = plastic("thin", "x", "y", THIN), plastic("thin2", "x", "y", THIN)
    back = plastic("back", "y", "x", [(j, i) for i, j in THIN])
    few = plastic("few", "x", "y", THIN[1:4])
    tied = (
        twins_of(up, down, True),
        twins_of(up2, up, False),
        twins_of(down, up, True),
        thin,
        twins_of(thin2, thin, False),
        twins_of(back, thin, True),
        twins_of(few, up, False),
    )
    chosen = (("up", "down"), ("up2", "up"), ("down", "up"), ("thin2", "thin"), ("back", "thin"), ("few", "up"))
    events = [follow(a, b, every_step) for every_step in (True, False) for a, b in chosen]
    return program(
        arrays=[*states("x"), *states("y"), *(a for p in tied for a in weights(p))],
        populations=(population("x"), population("y")),
        projections=tied,
        events=tuple(events),
    )


def copies() -> Program:
    """Three copies as `unbatch` writes them: one event of copy 0 does what concerns them all."""
    k3 = range(3)
    forward = [replace(plastic(f"f#{k}", f"x#{k}", f"y#{k}", THIN)) for k in k3]
    forward = [replace(p, wiring=p.wiring.keyed_from(k << 40)) for k, p in enumerate(forward)]
    mean: Expr = own("f#0.m")
    bias: Expr = own("y#0.v")
    for k in (1, 2):
        mean, bias = plus(mean, own(f"f#{k}.m")), plus(bias, own(f"y#{k}.v"))
    noise = call("shr", Random(7, Int(0, 2**32 - 1)), c(30), lo=0, hi=3)
    odd = condition("eq", call("mod", own("f#0.w"), c(2)), c(1))
    shared = tuple(kept(f"f#{k}.w", plus(call("shr", mean, c(1)), noise), odd) for k in (2, 1, 0))
    level = tuple(kept(f"y#{k}.b", plus(call("shr", bias, c(2)), noise)) for k in k3)
    count = [Event("each_step", f"y#{k}", "neuron", (kept(f"y#{k}.n", plus(own(f"y#{k}.b"), c(k))),), True) for k in k3]
    drawn = call("shr", Random(9, Int(0, 2**32 - 1)), c(29), lo=0, hi=7)
    populations = [
        replace(population(f"{name}#{k}", kept(f"{name}#{k}.d", drawn)), first_element=k << 40)
        for name in "xy"
        for k in k3
    ]
    arrays = [a for p in forward for a in weights(p)]
    for p in populations:
        zero = [0] * p.size
        arrays += [*states(p.name), array(f"{p.name}.d", "neuron", "state", WORD, zero)]
        arrays += [array(f"{p.name}.{v}", "neuron", "state", WORD, zero) for v in "bn" if p.name[0] == "y"]
    follow = [
        Event("each_step", f"f#{k}", "synapse", (kept(f"f#{k}.m", plus(own(f"f#{k}.w"), noise)),), True) for k in k3
    ]
    return program(
        arrays=arrays,
        populations=tuple(populations),
        projections=tuple(forward),
        events=(
            *follow,
            Event("each_step", "f#0", "synapse", shared, True),
            Event("each_step", "y#0", "neuron", level, True),
            *count,
            Event("level", "y#0", "neuron", level, False),
        ),
        readouts=(Readout("high", "y#1", condition("gt", own("y#1.n"), c(5)), 2, 1),),
    )


def shown() -> Program:
    """Series in frames, series that begin elsewhere, and samples of what arrives."""
    return program(
        arrays=(
            array("p.i", "neuron", "input", INT, [0, 0]),
            array("p.x", "neuron", "state", INT, [0, 0]),
        ),
        populations=(Population("p", 2, (Store("p.x", own("p.i", INT)),), ("p.i",), False, 0),),
        series=(
            Series("frames", "p.i", np.arange(12).reshape(6, 2), 6, "item", frames=3),
            Series("wave", "p.i", 100 * np.arange(8).reshape(4, 2), 2, loop=True, start=np.array([3])),
        ),
        records=(Record("p.x", 4), Record("p.x", 3, "late", 2), Record("p.x", 20, "never", 19)),
    )


def forked() -> Program:
    """A learning projection that sends to two inputs of its target and two of its source, from every body."""
    noise = call("shr", Random(3, Int(0, 2**32 - 1)), c(30), lo=0, hi=3)
    w, v = own("w.w"), Read("x.v", "pre", WORD)
    up = kept("w.w", plus(w, plus(call("shr", v, c(4)), noise)), rule="wrap")
    spikes = Spike(condition("gt", own("x.v"), c(3)))
    x, y = population("x"), population("y")
    x = replace(
        x, body=(*x.body, kept("x.u", own("x.j", INT)), spikes), inputs=("x.i", "x.j"), spiking=True, spike_slots=2
    )
    y = replace(y, body=(*y.body, kept("y.u", own("y.j", INT))), inputs=("y.i", "y.j"))
    shifted = [call("shr", w, c(k)) for k in range(3, 7)]
    forked = pairs(
        "w",
        "x",
        "y",
        (3, 4),
        THIN,
        step=(Send("y.i", shifted[0]), up, Send("y.j", shifted[0]), Send("x.j", shifted[2], to="pre")),
        arrive=(Send("y.j", w), kept("w.m", plus(own("w.m"), c(9))), Send("x.i", shifted[3], to="pre")),
    )
    both = [own("w.w"), own("w.m")]
    change = (
        kept("w.w", plus(*both), condition("lt", both[0], c(50))),
        kept("w.m", call("sub", *both), rule="wrap"),
    )
    inputs = [array(f"{n}.j", "neuron", "input", INT, [0] * SIZES[n]) for n in "xy"]
    more = [array(f"{n}.u", "neuron", "state", WORD, [0] * SIZES[n]) for n in "xy"]
    return program(
        arrays=[*states("x"), *states("y"), *inputs, *more, *weights(forked)],
        populations=(x, y),
        projections=(forked,),
        events=(Event("change", "w", "synapse", change, False),),
    )
