"""Dynamic parameters: what a switch or an anneal does, to them and to what follows from them, on every executor."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport import backends
from neuroport.api import run as api
from neuroport.chips import description as chips
from neuroport.chips.chip import Deviation
from neuroport.errors import InvalidInput, NeuroportError
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.session.session import Session

BACKENDS = ("reference", "emulator", "genn")
TEXT = """\
neuroport: 1
name: switches
dt: 1 ms
neurons:
  m:
    params:
      k: {type: int, default: 5, range: [0, 100], dynamic: true}
      q: {default: 0.25, range: [0, 1], dynamic: true}
      g: {default: 1, range: [0, 8], dynamic: true}
      s: {default: 4, range: [-16, 16], dynamic: true}
      idle: {default: 1, range: [0, 2], dynamic: true}
      n: {type: int, default: 3, range: [0, 40], dynamic: true}
    derived:
      e: 2 * k
      z: 1 if q > 0.5 else 0
      root: sqrt(s)
      power: 1 << n
    state:
      hoisted: {type: int, init: 0, range: [0, 100000]}
      declared: {type: int, init: 0, range: [0, 100000]}
      chosen: {type: int, init: 0, range: [0, 100000]}
      each: {init: 0, range: [0, 64]}
      square: {init: 0, range: [0, 128]}
      rooted: {init: 0, range: [-8, 8]}
      shifted: {type: int, init: 0, range: [0, 2199023255552]}
    update: |
      hoisted = hoisted + 2 * k
      declared = declared + e
      chosen = chosen + z
      each = g
      square = g * g
      rooted = root
      shifted = power
populations:
  a: {size: 3, neuron: m, params: {g: [1, 2, 4]}}
metrics:
  same: {mean: a.each}
protocol:
  - run: 1 step
  - set: {a.k: 7, a.q: 0.75, a.n: 40}
  - run: 1 step
  - measure: [same]
  - measure: [same]
  - anneal: {parameter: a.g, by: 0.5, when: same, patience: 0}
  - run: 1 step
"""


def network(tmp_path: Path, text: str = TEXT) -> Network:
    path = tmp_path / "n.yaml"
    path.write_text(text, "utf-8")
    return reader.load(path)


@pytest.fixture(scope="module", params=[f"{b} {c}" for c in ("ideal", "generic16", "generic8") for b in BACKENDS])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The network after its protocol, on one executor and chip."""
    backend, chip = request.param.split()
    missing = backends.load(backend).missing()
    if missing:
        pytest.skip(missing)
    with api.open(network(tmp_path_factory.mktemp("switches")), backend, chip) as session:
        session.run_protocol()
        yield session


def test_what_is_hoisted_follows_a_switch(opened: Session) -> None:
    assert opened.get("a.hoisted").tolist() == [10 + 14 + 14] * 3


def test_what_is_declared_derived_follows_a_switch(opened: Session) -> None:
    assert opened.get("a.declared").tolist() == [10 + 14 + 14] * 3


def test_an_int_that_follows_from_a_real_follows_a_switch(opened: Session) -> None:
    assert opened.get("a.chosen").tolist() == [0 + 1 + 1] * 3


def test_a_shift_by_a_parameter_follows_a_switch(opened: Session) -> None:
    assert opened.get("a.shifted").tolist() == [2.0**40] * 3


def test_anneal_multiplies_every_element(opened: Session) -> None:
    assert opened.get("a.g").tolist() == [0.5, 1.0, 2.0]
    assert opened.get("a.each").tolist() == [0.5, 1.0, 2.0]
    assert opened.get("a.square").tolist() == [0.25, 1.0, 4.0]


def test_a_dynamic_parameter_that_no_text_uses_exists(opened: Session) -> None:
    assert opened.get("a.idle") == 1
    opened.set("a.idle", 1.5)
    assert opened.get("a.idle") == 1.5


