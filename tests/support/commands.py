"""Commands run in this process, and what may come of them when a file is damaged."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from neuroport.cli import main


def fault(*arguments: object, allowed: tuple[int, ...] = (0, 2)) -> str:
    """ "" or why a command ended otherwise than well or with sentences and one of the allowed exit codes."""
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    shown = " ".join(str(argument).rsplit("/", 1)[-1] for argument in arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        last = traceback.extract_tb(done.exception.__traceback__)[-1]
        here = [f for f in traceback.extract_tb(done.exception.__traceback__) if "neuroport" in f.filename]
        at = (here or [last])[-1]
        where = f"{at.filename.rsplit('/', 1)[-1]}:{at.lineno}"
        return f"{shown}: {type(done.exception).__name__} in {where}: {done.exception}"
    if done.exit_code not in allowed:
        return f"{shown}: exit code {done.exit_code}: {done.stderr}"
    lines = done.stderr.splitlines()
    if done.exit_code == 2 and not (lines and all(line.startswith(("error: ", "note: ")) for line in lines)):
        return f"{shown}: no sentence: {done.stderr}"
    return next((f"{shown}: {text}" for text in lines if "Traceback" in text or "Errno" in text), "")


@contextmanager
def without_pixels() -> Iterator[None]:
    """Pictures are laid out and not painted."""
    from matplotlib.figure import Figure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", lambda self, path, **_: self.draw_without_rendering())
        yield
