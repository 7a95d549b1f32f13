"""No name that somebody chooses is one that the compiler makes, and links between arrays are not in their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuroport
from neuroport.api import run as api
from neuroport.chips import description as chips
from neuroport.chips.mismatch import deviates
from neuroport.copies.unbatch import unbatch
from neuroport.copies.unroll import unroll
from neuroport.errors import InternalError, InvalidInput
from neuroport.files import network as reader
from neuroport.language.names import BUILT_IN
from neuroport.language.syntax import SENDS, calls
from neuroport.network.network import Network
from neuroport.numerics.units import Quantity
from neuroport.program.ir import REAL, Let
from neuroport.program.machine import Array, Arrays, Program
from neuroport.session.session import Session
from neuroport.trace.read import open_trace
from neuroport.yaml.fields import IDENTIFIER
from tests.support.planning import verify

pytestmark = pytest.mark.dear
BACKENDS = ("reference", "emulator", "genn")

CONST = """
    params: {{const1: {{default: 100}}, k: {{default: 3}}}}
    state: {{v: {{range: [-1000, 1000]}}, w: {{range: [-1000, 1000]}}}}
    update: |
      v = k * k
      w = const1
"""
VARIABLE = """
    params: {{k: {{default: 3}}}}
    state: {{v: {{range: [-1000, 1000]}}, w: {{range: [-1000, 1000]}}, const1: {{range: [0, 100], init: 100}}}}
    update: |
      v = k * k
      w = const1
"""
RECIPROCAL = """
    params: {{{name}: {{default: 0.5, range: [0, 1]}}, k: {{default: 3, range: [1, 4]}}}}
    state: {{v: {{range: [-8, 8], init: 6}}, w: {{range: [-8, 8]}}}}
    update: |
      w = v / k + 0 * v
      v = {name} * v
"""
CIRCUIT = """
    params: {{b_circuit: {{default: 0.25, range: [0, 1]}}}}
    state:
      b: {{range: [-2, 2], init: 1.5, class: plastic, kind: bias}}
      v: {{range: [-8, 8]}}
      w: {{range: [-8, 8]}}
    update: |
      v = b
      w = b_circuit
"""
LOCALS = """
    state: {{v: {{range: [-8, 8]}}, w: {{range: [-8, 8]}}}}
    update: |
      x = 1
      {name} = 5
      x = 2
      v = x
      w = {name}
"""
CONDITION = """
    state: {{v: {{range: [-8, 8], init: 1}}, w: {{range: [-8, 8]}}}}
    update: |
      cond_1 = 5
      if v > 0:
        w = 3
      if v > 1:
        w = 4
      v = cond_1
"""
NAMED = """
    state: {{v: {{range: [-8, 8], init: 1}}, w: {{range: [-8, 8], init: 0.5}}}}
    update: |
      {name} = 0.5 * v
      w = exp(w * w) + 0 * {name}
      v = {name}
"""
CASES: dict[str, tuple[str, str, float, float]] = {
    "a constant": (CONST, "ideal", 9, 100),
    "a constant beside a variable": (VARIABLE, "ideal", 9, 100),
    "a reciprocal": (RECIPROCAL.replace("{name}", "recip_1"), "generic16", 3, 2),
    "the first reciprocal": (RECIPROCAL.replace("{name}", "recip_0"), "generic16", 3, 2),
    "a local name given twice": (LOCALS.replace("{name}", "x_1"), "ideal", 2, 5),
    "a local name given twice, in integers": (LOCALS.replace("{name}", "x_1"), "generic16", 2, 5),
    "a condition": (CONDITION, "ideal", 5, 3),
    "a name of the quantiser": (NAMED.replace("{name}", "_q0"), "generic16", 0.5, 1.284),
    "the next name of the quantiser": (NAMED.replace("{name}", "_q1"), "generic16", 0.5, 1.284),
}
"""The model of one neuron, the chip, and what v and w are after one step."""


def one(model: str) -> Network:
    """A network of one neuron."""
    head = "neuroport: 1\nname: n\ndt: 1 ms\nneurons:\n  cell:"
    tail = "populations:\n  cells: {size: 2, neuron: cell}\nprotocol: [{run: 1 ms}]\n"
    return reader.loads(head + model.format() + tail, "n.yaml")


def opened(network: Network, backend: str, chip: str, chip_seed: int | None = None) -> Session:
    if backend == "genn":
        pytest.importorskip("pygenn")
    return api.open(network, backend, chip, chip_seed)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_a_name_of_the_compiler_is_free_for_users(case: str, backend: str) -> None:
    model, chip, v, w = CASES[case]
    with opened(one(model), backend, chip) as session:
        session.run(1)
        assert session.get("cells.v") == pytest.approx([v, v], rel=1e-2)
        assert session.get("cells.w") == pytest.approx([w, w], rel=1e-2)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_factor_of_a_circuit_takes_no_name(backend: str) -> None:
    with opened(one(CIRCUIT), backend, "generic8_mismatch10", 1) as session:
        session.run(1)
        assert session.get("cells.w") == pytest.approx([0.25, 0.25])
        assert np.all(session.get("cells.v") != session.get("cells.b"))


SHARED = """
neuroport: 1
name: shared
dt: 1 ms
chip: generic16
copies: 3
neurons:
  cell:
    state:
      v: {init: 0, range: [-4, 4]}
      b: {init: 0, range: [-2, 2], over_copies: shared, class: plastic}
    update: |
      v = 0.5 * v + b + uniform()
    spike: v > 1
    on_spike: v = 0
    on_event:
      each_step: |
        b = b + 0.01 * mean_copies(v)
