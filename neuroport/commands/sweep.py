"""neuroport sweep: run a network at all points of a grid, go on with what is missing, and tell what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from neuroport.commands.common import echo_json, echo_notices, echo_table, find_network
from neuroport.commands.sweep_progress import SweepProgress
from neuroport.errors import InvalidInput, Place, Problem
from neuroport.pages.plain import some

if TYPE_CHECKING:
    from neuroport.sweeps.asked import Asked
    from neuroport.sweeps.planned import Planned
    from neuroport.sweeps.table import Table

FAILED = 1
"""What a sweep ends with of which points failed."""
RUN = "run"
"""The running of a sweep among the commands of the group; nobody has to write it."""
OF_THE_GRID = ("sets", "chip", "chip_seed", "seed", "span", "backend", "wanted", "traces")
"""What a file of a sweep says itself."""
SHOWN = 20
"""So many points are told by --dry-run, and so many that failed after a sweep."""


class _Sweep(click.Group):
    """A group of which everything that names none of its commands is the running of a sweep."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """The arguments, with the name of the command that runs before those that name none."""
        helps = set(ctx.help_option_names)
        if args and args[0] not in self.commands and args[0] not in helps:
            args = [RUN, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and what a sweep can be of."""
        of_a_sweep = self.commands[RUN].params[0].shell_complete(ctx, incomplete)
        return [*super().shell_complete(ctx, incomplete), *of_a_sweep]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Those that are called by a name."""
        return [name for name in super().list_commands(ctx) if name != RUN]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """How the running of a sweep, and the others, are called."""
        formatter.write_usage(ctx.command_path, "NET|SWEEP.yaml -o FOLDER [OPTIONS]")
        formatter.write_usage(ctx.command_path, "table|plot FOLDER [OPTIONS]", prefix="       ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of the running of a sweep, and the other commands."""
        running = self.commands[RUN]
        inner = click.Context(running, info_name=RUN, parent=ctx)
        running.format_options(inner, formatter)
        self.format_commands(ctx, formatter)


class _Context(click.Context):
    """That of the running of a sweep, which is called by the name of the group."""

    @property
    def command_path(self) -> str:
        """As it is written on a command line."""
        assert self.parent is not None
        return self.parent.command_path


class _Running(click.Command):
    """The running of a sweep."""

    context_class = _Context


@click.group(cls=_Sweep, short_help="Run a network at all points of a grid, in several processes.")
def sweep() -> None:
    """Run a network at all points of a grid of settings, chips, specimens and seeds, each in a process of its own.

    The grid is what --set, --chip, --chip-seed and --seed list, or a file SWEEP.yaml says (docs/sweeps.md). A line for
    each point goes to FOLDER/runs.jsonl as soon as it has ended. A point that fails stops no other; the exit code is 1
    then. The same command goes on with what is missing, whatever ended it.
    """


