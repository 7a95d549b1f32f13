"""`neuroport drift`, and what `compare` says of two traces that differ."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from neuroport.cli import main
from neuroport.trace.read import open_trace
from neuroport.trace.write import Writer
from tests.support.traces import SOURCE, write

NETWORK = """\
neuroport: 1
name: n
dt: 0.5 ms
chip: generic8_mismatch10
populations:
  source: {size: 20, neuron: poisson, params: {rate: 50 Hz}}
  cells: {size: 4, neuron: cuba_lif, params: {tau_m: 10 ms}}
projections:
  up: {source: source, target: cells, input: exc, synapse: static, connect: all_to_all, weight: {uniform: [0, 0.2]}}
protocol: [{run: 200 ms}, {measure: [w, rate]}]
metrics: {w: {mean: up.w}, rate: {rate: cells}}
record: {spikes: all, states: {cells.v: 1 step}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "n.yaml"
    file.write_text(NETWORK, "utf-8")
    return file


def call(command: str, *arguments: object) -> Any:
    return CliRunner().invoke(main, [command, *map(str, arguments)], catch_exceptions=False)


def on_reference(path: Path, *arguments: object) -> Any:
    return call("drift", path, "--backend", "reference", "-q", *arguments)


def told(done: Any) -> list[str]:
    """Its lines, with one space between words."""
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_json_has_each_chip_and_mean_and_standard_deviation(path: Path) -> None:
    done = on_reference(path, "--chip-seed", "0:3", "--json")
    assert done.exit_code == 0
    result = json.loads(done.stdout)
    head = {name: result[name] for name in ("network", "reference", "chip", "backend", "seed", "dt", "steps")}
    assert list(head.values()) == ["n", "ideal", "generic8_mismatch10", "reference", 1, 0.5, 400]
    each, over = result["specimens"], result["over_chip_seeds"]
    assert [one["chip_seed"] for one in each] == [0, 1, 2]
    rms = [one["arrays"]["cells.v"]["growth"]["200"]["rms"] for one in each]
    assert over["arrays"]["cells.v"]["growth"]["200"]["rms"] == {"mean": np.mean(rms), "sd": np.std(rms, ddof=1)}
    for key in ("van_rossum", "rate_difference", "equal"):
        values = [one["spikes"]["cells"][key] for one in each]
        assert over["spikes"]["cells"][key] == {"mean": np.mean(values), "sd": np.std(values, ddof=1)}
    assert {one["spikes"]["source"]["equal"] for one in each} == {each[0]["spikes"]["source"]["spikes"]["first"]}
    assert all(one["first_difference"] == {"array": "up.w", "steps": 0} for one in each)
    spikes = [one["first_other_spike"] for one in each]
    assert all(set(spike) == {"population", "step", "neuron", "only_in"} for spike in spikes)
    assert [one["spikes"]["cells"]["first_other_step"] for one in each] == [spike["step"] for spike in spikes]
    assert all(one["metrics"]["rate"]["400"]["second"] == one["spikes"]["cells"]["rates"]["second"] for one in each)


def test_people_see_where_each_chip_parts_and_how_far_all_do(path: Path) -> None:
    lines = told(on_reference(path, "--chip-seed", "0:3"))
    assert lines[0] == (
        "n on ideal and on generic8_mismatch10, chip seeds 0 to 2, backend reference, seed 1, 400 steps (0.2 s)"
    )
    assert lines[1] == "chip seed first difference first by a unit or more first other spike"
    assert all(line.startswith(f"{k} up.w at the start ") for k, line in enumerate(lines[2:5]))
    for head in (
        "array largest seen unit differs after by a unit after",
        "root mean square difference after so many steps",
        "largest difference after so many steps",
        "array 0 1 10 100 400",
        "population spikes ideal spikes generic8_mismatch10 equal Hz ideal Hz generic8_mismatch10 Hz apart van Rossum "
        "coincidence",
        "metric at step ideal generic8_mismatch10",
    ):
        assert head in lines
    (weights,) = [line for line in lines if line.startswith("w 400 ")]
    assert "±" in weights.split(" ", 3)[3], "the visible weights deviate with the chips"
    (source,) = [line for line in lines if line.startswith("source ")]
    assert source.endswith(" 0 0 1") and "±" not in source, "what all chips have in common has no deviation"


def test_one_chip_as_designed_has_no_deviation(path: Path) -> None:
    done = on_reference(path, "--chip", "generic8", "--for", "50 ms", "--seed", 3)
    assert told(done)[:2] == [
        "n on ideal and on generic8, backend reference, seed 3, 100 steps (0.05 s)",
        "first difference first by a unit or more first other spike",
    ]
    assert "±" not in done.stdout


def test_what_the_chip_changes_is_told_before_as_by_run(path: Path) -> None:
    slow = ("--set", "cells.tau_m=1 s")
    ours = on_reference(path, "--chip-seed", "0:2", *slow)
    theirs = call("run", path, "--backend", "reference", "-q", *slow)
    assert ours.stderr == theirs.stderr
    assert "stops decaying" in ours.stderr


def test_traces_are_written_and_compare_tells_of_them_what_drift_told(path: Path, tmp_path: Path) -> None:
    done = on_reference(path, "--chip-seed", 3, "-o", tmp_path / "o.h5", "--json", "--tau", "5 ms", "--within", "1 ms")
    (one,) = json.loads(done.stdout)["specimens"]
    traces = tmp_path / "o.ideal.h5", tmp_path / "o.chip3.h5"
    assert [(open_trace(t).chip, open_trace(t).chip_seed, open_trace(t).seed) for t in traces] == [
        ("ideal", None, 1),
        ("generic8_mismatch10", 3, 1),
    ]
    compared = call("compare", *traces, "--json", "--tau", "5 ms", "--within", "1 ms")
    assert compared.exit_code == 1
    drift = json.loads(compared.stdout)["drift"]
    assert drift["spikes"] == one["spikes"] and drift["metrics"] == one["metrics"]
    assert drift["first_other_spike"] == one["first_other_spike"]
    shown = told(call("compare", *traces))
    assert "population spikes first spikes second equal Hz first Hz second Hz apart van Rossum coincidence" in shown
    assert drift["spikes"]["cells"] != json.loads(call("compare", *traces, "--json").stdout)["drift"]["spikes"]["cells"]


def test_equal_traces_and_traces_with_nothing_in_common_have_no_drift(tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.h5"), write(tmp_path / "b.h5")
    same = call("compare", a, b, "--json")
    assert (same.exit_code, json.loads(same.stdout)["drift"]) == (0, None)
    with Writer(tmp_path / "c.h5", replace(SOURCE, program=replace(SOURCE.program, dt=1.0))) as writer:
        writer.close(steps=200)
    other = call("compare", a, tmp_path / "c.h5")
    assert (other.exit_code, other.stdout.splitlines()[0]) == (1, "the steps are 0.5 and 1 ms long")
    assert "difference" not in other.stdout
    assert json.loads(call("compare", a, tmp_path / "c.h5", "--json").stdout)["drift"] is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("--tau=0ms", "Error: --tau must be above 0; found '0ms'."),
        ("--tau=0", "error: --tau '0': 0 is not a time; give a time such as '10 ms' or '20 steps'"),
        ("--within=-1ms", "Error: --within must not be below 0; found '-1ms'."),
        ("--tau 5mV", "error: --tau '5mV': 5 mV is not a time; give a time such as '10 ms' or '20 steps'"),
        ("--seed 0:3", "error: --seed must be a whole number from 0 to 2**63 - 1; found '0:3'"),
        ("--chip-seed 3:1", "error: --chip-seed 3:1 has no seed in it, as END is not one; give an END above FIRST, "),
        ("--chip generic8 --chip-seed 0:3", "error: a chip seed stands for a specimen, and all specimens of chip "),
        ("-o no/such/folder.h5", "the folder 'no/such' does not exist; create it or choose another one"),
    ],
)
def test_wrong_options_get_a_sentence(path: Path, options: str, text: str) -> None:
    done = on_reference(path, *options.split())
    assert done.exit_code == 2
    assert text in done.stderr.splitlines()[-1]
