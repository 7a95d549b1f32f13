"""What leaves a synapse is the visible weight through its circuit, whatever local names it goes through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

import neuroport
from neuroport import networks
from neuroport.api import run as api
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip, ChipInstance, Deviation
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.program import printer
from neuroport.program.ir import REAL, Apply, Const, Expr, Let, Read, Send, Stmt, Store, Temp
from neuroport.program.sent import as_sent

W, FORM = Read("p.w", "own", REAL), Read("p.w.visible", "own", REAL)


def mul(a: Expr, b: Expr) -> Expr:
    return Apply("mul", (a, b), REAL)


def temp(name: str) -> Temp:
    return Temp(name, REAL)


def form(read: Read) -> Read:
    return FORM if read == W else read


TWO = Const(2.0, REAL)
BODIES: dict[str, tuple[tuple[Stmt, ...], tuple[Stmt, ...]]] = {
    "a direct read": ((Send("b.i", mul(W, TWO)),), (Send("b.i", mul(FORM, TWO)),)),
    "a local name for sends alone": (
        (Let("x", mul(W, TWO)), Send("b.i", temp("x"))),
        (Let("x", mul(FORM, TWO)), Send("b.i", temp("x"))),
    ),
    "a local name for both": (
        (Let("x", W), Store("p.w", temp("x")), Send("b.i", temp("x"))),
        (Let("x", W), Let("x.sent", FORM), Store("p.w", temp("x")), Send("b.i", temp("x.sent"))),
    ),
    "a chain whose middle is used for both": (
        (Let("x", W), Let("y", mul(temp("x"), TWO)), Store("p.w", temp("x")), Send("b.i", temp("y"))),
        (
            Let("x", W),
            Let("x.sent", FORM),
            Let("y", mul(temp("x.sent"), TWO)),
            Store("p.w", temp("x")),
            Send("b.i", temp("y")),
        ),
    ),
    "a guard": (
        (Let("x", W), Send("b.i", TWO, temp("x")), Store("p.w", TWO, temp("x"))),
        (Let("x", W), Let("x.sent", FORM), Send("b.i", TWO, temp("x.sent")), Store("p.w", TWO, temp("x"))),
    ),
    "nothing of the weight": (
        (Let("x", TWO), Store("p.w", mul(W, temp("x"))), Send("b.i", temp("x"))),
        (Let("x", TWO), Store("p.w", mul(W, temp("x"))), Send("b.i", temp("x"))),
    ),
}


@pytest.mark.parametrize("case", BODIES)
def test_sends_see_the_form_and_updates_do_not(case: str) -> None:
    body, wanted = BODIES[case]
    assert as_sent(body, form) == wanted


@pytest.mark.parametrize("case", BODIES)
def test_a_second_form_of_the_same_reads_adds_no_names(case: str) -> None:
    def second(read: Read) -> Read:
        return replace(read, array="p.other") if read == FORM else read

    once = as_sent(BODIES[case][0], form)
    twice = as_sent(once, second)
    assert [s.name for s in twice if isinstance(s, Let)] == [s.name for s in once if isinstance(s, Let)]
    assert "p.w.visible" not in str([s for s in twice if isinstance(s, Send)])


# Each pair says the same: by local names, and directly. `w = w + 0.003 * pre.r` moves the weight off the visible grid.
LEARN = "w = w + 0.003 * pre.r"
PAIRS = {
    "step": ("x = w * pre.r\nsend(target, x)", "send(target, w * pre.r)"),
    "chain": ("x = 2 * w\ny = x * pre.r\nz = y\nsend(target, z)", "send(target, 2 * w * pre.r)"),
    "both": (
        "x = w * pre.r\nw = w + 0.01 * x\nsend(target, x)",
        "send(target, w * pre.r)\nw = w + 0.01 * (w * pre.r)",
    ),
    "moment": (f"x = w\n{LEARN}\nsend(target, x)", f"send(target, w)\n{LEARN}"),
    "branches": (
        "x = 0.0\nif pre.r > 0.5:\n  x = w\nelse:\n  x = 2 * w\nsend(target, x)",
        "send(target, w if pre.r > 0.5 else 2 * w)",
    ),
    "inside": (
        "if pre.r > 0.5:\n  x = w * pre.r\n  send(target, x)",
        "if pre.r > 0.5:\n  send(target, w * pre.r)",
    ),
    "guard": (
        "big = w > 0.3\nif big:\n  send(target, 1)\n  w = w + 0.001",
        "send(target, 1 if w > 0.3 else 0)\nif w > 0.3:\n  w = w + 0.001",
    ),
    "back": ("x = w * post.r\nsend_back(i, x)\nsend(target, 0 * x)", "send_back(i, w * post.r)\nsend(target, 0 * w)"),
    "on_pre": ("x = w\nsend(target, x)", "send(target, w)"),
    "on_post": ("x = w + 0\nsend_back(i, x)", "send_back(i, w + 0)"),
}


def paired(pairs: Sequence[str] = tuple(PAIRS)) -> Network:
    """For each pair two populations that its synapses drive, `NAME0` by local names and `NAME1` directly."""
    lines = ["neuroport: 1", "name: n", "dt: 1 ms", "chip: ideal", "neurons:"]
    lines += ["  cell:", "    inputs: {i: {range: [-8, 8]}}"]
    lines += ["    state: {v: {init: 0, range: [-64, 64]}, r: {init: {uniform: [0.1, 0.9]}, range: [0, 1]}}"]
    lines += ["    update: |", "      v = v + i", "    spike: r > 0.4"]
    synapses, populations, projections = ["synapses:"], ["populations:"], ["projections:"]
    for name in pairs:
        for k, text in enumerate(PAIRS[name]):
            block = name if name.startswith("on_") else "step"
            synapses += [
                f"  {name}{k}:",
                "    state: {w: {weight: true, kind: weight, range: [0, 1]}}",
                f"    {block}: |",
            ]
            synapses += [f"      {line}" for line in f"{text}\n{LEARN}".split("\n")]
            if name == "on_post":
                synapses += ["    on_pre: |", "      send(target, 0.5 * w)"]
            for side in "ab":
                populations.append(f"  {side}{name}{k}: {{size: 3, neuron: cell, init: {{r: [0.2, 0.5, 0.8]}}}}")
            ends = f"source: a{name}{k}, target: b{name}{k}, input: i, synapse: {name}{k}"
            weights = "weight: [[0.302, 0.41, 0.77], [0.111, 0.29, 0.93], [0.05, 0.666, 0.31]]"
            projections.append(f"  p{name}{k}: {{{ends}, connect: all_to_all, {weights}}}")
    return reader.loads("\n".join([*lines, *synapses, *populations, *projections]), "n.yaml")


def four(**kinds: Deviation) -> Chip:
    """A chip of 4-bit weights whose roundings elsewhere are too fine to be seen."""
    chip = chips.load("generic16")
    words = tuple((k, replace(r, bits=4) if k == "weight" else replace(r, bits=32)) for k, r in chip.words)
    return replace(chip, name="four", words=words, mismatch=tuple(kinds.items()))


@pytest.mark.parametrize("arithmetic", ["four", "four that deviates", "ideal that deviates"])
@pytest.mark.parametrize(
    ("backend", "pairs"), [("reference", tuple(PAIRS)), ("emulator", ("both",)), ("genn", ("both",))]
)
def test_local_names_change_nothing(arithmetic: str, backend: str, pairs: Sequence[str]) -> None:
    if backend == "genn":
        pytest.importorskip("pygenn")
    kinds = {"weight": Deviation(sigma=0.1)} if "deviates" in arithmetic else {}
    chip = four(**kinds) if "four" in arithmetic else replace(chips.load("ideal"), mismatch=tuple(kinds.items()))
    one = ChipInstance(chip, 1, {"weight": _alike()} if kinds else {})
    with api.open(paired(pairs), backend, chip, instance=one) as session:
        session.run(12)
        for name in pairs:
            for array in (f"b{name}{{}}.v", f"a{name}{{}}.v", f"p{name}{{}}.w"):
                local, direct = (session.get(array.format(k)) for k in (0, 1))
                assert np.abs(local - direct).max() <= 1e-6, (name, array)


def _alike() -> np.ndarray:
    """Factors by which the circuits of the two populations of a pair deviate alike."""
    ranks = [((c + 1) * 2**24 + r, 1 + 0.1 * np.sin(3 * (c % 3) + r)) for c in range(12 * len(PAIRS)) for r in range(3)]
    return np.array(ranks, np.float64).T


def test_what_is_sent_through_a_local_name_is_the_visible_weight() -> None:
    rates = np.array([0.2, 0.5, 0.8])
    with api.open(paired(["step"]), "reference", four()) as session:
        visible = session.get("pstep0.w.visible").reshape(3, 3)
        assert np.array_equal(visible * 8, np.round(visible * 8))
        session.run(1)
        assert session.get("bstep0.v") == pytest.approx(rates @ visible, abs=1e-4)


@pytest.mark.parametrize("name", ["sal_pair", "stdp_pair", "gle_lagline", "pal_backward"])
def test_networks_that_send_directly_have_no_further_names(name: str) -> None:
    text = printer.text(neuroport.compile(neuroport.load(networks.path(name)), "generic8_mismatch10", 1))
    assert ".sent" not in text
