"""A network exported from a trace, run on the same specimen, holds at its start what the run held at its end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.api import run as api
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip, Deviation
from neuroport.cli import main
from neuroport.program.constants import real
from neuroport.program.ir import Int
from neuroport.program.machine import Program
from neuroport.session.session import Session
from neuroport.trace.read import Trace, open_trace

NET = """
neuroport: 1
name: n
dt: 1 ms
chip: generic16
neurons:
  cell:
    params:
      th: {default: 1.5, range: [0, 4], kind: threshold}
      tau: {default: 0.02 s, unit: s, range: [0.001, 1], kind: time}
      each: {default: {uniform: [0.5, 2]}, range: [0, 4], kind: bias}
      gain: {default: 1.5, range: [0, 4], kind: gain, dynamic: true}
      cut: {default: 0.3 s, unit: s, range: [0.001, 1], kind: time, dynamic: true}
      plain: {default: 0.25, range: [0, 1], dynamic: true}
      rest: {type: int, default: 5 steps, unit: step, range: [0, 10], kind: duration}
      many: {type: int, default: 3, range: [0, 10], kind: duration, dynamic: true}
    derived: {decay: exp(-dt / tau), twice: 2 * gain}
    inputs: {i: {range: [-8, 8]}}
    state:
      v: {init: 0, range: [-64, 64]}
      n: {type: int, init: 5, range: [0, 9]}
      b: {init: 0.75, range: [0, 1], class: plastic, kind: bias}
      k: {init: 0.1 s, unit: s, range: [0, 1], class: plastic}
    update: |
      v = v * decay + i + twice + each * plain + b * dt / cut + (1 if n > rest or n > many else 0)
      b = b + 0.001
      k = k + 0.3
    spike: v > th
synapses:
  learning:
    params: {eta: {default: 0.01, kind: amplitude, dynamic: true, range: [0, 1]}}
    state:
      w: {weight: true, init: 0.5, range: [0, 1], kind: weight}
      m: {init: 0, range: [0, 1], class: plastic}
    on_pre: |
      send(target, w)
      w = w + eta * (1 - w)
      m = m + 0.01
populations:
  a: {size: 5, neuron: cell}
  b: {size: 4, neuron: cell}
projections:
  all: {source: a, target: b, input: i, synapse: static, connect: all_to_all, weight: 3}
  drawn: {source: a, target: b, input: i, synapse: static, connect: {fixed_probability: 0.5}, weight: {uniform: [1, 2]}}
  given: {source: a, target: b, input: i, synapse: static, connect: {pairs: [[4, 1], [0, 2]]}, weight: [1, 2]}
  hand: {source: a, target: b, input: i, synapse: static, connect: all_to_all, weight: {uniform: [0.5, 3.5]}}
  up: {source: a, target: b, input: i, synapse: learning, connect: {fixed_in_degree: 3}, weight: {uniform: [0.1, 0.6]}}
  exact: {source: a, target: b, input: i, synapse: learning, connect: all_to_all, mismatch: false}
metrics: {rate: {rate: a}}
protocol:
  - run: 3 ms
  - set: {a.gain: 2.7, "*.cut": 123.4 ms, up.eta: 0.3, a.plain: 0.7, b.many: 4}
  - run: 3 ms
