"""The GeNN backend: events that reach other projections and populations, samples, stimuli in frames."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.genn import emit, reach
from neuroport.backends.reference import Reference
from neuroport.copies.unbatch import unbatch
from neuroport.errors import InvalidInput
from neuroport.program.ir import INT, Expr, Int, Random, Read, Send, Spike, Store
from neuroport.program.machine import Event, Population, Program, Projection, Readout, Record, Series
from tests.support import small_programs
from tests.support.executors import GENN, difference, everywhere, needs_genn, start
from tests.support.programs import array, c, call, pairs, program
from tests.support.programs import test as condition
from tests.support.random_programs import batched

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


def test_what_twins_need_is_open_to_others() -> None:
    p = twins()
    assert reach.open_to_others(p, set()) == {f"{name}.{v}" for name in ("up", "down", "thin") for v in ("w", "m")}
    text = emit.text(p)
    change = text.partition("update up2_change of up2")[2].partition("update ")[0]
    assert "array twin_w: int8_t, up.w of up" in change and "twin_w[id_syn]" in change
    change = text.partition("update down_change of down")[2].partition("update ")[0]
    assert "[id_post * 4 + id_pre]" in change
    assert "variable twin: uint16_t, twin back (constant)" in text


def test_events_that_cannot_reach_are_sentences() -> None:
    p = twins()
    forward = p.projection("up2")
    loop = replace(twins_of(forward, forward, False), twin=np.arange(12)[::-1])
    itself = Event("flip", "up2", "synapse", (kept("up2.w", Read("up2.w", "twin", WORD)),))
    few = Event("few", "few", "synapse", (kept("few.w", own("up.w")),))
    past = Event("past", "few", "synapse", (kept("few.w", Read("up.w", "twin", WORD, 1)),))
    small = Event("small", "x", "neuron", (kept("x.v", own("y.v")),))
    p = replace(p, projections=(*p.projections[:1], loop, *p.projections[2:]), events=(itself, few, past, small))
    assert GENN.check(p) == (
        "event flip of up2: reads 'up2.w' of the twin and assigns it too; on a GPU all synapses do so at the same "
        "time. Assign it in an event of its own.",
        "event few of few: reaches 'up', which is of another shape; only copies of the same shape can be reached.",
        "event past of few: reads the past or another neuron's 'up.w', which GeNN offers to synapses only.",
        "event small of x: reaches 'y', which is of another shape; only copies of the same shape can be reached.",
    )


@needs_genn
def test_twins() -> None:
    machines = start(twins(), 3, (Reference(), Emulator(), GENN))
    assert difference(machines) is None
    numbers = np.random.Generator(np.random.PCG64(1))
    for _ in range(12):
        everywhere(machines, "advance", int(numbers.integers(1, 4)))
        assert difference(machines) is None
        everywhere(machines, "trigger", "change")
        assert difference(machines) is None
        everywhere(machines, "write", "up.w", numbers.integers(-100, 100, 12))
        everywhere(machines, "write", "thin.m", numbers.integers(-100, 100, 6))
    assert machines[0].overflows()["up.w"] > 0


def copies() -> Program:
    """Three copies as `unbatch` writes them: one event of copy 0 does what concerns them all."""
    k3 = range(3)
    forward = [replace(plastic(f"f#{k}", f"x#{k}", f"y#{k}", THIN)) for k in k3]
    forward = [replace(p, element=p.element + np.uint64(k << 40)) for k, p in enumerate(forward)]
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


@needs_genn
def test_one_event_for_all_copies() -> None:
    p = copies()
    machines = start(p, 5)
    everywhere(machines, "begin_item", ("high",), {})
    for _ in range(8):
        everywhere(machines, "advance", 5)
        assert difference(machines) is None
        everywhere(machines, "trigger", "level")
        assert difference(machines) is None
        everywhere(machines, "reset", "y#2")
    assert np.count_nonzero(machines[0].histogram("high")) > 1
    draws = [machines[1].read(f"x#{k}.d").tolist() for k in range(3)]
    assert draws[0] != draws[1] != draws[2]


@needs_genn
def test_wide_constants_that_differ_between_copies() -> None:
    wide = Int(-(2**60), 2**60)
    names = [f"x#{k}" for k in range(3)]
    p = program(
        arrays=[
            a
            for k, n in enumerate(names)
            for a in (
                array(f"{n}.c", "scalar", "parameter", wide, (-1) ** k * (2**40 + 7 * k)),
                array(f"{n}.v", "neuron", "state", wide, [0] * 3),
            )
        ],
        populations=[Population(n, 3, (Store(f"{n}.v", Read(f"{n}.c", "scalar", wide)),), (), False, 0) for n in names],
    )
    machines = start(p)
    everywhere(machines, "advance", 2)
    assert difference(machines) is None


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


@needs_genn
def test_frames_starts_samples_and_new_tables() -> None:
    machines = start(shown(), 1, (Reference(), Emulator(), GENN))
    for readouts, schedule in ((("late",), [1, 0, 1]), ((), [0, 0, 1]), (("late", "never"), [1, 1, 0])):
        everywhere(machines, "begin_item", readouts, {"frames": np.array(schedule)})
        for steps in (5, 1, 12):
            everywhere(machines, "advance", steps)
            assert difference(machines) is None
        everywhere(machines, "load_series", "frames", np.arange(12).reshape(6, 2) * 10**8)
    everywhere(machines, "begin_item", ("late",), {"frames": np.array([1, 0])})
    machines[2].advance(12)
    steps, values = machines[2].drain().records["late"]
    assert steps.tolist() == [56, 59, 62, 65]
    assert values[0].tolist() == [8 * 10**8 + 600, 9 * 10**8 + 700]
    with pytest.raises(InvalidInput) as error:
        machines[2].load_series("wave", np.zeros((3, 2), np.int64))
    assert str(error.value) == "wave: the new table has shape (3, 2); the series has (4, 2)"


def forked() -> Program:
    """A learning projection that sends to two inputs of its target and two of its source, from every body."""
    noise = call("shr", Random(3, Int(0, 2**32 - 1)), c(30), lo=0, hi=3)
    w, v = own("w.w"), Read("x.v", "pre", WORD)
    up = kept("w.w", plus(w, plus(call("shr", v, c(4)), noise)), rule="wrap")
    spikes = Spike(condition("gt", own("x.v"), c(3)))
    x, y = population("x"), population("y")
    x = replace(x, body=(*x.body, kept("x.u", own("x.j")), spikes), inputs=("x.i", "x.j"), spiking=True, spike_slots=2)
    y = replace(y, body=(*y.body, kept("y.u", own("y.j"))), inputs=("y.i", "y.j"))
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


@needs_genn
def test_a_projection_that_sends_to_several_inputs() -> None:
    machines = start(forked(), 2, (Reference(), Emulator(), GENN))
    for k in range(6):
        everywhere(machines, "advance", 7)
        assert difference(machines) is None
        everywhere(machines, "trigger", "change")
        assert difference(machines) is None
        everywhere(machines, "write", "w.w", np.arange(6) * (k - 2))
        everywhere(machines, "write", "w.m", np.arange(6) + k)
        if k == 3:
            everywhere(machines, "reset", "x")
    assert machines[0].overflows()["w.w"] > 0
    assert machines[0].spike_counts()["x"] > 10


# ------------------------------------------------------------------------------------------- copies that share


def test_too_many_copies_are_a_sentence() -> None:
    assert GENN.check(small_programs.learning(128, real=False)) == ()
    assert GENN.check(small_programs.learning(129, real=False)) == (
        "the network has 129 copies that share what they learn; with GeNN each is made of groups of its own, and at "
        "most 128 are accepted. Take fewer (--set copies=4), or another backend.",
    )


def test_the_models_of_copies_can_be_read() -> None:
    text = emit.text(small_programs.learning(3, real=False))
    assert [line for line in text.split("\n") if line.startswith("update")] == [
        "update up_copy0_each_step of up#0, after every step and on its event",
        "update down_copy0_each_step of down#0, after every step and on its event",
        "update up_copy0_forget of up#0, on its event",
    ]


@needs_genn
@pytest.mark.parametrize("real", [False, True])
def test_copies_that_share_weights(real: bool) -> None:
    machines = start(small_programs.learning(9, real), 4)
    for _ in range(5):
        everywhere(machines, "begin_item", ("answer",), {})
        everywhere(machines, "advance", 13)
        assert difference(machines, 1e-12 * real) is None
        everywhere(machines, "trigger", "forget")
        assert difference(machines, 1e-12 * real) is None
    assert machines[1].read("up.w").shape == (6,)
    assert machines[1].read("b.e").shape == (2, 9)


def executable(first: int) -> tuple[int, Program]:
    """A random network with twins whose synapses read the past of a source as far back as GeNN has it."""
    while True:
        p = batched(first, 3)
        if any(q.twin is not None for q in p.projections) and not GENN.check(p):
            return first, p
        first += 1


@needs_genn
@pytest.mark.parametrize("ten", [0, *(pytest.param(ten, marks=pytest.mark.slow) for ten in range(1, 10))])
def test_random_copies(ten: int) -> None:
    """Events that read what synapses see late, that store it, and sums over neurons at both ends."""
    seed, p = executable(10 * ten)
    machines = start(p, seed)
    draw = random.Random(seed)
    everywhere(machines, "begin_item", ("answer", "joint"), {"shown": np.array([[0, 1, 2]] * 9)})
    for _ in range(12):
        everywhere(machines, "advance", draw.randint(1, 4))
        assert difference(machines) is None
        match draw.randrange(3):
            case 0:
                everywhere(machines, "trigger", "change")
            case 1:
                everywhere(machines, "reset", p.populations[0].name)
            case 2:
                name = f"{p.populations[0].name}.s0"
                everywhere(machines, "write", name, machines[0].read(name)[::-1])
        assert difference(machines) is None


def test_nothing_is_shared_that_threads_write_for_others() -> None:
    """What belongs to another group is written at the place of this thread's own neuron or synapse only."""
    written = set()
    for p in (twins(), copies(), unbatch(executable(0)[1])):
        for group in emit.emit(p).groups():
            arrays = {a.ident for a in group.arrays if a.kind == "array"} | {
                b.ident for b in getattr(group, "borrowed", ())
            }
            code = "\n".join(getattr(group, part, "") for part in ("code", "step", "arrive", "post_code"))
            for ident, index in re.findall(r"\b(\w+)\[([^\]]+)\] \+?= ", code):
                if ident in arrays:
                    written.add((type(group).__name__, getattr(group, "over", ""), index))
    assert written == {
        ("Neurons", "", "id"),
        ("Synapses", "", "id_syn"),
        ("Update", "neuron", "id"),
        ("Update", "synapse", "id_syn"),
    }
