"""A chip whose circuits deviate is as designed without a seed, and has one format and one text on every specimen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.api import run as api
from neuroport.api.compile import lower
from neuroport.backends.emulator.emit import module_text
from neuroport.backends.genn.emit import text as genn_text
from neuroport.chips import description as chips
from neuroport.chips import instance
from neuroport.chips.chip import Chip, ChipInstance, Deviation
from neuroport.cli import main
from neuroport.elaborate.network import elaborate
from neuroport.errors import InvalidInput
from neuroport.program.ir import Int
from neuroport.program.machine import Array, Program
from neuroport.trace.learned import with_learned
from neuroport.trace.read import open_trace

SEEDS = (None, 0, 1, 2, 3, 4, 5)

NET = """
neuroport: 1
name: n
dt: 1 ms
chip: generic8_mismatch10
neurons:
  cell:
    params:
      th: {default: 1.5, range: [0, 4], kind: bias}
      g: {default: 2, range: [0, 4], kind: bias, dynamic: true}
      rest: {type: int, default: 5, range: [0, 10], kind: duration}
      soon: {type: int, default: 0, kind: duration}
    derived: {twice: 2 * th, later: rest + 3}
    inputs: {i: {range: [-8, 8]}}
    state:
      v: {init: 0, range: [-64, 64]}
      n: {type: int, init: 5, range: [0, 9]}
      b: {init: 0.75, range: [0, 1], class: plastic, kind: bias}
    update: |
      v = v + i + twice - g * 2 + b + (1 if n > rest or n > later or n > soon else 0)
    spike: v > th
synapses:
  learning:
    params: {eta: {default: 0.01, kind: amplitude}}
    state: {w: {weight: true, init: 0.5, range: [0, 1], kind: weight}}
    on_pre: |
      send(target, w)
      w = w + eta
populations:
  a: {size: 4, neuron: cell}
  b: {size: 4, neuron: cell}
projections:
  fixed: {source: a, target: b, input: i, synapse: static, connect: one_to_one, weight: 3}
  learned: {source: a, target: b, input: i, synapse: learning, connect: one_to_one}