"""

KINDS = {
    kind: Deviation(sigma=0.15)
    for kind in ("threshold", "time", "bias", "gain", "amplitude", "weight")
} | {"duration": Deviation(steps=2)}  # fmt: skip


def specimen(arithmetic: str, seed: int | None) -> tuple[Chip, int | None]:
    return replace(chips.load(arithmetic), mismatch=() if seed == -1 else tuple(KINDS.items())), (
        None if seed == -1 else seed
    )


def net(tmp_path: Path) -> Path:
    (tmp_path / "n.yaml").write_text(NET)
    return tmp_path / "n.yaml"


def nothing(session: Session) -> None:
    pass


def by_hand(session: Session) -> None:
    session.set("hand.w", np.linspace(0.5, 3, 20))
    session.set("all.w", 2.3)
    session.set("b.gain", 0.123)
    session.run(2)
    session.set("a.many", 6)


def held(program: Program) -> list[str]:
    """The arrays whose values a network file says: all but those that a run moves from step to step."""
    arrays = program.arrays.values()
    kept = [a.name for a in arrays if a.role in ("parameter", "weight", "visible") or a.kind_class == "plastic"]
    return [name for name in kept if not name.startswith("$run.")]


@dataclass(frozen=True)
class Held:
    """What an array held at the end of a run, in real units, and how coarse the format was that it had there."""

    values: np.ndarray
    unit: float


def run(tmp_path: Path, chip: Chip, seed: int | None, then: Callable[[Session], None]) -> dict[str, Held]:
    """What a run held at its end; its trace is t.h5."""
    network = neuroport.load(net(tmp_path))
    with api.open(network, "reference", chip, seed, trace=tmp_path / "t.h5") as session:
        session.run_protocol()
        then(session)
        program, found = session.program, dict[str, Held]()
        for name in held(program):
            array = program.arrays[name]
            # what was set has the format of what the network began with, and in the next run one that fits it
            free = program.integer and (array.dynamic or name in session.settings())
            # a visible weight that is rounded at random is drawn again
            free = free or (array.role == "visible" and array.rounding == "stochastic")
            unit = math.ldexp(1, -array.type.frac) if free and isinstance(array.type, Int) else 0.0
            found[name] = Held(real(session.executor.read(name), array), unit)
        return found


def exported(tmp_path: Path) -> Path:
    out = tmp_path / "learned.yaml"
    done = CliRunner().invoke(main, ["export", str(tmp_path / "t.h5"), "-o", str(out)])
    assert done.exit_code == 0, done.output
    return out


@pytest.mark.parametrize("then", [nothing, by_hand])
@pytest.mark.parametrize("seed", [-1, None, 0, 3])
@pytest.mark.parametrize("arithmetic", ["ideal", "ideal32", "generic16", "generic8", "generic8_stochastic"])
def test_an_exported_network_starts_with_what_the_run_ended_with(
    tmp_path: Path, arithmetic: str, seed: int | None, then: Callable[[Session], None]
) -> None:
    chip, chip_seed = specimen(arithmetic, seed)
    ended = run(tmp_path, chip, chip_seed, then)
    program = neuroport.compile(neuroport.load(exported(tmp_path)), chip, chip_seed)
    assert sorted(held(program)) == sorted(ended)
    for name, end in ended.items():
        array = program.arrays[name]
        start = real(array.initial, array)
        if program.precision == "float32" and not array.wide:
            start = start.astype(np.float32)
        assert np.abs(start - end.values).max() <= end.unit, name


def test_what_nothing_changed_stays_as_the_network_says_it(tmp_path: Path) -> None:
    run(tmp_path, *specimen("ideal", 3), nothing)
    before, after = neuroport.load(net(tmp_path)), neuroport.load(exported(tmp_path))
    for name in ("all", "drawn", "given", "hand"):
        assert after.projection(name).weight == before.projection(name).weight
    settings = {name: str(value) for name, value in dict(after.population("a").parameters).items()}
    assert set(settings) == {"gain", "cut", "plain"}


def test_weights_that_deviate_do_not_deviate_twice(tmp_path: Path) -> None:
    """The case in which it was found: one static projection of weight 3."""
    path = tmp_path / "one.yaml"
    path.write_text(
        "neuroport: 1\nname: n\ndt: 1 ms\nchip: ideal\npopulations:\n  a: {size: 4, neuron: spike_source}\n"
        "  b: {size: 4, neuron: lif}\nprojections:\n"
        "  p: {source: a, target: b, input: jump, synapse: static, connect: one_to_one, weight: 3}\n"
        "protocol: [run: 2 ms]\n"
    )
    specimen = ("--mismatch", "weight=10%", "--chip-seed", "3", "-q", "--backend", "reference")
    found = []
    for k, source in enumerate((path, tmp_path / "again.yaml")):
        trace = tmp_path / f"{k}.h5"
        assert CliRunner().invoke(main, ["run", str(source), *specimen, "-o", str(trace)]).exit_code == 0
        found.append(open_trace(trace).final_array("p.w").values.tolist())
        CliRunner().invoke(main, ["export", str(trace), "-o", str(tmp_path / "again.yaml")])
    assert found[0] == found[1]
    assert len(set(found[0])) == 4


# ------------------------------------------------------------------------------------------- runs that were cut off

CUT = """
neuroport: 1
name: n
dt: 1 ms
chip: ideal
neurons:
  cell:
    params: {gain: {default: 1, range: [0, 4], dynamic: true}}
    state: {b: {init: 0, range: [0, 100], class: plastic}, c: {init: 0, range: [0, 100], class: plastic}}
    update: |
      b = b + gain
      c = c + 1
