"""`neuroport run` with several copies: which seeds they have, what it says of all and of each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from neuroport.cli import main
from neuroport.commands.spread import spread
from neuroport.trace.read import open_trace

NETWORK = """\
neuroport: 1
name: n
dt: 1 ms
seed: 5
chip: generic8_mismatch10
populations:
  units: {size: 2, neuron: sampling_unit, params: {m_star: 0.4}}
projections:
  p: {source: units, target: units, synapse: sal_sampling, connect: {all_to_all: {self: false}}, delay: 3 ms,
      weight: {normal: [0, 0.5]}, params: {eta_w: 0.1}}
readouts: {states: {histogram: {population: units, state: x < 50, every: 5 steps, phase: 0 steps}}}
targets: {target: {boltzmann: {weights: [[0, 0], [0, 0]], biases: [0, 0]}}}
protocol: [{repeat: 2, do: [{run: 400 ms, readout: [states]}, {measure: [dkl, w]}]}]
metrics: {dkl: {dkl: states, target: target.p}, w: {values: p.w}}
record: {spikes: all}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "n.yaml"
    file.write_text(NETWORK, "utf-8")
    return file


def call(path: Path, *arguments: object) -> Any:
    words = ["run", str(path), "--backend", "reference", "-q", *map(str, arguments)]
    return CliRunner().invoke(main, words, catch_exceptions=False)


def answer(path: Path, *arguments: object) -> Any:
    done = call(path, "--json", *arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("options", "seeds"),
    [
        ("--copies 2", [(5, None), (6, None)]),
        ("--copies 2 --seed 8", [(8, None), (9, None)]),
        ("--copies 2 --chip-seed 3", [(5, 3), (6, 3)]),
        ("--chip-seed 3:5", [(5, 3), (5, 4)]),
        ("--chip-seed 3:5 --copies 2", [(5, 3), (5, 4)]),
        ("--chip-seed 3:5 --seed 8", [(8, 3), (8, 4)]),
        ("--chip-seed 3:4", [(5, 3)]),
        ("--seed 8:10", [(8, None), (9, None)]),
        ("--seed 8:10 --chip-seed 3", [(8, 3), (9, 3)]),
        ("--seed 8:10 --chip-seed 3:5", [(8, 3), (9, 4)]),
        ("--set copies=2", [(5, None), (6, None)]),
    ],
)
def test_only_what_the_options_say_differs(path: Path, options: str, seeds: list[tuple[int, int | None]]) -> None:
    result = answer(path, "--for", "10 ms", *options.split())
    assert [(copy["seed"], copy["chip_seed"]) for copy in result["copies"]] == seeds


@pytest.mark.parametrize("options", ["", "--copies 1", "--seed 5 --chip-seed 3"])
def test_one_run_has_no_list_of_copies(path: Path, options: str) -> None:
    assert answer(path, "--for", "10 ms", *options.split())["copies"] == 1


