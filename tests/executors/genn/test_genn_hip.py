"""Code that GeNN makes for GPUs, where PyGeNN has its HIP backend: on an AMD GPU, or on a stand-in for its toolkit.

ORDERS are seeds for a stand-in toolkit that computes on the processor and shuffles blocks and threads by SIMT_SEED. A
GPU has an order of its own, and does not heed it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neuroport.backends.genn import Genn
from neuroport.backends.genn.flags import flags
from neuroport.backends.reference import Reference
from neuroport.trace.read import open_trace
from tests.support.checkout import ROOT
from tests.support.everything import real_program
from tests.support.executors import difference, everywhere, start
from tests.support.failing_toolkit import failing_toolkit
from tests.support.shortened import SAL_MICRO

MISSING = Genn(device="hip").missing()
pytestmark = [pytest.mark.dear, pytest.mark.skipif(MISSING is not None, reason=str(MISSING))]

ORDERS = (1, 2)
NETWORKS = {
    "balanced": 30,
    "gle_lagline": 100,
    "gle_lagnet": 100,
    "izhikevich": 50,
    "loihi_chip": 100,
    "loihi_lif": 100,
    "pal_backward": 60,
    "sal_micro": 100,
    "sal_pair": 200,
    "sal_sampling": 300,
    "sal_sampling_published": 300,
    "stdp_pair": 100,
    "yin_yang_loop": 30,
}
"""Shipped networks, and how many steps of each item of their protocols are computed."""
MORE = {
    "pal_backward": ["--chip", "generic16"],
    "sal_micro": [word for change in SAL_MICRO for word in ("--set", change)],
}
QUICK = ("sal_pair", "stdp_pair")
SHARED = sorted(
    file.stem for file in (ROOT / "networks").rglob("*.yaml") if re.search(r"^copies:", file.read_text("utf-8"), re.M)
)
"""Shipped networks with copies, most of which share what they learn and add up over them."""
AS_MANY = {"emstdp_deep": 5, "predictive_coding_yinyang": 5}
"""How many copies are computed, if not four: as many as its patterns can be dealt out among."""
OWN_CHIP = ("tssl_bp_loihi",)
"""Networks that are computed on their own chips; the others on generic16."""
COPIED = (
    ("gle_lagline", "generic8_mismatch10_steps"),
    ("sal_pair", "generic8_mismatch10"),
    ("sal_sampling", "generic8_stochastic"),
    ("stdp_pair", "generic16"),
)


def slow_but(quick: tuple[str, ...], names: Any) -> list[Any]:
    return [name if name in quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


def python(order: int, *words: object) -> Any:
    """What a module of Python says as JSON, with that order of threads."""
    command = [sys.executable, "-m", *map(str, words)]
    environment = os.environ | {"SIMT_SEED": str(order)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def verified(order: int, name: str, steps: int, *more: str) -> dict[str, Any]:
    executors = ("--against", "emulator", "--against", "genn", "--device", "hip")
    found = python(order, "neuroport", "verify", name, *executors, "--steps", steps, "--json", *more)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("name", slow_but(QUICK, NETWORKS))
def test_a_network_is_identical_in_every_order(name: str) -> None:
    more = MORE.get(name, [])
    for order in ORDERS:
        found = verified(order, name, NETWORKS[name], *more)
        assert (found["identical"], found["executors"], found["arithmetic"]) == (True, ["emulator", "genn"], "integer")


@pytest.mark.slow
@pytest.mark.parametrize("name", SHARED)
def test_copies_that_share_what_they_learn_are_identical_in_every_order(name: str) -> None:
    more = ("--set", f"copies={AS_MANY.get(name, 4)}", *(() if name in OWN_CHIP else ("--chip", "generic16")))
    for order in ORDERS:
        found = verified(order, name, 6, *more)
        assert (found["identical"], found["executors"], found["arithmetic"]) == (True, ["emulator", "genn"], "integer")


@pytest.mark.parametrize(
    ("name", "chip"), [pytest.param(*c, marks=() if c[0] in QUICK else pytest.mark.slow) for c in COPIED]
)
def test_a_copy_has_the_bits_of_its_single_run(name: str, chip: str) -> None:
    for order in ORDERS:
        found = python(order, "tests.support.on_a_gpu", "hip", name, chip, 200)
        assert len(found) == 3
        for copy, single in found:
            assert copy == single


def batch(order: int, what: str, *words: object) -> Any:
    """What differs between a batch and another executor."""
    return python(order, "tests.support.batches_on_a_gpu", what, "hip", *words)


@pytest.mark.parametrize(
    ("seed", "copies"), [(4, 3), *(pytest.param(*more, marks=pytest.mark.slow) for more in ((5, 9), (14, 9), (30, 2)))]
)
def test_random_batches_do_what_the_reference_does_in_every_order(seed: int, copies: int) -> None:
    for order in ORDERS:
        assert batch(order, "random", seed, copies) is None


@pytest.mark.parametrize(
    ("name", "chip"), [pytest.param(*c, marks=() if c[0] in QUICK else pytest.mark.slow) for c in COPIED]
)
def test_copies_in_the_hand_of_a_host_do_what_is_written_out(name: str, chip: str) -> None:
    for order in ORDERS:
        assert batch(order, "copies", name, chip) is None


def test_copies_with_parameters_of_their_own() -> None:
    for order in ORDERS:
        assert batch(order, "own", "stdp_pair", 150, "alone_to_cell.a_plus", 0.01, 0.03, 0.2) is None


@pytest.mark.slow
def test_real_numbers_agree_in_every_order() -> None:
    for name in ("sal_sampling", "gle_lagline"):
        for order in ORDERS:
            found = verified(order, name, 100, "--chip", "ideal")
            assert found["identical"] and found["sensitivity"] is None
            assert found["not_promised"] == {} or "in no order" in found["not_promised"]["genn"]


TOGETHER = """
neuroport: 1
name: together
dt: 1 ms
chip: generic16
populations:
  noise: {size: 100, neuron: poisson, params: {rate: 500 Hz}}
  cells: {size: 120, neuron: lif, params: {tau_m: 5 ms, t_ref: 1 ms}}
