"""Copies with parameters of their own: each has the bits of a network whose file gives it these values."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport import backends
from neuroport.api.copies import run_copies
from neuroport.api.resume import resume
from neuroport.api.run import Run
from neuroport.chips import description as chips
from neuroport.chips.chip import Limits
from neuroport.cli import main
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.session.exchange import Write
from neuroport.trace.learned import with_learned
from neuroport.trace.read import open_trace
from tests.support import random_files
from tests.support.executors import needs_genn

COPIES = 3


def changed(network: Network, changes: Mapping[str, Any]) -> Network:
    return neuroport.Network.of(network).with_(changes).build()


def sweep(seed: int, chip: str | None) -> tuple[Network, dict[str, list[Any]]]:
    """A random network, and values of some of its parameters, one for each copy."""
    draw = random.Random(seed)
    network = reader.loads(random_files.network(seed), f"random{seed}.yaml")
    network = changed(network, {"chip": chip}) if chip else network
    owners = [(p.name, p.neuron) for p in network.populations] + [(p.name, p.synapse) for p in network.projections]
    known = [(owner, p) for owner, model in owners for p in model.parameters if p.range is not None]
    chosen = draw.sample(known, min(4, len(known)))
    values = {f"{owner}.{p.name}": [_drawn(draw, p) for _ in range(COPIES)] for owner, p in chosen}
    return network, values


def _drawn(draw: random.Random, parameter: Any) -> Any:
    low, high = parameter.range
    if parameter.type == "int":
        return draw.randint(int(low), int(high))
    number = round(low + draw.random() * (min(high, 200) - low), 3)
    return f"{number} {parameter.unit}" if parameter.unit else number


def outcome(run: Run) -> tuple[Any, ...]:
    return run.digest, run.spikes, run.metrics, run.overflows, run.seed


def agree(seed: int, backend: str) -> None:
    """On an ideal chip against plain files; on the network's own against copies of which there is one."""
    network, values = sweep(seed, "ideal")
    found = run_copies(network, range(COPIES), backend, params=values)
    for k, run in enumerate(found):
        alone = changed(network, {name: of[k] for name, of in values.items()})
        assert outcome(run) == outcome(neuroport.run(alone, backend, seed=k)), (seed, k)
    network, values = sweep(seed, None)
    deviating = "mismatch" in network.chip
    found = run_copies(network, range(COPIES), backend, params=values, chip_seeds=range(COPIES) if deviating else None)
    for k, run in enumerate(found):
        own = {name: of[k : k + 1] for name, of in values.items()}
        (alone_run,) = run_copies(network, k, backend, params=own, chip_seeds=[k] if deviating else None)
        assert outcome(run) == outcome(alone_run), (seed, k)


@pytest.mark.parametrize("seed", range(4))
def test_a_copy_has_the_bits_of_a_network_whose_file_gives_it_these_values(seed: int) -> None:
    agree(seed, "reference")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4, 40))
def test_a_copy_has_these_bits_of_many_networks(seed: int) -> None:
    agree(seed, "reference")


@pytest.mark.dear
@pytest.mark.parametrize("seed", range(2))
def test_a_copy_has_these_bits_on_the_emulator(seed: int) -> None:
    agree(seed, "emulator")


@pytest.mark.slow
@needs_genn
def test_a_copy_has_these_bits_on_genn() -> None:
    network, values = sweep(1, None)
    deviating = range(COPIES) if "mismatch" in network.chip else None
    expected = run_copies(network, 5, "reference", params=values, chip_seeds=deviating)
    found = run_copies(network, 5, "genn", params=values, chip_seeds=deviating)
    assert [outcome(run) for run in found] == [outcome(run) for run in expected]


