"""A weight may have the unit of the input that it is added to: the same network as with the number of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.network.network import Network

TEXT = """
neuroport: 1
name: net
dt: 1 ms
synapses:
  doubled:
    state: {w: {weight: true, init: 1, range: [-5, 5]}}
    on_pre: send(target, 2 * w)
  of_time:
    state: {w: {weight: true, init: 1 ms, unit: ms, range: [0, 5]}}
    on_pre: send(target, 0.1 * w)
populations:
  noise: {size: 4, neuron: poisson, params: {rate: 10 Hz}}
  exc: {size: 3, neuron: lif}
projections:
  drive: {source: noise, target: exc, synapse: SYNAPSE, input: INPUT, connect: all_to_all, weight: WEIGHT}
"""


def loaded(weight: str, synapse: str = "stdp_pair", input_name: str = "jump") -> Network:
    text = TEXT.replace("WEIGHT", weight).replace("SYNAPSE", synapse).replace("INPUT", input_name)
    return neuroport.loads(text)


def told(*arguments: str) -> str:
    with pytest.raises(InvalidInput) as error:
        loaded(*arguments)
    return str(error.value).partition(": ")[2]


@pytest.mark.parametrize(
    ("given", "number", "input_name"),
    [
        ("0.5 mV", "0.5", "jump"),
        ("500 uV", "0.5", "jump"),
        ("0.0005 V", "0.5", "jump"),
        ("500 pA", "0.5", "i"),
        ("{normal: [0.5 mV, 100 uV]}", "{normal: [0.5, 0.1]}", "jump"),
        ("{uniform: [100 uV, 0.5 mV]}", "{uniform: [0.1, 0.5]}", "jump"),
        (
            "{array: [[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.5, 0.5, 0.5]], unit: mV}",
            "[[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.5, 0.5, 0.5]]",
            "jump",
        ),
    ],
)
def test_a_weight_has_the_unit_of_its_input(given: str, number: str, input_name: str) -> None:
    assert loaded(given, input_name=input_name) == loaded(number, input_name=input_name)


@pytest.mark.parametrize("unit", ["mV", "uV"])
@pytest.mark.parametrize("name", ["w.npy", "w.npz"])
def test_a_file_of_weights_has_it_too(unit: str, name: str, tmp_path: Path) -> None:
    weights = np.arange(1.0, 13).reshape(4, 3) / 16
    if name == "w.npy":
        np.save(tmp_path / name, weights)
    else:
        scipy_sparse = pytest.importorskip("scipy.sparse", reason="SciPy is not installed")
        scipy_sparse.save_npz(tmp_path / name, scipy_sparse.csr_matrix(weights))
    text = TEXT.replace("WEIGHT", f"{{file: {name}, unit: {unit}}}").replace("SYNAPSE", "static")
    (tmp_path / "net.yaml").write_text(text.replace("INPUT", "jump"))
    network = neuroport.load(tmp_path / "net.yaml")
    program = neuroport.compile(network, "ideal")
    expected = weights.ravel() * (1 if unit == "mV" else 0.001)
    assert program.arrays["drive.w"].initial == pytest.approx(expected, rel=1e-12)


def test_a_weight_set_from_outside_has_it_too() -> None:
    text = TEXT.replace("WEIGHT", "0.1").replace("SYNAPSE", "stdp_pair").replace("INPUT", "jump")
    assert neuroport.loads(text, ["drive.weight=500 uV"]) == loaded("0.5")


def test_another_unit_is_refused() -> None:
    assert told("0.5 nA") == "weight of projection 'drive' must be a voltage (mV), but 0.5 nA is in nA"
    assert (
        told("0.5 mV", "stdp_pair", "i") == "weight of projection 'drive' must be a current (nA), but 0.5 mV is in mV"
    )
    assert told("3 mV") == "weight of projection 'drive' must be from 0 to 1 mV; found 3 mV"
    assert told("3") == "weight of projection 'drive' must be from 0 to 1; found 3"
    assert told("{normal: [0.5 mV, 1 nA]}").endswith("must be a voltage (mV), but 1 nA is in nA")


def test_what_is_not_sent_as_it_is_has_no_unit_of_the_input() -> None:
    assert told("1 mV", "doubled") == (
        "weight of projection 'drive' is a pure number, but 1 mV is in mV; leave the unit out"
    )


def test_what_has_a_problem_itself_says_nothing_of_the_unit_of_a_weight() -> None:
    """Where the target, its model or its input is not known, nor is the unit: only that is told."""
    text = TEXT.replace("WEIGHT", "0.5 nA").replace("SYNAPSE", "static")
    for wrong in (text.replace("INPUT", "jumps"), text.replace("INPUT", "jump").replace("neuron: lif", "neuron: liff")):
        with pytest.raises(neuroport.InvalidInput) as error:
            neuroport.loads(wrong)
        assert [problem.text.split(" ")[0] for problem in error.value.problems] == ["unknown"], str(error.value)


def test_a_weight_with_a_unit_of_its_own_keeps_it() -> None:
    assert loaded("1000 us", "of_time") != loaded("2 ms", "of_time")
    assert told("1 mV", "of_time") == "weight of projection 'drive' must be a time (ms), but 1 mV is in mV"


def test_a_file_written_of_it_is_the_same_network(tmp_path: Path) -> None:
    from neuroport.files import writer

    network = loaded("500 uV")
    writer.write(network, tmp_path / "net.yaml")
    assert neuroport.load(tmp_path / "net.yaml") == network


def test_a_weight_that_is_sent_times_a_pure_number_has_it_too() -> None:
    assert loaded("5 nA", "tsodyks_markram", "i") == loaded("5", "tsodyks_markram", "i")
    assert told("5 nA", "tsodyks_markram") == "weight of projection 'drive' must be a voltage (mV), but 5 nA is in nA"
