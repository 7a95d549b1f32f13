"""What the time of a run was spent on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner, Result

import neuroport
from neuroport.api.profile import profiled
from neuroport.backends.emulator import Emulator
from neuroport.cli import main
from neuroport.program.executor import TimedExecutor

SHORT = ("--for", "2000 steps")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


@pytest.mark.dear
def test_a_run_that_is_timed_is_the_same_run() -> None:
    network = neuroport.load("sal_sampling")
    profile = profiled(network, duration=2000)
    plain = neuroport.run(network, duration=2000)
    assert profile.run.digest == plain.digest and profile.run.spikes == plain.spikes
    parts = {(part.what, part.of): part for part in profile.parts}
    assert set(parts) == {
        ("every step", "recurrent"),
        ("arriving spikes", "recurrent"),
        ("postsynaptic spikes", "recurrent"),
        ("neurons", "units"),
        ("spikes", "units"),
        ("readouts", "units"),
    }
    size, synapses, spikes = 7, 42, plain.spikes["units"]
    assert parts["neurons", "units"].units == 2000 * size
    assert parts["every step", "recurrent"].units == 2000 * synapses
    assert parts["arriving spikes", "recurrent"].units == spikes * (synapses / size)
    assert parts["readouts", "units"].units == 2000
    assert all(part.seconds > 0 for part in profile.parts)
    passes = ["elaborating", "fitting to the chip", "writing code", "compiling", "imports and memory"]
    assert list(profile.building) == passes and profile.between >= 0
    assert all(seconds > 0 for seconds in profile.building.values())
    assert sum(profile.building.values()) == pytest.approx(profile.run.build_s)


@pytest.mark.dear
@pytest.mark.parametrize("name", ["gle_lagline_batch", "pal_yinyang", "izhikevich"])
def test_every_part_of_a_step_is_timed(name: str) -> None:
    program = neuroport.compile(neuroport.load(name))
    executor, plain = Emulator(times=True).open(program, 1, []), Emulator().open(program, 1, [])
    executor.advance(50)
    plain.advance(50)
    state = next(n for n, array in program.arrays.items() if array.role == "state" and array.at != "scalar")
    assert (executor.read(state) == plain.read(state)).all()
    timed = {(part.what, part.of) for part in cast(TimedExecutor, executor).times()}
    assert {("neurons", p.name) for p in program.populations if p.body} <= timed
    assert {("every step", p.name) for p in program.projections if p.step} <= timed


@pytest.mark.dear
def test_the_command_prints_where_the_time_went() -> None:
    lines = call("run", "sal_sampling", *SHORT, "--profile").stdout.splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("running"))
    assert re.fullmatch(
        r"building   elaborating [\d.]+ ms, fitting to the chip [\d.]+ ms, writing code [\d.]+ ms, "
        r"compiling [\d.,]+ ms, imports and memory [\d.]+ ms",
        lines[at - 1],
    )
    assert re.fullmatch(r"running    steps [\d.]+ ms, between them [\d.]+ ms", lines[at])
    assert re.fullmatch(r"memory     about \d+ MiB while it runs: \d+ MiB for the emulator's compiler.*", lines[at + 1])
    assert lines[at + 2].split() == "part of a step of ms share ns per".split()
    shares = [float(line.split("%")[0].split()[-1]) for line in lines[at + 3 :]]
    assert len(shares) == 6 and sum(shares) == pytest.approx(100, abs=1)
    told = json.loads(call("run", "sal_sampling", *SHORT, "--profile", "--json").stdout)
    assert told["profile"].keys() == {"building", "between_steps", "parts", "memory"}
    assert len(told["profile"]["parts"]) == 6


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        (("-o", "x.h5", "--overwrite"), "-o, --overwrite"),
        (("--copies", "3"), "--copies"),
        (("--seed", "1:4"), "--seed FIRST:END"),
        (("--resume", "x.h5"), "--resume"),
        (("--strict",), "--strict"),
        (("--threads", "2"), "--threads"),
    ],
)
def test_what_does_not_go_with_it_is_named(options: tuple[str, ...], refused: str) -> None:
    done = call("run", "sal_pair", *SHORT, "--profile", *options)
    assert (
        done.exit_code == 2
        and f"Error: --profile takes the time of one run and writes nothing; leave {refused} out." in done.stderr
    )


def test_backends_that_take_no_times_say_so() -> None:
    done = call("run", "sal_pair", *SHORT, "--profile", "--backend", "reference")
    assert (done.exit_code, done.stderr) == (
        2,
        "error: backend 'reference' does not take the time of its parts; the emulator does\n",
    )
    done = call("run", "--profile")
    assert done.exit_code == 2 and "Missing argument 'NET'" in done.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("sal_pair", ["the 3 copies of the network are runs of their own; this is one of them"]),
        ("gle_lagline_batch", []),
    ],
)
def test_copies_that_are_runs_of_their_own_are_told_of(name: str, told: list[str], tmp_path: Path) -> None:
    file = tmp_path / "copies.yaml"
    neuroport.Network.of(neuroport.load(name)).with_({"copies": 3}).save(file)
    done = call("run", str(file), *SHORT, "--profile", "--backend", "reference")
    assert done.exit_code == 2
    assert [line for line in done.stderr.splitlines() if "copies" in line] == told