WHOLE = "must be a whole number from 0 to 2**63 - 1; found"
TOO_MANY = (
    "error: 1,000,000,000 copies are more than the 100,000 that can be run at once; run them in parts, each with its "
    "range of seeds or chip seeds"
)
UNEQUAL = "Error: {} asks for {} copies and {} asks for {} copies; make the numbers equal, or leave one out."


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ("--copies 1000000000", TOO_MANY),
        ("--chip-seed 0:1000000000", TOO_MANY),
        ("--seed 0:1000000000", TOO_MANY),
        ("--seed 0:9223372036854775807", TOO_MANY.replace("1,000,000,000", f"{2**63 - 1:,}")),
        ("--seed 5:4", "error: --seed 5:4 has no seed in it, as END is not one; give an END above FIRST, such as 0:10"),
        ("--chip-seed a:b", f"error: FIRST in --chip-seed FIRST:END {WHOLE} 'a'"),
        ("--chip-seed 1:", f"error: END in --chip-seed FIRST:END {WHOLE} ''"),
        ("--chip-seed=-1:3", f"error: FIRST in --chip-seed FIRST:END {WHOLE} -1"),
        ("--chip-seed 1:2:3", f"error: END in --chip-seed FIRST:END {WHOLE} '2:3'"),
        ("--copies 3 --chip-seed 0:2", UNEQUAL.format("--chip-seed", 2, "--copies", 3)),
        ("--seed 0:3 --chip-seed 0:2", UNEQUAL.format("--seed", 3, "--chip-seed", 2)),
        (
            "--copies 2 --chip-instance x.h5",
            "Error: --chip-instance is one chip; copies take --chip-seed N or FIRST:END.",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(path: Path, options: str, text: str) -> None:
    done = call(path, *options.split())
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == text


def test_json_has_mean_and_standard_deviation_over_copies(path: Path) -> None:
    result = answer(path, "--copies", 3)
    copies, over = result["copies"], result["over_copies"]
    for field in ("spikes", "rates"):
        values = [copy[field]["units"] for copy in copies]
        assert over[field]["units"] == {"mean": np.mean(values), "sd": np.std(values, ddof=1)}
    for k, step in enumerate((400, 800)):
        values = [copy["metrics"]["dkl"][k] for copy in copies]
        assert [at for at, _ in values] == [step] * 3
        measured, spread = over["metrics"]["dkl"][k]
        assert (measured, spread["mean"]) == (step, np.mean([value for _, value in values]))
        weights = np.array([copy["metrics"]["w"][k][1] for copy in copies])
        assert [one["mean"] for one in over["metrics"]["w"][k][1]] == weights.mean(0).tolist()
    assert np.std([copy["spikes"]["units"] for copy in copies]) > 0


def test_people_get_the_mean_and_a_line_for_each(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.h5"
    done = call(path, "--chip-seed", "0:2", "-o", out)
    copies = answer(path, "--chip-seed", "0:2")["copies"]
    (a, b), (x, y) = ([copy["spikes"]["units"] for copy in copies], [copy["metrics"]["dkl"][-1][1] for copy in copies])
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[:2] == [
        "n on generic8_mismatch10, chip seeds 0 to 1 (integer), backend reference, seed 5",
        "mean and standard deviation over 2 copies",
    ]
    assert re.search(rf"^  units +{spread([a, b])} ", done.stdout, re.MULTILINE)
    assert re.search(rf"^  dkl +2 .* {spread([x, y])} +800$", done.stdout, re.MULTILINE)
    assert "copy seed chip seed units spikes dkl w digest" in lines
    for k, copy in enumerate(copies):
        (line,) = [line for line in lines if line.startswith(f"{k} 5 {k} {copy['spikes']['units']} ")]
        assert line.endswith(f" {copy['digest'][:16]}…")
        assert open_trace(tmp_path / f"o.copy{k}.h5").digest == copy["digest"]
    assert lines[-2:] == [
        "simulated 2 times 800 steps (0.8 s)",
        f"traces {tmp_path / 'o.copy0.h5'} to {tmp_path / 'o.copy1.h5'}",
    ]


def test_a_table_too_wide_says_what_is_not_in_it(path: Path) -> None:
    many = "".join(f", dkl{k}: {{dkl: states, target: target.p}}" for k in range(8))
    path.write_text(
        NETWORK.replace("w: {values: p.w}}", f"w: {{values: p.w}}{many}}}").replace("[dkl, w]", "[]"), "utf-8"
    )
    lines = call(path, "--copies", 2).stdout.splitlines()
    assert lines[-2] == "  not in this table, but in --json: dkl5, dkl6, dkl7"


def test_a_name_that_traces_are_called_after_is_told_as_it_was_given() -> None:
    for command in (("drift", "loihi_lif"), ("run", "loihi_lif", "--copies", "2")):
        done = CliRunner().invoke(main, [*command, "--backend", "reference", "-q", "-o", "two.yaml"])
        text = "a trace needs a name that ends in .h5 or .hdf5, such as two.yaml.h5"
        assert (done.exit_code, done.stderr) == (2, f"error: two.yaml: {text}\n")


def test_copies_whose_seeds_would_be_too_large() -> None:
    done = CliRunner().invoke(main, ["run", "loihi_lif", "--copies", "3", "--seed", "9223372036854775806"])
    text = "3 copies from the seed 9223372036854775806 on would need seeds above 2**63 - 1; give a smaller seed"
    assert (done.exit_code, done.stderr) == (2, f"error: {text}\n")
