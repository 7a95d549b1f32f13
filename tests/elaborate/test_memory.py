"""What a network and its run take is foreseen: refused with place and reason before memory is gone."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.api.copies import run_copies
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.program import room
from neuroport.program.room import Room

NET = """neuroport: 1
name: n
dt: 1 ms
populations:
  a: {size: 1000, neuron: lif}
  b: {size: 10, neuron: lif}
"""
PATTERNS = "  shown: {patterns: {values: {data: yin_yang, part: train, field: inputs, size: 9, unit: mV}, hold: 2 ms}, "
PATTERNS += "population: four, input: jump}\n"
SHOWN = "  four: {size: 4, neuron: lif}\nstimuli:\n" + PATTERNS
ROWS = SHOWN + "readouts:\n  rows: {samples: {of: a.v}}\nmetrics:\n  m: {mean: rows}\nprotocol:\n"
LINK = "projections:\n  p: {source: a, target: b, input: jump, synapse: static, weight: 1, connect: "


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 100 MiB."""
    monkeypatch.setattr(room, "available", lambda: Room(100.0 * 2**20, "this machine has"))


def read(text: str, folder: str = ".") -> Network:
    return reader.loads(NET + text, "n.yaml", folder)


def refusal(text: str, folder: str = ".") -> str:
    with pytest.raises(InvalidInput) as caught:
        neuroport.compile(read(text, folder))
    return str(caught.value)


MODULES = "2 MiB for Python's modules that are loaded for it"
HAS = f"and this machine has 100 MiB; {room.REMEDY}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "  c: {size: 10000000, neuron: lif}\n",
            f"n.yaml:7:3: network 'n' needs about 763 MiB of memory, most of it for population 'c', {HAS}",
        ),
        (
            LINK + "{fixed_probability: 0.5}}\n  q: {source: a, target: a, input: jump, synapse: static, weight: 1,"
            " connect: all_to_all, delay: 3 ms}\n  r: {source: a, target: a, input: jump, synapse: stdp_pair,"
            " connect: all_to_all}\n  s: {source: a, target: a, input: jump, synapse: stdp_pair, connect: all_to_all}\n"
            "  t: {source: a, target: a, input: jump, synapse: stdp_pair, connect: all_to_all}\n",
            "n.yaml:12:3: network 'n' does not fit into memory: it takes about 125 MiB while the synapses of 't' are "
            "drawn: 53 MiB for the synapses of 't', 23 MiB for the synapses of 'r', 23 MiB for the synapses of 's' and "
            f"so on; {HAS.removeprefix('and ')}",
        ),
        (
            LINK + "all_to_all, delay: 1000000 ms}\n",
            "n.yaml:5:3: running network 'n' needs about 3.9 GiB of memory, most of it for the spikes of 'a' that are "
            f"on their way for up to 1,000,000 steps, {HAS}",
        ),
        (
            LINK + "one_to_one, dendritic_delay: 5000000 ms}\n".replace("one_to_one", "{fixed_in_degree: 1}"),
            "n.yaml:6:3: running network 'n' needs about 640 MiB of memory, most of it for the values of 'b.jump' in "
            f"the coming 5,000,001 steps, {HAS}",
        ),
        (
            SHOWN + "protocol:\n  - {present: shown, count: 100000000}\n",
            "n.yaml:1:1: running network 'n' needs about 3.0 GiB of memory, most of it for the order of the patterns "
            f"'shown', {HAS}",
        ),
        (
            ROWS + "  - repeat: 1000000\n    do:\n      - {present: shown, count: 9, readout: [rows]}\n",
            "n.yaml:1:1: running network 'n' needs about 134.1 GiB of memory, most of it for the rows of readout "
            f"'rows' between two measurements, {HAS}",
        ),
        (
            SHOWN + "  film: {patterns: {values: 0 mV, beside: shown, frames: 2000}, population: a, input: jump}\n",
            f"n.yaml:10:3: network 'n' needs about 412 MiB of memory, most of it for stimulus 'film', {HAS}",
        ),
        (
            SHOWN.replace("size: 9", "size: 100000")
            + "  more: {series: {values: [1 mV, 2 mV], every: 1 ms}, population: a,"
            " input: jump}\n  long: {patterns: {values: 1 mV, beside: shown}, population: a, input: jump}\n",
            f"n.yaml:11:3: network 'n' needs about 2.2 GiB of memory, most of it for stimulus 'long', {HAS}",
        ),
    ],
)
def test_what_is_too_large_is_refused_with_its_largest_part(text: str, expected: str) -> None:
    assert refusal(text) == expected


