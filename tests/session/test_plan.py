"""Plans: what a program and its plan are together, apart from networks and files."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neuroport
from neuroport.api.compile import lower_and_plan, specimen
from neuroport.chips.chip import Chip, ChipInstance
from neuroport.elaborate import targets
from neuroport.elaborate import values as materialised
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.metrics.divergence import Divergence
from neuroport.network.network import Network
from neuroport.numerics.units import Quantity
from neuroport.program import plan
from neuroport.program.condition import Applied, Condition
from neuroport.program.plan import Declared, Plan, Window
from neuroport.session.session import Session

TEXT = """\
neuroport: 1
name: n
dt: 0.5 ms
copies: 2
neurons:
  cell:
    params:
      gain: {default: 1 mV, unit: mV, dynamic: true, range: [0, 10]}
      hold: {type: int, default: 1 step, unit: step, dynamic: true, range: [1, 100]}
    inputs: {i: {unit: mV}}
    state:
      x: {unit: mV, init: 0 mV, range: [-100, 100]}
      b: {init: 0, range: [-1, 1], class: plastic, over_copies: shared}
    update: x = gain * (b + hold) + i
    on_event: {learn: "b = 0.5 * b"}
populations: {one: {size: 2, neuron: cell}, two: {size: 2, neuron: cell}}
stimuli:
  pats: {patterns: {values: {array: [[1, 2], [3, 4], [5, 6], [7, 8]], unit: mV}, hold: 2 ms, order: shuffle,
                    labels: [0, 1, 1, 0]}, population: one, input: i}
  wanted: {patterns: {values: 0 mV, beside: pats}, population: two, input: i}
targets: {goal: {boltzmann: {weights: [[0, 1], [1, 0]], biases: [0, 0]}}}
readouts:
  rows: {samples: {of: one.x, every: 1 ms, from: 0.5 ms, to: 2 ms, reduce: sum}}
  states: {histogram: {population: one, state: x > 0, every: 1 ms, phase: 0 ms}}
metrics: {right: {accuracy: rows}, far: {dkl: states, target: goal.p}}
protocol:
  - repeat: 1
    as: k
    do:
      - {if: k % 2 == 1 and k < 2, then: [{run: 5 ms, readout: [states]}], else: [{present: pats, readout: [rows]}]}
      - {set: {"*.gain": 2000 uV, one.hold: 1.5 ms}}
      - {event: learn}
      - {anneal: {parameter: ["t*.gain"], by: 0.5, when: right}}
      - {reset: {populations: [two], keep: learned}}
      - {capture: {wanted: rows}}
  - {present: pats, count: 2, readout: [rows]}
  - {measure: [far, right]}
record: {spikes: none, states: {one.x: 1 ms}}
"""


@pytest.fixture(scope="module")
def made() -> Plan:
    return lower_and_plan(*compiled(reader.loads(TEXT, "n.yaml")))[1]


def compiled(network: Network) -> tuple[Network, Chip, ChipInstance | None]:
    """What is to be lowered: the network and its own chip, as designed."""
    return network, *specimen(network)


def test_a_protocol_has_whole_steps_and_names_that_are_there(made: Plan) -> None:
    repeat, present, measure = made.protocol
    assert present == plan.Present("pats", ("pats", "wanted"), "shuffle", holds=1, hold=4, readouts=("rows",))
    assert measure == plan.Measure(("far", "right"))
    assert isinstance(repeat, plan.Repeat) and (repeat.count, repeat.variable) == (1, "k")
    odd = Applied("chain", (Applied("==", (Applied("%", ("k", 2)), 1)),))
    condition = Condition("k % 2 == 1 and k < 2", Applied("and", (odd, Applied("chain", (Applied("<", ("k", 2)),)))))
    assert repeat.do == (
        plan.If(
            condition,
            (plan.Run(10, ("states",)),),
            (plan.Present("pats", ("pats", "wanted"), "shuffle", holds=2, hold=4, readouts=("rows",)),),
        ),
        plan.Set((("one.gain", 2.0), ("two.gain", 2.0), ("one.hold", 3.0))),
        plan.Trigger("learn"),
        plan.Anneal(("two.gain",), 0.5, "right"),
        plan.Reset(("two",), keep_learned=True),
        plan.Capture((("wanted", "rows"),)),
    )
    assert plan.total_steps(made.protocol) == 8 + 4


def test_a_protocol_of_any_length_knows_its_length_at_once() -> None:
    def chosen(count: int) -> int:
        """An `if` in a repeat that chooses 3 steps at first and 1 step from then on."""
        first = Condition("k < 1", Applied("chain", (Applied("<", ("k", 1)),)))
        do = (plan.If(first, (plan.Run(3),), (plan.Run(1),)),)
        return plan.total_steps((plan.Run(7), plan.Repeat(count, "k", do)))

    assert chosen(5) == 7 + 3 + 4
    assert chosen(100_000) == 7 + 3 + 99_999
    assert chosen(10**18) == 7 + 3 * 10**18  # at most
    never = Condition("0 < 0", Applied("chain", (Applied("<", (0, 0)),)))
    inner = plan.Repeat(10**6, "i", (plan.If(never, (plan.Run(1),)),))
    assert plan.total_steps((plan.Repeat(10**6, "k", (inner,)),)) == 10**12
    assert plan.total_steps((plan.Repeat(10**18, "k", (plan.Run(2), plan.Measure(()))),)) == 2 * 10**18


def test_a_plan_has_what_is_measured_and_recorded(made: Plan) -> None:
    assert made.dt == Quantity(0.5, "ms")
    assert made.windows == {"rows": Window(1, 4, 2, "sum")}
    assert made.metrics[1] == Divergence(name="far", of="states", target="goal.p")
    assert {name: labels.tolist() for name, labels in made.labels.items()} == {"pats": [0, 1, 1, 0]}
    p = np.exp([0, 0, 0, 1]) / (3 + np.e)
    assert made.distributions["goal.p"] == pytest.approx(p, rel=1e-14) and len(made.distributions) == 1
    assert (made.spikes, made.weights) == ((), ())
    cell = {"gain": Declared("real", "mV"), "hold": Declared("int", "step"), "x": Declared("real", "mV")}
    cell |= {"b": Declared("real"), "i": Declared("real", "mV")}
    assert made.declared == {f"{owner}.{name}": what for owner in ("one", "two") for name, what in cell.items()}


def test_labels_are_read_and_states_enumerated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    free, boltzmann = materialised.Materialiser.free, targets.boltzmann

    def told_free(self: object, value: object, *more: object) -> object:
        asked.append(str(more[-1]))
        return free(self, value, *more)  # type: ignore[arg-type]

    def told_boltzmann(*more: object) -> object:
        asked.append("boltzmann")
        return boltzmann(*more)  # type: ignore[arg-type]

    monkeypatch.setattr(materialised.Materialiser, "free", told_free)
    monkeypatch.setattr(materialised, "boltzmann", told_boltzmann)
    with neuroport.open(reader.loads(TEXT, "n.yaml"), "reference") as session:
        session.run_protocol()
    assert (asked.count("labels"), asked.count("boltzmann")) == (1, 1)


RUN = """\
import pickle, sys
from neuroport import backends
from neuroport.session.session import open_session

