"""What check and run tell of a chip before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import neuroport
from neuroport.api.compile import lower, specimen
from neuroport.cli import main

SLOW = """\
neuroport: 1
name: slow
dt: 1 ms
chip: CHIP
neurons:
  calcium:
    params:
      tau: {default: 1 s, unit: ms, range: [1, 1.0e+6], kind: time}
    derived:
      a: exp(-dt / tau)
    inputs:
      i: {range: [0, 4]}
    state:
      c: {init: 0, range: [0, 4]}
    update: |
      c = a * c + i
populations:
  a: {size: 3, neuron: poisson, params: {rate: 200 Hz}}
  b: {size: 2, neuron: calcium}
projections:
  ab: {source: a, target: b, input: i, synapse: static, connect: all_to_all, weight: 0.5}
protocol: [{run: 100 ms}]
"""


LOST = """\
neuroport: 1
name: lost
dt: 1 ms
neurons:
  cell:
    inputs: {i: {range: [-8, 8]}}
    state: {v: {init: 0, range: [-1, 1]}, x: {init: 0.5, range: [-1, 1]}}
    update: |
      UPDATE
    spike: v >= 1
synapses:
  syn: {state: {w: {weight: true, range: [-1, 1]}}, on_pre: "send(i, SENT)"}
populations:
  cells: {size: 4, neuron: cell}
projections:
  p: {source: cells, target: cells, synapse: syn, input: i, connect: all_to_all, weight: 0.5}
"""


def network(tmp_path: Path, chip: str = "generic8") -> Path:
    path = tmp_path / "slow.yaml"
    path.write_text(SLOW.replace("CHIP", chip))
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


RUN = ("--backend", "reference", "-q")


@pytest.mark.parametrize("command", [("check",), ("run", *RUN)], ids=["check", "run"])
def test_what_the_chip_changes_is_told_first(command: tuple[str, ...], tmp_path: Path) -> None:
    path = network(tmp_path)
    result = call(command[0], path, *command[1:])
    assert result.exit_code == 0
    told = [
        "notice: chip generic8: b.c (slow.yaml:16) stops decaying 0.0611 from its rest, 1.5 % of its range of 4",
        f"notice: neuroport compile {path} --chip generic8 --emit report tells the whole",
        f"notice: where ranges are wider than a run needs, neuroport calibrate {path} finds narrower ones",
    ]
    ends = "notice: chip generic8: whether b.i, b.c stay in their ranges is known after a run, which counts what leaves"
    assert result.stderr.splitlines() == [*told, *([ends] if command == ("check",) else [])]


@pytest.mark.parametrize("command", [("check",), ("run", *RUN)], ids=["check", "run"])
def test_strict_refuses_what_the_chip_changes(command: tuple[str, ...], tmp_path: Path) -> None:
    path = network(tmp_path)
    result = call(command[0], path, "--strict", "--set", "populations.b.params.tau=10 s", *command[1:])
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.splitlines() == [
        f"error: {path}:16:7: chip generic8: b.c stops decaying 0.61 from its rest, 15 % of its range of 4",
        "error: --strict takes notices for errors; narrow the ranges, choose another chip, or leave --strict out",
    ]


def test_strict_lets_pass_what_the_chip_does_as_written(tmp_path: Path) -> None:
    path = network(tmp_path)
    assert call("check", path, "--strict", "--chip", "generic16").exit_code == 0
    assert call("check", path, "--strict", "--chip", "ideal").stderr == ""


def test_strict_ends_with_an_error_where_values_left_their_range(tmp_path: Path) -> None:
    path = network(tmp_path, "generic16")
    result = call("run", path, "--strict", *RUN)
    counts = json.loads(call("run", path, "--json", *RUN).stdout)["overflows"]
    met = ", ".join(f"{name} ({count:,} times)" for name, count in counts.items() if count)
    assert met and result.exit_code == 2
    last = f"error: values left the range of {met}; widen its range, or leave --strict out"
    assert result.stderr.splitlines()[-1] == last


@pytest.mark.parametrize("command", [("check", "--json"), ("run", "--json", *RUN)], ids=["check", "run"])
def test_notices_are_in_the_json(command: tuple[str, ...], tmp_path: Path) -> None:
    path = network(tmp_path)
    found = json.loads(call(command[0], path, *command[1:]).stdout)
    notices: list[dict[str, Any]] = found["notices" if command[0] == "check" else "chip_notices"]
    assert [(n["array"], n["topic"], n["certain"]) for n in notices] == [
        ("b.c", "stall", True),
        ("b.i", "saturation", False),
        ("b.c", "saturation", False),
    ]
    assert notices[0]["place"] == f"{path}:16:7"
    assert notices[0]["values"]["level"] == pytest.approx(0.0611, rel=1e-3)


def test_copies_are_told_once(tmp_path: Path) -> None:
    result = call("run", network(tmp_path), "--copies", 3, *RUN)
    assert len(result.stderr.splitlines()) == 3


WEIGHTS = """\
neuroport: 1
name: weights
dt: 1 ms
chip: generic8
populations:
  a: {size: 4, neuron: poisson}
  b: {size: 3, neuron: lif}
