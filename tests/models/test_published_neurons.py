"""Neuron models and rules as users write them, on chips, against float programs of this file.

Each is right on a chip, or is refused with a sentence that names the object, the block and what to do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader

CHIPS = ("ideal", "generic16", "generic8")
HEAD = "neuroport: 1\nname: published\ndt: DT\nneurons:\n"


@dataclass(frozen=True)
class Outcome:
    """Spikes of a population, and variables of it at the end; or the sentence that refuses the network."""

    spikes: int = 0
    values: tuple[float, ...] = ()
    refused: str = ""


def text_of(models: Mapping[str, str], dt: str) -> str:
    """A network with one population of each neuron model; where a model says `n:` its own name is put."""
    named = "".join(model.replace("\n  n:", f"\n  {name}:") for name, model in models.items())
    populations = ", ".join(f"{name}: {{size: 1, neuron: {name}}}" for name in models)
    return f"{HEAD.replace('DT', dt)}{named}\npopulations: {{{populations}}}\n"


def refusal(text: str, chip: str) -> str:
    """Why a chip does not take a network; empty if it does."""
    try:
        neuroport.compile(reader.loads(text.encode(), "published.yaml"), chip)
    except InvalidInput as error:
        return str(error)
    return ""


def outcomes(
    models: Mapping[str, str],
    chip: str,
    steps: int,
    shown: Sequence[str] = (),
    dt: str = "1 ms",
    backend: str = "reference",
) -> dict[str, Outcome]:
    """What a chip makes of neuron models that stand side by side; those that it refuses are left out of the run."""
    refused = {name: refusal(text_of({name: model}, dt), chip) for name, model in models.items()}
    taken = {name: model for name, model in models.items() if not refused[name]}
    found = {name: Outcome(refused=why) for name, why in refused.items() if why}
    if taken:
        network = reader.loads(text_of(taken, dt).encode(), "published.yaml")
        with neuroport.open(network, backend, chip, keep=False) as session:
            session.run(steps)
            spikes = session.spike_counts()
            for name in taken:
                values = tuple(float(session.get(f"{name}.{variable}")[0]) for variable in shown)
                found[name] = Outcome(spikes.get(name, 0), values)
    return {name: found[name] for name in models}


def outcome(model: str, chip: str, steps: int, dt: str = "1 ms") -> Outcome:
    """What a chip makes of one neuron model."""
    return outcomes({"n": model}, chip, steps, dt=dt)["n"]


def right_or_told(found: Outcome, chip: str, check: Callable[[Outcome], None], provable: bool = True) -> None:
    """A chip may refuse a model, with its place and a remedy; not because of a zero that it provably cannot meet."""
    if found.refused and chip != "ideal":
        assert re.search(r"\w+\.update|published\.yaml:\d+:\d+", found.refused), found.refused
        assert ";" in found.refused, f"no remedy: {found.refused}"
        assert not (provable and re.search("can be (0|as small)", found.refused)), f"untrue: {found.refused}"
        return
    assert not found.refused
    check(found)


# ---------------------------------------------------------------------------------- exponential integrate-and-fire

EIF = """
  n:
    params: {k: {default: 0.005, range: [0, 1]}, drive: {default: 30, range: [0, 100]}}
    state: {v: {init: -70, range: [-100, 0]}}
    update: |
      v = v + k * (-70 - v + 2 * exp((v + 50) / 2) + drive)
    spike: v > -30
    on_spike: |
      v = -70
