"""neuroport calibrate: ranges for chips, from what every array held in a run in real numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import (
    echo_json,
    echo_notices,
    echo_table,
    find_network,
    json_option,
    load_network,
    set_option,
    shown,
)
from neuroport.commands.run import Progress
from neuroport.commands.stopping import Stopping

if TYPE_CHECKING:
    from neuroport.api.calibrate import Calibration, Row


@click.command(short_help="Write ranges for chips into a network file, from a run in floating point.")
@click.argument("net", metavar="NET")
@click.option("--backend", default="emulator", show_default=True, metavar="B", help="What executes the program.")
@click.option("--for", "span", metavar="TIME", help="Run this long, without the protocol: '2 s', '500 steps'.")
@click.option("--seed", "seeds", type=int, multiple=True, metavar="N", help="Seed of a run; several count together.")
@click.option("--chip", metavar="CHIP", help="The chip whose steps are shown [default: the network's].")
@set_option
@click.option("-o", "--output", metavar="FILE.yaml", help="Write the network file with these ranges.")
@click.option("--overwrite", is_flag=True, help="Replace an existing file, be it NET itself.")
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Do not show how far the run is.")
def calibrate(
    net: str,
    backend: str,
    span: str | None,
    seeds: tuple[int, ...],
    chip: str | None,
    sets: tuple[str, ...],
    output: str | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a network in floating point and give every array the range that it needs on a chip.

    The ranges are shown, and with -o written into a copy of the network file that is otherwise as it was.
    """
    import neuroport

    network = load_network(net, sets)
    echo_notices(network)
    with Progress(network.name, show=not quiet) as bar, Stopping(()) as stopping:
        progress = stopping.watched(bar)
        result = neuroport.calibrate(find_network(net), sets, span, seeds, chip, output, overwrite, progress, backend)
    for text in notes(result):
        click.echo(f"note: {text}", err=True)
    if as_json:
        echo_json(dataclasses.asdict(result))
    else:
        _summary(result)


def _summary(result: Calibration) -> None:
    seeds = ", ".join(map(str, result.seeds))
    plural = "s" if len(result.seeds) > 1 else ""
    click.echo(f"{result.network}: {shown(result.steps)} steps in floating point, seed{plural} {seeds}")
    columns = ["array", "declared", "lowest", "highest", "range"]
    known = any(row.step_before or row.step_after for row in result.arrays)
    columns += [f"step on {result.chip}", "new step"] if known else []
    rows = [[*_seen(row), *((_step(row.step_before), _step(row.step_after)) if known else ())] for row in result.arrays]
    echo_table(columns, rows)
    if result.output is not None:
        click.echo(f"written    {result.output}")


def _seen(row: Row) -> list[Any]:
    new = _span(row.range, row.unit) if row.written else row.why
    return [row.array, _span(row.declared, row.unit), row.lowest, row.highest, new]


def _span(span: Sequence[float] | None, unit: str) -> str:
    return "-" if span is None else f"{span[0]:.6g}..{span[1]:.6g} {unit}".rstrip()


def _step(step: float | None) -> str:
    return "-" if step is None else f"{step:.3g}"


def notes(result: Calibration) -> list[str]:
    """What a person should know of arrays that stay without a range that fits, and of the chip."""
    still = [row.array for row in result.arrays if row.why == "no range"]
    notes = [f"{', '.join(still)}: never anything but 0, and so without a range; run longer"] if still else []
    endless = [row.array for row in result.arrays if row.why == "not finite"]
    notes += [f"{', '.join(endless)}: infinite or no number on the way; its range stays as it was"] if endless else []
    written = [row.array for row in result.arrays if row.why == "a host writes it"]
    notes += [f"{', '.join(written)}: a port writes what no run shows; give it a range by hand"] if written else []
    return notes + [f"on {result.chip} the network is refused all the same: {text}" for text in result.problems]