populations:
  run: {size: 4, neuron: cell}
record: {spikes: all}
protocol:
  - run: 50 ms
"""


@pytest.mark.parametrize("name", ["run", "_run"])
def test_a_population_may_have_the_name_of_the_clock(name: str) -> None:
    network = reader.loads(SHARED.replace("  run:", f"  {name}:"), "s.yaml")
    found = verify(network, neuroport.compile(network), ["reference", "emulator"])
    assert found.identical, found


@pytest.mark.parametrize("backend", BACKENDS)
def test_copies_of_a_population_with_the_name_of_the_clock(backend: str) -> None:
    if backend == "genn":
        pytest.importorskip("pygenn")
    networks = [reader.loads(SHARED.replace("  run:", f"  {name}:"), "s.yaml") for name in ("run", "cells")]
    for copies in (3, 1):
        of_clock, plain = (api.run(replace(n, copies=copies), backend) for n in networks)
        # draws hang on the names of populations: their numbers differ, the clock must not
        assert (of_clock.steps, of_clock.spikes.keys()) == (plain.steps, {"run"})
        assert of_clock.spikes["run"] == pytest.approx(plain.spikes["cells"], rel=0.3)


TRACE = """
neuroport: 1
name: traced
dt: 1 ms
chip: ideal
synapses:
  odd:
    params: {q: {default: 1}}
    derived: {r: 2 * q}
    traces: {NAME: {of: pre, decay: "0.5"}, z: {of: pre, decay: "0.5"}}
    state:
      w: {weight: true, range: [0, 10], init: 2}
      x: {range: [0, 10], init: 7}
    on_pre: |
      send(target, w + x)
populations:
  a: {size: 2, neuron: spike_source}
  b: {size: 3, neuron: lif}
projections:
  p: {source: a, target: b, synapse: odd, connect: all_to_all, weight: 2, input: jump}
