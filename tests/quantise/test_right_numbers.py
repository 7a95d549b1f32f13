"""Values that chips must compute as float does, as far as their words allow: quotients, counters, ints, switches, ends.

Each case is a neuron model of its own; all are populations of one network, so that every executor compiles it once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

import neuroport
from neuroport import backends
from neuroport.api import run as api
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.program.ir import Int
from neuroport.session.session import Session

CHIPS = ("ideal", "generic16", "generic8")
STEPS = 700


@dataclass(frozen=True)
class Case:
    """A model, and the right value of its variable `a` after STEPS steps, to a relative error on a chip."""

    right: float
    update: str
    state: str = ""
    a: str = "init: 0, range: [-8, 8]"
    params: str = ""
    error: float = 2.0**-11
    counted: bool = False


CASES = {
    # shifts that pass the word
    "an_int_beyond_a_tiny_range": Case(1e-10, "a = n", "n: {type: int, init: 7, range: [-100, 100]}",
                                       "init: 0, range: [-1e-10, 1e-10]", counted=True),
    "an_int_beyond_another": Case(2e-10, "a = n", "n: {type: int, init: 7, range: [-100, 100]}",
                                  "init: 0, range: [-2e-10, 2e-10]", counted=True),
    "an_int_below_a_tiny_range": Case(-1e-10, "a = n", "n: {type: int, init: -7, range: [-100, 100]}",
                                      "init: 0, range: [-1e-10, 1e-10]", counted=True),
    "no_int_in_a_tiny_range": Case(0.0, "a = n", "n: {type: int, init: 0, range: [-100, 100]}",
                                   "init: 0, range: [-1e-10, 1e-10]"),
    # quotients
    "a_square_is_never_negative": Case(2.4, "a = 3 / (1 + v * v)", "v: {init: 0.5, range: [-1, 1]}"),
    "nor_one_of_two": Case(2.4, "a = 3 / (1 + v * v)", "v: {init: 0.5, range: [-2, 2]}"),
    "a_declared_range_without_0": Case(1 / 0.7, "a = 1 / v", "v: {init: 0.7, range: [0.3, 1]}", error=2.0**-10),
    "max_keeps_a_divisor_from_0": Case(1 / 0.7, "a = 1 / max(v, 0.3)", "v: {init: 0.7, range: [-1, 1]}"),
    "a_negative_divisor": Case(-2.5, "a = 1 / v", "v: {init: -0.4, range: [-1, -0.25]}"),
    "a_divisor_over_six_decades": Case(4.0, "a = 1 / max(v, 0.001)", "v: {init: 0.25, range: [0, 1000]}"),
    "a_quotient_of_squares": Case(0.9996001599360256, "a = v * v / (4 + v * v)", "v: {init: 100, range: [0, 100]}",
                                  "init: 0, range: [0, 1]"),
    # counters
    "a_counter_in_a_function": Case(math.exp(-69.9), "a = exp(0 - item_step / 10)"),
    "a_counter_that_decays": Case(math.exp(-6.99), "a = exp(0 - item_step / 100)"),
    "a_counter_as_divisor": Case(4 / 700, "a = 4 / (1 + t)", error=2.0**-8),
    "a_small_product_of_a_counter": Case(6.99, "a = 0.01 * t"),
    "the_progress_of_a_run": Case(1 - 699 / 700, "a = 1 - item_step / T", error=2.0**-8),
    "a_sum_of_rates": Case(sum(0.5 / (1 + t) for t in range(STEPS)), "a = a + 0.5 / (1 + t)", error=2.0**-5),
    "a_counter_in_a_logarithm": Case(math.log(701), "a = log(2 + t)"),
    "whether_the_length_is_odd": Case(0.0, "a = T % 2"),
    # ints
    "a_product_of_three_ints": Case(125.0, "a = n * n * n", "n: {type: int, init: 5, range: [-1000000, 1000000]}",
                                    "type: int, init: 0, range: [0, 1000]", error=0),
    "its_remainder": Case(6.0, "a = (n * n * n) % 7", "n: {type: int, init: 5, range: [-1000000, 1000000]}",
                          "type: int, init: 0, range: [0, 1000]", error=0),
    "its_comparison": Case(7.0, "a = 7 if n * n * n == 125 else 3",
                           "n: {type: int, init: 5, range: [-1000000, 1000000]}",
                           "type: int, init: 0, range: [0, 1000]", error=0),
    "a_saturated_square": Case(25.0, "a = saturate(n * n, 33)", "n: {type: int, init: 5, range: [-3000000, 3000000]}",
                               "type: int, init: 0, range: [0, 10000000000]", error=0),
    "a_shift_by_a_parameter": Case(40.0, "a = 5 << m", "", "type: int, init: 0, range: [0, 1000]",
                                   "m: {type: int, default: 3, range: [0, 6]}", error=0),
    "an_int_that_no_float_holds": Case(7.0, "a = n % 1000",
                                       "n: {type: int, init: 1323847341575429007, range: [0, 2305843009213693951]}",
                                       "type: int, init: 0, range: [0, 1000]", error=0),
    "a_parameter_that_no_float_holds": Case(7.0, "a = q % (m - 22)", "m: {type: int, init: 32, range: [0, 40]}",
                                            "type: int, init: 0, range: [0, 1000]",
                                            "q: {type: int, default: 9007199254740997}", error=0),
    "constants_that_no_float_holds": Case(9.0, "a = (9007199254740999 + p + m) - (9007199254740990 + m)",
                                          "m: {type: int, init: 32, range: [0, 40]}",
                                          "type: int, init: 0, range: [0, 1000]",
                                          "p: {type: int, default: 0}", error=0),
    # switches and ends
    "a_switch_that_is_on": Case(700.0, "a = a + (1 if learn >= 1 else 0)", "",
                                "type: int, init: 0, range: [0, 1000]",
                                "learn: {default: 1, range: [0, 1], dynamic: true}", error=0),
    "a_state_that_is_one": Case(700.0, "a = a + (1 if on >= 1 else 0)", "on: {init: 1, range: [0, 1]}",
                                "type: int, init: 0, range: [0, 1000]", error=0),
    "a_value_at_the_end_of_its_range": Case(1.0, "a = 1", "", "init: 0, range: [-1, 1]", error=2.0**-14),
    "an_end_that_no_constant_holds": Case(0.7, "a = 0.7", "", "init: 0, range: [0, 0.7], class: plastic"),
    "a_parameter_at_the_end": Case(0.1, "a = p", "", "init: 0, range: [-1, 0.1], class: plastic",
                                   "p: {default: 0.1, range: [-1, 0.1], dynamic: true}"),
    "a_limit_at_the_end": Case(-0.7, "a = clip(v, -0.7, 0.7)", "v: {init: -1, range: [-1, 1]}",
                               "init: 0, range: [-0.7, 0.7], class: plastic"),
    "a_value_at_the_lower_end": Case(-1.0, "a = 0 - 1", "", "init: 0, range: [-1, 1]"),
    "a_value_beyond_its_range": Case(0.7, "a = 0.9", "", "init: 0, range: [-1, 0.7]", counted=True),
    # products and quotients that no word holds exactly
    "exp_of_a_wide_range_times_a_variable": Case(math.exp(-4), "a = u * exp(r)",
                                                 "u: {init: 1, range: [-8, 8]}\n      r: {init: -4, range: [-20, 20]}",
                                                 "init: 0, range: [-1, 1]", error=2.0**-10),
    "an_eighth_power": Case(0.3**8, "a = n * n * n * n * n * n * n * n", "n: {init: 0.3, range: [-10, 10]}",
                            "init: 0, range: [0, 0.01]", error=0.01),
    "a_steep_hill": Case(0.07493061979648474, "a = w * w * w * w / (w * w * w * w + 1000)",
                         "w: {init: 3, range: [0, 1000]}", "init: 0, range: [0, 1]", error=2.0**-9),
    "a_counter_times_a_square": Case(699 * 0.25**2, "a = t * u * u", "u: {init: 0.25, range: [-4, 4]}",
                                     "init: 0, range: [0, 200]"),
    "a_large_quotient_under_a_condition": Case(8192.0, "a = 1 / v if v > 0.00001 else 0",
                                               "v: {init: 0.0001220703125, range: [-1, 1]}",
                                               "init: 0, range: [-20000, 20000]"),
    "a_quotient_of_a_quotient": Case(65536.0, "a = 1 / (1 / v) if v > 0 else 0",
                                     "v: {init: 65536, range: [-25000, 100000]}",
                                     "init: 0, range: [-200000, 200000]", error=0.05),
    "a_switched_divisor": Case(0.5, "a = v / p if p > 0.001 else v", "v: {init: 0.25, range: [-8, 8]}",
                                                 params="p: {default: 0.5, range: [0, 2], dynamic: true}"),
    "a_log_of_little": Case(math.log(4), "a = -log(max(x, 1e-12))", "x: {init: 0.25, range: [0, 1]}"),
    "a_log_of_a_sum_of_exps": Case(math.log(math.exp(0.25) + math.exp(3)), "a = log(exp(r) + exp(u))",
                                   "r: {init: 0.25, range: [-20, 20]}\n      u: {init: 3, range: [-8, 8]}"),
    # factors of 0
    "nothing_of_a_large_product": Case(0.5, "a = v + k * exp(v) * v * v", "v: {init: 0.5, range: [-9, 9]}",
                                       params="k: {default: 0}"),
    "a_sum_of_nothing": Case(0.0, "a = v * (k * exp(v) - k)", "v: {init: 0.5, range: [-9, 9]}",
                             params="k: {default: 0}"),
    "exp_of_nothing": Case(1.0, "a = exp(k * v)", "v: {init: 0.5, range: [-9, 9]}", params="k: {default: 0}"),
    # functions over wide ranges
    "exp_over_forty": Case(math.exp(0.5), "a = exp(r)", "r: {init: 0.5, range: [-20, 20]}"),
    "a_large_exp": Case(math.exp(6.5), "a = exp(r)", "r: {init: 6.5, range: [-20, 20]}", "init: 0, range: [0, 1000]"),
    "a_root_of_little": Case(0.1, "a = sqrt(v)", "v: {init: 0.01, range: [0, 1000], class: plastic}",
                             "init: 0, range: [0, 40], class: plastic", error=2.0**-10),
    "softplus_of_little": Case(math.log1p(math.exp(-9)), "a = softplus(v)",
                               "v: {init: -9, range: [-100, 100], class: plastic}",
                               "init: 0, range: [0, 128], class: plastic", error=0.02),
    "log_of_a_sum_of_exps": Case(math.log(1 + math.exp(2)), "a = log(1 + exp(v))", "v: {init: 2, range: [-7, 7]}"),
    "a_root_under_a_condition": Case(0.5, "a = sqrt(v) if v > 0 else -1", "v: {init: 0.25, range: [-1, 1]}"),
    "a_root_that_is_not_taken": Case(-1.0, "a = sqrt(v) if v > 0 else -1", "v: {init: -0.25, range: [-1, 1]}"),
    "a_log_under_a_condition": Case(math.log(0.25), "a = log(v) if v > 0 else 3", "v: {init: 0.25, range: [-1, 1]}"),
    "a_quotient_under_a_condition": Case(-0.25 / (1 - math.exp(0.25)), "a = x / (1 - exp(-x)) if abs(x) > 0.001 else 1",
                                         "x: {init: -0.25, range: [-8, 8]}", error=2.0**-9),
    "a_singular_point": Case(1.0, "a = x / (1 - exp(-x)) if abs(x) > 0.001 else 1", "x: {init: 0, range: [-8, 8]}"),
    "a_logistic_by_hand": Case(1 / (1 + math.exp(-2)), "a = 1 / (1 + exp(-v))", "v: {init: 2, range: [-20, 20]}"),
}  # fmt: skip


def network(cases: dict[str, Case]) -> str:
    models = []
    for name, case in cases.items():
        params = f"\n    params: {{{case.params}}}" if case.params else ""
        state = "".join(f"\n      {line}" for line in (case.state, f"a: {{{case.a}}}") if line)
        models.append(f"  m_{name}:{params}\n    state:{state}\n    update: |\n      {case.update}")
    populations = "\n".join(f"  {name}: {{size: 1, neuron: m_{name}}}" for name in cases)
    return (
        "neuroport: 1\nname: right\ndt: 1 ms\nneurons:\n" + "\n".join(models) + f"\npopulations:\n{populations}\n"
        f"protocol:\n  - run: {STEPS} steps\n"
    )


@pytest.fixture(scope="module", params=[(b, c) for b in ("reference", "emulator", "genn") for c in CHIPS], ids=":".join)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    backend, chip = request.param
    if backend not in backends.ready():
        pytest.skip(f"{backend}: {backends.load(backend).missing()}")
    with api.open(reader.loads(network(CASES).encode(), "right.yaml"), backend, chip=chip) as session:
        session.run_protocol()
        yield session


def unit(session: Session, name: str) -> float:
    """Half a unit of a variable's format; for float64 next to nothing."""
    kind = session.program.arrays[name].type
    return 2.0 ** -(kind.frac + 0.98) if isinstance(kind, Int) and session.program.integer else 1e-9


