"""Weights of integers take as few bytes as hold their type, and nobody computes in these."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.api.compile import lower_and_plan, on_chip, specimen
from neuroport.backends.emulator import Emulator
from neuroport.elaborate.network import elaborate
from neuroport.errors import InvalidInput
from neuroport.program.identity import identity
from neuroport.program.ir import Int
from neuroport.program.machine import Program, Record
from neuroport.program.plan import Plan, Window
from neuroport.program.verify import verify
from neuroport.session.sample import Sampler
from neuroport.session.session import open_session
from tests.support import small_programs as small
from tests.support.executors import beside_the_oracle, drive
from tests.support.memory import peak
from tests.support.planning import identical
from tests.support.shortened import BRIEF

RAW = [-128, 127, -128, -128, 127, 127, -128, 127, -1, 0, 1, 127] * 3
"""Weights of 8 bits, both ends many times."""
ENDS = f"""
neuroport: 1
name: ends
dt: 1 ms
chip: generic8
populations:
  noise: {{size: 12, neuron: poisson, params: {{rate: 400 Hz}}}}
  cells: {{size: 3, neuron: lif}}
projections:
  p:
    {{source: noise, target: cells, input: jump, synapse: static, connect: all_to_all,
     weight: {(np.reshape(RAW, (12, 3)) / 128).tolist()}, ranges: {{w: [-1, {127 / 128}]}}}}
