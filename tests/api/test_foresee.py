"""How much memory a network takes is known before anything of it is drawn, and what does not fit is refused."""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import neuroport
from neuroport import backends
from neuroport.api import compile as compiling
from neuroport.api.compile import specimen
from neuroport.api.foresee import Runs, described, foreseen, require_room
from neuroport.api.profile import profiled
from neuroport.backends.emulator import Emulator
from neuroport.backends.emulator.emit import emit
from neuroport.backends.emulator.synapses import asked, connections
from neuroport.cli import main
from neuroport.elaborate.sketch import sketched
from neuroport.errors import InvalidInput, TooLarge
from neuroport.network.network import Network
from neuroport.program import room
from neuroport.program.memory import NUMBERS
from tests.support.memory import peak
from tests.support.peaks import taken_and_foreseen

LATE = "dendritic_delay: {uniform: [1 ms, 8 ms]}"
FEW = "{fixed_out_degree: 30}"
UNSTORED = "{fixed_probability: 0.1, stored: false}"


def text(size: int, synapse: str = "static", chip: str = "generic8", connect: str = "{fixed_probability: 0.1}",
         more: str = "", rest: str = "") -> str:  # fmt: skip
    """A network of one population that is connected with itself."""
    return (
        f"neuroport: 1\nname: n\ndt: 1 ms\nchip: {chip}\npopulations:\n  a: {{size: {size}, neuron: lif}}\n"
        f"projections:\n  p: {{source: a, target: a, input: jump, synapse: {synapse}, weight: {{uniform: [0, 1]}}, "
        f"connect: {connect}{more and ', '}{more}}}\n{rest}"
    )


def alike(size: int, connect: str) -> str:
    """One whose synapses all have the same weight."""
    return text(size, connect=connect).replace("{uniform: [0, 1]}", "0.5")


def network(size: int, synapse: str = "static", chip: str = "generic8", **how: str) -> Network:
    return neuroport.loads(text(size, synapse, chip, **how), folder=".")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


HUGE = text(300_000)


@pytest.mark.parametrize("backend", ["emulator", "reference"])
def test_what_does_not_fit_is_refused_before_anything_is_drawn(backend: str) -> None:
    huge = neuroport.loads(HUGE)

    def refused() -> str:
        with room.allowing("20GiB"), pytest.raises(InvalidInput) as caught:
            neuroport.open(huge, backend)
        return str(caught.value)

    started = time.process_time()
    said = refused()
    assert time.process_time() - started < 1
    assert peak(refused) < 2**26
    assert "network 'n' does not fit into memory: it takes about " in said
    assert " GiB for the synapses of 'p'" in said
    assert said.endswith(f"; it may take 20.0 GiB; {room.REMEDY}")


@pytest.mark.parametrize("backend", [name for name in backends.names() if name != "emulator"])
def test_executors_that_store_all_synapses_are_refused_those_that_need_not_be_stored(backend: str) -> None:
    executor = backends.load(backend)
    if missing := executor.missing():
        pytest.skip(missing)
    unstored = neuroport.loads(text(10**6, connect=UNSTORED.replace("0.1", "0.01")).replace("{uniform: [0, 1]}", "0.5"))
    with room.allowing("20GiB"), pytest.raises(InvalidInput, match=r"it takes about .* GiB for the synapses of 'p'"):
        require_room(unstored, *specimen(unstored), [executor])
    with room.allowing("20GiB"):
        found = require_room(unstored, *specimen(unstored), [Emulator()])
    assert found is not None
    assert found.size < 2**29


def shown(size: int, count: int) -> Network:
    """A network that is shown so many patterns, and of which something is sampled in each."""
    other = "populations:\n  b: {size: 1, neuron: lif}\n"
    rest = (
        "stimuli: {s: {patterns: {values: [[0 mV]], hold: 1 ms}, population: b, input: jump}}\n"
        f"readouts: {{r: {{samples: {{of: b.v}}}}}}\nprotocol: [{{present: s, count: {count}, readout: [r]}}]\n"
    )
    return neuroport.loads(text(size, rest=rest).replace("populations:\n", other))


