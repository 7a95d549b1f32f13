"""Lowering real programs to integers, by hand-made programs."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroport.chips import description as chips
from neuroport.chips.chip import WordRule
from neuroport.errors import InvalidInput
from neuroport.program.fixed import decode
from neuroport.program.ir import (
    BOOL,
    REAL,
    Apply,
    Const,
    Int,
    Let,
    Random,
    Read,
    Round,
    Send,
    Store,
    Temp,
    parts,
)
from neuroport.program.machine import Array, Derived, Injection, Readout, Series
from neuroport.quantise.program import quantise, visible
from tests.support.quantising import (
    GENERIC8,
    GENERIC16,
    LOIHI,
    TREES,
    Machine,
    array,
    build,
    fn,
    program,
    projection,
    read,
    real,
    true,
)


def _is_help(stmt):
    """A name that the quantiser gave to a value that it needs twice."""
    return isinstance(stmt, Let) and stmt.name.startswith("$q")


def refused(made, chip=GENERIC8):
    with pytest.raises(InvalidInput) as caught:
        quantise(made, chip)
    return [p.text for p in caught.value.problems]


def lines(made, topic):
    return [line.text for line in made.report if line.topic == topic]


# -------------------------------------------------------------------------------------------------------- formats


def test_a_linear_network_of_two_variables_by_hand():
    """x := 0.75 x + 0.25 y, y := y - 0.5 x in Q(16,14) from x = 1, y = -1, rounded to nearest."""
    x, y = read("n.x"), read("n.y")
    body = [
        Store("n.x", fn("add", fn("mul", real(0.75), x), fn("mul", real(0.25), y))),
        Store("n.y", fn("sub", y, fn("mul", real(0.5), x))),
    ]
    made = quantise(program([array("n.x", 1.0, range=(-2, 2)), array("n.y", -1.0, range=(-2, 2))], body), GENERIC8)
    assert made.integer and made.chip == "generic8"
    assert made.arrays["n.x"].type == Int(-(2**15), 2**15 - 1, 14)
    machine = Machine(made)
    assert machine.values == {"n.x": 16384, "n.y": -16384}
    machine.step()  # x = (3 * 16384 - 16384) / 4 = 8192; y = -16384 - 8192 / 2
    assert machine.values == {"n.x": 8192, "n.y": -20480}
    machine.step()  # x = (3 * 8192 - 20480) / 4 = 1024; y = -20480 - 512
    assert machine.values == {"n.x": 1024, "n.y": -20992}
    machine.step()  # x = (3072 - 20992) / 4 = -4480; y = -20992 + 2240
    assert machine.values == {"n.x": -4480, "n.y": -18752}


def test_the_current_of_loihi_decays_as_on_the_chip():
    """u = trunc0(u (4096 - 1024) / 4096) + a, 7936 at steps 0 and 2 (arithmetic.md, golden values)."""
    u, a = read("n.u"), read("n.a")
    kept = fn("mul", u, real(3072 / 4096))
    arrays = [array("n.u", 0.0, range=(-(2**23), 2**23)), array("n.a", 0.0, range=(-(2**23), 2**23))]
    made = quantise(program(arrays, [Store("n.u", kept), Store("n.u", fn("add", u, a))]), LOIHI)
    machine, seen = Machine(made), []
    for t in range(17):
        machine.values["n.a"] = 7936 if t in (0, 2) else 0
        machine.step()
        seen.append(machine.values["n.u"])
    golden = "7936 5952 12400 9300 6975 5231 3923 2942 2206 1654 1240 930 697 522 391 293 219"
    assert seen == [int(v) for v in golden.split()]


def test_parameters_take_the_largest_frac_or_an_exact_one():
    arrays = [
        array("n.half", 0.5, "parameter", "scalar"),
        array("n.zero", 0.0, "parameter", "scalar"),
        array("n.tenth", 0.1, "parameter", "scalar"),
        array("n.rate", 0.1, "parameter", "scalar", dynamic=True, range=(0, 2)),
        array("n.steps", 50, "parameter", "scalar", type=Int(1, 1000)),
    ]
    made = quantise(program(arrays), GENERIC8)
    shown = {n.split(".")[1]: (a.type.frac, a.initial.item()) for n, a in made.arrays.items()}
    assert shown == {
        "half": (1, 1),
        "zero": (0, 0),
        "tenth": (27, round(0.1 * 2**27)),
        "rate": (22, round(0.1 * 2**22)),
        "steps": (0, 50),
    }
    assert made.arrays["n.rate"].type == Int(0, 2**23, 22)


def test_a_real_variable_without_a_range_is_refused():
    assert refused(program([array("n.v")])) == [
        "n.v has no range, so no integer format can be chosen for it on chip 'generic8'; "
        "add `range: [lowest, highest]` to it in its model, or under `ranges:` in the network file, "
        "as `neuroport calibrate` does"
    ]


def test_an_int_without_bounds_is_refused():
    assert refused(program([array("n.k", 3, type=Int())])) == [
        "n.k is an int without bounds, or with more than 62 bits; "
        "declare `range: [lowest, highest]` for it in its model, or under `ranges:` in the network file, "
        "as `neuroport calibrate` does"
    ]


def test_values_that_are_not_finite_are_refused():
    assert refused(program([array("n.v", math.nan, range=(0, 1))])) == [
        "n.v holds a value that is not finite; give it finite numbers"
    ]


def test_every_problem_is_told_at_once():
    assert len(refused(program([array("n.v"), array("n.w"), array("n.k", 3, type=Int())]))) == 3


def test_saturated_and_vanished_values_are_reported():
    arrays = [array("p.w", [1.0, 0.001, -0.5], "weight", "synapse"), array("n.v", [3.0, 1.0], range=(-1, 1))]
    body = [Send("n.i", read("p.w"))]
    inputs = [array("n.i", 0.0, "input")]
    synapses = projection([0] * 3, [0] * 3, 2, body)
    made = quantise(program(arrays + inputs, size=2, projections=[synapses]), GENERIC8)
    assert lines(made, "zero") == ["1 of 3 weights became zero"]
    assert made.arrays["p.w"].initial.tolist() == [64, 0, -32], "1 is exact"
    assert made.arrays["n.v"].initial.tolist() == [2**15 - 1, 2**15 - 1]
    assert [text.split(" (")[0] for text in lines(made, "saturated")] == [
        "1 values do not fit and are held at the end of the format"
    ], "the upper end of the range is not one of them"


def test_a_circuit_beyond_those_of_the_description_stands_at_the_end_of_the_format():
    weights = array("p.w", [1.0, 2.0, 9.0], "weight", "synapse", designed=(0.5, 4.0))
    made = quantise(
        program(
            [weights, array("n.i", 0.0, "input")],
            projections=[projection([0] * 3, [0] * 3, 1, [Send("n.i", read("p.w"))])],
        ),
        GENERIC8,
    )
    kind, raw = made.arrays["p.w"].type, made.arrays["p.w"].initial
    assert (kind.lo, kind.hi) == (0, 255) and raw.tolist() == [32, 64, 255]
    assert [text.split(" (")[0] for text in lines(made, "saturated")] == [
        "1 values do not fit and are held at the end of the format"
    ]


def test_an_ideal_chip_changes_nothing_but_the_precision():
    made = program([array("n.v")])
    assert quantise(made, chips.load("ideal32")).precision == "float32"
    assert quantise(made, chips.load("ideal")).arrays is made.arrays


# ---------------------------------------------------------------------------------------------------- assignments


def test_a_store_saturates_only_where_it_can():
    x = read("n.x")
    body = [Store("n.x", fn("mul", x, real(0.5))), Store("n.x", fn("add", x, real(1.5)))]
    made = quantise(program([array("n.x", 1.9, range=(-2, 2))], body), GENERIC8)
    stores = [s for s in made.populations[0].body if isinstance(s, Store)]
    assert [s.overflow for s in stores] == ["none", "saturate"]
    machine = Machine(made)
    for _ in range(5):
        machine.step()
    assert machine.saturated == 5 and machine.values["n.x"] == 2**15 - 1


def test_a_value_that_is_the_end_of_its_range_is_not_counted_as_one_beyond_it():
    body = [Store("n.x", real(2.0)), Store("n.y", real(2.0)), Store("n.x", read("n.z"))]
    arrays = [array("n.x", range=(-2, 2)), array("n.y", range=(0, 2)), array("n.z", 2.0, range=(0, 2.5))]
    made = quantise(program(arrays, body), GENERIC8)
    machine = Machine(made)
    machine.step()
    assert machine.saturated == 0
    assert (machine.values["n.x"], machine.values["n.y"]) == (2**15 - 1, 2**15), "without a sign the end is exact"


def test_stochastic_rounding_names_a_stream_per_site():
    chip = chips.load("generic8_stochastic")
    x = read("n.x")
    body = [Store("n.x", fn("mul", x, real(0.3))), Store("n.x", fn("mul", x, real(0.7)))]
    made = quantise(program([array("n.x", 1.0, range=(-2, 2))], body), chip)
    streams = [e.stream for e in parts(made.populations[0].body) if isinstance(e, Round) and e.mode == "stochastic"]
    assert len(streams) == len(set(streams)) == 2


def test_stochastic_rounding_drops_at_most_32_bits():
    chip = chips.load("generic8_stochastic")
    a, b = (read(f"n.{n}") for n in "ab")
    arrays = [array("n.x", 0.0, range=(-2, 2))]
    arrays += [array(f"n.{n}", 0.5, range=(-1, 1), kind_class="plastic") for n in "ab"]
    made = quantise(program(arrays, [Store("n.x", fn("mul", a, b))]), chip)
    rounds = [(e.mode, e.shift) for e in parts(made.populations[0].body) if isinstance(e, Round)]
    assert rounds == [("nearest", 16), ("stochastic", 32)]


def test_a_plastic_weight_is_sent_by_its_visible_part():
    w = read("p.w")
    arrive = [
        Send("n.i", w),
        Let("more", fn("gt", w, real(-1), type_=BOOL)),
        Store("p.w", fn("add", w, real(2.0**-20)), Temp("more", BOOL)),
    ]
    arrays = [
        array("p.w", [0.5], "weight", "synapse", kind_class="plastic", range=(-2, 2)),
        array("n.i", [0.0], "input"),
    ]
    made = quantise(program(arrays, projections=[projection([0], [0], 1, arrive)]), GENERIC8)
    assert made.arrays["p.w"].type.frac == 30
    assert made.arrays["p.w.visible"].type == Int(-128, 127, 6)
    assert made.arrays["p.w.visible"].initial.tolist() == [32]
    send, _, hidden, shown = (s for s in made.projections[0].arrive if not _is_help(s))
    assert send.value == Read("p.w.visible", "own", Int(-128, 127, 6))
    assert [hidden.array, shown.array] == ["p.w", "p.w.visible"]
    assert shown.guard == hidden.guard == Temp("more", BOOL)
    (rounded,) = (s.value for s in made.projections[0].arrive if _is_help(s) and isinstance(s.value, Round))
    assert (rounded.shift, rounded.mode) == (24, "nearest")
    assert visible(made, "p.w", np.array([2**29, -(2**31), 2**31 - 1])).tolist() == [32, -128, 127]


def test_a_guard_that_the_store_changes_is_taken_before_it():
    w = read("p.w")
    arrive = [Store("p.w", fn("neg", w), fn("gt", w, real(0), type_=BOOL))]
    arrays = [array("p.w", [0.5], "weight", "synapse", kind_class="plastic", range=(-2, 2))]
    made = quantise(program(arrays, projections=[projection([0], [0], 1, arrive)]), GENERIC8)
    named, hidden, shown = (s for s in made.projections[0].arrive if not _is_help(s) or s.value.type == BOOL)
    assert isinstance(named, Let) and hidden.guard == shown.guard == Temp(named.name, BOOL)


def test_loihi_weights_of_one_sign_have_nine_bits_of_range():
    def weights(values):
        arrays = [array("p.w", values, "weight", "synapse")]
        made = quantise(program(arrays, projections=[projection([0] * len(values), [0] * len(values), 1)]), LOIHI)
        return made.arrays["p.w"].initial.tolist(), made.arrays["p.w"].type.frac

    assert weights([1.0, 0.5]) == ([255, 128], 8)
    assert weights([-1.0, -0.25]) == ([-255, -64], 8)
    assert weights([1.0, -0.25]) == ([254, -64], 8)


def test_loihi_whole_number_weights():
    def made(values):
        arrays = [array("p.w", values, "weight", "synapse", type=Int(-256, 255))]
        return program(arrays, projections=[projection([0] * len(values), [0] * len(values), 1)])

    assert quantise(made([124]), LOIHI).arrays["p.w"].initial.tolist() == [124]
    assert quantise(made([7, -7]), LOIHI).arrays["p.w"].initial.tolist() == [6, -6]
    assert refused(made([255, -2]), LOIHI) == [
        "p.w holds weights from -2 to 255; this chip has -256..254 in steps of 2 for projections of mixed sign; "
        "rescale them"
    ]


# ---------------------------------------------------------------------------------------------------------- inputs


def sending(values, chip=GENERIC8, **input_):
    """Three neurons; synapses 0->2 and 1->2 send the given weights, 0->1 the last."""
    arrays = [array("p.w", values, "weight", "synapse"), array("n.i", np.zeros(3), "input", **input_)]
    made = program(arrays, size=3, projections=[projection([0, 0, 1], [1, 2, 2], 3, [Send("n.i", read("p.w"))])])
    return quantise(made, chip)


def test_an_input_holds_the_largest_sum_exactly():
    made = sending([0.25, 0.75, 0.5])
    assert made.arrays["p.w"].initial.tolist() == [64, 192, 128]
    assert made.arrays["n.i"].type == Int(0, 2 * 2 * 192, 8), "any two weights of the format; the host may add as much"
    assert made.projections[0].arrive[0].value == Read("p.w", "own", Int(0, 192, 8))


def test_an_input_too_wide_for_the_accumulator_loses_bits():
    words = tuple((k, WordRule(bits=8)) if k == "accumulator" else (k, r) for k, r in GENERIC8.words)
    made = sending([1.0, 1.0, 1.0], replace(GENERIC8, words=words))
    assert made.arrays["n.i"].type.frac == 5
    assert lines(made, "rounded") == ["values sent to it lose up to 2 bits to the accumulator's format"]
    assert isinstance(made.projections[0].arrive[0].value, Round)


def test_a_declared_range_that_sums_exceed_saturates_on_reading():
    words = tuple((k, WordRule(bits=8)) if k == "accumulator" else (k, r) for k, r in GENERIC8.words)
    arrays = [
        array("p.w", [1.0] * 4, "weight", "synapse"),
        array("n.i", [0.0], "input", range=(-1, 1)),
        array("n.x", [0.0], range=(-4, 4)),
    ]
    body = [Store("n.x", read("n.i"))]
    made = quantise(
        program(arrays, body, projections=[projection([0] * 4, [0] * 4, 1, [Send("n.i", read("p.w"))])]),
        replace(GENERIC8, words=words),
    )
    assert made.arrays["n.i"].type == Int(-128, 512 + 127, 7), "what arrives, and what the host may add"
    limit = made.populations[0].body[0]
    assert (limit.array, limit.guard, limit.overflow, limit.lo, limit.hi) == ("n.i", None, "saturate", -128, 127)
    total = Read("n.i", "own", Int(-128, 639, 7))
    assert limit.value.args[2] == total and limit.value.args[1].value == 127, "1 itself is held at the end, uncounted"
    assert "a sum beyond the word saturates and is counted when it is read" in lines(made, "format")[-1]


def test_stimuli_count_toward_the_sum():
    arrays = [array("n.i", np.zeros(2), "input")]
    injection = Injection("s", "n.i", np.array([0, 0, 5]), np.array([1, 1, 1]), np.array([1.5, 1.5, -1.0]))
    series = Series("r", "n.i", np.array([[0.25, 0.0], [-0.5, 0.0]]), 1)
    made = quantise(program(arrays, size=2, injections=(injection,), series=(series,)), GENERIC8)
    assert made.arrays["n.i"].type == Int(2 * -4, 2 * 12, 2), "the host may add as much again"
    assert made.injections[0].values.tolist() == [6, 6, -4]
    assert made.series[0].table.tolist() == [[1, 0], [-2, 0]]


# ------------------------------------------------------------------------------------------------------- expressions


def expression(value, arrays, chip=GENERIC16):
    """A machine whose body names the value "y" (a float: its real value) and the type of y."""
    made = quantise(program(arrays, [Let("y", value)]), chip)
    machine, temps = Machine(made), {}
    for stmt in made.populations[0].body:
        temps[stmt.name] = machine.value(stmt.value, temps)
    type_ = made.populations[0].body[-1].value.type
    return temps["y"] * 2.0**-type_.frac if isinstance(type_, Int) else temps["y"], made


FUNCTIONS = {
    "exp": math.exp,
    "exprel": lambda x: math.expm1(x) / x if x else 1.0,
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "log": math.log,
    "sqrt": math.sqrt,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=40, deadline=None)
@given(x=st.floats(-7.9, 7.9))
def test_tables_interpolate_within_their_stated_error(name, x):
    value = abs(x) + 0.25 if name in ("log", "sqrt") else x
    arg = fn("max", read("n.x"), real(0.25)) if name in ("log", "sqrt") else read("n.x")
    y, made = expression(fn(name, arg), [array("n.x", value, range=(-8.2, 8.2))])
    (table,) = [line for line in made.report if line.topic == "table"]
    held = decode(made.arrays["n.x"].initial, made.arrays["n.x"].type.frac).item()
    true = FUNCTIONS[name](held)
    if table.subject.endswith("!normal"):
        unit = 2.0 ** -made.populations[0].body[-1].value.type.frac
        assert abs(y - true) <= 1.05 * table.values["error"] * max(true, 1) + 0.51 * unit
    else:
        assert abs(y - true) <= 1.05 * table.values["error"] + 2 * 2.0 ** -table.values["frac"]


@pytest.mark.parametrize("x", [-31.9, -20.0, 15.0, 31.9])
def test_a_saturated_function_is_clipped_to_its_table(x):
    y, made = expression(fn("sigmoid", read("n.x")), [array("n.x", x, range=(-32, 32))])
    assert abs(y - 1 / (1 + math.exp(-x))) < 2e-4 * min(1, 20 * math.exp(x)) + 2.0**-30
    (name,) = made.tables
    assert len(made.tables[name]) <= 1026


def test_a_coarse_argument_gets_an_exact_table():
    """Argument in eighths: every value has its own entry, nothing is interpolated."""
    arrays = [array("n.k", 9, type=Int(-40, 40))]
    value = fn("exp", fn("mul", fn("to_real", read("n.k", type_=Int(-40, 40))), real(0.125)))
    y, made = expression(value, arrays)
    assert y == pytest.approx(math.exp(9 / 8), abs=2.0**-24)
    assert len(made.tables["exp_0"]) == 81
    assert not [e for e in parts(made.populations[0].body) if isinstance(e, Round)]


def test_equal_functions_share_a_table():
    x = read("n.x")
    _, made = expression(fn("add", fn("exp", x), fn("exp", x)), [array("n.x", 0.5, range=(-1, 1))])
    assert list(made.tables) == ["exp_0"]


def test_functions_outside_their_domain_are_refused():
    x = [array("n.x", 0.5, range=(-1, 1))]
    assert refused(program(x, [Let("y", fn("log", read("n.x")))])) == [
        "n.update: log(n.x) of a value that can be as small as -1; keep it above 0, for example with max(x, 0.001)"
    ]
    assert refused(program(x, [Let("y", fn("div", real(1), read("n.x")))])) == [
        "n.update: in (1.0 / n.x) the divisor, in -1..0.999969, can be 0; "
        "keep it away from 0, for example with max(x, 0.001), or write a / b if b > 0.001 else ..."
    ]
    assert refused(program([array("n.x", 1.0, range=(0, 2000))], [Let("y", fn("exp", read("n.x")))])) == [
        "n.update: exp(n.x) of a value that can be as large as 2000; limit it, for example with min(x, 10)"
    ]


def test_division_by_a_parameter_becomes_a_coefficient():
    arrays = [array("n.x", 1.5, range=(-2, 2)), array("n.tau", 20.0, "parameter", "scalar")]
    y, made = expression(fn("div", read("n.x"), read("n.tau", "scalar")), arrays)
    assert y == pytest.approx(1.5 / 20, rel=1e-6)
    assert made.arrays["n.$recip0"].role == "parameter" and made.derived == ()


def test_division_by_a_dynamic_parameter_is_derived_again_at_switches():
    tau = array("n.tau", 20.0, "parameter", "scalar", dynamic=True, range=(10, 40))
    arrays = [array("n.x", 1.5, range=(-2, 2)), tau]
    y, made = expression(fn("div", read("n.x"), read("n.tau", "scalar")), arrays)
    assert y == pytest.approx(1.5 / 20, rel=1e-6)
    (derived,) = made.derived
    assert (derived.array, derived.value) == ("n.$recip0", fn("div", real(1), read("n.tau", "scalar")))
    kind = made.arrays["n.$recip0"].type
    assert derived.type == kind and kind.lo * 2.0**-kind.frac == pytest.approx(1 / 40, rel=1e-6)
    assert made.constants["n.tau"] == 20.0


def test_division_by_the_length_of_a_run_uses_its_range():
    long = Array("$run.T", "$run", "scalar", "state", Int(0, 2**62), np.array(50_000), range=(50_000, 2_000_000))
    count = array("n.k", 1000, type=Int(0, 4000))
    value = fn("div", fn("to_real", read("n.k", type_=Int(0, 4000))), fn("to_real", Read("$run.T", "scalar", Int())))
    y, made = expression(value, [count, long])
    assert y == pytest.approx(1000 / 50_000, rel=1e-5)
    assert made.arrays["$run.T"].type == Int(50_000, 2_000_000)
    assert made.arrays["n.$recip0"].range == pytest.approx((1 / 2_000_000, 1 / 50_000))


def test_derived_parameters_are_bounded_by_the_ranges_of_what_they_follow_from():
    rate = array("n.rate", 0.1, "parameter", "scalar", dynamic=True, range=(0.0, 0.5))
    kept = array("n.keep", 0.9, "parameter", "scalar", dynamic=True)
    follows = Derived("n.keep", fn("sub", real(1), read("n.rate", "scalar")))
    made = quantise(program([rate, kept], derived=(follows,), constants={"n.rate": np.array(0.1)}), GENERIC8)
    assert made.arrays["n.keep"].type == Int(2**22, 2**23, 23)
    assert made.derived[0].type == made.arrays["n.keep"].type


def test_other_divisions_are_rounded_integer_divisions():
    arrays = [array("n.x", 1.5, range=(-2, 2)), array("n.y", 0.7, range=(0, 1))]
    y, made = expression(fn("div", read("n.x"), fn("max", read("n.y"), real(0.5))), arrays)
    assert y == pytest.approx(1.5 / 0.7, rel=1e-6)
    assert any(isinstance(e, Apply) and e.fn == "round_div" for e in parts(made.populations[0].body))


def test_a_wide_divisor_is_narrowed_so_that_the_quotient_keeps_its_bits():
    arrays = [array(f"n.{n}", 0.5, range=(-1, 1), kind_class="plastic") for n in ("a", "b")]
    wide = fn("max", fn("add", real(0.5), fn("mul", read("n.a"), read("n.b"))), real(0.1))
    y, made = expression(fn("div", fn("add", read("n.a"), real(0.3)), wide), arrays)
    assert y == pytest.approx(0.8 / 0.75, rel=1e-6)
    (line,) = (text for text in lines(made, "width") if text.startswith("a division"))
    assert line.startswith("a division would need more than 62 bits: its operands are rounded by ")


def test_constant_functions_of_parameters_are_coefficients():
    arrays = [array("n.tau", 20.0, "parameter", "scalar")]
    y, made = expression(fn("exp", fn("neg", fn("div", real(1), read("n.tau", "scalar")))), arrays)
    assert y == pytest.approx(math.exp(-1 / 20), rel=1e-6) and not made.tables


def test_products_beyond_62_bits_round_an_operand_and_say_so():
    a, b = read("n.a"), read("n.b")
    arrays = [array(f"n.{n}", v, range=(-1, 1), kind_class="plastic") for n, v in (("a", 0.3), ("b", -0.7))]
    y, made = expression(fn("mul", fn("mul", a, b), a), arrays)
    assert y == pytest.approx(0.3 * 0.3 * -0.7, rel=1e-8)
    assert lines(made, "width") == [
        "a product would need more than 62 bits: its operands are rounded by 31 bits together before it"
    ]


def test_a_probability_is_compared_with_32_random_bits():
    arrays = [array("n.x", -9.0, range=(-16, 16))]
    value = fn("lt", Random(7, REAL), fn("sigmoid", read("n.x")), type_=BOOL)
    _, made = expression(value, arrays, GENERIC8)
    draw, probability = made.populations[0].body[-1].value.args
    assert draw.type == Int(0, 2**32 - 1, 32)
    assert probability.type.frac == 32


def test_readouts_are_lowered_without_lets():
    bit = fn("gt", fn("sigmoid", read("n.x")), real(0.5), type_=BOOL)
    made = program([array("n.x", 1.0, range=(-8, 8))], readouts=(Readout("r", "n", bit, 1, 0),))
    lowered = quantise(made, GENERIC8)
    assert Machine(lowered).value(lowered.readouts[0].bit) is True


def test_truth_values_count_as_numbers():
    value = fn("add", fn("gt", read("n.x"), real(0), type_=BOOL), Const(2, Int(2, 2)))
    assert expression(value, [array("n.x", 1.0, range=(-8, 8))])[0] == 3


# A random tree over x, y, k; its float value beside its integer one.


@settings(max_examples=150, deadline=None)
@given(TREES, st.integers(-32768, 32767), st.integers(-32768, 32767), st.integers(-5, 5), st.sampled_from([8, 16]))
def test_random_expressions_stay_in_their_bounds_and_near_their_value(tree, x, y, k, width):
    values = {"x": x / 4096, "y": y / 16384, "k": k}
    arrays = [
        array("n.x", values["x"], range=(-8, 8)),
        array("n.y", values["y"], range=(-2, 2)),
        array("n.k", k, type=Int(-5, 5)),
    ]
    got, _ = expression(build(tree), arrays, GENERIC8 if width == 8 else GENERIC16)
    wanted, error = true(tree, values)
    assert abs(got - wanted) <= error + 1e-9


# ---------------------------------------------------------------------------------------------------------- refusals


def plain(name, *args):
    """An int expression over n.k."""
    return fn(name, read("n.k", type_=Int(-5, 5)), *args, type_=Int())


def whole(value):
    return Const(value, Int(value, value))


KEPT = [array("n.k", 1, type=Int(-5, 5))]


def test_constants_that_are_not_finite_are_refused():
    assert refused(program(KEPT, [Let("y", real(math.inf))])) == [
        "n.update: a constant is inf; integers have no infinity or NaN"
    ]


def test_ints_beyond_62_bits_are_refused():
    assert refused(program(KEPT, [Let("y", plain("shl", whole(61)))])) == [
        f"n.update: shl can reach {5 * 2**61}, which needs more than 62 bits; "
        "narrow the ranges of what it is computed from"
    ]


def test_shifts_by_a_number_of_bits_that_no_word_has_are_refused():
    ends = "its number of bits goes from 0 to 62: give what it is taken from a range within that"
    assert refused(program(KEPT, [Let("y", plain("shr", read("n.k", type_=Int(-5, 5))))])) == [
        f"n.update: 'shr' by -5..5 bits; {ends}"
    ]
    assert refused(program(KEPT, [Let("y", plain("shr", whole(63)))])) == [f"n.update: 'shr' by 63 bits; {ends}"]


def test_parameters_that_make_a_constant_infinite_are_refused():
    tau = array("n.tau", 0.0, "parameter", "scalar")
    assert refused(program([tau], [Let("y", fn("log", read("n.tau", "scalar")))])) == [
        "n.update: a constant computed from n.tau is not finite"
    ]
    assert refused(program([tau], [Let("y", fn("div", real(1), read("n.tau", "scalar")))])) == [
        "n.update: in (1.0 / n.tau) the divisor, in 0..0, can be 0; "
        "keep it away from 0, for example with max(x, 0.001), or write a / b if b > 0.001 else ..."
    ]


def test_a_derived_parameter_without_bounds_is_refused():
    rate = array("n.rate", 0.5, "parameter", "scalar", dynamic=True, range=(0.0, 1.0))
    inverse = array("n.inverse", 2.0, "parameter", "scalar", dynamic=True)
    made = program([rate, inverse], derived=(Derived("n.inverse", fn("div", real(1), read("n.rate", "scalar"))),))
    assert refused(made) == [
        "n.inverse = (1.0 / n.rate) can become infinite within the ranges of the parameters that it follows from; "
        "narrow their ranges"
    ]


def test_a_parameter_that_its_range_leaves_nothing_of_is_told():
    rate = array("n.rate", -4.0, "parameter", "scalar", dynamic=True, range=(-20.0, 20.0))
    grown = array("n.grown", math.exp(-4), "parameter", "scalar", dynamic=True)
    follows = Derived("n.grown", fn("exp", read("n.rate", "scalar")))
    made = program([rate, grown], derived=(follows,), constants={"n.rate": np.array(-4.0)})
    assert lines(quantise(made, GENERIC8), "lost") == [
        "= exp(n.rate) is 0.0183156 at the start and may be 2.06115e-09..4.85165e+08, so that it is held in steps of "
        "0.25 and 100 % off; narrow its range, or that of what it follows from"
    ]


def test_a_product_that_would_be_too_coarse_is_refused():
    x, u = read("n.x"), read("n.u")
    arrays = [array("n.x", 0.5, range=(-1e6, 1e6)), array("n.u", 0.5, range=(0, 1)), array("n.y", range=(0, 1))]
    body = [Store("n.y", fn("mul", fn("mul", fn("mul", x, x), x), u))]
    (text,) = refused(program(arrays, body), GENERIC16)
    assert text.startswith("n.update: a product of values in ") and "does not fit 62 bits" in text


def test_a_stimulus_that_is_not_finite_is_refused():
    series = Series("r", "n.i", np.array([[np.nan]]), 1)
    assert refused(program([array("n.i", [0.0], "input")], series=(series,))) == [
        "a stimulus of n.i holds a value that is not finite; give it finite numbers"
    ]


def test_sums_that_no_accumulator_holds_are_refused():
    huge = Series("r", "n.i", np.array([[2**61]] * 2), 1), Series("s", "n.i", np.array([[2**62]] * 2), 1)
    made = program([array("n.i", [0], "input", type=Int())], series=huge)
    assert refused(made) == [
        "the sum that can arrive at n.i needs more than 62 bits; give the input a range or narrow what is sent"
    ]


def test_a_chip_whose_accumulator_must_not_overflow_refuses_sums_that_could():
    rule = WordRule(bits=8, overflow="error")
    words = tuple((k, rule) if k == "accumulator" else (k, r) for k, r in GENERIC8.words)
    made = program([array("n.i", [0], "input", type=Int())], series=(Series("r", "n.i", np.array([[200]]), 1),))
    assert refused(made, replace(GENERIC8, words=words)) == [
        "the sum that can arrive at n.i, 0..200, does not fit the chip's accumulator of 8 bits; "
        "declare a wider range for the input or send less"
    ]


def test_whole_number_weights_too_large_for_loihi_are_refused():
    arrays = [array("p.w", [300], "weight", "synapse", type=Int(0, 400))]
    assert refused(program(arrays, projections=[projection([0], [0], 1)]), LOIHI) == [
        "p.w holds weights from 300 to 300; this chip has 0..255; rescale them"
    ]


def test_a_parameter_too_small_for_any_format_is_refused():
    assert refused(program([array("n.tiny", 1e-310, "parameter", "scalar")])) == [
        "n.tiny is 1e-310, too small for any number format; rescale it"
    ]


def test_a_projection_without_synapses_need_not_fit_into_what_arrives():
    """As fine as 2^-65 is what arrives: a weight of up to 4 that no synapse has could not be held so."""
    arrays = [
        array("p.w", [1e-15], "weight", "synapse"),
        array("q.w", np.zeros(0), "weight", "synapse", kind_class="plastic", range=(0, 4)),
        array("n.i", [0.0], "input"),
    ]
    sent, never = projection([0], [0], 1, [Send("n.i", read("p.w"))]), [Send("n.i", read("q.w"))]
    empty = replace(projection([], [], 1, never), name="q")
    made = quantise(program(arrays, projections=[sent, empty]), GENERIC16)
    assert made.projections[1].arrive[0].value == Const(0, Int(0, 0, made.arrays["n.i"].type.frac))
