"""Copies that share, and twins: from a network file to a program with an axis of copies, real and in integers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroport.chips import description as chips
from neuroport.chips.chip import Chip, ChipInstance, Deviation
from neuroport.copies.axis import sum_over_copies
from neuroport.elaborate import memory
from neuroport.elaborate.network import elaborate
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.network import shares
from neuroport.program import printer
from neuroport.program.ir import REAL, Expr, Int, Let, Read, Round, Stmt, Store, Sum, parts, with_children
from neuroport.program.machine import Array, Event, Program
from neuroport.quantise.program import quantise
from tests.support.quantising import (
    GENERIC8,
    GENERIC16,
    TREES,
    TYPES,
    Machine,
    array,
    build,
    fn,
    program,
    projection,
    real,
)
from tests.support.quantising import true as true_value

IDEAL, STOCHASTIC = chips.load("ideal"), chips.load("generic8_stochastic")
COPIES = 5

MODELS = """\
neuroport: 1
name: n
dt: 1 ms
neurons:
  cell:
    params: {lr: {default: 0.1, kind: rate}}
    inputs: {i: {range: [-8, 8]}}
    state:
      r: {init: 0.5, range: [-4, 4]}
      count: {type: int, range: [0, 9], over_copies: shared}
      b: {init: 0, range: [-2, 2], over_copies: shared, class: plastic}
    update: |
      r = 0.5 * r + i + b + 0.1 * normal()
    on_event:
      each_step: |
        b = b + lr * mean_copies(r)
      blank: |
        r = 0.5 * r
      level: |
        r = b
synapses:
  learn:
    params: {p: {default: 2}}
    state:
      w: {weight: true, over_copies: shared, init: 0.5, range: [-2, 2], kind: weight}
      v: {init: 1, range: [-1, 1]}
      x: {init: 1, range: [-1, 1]}
      g: {over_copies: shared, range: [-1, 1]}
      n: {type: int, over_copies: shared, range: [0, 1]}
      m: {over_copies: shared, class: plastic, range: [-1, 1]}
    step: |
      err = post.r - 0.5
      x = err * v
      g = sum_copies(err * pre.r)
      n = sum_copies(1 if pre.r > 0 else 0)
      send(target, w * pre.r)
    on_event:
      each_step: |
        m = 0.9 * m + 0.1 * g / copies
        w = w + 0.01 * m
  tie:
    params: {scale: {default: 0.5}}
    state: {w: {weight: true, over_copies: shared, init: 0, range: [-2, 2]}}
    step: |
      send(target, w * pre.r)
    on_event:
      each_step: |
        w = scale * twin.w + twin.p
populations:
  a: {size: 3, neuron: cell, init: {r: {uniform: [0, 1]}}}
  b: {size: 2, neuron: cell}
