"""Every learning rule on one bench: the same tasks, on ideal and short words, on chips whose weights deviate.

    python benchmarks/rules.py --out DIR [--jobs N] [--only REGEX] [--quick | --short | --tune] [--list]
    python benchmarks/rules.py --out DIR [--table] [--figure]

A run is a file in DIR, which is written when the run is done, whole, and never again: the command can be ended at any
time and goes on where it was. Runs come in an order in which every rule has had every arithmetic and mismatch before
the rest of chips times seeds is done, which --short leaves out. --only: those whose file names match. --quick: one
seed, two chips, no mismatch or 20 %, and fewer epochs, in files of their own. --tune: tries learning rates, and writes
the best ones into benchmarks/rivals/rates.json, by which all others run. --list names what is missing. --table and
--figure make the tables and figures of docs/bench.md of the files; with --quick tables are printed and figures are in
DIR. Settings are part of the names of files, models are not: where a model has changed, begin with a new folder. To do
a run again, delete its file.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rivals import counting, entries, rates, store
from benchmarks.rivals.cases import Case, Need, bench, named, needs, tuning
from benchmarks.rivals.running import run


def main(given: Sequence[str] | None = None) -> None:
    """Do what is missing of the runs, or tell of them."""
    args = _arguments(given)
    args.out.mkdir(parents=True, exist_ok=True)
    if args.table or args.figure:
        from benchmarks.rivals import figures, page

        if args.table and args.quick:
            print(page.look(args.out))
        elif args.table:
            page.write(args.out)
        if args.figure:
            figures.draw(args.out, args.quick)
        return
    missing = {name: job for name, job in _wanted(args).items() if not (args.out / name).exists()}
    if args.list:
        print("\n".join(missing))
        return
    store.clean(args.out)
    _work(args.out, missing, args.jobs)
    if args.tune:
        rates.write(rates.choose(args.out, entries.rules().values(), rates.known()))


def _wanted(args: argparse.Namespace) -> dict[str, Case | Need]:
    """All that was asked for by the names of its files, in the order in which it is done."""
    rules = entries.rules()
    jobs: list[Case | Need] = (
        [*tuning(rules.values())]
        if args.tune
        else [*needs(rules.values()), *bench(rules.values(), args.quick, args.short)]
    )
    found = named(jobs, rules, rates.chosen(rates.known()))
    return {name: job for name, job in found.items() if re.search(args.only, name)}


def _work(folder: Path, missing: dict[str, Case | Need], processes: int) -> None:
    """Do it, in so many processes."""
    chosen = rates.chosen(rates.known())
    if processes == 1:
        for name, job in missing.items():
            print(do(folder, name, job, chosen.get(job.rule, {}).get(job.task, 0.0)), flush=True)
        return
    with ProcessPoolExecutor(processes) as pool:
        waiting = [
            pool.submit(do, folder, name, job, chosen.get(job.rule, {}).get(job.task, 0.0))
            for name, job in missing.items()
        ]
        for done in as_completed(waiting):
            print(done.result(), flush=True)


def do(folder: Path, name: str, job: Case | Need, chosen: float) -> str:
    """Do one job and keep it; a line that tells of it."""
    rule = entries.rules()[job.rule]
    if isinstance(job, Need):
        store.keep(folder, name, counting.counted(rule, job.task, chosen))
        return f"{name}: counted"
    found = run(rule, job, chosen)
    store.keep(folder, name, found)
    if "error" in found:
        return f"{name}: {found['error']}"
    return f"{name}: {found['test'][-1]:.1f} %, {found['build_s'] + found['run_s']:.1f} s"


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="")
    for flag in ("quick", "short", "tune", "list", "table", "figure"):
        parser.add_argument(f"--{flag}", action="store_true")
    return parser.parse_args(given)


if __name__ == "__main__":
    main()