"""


def eif(steps: int) -> int:
    v, count = -70.0, 0
    for _ in range(steps):
        v = min(v + 0.005 * (-70 - v + 2 * math.exp((v + 50) / 2) + 30), 0.0)
        if v > -30:
            v, count = -70.0, count + 1
    return count


@pytest.mark.parametrize("chip", CHIPS)
def test_exponential_integrate_and_fire(chip: str) -> None:
    assert eif(10000) == 33
    found = outcome(EIF, chip, 10000)
    right_or_told(found, chip, lambda f: assert_near(f.spikes, 33, 0 if chip == "ideal" else 1))


def assert_near(found: float, right: float, most: float) -> None:
    """The found value is within `most` of the right one."""
    assert abs(found - right) <= most, f"{found}, must be {right} within {most}"


# ------------------------------------------------------------------------------------------------------------- AdEx

ADEX = """
  n:
    title: R. Brette & W. Gerstner, J. Neurophysiol. 94 (2005) 3637
    params:
      c: {default: 281, range: [1, 1000]}
      g: {default: 30, range: [1, 100]}
      rest: {default: -70.6, range: [-100, 0]}
      v_t: {default: -50.4, range: [-100, 0]}
      delta: {default: 2, range: [0.1, 10]}
      tau_w: {default: 144 ms, unit: ms, range: [1, 1000]}
      a: {default: 4, range: [0, 100]}
      b: {default: 80.5, range: [0, 1000]}
      i: {default: 1000, range: [0, 5000]}
    state:
      v: {init: -70.6, range: [-100, 40]}
      w: {init: 0, range: [-1000, 4000]}
    update: |
      dv = (-g * (v - rest) + g * delta * exp((v - v_t) / delta) - w + i) / c
      w = w + dt * (a * (v - rest) - w) / tau_w
      v = v + dt * dv
    spike: v >= 20
    on_spike: |
      v = rest
      w = w + b
"""


def adex(steps: int, dt: float) -> int:
    v, w, count = -70.6, 0.0, 0
    for _ in range(steps):
        dv = (-30 * (v + 70.6) + 30 * 2 * math.exp((v + 50.4) / 2) - w + 1000) / 281
        w += dt * (4 * (v + 70.6) - w) / 144
        v = min(v + dt * dv, 40.0)
        if v >= 20:
            v, w, count = -70.6, w + 80.5, count + 1
    return count


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_adaptive_exponential_integrate_and_fire(chip: str) -> None:
    right = adex(10000, 0.1)
    assert 15 < right < 60
    found = outcome(ADEX, chip, 10000, dt="0.1 ms")
    right_or_told(found, chip, lambda f: assert_near(f.spikes, right, 0 if chip == "ideal" else 1))


# ---------------------------------------------------------------------------------------------------- Hodgkin-Huxley

HH = """
  n:
    title: A. Hodgkin & A. Huxley, J. Physiol. 117 (1952) 500, with rest at -65 mV
    params: {i: {default: 10, range: [0, 100]}}
    state:
      v: {init: -65, range: [-100, 60]}
      m: {init: 0.05, range: [0, 1]}
      h: {init: 0.6, range: [0, 1]}
      n: {init: 0.32, range: [0, 1]}
      up: {type: int, init: 0, range: [0, 1]}
    update: |
      RATES
      bm = 4 * exp(-(v + 65) / 18)
      ah = 0.07 * exp(-(v + 65) / 20)
      bh = 1 / (1 + exp(-(v + 35) / 10))
      bn = 0.125 * exp(-(v + 65) / 80)
      m = m + dt * (am * (1 - m) - bm * m)
      h = h + dt * (ah * (1 - h) - bh * h)
      n = n + dt * (an * (1 - n) - bn * n)
      v = v + dt * (i - 120 * m * m * m * h * (v - 50) - 36 * n * n * n * n * (v + 77) - 0.3 * (v + 54.4))
    spike: v > 0 and up == 0
    after: |
      up = 1 if v > 0 else 0
