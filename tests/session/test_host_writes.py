"""What a host injects and sets by name: the same on every executor and chip, or refused with what is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroport import backends
from neuroport.api import run as api
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.session.session import Session

BACKENDS = ("reference", "emulator", "genn")
CHIPS = ("ideal", "generic16", "generic8")
TEXT = """\
neuroport: 1
name: writes
dt: 1 ms
neurons:
  ranged:
    inputs: {i: {range: [-8, 8]}}
    state: {v: {init: 0, range: [-16, 16]}}
    update: v = i
  free:
    inputs: {i: {}}
    state: {v: {init: 0, range: [-16, 16]}}
    update: v = i
  counting:
    inputs: {n: {type: int, range: [0, 200]}}
    state: {c: {type: int, init: 0, range: [0, 100000]}}
    update: c = c + n
populations:
  shown: {size: 3, neuron: ranged}
  alone: {size: 2, neuron: ranged}
  free: {size: 2, neuron: free}
  counts: {size: 2, neuron: counting}
  ticks: {size: 2, neuron: spike_source}
  cells: {size: 2, neuron: lif}
projections:
  p: {source: ticks, target: cells, input: jump, synapse: static, connect: all_to_all, weight: [[1, 1], [2, 3]],
      ranges: {w: [-4, 4]}}
  narrow: {source: ticks, target: free, input: i, synapse: static, connect: all_to_all, weight: 0.5,
           ranges: {w: [0, 0.5]}}
stimuli:
  steady: {series: {values: {array: [7.9]}, every: 1 step, loop: true}, population: shown, input: i}
