"""neuroport compare: do two traces hold the same?"""

from __future__ import annotations

from dataclasses import asdict

import click

from neuroport.commands.common import echo_json, json_option


@click.command(short_help="Compare two traces: identical, or where they differ first.")
@click.argument("a", metavar="A.h5")
@click.argument("b", metavar="B.h5")
@json_option
@click.pass_context
def compare(ctx: click.Context, a: str, b: str, as_json: bool) -> None:
    """Compare two traces: identical, or the first difference in spikes, states and weights (exit code 1)."""
    from neuroport.trace import compare as comparison
    from neuroport.trace.read import open_trace

    result = comparison.compare(open_trace(a), open_trace(b))
    if as_json:
        differences = [asdict(difference) for difference in result.differences]
        first = differences[0] if differences else None
        echo_json(
            {
                "identical": result.identical,
                "first_difference": first,
                "differences": differences,
                "compared": result.compared,
                "note": result.note,
            }
        )
    elif result.identical:
        click.echo(f"identical: {', '.join(result.compared) or 'both hold nothing'}")
    else:
        for difference in result.differences:
            click.echo(str(difference))
        if result.note is not None:
            click.echo(f"note: {result.note}")
    ctx.exit(0 if result.identical else 1)
