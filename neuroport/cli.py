"""The command line: `neuroport COMMAND …`.

Exit codes: 0 fine, 1 a difference, a failed run or a fault of ours, 2 wrong use or file.
Commands import what they need when they run, so that `neuroport --help` is quick.
"""

from __future__ import annotations

from typing import Any

import click

from neuroport.commands import calibrate, compare, compile, doctor, drift, export, inspect, plot, run, show, verify
from neuroport.errors import NeuroportError
from neuroport.version import __version__


class Root(click.Group):
    """A group that turns errors into sentences on stderr and exit codes; a traceback is always a bug of ours."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except NeuroportError as error:
            _fail(ctx, str(error), error.exit_code)
        except KeyboardInterrupt:
            _fail(ctx, "interrupted", 1)
        except MemoryError:
            _fail(ctx, "this machine has not enough memory for it; make the network or what it records smaller", 1)
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            _fail(ctx, f"{where}{error.strerror or error}", 1)


def _fail(ctx: click.Context, text: str, code: int) -> None:
    for line in text.splitlines():
        click.echo(f"error: {line}", err=True)
    ctx.exit(code)


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="neuroport", message="%(prog)s %(version)s")
def main() -> None:
    """Run a network with its learning rule, bit-exactly, on emulated neuromorphic chips.

    NET is a network file, or the name of a network that comes with neuroport (neuroport list networks).
    """


for command in (
    run.run,
    inspect.check,
    show.show,
    compile.compile_command,
    verify.verify,
    calibrate.calibrate,
    compare.compare,
    drift.drift,
    export.export,
    plot.plot,
    inspect.list_command,
    doctor.doctor,
):
    main.add_command(command)
