"""neuroport run --profile: what the time of a run was spent on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import chosen_chip, echo_json, echo_notices, echo_table, load_network
from neuroport.commands.resuming import is_given
from neuroport.commands.summary import fields, summary

if TYPE_CHECKING:
    from neuroport.api.profile import Profile
    from neuroport.network.network import Network
    from neuroport.program.building import Peak
    from neuroport.program.executor import Timed

NOT_WITH = ("output", "overwrite", "every", "stopped", "copies", "device", "genn", "threads", "strict")
MOST_LINES = 30
"""Of the table of parts; the others are one line."""


def profile_run(ctx: click.Context) -> None:
    """Run what the options of `neuroport run` say, once, and print what the time was spent on."""
    from neuroport.api.profile import profiled
    from neuroport.network.network import can_share

    given = ctx.params
    names = {p.name: p.opts[0] for p in ctx.command.params}
    refused = [names[name] for name in NOT_WITH if is_given(ctx, name)]
    refused += [f"{names[n]} FIRST:END" for n in ("seed", "chip_seed") if isinstance(given[n], range)]
    if refused:
        raise click.UsageError(
            f"--profile takes the time of one run and writes nothing; leave {', '.join(refused)} out."
        )
    if given["net"] is None:
        raise click.UsageError("Missing argument 'NET'.")
    network = load_network(given["net"], given["sets"])
    chip = chosen_chip(
        network, given["chip"], given["mismatch"], given["chip_instance"], given["chip_seed"] is not None
    )
    chip_seed, instance, span, backend = (given[n] for n in ("chip_seed", "chip_instance", "span", "backend"))
    echo_notices(network)
    if network.copies > 1 and not can_share(network):
        click.echo(f"the {network.copies:,} copies of the network are runs of their own; this is one of them", err=True)
    profile = profiled(network, chip, chip_seed, instance, given["seed"], span, backend)
    if given["as_json"]:
        echo_json(as_json(profile, network))
        return
    summary(profile.run, network)
    for line in told(profile):
        click.echo(line)
    echo_table(("part of a step", "of", "ms", "share", "ns", "per"), list(_rows(profile)))


def as_json(profile: Profile, network: Network) -> dict[str, Any]:
    """A profile as plain values; times are in seconds of the processor."""
    return fields(profile.run, network, ()) | {
        "profile": {
            "building": profile.building,
            "between_steps": profile.between,
            "parts": [asdict(part) for part in profile.parts],
            "memory": None if profile.memory is None else _memory(profile.memory),
        }
    }


def _memory(found: Peak) -> dict[str, Any]:
    """What memory is taken for at the peak, in bytes."""
    return {"bytes": found.size, "while": found.doing, "parts": {part.what: part.size for part in found.parts}}


def told(profile: Profile) -> Iterator[str]:
    """Lines before the table."""
    from neuroport.api.foresee import described

    steps = sum(part.seconds for part in profile.parts)
    for name, times in ("building", profile.building), ("running", {"steps": steps, "between them": profile.between}):
        yield f"{name:10} {', '.join(f'{what} {_ms(seconds)}' for what, seconds in times.items())}"
    if profile.memory is not None:
        yield f"memory     {described(profile.memory)}"


def _ms(seconds: float) -> str:
    """A time in milliseconds."""
    return f"{1e3 * seconds:,.{0 if seconds >= 0.01 else 1}f} ms"


def _rows(profile: Profile) -> Iterator[tuple[Any, ...]]:
    """The parts, the longest first; those after MOST_LINES in one line."""
    total = sum(part.seconds for part in profile.parts) or 1.0
    parts = sorted(profile.parts, key=lambda part: -part.seconds)
    shown, rest = parts[:MOST_LINES], parts[MOST_LINES:]
    for part in shown:
        yield part.what, part.of, *_time(part.seconds, total), _per_unit(part), part.unit
    if rest:
        yield f"{len(rest)} others", "-", *_time(sum(part.seconds for part in rest), total), "-", "-"


def _time(seconds: float, total: float) -> tuple[float, str]:
    return round(1e3 * seconds, 2), f"{seconds / total:.1%}"


def _per_unit(part: Timed) -> float | str:
    return round(1e9 * part.seconds / part.units, 2) if part.units else "-"
