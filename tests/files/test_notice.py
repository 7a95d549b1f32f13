"""A model's notice: read, written back, and told once to whoever uses the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import neuroport
from neuroport.cli import main
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer

TEXT = """\
neuroport: 1
name: told
dt: 1 ms
neurons:
  one:
    notice: Ask first.
    state: {x: {init: 0, range: [0, 1]}}
  two:
    notice: Ask first.
    inputs: {i: {}}
    state: {x: {init: 0, range: [0, 1]}}
synapses:
  line:
    notice: >-
      Another
      thing.
    state: {w: {weight: true, init: 1, range: [0, 1]}}
    step: send(target, w * pre.x)
populations:
  a: {size: 1, neuron: one}
  b: {size: 1, neuron: two}
  c: {size: 1, neuron: two}
projections:
  p: {source: a, target: b, synapse: line, connect: one_to_one}
protocol: [run: 1 ms]
"""
TOLD = ["notice: one, two: Ask first.", "notice: line: Another thing."]


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "told.yaml"
    path.write_text(TEXT, "utf-8")
    return str(path)


def test_is_read_and_written(tmp_path: Path) -> None:
    network = reader.loads(TEXT, "told.yaml", str(tmp_path))
    assert network.notices == {"Ask first.": ("one", "two"), "Another thing.": ("line",)}
    again = reader.loads(writer.to_yaml(network), "again.yaml", str(tmp_path))
    assert again == network
    assert again.notices == network.notices


def test_of_another_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as info:
        reader.loads(TEXT.replace("Ask first.", "[1]", 1), "told.yaml", str(tmp_path))
    assert str(info.value) == "told.yaml:6:13: notice of neuron model 'one' must be a text; found a list"


@pytest.mark.dear
@pytest.mark.parametrize("command", ["run", "check", "show"])
def test_is_told_on_stderr(command: str, file: str) -> None:
    done = CliRunner().invoke(main, [command, file])
    assert done.exit_code == 0, done.output
    assert [line for line in done.stderr.splitlines() if line.startswith("notice")] == TOLD
    assert "notice" not in done.stdout


@pytest.mark.dear
def test_is_in_the_json_of_a_run(file: str) -> None:
    done = CliRunner().invoke(main, ["run", file, "--json"])
    assert json.loads(done.stdout)["notices"] == [
        {"models": ["one", "two"], "text": "Ask first."},
        {"models": ["line"], "text": "Another thing."},
    ]


@pytest.mark.dear
def test_networks_without_are_silent() -> None:
    assert neuroport.load("loihi_lif").notices == {}
    done = CliRunner().invoke(main, ["run", "loihi_lif", "--json"])
    assert json.loads(done.stdout)["notices"] == []
    assert "notice" not in done.stderr
