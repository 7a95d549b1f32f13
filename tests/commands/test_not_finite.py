"""Numbers that are none any more at the end of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import neuroport
from neuroport.cli import main

UNSTABLE = """
neuroport: 1
name: unstable
dt: 1 ms
chip: ideal
neurons:
  growing:
    state: {v: {init: 1, range: [-1, 1]}, once: {init: 0, range: [0, 1]}}
    update: |
      v = v - 1e200 * v
      once = once
populations: {a: {size: 3, neuron: growing, init: {v: [0, 1, 1]}}}
protocol: [{run: 5 steps}]
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "unstable.yaml"
    file.write_text(UNSTABLE)
    return str(file)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--backend", "reference"], catch_exceptions=False)


def test_a_run_tells_them(path: str) -> None:
    done = call("run", path)
    assert done.exit_code == 0
    assert [line.split() for line in done.stdout.splitlines() if "a.v" in line or "finite" in line] == [
        "array not a finite number at the end".split(),
        ["a.v", "2"],
    ]
    assert json.loads(call("run", path, "--json").stdout)["not_finite"] == {"a.v": 2}
    run = neuroport.run(neuroport.load(path), "reference")
    assert run.not_finite == {"a.v": 2} and "not finite: a.v 2" in repr(run)
    copies = json.loads(call("run", path, "--copies", "2", "--json").stdout)["over_copies"]
    assert copies["not_finite"]["a.v"]["mean"] == 2


def test_with_strict_they_are_an_error(path: str) -> None:
    done = call("run", path, "--strict")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == (
        "error: numbers of a.v (2) are infinite or not a number at the end; take shorter steps, or leave --strict out"
    )


@pytest.mark.parametrize("chip", ["ideal", "generic16"])
def test_a_sound_run_tells_nothing(chip: str) -> None:
    run = neuroport.run(neuroport.load("sal_pair"), "reference", chip, duration=20)
    assert run.not_finite == {} and "not finite" not in repr(run)


def test_they_are_counted_over_all_pieces_of_a_large_array(path: str) -> None:
    large = neuroport.load(path, ["populations.a.size=70001", "populations.a.init.v={uniform: [0.5, 1]}"])
    assert neuroport.run(large, "reference").not_finite == {"a.v": 70_001}
