"""Runs that are gone on with: `neuroport run --resume FILE.h5`, and `--checkpoint-every`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from neuroport.errors import InvalidInput

if TYPE_CHECKING:
    from neuroport.api.resume import Resumption
    from neuroport.network.network import Network

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_STEPS = re.compile(r"(\d+)(?:\s*steps?)?")
_CLOCK = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h)")
OF_THE_RUN = ("chip", "mismatch", "chip_seed", "chip_instance", "seed", "copies", "output")
"""What a run that is gone on with has had since it began."""
OF_THE_NETWORK = ("sets", "span")
"""What NET may need to be the network that was run."""


def due_every(text: str | None, trace: str | None) -> Callable[[int], bool] | None:
    """Whether a checkpoint is due after a step: every N steps, or every so often by the clock; None: never."""
    if text is None:
        return None
    if trace is None:
        raise click.UsageError("--checkpoint-every writes into the trace; say where that is, with -o FILE.h5.")
    steps, clock = _STEPS.fullmatch(text.strip()), _CLOCK.fullmatch(text.strip())
    if steps and 1 <= int(steps[1]) <= 2**62:
        return _Every(int(steps[1]), lambda step: step)
    if clock and float(clock[1]) > 0:
        started = time.monotonic()
        return _Every(float(clock[1]) * SECONDS[clock[2]], lambda _: time.monotonic() - started)
    say = f"--checkpoint-every '{text}' must be a number of steps, such as 100000, or a time by the clock, such as "
    raise InvalidInput.one(None, f"{say}'30 s', '10 min' or '2 h'")


class _Every:
    """True whenever a measure has grown by so much."""

    def __init__(self, much: float, measure: Callable[[int], float]) -> None:
        self._much, self._measure = much, measure
        self._number = 0.0

    def __call__(self, step: int) -> bool:
        number = self._measure(step) // self._much
        is_due, self._number = number > self._number, number
        return is_due


def alone(ctx: click.Context) -> None:
    """Refuse options that say what a run has had since it began."""
    names = {p.name: p.opts[0] for p in ctx.command.params}
    given = [names[name] for name in OF_THE_RUN if is_given(ctx, name)]
    if given:
        raise click.UsageError(f"--resume goes on with the run as it was; leave {', '.join(given)} out.")
    given = [names[name] for name in OF_THE_NETWORK if is_given(ctx, name)]
    if given and ctx.params["net"] is None:
        say, them = ("says", "it") if len(given) == 1 else ("say", "them")
        raise click.UsageError(f"{' and '.join(given)} {say} which network NET is; leave {them} out, or give NET too.")


def named(ctx: click.Context, backend: str) -> str | None:
    """The backend, if somebody chose it."""
    return backend if is_given(ctx, "backend") else None


def is_given(ctx: click.Context, name: str) -> bool:
    """Whether somebody gave an option."""
    return ctx.get_parameter_source(name) is not ParameterSource.DEFAULT


def taken(given: Network | None, span: str | None, trace: str, overwrite: bool) -> tuple[Network, Resumption]:
    """The network of a run that is gone on with, and how to."""
    from neuroport.api.resume import take
    from neuroport.api.run import to_run

    resumption = take(trace, None if given is None else to_run(given, span), overwrite)
    return resumption.network, resumption