with open(sys.argv[1], "rb") as file:
    program, plan = pickle.load(file)
with open_session(program, plan, backends.load("reference")) as session:
    session.run_protocol()
    session.run("1 ms")
    print(session.step, session.digest(), session.results)
known = ("api", "chips", "elaborate", "files", "language", "network", "quantise", "trace", "yaml")
print([name for name in sys.modules if name.startswith(tuple(f"neuroport.{room}" for room in known))])
"""


@pytest.mark.dear
@pytest.mark.parametrize("name", ["sal_sampling", "gle_lagline", "stdp_pair"])
def test_a_stored_experiment_runs_without_networks_and_files(name: str, tmp_path: Path) -> None:
    network = neuroport.load(name, ["protocol=[{repeat: 2, as: k, do: [{if: k == 0, then: [{run: 20 ms}]}]}]"])
    stored = tmp_path / "experiment"
    stored.write_bytes(pickle.dumps(lower_and_plan(*compiled(network))))
    with neuroport.open(network, "reference") as session:
        session.run_protocol()
        session.run("1 ms")
        expected = f"{session.step} {session.digest()} {session.results}"
    run = subprocess.run([sys.executable, "-c", RUN, str(stored)], capture_output=True, text=True)
    assert (run.stdout.splitlines(), run.stderr) == ([expected, "[]"], "")


def test_what_a_host_gives_in_units_is_converted_by_the_plan() -> None:
    with neuroport.open(reader.loads(TEXT, "n.yaml"), "reference") as session:
        session.set("one.gain", "1500 uV")
        session.set("one.hold", "2 ms")
        session.run("1 ms")
        assert session.settings() == {"one.gain": 1.5, "one.hold": 4}
        with pytest.raises(InvalidInput, match=r"^'one.gain': 2 nA is not in mV$"):
            session.set("one.gain", "2 nA")


def test_a_plan_for_copies_deals_its_patterns(made: Plan) -> None:
    alone = reader.loads(TEXT.replace("copies: 2", "copies: 1"), "n.yaml")
    repeat = lower_and_plan(*compiled(alone))[1].protocol[0]
    assert isinstance(repeat, plan.Repeat) and isinstance(repeat.do[0], plan.If)
    (present,) = repeat.do[0].otherwise
    assert isinstance(present, plan.Present) and (present.holds, present.steps) == (4, 16)


def test_a_traced_run_builds_one_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    built: list[Session] = []
    make = Session.__init__

    def told(self: Session, *parts: Any, **more: Any) -> None:
        built.append(self)
        make(self, *parts, **more)

    monkeypatch.setattr(Session, "__init__", told)
    network = reader.loads(TEXT, "n.yaml")
    neuroport.run(network, "reference", trace=tmp_path / "n.h5")
    assert len(built) == 1
    neuroport.run_copies(network, [1, 2], "reference", trace=tmp_path / "n.h5")
    assert len(built) == 3