def test_pairs_of_a_file_count(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "pairs.h5", "w") as file:
        file.create_dataset("pairs", data=np.zeros((2_000_000, 2), np.int8), compression="gzip")
    assert refusal(LINK + "{file: pairs.h5, dataset: pairs}}\n", str(tmp_path)) == (
        "n.yaml:8:3: network 'n' does not fit into memory: it takes about 109 MiB while the synapses of 'p' are drawn: "
        f"107 MiB for the synapses of 'p', {MODULES}; {HAS.removeprefix('and ')}"
    )


def test_rows_that_are_used_in_time_are_not_many() -> None:
    often = "  - repeat: 100000\n    do:\n      - {present: shown, count: 9, readout: [rows]}\n      - measure: [m]\n"
    neuroport.compile(read(ROWS + often))
    sometimes = often.replace(
        "      - measure: [m]\n", "      - if: k % 2 == 0\n        then:\n          - measure: []\n"
    )
    neuroport.compile(read(ROWS + sometimes.replace("100000\n", "100000\n    as: k\n", 1)))


def test_what_a_session_keeps_of_a_run_counts() -> None:
    with neuroport.open(read("record: {states: {a.v: 10 ms}}\n"), "reference") as session:
        session.run(10)
        with pytest.raises(InvalidInput) as caught:
            session.run("1000 s")
        assert str(caught.value) == (
            "a run of 1,000,000 steps that keeps what is recorded needs about 763 MiB of memory, most of it for what "
            f"is recorded of 'a.v', {HAS}"
        )
        assert session.step == 10
    long = "record: {states: {a.v: 10 ms}}\nprotocol:\n  - {run: 1000 s}\n"
    with (
        neuroport.open(read(long), "reference") as session,
        pytest.raises(InvalidInput, match="that keeps what is rec"),
    ):
        session.run_protocol()


def test_copies_that_run_at_once_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroport.api.copies.processors", lambda: 1000)
    with pytest.raises(InvalidInput) as caught:
        run_copies(read("  c: {size: 100000, neuron: lif}\n"), range(1000), "reference", duration=5)
    assert str(caught.value) == (
        "n.yaml:7:3: network 'n' does not fit into memory: it takes about 3.0 GiB while it runs: 3.0 GiB for "
        "population 'c', 31 MiB for population 'a', 5 MiB for spikes that are being looked at and so on; this machine "
        f"has 100 MiB; {room.REMEDY}"
    )


def test_weights_that_are_those_of_others_take_no_matrix_of_all_pairs(tmp_path: Path) -> None:
    pairs = [[k, 999 - k] for k in range(1000)]
    text = (
        NET.replace("b: {size: 10,", "b: {size: 10000,") + f"{LINK}{{pairs: {pairs}}}}}\n{LINK}{{pairs: {pairs}}}}}\n"
    )
    first, second = text.split("projections:\n")[1:]
    first = first.replace("weight: 1", "weight: {uniform: [0, 1]}")
    second = second.replace("p: {", "q: {").replace("weight: 1", "weight: {same_as: p.w, scale: -2}")
    network = reader.loads(text.split("projections:\n")[0] + "projections:\n" + first + second, "n.yaml")
    tracemalloc.start()
    try:
        made = neuroport.compile(network, "ideal")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.array_equal(made.arrays["q.w"].initial, -2 * made.arrays["p.w"].initial)
    assert peak < 1000 * 10000 * 8 / 8
