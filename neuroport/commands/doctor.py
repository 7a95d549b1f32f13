"""neuroport doctor: what works on this machine."""

from __future__ import annotations

import click

from neuroport.commands.common import echo_json, json_option


@click.command(short_help="Tell what works on this machine and what is missing.")
@click.option("--backend", metavar="B", help="A backend that you need: exit code 2 if it cannot run here.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, backend: str | None, as_json: bool) -> None:
    """Tell what works on this machine and what is missing (exit code 1 if something needed is)."""
    from neuroport import backends
    from neuroport.commands import examine as clinic
    from neuroport.errors import Unsupported

    wanted = None if backend is None else backends.load(backend)
    findings = clinic.examine()
    report = clinic.as_json(findings)
    if as_json:
        echo_json(report)
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            click.echo(f"{finding.level:<4}  {finding.what:<{width}}  {finding.text}")
    missing = wanted and wanted.missing()
    if missing:
        raise Unsupported(f"backend '{backend}': {missing}")
    ctx.exit(0 if report["ok"] else 1)