@pytest.mark.dear
def test_every_value_is_right(session: Session) -> None:
    wrong = []
    for name, case in CASES.items():
        found = float(session.get(f"{name}.a")[0])
        right = case.right if session.program.integer or not case.counted else None
        if right is not None and abs(found - right) > case.error * abs(right) + unit(session, f"{name}.a"):
            wrong.append(f"{name}: {found!r}, must be {right!r}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.dear
def test_what_is_beyond_a_range_is_counted_and_nothing_else(session: Session) -> None:
    expected = {f"{name}.a": STEPS for name, case in CASES.items() if case.counted}
    assert session.overflows() == (expected if session.program.integer else {})


@pytest.mark.parametrize("chip", ["generic16", "generic8"])
def test_an_int_that_needs_more_than_62_bits_is_refused(chip: str) -> None:
    n = "n: {type: int, init: 5, range: [-1800000, 1800000]}"
    case = Case(125.0, "a = n * n * n", n, "type: int, init: 0, range: [0, 1000]")
    with pytest.raises(InvalidInput) as refused:
        api.open(reader.loads(network({"cube": case}).encode(), "cube.yaml"), "reference", chip=chip)
    assert [p.text for p in refused.value.problems] == [
        "cube.update: mul can reach 5832000000000000000, which needs more than 62 bits; "
        "narrow the ranges of what it is computed from"
    ]


WEIGHTS = """\
neuroport: 1
name: weights
dt: 1 ms
neurons:
  sum: {inputs: {i: {range: [-64, 64]}}, state: {v: {init: 0, range: [-64, 64]}}, update: v = i}
populations:
  source: {size: 1, neuron: spike_source}
  cell: {size: 1, neuron: sum}
projections:
  one: {source: source, target: cell, synapse: static, input: i, connect: all_to_all, weight: WEIGHT}
protocol:
  - run: 1 step
"""


@pytest.mark.parametrize("weight", [1, 16, 0.5, 3, -1])
@pytest.mark.parametrize("chip", ["generic16", "generic8"])
def test_the_commonest_weights_are_exact(weight: float, chip: str) -> None:
    text = WEIGHTS.replace("WEIGHT", str(weight))
    with api.open(reader.loads(text.encode(), "w.yaml"), "reference", chip=chip) as session:
        assert session.get("one.w").tolist() == [weight]


@pytest.mark.parametrize("weights", [[1, -1], [1, -0.5, 0.25]])
def test_weights_of_both_signs_cost_a_bit_rather_than_their_largest(weights: list[float]) -> None:
    from neuroport.chips import description as chips
    from neuroport.program.fixed import decode
    from neuroport.quantise.formats import static_weights

    kind, raw = static_weights(np.array(weights), chips.load("generic8").word("weight"))
    assert decode(raw, kind.frac).tolist() == weights


SUMS = """\
neuroport: 1
name: sums
dt: 1 ms
neurons:
  sum: {inputs: {i: {range: [-8, 8]}}, state: {v: {init: 0, range: [-16, 16]}}, update: v = i}
populations:
  source: {size: 1, neuron: spike_source}
  cell: {size: 1, neuron: sum}
projections:
  one: {source: source, target: cell, synapse: static, input: i, connect: {one_to_one: {}}, weight: 7.5}
  two: {source: source, target: cell, synapse: static, input: i, connect: {one_to_one: {}}, weight: 7.5}
protocol:
  - run: 5 steps
"""


@pytest.mark.parametrize("backend", ["reference", "emulator", "genn"])
def test_a_sum_beyond_the_range_of_its_input_is_limited_and_counted(backend: str) -> None:
    if backend not in backends.ready():
        pytest.skip(f"{backend}: {backends.load(backend).missing()}")
    text = SUMS.replace("{one_to_one: {}}", "one_to_one")
    with api.open(reader.loads(text.encode(), "s.yaml"), backend, chip="generic8") as session:
        session.inject("source.spike_in", [0], [1])
        session.run(2)
        assert session.get("cell.v")[0] == pytest.approx(8, abs=2.0**-12)
        assert session.overflows() == {"cell.i": 1}
        session.inject("cell.i", [0], [7.9])
        session.run(1)
        assert session.get("cell.v")[0] == pytest.approx(7.9, abs=2.0**-12)
        assert session.overflows() == {"cell.i": 1}


STIMULUS = """\
neuroport: 1
name: fractions
dt: 1 ms
neurons:
  sum: {inputs: {i: {}}, state: {v: {init: 0, range: [-8192, 8192], class: plastic}}, update: v = i}
populations:
  cell: {size: 1, neuron: sum}
stimuli:
  given: {population: cell, input: i, series: {values: [VALUES], every: 1 step}}
protocol:
  - run: 6003 steps
"""


def test_every_value_of_a_stimulus_chooses_the_fraction() -> None:
    values = [*range(-6000, 0), 0.25, 0.5, 0.75]
    text = STIMULUS.replace("VALUES", ", ".join(map(str, values)))
    program = neuroport.compile(reader.loads(text.encode(), "f.yaml"), chip="generic16")
    (series,) = program.series
    frac = program.arrays["cell.i"].type.frac
    assert (series.table.ravel() * 2.0**-frac).tolist() == values


def test_a_run_beyond_the_counters_of_a_program_is_refused() -> None:
    counting = {"late": Case(0.0, "a = 1 / (1 + t)")}
    with api.open(reader.loads(network(counting).encode(), "late.yaml"), "reference", chip="generic8") as session:
        with pytest.raises(InvalidInput) as refused:
            session.run(2**24 + 1)
        assert session.step == 0
    assert [p.text for p in refused.value.problems] == [
        "step 16777217 is beyond 16777216, for which the program's step counters are made; "
        "a longer protocol in the network file makes them longer"
    ]