"""
UP = "  up: {source: a, target: b, synapse: learn, connect: all_to_all}\n"
TIED = "  back: {source: b, target: a, synapse: tie, connect: all_to_all, twin: up}\n"


def made(text: str = MODELS + "projections:\n" + TIED + UP, copies: int = COPIES, chip: Chip = IDEAL) -> Program:
    return elaborate(reader.loads(f"{text}copies: {copies}\n", "net.yaml"), chip)


def problems(text: str, chip: Chip = IDEAL) -> str:
    with pytest.raises(InvalidInput) as caught:
        made(text, chip=chip)
    return str(caught.value)


# ----------------------------------------------------------------------------------------------------------- arrays


def test_what_every_copy_has_of_its_own_has_an_axis_of_copies() -> None:
    program = made()
    assert program.copies == COPIES
    shapes = {name: array.initial.shape for name, array in program.arrays.items() if array.role != "parameter"}
    assert shapes["a.r"] == shapes["a.i"] == (3, COPIES)
    assert shapes["up.x"] == (6, COPIES)
    assert shapes["a.b"] == shapes["a.count"] == (3,)
    assert shapes["up.w"] == shapes["up.g"] == shapes["back.w"] == (6,)
    assert shapes["up.v"] == (6,)  # no block assigns it
    assert {name for name, array in program.arrays.items() if array.shared} == {
        *("a.b", "a.count", "b.b", "b.count", "up.w", "up.v", "up.g", "up.n", "up.m", "back.w")
    }
    start = program.arrays["a.r"].initial
    assert (start == start[:, :1]).all()
    assert start[:, 0].tolist() == made(copies=1).arrays["a.r"].initial.tolist()


def test_a_sum_of_ints_holds_what_all_copies_can_give() -> None:
    assert made().arrays["up.n"].type == Int(0, COPIES)
    assert made().arrays["up.n"].range == (0, 1)
    assert made(copies=1).arrays["up.n"].type == Int(0, 1)


def test_one_copy_has_no_sums() -> None:
    program = made(copies=1)
    assert program.copies == 1
    bodies = [p.step for p in program.projections] + [e.body for e in program.events]
    assert not any(isinstance(part, Sum) for body in bodies for part in parts(body))
    assert not any(event.once for event in program.events)
    assert not any(array.shared for array in program.arrays.values())
    text = printer.text(program)
    assert "up.g := (err * pre:a.r)" in text
    assert "a.b := (a.b + (a.lr * a.r))" in text
    assert "((0.1 * up.g) / 1.0)" in text


def test_copies_that_share_nothing_are_independent_and_elaborate_as_one() -> None:
    text = MODELS.replace(", over_copies: shared", "").replace("over_copies: shared, ", "")
    text = text.replace("lr * mean_copies(r)", "0").replace("sum_copies", "abs") + "projections:\n" + UP
    network = reader.loads(text + "copies: 4\n", "net.yaml")
    assert not shares(network)
    one = reader.loads(text, "net.yaml")
    assert printer.text(elaborate(network, IDEAL)) == printer.text(elaborate(one, IDEAL))
    assert shares(reader.loads(MODELS + "copies: 4\n", "net.yaml"))
    assert not shares(reader.loads(MODELS, "net.yaml"))


def test_sums_and_events_once_for_all_copies() -> None:
    program = made()
    text = printer.text(program)
    assert f"seed 1, {COPIES} copies" in text
    assert "up.g := sum_copies((err * pre:a.r))" in text
    assert "a.b := (a.b + (a.lr * (sum_copies(a.r) / 5.0)))" in text
    assert "up.m := ((0.9 * up.m) + ((0.1 * up.g) / 5.0))" in text
    assert "event each_step of a, each neuron, every step, once for all copies" in text
    assert "event blank of a, each neuron\n" in text
    assert "event level of a, each neuron\n" in text  # b is read, not assigned: every copy does it for itself
    sums = [part.type for part in parts(program.projection("up").step) if isinstance(part, Sum)]
    assert sums == [REAL, Int()]


def test_the_number_of_copies_may_stand_in_derived_constants() -> None:
    text = MODELS.replace("    inputs: {i", "    derived: {share: lr / copies}\n    inputs: {i", 1)
    text = text.replace("b + lr * mean", "b + share * mean")
    assert made(text).arrays["a.share"].initial == 0.1 / COPIES
    assert made(text, copies=1).arrays["a.share"].initial == 0.1


def test_sums_over_copies_in_order() -> None:
    values = np.array([1e16, 1.0, -1e16, 1.0, 3.0, 5.0, 7.0, 11.0, 1.0, 2.0])
    lanes = [values[0] + values[8], values[1] + values[9], *values[2:8]]
    expected = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]))
    assert sum_over_copies(values) == expected


def test_memory_counts_what_every_copy_has() -> None:
    def need(copies: int) -> float:
        return memory.estimate(reader.loads(f"{MODELS}projections:\n{UP}copies: {copies}\n", "net.yaml"))

    per_copy = 5 * 2 * memory.LOOKED_AT + 6 * memory.COPIES  # r and i of five cells, x of six synapses
    assert need(11) - need(1) == 10 * per_copy * memory.BYTES_PER_VALUE
    large = MODELS.replace("size: 3", "size: 1000000") + "copies: 1000000\n"
    with pytest.raises(InvalidInput, match="GiB of memory"):
        elaborate(reader.loads(large, "net.yaml"), IDEAL)


# ------------------------------------------------------------------------------------------------------------ twins


def test_twins_are_found_by_neuron_numbers() -> None:
    program = made()
    up, back = program.projection("up"), program.projection("back")
    assert up.twin is None
    assert back.twin is not None
    assert up.pre[back.twin].tolist() == back.post.tolist()
    assert up.post[back.twin].tolist() == back.pre.tolist()
    (event,) = (e for e in program.events if e.owner == "back")
    assert {(r.array, r.at) for r in parts(event.body) if isinstance(r, Read)} == {
        *(("back.scale", "scalar"), ("up.w", "twin"), ("up.p", "scalar"))
    }


SQUARE = "  {}: {{source: a, target: a, synapse: {}, connect: {{pairs: {}}}{}}}\n"


@pytest.mark.parametrize(("twin", "index"), [("up", [0, 2, 1]), ("{of: up, transposed: true}", [1, 0, 2])])
def test_square_twins_have_a_direction(twin: str, index: list[int]) -> None:
    def pairs(first: list[list[int]], second: list[list[int]]) -> Program:
        text = MODELS + "projections:\n" + SQUARE.format("up", "learn", first, "")
        return made(text + SQUARE.format("tied", "tie", second, f", twin: {twin}"))

    own = [[0, 1], [2, 0], [1, 2]]  # sorted: 0 1, 1 2, 2 0
    its = [[pre, post] if twin == "up" else [post, pre] for pre, post in own]
    program = pairs(its, own)
    up, tied = program.projection("up"), program.projection("tied")
    assert tied.twin is not None
    ends = (up.pre, up.post) if twin == "up" else (up.post, up.pre)
    assert [end[tied.twin].tolist() for end in ends] == [tied.pre.tolist(), tied.post.tolist()]


def test_per_synapse_parameters_of_a_twin_can_be_read() -> None:
    text = MODELS + "projections:\n" + TIED + UP.replace("}", ", params: {p: {uniform: [0, 1]}}}")
    reads = {(r.array, r.at) for e in made(text).events for r in parts(e.body) if isinstance(r, Read)}
    assert ("up.p", "twin") in reads


TWIN_PROBLEMS = {
    SQUARE.format("up", "learn", "[[0, 1]]", "") + SQUARE.format("tied", "tie", "[[0, 1], [1, 0]]", ", twin: up"): (
        "net.yaml:54:88: twin of projection 'tied': 'up' has no synapse 1 -> 0, so 1 -> 0 has no twin; connect both "
        "projections alike"
    ),
    SQUARE.format("up", "learn", "[[0, 1], [0, 1]]", "") + SQUARE.format("tied", "tie", "[[0, 1]]", ", twin: up"): (
        "net.yaml:54:80: twin of projection 'tied': several synapses of 'up' join the same neurons, so that none of "
        "them has one twin; connect each pair once"
    ),
}


@pytest.mark.parametrize("text", TWIN_PROBLEMS)
def test_twins_that_do_not_fit_are_refused(text: str) -> None:
    assert problems(MODELS + "projections:\n" + text) == TWIN_PROBLEMS[text]


def test_what_every_copy_of_a_twin_has_of_its_own_is_added_up() -> None:
    text = MODELS + "projections:\n" + TIED + UP
    assert problems(text.replace("twin.p", "twin.x")) == (
        "net.yaml:48:30: every copy has a 'twin.x' of its own, and this block is computed once for all copies, because "
        "it assigns what they share or adds over them; write sum_copies(twin.x) or mean_copies(twin.x)"
    )
    assert problems(text.replace("twin.p", "twin.y")) == (
        "net.yaml:48:30: 'twin.y' is not known here; there are g, m, n, p, v, w, x"
    )
    made(text.replace("twin.p", "mean_copies(twin.x)"))


def test_what_every_copy_of_a_neuron_has_of_its_own_is_added_up() -> None:
    text = MODELS + "projections:\n" + UP
    assert problems(text.replace("0.1 * g / copies", "post.r * pre.r")) == (
        "net.yaml:39:23: every copy has a 'post.r' of its own, and this block is computed once for all copies, because "
        "it assigns what they share or adds over them; write sum_copies(post.r) or mean_copies(post.r)"
    )
    program = made(text.replace("0.1 * g / copies", "mean_copies(post.r * pre.r) * pre.b * post.lr"))
    assert "(sum_copies((post:b.r * pre:a.r)) / 5.0) * pre:a.b) * b.lr" in printer.text(program)


# --------------------------------------------------------------------------------------------------------- mismatch


def test_objects_without_mismatch_stay_as_designed() -> None:
    chip = Chip(
        name="x", arithmetic="float64", mismatch=(("rate", Deviation(sigma=0.1)), ("weight", Deviation(sigma=0.1)))
    )

    def deviating(text: str) -> set[str]:
        program = elaborate(reader.loads(text, "net.yaml"), chip, ChipInstance(chip, 3))
        return {name for name, array in program.arrays.items() if array.role == "parameter" and array.initial.ndim}

    text = MODELS + "projections:\n" + UP
    assert deviating(text) == {"a.lr", "b.lr", "up.w$circuit"}
    assert deviating(text.replace("size: 3,", "size: 3, mismatch: false,")) == {"b.lr", "up.w$circuit"}
    assert deviating(text.replace("source: a,", "source: a, mismatch: false,")) == {"a.lr", "b.lr"}


def test_what_is_new_is_written_and_read_back() -> None:
    text = MODELS.replace("size: 3,", "size: 3, mismatch: false,") + "projections:\n"
    text += TIED.replace("twin: up", "twin: {of: up, transposed: true}, mismatch: false") + UP + "copies: 3\n"
    network = reader.loads(text, "net.yaml")
    assert reader.loads(writer.to_yaml(network), "again.yaml") == network


# --------------------------------------------------------------------------------------------------------- integers


def test_a_sum_over_copies_in_integers() -> None:
    whole = quantise(made(), GENERIC8)
    kind = whole.arrays["up.g"].type
    assert kind == Int(-32768 * COPIES, 32767 * COPIES, 15)
    (store,) = (s for s in whole.projection("up").step if isinstance(s, Store) and s.array == "up.g")
    assert store.overflow == "none"
    assert isinstance(store.value, Sum)
    assert store.value.type == kind
    assert store.value.x.type == Int(-32768, 32767, 15)
    assert whole.arrays["up.n"].type == Int(0, COPIES)
    assert whole.arrays["up.w.visible"].shared
    assert whole.arrays["up.w.visible"].initial.shape == (6,)
    assert whole.arrays["a.r"].initial.shape == (3, COPIES)


def test_every_copy_rounds_its_own_part() -> None:
    step = quantise(made(), STOCHASTIC).projection("up").step
    (store,) = (s for s in step if isinstance(s, Store) and s.array == "up.g")
    assert [part.mode for part in parts((store,)) if isinstance(part, Round)] == ["stochastic"]
    assert isinstance(store.value, Sum)


def test_one_copy_is_quantised_as_ever() -> None:
    step = quantise(made(copies=1), GENERIC8).projection("up").step
    (store,) = (s for s in step if isinstance(s, Store) and s.array == "up.g")
    assert (store.overflow, store.lo, store.hi) == ("saturate", -32768, 32767)


def test_a_sum_wider_than_62_bits_is_refused() -> None:
    words = dict(GENERIC8.words)
    chip = replace(GENERIC8, words=tuple((words | {"state": replace(words["state"], bits=62)}).items()))
    assert "up.g, a sum over 5 copies, needs more than 62 bits; give the chip shorter words" in (
        str(_refused(made(), chip))
    )


def _refused(program: Program, chip: Chip) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        quantise(program, chip)
    return caught.value


def test_a_learned_value_of_every_copy_that_is_given_once_is_seen_at_once() -> None:
    text = MODELS.replace("w: {weight: true, over_copies: shared, init: 0.5", "w: {weight: true, init: 0.5")
    text = text.replace("w = w + 0.01 * m", "w = m * 8") + "projections:\n" + UP
    for chip in (GENERIC8, STOCHASTIC):
        whole = quantise(made(text), chip)
        assert whole.arrays["up.w"].initial.shape == whole.arrays["up.w.visible"].initial.shape == (6, COPIES)
        (event,) = (e for e in whole.events if e.owner == "up")
        assert event.once
        own = [r.array for r in parts(event.body) if isinstance(r, Read) and r.array.startswith("up.w")]
        assert own == []


class Copies(Machine):
    """One neuron or synapse of an integer program in each copy."""

    def __init__(self, program: Program, draws: list[int], lets: Sequence[Stmt] = ()) -> None:
        super().__init__(program)
        self.lets = lets
        self.copies = [
            {n: int(a.initial.reshape(-1)[c % a.initial.size]) for n, a in program.arrays.items()}
            for c in range(program.copies)
        ]
        self.random, self.values = draws, {}

    def _value(self, expr, temps):  # type: ignore[no-untyped-def]
        if not isinstance(expr, Sum):
            return super()._value(expr, temps)
        total = 0
        for values, draw in zip(self.copies, self.random, strict=True):
            self.values, self.draws = values, draw
            inside = dict(temps)
            for let in self.lets:
                inside[let.name] = self.value(let.value, inside)
            total += self.value(expr.x, inside)
            self.values = {}
        return total


COPY = st.tuples(*(st.integers(-32768, 32767),) * 2, st.integers(-5, 5), st.integers(0, 2**32 - 1))


def _values(copies: list[tuple[int, ...]]) -> dict[str, list[float]]:
    return {"x": [c[0] / 4096 for c in copies], "y": [c[1] / 16384 for c in copies], "k": [c[2] for c in copies]}


def _arrays(values: dict[str, list[float]]) -> list[Array]:
    return [
        array("n.x", [values["x"]], range=(-8, 8)),
        array("n.y", [values["y"]], range=(-2, 2)),
        array("n.k", [values["k"]], type=TYPES["k"]),
    ]


@settings(max_examples=100, deadline=None)
@given(TREES, st.lists(COPY, min_size=2, max_size=11), st.sampled_from([GENERIC8, GENERIC16, STOCHASTIC]))
def test_sums_over_copies_stay_in_their_bounds_and_near_their_value(
    tree: object, copies: list[tuple[int, ...]], chip: Chip
) -> None:
    values = _values(copies)
    value = fn("mul", Sum(build(tree), REAL), real(0.5))
    event = Event("go", "n", "neuron", (Let("y", value),), once=True)
    whole = quantise(program(_arrays(values), events=(event,), copies=len(copies)), chip)
    machine = Copies(whole, [c[3] for c in copies])
    (let,) = whole.events[0].body
    assert isinstance(let, Let)
    got = machine.value(let.value) * 2.0**-let.value.type.frac
    if chip is not STOCHASTIC:
        pairs = [true_value(tree, {name: v[c] for name, v in values.items()}) for c in range(len(copies))]
        assert abs(got - sum(v for v, _ in pairs) / 2) <= sum(e for _, e in pairs) + 1e-9


def _of_source(expr: Expr) -> Expr:
    """The expression as a synapse reads it from the neuron that sends."""
    return replace(expr, at="pre") if isinstance(expr, Read) else with_children(expr, _of_source)


@settings(max_examples=100, deadline=None)
@given(TREES, st.lists(COPY, min_size=2, max_size=11), st.sampled_from([GENERIC8, GENERIC16, STOCHASTIC]))
def test_sums_of_a_step_never_overflow(tree: object, copies: list[tuple[int, ...]], chip: Chip) -> None:
    values = _values(copies)
    arrays = [*_arrays(values), array("p.g", [0.0], at="synapse", range=(-0.25, 0.25), shared=True)]
    step = (Store("p.g", Sum(_of_source(build(tree)), REAL)),)
    whole = quantise(program(arrays, projections=[projection([0], [0], 1, step=step)], copies=len(copies)), chip)
    kind = whole.arrays["p.g"].type
    *lets, store = whole.projections[0].step
    assert isinstance(store, Store)
    got = Copies(whole, [c[3] for c in copies], lets).value(store.value)
    assert kind.lo <= got <= kind.hi
    assert abs(got) <= 2.0**kind.frac * 0.25 * len(copies)
