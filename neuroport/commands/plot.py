"""neuroport plot: a picture of traces."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from neuroport.commands.common import milliseconds
from neuroport.errors import InvalidInput, Place


@click.command()
@click.argument("traces", metavar="FILE.h5...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="OUT.png", help="The picture; PNG, PDF or SVG by its ending.")
@click.option(
    "--panels",
    metavar="LIST",
    help="What is drawn: spikes, rates, states, weights, metrics, matrix, distribution.  "
    "[default: what there is of spikes, states, weights, metrics; of several traces of rates, weights, metrics]",
)
@click.option("--populations", metavar="LIST", help="Whose spikes, rates and states.  [default: all]")
@click.option("--neurons", metavar="LIST", help="Which of their neurons, such as 3,7 or 0:10 (0 to 9).")
@click.option("--from", "start", metavar="TIME", help="Show what was from this time on, e.g. '2 s'.")
@click.option("--to", "stop", metavar="TIME", help="Show what was up to this time.")
@click.option("--size", metavar="WxH", help="Width and height in inches, such as 8x6.")
@click.option("--style", default="light", show_default=True, help="light, dark, or a style of matplotlib.")
@click.option("--overwrite", is_flag=True, help="Replace an existing picture.")
def plot(
    traces: tuple[str, ...],
    output: str,
    panels: str | None,
    populations: str | None,
    neurons: str | None,
    start: str | None,
    stop: str | None,
    size: str | None,
    style: str,
    overwrite: bool,
) -> None:
    """Draw spikes, sampled states, weights and metrics of traces.

    All that is over time has one time axis. Several traces are drawn over each other; those of the same network on the
    same kind of chip also as their mean and standard deviation.
    """
    from neuroport.disk.output import check_output
    from neuroport.trace.pictures import figure
    from neuroport.trace.pictures.view import numbers_of
    from neuroport.trace.read import open_trace

    check_output(output, overwrite, "a picture", inputs=traces, replaces=figure.may_be_picture)
    _must_be_traces(traces)
    opened = [open_trace(trace) for trace in traces]
    for trace in opened:
        for text in (*trace.cut_off(), *trace.left_out()):
            click.echo(f"note: {text}", err=True)
    first, *others = opened
    drawn = first.plot(
        *listed(panels),
        populations=listed(populations),
        neurons=None if neurons is None else numbers_of(neurons),
        start=milliseconds(start, first.dt, "--from"),
        stop=milliseconds(stop, first.dt, "--to"),
        size=None if size is None else size_of(size),
        style=style,
        beside=others,
    )
    figure.save(drawn, output)
    click.echo(output)


def listed(text: str | None) -> list[str]:
    """The names in a list with commas."""
    return [] if text is None else [name.strip() for name in text.split(",") if name.strip()]


def size_of(text: str) -> tuple[float, float]:
    """Width and height in inches."""
    width, _, height = text.lower().partition("x")
    try:
        return float(width), float(height)
    except ValueError:
        text = f"--size is a width and a height in inches, such as 8x6; found '{text}'"
        raise InvalidInput.one(None, text) from None


def _must_be_traces(paths: Sequence[str]) -> None:
    from neuroport.trace.read import is_trace

    for path in paths:
        if os.path.isfile(path) and not is_trace(path):
            text = (
                "this is a network file; run it with -o first, then plot the trace"
                if Path(path).suffix in (".yaml", ".yml")
                else "this is no trace; run a network with -o first, then plot the trace"
            )
            raise InvalidInput.one(Place(path), text)