protocol: [run: 3 ms]
"""

DEVIATES = ("a.th", "a.g", "a.rest", "a.twice", "a.later", "a.b$circuit", "fixed.w", "learned.eta", "learned.w$circuit")


def net(tmp_path: Path) -> Path:
    (tmp_path / "n.yaml").write_text(NET)
    return tmp_path / "n.yaml"


def call(*args: object) -> str:
    done = CliRunner().invoke(main, [str(a) for a in args])
    assert done.exit_code == 0, done.output
    return done.stdout


def chip(name: str = "ideal", **kinds: Deviation) -> Chip:
    return replace(chips.load(name), mismatch=tuple(kinds.items()))


ALL = {"bias": Deviation(sigma=0.1), "weight": Deviation(sigma=0.1), "amplitude": Deviation(sigma=0.1)}
STEPS = {"duration": Deviation(steps=1)}


# ---------------------------------------------------------------------------------------------------- no chip seed


@pytest.mark.parametrize(
    "options",
    [
        ("--chip", "generic8_mismatch10"),
        ("--chip", "generic8", "--mismatch", "weight=10%"),
        ("--chip", "ideal", "--mismatch", "weight=10%"),
    ],
)
def test_without_a_chip_seed_every_circuit_is_as_designed(tmp_path: Path, options: tuple[str, ...]) -> None:
    trace = tmp_path / "t.h5"
    told = json.loads(call("run", net(tmp_path), "--backend", "reference", *options, "--json", "-q", "-o", trace))
    assert told["chip_seed"] is None
    opened = open_trace(trace)
    assert opened.chip_seed is None
    assert opened.final_array("fixed.w").values.tolist() == [3, 3, 3, 3]
    deviating = json.loads(
        call("run", net(tmp_path), "--backend", "reference", *options, "--json", "-q", "-o", trace, "--overwrite",
             "--chip-seed", 0)
    )  # fmt: skip
    assert deviating["chip_seed"] == 0 and deviating["digest"] != told["digest"]
    assert len(set(open_trace(trace).final_array("fixed.w").values)) == 4


@pytest.mark.parametrize("name", ["ideal", "generic16"])
def test_as_designed_is_the_chip_that_does_not_deviate(tmp_path: Path, name: str) -> None:
    network = neuroport.load(net(tmp_path))
    deviating = chip(name, **ALL, **STEPS)
    for one in (None, ChipInstance(deviating), instance.designed(deviating)):
        with (
            api.open(network, "reference", chip(name)) as plain,
            api.open(network, "reference", deviating, instance=one) as designed,
        ):
            for session in (plain, designed):
                session.run(3)
            for array in ("a.v", "b.v", "a.b", "fixed.w", "learned.w", "a.g"):
                assert np.abs(designed.get(array) - plain.get(array)).max() <= 2**-8, array


def test_seed_0_is_a_specimen_and_no_seed_is_none(tmp_path: Path) -> None:
    network = neuroport.load(net(tmp_path))
    one = neuroport.compile(network, chip(**ALL), 0)
    assert len(set(one.arrays["a.th"].initial.tolist())) == 4
    assert set(neuroport.compile(network, chip(**ALL)).arrays["a.th"].initial.tolist()) == {1.5}
    assert api.run(network, "reference", chip(**ALL), 0).chip_seed == 0
    assert api.run(network, "reference", chip(**ALL)).chip_seed is None
    with pytest.raises(InvalidInput):
        neuroport.compile(network, chip(), 0)


def test_copies_without_chip_seeds_are_as_designed(tmp_path: Path) -> None:
    network = neuroport.load(net(tmp_path))
    runs = neuroport.run_copies(network, [1, 2], "reference", chip(**ALL))
    assert [r.digest for r in runs] == [api.run(network, "reference", chip(**ALL), seed=s).digest for s in (1, 2)]
    assert {r.chip_seed for r in runs} == {None}


def test_an_instance_as_designed_survives_its_file_and_says_so(tmp_path: Path) -> None:
    one = ChipInstance(chip(**ALL), None, {"bias": np.array([[1.0], [0.5]])})
    instance.save(one, tmp_path / "chip.h5")
    again = instance.load(tmp_path / "chip.h5")
    assert again.seed is None
    assert instance.factor(again, "bias", np.arange(3)).tolist() == [1, 0.5, 1]
    assert instance.describe(again)[0] == "chip instance: ideal, as designed"


@pytest.mark.dear
@pytest.mark.parametrize("command", ["run", "check", "compile", "verify"])
def test_mismatch_without_a_chip_seed_is_told(tmp_path: Path, command: str) -> None:
    done = CliRunner().invoke(main, [command, str(net(tmp_path)), "--chip", "ideal", "--mismatch", "weight=10%"])
    note = "note: without --chip-seed every circuit is as designed; --chip-seed N takes a specimen that deviates\n"
    assert done.stderr.startswith(note)


# ------------------------------------------------------------------------------------------------ one chip, one format


def shape(array: Array) -> list[object]:
    """All of an array but its numbers."""
    fields = [name for name in array.__dataclass_fields__ if name != "initial"]
    return [*(getattr(array, name) for name in fields), array.initial.shape]


def structure(program: Program) -> list[object]:
    arrays = [shape(a) for a in program.arrays.values()]
    bodies = [p.body for p in program.populations]
    bodies += [b for p in program.projections for b in (p.step, p.arrive, p.post_body)]
    bodies += [e.body for e in program.events]
    return [arrays, bodies, [(d.array, d.value, d.type) for d in program.derived], sorted(program.constants)]


EVERY = {
    kind: Deviation(sigma=0.1) for kind in ("weight", "bias", "amplitude", "gain", "time", "threshold", "conductance")
}
WHOLE = {"duration": Deviation(steps=1), "psp": Deviation(steps=1)}
NETWORKS = ("sal_pair", "balanced", "stdp_pair", "pal_backward", "gle_lagline")


def everything(arithmetic: str, network: str) -> Chip:
    """A chip on which all kinds deviate that may: the traces of `stdp_pair` belong to all synapses of a neuron."""
    kinds = {kind: d for kind, d in EVERY.items() if kind != "time" or network != "stdp_pair"}
    return chip(arithmetic, **kinds, **WHOLE)


@pytest.mark.dear
@pytest.mark.parametrize("name", NETWORKS)
def test_all_specimens_of_a_chip_are_one_program_but_for_their_numbers(name: str) -> None:
    network = neuroport.load(name)
    deviating = everything("generic8", name)
    made = [lower(network, deviating, ChipInstance(deviating, s), quantised=False) for s in SEEDS]
    assert any(a.designed is not None for a in made[0].arrays.values())
    for program in made[1:]:
        assert structure(program) == structure(made[0])
    numbers = {tuple(a.initial.tobytes() for a in p.arrays.values()) for p in made}
    assert len(numbers) == len(SEEDS)


@pytest.mark.dear
@pytest.mark.parametrize("arithmetic", ["ideal", "generic8", "generic16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_all_specimens_of_a_chip_have_one_text(name: str, arithmetic: str) -> None:
    network = neuroport.load(name)
    deviating = everything(arithmetic, name)
    programs = [lower(network, deviating, ChipInstance(deviating, s)) for s in SEEDS]
    assert len({module_text(program) for program in programs}) == 1
    assert len({genn_text(program) for program in programs}) == 1


def test_what_deviates_says_between_what_it_lies_on_any_specimen(tmp_path: Path) -> None:
    network = neuroport.load(net(tmp_path))
    deviating = chip(**ALL, **STEPS)
    programs = [elaborate(network, deviating, ChipInstance(deviating, s)) for s in (None, *range(20))]
    for name in DEVIATES:
        ends = programs[0].arrays[name].designed
        assert ends is not None, name
        drawn = np.concatenate([p.arrays[name].initial for p in programs])
        assert drawn.min() < drawn.max(), name
        assert ((drawn < ends[0]) | (drawn > ends[1])).mean() <= 0.02, name  # one lognormal factor in 370
    arrays = programs[0].arrays
    factors = instance.factor_range(deviating, "bias")
    assert arrays["a.th"].designed == (1.5 * factors[0], 1.5 * factors[1])
    assert arrays["a.twice"].designed == (2 * 1.5 * factors[0], 2 * 1.5 * factors[1])
    assert arrays["a.g"].designed == arrays["a.g"].range == (0, 4 * factors[1])  # it can be switched
    assert arrays["a.b"].designed is None and arrays["learned.w"].designed is None
    assert (arrays["a.rest"].designed, arrays["a.rest"].type) == ((4, 6), Int(4, 6))
    assert arrays["a.later"].type == Int(7, 9)


def test_counts_do_not_fall_below_0_nor_leave_their_range(tmp_path: Path) -> None:
    network = neuroport.load(net(tmp_path), ["a.rest=10"])
    for seed in range(5):
        arrays = elaborate(network, chip(**STEPS), ChipInstance(chip(**STEPS), seed)).arrays
        assert arrays["a.rest"].type == Int(9, 10) and arrays["a.rest"].initial.max() <= 10
        assert arrays["a.soon"].type == Int(0, 1) and arrays["a.soon"].initial.min() >= 0


def test_steps_of_an_edited_instance_beyond_the_chip_are_limited_and_told(tmp_path: Path) -> None:
    network = neuroport.load(net(tmp_path))
    one = ChipInstance(chip(**STEPS), 1, {"duration.steps": np.array([[0.0, 2.0], [50.0, -50.0]])})
    for name in ("ideal", "generic16"):
        program = lower(network, chip(name, **STEPS), one)
        assert program.arrays["a.rest"].initial[[0, 2]].tolist() == [6, 4]
        told = {line.subject: line.text for line in program.report if line.topic == "saturated"}
        assert told["a.rest"] == (
            f"2 values of this specimen are outside 4..6, what the offsets that chip '{name}' states allow, "
            "and stand at its ends"
        )


def test_a_constant_that_some_specimen_makes_infinite_is_refused_where_it_needs_a_format(tmp_path: Path) -> None:
    text = NET.replace("twice: 2 * th", "twice: 2 / th")
    (tmp_path / "n.yaml").write_text(text)
    network = neuroport.load(tmp_path / "n.yaml")
    wild = {"bias": Deviation(distribution="normal", sigma=0.5)}
    assert np.isfinite(neuroport.compile(network, chip(**wild), 1).arrays["a.twice"].initial).all()
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(network, chip("generic16", **wild))
    assert "derived constant 'twice' of 'a' can become infinite on a specimen of chip 'generic16'" in str(caught.value)


def test_whole_weights_stay_as_designed_and_the_report_says_so() -> None:
    deviating = chip("generic16", weight=Deviation(sigma=0.1))
    program = neuroport.compile(neuroport.load("loihi_lif"), deviating, 1)
    told = {line.subject: line.text for line in program.report if line.topic == "as designed"}
    names = [a.name for a in program.arrays.values() if a.role == "weight"]
    assert told == dict.fromkeys(names, "its weights are whole numbers, which do not deviate; a real weight would")


def test_whether_a_network_fits_does_not_depend_on_the_specimen(tmp_path: Path) -> None:
    """A refractory time that some specimen makes longer than the chip allows is refused on all."""
    (tmp_path / "n.yaml").write_text(NET.replace("rest", "t_ref"))
    network = neuroport.load(tmp_path / "n.yaml")
    for most, fits in ((6, True), (5, False)):
        small = chip(**STEPS)
        small = replace(small, limits=replace(small.limits, max_refractory=most))
        for seed in SEEDS:
            one = ChipInstance(small, seed)
            if fits:
                lower(network, small, one)
                continue
            with pytest.raises(InvalidInput, match=r"a\.t_ref is 6 steps; chip 'ideal' allows at most 5"):
                lower(network, small, one)


SHARED = """
neuroport: 1
name: n
dt: 1 ms
chip: ideal
copies: 3
neurons:
  cell:
    params: {th: {default: 1.5, range: [0, 4], kind: bias}, g: {default: 2, range: [0, 4], kind: bias, dynamic: true}}
    inputs: {i: {range: [-8, 8]}}
    state: {r: {init: {uniform: [0, 1]}, range: [-64, 64]}}
    update: |
      r = r + i - th * g
