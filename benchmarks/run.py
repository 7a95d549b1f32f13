"""How fast neuroport is, beside programs written by hand and every other simulator that is installed.

    python benchmarks/run.py --all | --quick | CASE… [--repeats N] [--json FILE] [--write]
                             [--brian2 PYTHON] [--loihi PYTHON] [--lava PYTHON]

One table: a row is a network, a cell the processor time of one contestant (median of repeats in which all take turns,
and the least), and how many times as long as ours it took; for the program written by hand, how many times as long ours
took. In brackets what that should be. Time by the clock is told where nobody else used the machine.

--quick leaves out what takes long. --write puts the table into docs/speed.md. --brian2, --loihi and --lava name the
Python of environments with Brian2 and with brian2-loihi, which need an older NumPy than neuroport has, and with Lava,
which needs Python 3.10; so do the variables BRIAN2_PYTHON, LOIHI_PYTHON and LAVA_PYTHON.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.peers import cases, copies, exact, networks, rest, starting, threads, units  # noqa: E402
from benchmarks.peers.cases import BRIAN, OURS, PROTOTYPE, Case, Setting  # noqa: E402
from benchmarks.peers.measuring import Cell, in_turns, machine  # noqa: E402

PAGE = ROOT / "docs" / "speed.md"
BEGIN, END = "<!-- python benchmarks/run.py --all --write -->", "<!-- end of the table -->"
BUILT = {"stdp_pair": 5, "published/potjans_diesmann": 5, "published/eprop": 5, "ring of 20": 5, "ring of 200": 10}
"""Networks that are built, and how many seconds that may take."""
CASES: dict[str, Callable[[Setting], Case]] = {
    "static-4k": lambda setting: cases.spiking(4_000, 1, setting),
    "static-20k": lambda setting: cases.spiking(20_000, 1, setting),
    "stdp-4k": lambda setting: cases.learning(4_000, setting),
    "stdp-20k": lambda setting: cases.learning(20_000, setting),
    "delays-4k": lambda setting: cases.spiking(4_000, 8, setting),
    "delays-20k": lambda setting: cases.spiking(20_000, 8, setting),
    "loihi-4k": functools.partial(exact.loihi, 4_000),
    "threads-static": functools.partial(threads.beside, lambda: networks.balanced(20_000), 1.5),
    "threads-delays": functools.partial(threads.beside, lambda: networks.balanced(20_000, 8), 1.5),
    "threads-stdp": functools.partial(threads.beside, lambda: networks.plastic(20_000), 1.5),
    "dense": cases.dense,
    "seldom-4k": functools.partial(rest.seldom, 4_000),
    "seldom-20k": functools.partial(rest.seldom, 20_000),
    "rest-static": functools.partial(rest.rest, "static"),
    "rest-stdp": functools.partial(rest.rest, "pair STDP"),
    "memory-static": functools.partial(cases.memory, "static, 8 bits", lambda: networks.balanced(4_000), "exc_exc", 4),
    "memory-plastic": functools.partial(
        cases.memory, "pair STDP, 16 bits", lambda: networks.plastic(4_000), "exc_exc", 12
    ),
    "sampling": units.few,
    "sampling-256": units.many,
    "copies": copies.whole,
    "copies-batch": copies.batch,
    "copies-preparation": copies.preparation,
    "second-run": starting.second,
    "help": starting.help_,
    "building-copies": starting.copies,
    **{f"building-{name}": functools.partial(starting.building, name, most) for name, most in BUILT.items()},
}
LONG = {
    "static-20k",
    "stdp-20k",
    "delays-20k",
    "loihi-4k",
    "threads-static",
    "threads-delays",
    "threads-stdp",
    "seldom-20k",
    *(f"building-{name}" for name in list(BUILT)[1:]),
}
REPEATS, QUICK = 9, 5
APART = {BRIAN: "--brian2", exact.LOIHI: "--loihi", exact.LAVA: "--lava"}
"""Those with an environment of their own, and the option that names it."""


@dataclass(frozen=True)
class Row:
    """What was measured of a case."""

    name: str
    what: str
    unit: str
    cells: dict[str, Cell]
    targets: dict[str, float]
    missing: dict[str, str]
    same: str

    def ratio(self, name: str) -> float:
        """How many times as long as ours a contestant took, or ours as the program written by hand."""
        ours, theirs = self.cells[OURS].median, self.cells[name].median
        return ours / theirs if name == PROTOTYPE else theirs / ours

    def reached(self, name: str) -> bool:
        """Whether the ratio is what it should be."""
        wanted = self.targets.get(name)
        if name == OURS:
            return wanted is None or self.cells[OURS].median <= wanted
        return wanted is None or (self.ratio(name) <= wanted if name == PROTOTYPE else self.ratio(name) >= wanted)

    def told(self, name: str) -> str:
        """A cell of the table."""
        if name not in self.cells:
            return "not installed" if name in self.missing else "-"
        cell = self.cells[name]
        text = number(cell.median) if len(cell.cpu) == 1 else f"{number(cell.median)} ({number(min(cell.cpu))})"
        wanted = self.targets.get(name)
        sign = "<=" if name in (OURS, PROTOTYPE) else ">="
        bar = f" [{sign} {wanted:g}]" if wanted is not None else ""
        ratio = "" if name == OURS else f" **{self.ratio(name):.2f} x**"
        return f"{text}{ratio}{bar}{'' if self.reached(name) else ' missed'}"

    def clock(self) -> str:
        """What ours took by the clock."""
        ours = self.cells[OURS]
        if len(ours.wall) == 1 or math.isnan(ours.wall[0]):
            return "-"
        return "not measured: busy" if ours.busy else number(sorted(ours.wall)[len(ours.wall) // 2])


def number(value: float) -> str:
    """Three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def row(name: str, case: Case, repeats: int) -> Row:
    """Measure a case."""
    often = 1 if case.once else min(repeats, case.most)
    cells, results = in_turns(case.contestants, often, case.scale, warm=not case.once)
    return Row(name, case.what, case.unit, cells, case.targets, case.missing, case.same(results))


