"""The reference executor: the time step against an independent simulator, and what every function means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroport.backends.reference import Reference
from neuroport.errors import RunFailed
from neuroport.numerics import rng
from neuroport.program.ir import BOOL, INT, REAL, Expr, Int, Let, Lookup, Random, Round, Send, Spike, Store, Temp
from neuroport.program.machine import Event, Population, Program, Record, Series
from tests.support import small_programs as small
from tests.support.small_programs import apply, array, const, program, projection, read, single

X = read("p.x")


def start(program: Program, seed: int = 1, checked: bool = True, record: tuple[str, ...] = ()) -> Any:
    backend = Reference(checked)
    assert backend.missing() is None
    assert backend.check(program) == ()
    return backend.open(program, seed, record)


# ------------------------------------------------------------------------------------------- an independent simulator


class Simulator:
    """The rich network (see small_programs.rich) step by step and synapse by synapse, from its description alone."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.t = 0
        self.spikes: list[tuple[str, int, int]] = []
        self.w, self.back = list(small.RICH_WEIGHTS), [1, -1, 1, 1, 0]
        self.count = [0] * 4
        self.states: list[dict[str, list[int]]] = []
        self.fired: dict[tuple[str, int], set[int]] = {}
        self.late: dict[int, list[int]] = {}
        self.born: dict[str, int] = {"in": 0, "out": 0}
        self.overflows = 0
        self.wraps = 0
        self.busy = [0] * 16
        self.item_step = 0
        self.now = {"in.v": [0, 3, 6], "in.s": [15] * 3, "out.u": [0] * 4, "out.y": [1, 2, 3, 4]}
        self.first = {name: list(values) for name, values in self.now.items()}

    def past(self, name: str, step: int, cell: int) -> int:
        """A variable in S(step); before the start or the last reset it had its initial value."""
        if step < self.born[name.split(".")[0]] or step < 0:
            return self.first[name][cell]
        return self.states[step][name][cell]

    def reset(self, population: str) -> None:
        for name in self.now:
            if name.startswith(population + "."):
                self.now[name] = list(self.first[name])
        if population == "out":
            self.count = [0] * 4
            self.late = {}
        self.born[population] = self.t
        self.fired = {key: cells for key, cells in self.fired.items() if key[0] != population}

    def flip(self) -> None:
        self.w = [-w for w in self.w]

    def run(self, steps: int) -> None:
        for _ in range(steps):
            self.step()

    def step(self) -> None:
        t = self.t
        drive, i = [0, 0, 0], self.late.pop(t, [0, 0, 0, 0])
        synapses = list(enumerate(small.RICH_PAIRS))
        for _, (a, b) in synapses:
            if self.past("in.s", t - 2, a) < 3:
                i[b] += 1
        for k, (a, b) in synapses:
            if a in self.fired.get(("in", t - 2), set()):
                d = small.RICH_DENDRITIC[k]
                inputs = i if d == 0 else self.late.setdefault(t + d, [0, 0, 0, 0])
                inputs[b] += self.w[k]
                # post.y[d] is y in S(t - 1 - d); S(t - 1) is what the last boundary left.
                y = self.now["out.y"][b] if d == 0 else self.past("out.y", t - 1 - d, b)
                w = self.w[k] + y
                self.overflows += not -20 <= w <= 20
                self.w[k] = min(20, max(-20, w))
        for k, (a, b) in enumerate(small.RICH_BACK):
            if a in self.fired.get(("out", t - 1), set()) and self.back[k] > 0:
                drive[b] -= 2
        for k, (a, b) in synapses:
            if b in self.fired.get(("out", t - 1), set()):
                w = self.w[k] - self.past("in.s", t - 2, a)
                self.overflows += not -20 <= w <= 20
                while w < -20:
                    w += 41
                self.w[k] = w
                drive[a] += 1
        for step, cell, value in ((4, 0, 10), (4, 2, 7), (30, 1, 25)):
            if t == step:
                drive[cell] += value
        for cell, value in enumerate([[2, 1, 3], [0, 4, 1]][t // 5 % 2]):
            drive[cell] += value
        self.neurons(t, drive, i)
        self.count = [c + (u > 10) for c, u in zip(self.count, self.now["out.u"], strict=True)]
        if self.item_step % 2 == 1:
            self.busy[sum((y < 3) << (3 - k) for k, y in enumerate(self.now["out.y"]))] += 1
        self.states.append({name: list(values) for name, values in self.now.items()})
        self.t += 1
        self.item_step += 1

    def neurons(self, t: int, drive: list[int], i: list[int]) -> None:
        now = self.now
        for k in range(3):
            v = now["in.v"][k] + drive[k]
            fire = v >= 10
            now["in.v"][k] = v - 10 if fire else v
            now["in.s"][k] = 0 if fire else min(15, now["in.s"][k] + 1)
            self.spike("in", t, k, fire)
        for k in range(4):
            key = rng.step_key(rng.stream_key(self.seed, small.RICH_STREAM), t)
            noise = rng.mix(key + rng.GAMMA * (k + 1)) >> 61
            u = int(now["out.u"][k] * 3 / 4) + i[k] + noise
            fire = u > 20
            now["out.u"][k] = 0 if fire else u
            now["out.y"][k] = 0 if fire else min(4, now["out.y"][k] + 1)
            self.spike("out", t, k, fire)

    def spike(self, population: str, t: int, cell: int, fire: bool) -> None:
        if fire:
            self.fired.setdefault((population, t), set()).add(cell)
            self.spikes.append((population, t, cell))


def compare(simulator: Simulator, machine: Any) -> None:
    for name, values in simulator.now.items():
        assert machine.read(name).tolist() == values, name
    assert machine.read("forward.w").tolist() == simulator.w
    assert machine.read("out.count").tolist() == simulator.count
    assert machine.histogram("busy").tolist() == simulator.busy
    assert machine.overflows().get("forward.w", 0) == simulator.overflows


def spikes_of(machine: Any) -> list[tuple[str, int, int]]:
    found = [
        (name, int(t), int(k))
        for name, (steps, cells) in machine.drain().spikes.items()
        for t, k in zip(steps, cells, strict=True)
    ]
    return sorted(found, key=lambda s: (s[1], s[0], s[2]))


ACTIONS = st.lists(
    st.one_of(st.integers(1, 9), st.sampled_from(["reset in", "reset out", "flip"])), min_size=1, max_size=14
)


@given(actions=ACTIONS, seed=st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_time_step(actions: list[int | str], seed: int) -> None:
    """Delays, dendritic delays, conditional sends, resets with spikes in flight and events: all as the simulator."""
    simulator, machine = Simulator(seed), start(small.rich(), seed, record=("in", "out"))
    machine.begin_item(["busy"], {})
    for action in actions:
        match action:
            case int():
                simulator.run(action)
                machine.advance(action)
            case "flip":
                simulator.flip()
                machine.trigger("flip")
            case _:
                simulator.reset(action.split()[1])
                machine.reset(action.split()[1])
        compare(simulator, machine)
    assert spikes_of(machine) == simulator.spikes


def test_long_run_of_the_time_step() -> None:
    simulator, machine = Simulator(3), start(small.rich(), 3, record=("in", "out"))
    machine.begin_item(["busy"], {})
    for _ in range(40):
        simulator.run(10)
        machine.advance(10)
        compare(simulator, machine)
    assert spikes_of(machine) == simulator.spikes
    assert machine.spike_counts() == {name: sum(s[0] == name for s in simulator.spikes) for name in ("in", "out")}
    assert min(machine.spike_counts().values()) > 50
    assert simulator.overflows > 0


@given(pieces=st.lists(st.integers(0, 30), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_runs_add_up(pieces: list[int]) -> None:
    whole, cut = start(small.rich(), record=("in", "out")), start(small.rich(), record=("in", "out"))
    whole.advance(sum(pieces))
    found = []
    for steps in pieces:
        cut.advance(steps)
        found += spikes_of(cut)
    assert found == spikes_of(whole)
    for name in small.rich().arrays:
        assert np.array_equal(whole.read(name), cut.read(name)), name


def test_records_are_taken_at_the_end_of_every_third_step() -> None:
    simulator, machine = Simulator(1), start(small.rich())
    simulator.run(10)
    machine.advance(4)
    first = machine.drain().records["out.u"]
    machine.advance(6)
    second = machine.drain().records["out.u"]
    assert first[0].tolist() == [2] and second[0].tolist() == [5, 8]
    assert [*first[1].tolist(), *second[1].tolist()] == [simulator.states[t]["out.u"] for t in (2, 5, 8)]


def test_histogram_counts_only_in_items_that_name_it() -> None:
    machine = start(small.rich())
    machine.begin_item([], {})
    machine.advance(10)
    assert machine.histogram("busy").sum() == 0
    machine.begin_item(["busy"], {})
    machine.advance(9)
    assert machine.histogram("busy").sum() == 4
    machine.clear_histogram("busy")
    assert machine.histogram("busy").sum() == 0


# -------------------------------------------------------------------------------------------------------- stimuli


def counter(**more: Any) -> Program:
    """Two neurons that add up their input."""
    arrays = [array("p.i", "neuron", "input", [0, 0]), array("p.v", "neuron", "state", [0, 0])]
    body = (Store("p.v", apply("add", read("p.v"), read("p.i"))),)
    return program(arrays, [Population("p", 2, body, ("p.i",), False, 0)], **more)


def test_series_ends_or_loops() -> None:
    table = np.array([[1, 10], [2, 20]])
    for loop, expected in ((False, [6, 60]), (True, [10, 100])):
        machine = start(counter(series=(Series("s", "p.i", table, 2, "time", loop),)))
        machine.advance(7)
        assert machine.read("p.v").tolist() == expected


def test_patterns_follow_the_schedule_of_their_item() -> None:
    table = np.array([[1, 10], [2, 20], [3, 30]])
    machine = start(counter(series=(Series("s", "p.i", table, 2, "item"),)))
    machine.advance(3)
    assert machine.read("p.v").tolist() == [0, 0]
    machine.begin_item([], {"s": np.array([2, 0])})
    machine.advance(3)
    assert machine.read("p.v").tolist() == [7, 70]
    machine.begin_item([], {})
    machine.advance(2)
    assert machine.read("p.v").tolist() == [7, 70]


def test_written_input_acts_in_the_coming_step() -> None:
    machine = start(counter())
    machine.advance(2)
    machine.write("p.i", np.array([5, 6]))
    assert machine.read("p.i").tolist() == [5, 6]
    machine.advance(3)
    assert machine.read("p.v").tolist() == [5, 6]


def test_clock() -> None:
    arrays = [
        array("$run.t", "scalar", "parameter", 0),
        array("$run.item_step", "scalar", "parameter", 0),
        array("p.v", "neuron", "state", [0]),
    ]
    both = apply("add", apply("mul", read("$run.t", "scalar"), 100), read("$run.item_step", "scalar"))
    machine = start(program(arrays, [Population("p", 1, (Store("p.v", both),), (), False, 0)]))
    machine.advance(3)
    assert machine.read("p.v").tolist() == [202]
    machine.begin_item([], {})
    machine.advance(2)
    assert machine.read("p.v").tolist() == [401]


# ------------------------------------------------------------------------------------------------------ arithmetic

INTEGERS = [-9, -8, -7, -6, -5, -3, -2, -1, 0, 1, 2, 3, 5, 6, 7, 8, 9]


def evaluate(value: Expr, initial: Any, checked: bool = True, **more: Any) -> list[Any]:
    machine = start(single(value, initial, **more), checked=checked)
    machine.advance(1)
    values: list[Any] = machine.read("p.y").tolist()
    return values


@pytest.mark.parametrize("divisor", [-4, -3, -1, 0, 1, 2, 3, 4])
def test_quotients(divisor: int) -> None:
    def quotient(fn: str) -> list[int]:
        return evaluate(apply(fn, X, divisor), INTEGERS)

    if divisor == 0:
        assert all(quotient(fn) == [0] * len(INTEGERS) for fn in ("floordiv", "mod", "trunc_div", "round_div"))
        return
    assert quotient("floordiv") == [x // divisor for x in INTEGERS]
    assert quotient("mod") == [x % divisor for x in INTEGERS]
    assert quotient("trunc_div") == [int(x / divisor) for x in INTEGERS]
    half_away = [int(np.copysign(np.floor(abs(x / divisor) + 0.5), x / divisor)) for x in INTEGERS]
    assert quotient("round_div") == half_away


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("floor", [-3, -2, -2, -2, -2, -1, -1, -1, 0, 0, 0, 0, 1, 1, 1, 2, 2]),
        ("toward_zero", [-2, -2, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2]),
        ("nearest", [-2, -2, -2, -2, -1, -1, -1, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2]),
        ("nearest_even", [-2, -2, -2, -2, -1, -1, 0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2]),
        ("floor_min_step", [-3, -2, -2, -2, -2, -1, -1, -1, 0, 1, 1, 1, 1, 1, 1, 2, 2]),
    ],
)
def test_rounding_a_quarter(mode: Any, expected: list[int]) -> None:
    assert evaluate(Round(X, 2, mode, INT), INTEGERS) == expected


@given(
    x=st.lists(st.integers(-(2**61), 2**61), min_size=1, max_size=5), shift=st.integers(1, 32), seed=st.integers(0, 99)
)
@settings(max_examples=60, deadline=None)
def test_stochastic_rounding(x: list[int], shift: int, seed: int) -> None:
    machine = start(single(Round(X, shift, "stochastic", INT, stream=9), x), seed)
    machine.advance(1)
    draws = rng.draw(rng.step_key(rng.stream_key(seed, 9), 0), np.arange(len(x), dtype=np.uint64)).tolist()
    expected = []
    for value, draw in zip(x, draws, strict=True):
        magnitude = (abs(value) + draw % 2**shift) >> shift
        expected.append(-magnitude if value < 0 else magnitude)
    assert machine.read("p.y").tolist() == expected


def test_words_and_shifts() -> None:
    assert evaluate(apply("wrap", X, 3), INTEGERS) == [(x + 4) % 8 - 4 for x in INTEGERS]
    assert evaluate(apply("shl", X, 3), INTEGERS) == [x * 8 for x in INTEGERS]
    assert evaluate(apply("shr", X, 1), INTEGERS) == [x // 2 for x in INTEGERS]
    assert evaluate(apply("clip", X, -2, 5), INTEGERS) == [min(5, max(-2, x)) for x in INTEGERS]
    entry = Lookup("squares", apply("abs", X, type=Int(0, 9)), INT)
    assert evaluate(entry, INTEGERS, tables={"squares": np.arange(10) ** 2}) == [x * x for x in INTEGERS]


def test_real_functions() -> None:
    x = np.array([-800.0, -2.0, -0.5, 0.0, 0.5, 2.0, 30.0])
    read_x = read("p.x", type=REAL)
    with np.errstate(over="ignore"):
        expected = {
            "exp": np.exp(x),
            "tanh": np.tanh(x),
            "sigmoid": 1 / (1 + np.exp(-x)),
            "softplus": np.logaddexp(0, x),
            "neg": -x,
            "abs": np.abs(x),
        }
    for fn, values in expected.items():
        np.testing.assert_allclose(evaluate(apply(fn, read_x, type=REAL), x), values, rtol=1e-15, atol=1e-300)
    assert evaluate(apply("div", read_x, 0.0, type=REAL), [1.0, -1.0]) == [np.inf, -np.inf]


def test_integers_among_real_numbers() -> None:
    value = apply("mul", apply("to_real", read("p.n"), type=REAL), read("p.x", type=REAL), type=REAL)
    made = single(value, [0.5, 0.25])
    made = replace(made, arrays={**made.arrays, "p.n": array("p.n", "neuron", "state", [3, 5])}, integer=False)
    for precision in ("float64", "float32"):
        machine = start(replace(made, precision=precision))
        machine.advance(1)
        assert machine.read("p.y").tolist() == [1.5, 1.25]


def test_single_precision_is_single_precision() -> None:
    """Constants, draws and results are all of the program's precision; functions are calculated in float64."""
    draw = apply("mul", Random(4, REAL), 0.1, type=REAL)
    value = apply("add", apply("exp", apply("mul", read("p.x", type=REAL), 0.3, type=REAL), type=REAL), draw, type=REAL)
    machine = start(single(value, [0.7, 1.1], precision="float32"))
    machine.advance(1)
    f = np.float32
    draws = rng.draw(rng.step_key(rng.stream_key(1, 4), 0), np.arange(2, dtype=np.uint64))
    exponents = np.array([0.7, 1.1], f) * f(0.3)
    expected = np.exp(exponents.astype(np.float64)).astype(f) + (draws * 2.0**-32).astype(f) * f(0.1)
    assert expected.dtype == f
    assert machine.read("p.y").tolist() == expected.astype(np.float64).tolist()


@pytest.mark.parametrize("part", [None, 0, 3])
def test_draws(part: int | None) -> None:
    machine = start(single(Random(6, INT, part), [0] * 5), 42)
    for step in range(300):
        machine.advance(1)
        expected = rng.draw(rng.step_key(rng.stream_key(42, 6), step), np.arange(5, dtype=np.uint64), part)
        assert machine.read("p.y").tolist() == expected.tolist()


def test_draws_of_synapses_are_keyed_by_their_element() -> None:
    arrays = [array("p.v", "neuron", "state", [0, 0, 0]), array("c.w", "synapse", "weight", [0, 0])]
    cells = Population("p", 3, (Spike(const(True)),), (), True, 1)
    random = (Store("c.w", Random(8, INT)),)
    made = projection("c", cells, cells, [(0, 2), (2, 1)], arrive=random)
    machine = start(program(arrays, [cells], (made,)))
    machine.advance(2)
    expected = rng.draw(rng.step_key(rng.stream_key(1, 8), 1), np.array([2, 7], np.uint64))
    assert machine.read("c.w").tolist() == expected.tolist()


# ----------------------------------------------------------------------------------------------- stores and overflow


@pytest.mark.parametrize(
    ("overflow", "expected", "count"),
    [("saturate", [-4, -4, 0, 3, 3], 3), ("wrap", [-1, -4, 0, -4, 1], 3), ("none", [-9, -4, 0, 4, 9], 0)],
)
def test_overflow(overflow: Any, expected: list[int], count: int) -> None:
    made = single(X, [-9, -4, 0, 4, 9])
    body = (Store("p.y", X, None, overflow, -4, 3),)
    machine = start(replace(made, populations=(replace(made.populations[0], body=body),)))
    machine.advance(1)
    assert machine.read("p.y").tolist() == expected
    assert machine.overflows() == ({"p.y": count} if count else {})


def test_overflow_is_counted_and_refused_only_where_the_guard_holds() -> None:
    made = single(X, [-9, -4, 0, 4, 9])
    for overflow, guard, count in (
        ("saturate", apply("gt", X, 4, type=BOOL), 1),
        ("error", apply("eq", X, 0, type=BOOL), 0),
    ):
        body = (Store("p.y", X, guard, overflow, -4, 3),)  # type: ignore[arg-type]
        machine = start(replace(made, populations=(replace(made.populations[0], body=body),)))
        machine.advance(1)
        assert machine.overflows().get("p.y", 0) == count


def test_overflow_error_is_a_sentence() -> None:
    made = single(X, [5])
    machine = start(
        replace(made, populations=(replace(made.populations[0], body=(Store("p.y", X, None, "error", 0, 3),)),))
    )
    with pytest.raises(RunFailed) as error:
        machine.advance(1)
    assert str(error.value) == (
        "step 0: a value for 'p.y' lies outside 0..3, and this chip has no rule for that; give the variable a larger "
        "range"
    )


def test_a_name_keeps_its_value_when_the_variable_changes() -> None:
    made = single(X, [1, 2])
    body = (
        Let("old", X),
        Store("p.x", apply("add", X, 10)),
        Store("p.y", apply("add", apply("mul", Temp("old", INT), 100), X)),
    )
    machine = start(replace(made, populations=(replace(made.populations[0], body=body),)))
    machine.advance(1)
    assert machine.read("p.y").tolist() == [111, 212]


def test_sums_of_real_numbers_are_made_in_the_order_of_the_synapses() -> None:
    values = [1e16, 1.0, -1e16, 1.0]
    arrays = [
        array("s.v", "neuron", "state", [0.0] * 4, REAL),
        array("p.i", "neuron", "input", [0.0], REAL),
        array("p.v", "neuron", "state", [0.0], REAL),
        array("c.w", "synapse", "weight", values, REAL),
    ]
    source = Population("s", 4, (Spike(const(True)),), (), True, 1)
    target = Population("p", 1, (Store("p.v", read("p.i", type=REAL)),), ("p.i",), False, 0)
    made = projection("c", source, target, [(k, 0) for k in range(4)], arrive=(Send("p.i", read("c.w", type=REAL)),))
    machine = start(program(arrays, [source, target], (made,)))
    machine.advance(2)
    assert machine.read("p.v").tolist() == [((1e16 + 1.0) - 1e16) + 1.0]


# ------------------------------------------------------------------------------------------------- debugging, limits


def test_checked_machine_finds_a_wrong_bound() -> None:
    value = apply("add", X, 1, type=Int(0, 5))
    assert evaluate(value, [4, 5], checked=False) == [5, 6]
    with pytest.raises(AssertionError, match=r"\(p\.x \+ 1\) is 6, and is said to lie in 0\.\.5$"):
        evaluate(value, [4, 5])


def test_text_is_one_expression_per_line() -> None:
    text = Reference().source(single(apply("max", apply("add", X, 1), 3), [1, 2]))
    assert text == (
        "def p_update(t):\n"
        "    v0 = p_x + 1  # int64\n"
        "    v1 = np.maximum(v0, 3)  # int64\n"
        "    np.copyto(p_y, v1)\n"
        "    return None\n"
    )


def test_writing_returns_what_was_written_and_copies() -> None:
    machine = start(small.rich())
    values = machine.read("forward.w")
    values[:] = 3
    assert machine.read("forward.w").tolist() == small.RICH_WEIGHTS
    machine.write("forward.w", values)
    values[:] = 4
    assert machine.read("forward.w").tolist() == [3] * 8


def test_large_projections_find_the_same_synapses() -> None:
    """Above 4,096 synapses rows are gathered instead of searched; both give ascending synapses."""
    from neuroport.backends.reference.machine import Rows

    numbers = np.random.Generator(np.random.PCG64(2))
    pairs = np.unique(numbers.integers(0, 200, (9000, 2)), axis=0)
    pre, post = pairs.T
    order = np.argsort(post, kind="stable")
    for neuron, permutation in ((pre, None), (post, order)):
        indptr = np.concatenate([[0], np.cumsum(np.bincount(neuron, minlength=200))])
        rows = Rows(neuron, indptr, permutation)
        some = np.array([3, 77, 150])
        assert rows.of(some).tolist() == np.flatnonzero(np.isin(neuron, some)).tolist()


def test_empty_projections_and_populations() -> None:
    arrays = [array("p.i", "neuron", "input", []), array("c.w", "synapse", "weight", [])]
    cells = Population("p", 0, (Spike(const(True)),), ("p.i",), True, 1)
    send = (Send("p.i", read("c.w")),)
    made = projection("c", cells, cells, [], step=send, arrive=send, post_body=send)
    machine = start(program(arrays, [cells], (made,)), record=("p",))
    machine.advance(3)
    assert machine.spike_counts() == {"p": 0}
    assert machine.drain().spikes["p"][0].tolist() == []


def test_the_text_of_the_rich_network(golden: Any) -> None:
    golden(Reference().source(small.rich()))


# ------------------------------------------------------------------------------ frames, starts, samplings and twins


def test_a_pattern_of_several_frames_shows_them_one_after_the_other() -> None:
    table = np.arange(1, 9).reshape(4, 2)  # two patterns of two frames
    machine = start(counter(series=(Series("s", "p.i", table, 4, "item", frames=2),), records=(Record("p.v", 1),)))
    machine.begin_item([], {"s": np.array([1, 0])})
    machine.advance(8)
    values = machine.drain().records["p.v"][1][:, 0]
    assert np.diff(values, prepend=0).tolist() == [5, 5, 7, 7, 1, 1, 3, 3]


def test_a_series_begins_at_its_start() -> None:
    series = Series("s", "p.i", np.array([[1, 10], [2, 20], [3, 30]]), 2, loop=True, start=np.array([2]))
    machine = start(counter(series=(series,)))
    machine.advance(5)
    assert machine.read("p.v").tolist() == [3 + 3 + 1 + 1 + 2, 100]


def test_a_series_gets_a_new_table() -> None:
    machine = start(counter(series=(Series("s", "p.i", np.array([[1, 10]]), 1, loop=True),)))
    machine.advance(2)
    table = np.array([[5, 7]])
    machine.load_series("s", table)
    table[:] = 0
    machine.advance(1)
    assert machine.read("p.v").tolist() == [7, 27]
    with pytest.raises(ValueError, match=r"^the series 's' has a table of shape \(1, 2\); found \(2, 2\)$"):
        machine.load_series("s", np.zeros((2, 2), np.int64))


def test_a_sampling_record_is_active_in_the_items_that_name_it() -> None:
    table = np.array([[1, 10]])
    records = (Record("p.v", 3, "answer", 1), Record("p.v", 4))
    machine = start(counter(series=(Series("s", "p.i", table, 1, loop=True),), records=records))
    machine.advance(2)
    machine.begin_item(["answer"], {})
    machine.advance(6)
    captured = machine.drain().records
    assert captured["answer"][0].tolist() == [3, 6]
    assert captured["answer"][1].tolist() == [[4, 40], [7, 70]]
    assert captured["p.v"][0].tolist() == [3, 7]
    machine.begin_item([], {})
    machine.advance(3)
    captured = machine.drain().records
    assert captured["answer"][0].tolist() == [] and captured["answer"][1].shape == (0, 2)


def test_an_event_reads_the_twins_of_its_synapses() -> None:
    arrays = [
        array("a.w", "synapse", "weight", [1, 2, 3]),
        array("b.w", "synapse", "weight", [10, 20, 30]),
    ]
    cells, others = Population("p", 2, (), (), False, 0), Population("q", 2, (), (), False, 0)
    there = projection("a", cells, others, [(0, 0), (0, 1), (1, 0)])
    back = projection("b", others, cells, [(0, 0), (0, 1), (1, 0)], twin=np.array([0, 2, 1]))
    event = Event("tie", "b", "synapse", (Store("b.w", apply("add", read("b.w"), read("a.w", "twin"))),))
    machine = start(program(arrays, [cells, others], (there, back), events=(event,)))
    machine.trigger("tie")
    assert machine.read("b.w").tolist() == [11, 23, 32]
