"""neuroport plot: a picture of a trace."""

from __future__ import annotations

import os
from pathlib import Path

import click

from neuroport.commands.common import milliseconds


@click.command()
@click.argument("trace", metavar="FILE.h5")
@click.option("-o", "--output", required=True, metavar="OUT.png", help="The picture; PNG, PDF or SVG by its ending.")
@click.option("--from", "start", metavar="TIME", help="Show spikes and states from this time on, e.g. '2 s'.")
@click.option("--to", "stop", metavar="TIME", help="Show spikes and states up to this time.")
@click.option("--overwrite", is_flag=True, help="Replace an existing picture.")
def plot(trace: str, output: str, start: str | None, stop: str | None, overwrite: bool) -> None:
    """Draw spikes, sampled states, weights and metrics of a trace."""
    from neuroport.disk.output import check_output
    from neuroport.errors import InvalidInput, Place
    from neuroport.trace import plot as picture
    from neuroport.trace.read import is_trace, open_trace

    check_output(output, overwrite, "a picture", inputs=(trace,), replaces=picture.may_be_picture)
    if os.path.isfile(trace) and not is_trace(trace):
        text = (
            "this is a network file; run it with -o first, then plot the trace"
            if Path(trace).suffix in (".yaml", ".yml")
            else "this is no trace; run a network with -o first, then plot the trace"
        )
        raise InvalidInput.one(Place(trace), text)
    opened = open_trace(trace)
    for text in (*opened.cut_off(), *opened.left_out()):
        click.echo(f"note: {text}", err=True)
    picture.plot(opened, output, milliseconds(start, opened.dt, "--from"), milliseconds(stop, opened.dt, "--to"))
    click.echo(output)
