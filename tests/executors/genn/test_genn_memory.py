"""What GeNN computes does not depend on what its memory holds by chance before it is written."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.executors import needs_genn

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc fills fresh memory with junk")

LATE = """
neuroport: 1
name: late
dt: 1 ms
populations:
  t: {size: 2, neuron: rate_source}
  y: {size: 2, neuron: rate_source}
projections:
  teach: {source: t, target: y, input: r_in, synapse: graded, connect: one_to_one, delay: 3 steps}
stimuli:
  train: {patterns: {values: [[0.5, -1], [-0.5, 1], [0.25, 0.75]], hold: 1 step}, population: t, input: r_in}
protocol:
  - {present: train, count: 7}
"""
"""What is sent late, by cells that have neither spikes nor synapses."""

SPIKING = """
neuroport: 1
name: spiking
dt: 1 ms
neurons:
  clock:
    state: {n: {type: int, init: 0, range: [0, 7]}, a: {init: 0, range: [0, 1]}}
    update: |
      n = n + 1 if n < 7 else 0
      a = n / 8
    spike: n == 7
synapses:
  all: {state: {w: {weight: true, init: 0.5, range: [-1, 1]}}, step: "send(target, w * pre.a)"}
populations:
  t: {size: 2, neuron: clock}
  y: {size: 1, neuron: rate_source}
projections:
  up: {source: t, target: y, input: r_in, synapse: all, connect: all_to_all, delay: 3 steps}
protocol:
  - run: 7 steps
record: {spikes: all}
"""
"""The same of cells whose spikes go nowhere."""


@needs_genn
@pytest.mark.parametrize("junk", [1, 2])
@pytest.mark.parametrize("network", ["late.yaml", "spiking.yaml", "sal_pair", "pal_backward", "stdp_pair"])
def test_fresh_memory_is_junk(network: str, junk: int, tmp_path: Path) -> None:
    """Bytes of two kinds, as counters that are read modulo something may be right by chance."""
    (tmp_path / "late.yaml").write_text(LATE, "utf-8")
    (tmp_path / "spiking.yaml").write_text(SPIKING, "utf-8")
    command = [sys.executable, "-m", "neuroport", "verify", network, "--chip", "generic8"]
    filled = {"GLIBC_TUNABLES": f"glibc.malloc.tcache_count=0:glibc.malloc.perturb={junk}"}
    found = subprocess.run(
        [*command, "--against", "emulator", "--against", "genn"],
        cwd=tmp_path,
        env=os.environ | filled | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert "identical" in found.stdout