protocol: [{run: 5 ms}]
"""


@pytest.mark.parametrize(
    ("name", "said"),
    [(name, "is declared twice in model 'odd'; names must differ") for name in ("x", "w", "q", "r")]
    + [(name, "is a word of the model language; choose another name") for name in ("spiked", "T", "exp")],
)
def test_a_trace_must_not_have_the_name_of_something_else(name: str, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        reader.loads(TRACE.replace("NAME", name), "t.yaml")
    assert str(error.value) == f"t.yaml:10:14: '{name}' {said}"


def test_a_trace_is_no_weight(tmp_path: Any) -> None:
    network = reader.loads(TRACE.replace("NAME", "y"), "t.yaml")
    api.run(network, "reference", trace=tmp_path / "t.h5")
    trace = open_trace(tmp_path / "t.h5")
    assert trace.weights("p.x").values.tolist() == [7.0] * 6
    with pytest.raises(InvalidInput, match=r"weights of 'p\.y'"):
        trace.weights("p.y")


# --------------------------------------------------------------------------------------------------- names and links

ODD = ("$x", "a$b", "a#b", "é", "a.b", "1a")


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("section", ["populations", "projections", "stimuli", "readouts", "metrics", "neurons"])
def test_no_part_of_a_file_has_another_name(section: str, name: str) -> None:
    head = "neuroport: 1\nname: n\ndt: 1 ms\npopulations: {c: {size: 1, neuron: lif}}\n"
    text = f"{head}{section}: {{'{name}': {{}}}}\n" if section != "populations" else head.replace("c:", f"'{name}':")
    with pytest.raises(InvalidInput) as error:
        reader.loads(text, "n.yaml")
    assert "is no name; use letters, digits and _, not starting with a digit" in str(error.value)


@pytest.mark.parametrize("place", ["params", "state", "inputs", "derived", "on_event", "traces"])
@pytest.mark.parametrize("name", ODD)
def test_no_part_of_a_model_has_another_name(place: str, name: str) -> None:
    models = "synapses" if place == "traces" else "neurons"
    head = "neuroport: 1\nname: n\ndt: 1 ms\npopulations: {c: {size: 1, neuron: lif}}\n"
    with pytest.raises(InvalidInput) as error:
        reader.loads(f"{head}{models}: {{m: {{{place}: {{'{name}': {{}}}}}}}}\n", "n.yaml")
    assert "is no name; use letters, digits and _, not starting with a digit" in str(error.value)


def test_a_local_name_is_a_name() -> None:
    with pytest.raises(InvalidInput) as error:
        one(NAMED.replace("{name}", "é"))
    rule = "'é' is no name; use letters, digits and _, not starting with a digit"
    assert str(error.value).splitlines() == [f"n.yaml:{place}: {rule}" for place in ("8:7", "9:28", "10:11")]


@pytest.mark.parametrize("name", ODD)
def test_objects_of_python_have_names_that_files_can_have(name: str) -> None:
    network = one(CONST)
    population = network.populations[0]
    neuron = population.neuron
    parameter, state = (replace(things[0], name=name) for things in (neuron.parameters, neuron.states))
    rule = "is no name; use letters, digits and _, not starting with a digit"
    for changed, what in (
        (replace(population, name=name), "a population"),
        (replace(population, neuron=replace(neuron, parameters=(parameter,))), "a parameter of neuron model 'cell'"),
        (replace(population, neuron=replace(neuron, states=(state,))), "a variable of neuron model 'cell'"),
    ):
        with pytest.raises(InvalidInput) as error:
            neuroport.compile(replace(network, populations=(changed,)))
        assert f"'{name}', the name of {what}, {rule}" in str(error.value)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_length_of_an_item_is_set_as_run_t(backend: str) -> None:
    text = """
    state: {{v: {{range: [0, 64]}}}}
    update: v = T + 0 * t
