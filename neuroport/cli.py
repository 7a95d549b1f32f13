"""The command line: `neuroport COMMAND …`.

Exit codes: 0 fine, 1 a difference, a failed run or a fault of ours, 2 wrong use or file, 129, 130 and 143 ended by
SIGHUP, SIGINT (Ctrl-C) and SIGTERM.
Commands import what they need when they run, so that `neuroport --help` is quick.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import click

from neuroport.commands import (
    calibrate,
    compare,
    compile,
    doctor,
    drift,
    export,
    guard,
    hil,
    import_nir,
    inspect,
    join,
    plot,
    report,
    run,
    show,
    sweep,
    verify,
)
from neuroport.commands.stopping import exit_code, ignore, like_ctrl_c, restored
from neuroport.errors import NeuroportError
from neuroport.numerics.units import suggestion
from neuroport.version import __version__

PATHS = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM)
"""What the system says of a path that cannot be used."""


COMPLETE = "_NEUROPORT_COMPLETE"
"""The environment variable by which a shell asks for what completes a line."""


class Root(click.Group):
    """A group that turns errors into sentences on stderr and exit codes; a traceback is always a bug of ours."""

    def main(self, *args: Any, ends: bool = False, **kwargs: Any) -> Any:
        """Run the program, whatever of its standard streams is closed; or complete a line, where a shell asks.

        `ends`: the process ends with it, and signals that come after the command has nothing more to do change nothing.
        """
        with nullcontext() if ends else restored():
            return self._main(*args, **kwargs)

    def _main(self, *args: Any, **kwargs: Any) -> Any:
        _open_streams()
        if COMPLETE in os.environ:
            from neuroport.commands import completing

            completing.prepare(self)
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # help is printed before any command is invoked
            click.echo(f"error: {_stream(error)}{error.strerror or error}", err=True)
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  what is left in it cannot be written
            sys.exit(1)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        guard.printable(sys.stdout)
        try:
            with like_ctrl_c():
                try:
                    return super().invoke(ctx)
                finally:
                    ignore()
        except NeuroportError as error:
            _fail(ctx, str(error), error.exit_code, getattr(error, "__notes__", ()))
        except KeyboardInterrupt as error:
            _fail(ctx, "interrupted", exit_code(error), getattr(error, "__notes__", ()))
        except MemoryError:
            _fail(ctx, "this machine has not enough memory for it; make the network or what it records smaller", 1)
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else _stream(error)
            _fail(ctx, f"{where}{error.strerror or error}", 2 if error.errno in PATHS else 1)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if guard.debugging():
                raise
            _fail(ctx, guard.defect(error), 1)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command of that name; a sentence with those that there are, and the nearest, where there is none."""
        name, names = args[0], self.list_commands(ctx)
        if name not in names and not name.startswith("-"):
            ctx.fail(f"There is no command '{name}'; {suggestion(name, names)}commands are {', '.join(names)}.")
        return super().resolve_command(ctx, args)


def _fail(ctx: click.Context, text: str, code: int, notes: Iterable[str] = ()) -> None:
    for line in text.splitlines():
        click.echo(f"error: {line}", err=True)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    ctx.exit(code)


def _open_streams() -> None:
    """Let closed standard streams lead nowhere: no file must get their numbers, and with them what is printed."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115  it stays open
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _stream(error: OSError) -> str:
    """The name of standard output, if that is what could not be written: files say what they are called."""
    return "standard output: " if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO) else ""


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "-V", "--version", prog_name="neuroport", message="%(prog)s %(version)s")
def main() -> None:
    """Run a network with its learning rule, bit-exactly, on emulated neuromorphic chips.

    NET is a network file, or the name of a network that comes with neuroport (neuroport list networks).
    """


for command in (
    run.run,
    join.join,
    inspect.check,
    show.show,
    compile.compile_command,
    verify.verify,
    calibrate.calibrate,
    compare.compare,
    drift.drift,
    sweep.sweep,
    export.export,
    import_nir.import_nir,
    hil.hil,
    plot.plot,
    report.report,
    inspect.list_command,
    doctor.doctor,
):
    main.add_command(command)