BATCH = """
neuroport: 1
name: batch
dt: 1 ms
seed: 4
copies:
  params:
    a.noise: [0.1, 0.2, 0.3]
    b.gain: [0.5, 1, 1.5]
    b.tau: [5 ms, 10 ms, 20 ms]
    up.lr: [0.01, 0.02, 0.04]
neurons:
  noisy:
    params:
      noise: {default: 1, range: [0, 1]}
      gain: {default: 1, range: [0, 2], kind: gain}
      tau: {default: 10 ms, unit: ms, range: [1, 100]}
      level: {default: 0, range: [-1, 1]}
    derived: {half: gain / 2, k: exp(-dt / tau), push: level * gain}
    inputs: {i: {range: [-8, 8]}}
    state: {r: {init: 0, range: [-4, 4]}, all: {init: 0, range: [-8, 8]}}
    update: r = k * r + (1 - k) * (gain * i / 2 + half * r / 3 + push) + NOISE
    on_event: {each_step: all = sum_population(half * r) + push}
synapses:
  gradient:
    params: {lr: {default: 0.01, range: [0, 0.1], dynamic: true, kind: amplitude}}
    state:
      w: {weight: true, init: 1, range: [-2, 2], over_copies: shared}
      g: {range: [-1, 1], over_copies: shared}
      e: {init: 0.5, range: [-4, 4]}
    step: |
      g = sum_copies(lr * post.r * pre.r)
      e = e + lr * (pre.r - e)
      send(target, w * pre.r + lr * e)
    on_event:
      each_step: w = w + RATE * (g / copies + mean_copies(lr * e))
      learn: e = e + lr
populations:
  a: {size: 3, neuron: noisy}
  b: {size: 2, neuron: noisy, params: {level: [0.25, -0.75]}}
projections:
  up: {source: a, target: b, synapse: gradient, connect: all_to_all, weight: 0.5}
stimuli:
  bump: {series: {values: [0.5, -0.25, 0.125], every: 7 ms, loop: true}, population: a, input: i}
protocol:
  - run: 20 steps
  - event: learn
  - run: 5 steps
  - set: {up.lr: 0.05}
  - run: 15 steps
metrics: {w: {mean: up.w}, e: {mean: up.e}}
"""


def batch(noise: str = "noise * normal()", rate: float = 0.1, chip: str = "ideal") -> Network:
    return changed(reader.loads(BATCH.replace("NOISE", noise).replace("RATE", str(rate)), "batch.yaml"), {"chip": chip})


@pytest.mark.parametrize(("chip", "chip_seed"), [("ideal", None), ("generic16", None), ("generic8_mismatch10_all", 3)])
def test_copies_of_a_batch_have_the_bits_of_runs_of_their_own(chip: str, chip_seed: int | None) -> None:
    """Where nothing is learned in common and nothing is drawn, what each has is what it has alone."""
    network = batch("0.125 * noise", 0, chip)
    with neuroport.open(network, "reference", chip_seed=chip_seed) as session:
        session.run_protocol()
        found = {name: session.get(name) for name in ("a.r", "b.r", "a.all", "b.all", "up.e")}
    for k in range(COPIES):
        params = {name: _of_copy(value, k) for name, value in network.own_parameters}
        alone = changed(network, {"copies": {"count": 1, "params": params}})
        with neuroport.open(alone, "reference", chip_seed=chip_seed) as session:
            session.run_protocol()
            for name, values in found.items():
                np.testing.assert_array_equal(values[..., k], session.get(name).reshape(len(values)), name)


def test_a_session_gives_each_copy_a_value_from_which_circuits_deviate() -> None:
    with neuroport.open(batch(), "reference", chip="generic8_mismatch10", chip_seed=3) as session:
        values = session.executor.read("up.lr")
        assert values.shape == (6, 3)
        session.set("up.lr", [0.08, 0.02, 0.01])
        np.testing.assert_allclose(session.executor.read("up.lr") / values, np.tile([8, 1, 0.25], (6, 1)), rtol=0.01)


def _of_copy(value: Any, k: int) -> list[Any]:
    number = value.values.array[k].item()
    return [f"{number} {value.unit}" if value.unit else number]


@pytest.mark.parametrize("chip", ["ideal", "generic16"])
@pytest.mark.parametrize("backend", [pytest.param("emulator"), pytest.param("genn", marks=pytest.mark.dear)])
def test_executors_agree_on_a_batch_with_own_parameters(backend: str, chip: str) -> None:
    if missing := backends.load(backend).missing():
        pytest.skip(missing)
    expected = outcome(neuroport.run(batch(chip=chip), "reference"))
    assert outcome(neuroport.run(batch(chip=chip), backend)) == expected


