"""What a step of a convolution costs beside a full matrix that multiplies and adds as often.

    python benchmarks/convolution.py [--shape N] [--kernel N] [--channels IN OUT] [--repeat N] [--backend B] [--chip C]

Every synapse sends its weight times what its source has, in every step. `convolution` is a kernel that slides over a
square map with its borders padded, `transposed` leads the same way back, and `matrix` is all to all between two
populations that have as many synapses. Microseconds are of processor time per step, the least of so many pieces of 20
steps, with the steps of all neurons; bytes are those of the projection as it runs.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import neuroport
from neuroport.backends.emulator.synapses import memory
from neuroport.files import network as reader

NETWORK = """
neuroport: 1
name: convolution
dt: 1 ms
neurons:
  unit:
    inputs: {{i: {{range: [-512, 512]}}}}
    state: {{r: {{init: 0, range: [-1, 1]}}, v: {{init: 0, range: [-512, 512]}}}}
    update: v = i
synapses:
  onward:
    state: {{w: {{weight: true, range: [-1, 1]}}}}
    step: send(target, w * pre.r)
populations:
  a: {{size: {sources}, neuron: unit, init: {{r: {{uniform: [-1, 1]}}}}}}
  b: {{size: {targets}, neuron: unit}}
projections:
  p: {{source: a, target: b, synapse: onward, weight: {{uniform: [-1, 1]}}, connect: {connect}}}
protocol:
  - run: 20 steps
"""
KINDS = ("convolution", "transposed", "matrix")


@dataclass(frozen=True)
class Setting:
    """A square map and kernel, their channels, and how many pieces are measured."""

    shape: int = 28
    kernel: int = 3
    channels: tuple[int, int] = (8, 16)
    repeat: int = 25


def network(kind: str, setting: Setting) -> neuroport.Network:
    """The network with one kind of connection."""
    lower, upper = (setting.shape**2 * channels for channels in setting.channels)
    given = f"shape: {[setting.shape] * 2}, kernel: {setting.kernel}, channels: {list(setting.channels)}, padding: same"
    connect = {"matrix": "all_to_all", "convolution": f"{{convolution: {{{given}}}}}"}
    connect["transposed"] = f"{{convolution: {{{given}, transposed: true}}}}"
    sources, targets = {"convolution": (lower, upper), "transposed": (upper, lower)}.get(kind, (0, 0))
    if kind == "matrix":
        synapses = neuroport.compile(network("convolution", setting)).projections[0].synapses
        sources = targets = math.isqrt(synapses)
    text = NETWORK.format(sources=sources, targets=targets, connect=connect[kind])
    return reader.loads(text.encode(), "convolution.yaml")


def measured(kind: str, setting: Setting, backend: str, chip: str) -> tuple[float, int, int]:
    """Processor seconds of a step, synapses, and bytes of the projection on the emulator."""
    with neuroport.open(network(kind, setting), backend=backend, chip=chip) as session:
        session.run(20)
        seconds = []
        for _ in range(setting.repeat):
            started = time.process_time()
            session.run(20)
            seconds.append((time.process_time() - started) / 20)
        (taken,) = memory(session.program)
    return min(seconds), taken.synapses, taken.nbytes


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("shape", "kernel", "repeat"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Setting, name))
    parser.add_argument("--channels", type=int, nargs=2, default=Setting.channels)
    parser.add_argument("--backend", action="append")
    parser.add_argument("--chip", action="append")
    given = parser.parse_args()
    setting = Setting(given.shape, given.kernel, tuple(given.channels), given.repeat)
    print("| backend, chip | connection | synapses | bytes | us per step |\n|---|---|---|---|---|")
    for backend in given.backend or ["emulator"]:
        for chip in given.chip or ["ideal", "ideal32", "generic16", "generic8"]:
            for kind in KINDS:
                seconds, synapses, taken = measured(kind, setting, backend, chip)
                print(f"| {backend}, {chip} | {kind} | {synapses:,} | {taken:,} | {seconds * 1e6:.0f} |")


if __name__ == "__main__":
    main()
