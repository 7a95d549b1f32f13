"""What it costs to begin: processor time from a network to its first step, with nothing compiled before.

    python benchmarks/building.py [NETWORK]… [--ring POPULATIONS]…

Every network is built in a process and an empty cache of its own, all that ship by default, and rings of 5, 20, 60 and
200 populations of two cells. `lines` are those of the generated module without what every module has; `again` is the
time in a second process, which finds the compiled code. `100 x NAME` is NAME with so many copies.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import neuroport  # noqa: E402  of this checkout

RING = "ring of "


def network(name: str) -> neuroport.Network:
    """A network by its name; `100 x NAME` has so many copies."""
    copies, _, base = name.rpartition(" x ")
    if copies:
        return neuroport.Network.of(neuroport.load(base)).with_({"copies": int(copies)}).build()
    if not name.startswith(RING):
        return neuroport.load(name)
    size = int(name.removeprefix(RING))
    net = neuroport.Network(dt="1 ms", chip="generic16", name="ring")
    for k in range(size):
        net.population(f"p{k}", 2, "lif")
    for k in range(size):
        net.project(f"p{k}", f"p{(k + 1) % size}", "static", input="jump", connect="all_to_all", weight=1)
    return net.build()


def measured(name: str) -> str:
    """Seconds to a program and from there to the first step, and lines, in this process."""
    from neuroport.backends.emulator import Emulator
    from neuroport.backends.emulator.emit import module_text

    started = time.process_time()
    program = neuroport.compile(network(name))
    compiled = time.process_time()
    Emulator().open(program, 1, []).advance(1)
    opened = time.process_time()
    lines = module_text(program).partition("# Indices of the control words.")[2].count("\n")
    return f"{compiled - started:.2f} {opened - compiled:.2f} {lines}"


def environment(cache: str, bytecode: str) -> dict[str, str]:
    """What a process sees that keeps what is compiled here, and Python's bytecode there, as where it is installed."""
    seen = {**os.environ, "NEUROPORT_CACHE": cache, "PYTHONPYCACHEPREFIX": bytecode}
    seen.pop("PYTHONDONTWRITEBYTECODE", None)
    return seen


def in_a_process(name: str, cache: str, bytecode: str) -> list[str]:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--here", name],
        env=environment(cache, bytecode),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*")
    parser.add_argument("--ring", type=int, action="append", default=[])
    parser.add_argument("--here", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        print(measured(given.here))
        return
    names = [*given.networks, *(f"{RING}{size}" for size in given.ring)]
    if not names:
        names = [*sorted(neuroport.networks), *(f"{RING}{size}" for size in (5, 20, 60, 200))]
    print("| network | lines | program (s) | code (s) | again (s) |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as bytecode:
        with tempfile.TemporaryDirectory() as cache:
            in_a_process("stdp_pair", cache, bytecode)
        for name in names:
            with tempfile.TemporaryDirectory() as cache:
                program, code, lines = in_a_process(name, cache, bytecode)
                again = in_a_process(name, cache, bytecode)[1]
            print(f"| {name} | {lines} | {program} | {code} | {again} |", flush=True)


if __name__ == "__main__":
    main()