@sweep.command(RUN, cls=_Running, hidden=True)
@click.argument("net", metavar="NET|SWEEP.yaml")
@click.option("-o", "--output", metavar="FOLDER", help="Where the results go; a folder of its own.")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="PATH=VALUES",
    help="Values of a setting, e.g. recurrent.eta_s=[0,0.02]; a value that is a list: [[1, 2]].",
)
@click.option("--chip", multiple=True, metavar="CHIP", help="A chip, any number of times [default: the network's].")
@click.option("--chip-seed", metavar="SEEDS", help="Specimens of deviating chips: 3, 1,2,5 or FIRST:END.")
@click.option("--seed", metavar="SEEDS", help="Seeds of the runs: 3, 1,2,5 or FIRST:END [default: the network's].")
@click.option("--for", "span", metavar="TIME", help="Run each this long, without the protocol: '2 s', '500 steps'.")
@click.option("--backend", default="emulator", show_default=True, metavar="B", help="What executes the programs.")
@click.option(
    "--yield",
    "wanted",
    multiple=True,
    metavar="CONDITION",
    help="What a chip that works fulfils, e.g. 'dkl < 0.03', by the last value of a metric; several must all hold.",
)
@click.option("--traces", is_flag=True, help="Keep a trace of every run, in FOLDER/traces.")
@click.option(
    "--workers", type=click.IntRange(1), metavar="N", help="Processes that run points [default: one a processor]."
)
@click.option("--scheduler", metavar="ADDRESS", help="Run on the cluster of this scheduler of Dask: tcp://HOST:8786.")
@click.option("--time-limit", metavar="TIME", help="End a point that takes longer by the clock: '30 s', '10 min'.")
@click.option("--memory-limit", metavar="SIZE", help="End a point whose process takes more memory: 2GiB.")
@click.option("--retry-failed", is_flag=True, help="Also run points again that failed, were killed, or took too long.")
@click.option("--dry-run", is_flag=True, help="Only check all, and tell what would be run.")
@click.option("-q", "--quiet", is_flag=True, help="Do not show how far the sweep is.")
@click.pass_context
def run(
    ctx: click.Context,
    /,
    net: str,
    output: str | None,
    workers: int | None,
    scheduler: str | None,
    time_limit: str | None,
    memory_limit: str | None,
    retry_failed: bool,
    dry_run: bool,
    quiet: bool,
    **grid: Any,
) -> None:
    """Run what is missing of a sweep."""
    from neuroport.sweeps.planned import planned

    if scheduler is not None and workers is not None:
        raise click.UsageError("--scheduler has workers of its own; leave --workers out.")
    if output == "" or (output is None and not dry_run):
        raise click.UsageError("say where the results go, with -o FOLDER; --dry-run only tells what would be run.")
    asked = _asked(ctx, net, grid, time_limit, memory_limit)
    plan = planned(asked)
    for note in plan.notes:
        click.echo(f"note: {note}", err=True)
    echo_notices(plan)
    if dry_run:
        _tell_plan(plan, None if output is None else Path(output), retry_failed)
        return
    assert output is not None
    _run(plan, Path(output), workers, scheduler, retry_failed, quiet)
    ctx.exit(_tell(Path(output)))


def _run(plan: Planned, folder: Path, workers: int | None, scheduler: str | None, retry: bool, quiet: bool) -> None:
    """Run the sweep, and show how far it is; one that is interrupted says how it is gone on with."""
    from contextlib import closing

    from neuroport.sweeps import sweep as sweeps

    with SweepProgress(plan.name, not quiet) as progress:
        try:
            with closing(sweeps.run(plan, folder, workers, scheduler, retry)) as states:
                for state in states:
                    progress(state)
        except KeyboardInterrupt as error:
            error.add_note(f"{_reached(folder)}; the same command goes on with the others")
            raise


def _reached(folder: Path) -> str:
    """How far a sweep came that was ended."""
    from neuroport.sweeps.sweep import table

    try:
        found = table(folder)
    except InvalidInput:  # the folder was not made yet
        return "no point was begun"
    return f"{len(found):,} of {found.total:,} points have ended"


def _tell(folder: Path) -> int:
    """Print what came out; the exit code that this is."""
    from neuroport.sweeps.sweep import table

    found = table(folder)
    _tell_table(found)
    failed = [row for row in found.rows if row["status"] != "done"]
    for row in failed[:SHOWN]:
        settings = ", ".join(f"{name} {row[name]}" for name in found.axes if row[name] is not None)
        click.echo(f"error: {row['status']}: {settings or 'the point'}: {_one_line(row['error'])}", err=True)
    if len(failed) > SHOWN:
        click.echo(f"error: {len(failed) - SHOWN:,} more points failed; their lines have the reasons", err=True)
    if failed:
        click.echo("note: --retry-failed runs points that failed once more", err=True)
    return FAILED if failed else 0


def _one_line(text: str | None) -> str:
    lines = (text or "").splitlines()
    return f"{lines[0]} (and {len(lines) - 1} more)" if len(lines) > 1 else "".join(lines)