projections:
  up: {source: noise, target: cells, input: jump, synapse: stdp_pair, connect: {fixed_probability: 0.6},
       weight: {uniform: [0.2, 0.6]}, ranges: {w: [0, 2]}}
protocol: [{run: 30 ms}]
record: {spikes: all}
"""


WAYS = ("auto", "post", "pre:1", "pre:3", "pre:32")


@pytest.mark.parametrize("way", slow_but(("post",), WAYS))
def test_more_neurons_that_learn_spike_in_a_step_than_a_block_has_threads(way: str, tmp_path: Path) -> None:
    (tmp_path / "together.yaml").write_text(TOGETHER)
    for order in ORDERS:
        assert verified(order, str(tmp_path / "together.yaml"), 30, "--genn", f"parallelism={way}")["identical"]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS[1:])
@pytest.mark.parametrize("name", ["balanced", "sal_sampling", "stdp_pair"])
def test_how_spikes_are_dealt_out_changes_no_bit(name: str, way: str) -> None:
    for order in ORDERS:
        assert verified(order, name, NETWORKS[name], "--genn", f"parallelism={way}")["identical"]


COMPILER = """#!/bin/sh
echo "$@" >> {log}
exec {compiler} "$@"
"""


def test_strict_code_is_compiled_with_its_flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toolkit, log = Path(os.environ.get("HIP_PATH", "/opt/rocm")), tmp_path / "log"
    beside = tmp_path / "toolkit"
    (beside / "bin").mkdir(parents=True)
    for folder in ("include", "lib"):
        (beside / folder).symlink_to(toolkit / folder)
    (beside / "bin" / "hipcc").write_text(COMPILER.format(log=log, compiler=toolkit / "bin" / "hipcc"))
    (beside / "bin" / "hipcc").chmod(0o755)
    monkeypatch.setenv("HIP_PATH", str(beside))
    monkeypatch.setenv("NEUROPORT_CACHE", str(tmp_path / "cache"))
    machines = start(real_program(), Reference(), Genn(device="hip"))
    compiled = [line for line in log.read_text().splitlines() if " -c " in f" {line} "]
    added = flags(real_program(), "hip").added
    assert compiled and all(added in line and "fast" not in line for line in compiled)
    everywhere(machines, "advance", 20)
    assert difference(machines, 1e-12) is None


FULL = """
import resource
from pathlib import Path
from neuroport.backends.genn import Genn, devices
from tests.support.programs import balanced

def limit(name: str, least: int) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + least // 2
    resource.setrlimit(resource.RLIMIT_AS, (most, most))

devices.require_room = limit
Genn(device="hip").open(balanced(4_000, 0.3), 1, ())
print("there was room")
"""


def run_with(environment: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "neuroport", "run", *map(str, words), "--backend", "genn", "--device", "hip", "-q"]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | environment)


def test_a_compiler_that_is_not_there_is_told(tmp_path: Path) -> None:
    gone = {"HIP_PATH": str(tmp_path), "NEUROPORT_CACHE": str(tmp_path / "cache")}
    done = run_with(gone, "loihi_lif", "--for", "3 steps")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: '{tmp_path}/bin/hipcc', which compiles what is generated for GeNN, cannot be run; see that hipcc is "
        f"on the PATH and HIP_PATH is set\n"
    )


@pytest.mark.slow
def test_a_gpu_that_fails_while_a_network_runs_leaves_a_trace(tmp_path: Path) -> None:
    (tmp_path / "together.yaml").write_text(TOGETHER)
    trace, toolkit = tmp_path / "out.h5", failing_toolkit(tmp_path / "toolkit")
    common = {"HIP_PATH": str(toolkit), "NEUROPORT_CACHE": str(tmp_path / "cache")}
    for after, code, exit_code, said in (
        (40, 700, 1, "the GPU failed by step 9: HIP error 700: "),
        (40, 2, 1, "the GPU failed by step 9: HIP error 2: "),
        (1, 2, 2, "the GPU failed while the network was loaded: HIP error 2: "),
    ):
        fails = common | {"FAIL_AFTER": str(after), "FAIL_WITH": str(code)}
        done = run_with(fails, tmp_path / "together.yaml", "-o", trace, "--overwrite")
        first, *notes = done.stderr.splitlines()
        assert (done.returncode, done.stdout) == (exit_code, "")
        remedy = "take fewer neurons" if code == 2 else "see whether the GPU and its driver work"
        assert first.startswith(f"error: {said}") and f"; {remedy}" in first
        if exit_code == 1:
            assert notes == [f"note: what was recorded until then is in {trace}, marked incomplete"]
            assert not open_trace(trace).complete
            trace.unlink()
        else:
            assert notes == [] and not trace.exists()


@pytest.mark.slow
def test_memory_that_is_not_there_is_told() -> None:
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: GeNN ended the program while the network was loaded: hip runtime error 2: ")
    assert done.stderr.count("\n") == 1 and "; take fewer neurons, synapses or copies, or " in done.stderr