synapses:
  shared:
    state:
      w: {weight: true, init: 0.5, range: [0, 1], kind: weight, over_copies: shared}
      g: {over_copies: shared, range: [-1, 1]}
    step: |
      g = sum_copies(post.r * pre.r)
      send(target, w * pre.r)
    on_event:
      each_step: w = w - 0.001 * g / copies
populations: {a: {size: 4, neuron: cell}, b: {size: 4, neuron: cell}}
projections:
  learned: {source: a, target: b, input: i, synapse: shared, connect: one_to_one}
  fixed: {source: a, target: b, input: i, synapse: graded, connect: one_to_one, weight: 2}
protocol: [{run: 3 ms}, {set: {a.g: 1}}, {run: 2 ms}]
"""


def test_copies_that_share_are_on_one_specimen(tmp_path: Path) -> None:
    (tmp_path / "n.yaml").write_text(SHARED)
    network, deviating = neuroport.load(tmp_path / "n.yaml"), chip(**ALL)
    made = [lower(network, deviating, ChipInstance(deviating, s)) for s in SEEDS]
    assert all(structure(program) == structure(made[0]) for program in made)
    assert made[0].arrays["fixed.w"].initial.tolist() == [2, 2, 2, 2]
    assert len(set(made[1].arrays["fixed.w"].initial.tolist())) == 4
    runs = [api.run(network, "reference", deviating, s, trace=tmp_path / f"{s}.h5").chip_seed for s in (None, 0)]
    assert runs == [None, 0]
    for seed in (None, 0):
        trace = open_trace(tmp_path / f"{seed}.h5")
        again = neuroport.compile(with_learned(trace.network(), trace), deviating, seed)
        for name in ("learned.w", "fixed.w"):
            assert np.array_equal(again.arrays[name].initial, trace.final_array(name).values)
        assert again.designed["a.g"].value.tolist() == 1