def _tell_table(found: Table) -> None:
    from neuroport.sweeps import told

    click.echo(f"{found.network}: {told.counts(found)}")
    for text in (*told.conditions(found), *told.notes(found)):
        click.echo(text)
    columns, rows = told.lines(found)
    if columns != ["done"]:
        echo_table(columns, rows[: told.MOST_ROWS])
    if len(rows) > told.MOST_ROWS:
        click.echo(f"  and {len(rows) - told.MOST_ROWS:,} more; neuroport sweep table FOLDER -o FILE.csv has all runs")
    if times := found.times:
        click.echo(f"took       {times[0]:.3g} s to build and {times[1]:.3g} s to run, all points together")


def _tell_plan(plan: Planned, folder: Path | None, retry: bool) -> None:
    """What would be run."""
    from neuroport.sweeps import folder as folders
    from neuroport.sweeps.sweep import missing

    there: dict[str, str] = {}
    if folder is not None:
        folders.check(folder, plan.name)
        there = {key: row["status"] for key, row in folders.read(folder).items()}
    left = missing(plan.jobs, there, retry)
    for one in plan.asked.axes:
        values = one.values
        listed = f"{values[0]} to {values[-1]}" if isinstance(values, range) else some([str(v) for v in values])
        click.echo(
            f"  {one.column}: {len(values):,} values: {listed}" if len(values) > 1 else f"  {one.column}: {listed}"
        )
    settings = len(plan.settings)
    click.echo(f"{plan.name}: {len(plan.jobs):,} points, of which {len(left):,} would be run")
    click.echo(f"  the network was read with {settings:,} combination{'s' if settings != 1 else ''} of settings")


# ------------------------------------------------------------------------------------------------------ what is asked


def _asked(
    ctx: click.Context, net: str, grid: dict[str, Any], time_limit: str | None, memory_limit: str | None
) -> Asked:
    """The sweep that a file or options say, with the limits of options."""
    from dataclasses import replace

    from neuroport.commands.resuming import is_given
    from neuroport.sweeps import reading
    from neuroport.sweeps.sweep import limits

    problems: list[Problem] = []
    given = limits(time_limit, memory_limit, problems)
    path = Path(net)
    if path.suffix in (".yaml", ".yml") and path.is_file() and reading.is_sweep(path):
        names = {p.name: p.opts[0] for p in ctx.command.params}
        double = [names[name] for name in OF_THE_GRID if is_given(ctx, name)]
        if double:
            raise click.UsageError(f"'{net}' says what the grid is; leave {', '.join(double)} out, or change the file.")
        asked = reading.read(path)
        own = asked.limits
        seconds = own.seconds if given.seconds is None else given.seconds
        memory = own.memory if given.memory is None else given.memory
        asked = replace(asked, limits=replace(own, seconds=seconds, memory=memory))
    else:
        asked = replace(_of_options(net, grid, problems), limits=given)
    if problems:
        raise InvalidInput(problems)
    return asked


def _of_options(net: str, grid: dict[str, Any], problems: list[Problem]) -> Asked:
    from neuroport.sweeps.asked import Asked, Condition, FromFile
    from neuroport.sweeps.grid import PREFIX, Axis, Wrong, axis
    from neuroport.yaml.fields import Report

    axes: list[Axis] = []

    def add(name: str, given: Any, option: str) -> None:
        try:
            axes.append(axis(name, given, Place(option)))
        except Wrong as error:
            problems.append(Problem(Place(option), f"it {error}"))

    report = Report()
    for path, value in _settings(report, grid["sets"]):
        add(f"{PREFIX}{path}", value, f"--set {path}")
    problems += report.problems
    if grid["chip"]:
        add("chip", list(grid["chip"]), "--chip")
    for name in ("chip_seed", "seed"):
        if grid[name] is not None:
            add(name, _seeds(grid[name]), f"--{name.replace('_', '-')}")
    wanted: list[Condition] = []
    for text in grid["wanted"]:
        metric = text.split("<")[0].split(">")[0]
        try:
            wanted.append(Condition.of(metric.strip(), text.removeprefix(metric), Place("--yield")))
        except Wrong:
            say = f"'{text}' is no condition; write METRIC, a sign (<, <=, >, >=) and a number, such as 'dkl < 0.03'"
            problems.append(Problem(Place("--yield"), say))
    source, span = FromFile(find_network(net)), grid["span"]
    made = {"backend": grid["backend"], "wanted": tuple(wanted), "traces": grid["traces"]}
    return Asked(source=source, axes=tuple(axes), duration=span, **made)


