"""poisson(mean, largest mean): the same counts on every executor and arithmetic, and of the right distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.numerics import rng
from neuroport.numerics.poisson import LARGEST_MEAN, TAIL_BITS, tails
from neuroport.program.executor import Backend
from neuroport.program.ir import Random, parts
from neuroport.program.machine import Program
from tests.support import oracle
from tests.support.planning import open_session

MODEL = """
neuroport: 1
name: counts
dt: 1 ms
chip: {chip}
neurons:
  counting:
    params: {{mean: {{default: 0.7, range: [-1, 32], dynamic: true}}}}
    state: {{n: {{type: int, init: 0, range: [0, 100]}}, m: {{init: 0, range: [0, 8]}}}}
    update: |
{update}
populations: {{p: {{size: {size}, neuron: counting}}}}
protocol: [{{run: 4 steps}}]
"""


def network(update: str, chip: str = "ideal", size: int = 7) -> Network:
    lines = "\n".join(f"      {line}" for line in update.split("\n"))
    return reader.loads(MODEL.format(update=lines, chip=chip, size=size).encode(), "counts.yaml")


def likely(mean: float, most: int) -> np.ndarray[Any, Any]:
    """The probabilities of 0 to most - 1 events, and of more."""
    each = [math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) if mean else float(k == 0) for k in range(most)]
    return np.array([*each, max(0.0, 1 - sum(each))])


def drawn(mean: float, largest: int, count: int) -> np.ndarray[Any, Any]:
    """So many counts of a parameter's mean, from eight steps."""
    with neuroport.open(network(f"n = poisson(mean, {largest})", size=count // 8), backend="reference") as session:
        session.set("p.mean", mean)
        found = []
        for _ in range(8):
            session.run(1)
            found.append(session.get("p.n"))
    return np.concatenate(found).astype(int)


CASES = [(0.001, 1), (0.3, 1), (1, 1), (0.5, 4), (3.9, 4), (7.5, 16), (32, 32)]


@pytest.mark.parametrize(("mean", "largest"), CASES)
def test_counts_have_the_distribution(mean: float, largest: int) -> None:
    """Chi-square over the counts that are expected at least 8 times; one in a thousand true ones is larger."""
    counts = drawn(mean, largest, 40_000)
    expected = likely(mean, 100) * len(counts)
    found = np.bincount(counts, minlength=101)[:101]
    often = expected >= 8
    expected = np.append(expected[often], expected[~often].sum())
    found = np.append(found[often], found[~often].sum())
    chi, free = float(((found - expected) ** 2 / np.maximum(expected, 1e-9)).sum()), int(often.sum())
    assert chi < free + 3.1 * math.sqrt(2 * free) + 8
    assert abs(counts.mean() - mean) < 4 * math.sqrt(mean / len(counts))


def test_counts_of_two_places_steps_and_neurons_are_independent() -> None:
    with neuroport.open(network("n = poisson(2, 4)\nm = poisson(2, 4)", size=20_000), backend="reference") as session:
        session.run(1)
        first, other = session.get("p.n"), session.get("p.m")
        session.run(1)
        later = session.get("p.n")
    for a, b in ((first, other), (first, later), (first[1:], first[:-1])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.03


def test_what_lies_beyond_its_largest_mean_counts_as_that_and_below_0_as_0() -> None:
    with neuroport.open(network("n = poisson(mean, 2)", size=2000), backend="reference") as session:
        found = {}
        for mean in (-1, 0, 2, 32):
            session.set("p.mean", mean)
            session.run(1)
            found[mean] = session.get("p.n").mean()
    assert found[-1] == found[0] == 0
    assert abs(found[2] - 2) < 0.1
    assert abs(found[32] - 2) < 0.1


def test_the_tails_are_those_of_the_distribution_and_end_where_24_bits_do() -> None:
    for mean in range(1, LARGEST_MEAN + 1):
        each = likely(mean, len(tails(mean)) + 8)
        exact = [1 - each[: k + 1].sum() for k in range(len(tails(mean)))]
        assert np.abs(np.array(tails(mean)) * 2.0**-TAIL_BITS - exact).max() < 2.0**-TAIL_BITS
        assert each[len(tails(mean)) + 1 :].sum() < 2.0**-TAIL_BITS
    assert [len(tails(mean)) for mean in (1, 4, 16, 32)] == [10, 19, 42, 67]


def test_a_count_is_made_of_draws_as_the_page_says() -> None:
    """The draw of docs/language.md, with the words of the streams of the text."""
    program = neuroport.compile(network("n = poisson(1.5, 2)", "generic8"))
    streams = rng_streams(program)
    with neuroport.open(network("n = poisson(1.5, 2)", "generic8"), seed=5, backend="reference") as session:
        session.run(1)
        found = session.get("p.n").tolist()
    words = [[rng.mix(rng.step_key(rng.stream_key(5, s), 0) + rng.GAMMA * (i + 1)) for s in streams] for i in range(7)]
    expected = []
    for first, *others in words:
        numbers = [half * 2.0**-32 for word in others for half in (word >> 32, word & 0xFFFFFFFF)]
        more = [k for k, tail in enumerate(tails(2)) if (first >> 32) * 2.0**-32 < tail * 2.0**-TAIL_BITS]
        expected.append(sum(numbers[k] * 2 < 1.5 for k in more))
    assert found == expected


def rng_streams(program: Program) -> list[int]:
    """The streams of the only population, in the order of the text."""
    return list(dict.fromkeys(p.stream for p in parts(program.populations[0].body) if isinstance(p, Random)))


UPDATE = "m = 0.5 * m + 0.25 * poisson(mean, 1)\nn = poisson(m + 0.3, 3) if m > 0.2 else poisson(0.5, 1)"


@pytest.mark.parametrize("chip", ["generic8", "loihi1"])
def test_executors_count_the_same_on_chips(chip: str, backend: Backend) -> None:
    made = network(UPDATE, chip)
    program = neuroport.compile(made)
    oracle.check(program, 4)
    with open_session(made, program, backend) as one, open_session(made, program, oracle.Literal()) as other:
        one.run(4)
        other.run(4)
        assert one.get("p.n").tolist() == other.get("p.n").tolist()
        assert one.digest() == other.digest()


@pytest.mark.parametrize("chip", ["ideal", "ideal32"])
def test_executors_count_the_same_in_floating_point(chip: str, backend: Backend) -> None:
    with neuroport.open(network(UPDATE, chip, 50), backend=backend.name) as one:
        one.run(4)
        with neuroport.open(network(UPDATE, chip, 50), backend="reference") as other:
            other.run(4)
            assert one.get("p.n").tolist() == other.get("p.n").tolist()


REFUSED = {
    "n = poisson(0.5)": "11: poisson takes 2 arguments, 1 given; write poisson(MEAN, LARGEST_MEAN)",
    "n = poisson(m, mean)": "11: poisson takes its largest mean as its second argument, a whole literal from 1 to 32; "
    "of larger means, round(mean + sqrt(mean) * normal()) is close",
    "n = poisson(m, 33)": "11: poisson takes its largest mean as its second argument, a whole literal from 1 to 32; "
    "of larger means, round(mean + sqrt(mean) * normal()) is close",
    "n = poisson(m > 1, 2)": "19: a number is needed, this is a comparison; write `1 if ... else 0`",
}


@pytest.mark.parametrize("update", REFUSED)
def test_what_is_refused(update: str) -> None:
    with pytest.raises(InvalidInput) as found:
        network(update)
    assert [str(problem) for problem in found.value.problems] == [f"counts.yaml:11:{REFUSED[update]}"]


def test_a_mean_is_a_pure_number_and_constants_draw_nothing() -> None:
    text = MODEL.format(update="      n = poisson(m, 2)", chip="ideal", size=1)
    text = text.replace("m: {init: 0", "m: {unit: mV, init: 0 mV").replace(
        "    state:", "    derived: {a: 'poisson(1, 2)'}\n    state:"
    )
    with pytest.raises(InvalidInput) as found:
        reader.loads(text.encode(), "counts.yaml")
    assert [str(problem) for problem in found.value.problems] == [
        "counts.yaml:9:19: poisson() is not allowed in 'derived a', which is computed once, from parameters alone; "
        "draw in a block, or give a parameter a distribution",
        "counts.yaml:12:19: poisson takes a pure number, and m is in mV; divide m by what is in mV, or correct a unit",
    ]


def test_a_condition_of_a_readout_may_count() -> None:
    """It stands where no name can be given to its mean."""
    text = MODEL.format(update="      n = 1", chip="generic8", size=3)
    readout = "{histogram: {population: p, state: 'poisson(m + 1, 2) > 0', every: 1 ms, phase: 0 steps}}"
    text = text.replace("protocol:", f"readouts: {{s: {readout}}}\nprotocol:")
    network_ = reader.loads(text.encode(), "counts.yaml")
    oracle.check(neuroport.compile(network_), 3)