protocol: [{run: 1 step}]
"""


def network(tmp_path: Path, text: str = TEXT) -> Network:
    path = tmp_path / "n.yaml"
    path.write_text(text, "utf-8")
    return reader.load(path)


@pytest.fixture(scope="module", params=[f"{b} {c}" for c in CHIPS for b in BACKENDS])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """The network on one executor and chip."""
    backend, chip = request.param.split()
    missing = backends.load(backend).missing()
    if missing:
        pytest.skip(missing)
    with api.open(network(tmp_path_factory.mktemp("writes")), backend, chip) as session:
        yield session


def all_arrays(session: Session) -> dict[str, Any]:
    return {n: session.executor.read(n).tolist() for n in session.program.arrays}


# ------------------------------------------------------------------------------------------------------- injecting


def test_an_injection_beside_an_arrival_is_added(opened: Session) -> None:
    """A chip limits the sum to the declared range, and counts it; an ideal machine does not."""
    before = opened.overflows().get("shown.i", 0)
    opened.inject("shown.i", [0, 1, 2, 2], [7.9, -7.5, 3.9, 4])
    opened.run(1)
    most = 15.8 if opened.program.chip == "ideal" else 8
    assert opened.get("shown.v") == pytest.approx([most, 0.4, most], abs=2e-3)
    assert opened.overflows().get("shown.i", 0) - before == (0 if opened.program.chip == "ideal" else 2)
    opened.run(1)
    assert opened.get("shown.v") == pytest.approx([7.9] * 3, abs=2e-3)


def test_an_injection_into_an_input_that_nothing_reaches_is_added(opened: Session) -> None:
    opened.inject("alone.i", [1], 1.5)
    opened.run(1)
    assert opened.get("alone.v").tolist() == [0, 1.5]


def test_spikes_are_injected_into_a_source(opened: Session) -> None:
    before = opened.spike_counts()["ticks"]
    for _ in range(10):
        opened.inject("ticks.spike_in", [0, 1], 1)
        opened.run(1)
    assert opened.spike_counts()["ticks"] - before == 20


def test_ints_are_injected(opened: Session) -> None:
    before = opened.get("counts.c")
    opened.inject("counts.n", [0, 1, 1], [1, 150, 50])
    opened.run(1)
    assert (opened.get("counts.c") - before).tolist() == [1, 200]


REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "too much": (("alone.i", [0, 1], [0, 9]), "'alone.i', all that was injected for this step: 9 of neuron 1 is "
                 "outside -8 .. 8, its declared range; give a value inside, or a wider range with "
                 "`ranges: {i: [LOW, HIGH]}` at 'alone'"),
    "together": (("alone.i", [1, 1], 5), "'alone.i', all that was injected for this step: 10 of neuron 1 is "
                 "outside -8 .. 8, its declared range; give a value inside, or a wider range with "
                 "`ranges: {i: [LOW, HIGH]}` at 'alone'"),
    "nan": (("alone.i", [0], float("nan")), "'alone.i': nan of neuron 0 is not finite; give finite numbers"),
    "infinite": (("free.i", [0], [float("-inf")]), "'free.i': -inf of neuron 0 is not finite; give finite numbers"),
    "fraction": (("counts.n", [1], 1.5), "'counts.n': 1.5 of neuron 1 is no whole number, and this is an int; "
                 "round it"),
    "halves": (("counts.n", [1, 1], 1.5), "'counts.n': 1.5 of neuron 1 is no whole number, and this is an int; "
               "round it"),
    "no neuron": (("alone.i", [0, 2], 1), "'alone' has the neurons 0 to 1; found 2; give their numbers"),
    "negative": (("alone.i", [-1], 1), "'alone' has the neurons 0 to 1; found -1; give their numbers"),
    "half": (("alone.i", [0.5], 1), "'alone' has the neurons 0 to 1; found 0.5, a real number; "
             "give their numbers"),
    "mask": (("alone.i", [True, False], 1), "'alone' has the neurons 0 to 1; found truth values; "
             "give their numbers"),
    "shapes": (("alone.i", [0, 1], [1, 2, 3]), "'alone.i': 2 neurons were given values of the shape (3,); "
               "give as many"),
    "words": (("alone.i", [0], "much"), "'alone.i': 'much' is not a number with a unit such as '20 ms'"),
    "variable": (("alone.v", [0], 1), "'alone.v' is not an input; use `set` to change a variable"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_injection_that_is_refused_changes_nothing(opened: Session, case: str) -> None:
    arguments, text = REFUSED[case]
    before = all_arrays(opened)
    with pytest.raises(InvalidInput) as error:
        opened.inject(*arguments)
    assert str(error.value) == text
    assert all_arrays(opened) == before


def test_what_is_injected_bit_by_bit_is_added_up_before_it_is_refused(opened: Session) -> None:
    opened.set("shown.i", [0, 0, 8])
    with pytest.raises(InvalidInput, match=r"all that was injected for this step: 8.5 of neuron 2 is outside -8 .. 8"):
        opened.inject("shown.i", [2], 0.5)
    opened.run(1)
    opened.reset("shown")


def test_without_a_range_an_ideal_machine_takes_any_number(tmp_path: Path) -> None:
    with api.open(network(tmp_path), "reference", "ideal") as session:
        session.inject("free.i", [0], 1e30)
        session.run(1)
        assert session.get("free.v").tolist() == [1e30, 0]


@pytest.mark.parametrize("backend", BACKENDS[:2])
def test_without_a_range_a_chip_takes_what_its_format_holds(tmp_path: Path, backend: str) -> None:
    with api.open(network(tmp_path), backend, "generic16") as session:
        session.inject("free.i", [0], 0.5)
        session.run(1)
        assert session.get("free.v").tolist() == [0.5, 0]
        with pytest.raises(InvalidInput, match=r"outside .* what it holds on chip 'generic16'; give a value"):
            session.inject("free.i", [0], 1e30)


# --------------------------------------------------------------------------------------------------------- setting


def test_static_weights_take_what_their_range_allows(opened: Session) -> None:
    opened.set("p.w", [-4, 3.5, 0.25, 3])
    assert opened.get("p.w").tolist() == [-4, 3.5, 0.25, 3]
    opened.set("p.w", [1, 1, 2, 3])


SETS: dict[str, tuple[str, Any, str]] = {
    "state": ("alone.v", [0, 17], "'alone.v': 17 of neuron 1 is outside -16 .. 16, its declared range; "
              "give a value inside, or a wider range with `ranges: {v: [LOW, HIGH]}` at 'alone'"),
    "weight": ("p.w", 4.5, "'p.w': 4.5 of synapse 0 is outside -4 .. 4, its declared range; "
               "give a value inside, or a wider range with `ranges: {w: [LOW, HIGH]}` at 'p'"),
    "nan": ("alone.v", [0, float("nan")], "'alone.v': nan of neuron 1 is not finite; give finite numbers"),
    "infinite": ("p.w", float("inf"), "'p.w': inf of synapse 0 is not finite; give finite numbers"),
    "fraction": ("counts.c", 0.5, "'counts.c': 0.5 of neuron 0 is no whole number, and this is an int; round it"),
    "int": ("counts.c", 100001, "'counts.c': 100001 of neuron 0 is outside 0 .. 100000, its declared range; "
            "give a value inside, or a wider range with `ranges: {c: [LOW, HIGH]}` at 'counts'"),
    "input": ("alone.i", 9, "'alone.i': 9 of neuron 0 is outside -8 .. 8, its declared range; "
              "give a value inside, or a wider range with `ranges: {i: [LOW, HIGH]}` at 'alone'"),
    "shape": ("alone.v", [1, 2, 3], "'alone.v' has the shape (2,), and values of the shape (3,) were given; "
              "give as many, or one number for all"),
    "unit": ("cells.v", "5 nA", "'cells.v': 5 nA is not in mV"),
    "words": ("cells.v", ["x"], "'cells.v' takes numbers; found ['x']"),
    "nothing": ("cells.v", None, "'cells.v' takes numbers; found None"),
}  # fmt: skip


@pytest.mark.parametrize("case", SETS)
def test_values_that_are_refused_change_nothing(opened: Session, case: str) -> None:
    name, value, text = SETS[case]
    before = all_arrays(opened)
    with pytest.raises(InvalidInput) as error:
        opened.set(name, value)
    assert str(error.value) == text
    assert all_arrays(opened) == before


def test_a_value_inside_the_range_is_rounded_to_the_nearest(opened: Session) -> None:
    opened.set("alone.v", 1 / 3)
    error = np.abs(opened.get("alone.v") - 1 / 3)
    assert np.all(error <= 2.0**-11)
    opened.set("alone.v", 16)  # the end of a range may lie one unit beyond what a signed word holds
    assert opened.get("alone.v") == pytest.approx([16, 16], abs=2.0**-10)
    opened.set("alone.v", 0)


WIDE = """\
neuroport: 1
name: wide
dt: 1 ms
neurons:
  m: {state: {v: {init: 0, range: [-1, 1]}}, update: v = v}
