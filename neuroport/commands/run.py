"""neuroport run: run a network, show how far it is, and print what came out."""

from __future__ import annotations

import dataclasses
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import (
    chosen_chip,
    device_option,
    duration,
    echo_json,
    echo_notices,
    echo_table,
    json_option,
    load_network,
    mismatch_option,
    read_seed,
    set_option,
    shown,
)
from neuroport.commands.notices import strict_option

if TYPE_CHECKING:
    from neuroport.api.run import Run
    from neuroport.network.network import Network
    from neuroport.program.machine import Program

LINE_EVERY = 10.0


@click.command()
@click.argument("net", metavar="NET")
@click.option("--backend", default="emulator", show_default=True, metavar="B", help="What executes the program.")
@device_option
@click.option("--chip", metavar="CHIP", help="A chip's name or description file [default: the network's].")
@mismatch_option
@click.option("--chip-seed", metavar="N", help="Manufacture a deviating chip from this seed; FIRST:END for copies.")
@click.option("--chip-instance", metavar="FILE", help="Use the manufactured chip stored in this file.")
@click.option(
    "--seed", callback=read_seed, metavar="N", help="Seed of the run [default: the network's]; copy k adds k."
)
@click.option("--copies", type=click.IntRange(1), metavar="N", help="Copies of the network [default: its own number].")
@set_option
@click.option("--for", "span", metavar="TIME", help="Run this long, without the protocol: '2 s', '500 steps'.")
@click.option("-o", "--output", metavar="FILE.h5", help="Write a trace of what the network records.")
@click.option("--overwrite", is_flag=True, help="Replace an existing trace.")
@strict_option
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Do not show how far the run is.")
@click.pass_context
def run(
    ctx: click.Context,
    net: str,
    backend: str,
    device: str | None,
    chip: str | None,
    mismatch: tuple[str, ...],
    chip_seed: str | None,
    chip_instance: str | None,
    seed: int | None,
    copies: int | None,
    sets: tuple[str, ...],
    span: str | None,
    output: str | None,
    overwrite: bool,
    strict: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a network and print its metrics, spikes and digest."""
    import neuroport
    from neuroport.commands import notices
    from neuroport.network.network import can_share

    if output is not None:
        from neuroport.trace.segments import check_output

        check_output(output, overwrite)
    chip_seeds = seed_range(chip_seed)
    network = load_network(net, sets)
    echo_notices(network)
    deviating = chosen_chip(network, chip, mismatch, chip_instance, bool(chip_seeds))
    count = copies or (len(chip_seeds) if ":" in (chip_seed or "") else network.copies)
    if can_share(network):
        if ":" in (chip_seed or ""):
            raise click.UsageError("copies that share what they learn are on one chip: --chip-seed takes one number.")
        network, count = dataclasses.replace(network, copies=count), 1
    told: list[dict[str, Any]] = []

    def before(program: Program) -> None:
        told.extend(notices.as_json(program))
        notices.tell(program, net, strict)

    common: dict[str, Any] = {"duration": span, "trace": output, "overwrite": overwrite, "device": device}
    common["before"] = before
    try:
        with Progress(network.name, show=not quiet) as progress:
            if count == 1 and len(chip_seeds) < 2:
                one = chip_seeds[0] if chip_seeds else None
                result = neuroport.run(
                    network, backend, deviating, one, chip_instance, seed, progress=progress, **common
                )
                results = [result]
            else:
                if chip_instance is not None:
                    raise click.UsageError("--chip-instance is one chip; copies take --chip-seed FIRST:END.")
                first = network.seed if seed is None else seed
                seeds = range(first, first + count)
                results = list(
                    neuroport.run_copies(network, seeds, backend, deviating, chip_seeds, progress=progress, **common)
                )
    except KeyboardInterrupt:
        click.echo(f"interrupted after {progress.done:,} of {progress.total:,} steps", err=True)
        from pathlib import Path

        if output is not None and Path(output).exists():
            click.echo(f"what was recorded until then is in {output}, marked incomplete", err=True)
        ctx.exit(1)
    if as_json:
        fields = [_fields(result, network) | {"chip_notices": told} for result in results]
        echo_json(fields[0] if count == 1 else {"network": network.name, "copies": fields})
    else:
        for k, result in enumerate(results):
            if count > 1:
                click.echo(f"copy {k}")
            summary(result, network)
    if strict:
        for result in results:
            notices.refuse_ends(result.overflows)


def seed_range(text: str | None) -> list[int]:
    """The seeds that "N" or "FIRST:END" (END is not in it) stand for; none for None."""
    if text is None:
        return []
    first, colon, end = text.partition(":")
    try:
        seeds = list(range(int(first or 0), int(end))) if colon else [int(first)]
    except ValueError:
        seeds = []
    if not seeds:
        raise click.UsageError(f"--chip-seed takes a whole number, or FIRST:END such as 0:10; found '{text}'.")
    return seeds


def _fields(result: Run, network: Network) -> dict[str, Any]:
    fields = dataclasses.asdict(dataclasses.replace(result, report=()))
    del fields["report"]
    fields["notices"] = [{"models": models, "text": text} for text, models in network.notices.items()]
    return fields


def summary(result: Run, network: Network) -> None:
    """Print a run for people."""
    chip = result.chip if result.chip_seed is None else f"{result.chip}, chip seed {result.chip_seed}"
    seconds = result.steps * result.dt / 1000
    copies = f", {shown(result.copies)} copies" if result.copies > 1 else ""
    first = f"{result.network} on {chip} ({result.arithmetic}), backend {result.backend}, seed {result.seed}"
    click.echo(f"{first}{copies}")
    _metrics(result, network)
    spikes = [[name, count, f"{result.rates[name]:.4g} Hz"] for name, count in result.spikes.items()]
    echo_table(("population", "spikes", "mean rate"), spikes)
    overflows = [[name, count] for name, count in result.overflows.items() if count]
    echo_table(("array", "stores out of range"), overflows)
    click.echo(f"simulated  {shown(result.steps)} steps ({shown(seconds)} s)")
    click.echo(f"took       {duration(result.build_s)} to build, {duration(result.run_s)} to run")
    click.echo(f"digest     {result.digest}")
    if result.trace is not None:
        click.echo(f"trace      {result.trace}")


def _metrics(result: Run, network: Network) -> None:
    """Each metric at its first and last measurement; one value where none was measured more often than once."""
    if any(len(values) > 1 for values in result.metrics.values()):
        columns = ["metric", "measured", "first", "at step", "last", "at step"]
        rows = [[name, len(v), *_measured(v, 0), *_measured(v, -1)] for name, v in result.metrics.items()]
    else:
        columns = ["metric", "value", "at step"]
        rows = [[name, *_measured(v, 0)] for name, v in result.metrics.items()]
    echo_table(columns, rows)
    from neuroport.network.protocol import Measure, walk

    measures = [item for item in walk(network.protocol) if isinstance(item, Measure)]
    for name in (name for name, values in result.metrics.items() if not values):
        named = any(name in item.metrics or not item.metrics for item in measures)
        why = "the protocol ended before its first measure item" if named else "no measure item names it"
        click.echo(f"  {name} was not measured: {why}")


def _measured(values: list[tuple[int, Any]], index: int) -> tuple[Any, Any]:
    if not values:
        return "-", "-"
    step, value = values[index]
    return value, step


class Progress:
    """Tells on stderr how far a run is: a bar on a terminal, else a line every ten seconds."""

    def __init__(self, name: str, show: bool = True) -> None:
        self.done, self.total = 0, 0
        self._name, self._show = name, show
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
            self._started = self._last = now
        self.done, self.total = done, total
        rate = done / (now - self._started) if now > self._started else 0.0
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total, rate=f"{rate:,.0f} steps/s")
        elif self._show and now - self._last >= LINE_EVERY:
            self._last = now
            left = duration((total - done) / rate) if rate else "?"
            share = done / max(total, 1)
            click.echo(f"{self._name}: {done:,} of {total:,} steps ({share:.0%}), {rate:,.0f}/s, {left} left", err=True)
