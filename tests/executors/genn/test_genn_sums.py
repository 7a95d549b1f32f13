"""What several projections send to one input is summed in one array, where sums have no order."""

from __future__ import annotations

from pathlib import Path

import pytest

import neuroport
from neuroport.backends.emulator import Emulator
from neuroport.backends.genn import Genn
from neuroport.backends.genn.emit import written_out
from neuroport.backends.genn.model import Model, Synapses
from neuroport.backends.genn.queues import share_sums
from tests.support.executors import difference, everywhere, needs_genn, start

NOW, LATE = "addToPost(w);", "addToPostDelay(w, d);"
ALIKE = "target: cells, input: jump, synapse: static, connect: {fixed_probability: 0.5}, weight: {uniform: [0.5, 2]}"
DELAYED = ", dendritic_delay: {uniform: [0 ms, 3 ms]}"
NETWORK = f"""
neuroport: 1
name: late
dt: 1 ms
chip: generic16
populations:
  a: {{size: 12, neuron: poisson, params: {{rate: 200 Hz}}}}
  b: {{size: 9, neuron: poisson, params: {{rate: 200 Hz}}}}
  cells: {{size: 7, neuron: lif, params: {{tau_m: 5 ms, t_ref: 1 ms}}}}
projections:
  up: {{source: a, {ALIKE}{DELAYED}}}
  over: {{source: b, {ALIKE}{DELAYED}}}
  fast: {{source: b, {ALIKE}}}
  slow: {{source: a, {ALIKE}, delay: 3 ms}}
"""


def model(*groups: tuple[str, int, str]) -> Model:
    made = [Synapses("s", "s", target="n", post_input=to, slots=slots, arrive=code) for to, slots, code in groups]
    return Model("m", "float", synapses=made)


@pytest.mark.parametrize(
    ("groups", "shared"),
    [
        ((("x", 1, NOW), ("x", 1, NOW), ("y", 1, "")), True),
        ((("x", 4, LATE), ("x", 4, LATE), ("x", 1, NOW), ("x", 3, LATE)), True),
        ((("x", 4, LATE), ("y", 4, NOW)), True),
        ((("x", 4, LATE), ("x", 4, NOW)), False),
        ((("x", 1, LATE), ("x", 1, NOW)), False),
    ],
)
def test_where_sums_may_be_shared(groups: tuple[tuple[str, int, str], ...], shared: bool) -> None:
    assert share_sums(model(*groups)) is shared


def test_sums_of_real_numbers_have_an_order(tmp_path: Path) -> None:
    (tmp_path / "late.yaml").write_text(NETWORK)
    network = neuroport.load(tmp_path / "late.yaml")
    assert written_out(neuroport.compile(network)).shared_sums
    assert not written_out(neuroport.compile(network, "ideal32")).shared_sums


@needs_genn
def test_what_is_on_its_way_is_saved_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "late.yaml").write_text(NETWORK)
    machines = start(neuroport.compile(neuroport.load(tmp_path / "late.yaml")), Emulator(), Genn(device="cpu"))
    everywhere(machines, "advance", 40)
    assert difference(machines) is None
    states = [machine.save() for machine in machines]
    for name, rows in states[0].inputs.items():
        assert rows.tolist() == states[1].inputs[name].tolist()
    everywhere(machines, "advance", 5)
    for machine, state in zip(machines, reversed(states), strict=True):
        machine.load(state)
    everywhere(machines, "advance", 20)
    assert difference(machines) is None