"""
RATES = {
    "guarded by a condition": """
      x = v + 40
      am = 1
      if abs(x) > 0.001:
        am = 0.1 * x / (1 - exp(-x / 10))
      y = v + 55
      an = 0.1
      if abs(y) > 0.001:
        an = 0.01 * y / (1 - exp(-y / 10))""",
    "guarded by a select": """
      x = v + 40
      am = 0.1 * x / (1 - exp(-x / 10)) if abs(x) > 0.001 else 1
      y = v + 55
      an = 0.01 * y / (1 - exp(-y / 10)) if abs(y) > 0.001 else 0.1""",
    "moved away from the singular point": """
      x = v + 40
      x = max(x, 0.001) if x >= 0 else min(x, -0.001)
      am = 0.1 * x / (1 - exp(-x / 10))
      y = v + 55
      y = max(y, 0.001) if y >= 0 else min(y, -0.001)
      an = 0.01 * y / (1 - exp(-y / 10))""",
    "by positive parts": """
      x = abs(v + 40) / 10 + 0.0001
      am = (x / (1 - exp(-x)) if v > -40 else x * exp(-x) / (1 - exp(-x)))
      y = abs(v + 55) / 10 + 0.0001
      an = 0.1 * (y / (1 - exp(-y)) if v > -55 else y * exp(-y) / (1 - exp(-y)))""",
    "as a sum of the linear part and a rest": """
      x = (v + 40) / 10
      z = abs(x) + 0.0001
      am = max(x, 0) + z / (exp(z) - 1)
      y = (v + 55) / 10
      q = abs(y) + 0.0001
      an = 0.1 * (max(y, 0) + q / (exp(q) - 1))""",
}
PROVABLE = ("way0", "way1", "way3", "way4")
"""The ways whose divisors intervals show not to be zero, or that divide under a condition."""


def vtrap(x: float) -> float:
    """x / (1 - exp(-x))."""
    return 1.0 if abs(x) < 1e-4 else x / (1 - math.exp(-x))


def hodgkin_huxley(steps: int, dt: float) -> int:
    v, m, h, n, count, up = -65.0, 0.05, 0.6, 0.32, 0, False
    for _ in range(steps):
        am, an = vtrap((v + 40) / 10), 0.1 * vtrap((v + 55) / 10)
        bm, ah = 4 * math.exp(-(v + 65) / 18), 0.07 * math.exp(-(v + 65) / 20)
        bh, bn = 1 / (1 + math.exp(-(v + 35) / 10)), 0.125 * math.exp(-(v + 65) / 80)
        m += dt * (am * (1 - m) - bm * m)
        h += dt * (ah * (1 - h) - bh * h)
        n += dt * (an * (1 - n) - bn * n)
        v += dt * (10 - 120 * m**3 * h * (v - 50) - 36 * n**4 * (v + 77) - 0.3 * (v + 54.4))
        count += v > 0 and not up
        up = v > 0
    return count


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_hodgkin_huxley(chip: str) -> None:
    right = hodgkin_huxley(20000, 0.01)
    assert 10 < right < 20
    models = {f"way{n}": HH.replace("RATES", rates.strip()) for n, rates in enumerate(RATES.values())}
    most = 0 if chip == "ideal" else 1
    for way, found in outcomes(models, chip, 20000, dt="0.01 ms", backend="emulator").items():
        right_or_told(found, chip, lambda f: assert_near(f.spikes, right, most), provable=way in PROVABLE)


# ------------------------------------------------------------------------------------------------- softmax and Adam

SOFTMAX = """
  n:
    params: {a: {default: 3, range: [-20, 20]}, b: {default: 1, range: [-20, 20]}, c: {default: -2, range: [-20, 20]}}
    state:
      x: {init: A, range: [-20, 20]}
      y: {init: B, range: [-20, 20]}
      z: {init: C, range: [-20, 20]}
      p: {init: 0, range: [0, 1]}
      q: {init: 0, range: [0, 1]}
      r: {init: 0, range: [0, 1]}
    update: |
      TEXT