"""
    network = one(text)
    lengths = tuple(replace(network.protocol[0], duration=Quantity(n, "step")) for n in (2, 9))
    with opened(replace(network, protocol=lengths), backend, "generic16") as session:
        session.set("run.T", 5)
        session.run(1)
        assert session.get("run.T").tolist() == 5
        assert session.get("cells.v").tolist() == [5, 5]
        with pytest.raises(InvalidInput, match=r"^run\.T = 20 is outside 2 \.\. 9, its declared range"):
            session.set("run.T", 20)
        with pytest.raises(InvalidInput, match=r"^'run\.t' is fixed while the network runs"):
            session.set("run.t", 20)
        with pytest.raises(InvalidInput, match=r"there are: run\.T, "):
            session.get("$run.t")


def test_links_stay_within_a_copy() -> None:
    program = compiled("generic8_mismatch10", 2)
    weight = program.arrays["ppp.www"]
    assert (weight.visible, weight.factor) == ("ppp.www.visible", "ppp.www$circuit")
    assert program.arrays[weight.visible].hidden == "ppp.www"
    written_out = unbatch(program).arrays
    unrolled = unroll([compiled("generic8_mismatch10", 1)] * 2, [1, 2]).arrays
    for arrays in (written_out, unrolled):
        second = arrays["ppp#1.www"]
        assert (second.visible, second.factor) == ("ppp#1.www.visible", "ppp#1.www$circuit")
        assert arrays[second.visible].hidden == "ppp#1.www"


def test_a_second_array_of_a_name_is_refused() -> None:
    arrays = Arrays()
    arrays.add(Array("p.x", "p", "synapse", "weight", REAL, np.zeros(1)))
    with pytest.raises(InternalError) as error:
        arrays.add(Array("p.x", "a", "neuron", "state", REAL, np.zeros(1), kind_class="trace"))
    text = "two arrays have the name 'p.x': a weight of 'p' (synapse) and a state of 'a' (neuron, class trace)"
    assert str(error.value) == f"{text}\nThis is a fault of neuroport, not of the network: please report it"
    with pytest.raises(InternalError, match=r"there is no array 'p\.y' to change"):
        arrays.change(Array("p.y", "p", "synapse", "weight", REAL, np.zeros(1)))


LEARNING = """
neuroport: 1
name: learning
dt: 1 ms
neurons:
  cell:
    params:
      k: {default: 3, range: [1, 4], dynamic: true}
      j: {default: 0.3, range: [0, 1]}
    inputs: {a: {range: [-4, 4]}}
    state:
      v: {range: [-8, 8], init: 0.5}
      b: {range: [-2, 2], init: 1.5, class: plastic, kind: bias, over_copies: OWN}
      u: {range: [-8, 8]}
    update: |
      x = v / k + a
      u = 0.5 * u + b * exp(j * j) + 1 / (j + 1)
      x = clip(x * 0.5 + 0.1 * item_step / T, -1, 1)
      if x > 0.3:
        u = u * j
      y = exp(x * x - 2)
      v = 0.75 * y + x / (1 + b * b)
    spike: v > 0.4
    on_spike: |
      v = v - 0.4
    on_event:
      e: |
        b = b + 0.05 * AVERAGE(v)
synapses:
  rule:
    params: {q: {default: 2, range: [1, 4]}, f: {default: 0.05, range: [0, 1], dynamic: true}}
    derived: {g: f / 2}
    traces: {n: {of: pre, decay: "1 - 1 / (q + 1)", range: [0, 8]}}
    state: {w: {weight: true, range: [-1, 1], init: 0.3, kind: weight}, s: {range: [-8, 8]}}
    on_pre: |
      m = w / q
      send(target, m + 0.1 * post.v)
      w = w + g * pre.n - 0.01 * m
      m = m + 1
      s = m
populations:
  c: {size: 3, neuron: cell}
  d: {size: 2, neuron: cell}
projections:
  p: {source: c, target: d, synapse: rule, connect: all_to_all, input: a}
copies: COPIES
protocol:
  - repeat: 2
    do: [{run: 6 ms}, {event: e}, {set: {c.k: 2, p.f: 0.1}}]
"""
SLOTS = tuple("k j a v b u x y q f g n w s m c d p e".split())
"""The names of the file: each stands alone in its text."""
KINDS = [(chip, copies) for chip in ("ideal", "generic16", "generic8_mismatch10") for copies in (1, 2)]
OLD = "const1 const2 const_0 recip_0 recip_1 b_circuit w_circuit visible run x_1 m_1 cond cond_1 spiking _q0 _q1 stored"
RESERVED = {*BUILT_IN, *calls(), *SENDS, "pre", "post", "twin", "target", "spiked"}


def learning(copies: int, names: Mapping[str, str] | None = None) -> Network:
    """The file in other words: `names` by their slots."""
    given = names or {}
    own, average = ("shared", "mean_copies") if copies > 1 else ("own", "")
    text = LEARNING.replace("OWN", own).replace("AVERAGE", average).replace("COPIES", str(copies))
    words = _words(text, {slot: given.get(slot, f"{slot}{slot}{slot}") for slot in SLOTS})
    return reader.loads(words, "l.yaml")


def _words(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"(?<![A-Za-z_0-9])[a-z](?![A-Za-z_0-9])", lambda m: names.get(m[0], m[0]), text)


def compiled(chip: str, copies: int, names: Mapping[str, str] | None = None) -> Program:
    one = 1 if deviates(chips.load(chip)) else None
    return neuroport.compile(learning(copies, names), chip, one)


@cache
def made_names() -> list[str]:
    """All names in today's programs that users can write, whole or with what they cannot write left out."""
    found = set(OLD.split())
    for chip, copies in KINDS:
        program = compiled(chip, copies)
        bodies = [p.body for p in program.populations] + [p.arrive for p in program.projections]
        lets = [stmt.name for body in bodies for stmt in body if isinstance(stmt, Let)]
        for name in (*program.arrays, *program.tables, *lets):
            for part in name.split("."):
                found |= {part, *(part.replace("$", other) for other in ("", "_"))}
    return sorted(n for n in found if IDENTIFIER.fullmatch(n) and n not in RESERVED)


