"""What it costs to begin: from a network to its first step, a second run, and help; each in a process of its own."""

from __future__ import annotations

import functools
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import building as own
from benchmarks.peers.cases import OTHERWISE, OURS, Case, Setting
from benchmarks.peers.measuring import Run, Took

CLI = Path(__file__).parents[2] / "cli.py"
SECOND = {
    "itself": (),
    "another seed": ("--seed", "7"),
    "another size": ("--set", "together.size=30", "--set", "alone.size=25"),
    "another parameter": ("--set", "together_to_cell.a_plus=0.02"),
    "another weight": ("--set", "together_to_cell.weight=1.5"),
    "another specimen": ("--mismatch", "weight=10%", "--chip-seed", "2"),
}
"""Second runs, by what differs; of a specimen there has been another one."""
FIRST = ((), ("--mismatch", "weight=10%", "--chip-seed", "1"))


def building(network: str, most: float, setting: Setting) -> Case:
    """From a network to its first step, with nothing compiled before."""
    what = f"building {network}, empty cache"
    return Case(what, "s", 1.0, {OURS: _built(network, setting)}, lambda _: "-", {OURS: most}, once=True)


def copies(setting: Setting) -> Case:
    """The same of a hundred copies, and of two."""
    runs = {OURS: _built("100 x gle_lagline_batch", setting), OTHERWISE: _built("2 x gle_lagline_batch", setting)}
    what = "building 100 copies of gle_lagline_batch, empty cache (otherwise: two copies)"
    return Case(what, "s", 1.0, runs, lambda _: "-", {OTHERWISE: 0.9}, most=3)


def _built(network: str, setting: Setting) -> Run:
    bytecode = Path(setting.folder) / "bytecode"

    def run(name: str = network) -> Took:
        with tempfile.TemporaryDirectory(dir=setting.folder) as cache:
            program, code, _ = own.in_a_process(name, cache, str(bytecode))
        return Took(float(program) + float(code), float("nan"))

    if not bytecode.exists():
        run("stdp_pair")
    return run


def second(setting: Setting) -> Case:
    """All of a process that runs what has been compiled: the longest of all kinds."""
    cache = setting.closing.enter_context(tempfile.TemporaryDirectory(dir=setting.folder))

    def neuroport(*options: str) -> Took:
        return process(setting, cache, "run", "stdp_pair", "--quiet", *options)

    for options in FIRST:
        neuroport(*options)

    def run() -> Took:
        there = sorted(os.listdir(cache))
        took = {name: neuroport(*options) for name, options in SECOND.items()}
        longest = max(took.values(), key=lambda t: t.cpu)
        return Took(longest.cpu, longest.wall, sorted(os.listdir(cache)) == there)

    def same(found: list[dict[str, Any]]) -> str:
        return "nothing is compiled" if all(f[OURS] for f in found) else "DIFFERENT code is compiled"

    what = f"second run of stdp_pair (20,000 steps), the longest of: {', '.join(SECOND)}"
    return Case(what, "s", 1.0, {OURS: run}, same, {OURS: 0.8}, most=3)


def help_(setting: Setting) -> Case:
    """`neuroport --help`."""
    run = functools.partial(process, setting, setting.folder, "--help")
    return Case("neuroport --help", "s", 1.0, {OURS: run}, lambda _: "-", {OURS: 0.15})


def process(setting: Setting, cache: str, *arguments: str) -> Took:
    """A command of this checkout, in a process of its own; seconds of all of it."""
    environment = own.environment(cache, str(Path(setting.folder) / "bytecode"))
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, str(CLI), *arguments], env=environment, capture_output=True, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Took(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall)
