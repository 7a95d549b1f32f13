"""A literal in a model is as wide as its value: functions of literals and variables, on chips and on every executor."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

import neuroport
from neuroport.files import network as reader
from neuroport.program.executor import Backend
from neuroport.program.machine import Program
from tests.support.planning import open_session

CASES = {
    "a = min(v, 1)": 0.3,
    "a = max(v, -1)": 0.3,
    "a = min(1, max(-1, v))": 0.3,
    "a = clip(v, 0, 1)": 0.3,
    "h = clip(h, 0, 1)": 0.3,
    "w = clip(w, 0, 1) + 0.01": 0.31,
    "a = 1 / max(u, 0.3)": 1 / 0.7,
    "a = softplus(min(u, 1))": 1.1031860,
    "a = exp(min(1e-9 * abs(q + i) + 1e-9, 5))": 1,
    "a = 2.5 if v < 1 else -3": 2.5,
    "m = min(n, 4294967296)": 77,
    "m = min(4294967296, n)": 77,
    "m = max(n, -4294967296)": 77,
    "m = clip(n, 4294967296, 3)": 3,
    "m = saturate(n, 40)": 77,
    "m = n // 4294967297": 0,
    "m = n % 4294967297": 77,
    "m = 1000000000000 // (n + 1000)": 10**12 // 1077,
    "m = 1000000000000 % (n + 1000)": 10**12 % 1077,
    "m = trunc_div(-1000000000000, n + 1000)": -(10**12 // 1077),
    "m = abs(n - 4294967296)": 2**32 - 77,
    "m = n * 4294967296": 77 * 2**32,
    "m = -n - 2147483648": -77 - 2**31,
    "m = 7 if n < 4294967296 else 3": 7,
    "m = 7 if -2147483649 < n else 3": 7,
    "m = 1099511627776 >> 3": 2**37,
    "m = 1 << 40": 2**40,
    "m = n << 40": 77 * 2**40,
    "a = v ** 3": 0.027,
    "a = (v + u) ** 8 - 1.5 ** 2": -1.25,
    "a = floor(3.7 * u)": 2,
    "a = floor(-u - 3)": -4,
    "a = ceil(-2.5 * u)": -1,
    "a = ceil(u) + ceil(1e-3 * u)": 2,
    "a = round(u) - round(v) + round(-u) / 4": 0.75,
    "a = floor(n) / 20": 3.85,
    "a = exprel(-v)": 0.8639394,
    "a = 1 / exprel(min(10 * u, 3))": 0.1571872,
    "a = exprel(q - 123)": 1,
    "m = n ** 7": 77**7,
    "m = int(3.7 * u)": 2,
    "m = int(-3.7 * u)": -2,
    "m = int(floor(-3.7 * u))": -3,
    "m = int(round(n * 0.5)) * n": 39 * 77,
    "m = int(n) + int(q)": 200,
    "m = int(1e30 * u)": 2**60 - 1,
    "m = n << int(round(clip(10 * v, 0, 8)))": 77 * 8,
    "m = int(q / 10)": 12,
    "m = -n ** 2": -(77**2),
    "m = wrap(n * 4294967296, 40)": (77 * 2**32 + 2**39) % 2**40 - 2**39,
}
"""What a neuron does once, and what the variable that it assigns is then."""

STATES = {
    "a": "{init: 0, range: [-8, 8]}",
    "h": "{init: 0.3, range: [-0.5, 0.5]}",
    "w": "{init: 0.3, range: [0, 1], class: plastic}",
    "m": "{type: int, init: 0, range: [-1152921504606846976, 1152921504606846975]}",
}
"""The variables that are assigned, each case its own."""

MODEL = """
    params: {q: {default: 123, range: [0.001, 1000]}}
    inputs: {i: {range: [-0.7, 0.7]}}
    state:
      v: {init: 0.3, range: [-1, 1]}
      u: {init: 0.7, range: [-1, 1]}
      n: {type: int, init: 77, range: [-100, 100]}
"""


@cache
def compiled(chip: str) -> tuple[Any, Program]:
    """All cases, each with a variable of its own, in one neuron."""
    text = f"neuroport: 1\nname: literals\ndt: 1 ms\nchip: {chip}\nneurons:\n  all:{MODEL}"
    text += "".join(f"      {case[0]}{k}: {STATES[case[0]]}\n" for k, case in enumerate(CASES)) + "    update: |\n"
    text += "".join(f"      {re.sub(rf'^{c[0]}|(?<=clip.){c[0]}', f'{c[0]}{k}', c)}\n" for k, c in enumerate(CASES))
    text += "populations: {p: {neuron: all, size: 1}}\nprotocol:\n  - run: 1 step\n"
    network = reader.loads(text.encode(), "literals.yaml")
    return network, neuroport.compile(network)


@pytest.mark.parametrize(("chip", "tolerance"), [("generic16", 1e-3), ("generic8", 0.08)])
def test_literals_are_as_wide_as_their_values(chip: str, tolerance: float, backend: Backend) -> None:
    with open_session(*compiled(chip), backend) as session:
        session.run(1)
        found = {case: float(session.get(f"p.{case[0]}{k}").ravel()[0]) for k, case in enumerate(CASES)}
    wrong = {
        case: value
        for case, value in found.items()
        if abs(value - CASES[case]) > (0 if case.startswith("m") else tolerance)
    }
    assert wrong == {}
