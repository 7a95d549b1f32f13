"""neuroport run: run a network, show how far it is, and print what came out."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.choice import tell_choice
from neuroport.commands.common import (
    chosen_chip,
    device_option,
    duration,
    echo_json,
    echo_notices,
    genn_option,
    json_option,
    load_network,
    memory_option,
    mismatch_option,
    read_seeds,
    set_option,
)
from neuroport.commands.copies import Seeds, chosen_copies, sharing
from neuroport.commands.notices import strict_option
from neuroport.commands.resuming import alone, due_every, named, taken
from neuroport.commands.stopping import ENDED, Stopping
from neuroport.commands.summary import fields, fields_of_copies, summary, summary_of_copies
from neuroport.errors import NotWritten

if TYPE_CHECKING:
    from neuroport.api.executor import Choice
    from neuroport.api.run import Run
    from neuroport.program.machine import Program

LINE_EVERY = 10.0
LONG = 600.0
"""A run that will take more than so many seconds says so as soon as its pace is known,"""
KNOWN_AFTER = 1.0
"""that is after so many."""


@click.command()
@click.argument("net", metavar="NET", required=False)
@click.option(
    "--backend",
    default="emulator",
    show_default=True,
    metavar="B",
    help="What executes the program; auto: chosen by what there is to compute.",
)
@device_option
@genn_option
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="K",
    help="Threads of the emulator; the results are the same.",
)
@click.option("--chip", metavar="CHIP", help="A chip's name or description file [default: the network's].")
@mismatch_option
@click.option(
    "--chip-seed",
    callback=read_seeds,
    metavar="N",
    help="Manufacture a deviating chip from this seed; FIRST:END: several, all with one run seed.",
)
@click.option("--chip-instance", metavar="FILE", help="Use the manufactured chip stored in this file.")
@click.option(
    "--seed",
    callback=read_seeds,
    metavar="N",
    help="Seed of the run [default: the network's]; FIRST:END: each of these.",
)
@click.option(
    "--copies",
    type=click.IntRange(1),
    metavar="N",
    help="Copies of the network [default: its own number]; copy k adds k to the seed of the run.",
)
@set_option
@click.option("--for", "span", metavar="TIME", help="Run this long, without the protocol: '2 s', '500 steps'.")
@click.option("-o", "--output", metavar="FILE.h5", help="Write a trace of what the network records.")
@click.option("--overwrite", is_flag=True, help="Replace an existing trace.")
@click.option(
    "--checkpoint-every",
    "every",
    metavar="TIME|N",
    help="Also write what the run can go on from after a kill: by the clock, '10 min', or every N steps; needs -o.",
)
@click.option(
    "--resume", "stopped", metavar="FILE.h5", help="Go on with the run that was stopped while it wrote FILE.h5."
)
@memory_option
@strict_option
@json_option
@click.option("--profile", is_flag=True, help="Tell what the time was spent on; one run, which writes nothing.")
@click.option("-q", "--quiet", is_flag=True, help="Do not show how far the run is.")
@click.pass_context
def run(
    ctx: click.Context,
    net: str | None,
    backend: str,
    device: str | None,
    genn: tuple[str, ...],
    threads: int,
    chip: str | None,
    mismatch: tuple[str, ...],
    chip_seed: int | range | None,
    chip_instance: str | None,
    seed: int | range | None,
    copies: int | None,
    sets: tuple[str, ...],
    span: str | None,
    output: str | None,
    overwrite: bool,
    every: str | None,
    stopped: str | None,
    strict: bool,
    as_json: bool,
    profile: bool,
    quiet: bool,
) -> None:
    """Run a network and print its metrics, spikes and digest.

    A run with -o that is interrupted (Ctrl-C, SIGTERM, SIGHUP) can be gone on with: --resume FILE.h5. It has its
    network, chip and seeds from there; with NET, it is also made sure that it is still the same.
    """
    import neuroport
    from neuroport.commands import notices
    from neuroport.network.network import can_share

    if profile:
        from neuroport.commands.profile import profile_run

        profile_run(ctx)
        return
    due = due_every(every, output if stopped is None else stopped)
    if stopped is not None:
        alone(ctx)
    elif net is None:
        raise click.UsageError("Missing argument 'NET'.")
    elif output is not None and copies is None and not isinstance(seed, range) and not isinstance(chip_seed, range):
        from neuroport.trace.segments import check_trace

        check_trace(output, overwrite)
    given = None if net is None else load_network(net, sets)
    told: list[dict[str, Any]] = []
    chosen: list[Choice] = []

    def choice(made: Choice) -> None:
        chosen.append(made)
        if not (quiet or as_json):
            tell_choice(made)

    def before(program: Program) -> None:
        told.extend(notices.as_json(program))
        notices.tell(program, net or program.name, strict)

    several: tuple[Seeds, Seeds | None] | None = None
    if stopped is not None:
        network, resumption = taken(given, span, stopped, overwrite)
    else:
        assert given is not None
        network, resumption = given, None
    echo_notices(network)
    deviating = chosen_chip(network, chip, mismatch, chip_instance, chip_seed is not None)
    if can_share(network):
        network = sharing(network, copies, seed, chip_seed) if resumption is None else network
    elif resumption is None:
        several = chosen_copies(network, copies, seed, chip_seed)
    if several and chip_instance is not None:
        raise click.UsageError("--chip-instance is one chip; copies take --chip-seed N or FIRST:END.")
    if several and threads > 1:
        raise click.UsageError("--threads goes with one run; several are computed beside each other without it.")
    if several and genn:
        raise click.UsageError("--genn goes with one run, or with copies that share what they learn; leave it out.")
    if several and due is not None:
        raise click.UsageError("--checkpoint-every goes with one run; copies that are interrupted are begun again.")

    common: dict[str, Any] = {"duration": span, "trace": output, "overwrite": overwrite, "device": device}
    common |= {"before": before, "choice": choice}

    def runs(progress: Callable[[int, int], None]) -> Sequence[Run]:
        if resumption is not None:
            return [resumption.run(named(ctx, backend), progress, device, before, due, threads, choice, genn)]
        if several:
            seeds, specimens = several
            return neuroport.run_copies(network, seeds, backend, deviating, specimens, progress=progress, **common)
        assert not isinstance(seed, range)
        assert not isinstance(chip_seed, range)
        more: dict[str, Any] = {"progress": progress, "due": due, "threads": threads, "genn": genn, **common}
        return [neuroport.run(network, backend, deviating, chip_seed, chip_instance, seed, **more)]

    failure: NotWritten | None = None
    with Stopping(_traces(stopped or output, several)) as stopping:
        try:
            with Progress(network.name, show=not quiet) as bar:
                results = runs(stopping.watched(bar))
        except KeyboardInterrupt as error:
            click.echo(f"interrupted {bar.reached}", err=True)
            for note in getattr(error, "__notes__", ()):
                click.echo(note, err=True)
            stopping.over()
            ctx.exit(ENDED + stopping.number)
        except NotWritten as error:
            if not error.results:
                raise
            results, failure = error.results, error
        stopping.ended()
        if as_json:
            made = chosen[0]
            echo_json(
                fields_of_copies(results, network, told, made) if several else fields(results[0], network, told, made)
            )
        elif several:
            summary_of_copies(results, network)
        else:
            summary(results[0], network)
        stopping.over()
    if strict:
        for result in results:
            notices.refuse_ends(result.overflows)
            notices.refuse_lost(result.not_finite)
    if failure is not None:
        raise failure


def _traces(output: str | None, several: tuple[Seeds, Seeds | None] | None) -> Iterator[Path]:
    """The traces that the run, or several, will write."""
    from neuroport.api.copies import trace_of

    if output is not None and several is None:
        yield Path(output)
    elif output is not None and several is not None:
        yield from (trace_of(output, k) for k in range(max(len(s) for s in several if isinstance(s, Sequence))))


class Progress:
    """Tells on stderr how far a run is: a bar on a terminal, else a line every ten seconds.

    `even_after`: from this step on its pace is that of the rest; how long that takes is not said before.
    """

    def __init__(self, name: str, show: bool = True, even_after: int = 0) -> None:
        self.done, self.total = 0, 0
        self._name, self._show, self._even_after = name, show, even_after
        self._first, self._told = 0, False
        self._started = self._last = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        if self._show and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task(self._name, total=None, rate="building")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` steps are computed."""
        now = time.monotonic()
        if not self.total:
            self._last = now
        if not self.total or self.done < self._even_after <= done:
            self._started, self._first = now, done
        self.done, self.total = done, total
        rate = (done - self._first) / (now - self._started) if now > self._started else 0.0
        left = (total - done) / rate if rate and done >= self._even_after else math.inf
        if self._show and not self._told and now - self._started >= KNOWN_AFTER and left < math.inf:
            self._told = True
            if left > LONG:
                self._say(f"{total:,} steps at {rate:,.0f}/s will take about {duration(left)}; Ctrl-C ends the run")
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, rate=f"{rate:,.0f} steps/s")
        elif self._show and now - self._last >= LINE_EVERY:
            self._last = now
            share = done / max(total, 1)
            remain = duration(left) if left < math.inf else "?"
            self._say(f"{done:,} of {total:,} steps ({share:.0%}), {rate:,.0f}/s, {remain} left")

    @property
    def reached(self) -> str:
        """How far it came: "after 5 of 10 steps"."""
        return f"after {self.done:,} of {self.total:,} steps" if self.done else "before the first step"

    def _say(self, text: str) -> None:
        """A line on stderr, above the bar if there is one."""
        line = f"{self._name}: {text}"
        if self._bar is not None:
            self._bar.console.print(line, highlight=False, markup=False)
        else:
            with suppress(OSError):  # nobody listens any more, and the run goes on
                click.echo(line, err=True)