def test_what_a_protocol_gathers_is_refused_before_anything_is_drawn() -> None:
    many = shown(10_000, 10**8)

    def refused() -> str:
        with room.allowing("2GiB"), pytest.raises(TooLarge) as caught:
            neuroport.open(many)
        return str(caught.value)

    assert peak(refused) < 2**26
    assert " of memory, most of it for the order of the patterns 's', and it may take 2.0 GiB; " in refused()


def test_what_a_protocol_gathers_is_part_of_the_estimate() -> None:
    few, many = (foreseen(made, *specimen(made), [Emulator()]) for made in (shown(100, 10), shown(100, 10**7)))
    assert few is not None
    assert many is not None
    assert [part.what for part in many.parts[:2]] == [
        "the order of the patterns 's'",
        "the rows of readout 'r' between two measurements",
    ]
    assert many.size - few.size == pytest.approx(10**7 * (32 + 16), rel=0.01)


def test_what_does_not_fit_is_refused_by_commands(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_text(HUGE)
    for command in ("run --for 10ms", "verify", "compile"):
        name, *rest = command.split()
        done = call(name, str(path), *rest, "--memory", "20 GiB")
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"{path}:8:3: network 'n' does not fit into memory: it takes about " in done.stderr


def test_a_size_without_a_unit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    done = call("run", "sal_pair", "--memory", "40")
    assert (done.exit_code, done.stderr) == (
        2,
        "error: --memory is '40'; give a number and one of MiB, GiB, TiB, MB, GB, TB, such as 40GiB\n",
    )
    monkeypatch.setenv("NEUROPORT_MEMORY", "much")
    with pytest.raises(InvalidInput, match="NEUROPORT_MEMORY is 'much'; give a number"):
        neuroport.compile(neuroport.load("sal_pair"))


@pytest.mark.dear
def test_more_may_be_allowed_than_the_machine_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_machine", lambda: room.Room(50 * room.MIB, "this machine has"))
    assert call("run", "balanced", "--for", "10ms").exit_code == 2
    assert call("run", "balanced", "--for", "10ms", "--memory", "1 GiB").exit_code == 0
    assert call("run", "balanced", "--for", "10ms").exit_code == 2


@pytest.mark.dear
@pytest.mark.parametrize(
    "made", [network(6_000), network(400_000, connect="{fixed_out_degree: 1}")], ids=["synapses", "neurons"]
)
def test_what_is_foreseen_to_fit_is_run(made: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other look at memory refuses what the estimate lets pass."""
    found = foreseen(made, *specimen(made), [Emulator()])
    assert found is not None
    monkeypatch.setenv("NEUROPORT_MEMORY", f"{found.size / room.MIB + 1:.0f} MiB")
    with neuroport.open(made) as session:
        session.run(1)


@pytest.mark.parametrize("many", [1, 50])
def test_what_takes_more_than_the_estimate_is_refused_however_small(many: int) -> None:
    small = network(300, "stdp_pair", "generic8_mismatch10")
    how = small, *specimen(small, chip_seed=1), [Emulator()] * min(many, 2), Runs(many, min(many, 2), many)
    with room.allowing("1TiB"):
        found = foreseen(*how)
    assert found is not None
    with room.allowing(f"{found.size / room.MIB - 1:.0f} MiB"), pytest.raises(TooLarge):
        require_room(*how)
    with room.allowing(f"{found.size / room.MIB + 1:.0f} MiB"):
        require_room(*how)


@pytest.mark.dear
def test_taking_times_takes_no_more_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "LARGE", 1)
    made = network(3_000)

    def held_by(act: Callable[..., object]) -> int:
        held = []
        act(made, duration=2, progress=lambda *_: held.append(tracemalloc.get_traced_memory()[0]))
        return max(held)

    neuroport.run(made, duration=2)
    tracemalloc.start()
    try:
        plain, timed = held_by(neuroport.run), held_by(profiled)
    finally:
        tracemalloc.stop()
    assert timed < 1.2 * plain


def test_compile_tells_it() -> None:
    (line,) = (line for line in call("compile", "balanced").stdout.splitlines() if line.startswith("memory on"))
    assert line.startswith("memory on the emulator: about ")
    assert " while it runs: 83 MiB for the emulator's compiler, " in line


def test_the_package_of_a_data_set_is_counted() -> None:
    with_data = foreseen(made := neuroport.load("pal_digits"), *specimen(made))
    assert with_data is not None
    assert with_data.parts[0].what == "the package that has the data set 'digits'"


@pytest.mark.dear
def test_what_waits_to_be_looked_at_is_no_more_than_so_many_numbers() -> None:
    recorded = text(100_000, connect="{fixed_out_degree: 1}", rest="record: {states: {a.v: 1 ms}}\n")
    with neuroport.open(neuroport.loads(recorded)) as session:
        session.run(4)
        assert session.latest.records["a.v"][1].size <= NUMBERS


def test_inputs_take_nothing_in_a_program() -> None:
    program = neuroport.compile(network(400))
    assert all(not any(a.initial.strides) for a in program.arrays.values() if a.role == "input")


def test_small_projections_and_kernels_stay_as_they_are() -> None:
    for name in ("sal_sampling", "two_routes_conv"):
        whole = neuroport.load(name)
        sketch = sketched(whole)
        assert sketch.network.projection(whole.projections[0].name) == whole.projections[0]
    assert sketched(neuroport.load("balanced")).synapses["exc_to_exc"] == pytest.approx(204_633, rel=0.02)


def test_the_synapse_that_stays_has_what_all_have() -> None:
    built = neuroport.Network(dt="1 ms", chip="generic8")
    cells = built.population("cells", 100, "lif")
    pairs = np.stack(np.divmod(np.arange(9900), 100), axis=1)
    late, weight = np.arange(9900) % 7 + 1.0, np.linspace(0, 1, 9900)
    built.project(cells, cells, "static", input="jump", connect={"pairs": pairs}, weight=weight,
                  dendritic_delay={"array": late, "unit": "ms"})  # fmt: skip
    whole = neuroport.compile(built)
    sketch = sketched(built.build())
    few = neuroport.compile(sketch.network)
    assert sketch.synapses == {"cells_cells": 9900}
    assert few.arrays.keys() == whole.arrays.keys()
    assert [a.slots for a in few.arrays.values()] == [a.slots for a in whole.arrays.values()]
    assert few.projections[0].synapses == 1


@pytest.mark.parametrize(
    "given",
    [
        network(400),
        network(400, chip="ideal32"),
        network(400, "stdp_pair", "generic16"),
        network(400, "stdp_pair", "generic8_stochastic"),
        network(400, more=LATE),
        network(400, connect="all_to_all"),
        neuroport.load("balanced"),
    ],
    ids=["static", "ideal32", "stdp", "stochastic", "delays", "full", "balanced"],
)
def test_what_the_emulator_is_said_to_take_for_synapses_is_what_it_takes(given: Network) -> None:
    chip, _ = specimen(given)
    sketch = sketched(given)
    few = neuroport.compile(sketch.network, chip)
    told: dict[str, float] = {}
    for part in Emulator().room(few, sketch.synapses, sketch.full):
        told[part.what] = told.get(part.what, 0.0) + part.size
    program = neuroport.compile(given, chip)
    for taken in Emulator().memory(program):
        projection = program.projection(taken.projection)
        index = connections(program, projection)["post"]
        posts = np.ascontiguousarray(index.made(), index.dtype)
        used = ("post", taken.projection) in asked(emit(program))
        of_program = posts.nbytes if used and np.shares_memory(posts, projection.wiring.kept) else 0
        assert told[f"the synapses of '{taken.projection}'"] == pytest.approx(taken.nbytes - of_program, rel=0.05)


def test_copies_that_share_are_counted() -> None:
    one, many = (
        foreseen(made, *specimen(made), [backends.load("emulator")])
        for made in (neuroport.load("gle_lagline_batch", ["copies=2"]), neuroport.load("gle_lagline_batch"))
    )
    assert one is not None
    assert many is not None
    assert many.size > one.size
    assert described(many).startswith("about ")


def test_copies_that_run_at_once_have_to_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neuroport.api.copies.processors", lambda: 2)
    many = network(30_000, "stdp_pair", "generic16", connect="{fixed_out_degree: 1000}")
    how = many, *specimen(many)
    one, two = foreseen(*how, [Emulator()]), foreseen(*how, [Emulator()] * 2)
    assert one is not None
    assert two is not None
    compilers = [part.size for peak in (one, two) for part in peak.parts if part.what == "the emulator's compiler"]
    assert one.size < two.size and len(set(compilers)) == 1
    with room.allowing(f"{(one.size + two.size) / 2 / room.MIB} MiB"):
        require_room(*how, [Emulator()])
        with pytest.raises(InvalidInput, match="does not fit into memory"):
            neuroport.run_copies(many, [1, 2], duration="1 ms")


PAIR, PLAIN = ("synapse: stdp_pair,", "synapse: static,")
EIGHT = "".join(
    f"  p{k}: {{source: a, target: a, input: jump, {PAIR if k < 4 else PLAIN} weight: {{uniform: [0, 1]}}, "
    f"connect: {{fixed_probability: 0.05}}}}\n"
    for k in range(8)
)
"""Eight projections, half of them plastic."""


def eight(chip: str) -> str:
    """A network with eight projections of 1.25 × 10^6 synapses."""
    return text(5_000, chip=chip).partition("  p:")[0] + EIGHT


RECORDED = text(200_000, connect="{fixed_out_degree: 5}", rest="record: {spikes: all, states: {a.v: 1 ms}}\n")
COPIED, MANY = ("sal_sampling", "gle_lagline_batch"), (1, 10, 100, 1000)
DEVIATING = text(3_200, "stdp_pair", "generic8_mismatch10")
WEIGHTS = "record: {weights: {p.w: 10 ms}}\n"


def test_programs_of_other_specimens_are_counted() -> None:
    given = network(400, "stdp_pair", "generic8_mismatch10")
    how = given, *specimen(given, None, 1), [Emulator()] * 2
    alike, others = (foreseen(*how, Runs(4, 2, specimens)) for specimens in (1, 4))
    assert alike is not None
    assert others is not None
    more = {part.what: part.size for part in others.parts} | {"": others.size - alike.size}
    synapses = neuroport.compile(given).projections[0].synapses
    assert more["the programs of other specimens"] == pytest.approx(2 * 64 * synapses, rel=0.05)
    assert more[""] == more["the programs of other specimens"] + more["what these are made from"]


GENN = pytest.mark.skipif(backends.missing("genn") is not None, reason="needs PyGeNN")
OFTEN = (
    "neuroport: 1\nname: n\ndt: 1 ms\nchip: generic16\n"
    "populations: {a: {size: 200000, neuron: poisson, params: {rate: 200 Hz}}}\n"
)
MEASURED = [
    pytest.param({"text": text(1_000)}, id="10^5"),
    pytest.param({"text": text(3_200)}, id="10^6"),
    pytest.param({"text": text(10_000)}, id="10^7"),
    pytest.param({"text": text(100_000, connect="{fixed_out_degree: 1000}")}, id="10^8"),
    pytest.param({"text": text(3_200, "stdp_pair", "generic16")}, id="plastic"),
    pytest.param({"text": text(3_200, "stdp_pair", "generic8_mismatch10"), "chip_seed": 3}, id="mismatch"),
    pytest.param({"text": text(3_200, more=LATE)}, id="delays"),
    pytest.param({"text": alike(3_200, UNSTORED)}, id="not stored"),
    pytest.param({"text": alike(10**6, UNSTORED.replace("0.1", "0.00001"))}, id="not stored, many neurons"),
    pytest.param({"text": text(3_200, chip="ideal")}, id="ideal"),
    pytest.param({"text": text(3_200, connect="all_to_all")}, id="full"),
    pytest.param({"text": text(200_000, connect="{fixed_out_degree: 5}")}, id="neurons"),
    pytest.param({"text": text(3_200, rest="record: {spikes: all, states: {a.v: 1 ms}}\n")}, id="recorded"),
    pytest.param({"text": RECORDED, "steps": 400, "keep": False}, id="samples"),
    pytest.param({"text": RECORDED, "steps": 400, "trace": True}, id="trace of samples"),
    pytest.param({"text": text(10_000), "trace": True}, id="trace"),
    pytest.param({"text": text(5_000, "stdp_pair", "generic16", rest=WEIGHTS), "trace": True}, id="trace of weights"),
    pytest.param(
        {"text": text(3_000, "stdp_pair", "generic16", rest=WEIGHTS), "trace": True, "steps": 100},
        id="trace of weights, often",
    ),
    pytest.param({"text": alike(3_200, UNSTORED), "trace": True}, id="trace of what is not stored"),
    pytest.param({"name": "pal_digits"}, id="data set"),
    pytest.param({"name": "emstdp_deep"}, id="long code"),
    *(pytest.param({"name": name, "copies": many}, id=f"{name}-{many}") for name in COPIED for many in MANY),
    pytest.param({"text": text(3_200, "stdp_pair", "generic16"), "copies": 4}, id="copies"),
    pytest.param({"text": DEVIATING, "copies": 4, "specimens": True}, id="specimens"),
    pytest.param({"name": "sal_sampling", "copies": 10, "backend": "genn"}, id="copies-genn", marks=GENN),
    pytest.param({"text": text(5_000, "stdp_pair", "generic16"), "threads": 2}, id="threads"),
    pytest.param({"text": text(10_000), "threads": 2}, id="threads, static"),
    pytest.param({"text": alike(10_000, "{fixed_probability: 0.1}"), "threads": 2}, id="threads, one weight"),
    pytest.param({"text": alike(10_000, UNSTORED), "threads": 2}, id="threads, not stored"),
    pytest.param({"text": OFTEN, "steps": 300, "keep": False}, id="many spikes"),
    pytest.param({"text": text(5_000, "stdp_pair", "generic16"), "backend": "reference"}, id="reference"),
    pytest.param({"text": text(5_000, "stdp_pair", "generic16"), "backend": "genn"}, id="genn", marks=GENN),
    pytest.param({"text": text(5_000), "backend": "genn"}, id="genn-static", marks=GENN),
    pytest.param({"text": text(10_000), "backend": "genn"}, id="genn-10^7", marks=GENN),
    pytest.param({"text": text(3_200, connect="all_to_all"), "backend": "genn"}, id="genn-full", marks=GENN),
    pytest.param(
        {"text": text(200_000, connect="{fixed_out_degree: 5}"), "backend": "genn"}, id="genn-neurons", marks=GENN
    ),
    pytest.param({"text": eight("generic16"), "backend": "genn"}, id="genn-eight", marks=GENN),
    pytest.param({"text": eight("generic8"), "backend": "genn"}, id="genn-eight-8", marks=GENN),
]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process is known on Linux")
@pytest.mark.parametrize("how", MEASURED)
def test_the_estimate_is_what_is_taken_within_a_fifth(how: dict[str, object], tmp_path: Path) -> None:
    taken, told = taken_and_foreseen(cache=tmp_path, **how)  # type: ignore[arg-type]
    assert told == pytest.approx(taken, rel=0.2)