projections:
  few: {source: a, target: b, input: jump, synapse: static, connect: all_to_all,
        weight: [[1, 1.0e-4, 1], [1, 1, 1], [1, 1, 1], [1, 1, 1]]}
  most: {source: a, target: b, input: jump, synapse: static, connect: all_to_all,
        weight: [[1, 1.0e-4, 1.0e-4], [1.0e-4, 1.0e-4, 1.0e-4], [1.0e-4, 1.0e-4, 1.0e-4], [1.0e-4, 1.0e-4, 1.0e-4]]}
  pair: {source: a, target: b, input: jump, synapse: stdp_pair, connect: all_to_all, weight: 1,
         params: {a_plus: 1.0e-10, a_minus: 1.0e-9}}
"""


def test_what_happens_to_values_is_told_with_the_line_of_the_network_and_its_own_numbers(tmp_path: Path) -> None:
    path = tmp_path / "weights.yaml"
    path.write_text(WEIGHTS)
    start = "at the start and may be 0..1, so that it is held in steps of 9.31e-10 and"
    result = call("check", path, "--strict", "--chip", "generic8")
    assert result.exit_code == 2
    told = [line.removeprefix(f"error: {path}:") for line in result.stderr.splitlines()]
    assert "9:3: chip generic8: few.w 1 of 12 weights became zero" in told
    assert "11:3: chip generic8: most.w 11 of 12 weights became zero" in told
    assert f"13:3: chip generic8: pair.a_plus is 1e-10 {start} 100 % off; narrow its range" in told
    assert f"13:3: chip generic8: pair.a_minus is 1e-09 {start} 6.9 % off; narrow its range" in told
    assert len([line for line in told if "a_plus" in line or "a_minus" in line]) == 2


WIDE = """\
neuroport: 1
name: wide
dt: 1 ms
chip: generic8
populations:
  a: {size: 4, neuron: poisson}
  b: {size: 3, neuron: lif}
projections:
  still: {source: a, target: b, input: jump, synapse: static, connect: all_to_all, weight: 1.4,
          ranges: {w: [-128, 128]}}
  learns: {source: a, target: b, input: jump, synapse: stdp_pair, connect: all_to_all, weight: 0.7,
           ranges: {w: [0, 128]}}
  fine: {source: a, target: b, input: jump, synapse: static, connect: all_to_all, weight: 1.4,
         ranges: {w: [0, 1.5]}}