def test_a_session_gives_each_copy_a_value() -> None:
    with neuroport.open(batch(), "reference") as session:
        session.run(3)
        assert session.get("up.lr").tolist() == [0.01, 0.02, 0.04]
        assert session.get("b.gain").tolist() == [0.5, 1, 1.5]
        session.set("up.lr", [0.03, 0.02, 0.01])
        assert session.get("up.lr").tolist() == [0.03, 0.02, 0.01]
        kept = session.checkpoint()
        session.run(5)
        digest, settings = session.digest(), session.settings()
        assert settings["up.lr"].tolist() == [0.03, 0.02, 0.01]
    with neuroport.open(batch(), "reference") as again:
        again.restore(kept)
        assert again.get("up.lr").tolist() == [0.03, 0.02, 0.01]
        again.run(5)
        assert (again.digest(), again.settings()["up.lr"].tolist()) == (digest, [0.03, 0.02, 0.01])
        again.set("up.lr", 0.05)
        assert again.get("up.lr").tolist() == [0.05] * 3


def test_what_follows_is_computed_for_each_copy() -> None:
    with neuroport.open(batch(), "reference") as session:
        session.set("b.tau", [2, 4, 8])
        found = session.executor.read("b.k")
        np.testing.assert_allclose(found, np.exp(-1 / np.array([2, 4, 8])), rtol=1e-12)
        session.set("b.gain", [0.25, 0.5, 2])
        push = session.executor.read("b.push")
        np.testing.assert_array_equal(push, np.outer([0.25, -0.75], [0.25, 0.5, 2]))


SWEEP = """\
neuroport: 1
name: sweep
dt: 1 ms
COPIES
neurons:
  leaky:
    params:
      tau: {default: 10 ms, unit: ms, range: [1, 100]}
      held: {default: 3 steps, unit: step, type: int, range: [1, 9]}
      free: {default: 0.5}
    inputs: {i: {range: [-8, 8]}}
    state: {v: {init: 0, range: [-4, 4]}, n: {type: int, init: 0, range: [0, 9]}}
    update: |
      n = n + 1 if n < held else 0
      v = v * exp(-dt / tau) + free * normal() + 1 / (free - 0.75)
populations:
  a: {size: 2, neuron: leaky}
  b: {size: 1, neuron: leaky}
protocol: [{run: 4000 steps}]
metrics: {v: {mean: a.v}}
record: {states: {a.v: 100 steps}}
"""


def swept(copies: str, *sets: str) -> Network:
    return reader.loads(SWEEP.replace("COPIES", f"copies: {copies}"), "sweep.yaml", sets=sets)


