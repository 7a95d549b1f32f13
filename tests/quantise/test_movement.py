"""What is told of decays and increments before a run is what the integers do."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroport.chips.chip import WordRule
from neuroport.program.ir import BOOL, REAL, Let, Random, Store, Temp
from neuroport.quantise.program import quantise
from tests.support.quantising import GENERIC8, Machine, array, fn, program, read, real

LEAK = fn(
    "add", read("n.rest", "scalar"), fn("mul", fn("sub", read("n.x"), read("n.rest", "scalar")), read("n.k", "scalar"))
)
EULER = fn("add", read("n.x"), fn("mul", read("n.k", "scalar"), fn("sub", read("n.rest", "scalar"), read("n.x"))))
PLAIN = fn("mul", read("n.x"), read("n.k", "scalar"))


def chip(**word):
    """generic8 with another word for states."""
    words = tuple((kind, WordRule(**word)) if kind == "state" else (kind, rule) for kind, rule in GENERIC8.words)
    return replace(GENERIC8, words=words)


def made(value, k, chip, rest=0.0, limits=(-1.0, 1.0), **more):
    """A neuron whose x becomes `value` in every step."""
    arrays = [array("n.x", 0.0, range=limits)]
    arrays += [array("n.k", k, "parameter", "scalar"), array("n.rest", rest, "parameter", "scalar")]
    return quantise(program(arrays, [Store("n.x", value)], **more), chip)


def told(program, topic):
    (line,) = [line for line in program.report if (line.subject, line.topic) == ("n.x", topic)]
    return line


def after_a_step(program, raw):
    machine = Machine(program)
    machine.values["n.x"] = raw
    machine.step()
    return machine.values["n.x"]


CHAINED = {"of what it is": read("n.x"), "of another": read("n.k", "scalar"), "of a draw": Random(7, REAL)}


@pytest.mark.parametrize("first", CHAINED.values(), ids=CHAINED)
def test_names_that_build_on_each_other_are_followed_once_each(first):
    """Were each followed wherever it stands, these 60 would take longer than anybody has."""
    lets = [Let("l0", first)]
    for k in range(60):
        before = Temp(f"l{k}", REAL)
        lets.append(Let(f"l{k + 1}", fn("sub", before, fn("mul", before, real(0.25)))))
    moved = fn("add", fn("mul", read("n.x"), real(0.5)), fn("mul", Temp("l60", REAL), real(0.001)))
    arrays = [array("n.x", 0.0, range=(-1, 1)), array("n.k", 0.5, "parameter", "scalar")]
    made = quantise(program(arrays, [*lets, Store("n.x", moved)]), GENERIC8)
    assert any(line.subject == "n.x" for line in made.report)


ROUNDINGS = ("nearest", "nearest_even", "floor", "toward_zero")


@pytest.mark.parametrize("value", [LEAK, EULER], ids=["leak", "euler"])
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_where_it_is_told_to_stop_it_stops(rounding, value):
    factor = math.exp(-1 / 300) if value is LEAK else -math.expm1(-1 / 300)
    program = made(value, factor, chip(bits=12, rounding=rounding), rest=0.25)
    line = told(program, "stall")
    unit = 2.0 ** -program.arrays["n.x"].type.frac
    still = [raw for raw in range(-2048, 2048) if after_a_step(program, raw) == raw]
    farthest = max(abs(raw * unit - 0.25) for raw in still)
    assert line.values["level"] == pytest.approx(farthest, abs=unit)
    assert line.notice and line.text.startswith(f"stops decaying {line.values['level']:.3g} from its rest, ")


def test_a_decay_of_whole_steps_begins_where_it_is_told_to():
    program = made(PLAIN, math.exp(-1 / 50), chip(bits=16, min_step=True))
    line = told(program, "stall")
    level, unit = line.values["level"], 2.0 ** -program.arrays["n.x"].type.frac
    below = range(1, int(level / unit))
    assert all(after_a_step(program, raw) == raw - 1 for raw in below), "by one unit, down to zero"
    assert after_a_step(program, int(1.6 * level / unit)) <= int(1.6 * level / unit) - 2
    assert not line.notice and line.text == "falls by whole steps of 3.05e-05 below 0.00154, 0.077 % of its range of 2"


def test_a_threshold_that_falls_too_fast_is_told_as_fast_as_it_falls():
    """Diehl & Cook 2015: .05 mV per spike, and a time constant of 10^7 ms in steps of half one."""
    increment = fn("add", read("n.x"), real(0.05))
    raised = fn("select", fn("gt", read("n.x"), real(40.0), type_=BOOL), increment, read("n.x"))
    value = fn("mul", raised, read("n.k", "scalar"))
    program = made(value, math.exp(-0.5 / 1e7), chip(bits=24, min_step=True), limits=(0.0, 64.0))
    line = told(program, "stall")
    unit, rate = line.values["unit"], line.values["rate"]
    start = round(0.05 / unit)
    measured = (start - after_a_step(program, start)) * unit / (0.05 * rate)
    assert float(line.text.split(": ")[1].split(" times")[0]) == pytest.approx(measured, rel=0.01)
    assert line.notice and line.text.endswith("times too fast at an increment of 0.05")


def test_draws_make_a_decay_right_on_average_and_nothing_is_told():
    program = made(PLAIN, math.exp(-1 / 300), chip(bits=12, rounding="stochastic"))
    assert [line.topic for line in program.report if line.subject == "n.x" and line.topic == "stall"] == []


@given(st.floats(2, 1e5), st.integers(6, 20), st.sampled_from([LEAK, EULER, PLAIN]))
@settings(max_examples=100, deadline=None)
def test_the_error_of_a_time_constant_is_that_of_the_factor_which_the_chip_holds(tau, bits, value):
    words = tuple((k, WordRule(bits=bits)) if k == "coefficient" else (k, r) for k, r in GENERIC8.words)
    factor = -math.expm1(-1 / tau) if value is EULER else math.exp(-1 / tau)
    program = made(value, factor, replace(GENERIC8, words=words), rest=0.25)
    line = told(program, "time constant")
    k = program.arrays["n.k"]
    held = math.ldexp(int(k.initial), -k.type.frac)
    held = 1 - held if value is EULER else held
    if held in (0, 1):
        assert line.notice and line.text.endswith(": no decay is left")
    else:
        assert line.values["percent"] == pytest.approx(100 * abs(-1 / tau / math.log(held) - 1), rel=1e-3, abs=1e-6)
        assert line.values["steps"] == pytest.approx(tau, rel=1e-6)
        assert line.notice == (line.values["percent"] > 1)


@pytest.mark.parametrize(
    ("word", "increment", "kept"),
    [
        (dict(bits=8), 0.003, 0),
        (dict(bits=8, min_step=True), 0.003, 1),
        (dict(bits=8, rounding="floor"), 0.007, 0),
        (dict(bits=8), 0.0098, 1),
    ],
)
def test_an_increment_that_rounding_changes_is_told_as_it_is_made(word, increment, kept):
    program = made(fn("add", read("n.x"), read("n.k", "scalar")), increment, chip(**word))
    line = told(program, "increment")
    assert line.notice and line.values["held"] == kept * 2.0**-7 == (after_a_step(program, 10) - 10) * 2.0**-7
    becomes = "is lost" if not kept else "becomes 0.00781"
    assert line.text == f"the increment {increment:.3g} {becomes} in steps of 0.00781"


def test_an_increment_that_fits_is_not_told():
    program = made(fn("add", read("n.x"), read("n.k", "scalar")), 0.25, chip(bits=8))
    assert [line for line in program.report if line.topic == "increment"] == []


def test_learning_whose_largest_change_is_below_half_a_unit_is_told():
    arrays = [
        array("n.x", 0.0, range=(-1, 1)),
        array("n.y", 0.5, range=(0, 1)),
        array("n.k", 1e-3, "parameter", "scalar"),
    ]
    body = [Store("n.x", fn("add", read("n.x"), fn("mul", read("n.k", "scalar"), read("n.y"))))]
    line = told(quantise(program(arrays, body), chip(bits=8)), "increment")
    assert line.notice and line.text == "every change, at most 0.001, is lost in steps of 0.00781"


def test_a_trace_is_held_against_its_increment_and_not_its_range():
    spiking = fn("gt", read("n.y"), real(0.5), type_=BOOL)
    value = fn("add", PLAIN, fn("select", spiking, real(0.1), real(0.0)))
    arrays = [array("n.x", 0.0, range=(0, 16)), array("n.y", 0.5, range=(0, 1))]
    arrays += [array("n.k", math.exp(-1 / 1000), "parameter", "scalar")]
    line = told(quantise(program(arrays, [Store("n.x", value)]), chip(bits=16)), "stall")
    assert line.notice and line.text == "stops decaying 0.244 from its rest, 2.44 times an increment of 0.1"


def test_learning_from_traces_of_one_spike_that_is_lost_is_told():
    spiking = fn("gt", read("n.y"), real(0.5), type_=BOOL)
    trace = fn("add", fn("mul", read("n.z"), real(0.9)), fn("select", spiking, real(1.0), real(0.0)))
    arrays = [array("n.x", 0.0, range=(-1, 1)), array("n.y", 0.5, range=(0, 1)), array("n.z", 0.0, range=(0, 16))]
    arrays += [array("n.k", 1e-3, "parameter", "scalar")]
    learn = Store("n.x", fn("add", read("n.x"), fn("mul", read("n.k", "scalar"), read("n.z"))))
    line = told(quantise(program(arrays, [Store("n.z", trace), learn]), chip(bits=8)), "increment")
    assert line.notice and line.text == "the change 0.001 by traces after one spike is lost in steps of 0.00781"


@pytest.mark.parametrize(
    ("noise", "told_as"),
    [
        (0.0035, "every change, at most 0.0035, is lost in steps of 0.00781"),
        (0.0045, "the change 0.00355 by typical draws is lost in steps of 0.00781"),
        (0.02, None),
    ],
)
def test_draws_below_half_a_unit_are_told(noise, told_as):
    drawn = fn("add", read("n.x"), fn("mul", real(noise), Random(7, REAL)))
    arrays = [array("n.x", 0.0, range=(-1, 1))]
    made = quantise(program(arrays, [Store("n.x", drawn)]), chip(bits=8))
    assert [line.text for line in made.report if line.topic == "increment"] == ([told_as] if told_as else [])


@pytest.mark.parametrize(("noise", "stalls"), [(0.001, True), (0.02, False)])
def test_noise_of_a_unit_keeps_a_decay_from_stalling(noise, stalls):
    drawn = fn("add", fn("mul", read("n.x"), real(0.999)), fn("mul", real(noise), Random(7, REAL)))
    made = quantise(program([array("n.x", 0.0, range=(-1, 1))], [Store("n.x", drawn)]), chip(bits=8))
    assert any(line.topic == "stall" and line.notice for line in made.report) is stalls


def through(place, c):
    """x with its decay by a factor that stands in one of several places, and that factor."""
    x, rest, literal = read("n.x"), read("n.rest", "scalar"), real(c)
    reach = -math.expm1(-c)
    return {
        "a factor": (fn("mul", x, real(1 - c)), 1 - c),
        "part of the way": (fn("add", x, fn("mul", literal, fn("sub", rest, x))), 1 - c),
        "one minus it": (fn("mul", x, fn("sub", real(1.0), literal)), 1 - c),
        "a divisor": (fn("sub", x, fn("div", x, real(1 / c))), 1 - c),
        "a quotient": (fn("div", x, real(1 + c)), 1 / (1 + c)),
        "a parameter": (fn("mul", x, read("n.k", "scalar")), 1 - c),
        "a divisor that is a parameter": (fn("div", x, read("n.d", "scalar")), 1 / (1 + c)),
        "two factors": (fn("mul", fn("mul", x, read("n.k", "scalar")), real(0.75)), (1 - c) * 0.75),
        "an exponential": (fn("mul", x, fn("exp", fn("neg", literal))), 1 - reach),
        "an exponential of a parameter": (fn("mul", x, fn("exp", fn("neg", read("n.c", "scalar")))), 1 - reach),
        "a name": (fn("mul", x, Temp("f", REAL)), 1 - c),
        "a trace": (fn("add", fn("mul", x, real(1 - c)), fn("select", SPIKING, real(1.0), real(0.0))), 1 - c),
        "a choice": (fn("mul", x, fn("select", SPIKING, real(1 - c / 2), real(1 - c))), 1 - c),
        "beside a state": (fn("mul", x, fn("sub", real(1 - c), fn("mul", read("n.y"), real(0.25)))), 1 - c),
        "a growth": (fn("mul", x, real(1 + c)), 1 + c),
        "a growth by a parameter": (fn("mul", x, read("n.d", "scalar")), 1 + c),
    }[place]


SPIKING = fn("gt", read("n.y"), real(0.5), type_=BOOL)
PLACES = (
    "a factor",
    "part of the way",
    "one minus it",
    "a divisor",
    "a quotient",
    "a parameter",
    "a divisor that is a parameter",
    "two factors",
    "an exponential",
    "an exponential of a parameter",
    "a name",
    "a trace",
    "a choice",
    "beside a state",
    "a growth",
    "a growth by a parameter",
)


@given(st.sampled_from(PLACES), st.floats(1e-5, 0.4), st.integers(4, 24), st.sampled_from([0, 0, 6, 12]))
@settings(max_examples=300, deadline=None)
def test_the_told_error_of_a_time_constant_is_what_the_integers_do(place, c, bits, distance_bits):
    value, wanted = through(place, c)
    rule = WordRule(bits=bits, distance_bits=distance_bits)
    words = {**dict(GENERIC8.words), "coefficient": rule, "state": WordRule(bits=44)}
    arrays = [array("n.x", 0.5, range=(-1.0, 1.0)), array("n.y", 0.0, range=(0.0, 1.0))]
    named = {"rest": 0.0, "k": 1 - c, "d": 1 + c, "c": c}
    arrays += [array(f"n.{name}", number, "parameter", "scalar") for name, number in named.items()]
    body = [Let("f", real(1 - c)), Store("n.x", value)]
    made = quantise(program(arrays, body), replace(GENERIC8, words=tuple(words.items())))
    start = made.arrays["n.x"].type.hi // 2
    after = after_a_step(made, start) / start
    lines = [line for line in made.report if (line.subject, line.topic) == ("n.x", "time constant")]
    told = [line for line in lines if line.values["steps"] == pytest.approx(abs(1 / math.log(wanted)), rel=1e-6)]
    off = math.inf if after in (0, 1) else 100 * abs(math.log(wanted) / math.log(after) - 1)
    if not told:
        assert off < 1.001 and (lines or wanted > 1), "only what is right and not the slowest is not told"
    elif "count" in told[0].values:
        assert after <= 0 or abs(after - 1) < 1e-9
    else:
        assert told[0].values["percent"] == pytest.approx(off, rel=1e-3, abs=1e-3)
        assert told[0].notice == (told[0].values["percent"] > 1)


def only(lines, topic="increment"):
    return [line.text for line in lines if (line.subject, line.topic) == ("n.x", topic)]


def stepped(value, first=0.0, limits=(0.0, 2.0), word=None, more=()):
    """A neuron whose x, of 16 bits, becomes `value` in every step, and what is told of it."""
    arrays = [array("n.x", first, range=limits), *more]
    made = quantise(program(arrays, [Store("n.x", value)]), chip(**(word or {"bits": 16})))
    return made, [line for line in made.report if line.notice]


def test_an_increment_that_its_coefficient_changes_is_told_as_it_is_held():
    words = tuple((k, WordRule(bits=4 if k == "coefficient" else 16)) for k, _ in GENERIC8.words)
    arrays = [array("n.x", 0.0, range=(0.0, 2.0))]
    body = [Store("n.x", fn("add", read("n.x"), real(0.3)))]
    made = quantise(program(arrays, body), replace(GENERIC8, words=words))
    assert only(made.notices) == ["the increment 0.3 is held as 0.312 in a coefficient"]
    assert after_a_step(made, 0) * 2.0 ** -made.arrays["n.x"].type.frac == 0.3125


DRIVES = {
    "beside a decay": fn("add", fn("mul", real(0.99), read("n.x")), real(0.00002)),
    "inside a decay": fn("mul", fn("add", read("n.x"), real(0.00002)), real(0.99)),
    "on the way to a rest": fn("add", read("n.x"), fn("mul", real(0.01), fn("sub", real(0.002), read("n.x")))),
    "by a parameter": fn("add", fn("mul", real(0.99), read("n.x")), read("n.drive", "scalar")),
}


@pytest.mark.parametrize("value", DRIVES.values(), ids=DRIVES)
def test_a_drive_that_is_lost_in_the_decay_is_told(value):
    made, told = stepped(value, more=[array("n.drive", 0.00002, "parameter", "scalar")])
    assert after_a_step(made, 0) == 0
    size = "1.54 times the 0.00198" if value is DRIVES["inside a decay"] else "1.53 times the 0.002"
    assert only(told, "stall") == [f"stops decaying 0.00305 from its rest, {size} that it can go"]


def test_a_range_that_is_much_too_wide_does_not_hide_what_is_lost():
    rest = fn("mul", real(0.3), read("n.y"))
    value = fn("add", read("n.x"), fn("mul", real(0.001), fn("sub", rest, read("n.x"))))
    more = [array("n.y", 1.0, range=(-2.0, 2.0))]
    made, told = stepped(value, 1.0, (-100.0, 100.0), more=more)
    assert after_a_step(made, 256) == 256
    assert only(told, "stall") == ["stops decaying 1.95 from its rest, 1.22 times the 1.6 that it can go"]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_a_growth_stops_where_it_is_told_to(rounding):
    value = fn("add", read("n.x"), fn("mul", real(0.002), fn("sub", read("n.x"), real(0.25))))
    made, told = stepped(value, 0.3, word={"bits": 16, "rounding": rounding})
    ((line),) = [line for line in told if line.topic == "stall"]
    unit = 2.0 ** -made.arrays["n.x"].type.frac
    still = [raw for raw in range(1, 2**15, 7) if after_a_step(made, raw) == raw]
    assert max(abs(raw * unit - 0.25) for raw in still) == pytest.approx(line.values["level"], abs=8 * unit)
    level = {"0.0153": "31 % of", "0.0305": "61 % of"}
    assert line.text in [
        f"stops growing {at} from where it rests, {part} the 0.05 from there at which it starts"
        for at, part in level.items()
    ]


def test_a_growth_that_its_coefficient_loses_is_told():
    made, told = stepped(fn("mul", read("n.x"), real(1.00001)), 1.0)
    assert only(told, "time constant") == []
    words = tuple((k, WordRule(bits=8 if k == "coefficient" else 32)) for k, _ in GENERIC8.words)
    body = [Store("n.x", fn("mul", read("n.x"), real(1.002)))]
    made = quantise(program([array("n.x", 0.5, range=(0.0, 2.0))], body), replace(GENERIC8, words=words))
    assert after_a_step(made, 2**29) == 2**29
    text = "1 of 1 growths became 1 (time constant 500.5 steps): nothing grows"
    assert only(made.notices, "time constant") == [text]


def normal():
    """As the language has it: eight draws of 16 bits."""
    total = real(-4.0)
    for stream in (7, 8):
        for part in range(4):
            total = fn("add", total, Random(stream, REAL, part))
    return fn("mul", total, real(1.5**0.5))


@pytest.mark.parametrize("scale", [0.000012, 0.00004])
def test_a_normal_draw_is_typical_at_one_standard_deviation(scale):
    value = fn("add", read("n.x"), fn("mul", real(scale), normal()))
    _, told = stepped(value, limits=(-2.0, 2.0))
    lost = f"the change {scale:.3g} by typical draws is lost in steps of 6.1e-05"
    assert only(told) == ([lost] if scale < 2.0**-15 else [])


HIDDEN = {
    "a size": (fn("abs", fn("sub", read("n.x"), real(0.00001))), "the increment 1e-05 is lost in steps of 3.05e-05"),
    "a product of a choice": (
        fn("add", read("n.x"), fn("mul", real(0.00001), fn("select", SPIKING, real(1.0), real(0.0)))),
        "the increment 1e-05 is lost in steps of 3.05e-05",
    ),
    "a name": (fn("add", read("n.x"), Temp("f", REAL)), "the increment 1e-05 is lost in steps of 3.05e-05"),
    "less than it can be": (
        fn("add", read("n.x"), fn("mul", real(0.00001), fn("add", read("n.y"), read("n.y")))),
        "the change 1e-05 by the first values is lost in steps of 3.05e-05",
    ),
    "a few units": (
        fn("add", read("n.x"), fn("mul", real(0.00005), read("n.y"))),
        "the largest change, 5e-05, becomes 6.1e-05 in steps of 3.05e-05",
    ),
    "where it is large": (
        fn("select", fn("gt", read("n.x"), real(0.5), type_=BOOL), fn("add", read("n.x"), real(0.00001)), read("n.x")),
        "the increment 1e-05 is lost in steps of 3.05e-05",
    ),
}


@pytest.mark.parametrize(("value", "text"), HIDDEN.values(), ids=HIDDEN)
def test_an_increment_of_any_form_is_told(value, text):
    arrays = [array("n.x", 0.0, range=(0.0, 1.0)), array("n.y", 0.5, range=(0.0, 1.0))]
    body = [Let("f", fn("mul", real(0.00001), real(1.0))), Store("n.x", value)]
    made = quantise(program(arrays, body), chip(bits=16))
    assert only(made.notices) == [text]