"""
SOFTMAXES = {
    "plain": """ex = exp(x)
      ey = exp(y)
      ez = exp(z)
      s = ex + ey + ez
      p = ex / s
      q = ey / s
      r = ez / s""",
    "with the largest subtracted": """top = max(x, y, z)
      ex = exp(x - top)
      ey = exp(y - top)
      ez = exp(z - top)
      s = max(ex + ey + ez, 1)
      p = ex / s
      q = ey / s
      r = ez / s""",
    "one by one": """p = 1 / (1 + exp(y - x) + exp(z - x))
      q = 1 / (1 + exp(x - y) + exp(z - y))
      r = 1 / (1 + exp(x - z) + exp(y - z))""",
}
LOGITS = ((3.0, 1.0, -2.0), (0.1, 0.2, 0.3), (-15.0, -14.0, -16.0), (18.0, 17.0, -18.0))


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("way", SOFTMAXES)
def test_softmax(way: str, chip: str) -> None:
    models = {f"case{n}": softmax_model(way, logits) for n, logits in enumerate(LOGITS)}
    for logits, found in zip(LOGITS, outcomes(models, chip, 1, ("p", "q", "r")).values(), strict=True):
        grown = [math.exp(x) for x in logits]

        def check(one: Outcome, grown: list[float] = grown) -> None:
            for x, y in zip(one.values, grown, strict=True):
                assert_near(x, y / sum(grown), {"ideal": 1e-12, "generic16": 1e-3, "generic8": 2e-3}[chip])

        right_or_told(found, chip, check)


def softmax_model(way: str, logits: Sequence[float]) -> str:
    """A neuron that computes the softmax of three of its variables."""
    text = SOFTMAX.replace("TEXT", SOFTMAXES[way])
    for name, x in zip("ABC", logits, strict=True):
        text = text.replace(f"init: {name},", f"init: {x},")
    return text


ADAM = """
  n:
    title: Adam (Kingma & Ba 2015) minimises (x - 0.7)^2
    params:
      rate: {default: 0.01, range: [0, 1]}
      b1: {default: 0.9, range: [0, 1]}
      b2: {default: 0.999, range: [0, 1]}
      eps: {default: EPS, range: [0, 0.1]}
    state:
      x: {init: -1, range: [-2, 2], class: plastic}
      m: {init: 0, range: [-8, 8], class: plastic}
      s: {init: 0, range: [0, 16], class: plastic}
      c1: {init: 1, range: [0, 1], class: plastic}
      c2: {init: 1, range: [0, 1], class: plastic}
    update: |
      g = 2 * (x - 0.7)
      m = b1 * m + (1 - b1) * g
      s = b2 * s + (1 - b2) * g * g
      c1 = c1 * b1
      c2 = c2 * b2
      TEXT
