"""neuroport compare: do two traces hold the same?"""

from __future__ import annotations

from dataclasses import asdict

import click

from neuroport.commands.common import echo_json, json_option
from neuroport.commands.drift import train_options, train_scales
from neuroport.commands.drift_report import fields, tell


@click.command(short_help="Compare two traces: identical, or where they differ first.")
@click.argument("a", metavar="A.h5")
@click.argument("b", metavar="B.h5")
@train_options
@json_option
@click.pass_context
def compare(ctx: click.Context, a: str, b: str, tau: str | None, within: str | None, as_json: bool) -> None:
    """Compare two traces: identical, or the first difference in spikes, states and weights (exit code 1).

    Of different ones also how they drift apart: how fast their arrays do, and how far their spikes, rates and metrics
    are from each other.
    """
    from neuroport.trace import compare as comparison
    from neuroport.trace.drift import between
    from neuroport.trace.read import open_trace

    first, second = open_trace(a), open_trace(b)
    for text in (*first.cut_off(), *second.cut_off(), *first.left_out(), *second.left_out()):
        click.echo(f"note: {text}", err=True)
    scales = train_scales(tau, within, first.dt)
    result = comparison.compare(first, second)
    drift = None if result.identical else between(first, second, *scales)
    if as_json:
        differences = [asdict(difference) for difference in result.differences]
        echo_json(
            {
                "identical": result.identical,
                "first_difference": differences[0] if differences else None,
                "differences": differences,
                "compared": result.compared,
                "note": result.note,
                "drift": None if drift is None else fields(drift),
            }
        )
    elif result.identical:
        click.echo(f"identical: {', '.join(result.compared) or 'both hold nothing'}")
    else:
        for difference in result.differences:
            click.echo(str(difference))
        if drift is not None:
            tell([drift], ("first", "second"), [None])
        if result.note is not None:
            click.echo(f"note: {result.note}")
    ctx.exit(0 if result.identical else 1)
