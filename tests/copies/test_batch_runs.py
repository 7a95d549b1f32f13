"""Copies that share what they learn, from the command line to the trace and back into a network file."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from neuroport.api import run as api
from neuroport.api.copies import run_copies
from neuroport.cli import main
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.trace.compare import compare
from neuroport.trace.learned import with_learned
from neuroport.trace.read import open_trace

TEXT = """\
neuroport: 1
name: batch
dt: 1 ms
copies: 3
neurons:
  source: {inputs: {r_in: {range: [-4, 4]}}, state: {r: {init: 0, range: [-4, 4]}}, update: r = r_in}
  answer:
    inputs: {r_in: {range: [-4, 4]}, goal: {range: [-4, 4]}}
    state: {r: {init: 0, range: [-4, 4]}, e: {init: 0, range: [-8, 8]}}
    update: |
      r = r_in
      e = goal - r
    spike: uniform() < 0.3
synapses:
  delta:
    state:
      w: {weight: true, init: 0, range: [-2, 2], over_copies: shared}
      g: {range: [-4, 4], over_copies: shared}
      f: {init: 0, range: [-1, 1], class: CLASS}
    step: |
      g = sum_copies(post.e * pre.r)
      f = 0.9 * f + 0.1 * pre.r
      send(target, w * pre.r)
    on_event: {each_step: "w = w + 0.05 * g / copies"}
populations:
  x: {size: 2, neuron: source}
  y: {size: 2, neuron: answer}
projections:
  up: {source: x, target: y, input: r_in, synapse: delta, connect: all_to_all}
stimuli:
  pats:
    patterns: {values: [[1, 0], [0, 1], [0.5, 0.25], [0.25, 1], [1, 1], [0.1, 0.9]], hold: 5 steps, order: shuffle}
    population: x
    input: r_in
  goals:
    patterns: {values: [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0], [0, 1]], beside: pats}
    population: y
    input: goal
metrics: {w: {values: up.w}, angle: {angle: up.f, to: up.w}, rate: {rate: y}}
protocol:
  - {repeat: 4, do: [{present: pats}, {measure: [w, angle, rate]}]}
record: {spikes: [y], states: {y.r: 2 steps}, weights: {up.w: 10 steps, up.f: 10 steps}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "batch.yaml"
    path.write_text(TEXT.replace("CLASS", "state"), "utf-8")
    return path


def command(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_run_is_one_run(file: Path) -> None:
    done = command("run", file, "--backend", "reference", "-q", "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["copies"], result["steps"]) == (3, 4 * 2 * 5)
    assert result["rates"]["y"] == pytest.approx(result["spikes"]["y"] / (2 * 3 * 0.040))
    assert 200 < result["metrics"]["rate"][-1][1] < 400
    done = command("run", file, "--backend", "reference", "-q", "--copies", 6)
    assert done.stdout.startswith("batch on ideal (float64), backend reference, seed 1, 6 copies\n")
    done = command("run", file, "--backend", "reference", "-q", "--copies", 1, "--json")
    assert json.loads(done.stdout)["copies"] == 1


def test_a_batch_has_one_chip(file: Path) -> None:
    done = command("run", file, "--chip", "generic8_mismatch10", "--chip-seed", "0:3")
    assert done.exit_code == 2
    assert (
        "Error: copies that share what they learn are one run on one chip: --chip-seed takes one number." in done.output
    )


def test_each_seed_of_run_copies_runs_the_whole_batch(file: Path) -> None:
    network = reader.load(file)
    runs = run_copies(network, [1, 2], "reference")
    assert [run.copies for run in runs] == [3, 3]
    assert runs[0].digest == api.run(network, "reference", seed=1).digest != runs[1].digest


def test_trace_has_all_copies(file: Path, tmp_path: Path) -> None:
    network, out = reader.load(file), tmp_path / "out.h5"
    with api.open(network, "reference", trace=out) as session:
        session.run_protocol()
        samples, spikes, final = session.records("y.r")[1], session.spikes("y"), session.final()
    trace = open_trace(out)
    assert trace.copies == 3 and trace.populations == {"x": 6, "y": 6}
    assert samples.shape == (20, 2, 3)
    assert np.array_equal(trace.record("y.r").values, samples.reshape(20, 6))
    assert np.array_equal(trace.spikes("y").neurons, spikes[1]) and spikes[1].max() == 5
    assert trace.final_array("up.f").raw.shape == (4, 3) and trace.final_array("up.w").raw.shape == (4,)
    assert np.array_equal(trace.final_array("up.f").raw, final["up.f"])
    assert trace.weight_history("up.f").raw.shape == (4, 4, 3) and trace.weights("up").values.shape == (4,)
    with h5py.File(out) as hdf:
        assert hdf["report/y/data"].shape == (20, 6)


def test_show_plot_export_and_compare(file: Path, tmp_path: Path) -> None:
    paths = [tmp_path / f"{k}.h5" for k in range(2)]
    for k, path in enumerate(paths):
        done = command("run", file, "--backend", "reference", "-q", "-o", path, "--seed", 1 + k)
        assert done.exit_code == 0, done.output
    shown = command("show", paths[0]).stdout
    assert "40 steps of 1 ms (0.04 s); 3 copies" in shown
    assert next(line.split() for line in shown.splitlines() if "up.f" in line) == ["up.f", "4", "12"]
    same = compare(open_trace(paths[0]), open_trace(paths[0]))
    assert same.identical and "final values of up.f" in same.compared
    other = tmp_path / "other.h5"
    command("run", file, "--backend", "reference", "-q", "-o", other, "--set", "up.init.f=[[0, 0], [0, 0.5]]")
    texts = [str(d) for d in compare(open_trace(paths[0]), open_trace(other)).differences]
    assert "weight 'up.f': after step 9 element 3 of copy 0 is " in texts[0]
    assert command("plot", paths[0], "-o", tmp_path / "picture.png").exit_code == 0
    learned = tmp_path / "learned.yaml"
    done = command("export", paths[0], "-o", learned)
    assert done.exit_code == 0, done.output
    again = reader.load(learned)
    assert again.copies == 3
    with api.open(again, "reference") as session:
        assert np.array_equal(session.get("up.w"), open_trace(paths[0]).final_array("up.w").values)


def test_what_each_copy_learned_for_itself_cannot_be_exported(file: Path, tmp_path: Path) -> None:
    network = reader.loads(TEXT.replace("CLASS", "plastic"), "net.yaml")
    out = tmp_path / "out.h5"
    api.run(network, "reference", trace=out)
    with pytest.raises(InvalidInput) as error:
        with_learned(network, open_trace(out))
    text = "has another 'up.f' in each of its 3 copies, and a network file gives all copies the same; declare it "
    assert str(error.value) == f"{out}: {text}'over_copies: shared', or run one copy"


@pytest.mark.dear
def test_executors_agree_on_a_batch(file: Path) -> None:
    network = reader.load(file)
    digests = {api.run(network, backend, "generic16").digest for backend in ("reference", "emulator")}
    assert len(digests) == 1