metrics: {{mean: {{mean: p.w}}, least: {{min: p.w}}}}
protocol: [{{run: 100 ms}}, {{measure: [mean, least]}}]
record: {{spikes: all, weights: {{p.w: 10 ms}}}}
"""
KINDS = {
    "dense": ("balanced", "generic8"),
    "magnitudes": ("balanced", "loihi1"),
    "learned": ("stdp_pair", "generic16"),
    "visible": ("sal_sampling", "generic8_mismatch10"),
    "copies": ("gle_lagline_batch", "generic8"),
    "ints": ("loihi_lif", "loihi1"),
}


def compiled(name: str, chip: str) -> Program:
    network = neuroport.load(name, BRIEF.get(name, ()))
    return neuroport.compile(network, chip, 1 if "mismatch" in chip else None)


def fewest(kind: Int) -> np.dtype[Any]:
    """The dtype of the fewest bytes that holds a type, with a sign where both do."""
    sizes = {np.dtype(f"{sign}{size}"): size - (sign == "i") / 2 for size in (1, 2, 4, 8) for sign in "iu"}
    holding = [d for d in sizes if np.iinfo(d).min <= kind.lo and kind.hi <= np.iinfo(d).max]
    return min(holding, key=sizes.__getitem__)


@pytest.mark.parametrize("which", KINDS)
def test_weights_take_the_bytes_of_their_type(which: str) -> None:
    program = compiled(*KINDS[which])
    weights = [a for a in program.arrays.values() if a.role in ("weight", "visible")]
    assert {a.name: a.initial.dtype for a in weights} == {a.name: fewest(a.type) for a in weights}  # type: ignore[arg-type]
    others = [a for a in program.arrays.values() if a not in weights]
    assert {a.initial.dtype for a in others} == {np.dtype(np.int64)}
    assert weights and max(a.initial.itemsize for a in weights) < 8


@pytest.mark.slow
@pytest.mark.parametrize("name", neuroport.networks)
def test_weights_of_every_network_do(name: str) -> None:
    for array in compiled(name, "generic8").arrays.values():
        if array.role in ("weight", "visible"):
            assert array.initial.dtype == fewest(array.type)  # type: ignore[arg-type]


def test_other_bytes_are_refused() -> None:
    program = neuroport.compile(neuroport.loads(ENDS))
    array = program.arrays["p.w"]
    wide = replace(array, initial=array.initial.astype(np.int64))
    (found,) = verify(replace(program, arrays=program.arrays | {"p.w": wide}))
    assert str(found) == "array p.w: its initial values are int64; they should be int8"


WORDS = {
    (-128, 127): "i1",
    (0, 127): "i1",
    (0, 128): "u1",
    (-1, 128): "i2",
    (0, 2**16 - 1): "u2",
    (-(2**31), 0): "i4",
    (0, 2**32): "i8",
    (-(2**62), 2**62): "i8",
}


@pytest.mark.parametrize("ends", WORDS)
def test_the_fewest_bytes(ends: tuple[int, int]) -> None:
    assert Int(*ends).dtype == np.dtype(WORDS[ends]) == fewest(Int(*ends))


# ---------------------------------------------------------------------------------------------- both ends of a word


def test_weights_at_both_ends_of_their_word_add_up(backend: Any) -> None:
    program = neuroport.compile(neuroport.loads(ENDS))
    assert program.arrays["p.w"].initial.tolist() == RAW
    assert program.arrays["p.w"].type == Int(-128, 127, 7)
    assert drive(beside_the_oracle(backend, program), seed=3) is None


@pytest.mark.dear
@pytest.mark.parametrize("chip", ["generic8", "generic8_mismatch10", "loihi1"])
def test_executors_agree_on_them(chip: str) -> None:
    identical(neuroport.loads(ENDS), chip, steps=100, least=100)


def test_a_host_reads_and_writes_them(backend: Any) -> None:
    with neuroport.open(neuroport.loads(ENDS), backend.name) as session:
        executor, held = session.executor, session.program.arrays["p.w"].initial
        session.run_protocol()
        measured = {name: value for name, [(_, value)] in session.results.items()}
        assert measured == {"mean": sum(RAW) / 128 / len(RAW), "least": -1.0}
        turned = np.array([raw / 128 for raw in RAW[::-1]])
        session.set("p.w", turned)
        assert session.get("p.w").tolist() == turned.tolist()
        assert executor.read("p.w").dtype == session.final()["p.w"].dtype == np.int64
        for beyond in (-129, 128):
            with pytest.raises(InvalidInput, match=rf"the raw value {beyond} is outside -128\.\.127"):
                executor.write("p.w", np.array([beyond, *RAW[1:]]))
        checkpoint = session.checkpoint()
        executor.read("p.w")[:] = 0
        assert held.tolist() == RAW
    with neuroport.open(neuroport.loads(ENDS), "reference") as other:
        other.restore(checkpoint)
        assert other.get("p.w").tolist() == turned.tolist()


# ----------------------------------------------------------------------------------------------- in wider numbers


def test_samples_of_them_add_up() -> None:
    program = small.rich()
    name, size = "forward.w", len(small.RICH_WEIGHTS)
    assert program.arrays[name].initial.dtype == np.int8
    sampler = Sampler({"seen": Window(0, None, 1, "mean")}, replace(program, records=(Record(name, 1, "seen"),)))
    sampler.begin(0, 1000, ["seen"])
    sampler.feed("seen", np.arange(1000), np.full((1000, size), -20, np.int8))
    sampler.finish()
    assert sampler.joined("seen")[1].tolist() == [[-20.0] * size]


@pytest.mark.dear
@pytest.mark.parametrize("kind", ["reference", "emulator"])
def test_records_of_them_are_restored(kind: str) -> None:
    network = neuroport.loads(ENDS)
    program, plan = lower_and_plan(network, *specimen(network))
    program = replace(program, records=(Record("p.w", 1),))

    def session() -> Any:
        return open_session(program, plan, neuroport.backends.load(kind))

    with session() as one, session() as other:
        one.run(3)
        other.restore(one.checkpoint())
        other.run(2)
        steps, values = other.records("p.w")
    assert (steps.tolist(), values.tolist()) == ([0, 1, 2, 3, 4], [[raw / 128 for raw in RAW]] * 5)


def test_which_program_it_is_is_told_of_wide_ones() -> None:
    network = neuroport.loads(ENDS)
    program, plan = lower_and_plan(network, *specimen(network))
    told = identity(program, plan).arrays["p.w"]
    wide = hashlib.sha256(b"<i8(36,)" + np.array(RAW, "<i8").tobytes()).hexdigest()
    assert told.split() == ["Q(8,7)", "(36,)", "weight", wide]


# ---------------------------------------------------------------------------------------------------- no wide copy


@pytest.fixture(scope="module")
def many() -> tuple[Program, Plan, int]:
    """Four million weights."""
    network = neuroport.Network(dt="1 ms", chip="generic8")
    cells = network.population("cells", 4000, "lif")
    how = {"connect": {"fixed_probability": 0.25}, "weight": {"uniform": [0, 1]}}
    network.project(cells, cells, "static", input="jump", name="p", **how)  # type: ignore[arg-type]
    program, plan = lower_and_plan(network.build(), *specimen(network))
    return program, plan, program.projections[0].synapses


def test_putting_them_into_their_format_takes_no_wide_copy(many: tuple[Program, Plan, int]) -> None:
    network = neuroport.loads(
        "neuroport: 1\nname: n\ndt: 1 ms\nchip: generic8\npopulations: {a: {size: 4000, neuron: lif}}\nprojections: "
        "{p: {source: a, target: a, input: jump, synapse: static, weight: {uniform: [-1, 1]}, "
        "connect: {fixed_probability: 0.25}}}\n"
    )
    chip, _ = specimen(network)
    real = elaborate(network, chip)
    assert peak(lambda: on_chip(real, network, chip)) < 2.5 * many[2]


def test_telling_which_they_are_takes_no_wide_copy(many: tuple[Program, Plan, int]) -> None:
    program, plan, synapses = many
    assert program.arrays["p.w"].initial.dtype == np.uint8
    assert peak(lambda: identity(program, plan)) < synapses
    assert peak(lambda: verify(program)) < synapses


@pytest.mark.dear
def test_running_takes_no_wide_copy(many: tuple[Program, Plan, int]) -> None:
    program, plan, synapses = many
    seen: list[int] = []
    taken = peak(lambda: seen.append(_ran(program, plan)))
    assert seen == [5]
    assert taken < 3 * synapses


def _ran(program: Program, plan: Plan) -> int:
    with open_session(program, plan, Emulator(), keep=False) as session:
        session.run(5)
        return session.step