"""
ADAMS = {
    "as published": "x = x - rate * (m / (1 - c1)) / (sqrt(s / (1 - c2)) + eps)",
    "guarded": "x = x - rate * (m / max(1 - c1, 0.05)) / (sqrt(max(s / max(1 - c2, 0.0005), 0)) + eps)",
    "without bias correction": "x = x - rate * m / (sqrt(s) + eps)",
}


def adam(way: str, steps: int, eps: float) -> float:
    x, m, s, c1, c2 = -1.0, 0.0, 0.0, 1.0, 1.0
    for _ in range(steps):
        g = 2 * (x - 0.7)
        m, s = 0.9 * m + 0.1 * g, 0.999 * s + 0.001 * g * g
        c1, c2 = c1 * 0.9, c2 * 0.999
        if way == "without bias correction":
            x -= 0.01 * m / (math.sqrt(s) + eps)
        else:
            x -= 0.01 * (m / (1 - c1)) / (math.sqrt(s / (1 - c2)) + eps)
    return x


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("steps", [50, 400])
@pytest.mark.parametrize("eps", [1e-3, 1e-8])
def test_adam_minimises_a_quadratic(eps: float, steps: int, chip: str) -> None:
    texts = [ADAM.replace("TEXT", text).replace("EPS", f"{eps:.8f}") for text in ADAMS.values()]
    found = outcomes({f"way{n}": text for n, text in enumerate(texts)}, chip, steps, ("x",))
    for way, one in zip(ADAMS, found.values(), strict=True):
        right = adam(way, steps, eps)
        most = 1e-9 if chip == "ideal" else 0.02
        provable = way == "guarded"
        right_or_told(one, chip, lambda f, right=right, most=most: assert_near(f.values[0], right, most), provable)


# ------------------------------------------------------------------------------------------- functions and quotients

Span = tuple[float, float]
FUNCTIONS: dict[str, tuple[str, Span, Span, tuple[float, ...], Callable[[float], float]]] = {
    "sqrt over three decades": ("sqrt(v)", (0, 1000), (0, 32), (0.01, 0.5, 3, 90, 999), math.sqrt),
    "sqrt of a sum of squares": (
        "sqrt(v * v + 0.01)",
        (-30, 30),
        (0, 32),
        (0, 0.01, 0.5, -7, 30),
        lambda v: math.sqrt(v * v + 0.01),
    ),
    "exp over twenty": ("exp(v)", (-20, 20), (0, 16), (-19, -6, -1, 0, 1, 2.7), math.exp),
    "exp over twenty, to the top": (
        "exp(v) / 1000000",
        (-20, 20),
        (0, 500),
        (0, 15, 18, 20),
        lambda v: math.exp(v) / 1e6,
    ),
    "log over four decades": ("log(v)", (0.01, 100), (-8, 8), (0.01, 0.03, 0.5, 1, 30, 100), math.log),
    "log of one plus exp": (
        "log(1 + exp(v))",
        (-20, 20),
        (0, 32),
        (-19, -3, 0, 3, 19),
        lambda v: math.log1p(math.exp(v)),
    ),
    "a quotient by a square": ("3 / (1 + v * v)", (-1, 1), (-8, 8), (-1, -0.5, 0, 0.5, 0.9), lambda v: 3 / (1 + v * v)),
    "a quotient by a larger square": (
        "3 / (1 + v * v)",
        (-2, 2),
        (-8, 8),
        (-2, -0.5, 0, 0.5, 1.9),
        lambda v: 3 / (1 + v * v),
    ),
    "one over what is declared above zero": ("1 / v", (0.3, 1), (0, 4), (0.3, 0.4, 0.7, 1), lambda v: 1 / v),
    "one over a wide range": ("1 / v", (0.01, 100), (0, 100), (0.01, 0.02, 0.5, 3, 100), lambda v: 1 / v),
    "sigmoid by hand": (
        "1 / (1 + exp(-v))",
        (-20, 20),
        (0, 1),
        (-20, -5, -1, 0, 1, 5, 20),
        lambda v: 1 / (1 + math.exp(-v)),
    ),
    "tanh by hand": (
        "(exp(v) - exp(-v)) / (exp(v) + exp(-v))",
        (-5, 5),
        (-1, 1),
        (-5, -1, -0.1, 0, 0.1, 1, 5),
        math.tanh,
    ),
    "a Gaussian": ("exp(-v * v / 2)", (-10, 10), (0, 1), (-10, -2, -0.5, 0, 0.1, 3), lambda v: math.exp(-v * v / 2)),
    "a Hill function": ("v * v / (4 + v * v)", (0, 100), (0, 1), (0, 0.5, 2, 10, 100), lambda v: v * v / (4 + v * v)),
    "Mg block of NMDA": (
        "1 / (1 + 0.28 * exp(-0.062 * v))",
        (-100, 50),
        (0, 1),
        (-100, -70, -40, 0, 50),
        lambda v: 1 / (1 + 0.28 * math.exp(-0.062 * v)),
    ),
}
RELATIVE = {"ideal": 1e-12, "generic16": 1e-4, "generic8": 1e-3}


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_and_quotients_over_wide_ranges(name: str, chip: str) -> None:
    """Within some units of the state's word, in relation to the range of the result."""
    text, over, result, points, right = FUNCTIONS[name]
    model = f"""
  n:
    state:
      v: {{init: 1, range: [{over[0]}, {over[1]}]}}
      a: {{init: {result[0]}, range: [{result[0]}, {result[1]}]}}
    update: |
      a = {text}
"""
    if refused := refusal(text_of({"n": model}, "1 ms"), chip):
        right_or_told(Outcome(refused=refused), chip, lambda f: None)
        return
    found = values_at(model, chip, points)
    # what the word of v leaves of the argument is part of the result
    for x, y in zip(points, found, strict=True):
        unit = (over[1] - over[0]) * 2.0 ** {"ideal": -52, "generic16": -31, "generic8": -15}[chip]
        spread = max(abs(right(min(max(x + d * unit, over[0]), over[1])) - right(x)) for d in (-1, 1))
        assert_near(y, right(x), RELATIVE[chip] * (result[1] - result[0]) + spread)


def values_at(model: str, chip: str, points: Sequence[float]) -> list[float]:
    """`a` of one neuron for each value of `v`."""
    text = HEAD.replace("DT", "1 ms") + model + f"\npopulations: {{n: {{size: {len(points)}, neuron: n}}}}\n"
    network = reader.loads(text.encode(), "published.yaml")
    with neuroport.open(network, "reference", chip) as session:
        session.set("n.v", list(points))
        session.run(1)
        return [float(x) for x in session.get("n.a")]