populations: {a: {size: 1, neuron: m}}
protocol: [{run: 1 step}]
"""
LONG = """\
name: long
arithmetic: integer
words: {state: {bits: 63}, weight: {bits: 63}, plastic: {bits: 63}, trace: {bits: 63}, accumulator: {bits: 63},
        coefficient: {bits: 63}}
"""


def test_a_word_of_63_bits_holds_what_its_type_says(tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(LONG, "utf-8")
    with api.open(network(tmp_path, WIDE), "reference", str(tmp_path / "long.yaml")) as session:
        kind = session.program.arrays["a.v"].type
        session.set("a.v", 1.0)
        assert session.executor.read("a.v").tolist() == [kind.hi]  # type: ignore[union-attr]
        session.set("a.v", -1.0)
        assert session.executor.read("a.v").tolist() == [kind.lo]  # type: ignore[union-attr]


def test_what_a_chip_sees_of_a_weight_is_not_set_by_itself(tmp_path: Path) -> None:
    text = TEXT.replace("synapse: static, connect: all_to_all, weight: [[1", "synapse: stdp_pair, connect: all_to_all, "
                        "params: {w_max: 4}, weight: [[1").replace("{w: [-4, 4]}", "{w: [0, 4]}")  # fmt: skip
    with api.open(network(tmp_path, text), "reference", "generic8") as session:
        with pytest.raises(InvalidInput, match=r"'p.w.visible' follows from 'p.w'; set what it follows from"):
            session.set("p.w.visible", 0.25)
        session.set("p.w", 0.3)
        assert session.get("p.w.visible") == pytest.approx([0.3] * 4, abs=2.0**-6)
        assert session.get("p.w") == pytest.approx([0.3] * 4, abs=2.0**-29)


PORT = "ports: {current: {inject: cells.i, range: [-16, 16]}}\n"
RANGED = TEXT.replace("cells: {size: 2, neuron: lif}", "cells: {size: 2, neuron: lif, ranges: {i: [-16, 16]}}")


@pytest.mark.parametrize("text", [TEXT + PORT, RANGED], ids=["port", "range"])
def test_an_input_of_the_library_without_a_range_takes_injections_once_a_text_says_which(
    tmp_path: Path, text: str
) -> None:
    remedy = r"declare in the network file what the host adds: `ports: {NAME: {inject: cells.i, range: \[LOW, HIGH\]}}`"
    with api.open(network(tmp_path), "reference", "generic16") as session, pytest.raises(InvalidInput, match=remedy):
        session.inject("cells.i", [0], 1)
    after = []
    for chip in CHIPS:
        with api.open(network(tmp_path, text), "reference", chip) as session:
            session.inject("cells.i", [0], 1)
            session.run(1)
            after.append(session.get("cells.v").tolist())
    assert after[0][0] > after[0][1] + 1
    assert after[1] == pytest.approx(after[0], abs=1e-2) and after[2] == pytest.approx(after[0], abs=1e-1)


CAPTURED = """\
neuroport: 1
name: captured
dt: 1 ms
neurons:
  loud:
    inputs: {i: {range: [-4, 4]}}
    state: {r: {init: 0, range: [-64, 64]}}
    update: r = 4 * i
populations: {x: {size: 1, neuron: loud}}
stimuli:
  pats: {patterns: {values: [[1], [3]], hold: 1 step, order: sequential}, population: x, input: i}
readouts: {seen: {samples: {of: x.r, every: 1 step}}}
protocol:
  - {present: pats, readout: [seen]}
  - capture: {pats: seen}
  - {present: pats, readout: [seen]}
"""


@pytest.mark.parametrize("backend", BACKENDS[:2])
@pytest.mark.parametrize("chip", CHIPS)
def test_a_captured_value_beyond_the_range_is_limited_by_chips_and_counted(
    tmp_path: Path, backend: str, chip: str
) -> None:
    with api.open(network(tmp_path, CAPTURED), backend, chip) as session:
        session.run_protocol()
        rows = session.rows("seen")[1].ravel()
        assert rows == pytest.approx([16, 48] if chip == "ideal" else [16, 16], abs=2e-2)
        by_machine = session.executor.overflows().get("x.i", 0)
        assert session.overflows().get("x.i", 0) - by_machine == (0 if chip == "ideal" else 1)
