"""Every learning rule on one bench: the same tasks, on ideal and short words, on chips whose weights deviate.

    python benchmarks/rules.py --out DIR [--jobs N] [--only REGEX] [--quick | --short | --tune] [--list]
    python benchmarks/rules.py --out DIR [--quick] [--table] [--figure]
    python benchmarks/rules.py --out DIR --write

A run is a file in DIR, which is written when the run is done, whole, and never again: the command can be ended at any
time and goes on where it was. Runs come in an order in which every rule has had every arithmetic and mismatch before
the rest of chips times seeds is done, which --short leaves out. --only: those whose file names match. --quick: one
seed, two chips, no mismatch or 20 %, and fewer epochs, in files of their own. --tune: tries learning rates, and writes
the best ones into benchmarks/rivals/rates.json, by which all others run. --list names what is missing. --table prints
tables of the files, --figure draws bench.png and bench_chips.png into DIR, and --write puts both into docs/bench.md and
docs/images/, if every rule and task that has a learning rate has a run in floating point. A run whose arithmetic fails
is kept with its error; what else goes wrong ends the bench, and nothing is kept of that run. Settings are part of the
names of files, models are not: where a model has changed, begin with a new folder. To do a run again, delete its file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.rivals import counting, entries, options, rates, store, workers
from benchmarks.rivals.cases import Case, Need, bench, named, needs, tuning
from benchmarks.rivals.running import run
from examples.arguments import ending
from neuroport.errors import InvalidInput, NeuroportError, NotWritten, Place

ENVIRONMENT = (NeuroportError, ArithmeticError, ImportError, MemoryError, OSError, RuntimeError, ValueError)
"""What goes wrong where a package is missing, memory is short or settings do not fit."""


def main(given: Sequence[str] | None = None) -> None:
    """Do what is missing of the runs, or tell of them."""
    parser = options.parser(__doc__)
    args = options.checked(parser, parser.parse_args(given))
    telling = args.table or args.figure or args.write
    kept = "" if telling or args.list else "; what is done is kept, and the same command goes on"
    with ending(parser, lambda: kept):
        try:
            (_tell if telling else _do_all)(args)
        except NotWritten as error:
            raise InvalidInput.one(error.place, error.text) from None


def _tell(args: argparse.Namespace) -> None:
    """Tables and figures of what is there."""
    from benchmarks.rivals import figures, page
    from benchmarks.rivals.found import gathered, lacking

    store.check(args.out)
    found = gathered(args.out, args.quick)
    more = f"python benchmarks/rules.py --out {args.out} --{'quick' if args.quick else 'short'}"
    if not found.runs:
        text = f"there is no {'quick' if args.quick else 'whole'} run of the present settings here; make some: {more}"
        raise InvalidInput.one(Place(str(args.out)), text)
    if args.write and (missing := lacking(found)):
        text = f"{len(missing)} of the rules and tasks that have a learning rate have no run in floating point"
        text += f" ({', '.join(missing[0])} is the first), and nothing was written; make them: {more}"
        raise InvalidInput.one(Place(str(args.out)), text)
    if args.table:
        print(page.tables(found, args.quick))
    drawn = [folder for folder, wanted in ((args.out, args.figure), (figures.FOLDER, args.write)) if wanted]
    for file in (file for folder in drawn for file in figures.draw(found, folder)):
        print(file)
    if args.write:
        page.write(found)
        print(page.PAGE)


def _do_all(args: argparse.Namespace) -> None:
    """Do what is missing, or name it."""
    store.check(args.out)
    chosen = rates.chosen(rates.known())
    wanted = _wanted(args, chosen)
    missing = {name: job for name, job in wanted.items() if not (args.out / name).exists()}
    if args.list:
        for name in missing:
            print(name)
        return
    store.prepare(args.out)
    jobs = [(args.out, name, job, chosen.get(job.rule, {}).get(job.task, 0.0)) for name, job in missing.items()]
    with closing(workers.done(do, jobs, args.jobs)) as lines:
        for line in lines:
            print(line, flush=True)
    if args.tune:
        rates.write(rates.choose(args.out, entries.rules().values(), rates.known()))


def _wanted(args: argparse.Namespace, chosen: rates.Chosen) -> dict[str, Case | Need]:
    """All that was asked for by the names of its files, in the order in which it is done."""
    rules = entries.rules()
    jobs: list[Case | Need] = (
        [*tuning(rules.values())]
        if args.tune
        else [*needs(rules.values()), *bench(rules.values(), args.quick, args.short)]
    )
    found = named(jobs, rules, chosen)
    if not found:
        raise InvalidInput.one(Place(str(rates.FILE)), "no rule has a learning rate; --tune chooses them")
    wanted = {name: job for name, job in found.items() if args.only is None or args.only.search(name)}
    if not wanted:
        text = f"--only: '{args.only.pattern}' is in none of the {len(found)} names, such as {next(iter(found))}"
        raise InvalidInput.one(None, text)
    return wanted


def do(folder: Path, name: str, job: Case | Need, chosen: float) -> str:
    """Do one job and keep it; a line that tells of it. Stopped, and nothing is kept, where that is not the rule's."""
    rule = entries.rules()[job.rule]
    try:
        found = counting.counted(rule, job.task, chosen) if isinstance(job, Need) else run(rule, job, chosen)
        store.keep(folder, name, found)
    except ENVIRONMENT as error:
        text = str(error) if isinstance(error, NeuroportError) else f"{type(error).__name__}: {error}"
        raise workers.Stopped(f"{name}: {text}") from error
    if isinstance(job, Need):
        return f"{name}: counted"
    if "error" in found:
        return f"{name}: {found['error']}"
    return f"{name}: {found['test'][-1]:.1f} %, {found['build_s'] + found['run_s']:.1f} s"


if __name__ == "__main__":
    main()