populations: {a: {size: 2, neuron: cell}}
protocol:
  - run: 4 ms
  - set: {a.gain: 2}
  - run: 5 ms
record: RECORD
"""


def cut(tmp_path: Path, record: str, kill: bool = False) -> Trace:
    """The trace of a run that an error ended after 9 steps, or that was killed there."""
    (tmp_path / "cut.yaml").write_text(CUT.replace("RECORD", record))
    session = api.open(neuroport.load(tmp_path / "cut.yaml"), "reference", trace=tmp_path / "cut.h5")
    session.run_protocol()
    if kill:
        session._sink.flush()
        session._sink.parts.release()
        assert CliRunner().invoke(main, ["show", f"{tmp_path / 'cut.h5'}.part"]).exit_code == 0
    else:
        with pytest.raises(RuntimeError), session:
            raise RuntimeError
    return open_trace(tmp_path / "cut.h5")


def export(tmp_path: Path) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["export", str(tmp_path / "cut.h5"), "-o", str(tmp_path / "o.yaml"), "--overwrite"])
    return done.exit_code, done.stderr


def test_a_run_that_was_cut_off_is_not_mixed_with_its_start(tmp_path: Path) -> None:
    assert not cut(tmp_path, "{states: {a.b: 1 ms}}").complete
    code, text = export(tmp_path)
    assert code == 2
    assert text == (
        f"error: {tmp_path / 'cut.h5'}: is of a run that was cut off, and does not hold what 'a.c' came to; with the "
        "values of the start beside learned ones the network would be one that never was. Let a run end, or record "
        "these in one (record: states, weights)\n"
    )
    assert not (tmp_path / "o.yaml").exists()


def test_the_steps_of_values_from_a_run_that_was_cut_off_are_told(tmp_path: Path) -> None:
    cut(tmp_path, "{states: {a.b: 2 ms, a.c: 3 ms}}")
    code, text = export(tmp_path)
    assert (code, text) == (
        0,
        f"note: '{tmp_path / 'cut.h5'}' is incomplete: the run was cut off after step 8\n"
        "note: the run was cut off; 'a.b' is as it was after step 7\n"
        "note: the run was cut off; 'a.c' is as it was after step 8\n",
    )
    arrays = neuroport.compile(neuroport.load(tmp_path / "o.yaml")).arrays
    assert arrays["a.b"].initial.tolist() == [12, 12] and arrays["a.c"].initial.tolist() == [9, 9]
    assert arrays["a.gain"].initial.tolist() == 2


def test_what_a_killed_run_had_switched_is_not_known(tmp_path: Path) -> None:
    cut(tmp_path, "{states: {a.b: 2 ms, a.c: 3 ms}}", kill=True)
    code, text = export(tmp_path)
    assert code == 2 and "does not hold what 'a.gain' came to" in text and "record" not in text
