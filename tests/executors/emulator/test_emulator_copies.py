"""Copies on the emulator: the same bits as the reference, in its order of addition, and its buffers and limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.emit import module_text
from neuroport.backends.emulator.machine import Machine
from neuroport.backends.reference import Reference
from neuroport.copies.axis import sum_over_copies, with_copies
from neuroport.copies.unbatch import unbatch
from neuroport.copies.views import Unbatched
from neuroport.errors import InvalidInput, RunFailed
from neuroport.program.executor import Executor, TimedExecutor
from neuroport.program.ir import REAL, Apply, Int, Random, Read, Store, Sum
from neuroport.program.machine import Event, Injection, Population, Program
from tests.support.batches import full, integers, layers
from tests.support.programs import array, c, call, program, sampling

ACC = Int(-(2**30), 2**30)
X = Read("p.x", "own", REAL)


def both(p: Program, **options: Any) -> tuple[Executor, Executor]:
    """The program on both backends."""
    assert Emulator().check(p) == ()
    return Emulator(**options).open(p, 5, []), Reference().open(p, 5, [])


def same(one: Executor, other: Executor, p: Program, tolerance: float = 0.0) -> None:
    """All arrays, samples and counts agree."""
    for name in p.arrays:
        a, b = one.read(name), other.read(name)
        assert a.shape == p.arrays[name].initial.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)
    mine, theirs = one.drain(), other.drain()
    assert mine.records.keys() == theirs.records.keys()
    for name, (steps, values) in mine.records.items():
        assert steps.tolist() == theirs.records[name][0].tolist()
        assert values.shape == theirs.records[name][1].shape
        np.testing.assert_allclose(values, theirs.records[name][1], rtol=tolerance, atol=tolerance, err_msg=name)
    assert one.overflows() == other.overflows()


def protocol(executor: Executor, copies: int) -> None:
    """All that a session asks of an executor."""
    executor.advance(5)
    schedule = (np.arange(4)[:, None] + np.arange(copies)) % 4
    executor.begin_item(["answer"], {"shown": schedule})
    executor.advance(20)
    executor.trigger("blank")
    executor.begin_item([], {"shown": np.array([2, 0])})
    executor.advance(8)
    executor.write("ab.x", np.arange(executor.read("ab.x").size).reshape(-1, copies) % 1000)
    executor.write("b.i", np.arange(7 * copies).reshape(7, copies))
    executor.reset("a")
    executor.begin_item(["answer"], {})
    executor.advance(9)


# ---------------------------------------------------------------- integers


@pytest.mark.dear
def test_bounds_are_respected_and_buffers_lose_nothing() -> None:
    p = integers(3)
    emulator, reference = both(p, boundscheck=True)
    small = Machine(p, 5, [], sample_buffer=1)
    for executor in (emulator, reference, small):
        protocol(executor, 3)
    records = small.drain().records
    for name, (_, values) in reference.drain().records.items():
        assert (values == records[name][1]).all()
    reference = Reference().open(p, 5, [])
    protocol(reference, 3)
    same(emulator, reference, p)


@pytest.mark.dear
def test_copies_are_independent_but_for_what_they_share() -> None:
    p = integers(4)
    machine = Machine(p, 5, [])
    protocol(machine, 4)
    values = machine.read("b.u")
    assert all((values[:, 0] != values[:, k]).any() for k in range(1, 4))


def test_numbers_of_copies_share_compiled_code() -> None:
    assert module_text(integers(4, sparse=False)) == module_text(integers(100, sparse=False))


@pytest.mark.dear
@pytest.mark.parametrize("twin", [[0, 1, 2, 3, 4, 5], [0, 2, 4, 1, 3, 5], [5, 5, 0, 1, 2, 3]])
def test_draws_and_twins_in_events(twin: list[int]) -> None:
    word, half = Int(-(2**20), 2**20), Int(0, 2**16 - 1)
    up_w, own, both_w = Read("up.w", "twin", word), Read("up.x", "twin", word), Read("down.w", "own", word)
    drawn = call("add", call("mod", Random(4, half, 1), c(50)), call("mod", Random(5, half, 2), c(9)))
    learn = (
        Store("down.w", call("add", call("mul", up_w, c(10)), call("mod", drawn, c(100)), lo=-(2**20), hi=2**20)),
        Store("down.g", Sum(call("add", own, call("mod", drawn, c(70)), lo=-(2**18), hi=2**18), Int(-(2**22), 2**22))),
    )
    copy = (Store("down.x", call("sub", call("add", own, both_w), call("mod", drawn, c(8)), lo=-(2**20), hi=2**20)),)
    pairs_of_up = ("b", "a", (3, 2)) if twin[1] == 2 else ("a", "b", (2, 3))
    down = replace(full("down", "a", "b", (2, 3)), twin=np.array(twin))
    p = program(
        arrays=(
            array("down.w", "synapse", "weight", word, [0] * 6, shared=True),
            array("down.g", "synapse", "state", Int(-(2**22), 2**22), [0] * 6, shared=True),
            array("down.x", "synapse", "state", word, [0] * 6),
            array("up.w", "synapse", "weight", word, range(1, 7), shared=True),
            array("up.x", "synapse", "state", word, [0] * 6),
        ),
        populations=(Population("a", 2, (), (), False, 0), Population("b", 3, (), (), False, 0)),
        projections=(down, full("up", *pairs_of_up)),
        events=(Event("learn", "down", "synapse", learn, once=True), Event("copy", "down", "synapse", copy)),
    )
    p = with_copies(p, 5)
    machine, reference = both(p)
    for executor in (machine, reference):
        executor.advance(3)
        executor.write("up.x", np.arange(30).reshape(6, 5) * 100)
        executor.trigger("learn")
        executor.trigger("copy")
    same(machine, reference, p)


# ---------------------------------------------------------------- real numbers


@pytest.mark.dear
@pytest.mark.parametrize("copies", [2, 21])
def test_learning_layers_equal_the_reference(copies: int) -> None:
    p = layers((1, 6, 5, 3), copies)
    emulator, reference = both(p)
    for executor in (emulator, reference):
        executor.advance(120)
    assert np.abs(emulator.read("w2.w") - p.arrays["w2.w"].initial).max() > 0.01
    same(emulator, reference, p, 1e-11)


@pytest.mark.dear
def test_learning_layers_in_float32() -> None:
    p = layers((1, 6, 5, 3), 12, precision="float32")
    emulator, reference = both(p)
    for executor in (emulator, reference):
        executor.advance(30)
    same(emulator, reference, p, 1e-3)


def once(body: tuple[Store, ...], values: np.ndarray, precision: str = "float64") -> Program:
    """An event that is computed once, on neurons with these own values by copy and a shared total."""
    size, copies = values.shape
    p = program(
        integer=False,
        precision=precision,
        arrays=(
            array("p.v", "neuron", "state", REAL, np.zeros(size)),
            array("p.total", "neuron", "state", REAL, np.zeros(size), shared=True),
        ),
        populations=(Population("p", size, (), (), False, 0),),
        events=(Event("add", "p", "neuron", body, once=True),),
    )
    p = with_copies(p, copies)
    return replace(p, arrays={**p.arrays, "p.v": replace(p.arrays["p.v"], initial=values)})


@pytest.mark.dear
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("copies", [2, 7, 8, 9, 16, 100, 101])
def test_sums_have_the_normative_order(copies: int, precision: str) -> None:
    values = np.random.default_rng(copies).normal(size=(5, copies)) * 10.0 ** np.arange(-8, 12, 4)[:, None]
    p = once((Store("p.total", Sum(Read("p.v", "own", REAL), REAL)),), values, precision)
    machine = Machine(p, 1, [])
    machine.trigger("add")
    assert machine.read("p.total").tolist() == sum_over_copies(values.astype(precision)).tolist()


@pytest.mark.dear
def test_what_is_computed_once_can_be_given_to_every_copy() -> None:
    v, total = Read("p.v", "own", REAL), Read("p.total", "own", REAL)
    both_sums = Apply("add", (Sum(v, REAL), Sum(Apply("mul", (v, v), REAL), REAL)), REAL)
    body = (Store("p.total", both_sums), Store("p.v", total), Store("p.total", Sum(v, REAL)))
    machine = Machine(once(body, np.array([[1.0, 2.0], [3.0, 5.0]])), 1, [])
    machine.trigger("add")
    assert machine.read("p.v").tolist() == [[8.0, 8.0], [42.0, 42.0]]
    assert machine.read("p.total").tolist() == [16.0, 84.0]


@pytest.mark.dear
def test_functions_of_several_copies_are_exact() -> None:
    edges = [0.0, -0.0, 1e-300, -1e-9, 1e-9, 0.5, 19.1, 22.0, -44.5, 700.0, 709.7, 710.0, -700.0, -800.0]
    x = np.concatenate([edges, [np.inf, -np.inf, np.nan], np.linspace(-25, 25, 1001), np.linspace(-1, 1, 983)])
    names = ("exp", "tanh", "sigmoid", "log", "softplus")
    zeros = np.zeros(len(x))
    p = program(
        integer=False,
        arrays=[array(f"p.{name}", "neuron", "state", REAL, zeros, shared=True) for name in ("x", *names)],
        populations=(Population("p", len(x), (), (), False, 0),),
        events=(
            Event("add", "p", "neuron", tuple(Store(f"p.{fn}", Apply(fn, (X,), REAL)) for fn in names), once=True),
        ),
    )
    machine, reference = both(with_copies(p, 2))
    for executor in (machine, reference):
        executor.write("p.x", x)
        executor.trigger("add")
    for fn in names:
        found, wanted = machine.read(f"p.{fn}"), reference.read(f"p.{fn}")
        np.testing.assert_allclose(found, wanted, rtol=1e-15 * 3, atol=1e-307, err_msg=fn)


# ---------------------------------------------------------------- stimuli, errors, spikes


def accumulating(overflow: str = "none", copies: int = 3) -> Program:
    """Two neurons that add up their input, one of whose copies may leave its range."""
    v = call("add", Read("p.v", "own", ACC), Read("p.i", "own", ACC))
    p = program(
        arrays=(array("p.v", "neuron", "state", ACC, [0, 0]), array("p.i", "neuron", "input", ACC, [0, 0], slots=2)),
        populations=(Population("p", 2, (Store("p.v", v, None, overflow, -50, 50),), ("p.i",), False, 0),),  # type: ignore[arg-type]
        injections=(Injection("kick", "p.i", np.array([0, 2, 2]), np.array([0, 1, 1]), np.array([5, 7, 8])),),
    )
    return with_copies(p, copies)


@pytest.mark.dear
def test_injections_reach_every_copy() -> None:
    machine = Machine(accumulating(), 1, [])
    machine.advance(4)
    assert machine.read("p.v").tolist() == [[5, 5, 5], [15, 15, 15]]


@pytest.mark.dear
def test_error_rule_names_the_neuron() -> None:
    machine = Machine(accumulating("error"), 1, [])
    machine.write("p.i", np.array([[0, 0, 0], [0, 51, 0]]))
    with pytest.raises(RunFailed) as error:
        machine.advance(1)
    assert str(error.value).startswith("p.v: the value of element 1 left its range in step 0")


@pytest.mark.dear
def test_values_of_a_wrong_shape_are_refused() -> None:
    with pytest.raises(InvalidInput) as error:
        Machine(accumulating(), 1, []).write("p.v", np.zeros(2, np.int64))
    assert str(error.value) == "p.v: the values have shape (2,); the array has (2, 3)"


def spiking() -> Program:
    """Three copies that share what they learn, of units that spike and are counted."""
    p = sampling(4)
    shared = {name: replace(a, shared=name == "rec.w") for name, a in p.arrays.items()}
    move = (Store("rec.w", call("clip", Sum(Read("rec.s", "own", ACC), ACC), c(-99), c(99), lo=-99, hi=99)),)
    return with_copies(replace(p, arrays=shared, events=(Event("epoch_end", "rec", "synapse", move, once=True),)), 3)


@pytest.mark.dear
def test_spiking_copies_are_written_out() -> None:
    p = spiking()
    assert Emulator().check(p) == ()
    emulator, reference = (backend.open(p, 5, ["units"]) for backend in (Emulator(), Reference()))
    assert isinstance(emulator, Unbatched)
    for executor in (emulator, reference):
        executor.begin_item(["states"], {})
        executor.advance(200)
        executor.trigger("epoch_end")
        executor.advance(100)
    assert emulator.spike_counts() == reference.spike_counts()
    assert emulator.histogram("states").tolist() == reference.histogram("states").tolist()
    mine, theirs = emulator.drain().spikes["units"], reference.drain().spikes["units"]
    assert all((a == b).all() for a, b in zip(mine, theirs, strict=True))
    for name in ("units.x", "rec.w", "rec.s"):
        assert (emulator.read(name) == reference.read(name)).all()


@pytest.mark.dear
def test_times_of_copies_that_are_written_out_are_those_of_all() -> None:
    p = spiking()
    executor = Emulator(times=True).open(p, 5, [])
    executor.begin_item(["states"], {})
    executor.advance(200)
    timed = {(part.what, part.of): part for part in cast(TimedExecutor, executor).times()}
    assert {of for _, of in timed} == {"units", "rec"}
    assert timed["neurons", "units"].units == 3 * 4 * 200
    assert timed["readouts", "units"].units == 200
    assert all(part.seconds > 0 for part in timed.values())


def test_the_text_and_bytes_of_copies_that_are_written_out_are_those_that_run() -> None:
    p = spiking()
    made = unbatch(p)
    assert Emulator().source(p) == module_text(made)
    (found,), each = Emulator().memory(p), Emulator().memory(made)
    assert (found.projection, found.synapses) == ("rec", p.projections[0].synapses)
    assert len(each) == 3 and found.nbytes == sum(one.nbytes for one in each)