REFUSED: dict[str, tuple[str, Any, str]] = {
    "beyond": ("a.q", 1.25, "n.yaml:8:7: a.q = 1.25 is outside 0 .. 1, its declared range; give a value inside, "
               "or widen the range"),
    "nan": ("a.q", float("nan"), "n.yaml:8:7: a.q = nan is outside 0 .. 1, its declared range; give a value inside, "
            "or widen the range"),
    "infinite": ("a.g", float("inf"), "n.yaml:9:7: a.g = inf is outside 0 .. 8, its declared range; give a value "
                 "inside, or widen the range"),
    "fraction": ("a.k", 1.5, "n.yaml:7:7: a.k is an int, and 1.5 was given; round it"),
    "root": ("a.s", -1, "n.yaml:16:13: a.root = sqrt(a.s) is not finite (sqrt of -1) when a.s = -1; choose another "
             "value"),
    "derived": ("a.e", 3, "'a.e' follows from a.k; set what it follows from"),
    "text": ("a.q", "much", "'a.q': 'much' is not a number with a unit such as '20 ms'"),
    "unit": ("a.q", "5 mV", "'a.q': 5 mV is not in the unit of a pure number"),
    "words": ("a.q", ["x"], "'a.q' takes numbers; found ['x']"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_switch_that_is_refused_changes_nothing(opened: Session, case: str) -> None:
    name, value, text = REFUSED[case]
    before = {n: opened.executor.read(n).tolist() for n in opened.program.arrays}
    with pytest.raises(NeuroportError) as error:
        opened.set(name, value)
    assert str(error.value).rpartition("/")[2] == text  # without the folder
    assert {n: opened.executor.read(n).tolist() for n in opened.program.arrays} == before


# ------------------------------------------------------------------------------------------------------ specimens

CIRCUITS = TEXT.replace("range: [0, 1], dynamic: true}", "range: [0, 1], dynamic: true, kind: gain}").replace(
    "each = g", "each = q * 4"
)
DEVIATING = (("gain", Deviation(sigma=0.1)), ("weight", Deviation(sigma=0.1)))


@pytest.mark.parametrize("name", ["ideal", "generic16"])
def test_the_circuits_of_a_specimen_stay_as_they_are(tmp_path: Path, name: str) -> None:
    chip = replace(chips.load(name), mismatch=DEVIATING)
    with api.open(network(tmp_path, CIRCUITS), "reference", chip, chip_seed=3) as session:
        default, follows = session.get("a.q"), session.get("a.$const2")
        factors = default / 0.25
        assert len(set(factors.tolist())) == 3 and np.all(abs(factors - 1) < 0.4)
        session.set("a.q", 0.25)
        assert session.get("a.q").tolist() == default.tolist()
        assert session.get("a.$const2").tolist() == follows.tolist()
        session.set("a.q", 0.5)
        assert session.get("a.q") == pytest.approx(2 * default, abs=1e-6)
        assert session.get("a.$const2") == pytest.approx(2 * follows, abs=1e-5)


def test_anneal_keeps_the_circuits(tmp_path: Path) -> None:
    text = CIRCUITS.replace("parameter: a.g", "parameter: a.q")
    chip = replace(chips.load("ideal"), mismatch=DEVIATING)
    with api.open(network(tmp_path, text), "reference", chip, chip_seed=3) as session:
        default = session.get("a.q")
        session.run_protocol()
        assert session.get("a.q") == pytest.approx(default * (0.75 / 0.25) * 0.5, rel=1e-15)


STATIC = """\
neuroport: 1
name: circuits
dt: 1 ms
populations: {s: {size: 2, neuron: spike_source}, c: {size: 2, neuron: lif}}
projections: {p: {source: s, target: c, input: jump, synapse: static, connect: all_to_all, weight: 3}}
protocol: [{run: 1 step}]
"""


@pytest.mark.parametrize("name", ["ideal", "generic16"])
def test_static_weights_that_are_set_deviate_as_before(tmp_path: Path, name: str) -> None:
    chip = replace(chips.load(name), mismatch=DEVIATING)
    with api.open(network(tmp_path, STATIC), "reference", chip, chip_seed=3) as session:
        weights = session.get("p.w")
        assert len(set(weights.tolist())) == 4
        session.set("p.w", 3)
        assert session.get("p.w").tolist() == weights.tolist()


def test_what_a_specimen_puts_beyond_the_format_is_counted(tmp_path: Path) -> None:
    chip = replace(chips.load("generic16"), mismatch=DEVIATING)
    with api.open(network(tmp_path, CIRCUITS), "reference", chip, chip_seed=3) as session:
        array, factors = session.program.arrays["a.q"], session.get("a.q") / 0.25
        session.set("a.q", 1)
        beyond = int(np.sum(np.round(np.ldexp(factors, array.type.frac)) > array.type.hi))  # type: ignore[union-attr]
        assert session.overflows().get("a.q", 0) == beyond


# --------------------------------------------------------------------------------------------- what a reader refuses

OUTSIDE = {
    "set: {a.k: 7, a.q: 0.75, a.n: 40}": ("set: {a.k: 7, a.q: 1.75, a.n: 40}", "q.* must lie in 0 .. 1|1.75"),
    "a.k: 7,": ("a.k: 101,", "101"),
    "a.k: 7, ": ("a.k: 1.5, ", "1.5"),
}


@pytest.mark.parametrize("old", OUTSIDE)
def test_a_protocol_that_switches_out_of_range_is_refused_where_it_stands(tmp_path: Path, old: str) -> None:
    new, text = OUTSIDE[old]
    with pytest.raises(InvalidInput, match=rf"n.yaml:\d+:\d+: .*({text})"):
        network(tmp_path, TEXT.replace(old, new))


TOO_LONG = {
    "power: 1 << n": ("power: 1000000000 << n", r"n.yaml:17:14: .* 6[34] bits"),
    "e: 2 * k": ("e: 9223372036854775807 + k", r"n.yaml:14:10: .* 6[34] bits"),
    "shifted = power": ("shifted = 1 << 100000000000", r"n.yaml:33:17: a shift by 100000000000 bits"),
    "each = g": ("each = g * (1 / 0)", r"a constant part of the model of 'a' is not finite"),
}


@pytest.mark.parametrize("old", TOO_LONG)
def test_constants_that_no_machine_holds_are_refused(tmp_path: Path, old: str) -> None:
    new, text = TOO_LONG[old]
    with pytest.raises(InvalidInput, match=text):
        neuroport.compile(network(tmp_path, TEXT.replace(old, new)), "ideal")


# ------------------------------------------------------------------------------------------- real numbers stay real

CUBE = """\
neuroport: 1
name: cube
dt: 1 ms
neurons:
  m:
    params: {p: {default: 2, range: [0, 8000000], dynamic: true}}
    derived: {cube: p * p * p}
    state: {x: {init: 0, range: [0, 8000000]}}
    update: x = cube / (p * p + 1)
populations: {a: {size: 1, neuron: m}}
protocol: [{run: 1 step}]
"""


@pytest.mark.parametrize("chip", ["ideal", "generic16", "generic8"])
def test_products_of_reals_are_computed_as_reals(tmp_path: Path, chip: str) -> None:
    with api.open(network(tmp_path, CUBE), "reference", chip) as session:
        name = next(d.array for d in session.program.derived if "p * a.p) * a.p" in _text(d.value))
        session.set("a.p", 4e6)
        assert session.get(name) == pytest.approx(6.4e19, rel=2e-6 * 16)


def _text(value: Any) -> str:
    from neuroport.program.printer import expression

    return expression(value)


def test_a_switch_outside_the_range_is_refused(tmp_path: Path) -> None:
    with api.open(network(tmp_path), "reference", "ideal") as session:
        session.set("a.q", 1)
        with pytest.raises(InvalidInput, match=r"outside 0 .. 1"):
            session.set("a.q", 2)
        assert session.get("a.q").tolist() == 1


# ----------------------------------------------------------------------------------------------- many at once

WIDE = """\
name: wide
arithmetic: integer
words: {state: {bits: 32}, weight: {bits: 32}, plastic: {bits: 32}, trace: {bits: 32}, accumulator: {bits: 32},
        coefficient: {bits: 32}}
"""
RANGES: dict[str, tuple[float, float]] = {"k": (-9, 20), "l": (1, 7), "q": (-3, 2.5), "s": (0.125, 4)}
PYTHON = {"exp": math.exp, "sqrt": math.sqrt, "abs": abs, "min": min, "max": max, "tanh": math.tanh, "log": math.log,
          "clip": lambda x, low, high: min(max(x, low), high), "trunc_div": lambda x, y: int(x / y)}  # fmt: skip


def int_text(draw: random.Random, depth: int) -> str:
    """A random int expression of the language, which means the same in Python."""
    if depth == 0:
        return draw.choice(("k", "l", "k", str(draw.randint(0, 40))))
    a, b = int_text(draw, depth - 1), int_text(draw, draw.randint(0, depth - 1))
    forms = ("{a} + {b}", "{a} - {b}", "{a} * {b}", "min({a}, {b})", "max({a}, {b})", "abs({a})", "{a} // l", "{a} % l",
             "trunc_div({a}, l)", "{a} << l", "{a} >> l", "clip({a}, -l, 3)", "-({a})",
             "({a} if {b} > {c} else {b})", "({a} if {r} < 0.3 else 7)")  # fmt: skip
    return "(" + draw.choice(forms).format(a=a, b=b, c=int_text(draw, 0), r=real_text(draw, 0)) + ")"


def real_text(draw: random.Random, depth: int) -> str:
    """A random real expression."""
    if depth == 0:
        return draw.choice(("q", "s", "s", "q", f"{draw.uniform(-2, 2):.3f}"))
    a, b = real_text(draw, depth - 1), real_text(draw, draw.randint(0, depth - 1))
    forms = ("{a} + {b}", "{a} - {b}", "{a} * {b}", "{a} / s", "min({a}, {b})", "abs({a})", "exp(min({a}, 2))",
             "sqrt(abs({a}))", "tanh({a})", "log(s + 1)", "{a} * {i}", "({a} if {i} > 2 else {b})",
             "({a} if {a} < {b} else s)")  # fmt: skip
    return "(" + draw.choice(forms).format(a=a, b=b, i=int_text(draw, depth - 1)) + ")"


def many(draw: random.Random, count: int) -> tuple[str, list[str]]:
    """A network that stores many expressions, each twice: as a derived constant, and as a constant part of a block."""
    texts = [f"clip({int_text(draw, 3)}, -1000000, 1000000)" for _ in range(count)]
    texts += [f"clip({real_text(draw, 3)}, -50, 50)" for _ in range(count)]
    lines = ["neuroport: 1", "name: many", "dt: 1 ms", "neurons:", "  m:", "    params:"]
    for name, (low, high) in RANGES.items():
        kind = "int" if name in "kl" else "real"
        lines.append(f"      {name}: {{type: {kind}, default: 1, range: [{low}, {high}], dynamic: true}}")
    lines += ["    derived:", *(f"      e{i}: {text}" for i, text in enumerate(texts)), "    state:"]
    for i in range(2 * count):
        kind = "type: int, range: [-1000000, 1000000]" if i < count else "range: [-64, 64]"
        lines += [f"      {x}{i}: {{init: 0, {kind}}}" for x in "xy"]
    lines += ["    update: |", *(f"      x{i} = e{i}\n      y{i} = {text}" for i, text in enumerate(texts))]
    return "\n".join([*lines, "populations: {a: {size: 1, neuron: m}}", "protocol: [{run: 1 step}]", ""]), texts


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("place", ["reference ideal", "reference wide", "emulator wide"])
def test_all_that_follows_from_parameters_follows_every_switch(tmp_path: Path, place: str, seed: int) -> None:
    draw = random.Random(seed)
    text, expected = many(draw, 30)
    backend, chip = place.split()
    (tmp_path / "wide.yaml").write_text(WIDE, "utf-8")
    with api.open(
        network(tmp_path, text), backend, chip if chip == "ideal" else str(tmp_path / "wide.yaml")
    ) as session:
        for _ in range(6):
            values: dict[str, float] = {n: draw.choice((r[0], r[1], draw.uniform(*r))) for n, r in RANGES.items()}
            values |= {n: int(values[n]) for n in "kl"}
            for name, value in values.items():
                session.set(f"a.{name}", value)
            session.run(1)
            for i, one in enumerate(expected):
                wanted = pytest.approx(float(eval(one, {**PYTHON, **values})), abs=1e-6)
                assert session.get(f"a.x{i}").item() == wanted, (one, values)
                assert session.get(f"a.y{i}").item() == wanted, (one, values)