"""


def test_weights_that_a_wide_range_changes_are_told_though_none_becomes_zero(tmp_path: Path) -> None:
    path = tmp_path / "wide.yaml"
    path.write_text(WIDE)
    told = [line.removeprefix(f"error: {path}:") for line in call("check", path, "--strict").stderr.splitlines()]
    assert [line for line in told if ".w" in line] == [
        "9:3: chip generic8: still.w is 1.4 at the start and may be -128..128, so that it is held in steps of 2 and "
        "43 % off; narrow its range",
        "11:3: chip generic8: learns.w.visible is 0.7 at the start and may be 0..128, so that it is held in steps of 1 "
        "and 43 % off; narrow its range",
    ]


SET = """\
neuroport: 1
name: set
dt: 1 ms
chip: generic8
neurons:
  m:
    params:
      k: {default: 0.5, range: [0, 1], dynamic: true}
      inc: {default: 0.1, range: [0, 1], dynamic: true}
      tau: {default: 5 ms, unit: ms, range: [1, 100000], kind: time, dynamic: true}
    derived: {a: exp(-dt / tau)}
    state:
      b: {init: 1, range: [0, 2]}
      c: {init: 0, range: [0, 2]}
      d: {init: 1, range: [0, 2]}
    update: |
      b = b * k
      c = min(c + inc, 2)
      d = a * d
populations: {q: {size: 2, neuron: m}}
protocol:
  - set: {q.k: 0.9}
  - run: 1 ms
  - repeat: 2
    do: [{set: {q.k: 0.99999, q.inc: 0.000001}}, {run: 2 ms}]
  - if: 1 > 2
    then: [{set: {q.tau: 3 s}}]
    else: [{set: {q.tau: 2 s}}]
"""


def test_what_the_protocol_sets_is_told_as_first_values_are(tmp_path: Path) -> None:
    path = tmp_path / "set.yaml"
    path.write_text(SET)
    result = call("check", path, "--strict")
    assert result.exit_code == 2
    both = ", once the protocol has set q.k, q.inc"
    assert [line.removeprefix(f"error: {path}:") for line in result.stderr.splitlines()[:-1]] == [
        f"20:15: chip generic8: q.inc is 1e-06, held in steps of 1.19e-07 and 4.6 % off; narrow its range{both}",
        f"17:7: chip generic8: q.b stops decaying 3.05 from its rest, 3.05 times the 1 that it can go{both}",
        f"18:7: chip generic8: q.c the increment 1e-06 is lost in steps of 6.1e-05{both}",
        "19:7: chip generic8: q.d stops decaying 0.0916 from its rest, 9.2 % of the 1 that it can go, "
        "once the protocol has set q.tau",
        "19:7: chip generic8: q.d stops decaying 0.061 from its rest, 6.1 % of the 1 that it can go, "
        "once the protocol has set q.tau",
    ]


def test_the_table_of_a_report_is_of_the_first_values(tmp_path: Path) -> None:
    path = tmp_path / "set.yaml"
    path.write_text(SET)
    rows = [line.split() for line in call("compile", path, "--emit", "report").stdout.splitlines()]
    (row,) = [row for row in rows if row[:1] == ["q.d"] and row[1].startswith("Q")]
    assert row[-4] == "5"


@pytest.mark.parametrize(
    ("update", "sent", "said"),
    [
        ("v = 0.000001 * x", "w", "every value that it is given, at most 1e-06, becomes 0 in steps of "),
        ("v = 1e-9 * uniform()", "w", "every value that it is given, at most 1e-09, becomes 0 in steps of "),
        ("v = x", "1e-9 * w", "every value that 'p' sends to it, at most 5e-10, becomes 0 in steps of "),
        ("v = x", "1e-9 * w * uniform()", "every value that 'p' sends to it, at most 5e-10, becomes 0 in steps of "),
        ("v = x", "w", ""),
        ("v = 0.3 * uniform()", "w", ""),
        ("v = 0 * x", "0 * w", ""),
    ],
)
def test_values_that_are_always_rounded_to_nothing_are_told(update: str, sent: str, said: str) -> None:
    network = neuroport.loads(LOST.replace("UPDATE", update).replace("SENT", sent))
    chosen, _ = specimen(network, "generic8")
    program = lower(network, chosen, None)
    told = [line.text.rpartition("of ")[0] + "of " for line in program.notices if "every value" in line.text]
    assert told == ([said] if said else [])