def table(rows: Iterable[Row]) -> str:
    """The table, in Markdown."""
    rows = list(rows)
    others = list(dict.fromkeys(name for row in rows for name in [*row.cells, *row.missing] if name != OURS))
    head = ["what", "unit", "ours", "by the clock", *others, "the same?"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [row.what, row.unit, row.told(OURS), row.clock(), *(row.told(name) for name in others), row.same]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def written(page: str, text: str) -> str:
    """The page with another table."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--json", metavar="FILE", help="every repeat of everybody")
    parser.add_argument("--write", action="store_true", help="put the table into docs/speed.md")
    for option in APART.values():
        variable = f"{option.strip('-').upper()}_PYTHON"
        parser.add_argument(option, metavar="PYTHON", default=os.environ.get(variable), help=f"or {variable}")
    args = parser.parse_args(given)
    if unknown := [name for name in args.cases if name not in CASES]:
        parser.error(f"there is no case {unknown[0]!r}; there are {', '.join(CASES)}")
    if args.write and (args.cases or not args.all):
        parser.error("--write puts the whole table into the page; it needs --all, and no names of cases")
    if args.repeats is not None and args.repeats < 1:
        parser.error("--repeats: at least 1")
    if not (args.all or args.quick or args.cases):
        parser.error("say what to measure: --all, --quick or the names of cases")
    return args


def chosen(args: argparse.Namespace) -> list[str]:
    """The names of the cases that are asked for."""
    if args.cases:
        return list(args.cases)
    return [name for name in CASES if args.all or name not in LONG]


def pythons(args: argparse.Namespace) -> dict[str, str]:
    """The Python of each environment that was named."""
    named = {name: getattr(args, option.strip("-")) for name, option in APART.items()}
    return {name: python for name, python in named.items() if python}


def main(given: list[str] | None = None) -> int:
    """Print the table; 1 if programs that should compute the same do not."""
    args = arguments(given)
    repeats = args.repeats or (QUICK if args.quick else REPEATS)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen(args):
            print(f"{name} …", file=sys.stderr, flush=True)
            with contextlib.ExitStack() as closing:
                rows.append(row(name, CASES[name](Setting(folder, closing, pythons(args))), repeats))
    text = f"Processor time, median (least) of {repeats} repeats in turns. {machine()}.\n\n{table(rows)}"
    print(text)
    for reason in sorted({f"{name}: {why}" for row in rows for name, why in row.missing.items()}):
        print(reason)
    if args.json:
        Path(args.json).write_text(json.dumps([asdict(row) for row in rows], indent=1), "utf-8")
    if args.write:
        PAGE.write_text(written(PAGE.read_text("utf-8"), text), "utf-8")
    return int(any("DIFFERENT" in row.same for row in rows))


if __name__ == "__main__":
    sys.exit(main())
