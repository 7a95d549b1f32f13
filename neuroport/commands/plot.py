"""neuroport plot: a picture of a trace."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("trace", metavar="FILE.h5")
@click.option("-o", "--output", required=True, metavar="OUT.png", help="The picture; PNG, PDF or SVG by its ending.")
@click.option("--from", "start", metavar="TIME", help="Show spikes and states from this time on, e.g. '2 s'.")
@click.option("--to", "stop", metavar="TIME", help="Show spikes and states up to this time.")
@click.option("--overwrite", is_flag=True, help="Replace an existing picture.")
def plot(trace: str, output: str, start: str | None, stop: str | None, overwrite: bool) -> None:
    """Draw spikes, sampled states, weights and metrics of a trace."""
    from neuroport.errors import InvalidInput, Place
    from neuroport.trace import plot as picture
    from neuroport.trace.read import is_trace, open_trace
    from neuroport.trace.segments import check_output

    check_output(output, overwrite, parts=False)
    if Path(trace).is_file() and not is_trace(trace):
        text = (
            "this is a network file; run it with -o first, then plot the trace"
            if Path(trace).suffix in (".yaml", ".yml")
            else "this is no trace; run a network with -o first, then plot the trace"
        )
        raise InvalidInput.one(Place(trace), text)
    opened = open_trace(trace)
    picture.plot(opened, output, _ms(start, opened.dt, "--from"), _ms(stop, opened.dt, "--to"))
    click.echo(output)


def _ms(text: str | None, dt: float, option: str) -> float | None:
    """Milliseconds of a time given on the command line."""
    from neuroport.errors import InvalidInput
    from neuroport.numerics import units
    from neuroport.numerics.units import Quantity

    if text is None:
        return None
    try:
        return float(units.steps(units.parse(text), Quantity(dt, "ms"))) * dt
    except units.UnitError as error:
        raise InvalidInput.one(None, f"{option} '{text}': {error}") from None