def _settings(report: Any, sets: Sequence[str]) -> Any:
    from neuroport.files.overrides import written
    from neuroport.sweeps.grid import written as plain

    for path, node in written(report, sets):
        yield path, plain(node)


def _seeds(text: str) -> Any:
    """Seeds as they are written after an option: 3, 1,2,5 or FIRST:END."""
    if "," not in text:
        return int(text) if text.strip().isdecimal() else text
    return [int(one) if one.strip().isdecimal() else one for one in text.split(",")]


# ------------------------------------------------------------------------------------------------------ what came out


@sweep.command("table", short_help="What came out: a line for each grid point, or a file with all runs.")
@click.argument("folder", metavar="FOLDER")
@click.option("-o", "--output", metavar="FILE.csv", help="Write a row for every run: FILE.csv or FILE.parquet.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
@click.option("--json", "as_json", is_flag=True, help="Print all rows and grid points as one JSON object.")
def table_command(folder: str, output: str | None, overwrite: bool, as_json: bool) -> None:
    """Tell what came out of a sweep, whole or not: median and quartiles of each metric, and the yield.

    The yield is the share of specimens that fulfil all conditions in all of their runs (on a chip as designed: of
    runs), with Wilson's interval of 95 %. Specimens with a run that is not done, or that never measured one of the
    metrics of the conditions, do not count.
    """
    from neuroport.sweeps import written
    from neuroport.sweeps.sweep import table

    if output is not None:
        written.check(output, overwrite)
    found = table(folder)
    if as_json:
        echo_json(found.as_dict())
    else:
        _tell_table(found)
    if output is not None:
        written.write(found, output, overwrite)
        click.echo(output, err=as_json)


@sweep.command("plot", short_help="Draw the metrics of a sweep over its settings.")
@click.argument("folder", metavar="FOLDER")
@click.option("-o", "--output", required=True, metavar="OUT.png", help="The picture; PNG, PDF or SVG by its ending.")
@click.option("--metrics", metavar="LIST", help="Which metrics are drawn.  [default: all that are one number]")
@click.option("--over", metavar="NAME", help="The column on the horizontal axis.  [default: the first with values]")
@click.option("--size", metavar="WxH", help="Width and height in inches, such as 8x6.")
@click.option("--style", default="light", show_default=True, help="light, dark, or a style of matplotlib.")
@click.option("--overwrite", is_flag=True, help="Replace an existing picture.")
def plot_command(
    folder: str,
    output: str,
    metrics: str | None,
    over: str | None,
    size: str | None,
    style: str,
    overwrite: bool,
) -> None:
    """Draw each metric over a setting, a point for every run and the median with quartiles; and the yield."""
    from neuroport.commands.plot import listed, size_of
    from neuroport.disk.output import check_output
    from neuroport.sweeps import pictures
    from neuroport.sweeps.sweep import table
    from neuroport.trace.pictures import figure

    check_output(output, overwrite, "a picture", (".png", ".pdf", ".svg"), replaces=figure.may_be_picture)
    drawn = pictures.drawn(table(folder), listed(metrics), over, None if size is None else size_of(size), style)
    figure.save(drawn, output)
    click.echo(output)