def values(chip: str, copies: int, backend: str, names: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What is left of all variables, by the slots of their names."""
    network = learning(copies, names)
    seed = 1 if deviates(chips.load(chip)) else None
    shown = names or {slot: f"{slot}{slot}{slot}" for slot in SLOTS}
    wanted = [("c", v) for v in "vbu"] + [("d", v) for v in "vbu"] + [("p", v) for v in "wsn"]
    with api.open(network, backend, chip, seed) as session:
        session.run_protocol()
        found = {f"{o}.{v}": session.get(f"{shown[o]}.{shown[v]}").tolist() for o, v in wanted}
        return found | {f"{o}.spikes": session.spike_counts()[shown[o]] for o in "cd"}


@cache
def truth(chip: str, copies: int) -> dict[str, Any]:
    """What the file with other names comes to."""
    return values(chip, copies, "reference")


@st.composite
def chosen(draw: st.DrawFn) -> dict[str, str]:
    """A name of the compiler for each slot."""
    names: Sequence[str] = draw(st.permutations(made_names()))
    return dict(zip(SLOTS, names, strict=False))


def test_there_are_enough_names() -> None:
    assert len(made_names()) >= len(SLOTS)
    found = {name.replace("bbb", "b") for name in made_names()}
    assert {"visible", "const1", "recip0", "b_circuit", "run", "q0", "mmm_1"} <= found


@settings(max_examples=40, deadline=None)
@given(chosen(), st.sampled_from(KINDS))
def test_a_file_may_have_all_names_of_the_compiler(names: dict[str, str], kind: tuple[str, int]) -> None:
    assert values(*kind, "reference", names) == truth(*kind)


@pytest.mark.parametrize("kind", [("generic16", 1), ("generic8_mismatch10", 2)])
def test_the_emulator_too(kind: tuple[str, int]) -> None:
    names = made_names()[:: 1 if kind[1] == 1 else -1]
    assert values(*kind, "emulator", dict(zip(SLOTS, names, strict=False))) == truth(*kind)


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(chosen(), st.sampled_from(KINDS))
def test_the_emulator_with_many_names(names: dict[str, str], kind: tuple[str, int]) -> None:
    assert values(*kind, "emulator", names) == truth(*kind)


GENN_WORDS = ("outPostInSyn0", "recordSpk", "spkCntSynSpike0", "rowLength", "ind", "remap", "srcSpk", "friend", "errno")
"""Names of GeNN's own fields, and words of C++."""
TAKEN = """
neuroport: 1
name: taken
dt: 1 ms
neurons:
  cell:
    inputs: {a: {range: [-4, 4]}}
    state: {NAME: {range: [-8, 8], init: 0.5}}
    update: NAME = 0.5 * NAME + a
    spike: NAME > 0.4
synapses:
  rule:
    traces: {x: {of: pre, decay: "0.5", range: [0, 4]}}
    state: {NAME: {weight: true, init: 0.3, range: [0, 2]}}
    on_pre: |
      send(target, NAME)
      NAME = NAME + 0.01 * pre.x
populations: {c: {size: 3, neuron: cell}, d: {size: 2, neuron: cell}}
projections: {p: {source: c, target: d, synapse: rule, connect: all_to_all, input: a}}
protocol: [{run: 6 ms}]
"""


@pytest.mark.parametrize("name", GENN_WORDS)
@pytest.mark.parametrize("backend", ["emulator", "genn"])
def test_names_of_generated_code_are_free(backend: str, name: str) -> None:
    found = []
    for chosen in (name, "harmless"):
        with opened(reader.loads(TAKEN.replace("NAME", chosen), "t.yaml"), backend, "generic16") as session:
            session.run_protocol()
            found.append([session.get(f"{owner}.{chosen}").tolist() for owner in "cdp"])
    assert found[0] == found[1]