def refusal(call: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        call()
    return str(caught.value)


COUNTED = "copies lacks 'count', and no list of values says how many copies there are; add 'count: N'"


@pytest.mark.parametrize(
    ("copies", "text"),
    [
        ("{params: {a.tau: {uniform: [5 ms, 9 ms]}}}", f"4:9: {COUNTED}"),
        ("{params: {a.tau: []}}", f"4:9: {COUNTED}"),
        ("{}", f"4:9: {COUNTED}"),
        ("{count: 0, params: {a.tau: [5 ms]}}", "4:17: count of copies must be at least 1; found 0"),
        (
            "{count: 2, parameters: {}}",
            "4:20: unknown key 'parameters' in copies; did you mean 'params'? allowed are count, params",
        ),
        (
            "{count: 2, params: [5 ms]}",
            "4:28: params of copies must be a mapping from OBJECT.PARAMETER to values; found a list",
        ),
        (
            "{count: 3, params: {a.tau: [5 ms, 6 ms]}}",
            "4:36: parameter 'tau' of population 'a' in each copy has the shape (2,); it must be (3,): one value for "
            "each copy",
        ),
        (
            "{params: {a.tau: [5 ms, 6 ms], b.tau: [1 ms]}}",
            "4:47: parameter 'tau' of population 'b' in each copy has the shape (1,); it must be (2,): one value for "
            "each copy",
        ),
        (
            "{params: {a.tau: 5 ms}}",
            "4:26: parameter 'tau' of population 'a' in each copy must be a list with one value for each copy, or a "
            "distribution; found the text '5 ms'; what all copies have alike stands at the population 'a'",
        ),
        (
            "{params: {a.tau: [5, 6]}}",
            "4:26: parameter 'tau' of population 'a' in each copy needs a unit; found an array without one; write it "
            "with its unit, such as '5 ms'",
        ),
        (
            "{params: {a.tau: [5 ms, '6']}}",
            "4:33: a value of parameter 'tau' of population 'a' in each copy must be a number; found the text '6'; "
            "write it without quotes",
        ),
        (
            "{params: {a.tau: [5 ms, 500 ms]}}",
            "4:26: parameter 'tau' of population 'a' in each copy must be from 1 to 100 ms; found 500 ms at [1]",
        ),
        (
            "{params: {a.held: [2 ms, 2.5 ms]}}",
            "4:27: parameter 'held' of population 'a' in each copy must be a whole number of steps; found 2.5 ms "
            "at [1]",
        ),
        (
            "{params: {a.tua: [5 ms]}}",
            "4:19: params of copies: population 'a' has no parameter 'tua'; did you mean 'a.tau'? allowed are a.tau, "
            "a.held, a.free",
        ),
        (
            "{params: {c.tau: [5 ms]}}",
            "4:19: unknown population or projection 'c'; allowed are a, b",
        ),
        (
            "{params: {a.tau: {same_as: b.v}, b.tau: [1 ms]}}",
            "4:26: parameter 'tau' of population 'a' in each copy must be a number, a list or one of these forms: "
            "uniform, normal, lognormal, beta, array, file, data, from; found a mapping with 'same_as'",
        ),
    ],
)
def test_values_of_copies_that_cannot_be_are_refused_with_place_and_remedy(copies: str, text: str) -> None:
    assert refusal(lambda: swept(copies)) == f"sweep.yaml:{text}"


def test_another_number_of_copies_than_values_is_refused() -> None:
    network = swept("{params: {a.tau: [5 ms, 6 ms]}}")
    expected = (
        "sweep.yaml:4:26: copies have 2 values of a.tau, and 3 copies are asked for; ask for as many copies as there "
        "are values, or list as many values as copies"
    )
    assert refusal(lambda: run_copies(network, range(3), "reference")) == expected


def test_a_chip_of_integers_needs_a_range() -> None:
    network = swept("{params: {a.free: [0.5, 0.6]}}")
    assert refusal(lambda: neuroport.compile(network, "generic16")) == (
        "sweep.yaml:4:27: each copy has its own a.free, and what number format chip 'generic16' gives all of them "
        "follows from a range that is not declared; add it with `ranges: {free: [LOW, HIGH]}` at 'a'"
    )
    assert len(run_copies(network, 1, "reference", duration=3)) == 2


def test_a_value_from_which_no_number_follows_is_refused_with_its_copy() -> None:
    network = swept("{params: {a.free: [0.5, 0.75, 0.6, 0.75]}}")
    lines = refusal(lambda: neuroport.compile(network)).splitlines()
    for k, line in zip((1, 3), lines, strict=True):
        assert line.startswith(f"copy {k}: ") and line.endswith("when a.free = 0.75; choose another value"), line


def test_what_is_computed_once_for_all_copies_sums_over_a_parameter_of_their_own() -> None:
    wrong = BATCH.replace("RATE * (g / copies", "lr * (g / copies").replace("NOISE", "0")
    text = refusal(lambda: neuroport.compile(reader.loads(wrong, "batch.yaml")))
    assert text.startswith("batch.yaml:36:26: every copy has a 'lr' of its own, and this block is computed once"), text
    assert text.endswith("write sum_copies(lr) or mean_copies(lr)")


def test_a_port_writes_each_copy_its_value() -> None:
    text = BATCH.replace("NOISE", "noise").replace("RATE", "0.1")
    network = reader.loads(f"{text}ports: {{rate: {{write: up.lr}}, seen: {{read: up.lr}}}}\n", "batch.yaml")
    with neuroport.open(network, "reference") as session:
        taken = session.exchange({"rate": [0.01, 0.05, 0.1]}, steps=2, outputs=["seen"]).outputs["seen"]
        assert taken[1].tolist() == [[0.01, 0.05, 0.1]]
        session.exchange([Write("rate", [0.02, 0.03, 0.04], at=4)], steps=1)
        kept = session.checkpoint()
        session.run(3)
        assert session.get("up.lr").tolist() == [0.02, 0.03, 0.04]
        digest = session.digest()
    with neuroport.open(network, "reference") as again:
        again.restore(kept)
        again.run(3)
        assert (again.get("up.lr").tolist(), again.digest()) == ([0.02, 0.03, 0.04], digest)


def test_a_session_takes_as_many_values_as_there_are_copies() -> None:
    with neuroport.open(batch(), "reference") as session:
        assert refusal(lambda: session.set("up.lr", [0.1, 0.2])) == (
            "'up.lr' is switched with one value for all or with one for each of 3 copies, and 2 were given; give one "
            "number or 3"
        )
    plain = changed(batch(), {"copies": 3})
    with neuroport.open(plain, "reference") as session:
        assert refusal(lambda: session.set("up.lr", [0.1, 0.2, 0.3])) == (
            "'up.lr' is switched with one value for all, and 3 were given; give one number, or say in the network file "
            "that each copy has its own: copies: {params: {up.lr: […]}}"
        )


def test_changes_on_the_command_line_reach_the_values() -> None:
    listed = swept("{params: {a.tau: [5 ms, 6 ms], b.held: [1 step, 2 steps]}}")
    assert swept("2", "copies.params.a.tau=[5 ms, 6 ms]", "copies.params.b.held=[1 step, 2 steps]") == listed
    assert swept("{count: 3}", "copies.count=2").copies == 2
    drawn = swept("{count: 20, params: {a.tau: {uniform: [5 ms, 9 ms]}}}")
    taus = [run.own_parameters["a.tau"][0] for run in run_copies(drawn, 1, "reference", duration=1)]
    assert len(set(taus)) == 20 and min(taus) >= 5 and max(taus) <= 9
    assert [run.own_parameters["a.tau"][0] for run in run_copies(drawn, 1, "reference", duration=1)] == taus


@pytest.mark.parametrize(
    "copies", ["{params: {a.tau: [5 ms, 6 ms]}}", "{count: 2, params: {a.tau: {uniform: [5 ms, 9 ms]}}}"]
)
def test_a_network_with_own_parameters_is_written_as_it_was_read(copies: str) -> None:
    network = swept(copies)
    assert reader.loads(neuroport.Network.of(network).to_yaml(), "again.yaml") == network


def test_traces_tell_the_values_and_a_stopped_copy_goes_on_as_itself(tmp_path: Path) -> None:
    network = swept("{params: {a.tau: [5 ms, 50 ms], b.held: [2 steps, 7 steps]}}")
    whole = run_copies(network, [3, 4], "reference")

    def interrupt(done: int, _: int) -> None:
        if done > 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_copies(network, [3, 4], "reference", trace=tmp_path / "o.h5", progress=interrupt)
    for k in range(2):
        path = tmp_path / f"o.copy{k}.h5"
        again = resume(path)
        assert (again.digest, again.own_parameters) == (whole[k].digest, whole[k].own_parameters)
        trace = open_trace(path)
        assert (trace.copy, {name: of.tolist() for name, of in trace.own_parameters.items()}) == (
            k,
            again.own_parameters,
        )
    assert whole[1].own_parameters == {"a.tau": [50.0], "b.held": [7]}
    neuroport.run(batch(), "reference", trace=tmp_path / "batch.h5")
    assert open_trace(tmp_path / "batch.h5").own_parameters["b.tau"].tolist() == [5, 10, 20]


def test_what_was_learned_goes_into_the_network_of_that_copy(tmp_path: Path) -> None:
    network = swept("{params: {a.tau: [5 ms, 50 ms], b.held: [2 steps, 7 steps]}}")
    whole = run_copies(network, [3, 4], "reference", trace=tmp_path / "o.h5")
    again = with_learned(open_trace(tmp_path / "o.copy1.h5").network(), open_trace(tmp_path / "o.copy1.h5"))
    assert neuroport.run(again, "reference", seed=4).digest == whole[1].digest
    neuroport.run(batch(), "reference", trace=tmp_path / "batch.h5")
    learned = with_learned(batch(), open_trace(tmp_path / "batch.h5"))
    with neuroport.open(learned, "reference") as session:
        assert session.get("up.lr").tolist() == [0.05] * 3
        assert session.get("b.gain").tolist() == [0.5, 1, 1.5]
        assert session.get("up.w")[0] == open_trace(tmp_path / "batch.h5").weights("up").values[0]


def test_a_chip_tells_what_it_loses_of_the_values_of_any_copy() -> None:
    network = swept("{params: {a.free: [0.5, 0.0000001]}}")
    network = changed(network, {"a.ranges": {"free": [0, 0.5]}})
    lines = [line.text for line in neuroport.compile(network, "generic8").notices if line.subject == "a.free"]
    assert lines == ["is 1e-07, held in steps of 5.96e-08 and 19 % off; narrow its range, in copy 1"]


def test_a_stopped_copy_goes_on_from_the_command_line_as_one_run(tmp_path: Path) -> None:
    network, path = swept("{params: {a.tau: [5 ms, 50 ms]}}"), tmp_path / "o.copy1.h5"
    whole = run_copies(network, [3, 4], "reference")

    def interrupt(done: int, _: int) -> None:
        if done > 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_copies(network, [3, 4], "reference", trace=tmp_path / "o.h5", progress=interrupt)
    done = CliRunner().invoke(main, ["run", "--resume", str(path), "--json", "-q"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["digest"], told["own_parameters"]) == (whole[1].digest, {"a.tau": [50.0]})


def test_chances_above_one_and_limits_of_a_chip_are_told_of_any_copy() -> None:
    text = """
    neuroport: 1
    name: chances
    dt: 2 ms
    copies: {params: {a.rate: [10 Hz, 20 Hz, 1000 Hz, 30 Hz], b.refractory: [5 steps, 6 steps, 7 steps, 90 steps]}}
    neurons:
      resting:
        params: {refractory: {default: 5 steps, unit: step, type: int, range: [1, 99]}}
        state: {n: {type: int, init: 0, range: [0, 99]}}
        update: n = n + 1 if n < refractory else 0
    populations:
      a: {size: 2, neuron: poisson}
      b: {size: 1, neuron: resting}
    """
    program = neuroport.compile(reader.loads(text, "chances.yaml"))
    (line,) = [line for line in program.notices if line.topic == "chance"]
    assert line.text.startswith("would spike 2 times in a step of 2 ms, and once is the most")
    chip = replace(chips.load("generic8"), limits=Limits(max_refractory=64))
    assert refusal(lambda: neuroport.compile(reader.loads(text, "chances.yaml"), chip)).endswith(
        "b.refractory is 90 steps; chip 'generic8' allows at most 64. Shorten it or use a longer dt"
    )


def test_a_calibration_gives_ranges_that_hold_what_any_copy_has(tmp_path: Path) -> None:
    text = SWEEP.replace("COPIES", "copies: {params: {a.free: [0.1, 0.9]}}").replace(
        "range: [-4, 4]}, n", "init: 0}, n"
    )
    path = tmp_path / "sweep.yaml"
    path.write_text(text.replace("{init: 0, init: 0}", "{init: 0}"), "utf-8")
    network = reader.load(path)
    found = neuroport.calibrate(path, duration=200, backend="reference")
    runs = run_copies(network, range(1, 3), "reference", duration=200)
    assert found.digests == tuple(run.digest for run in runs)
    (row,) = [row for row in found.arrays if row.array == "a.v"]
    lows, highs = zip(*(extremes(path, k, value) for k, value in enumerate((0.1, 0.9))), strict=True)
    assert (row.lowest, row.highest) == (min(lows), max(highs))


def extremes(path: Path, k: int, value: float) -> tuple[float, float]:
    """The least and the largest of a.v in copy k alone."""
    with neuroport.open(reader.load(path, ["copies=1", f"a.free={value}"]), "reference", seed=1 + k) as session:
        seen = [session.get("a.v")]
        for _ in range(200):
            session.run(1)
            seen.append(session.get("a.v"))
    return float(np.min(seen)), float(np.max(seen))
