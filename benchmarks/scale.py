"""How costs grow: with neurons, with copies, with chips and with synapses; and memory beside the estimate of it.

    python benchmarks/scale.py --quick               # small sizes
    python benchmarks/scale.py --write               # docs/speed.md and its figure anew
    python benchmarks/scale.py --passes              # what passes of building take for each synapse

Every size is measured in a process of its own, in processor time, the least of the repeats. What takes more memory than
--memory allows is not built, and has its estimate alone.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import neuroport  # noqa: E402  of this checkout
from neuroport.api import compile as compiling  # noqa: E402
from neuroport.api.foresee import foreseen  # noqa: E402
from neuroport.api.profile import profiled  # noqa: E402
from neuroport.backends.emulator import Emulator  # noqa: E402
from neuroport.errors import TooLarge  # noqa: E402
from neuroport.program import room  # noqa: E402
from neuroport.program.plan import total_steps  # noqa: E402

PAGE, FIGURE = ROOT / "docs" / "speed.md", ROOT / "docs" / "images" / "scale.png"
BEGIN, END = "<!-- python benchmarks/scale.py --write -->", "<!-- end of how it scales -->"
NEURONS = (1_000, 10_000, 100_000, 1_000_000)
COPIES = (1, 10, 100, 1_000)
SYNAPSES = (10**5, 10**6, 10**7, 10**8, 10**9)
UNSTORED = (*SYNAPSES, 10**10)
DEGREE, RATE, WORK, REPEATS = 20, 20, 20_000_000, 5
"""Synapses of a source, and its rate; neurons times steps of a measurement; how often it is done."""
ROWS = 1000
"""Synapses of a neuron in the networks that are built."""

Found = dict[str, Any]


def spread(size: int, sources: bool = True, joined: bool = True) -> neuroport.Network:
    """So many cells; as many sources of spikes beside them; DEGREE synapses from each of these."""
    net = neuroport.Network(dt="1 ms", chip="generic8", name="spread")
    net.population("cells", size, "lif")
    if sources:
        net.population("sources", size, "poisson", rate=f"{RATE} Hz")
    if joined:
        how = {"connect": {"fixed_out_degree": DEGREE}, "weight": {"uniform": [0, 1]}, "name": "p"}
        net.project("sources", "cells", "static", input="jump", **how)
    return net


def dense(synapses: int) -> neuroport.Network:
    """So many synapses, ROWS for each neuron, or as many as there are neurons."""
    size = max(int(synapses**0.5) + 1, synapses // ROWS)
    net = neuroport.Network(dt="1 ms", chip="generic8", name="dense")
    cells = net.population("cells", size, "lif")
    connect = {"fixed_probability": synapses / size**2}
    net.project(cells, cells, "static", input="jump", connect=connect, weight={"uniform": [0, 1]}, name="p")
    return net


def many(synapses: int, stored: bool) -> Any:
    """So many synapses of one weight, up to ROWS for each neuron and more of a million, from sources at 10 Hz."""
    size = min(max(10_000, synapses // ROWS), 10**6)
    net = neuroport.Network(dt="1 ms", chip="generic8", name="many")
    net.population("noise", size, "poisson", rate="10 Hz")
    net.population("cells", size, "lif", tau_m="20 ms")
    connect = {"fixed_probability": synapses / size**2, "stored": stored}
    net.project("noise", "cells", "static", input="jump", connect=connect, weight=0.01, name="rec")
    return net.build()


def neurons(size: int) -> Found:
    """Nanoseconds of a neuron and step, and of a synaptic event: what is more with synapses than without them."""
    steps = max(WORK // size, 50)
    with (
        neuroport.open(spread(size, False, False), keep=False) as alone,
        neuroport.open(spread(size, True, False), keep=False) as apart,
        neuroport.open(spread(size), keep=False) as joined,
    ):
        seconds: list[list[float]] = [[], [], []]
        for _ in range(REPEATS):
            for session, taken in zip((alone, apart, joined), seconds, strict=True):
                taken.append(_timed(lambda session=session: session.run(steps)))  # type: ignore[misc]
        cells, without, whole = map(min, seconds)
        events = joined.spike_counts()["sources"] / REPEATS * DEGREE
    return {"neuron": 1e9 * cells / steps / size, "event": 1e9 * (whole - without) / events}


def copies(many: int) -> Found:
    """Nanoseconds of a step and copy: independent ones, beyond what preparing them takes, and such that share."""
    steps = max(4_000_000 // many, 40_000)
    network = neuroport.load("sal_sampling")

    def together(duration: int) -> float:
        started = time.process_time()
        neuroport.run_copies(network, range(many), duration=duration)
        return time.process_time() - started

    short, long = (min(times) for times in zip(*((together(1), together(steps)) for _ in range(3)), strict=True))
    alone, few = (long - short) / steps, steps // 20
    with neuroport.open(neuroport.load("gle_lagline_batch", [f"copies={many}"]), keep=False) as session:
        session.run(1)
        shared = min(_timed(lambda: session.run(few)) for _ in range(REPEATS)) / few
    return {"sal_sampling": 1e9 * alone / many, "gle_lagline_batch": 1e9 * shared / many}


def chips(many: int) -> Found:
    """Milliseconds of the program of a further specimen of sal_sampling, where so many are made."""
    network = neuroport.load("sal_sampling")
    specimens = [compiling.specimen(network, "generic8_mismatch10", seed) for seed in range(many + 1)]
    program, plan = compiling.lower_and_plan(network, *specimens[0])

    def lowered() -> None:
        items = plan.protocol
        further = compiling.Further(network, specimens[0][0], program, items, total_steps(items))
        for _, one in specimens[1:]:
            further.lower(one)

    return {"chip": 1e3 * min(_timed(lowered) for _ in range(3)) / many}


def built(synapses: int) -> Found:
    """Seconds of building and a step, and bytes at the peak; the estimate alone where that is too much."""
    network, base = dense(synapses).build(), _peak()
    taken: Found = {}
    started = time.process_time()
    with suppress(TooLarge), neuroport.open(network, keep=False) as session:
        session.run(1)
        taken = {"seconds": time.process_time() - started, "peak": _peak() - base}
    chip, _ = compiling.specimen(network)
    found = foreseen(network, chip, None, [Emulator()])
    assert found is not None
    return {"estimate": found.size, **taken}


def stored(synapses: int, them: bool = True) -> Found:
    """Seconds of building, ns of an event in up to 100 steps, bytes at the peak, and the digest of the run."""
    network, base = many(synapses, them), _peak()
    steps = min(100, max(2, 2 * SYNAPSES[-1] // synapses))
    found = profiled(network, duration=steps)
    (arriving,) = (part for part in found.parts if part.what == "arriving spikes")
    event = 1e9 * arriving.seconds / max(arriving.units, 1)
    return {"seconds": sum(found.building.values()), "peak": _peak() - base, "event": event, "digest": found.run.digest}


def unstored(synapses: int) -> Found:
    """The same of such as are drawn anew for every spike."""
    return stored(synapses, False)


def _timed(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return time.process_time() - started


def _peak() -> int:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


PASSES = {
    "DRAWN": ("neuroport.elaborate.arrays", "make_synapses"),
    "RANKED": ("neuroport.elaborate.arrays", "synapse_circuits"),
    "VALUES": ("neuroport.elaborate.arrays", "_state"),
    "FORMATS": ("neuroport.api.compile", "on_chip"),
    "CHECKED": ("neuroport.session.executing", "usable"),
}
"""By the names of `neuroport.program.building`; FORMATS: what values take there once more."""


def passes(synapses: int = 10**7) -> None:
    """Print how many bytes of a synapse passes take beyond what there was before and what is there after them."""
    from importlib import import_module

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            made = function(*given, **more)
            after, peak = tracemalloc.get_traced_memory()
            print(
                f"{name:8} above before {(peak - before) / synapses:6.1f}, above after {(peak - after) / synapses:6.1f}"
            )
            return made

        return call

    for name, (module, function) in PASSES.items():
        inside = import_module(module)
        setattr(inside, function, watched(name, getattr(inside, function)))
    tracemalloc.start()
    with neuroport.open(dense(synapses), keep=False) as session:
        session.run(1)


KINDS: dict[str, tuple[Callable[[int], Found], tuple[int, ...], int]] = {
    "neurons": (neurons, NEURONS, 2),
    "copies": (copies, COPIES, 2),
    "chips": (chips, COPIES, 2),
    "built": (built, SYNAPSES, 2),
    "stored": (stored, SYNAPSES, 2),
    "unstored": (unstored, UNSTORED, 2),
}
"""What is measured, for which sizes, and how many of these are quick."""


def measured(kind: str, size: int) -> Found:
    """One size in a process of its own, in which nothing was compiled before."""
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"NEUROPORT_CACHE": cache}
        command = [sys.executable, __file__, "--here", kind, str(size)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return dict(json.loads(done.stdout))


def table(found: dict[str, dict[int, Found]]) -> str:
    """The tables, in Markdown."""
    lines = ["| neurons | ns per neuron and step | ns per synaptic event |", "|---|---|---|"]
    lines += [f"| {n:,} | {one['neuron']:.3g} | {one['event']:.3g} |" for n, one in found["neurons"].items()]
    if found["copies"]:
        lines += [
            "",
            "| copies | ns per step and copy, `sal_sampling` | the same, `gle_lagline_batch` |",
            "|---|---|---|",
        ]
    names = ("sal_sampling", "gle_lagline_batch")
    lines += [f"| {n:,} | {' | '.join(f'{one[k]:.3g}' for k in names)} |" for n, one in found["copies"].items()]
    lines += ["", "| chips of `sal_sampling` | ms to lower a further one |", "|---|---|"]
    lines += [f"| {n:,} | {one['chip']:.3g} |" for n, one in found["chips"].items()]
    lines += ["", "| synapses | to the first step, s | peak | estimate | estimate / peak |", "|---|---|---|---|---|"]
    for n, one in found["built"].items():
        told = room.shown(one["estimate"])
        if "peak" in one:
            ratio = f"{one['estimate'] / one['peak']:.2f}"
            lines.append(f"| {n:,} | {one['seconds']:.3g} | {room.shown(one['peak'])} | {told} | {ratio} |")
        else:
            lines.append(f"| {n:,} | not built | - | {told} | - |")
    lines += [
        "",
        "| synapses | stored: s to build | peak | ns per event "
        "| not stored: s to build | peak | ns per event | same digest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for n, one in found["unstored"].items():
        other = found["stored"].get(n)
        same = "-" if other is None else "yes" if other["digest"] == one["digest"] else "no"
        cells = ["- | - | -" if way is None else _row(way) for way in (other, one)]
        lines.append(f"| {n:,} | {' | '.join(cells)} | {same} |")
    return "\n".join(lines)


def _row(one: Found) -> str:
    return f"{one['seconds']:.3g} | {room.shown(one['peak'])} | {one['event']:.3g}"


def drawn(found: dict[str, dict[int, Found]]) -> None:
    """The figure."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4), layout="constrained", facecolor="white")
    for axes, kind, names, labels in (
        (left, "neurons", ("neuron", "event"), ("neuron and step", "synaptic event")),
        (middle, "copies", ("sal_sampling", "gle_lagline_batch"), ("sal_sampling", "gle_lagline_batch")),
    ):
        for name, label in zip(names, labels, strict=True):
            axes.loglog(list(found[kind]), [one[name] for one in found[kind].values()], "o-", label=label)
    left.set(xlabel="neurons", ylabel="ns of the processor", title="Per neuron and step, and per event")
    middle.set(xlabel="copies", ylabel="ns of the processor", title="Per step and copy")
    fits = {n: one for n, one in found["built"].items() if "peak" in one}
    right.loglog(list(fits), [one["peak"] / room.MIB for one in fits.values()], "o-", label="peak, MiB")
    told = [one["estimate"] / room.MIB for one in found["built"].values()]
    right.loglog(list(found["built"]), told, "x--", label="estimate, MiB")
    right.loglog(list(fits), [one["seconds"] for one in fits.values()], "s-", label="to the first step, s")
    right.set(xlabel="synapses", ylabel="MiB, seconds", title="Building")
    for axes in (left, middle, right):
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.1 if axes is not right else low), max(high, 1000.0 if axes is middle else high))
        axes.grid(True, which="major", alpha=0.4)
        axes.legend()
    middle.set_visible(bool(found["copies"]))
    FIGURE.parent.mkdir(exist_ok=True)
    figure.savefig(FIGURE, dpi=110)


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the two smallest sizes of each")
    parser.add_argument("--memory", default="15GiB", metavar="SIZE", help="what may be taken [default: 15GiB]")
    parser.add_argument("--json", metavar="FILE", help="what was found; of an earlier call, it is gone on with")
    parser.add_argument("--write", action="store_true", help="put tables and figure into docs/speed.md")
    parser.add_argument("--passes", action="store_true", help="what passes of building take, and nothing else")
    parser.add_argument("--here", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.passes:
        return passes()
    if given.here:
        kind, size = given.here
        return print(json.dumps(KINDS[kind][0](int(size))))
    os.environ[room.ALLOWED] = given.memory
    path = Path(given.json) if given.json else None
    known = json.loads(path.read_text("utf-8")) if path and path.exists() else {}
    found: dict[str, dict[int, Found]] = {}
    for kind, (_, sizes, quick) in KINDS.items():
        found[kind] = {}
        for size in sizes[:quick] if given.quick else sizes:
            print(f"{kind} {size:,} …", file=sys.stderr, flush=True)
            found[kind][size] = known.get(kind, {}).get(str(size)) or measured(kind, size)
            if path:
                path.write_text(json.dumps(found), "utf-8")
    print(table(found))
    if given.write:
        drawn(found)
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table(found)}\n\n{END}{rest.partition(END)[2]}", "utf-8")
    return None


if __name__ == "__main__":
    main()
