"""neuroport drift: how far a chip's arithmetic leads a network away from real numbers; and how `compare` tells it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from neuroport.commands.common import (
    chosen_chip,
    device_option,
    echo_json,
    echo_notices,
    json_option,
    load_network,
    milliseconds,
    mismatch_option,
    read_seed,
    read_seeds,
    set_option,
    shown,
)
from neuroport.commands.drift_report import fields, over, tell
from neuroport.commands.run import Progress
from neuroport.commands.stopping import Stopping
from neuroport.commands.summary import listed

F = TypeVar("F", bound=Callable[..., Any])


def train_options(function: F) -> F:
    """--tau and --within: the time scales on which spike trains are compared."""
    function = click.option(
        "--within", metavar="TIME", help="Spikes that coincide are at most that far apart [default: 2 ms]."
    )(function)
    return click.option("--tau", metavar="TIME", help="Time constant of van Rossum's distance [default: 10 ms].")(
        function
    )


def train_scales(tau: str | None, within: str | None, dt: float) -> tuple[float, float]:
    """What these options say, in ms."""
    from neuroport.trace.trains import TAU, WITHIN

    scale, window = milliseconds(tau, dt, "--tau"), milliseconds(within, dt, "--within")
    if scale is not None and scale <= 0:
        raise click.UsageError(f"--tau must be above 0; found '{tau}'.")
    if window is not None and window < 0:
        raise click.UsageError(f"--within must not be below 0; found '{within}'.")
    return TAU if scale is None else scale, WITHIN if window is None else window


@click.command(short_help="Run a network on a chip and in real numbers, and tell how they part.")
@click.argument("net", metavar="NET")
@click.option("--backend", default="emulator", show_default=True, metavar="B", help="What executes the programs.")
@device_option
@click.option("--chip", metavar="CHIP", help="A chip's name or description file [default: the network's].")
@mismatch_option
@click.option(
    "--chip-seed", callback=read_seeds, metavar="N", help="A deviating chip, or several: FIRST:END (END is not in it)."
)
@click.option("--seed", callback=read_seed, metavar="N", help="Seed of all runs [default: the network's].")
@set_option
@click.option("--for", "span", metavar="TIME", help="Run this long, without the protocol: '2 s', '500 steps'.")
@train_options
@click.option("-o", "--output", metavar="FILE.h5", help="Write traces: FILE.ideal.h5, FILE.chip.h5 or FILE.chipN.h5.")
@click.option("--overwrite", is_flag=True, help="Replace existing traces.")
@json_option
@click.option("-q", "--quiet", is_flag=True, help="Do not show how far the runs are.")
def drift(
    net: str,
    backend: str,
    device: str | None,
    chip: str | None,
    mismatch: tuple[str, ...],
    chip_seed: int | range | None,
    seed: int | None,
    sets: tuple[str, ...],
    span: str | None,
    tau: str | None,
    within: str | None,
    output: str | None,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run a network on a chip and in real numbers (the chip `ideal`) on one run seed, and tell how they part."""
    from neuroport.api.compile import specimen
    from neuroport.api.drift import EVEN_AFTER, REFERENCE, TOGETHER
    from neuroport.api.drift import drift as compared
    from neuroport.commands import notices
    from neuroport.numerics import units

    network = load_network(net, sets)
    echo_notices(network)
    chosen, _ = specimen(network, chosen_chip(network, chip, mismatch, None, chip_seed is not None))
    scales = train_scales(tau, within, units.coherent(network.dt.number, network.dt.unit)[0])
    where: dict[str, Any] = {"trace": output, "overwrite": overwrite, "device": device}
    many = EVEN_AFTER * min(len(chip_seed) if isinstance(chip_seed, range) else 1, TOGETHER)
    with Progress(network.name, not quiet, many) as bar, Stopping([output] if output else []) as stopping:
        more: dict[str, Any] = {"tau": scales[0], "within": scales[1], "progress": stopping.watched(bar)}
        more["before"] = lambda program: notices.tell(program, net, strict=False)
        found = compared(network, chosen, chip_seed, backend, seed, span, **where, **more)
    seeds = chip_seed if isinstance(chip_seed, range) else [chip_seed]
    seed, steps, dt = network.seed if seed is None else seed, found[0].steps, found[0].dt
    if as_json:
        head = {"network": network.name, "reference": REFERENCE, "chip": chosen.name, "backend": backend, "seed": seed}
        each = [{"chip_seed": k, **fields(one)} for k, one in zip(seeds, found, strict=True)]
        echo_json({**head, "dt": dt, "steps": steps, "specimens": each, "over_chip_seeds": over(found)})
        return
    chips = "".join(f", {text}" for text in listed("chip seed", seeds))
    length = f"{shown(steps)} steps ({shown(steps * dt / 1000)} s)"
    click.echo(f"{network.name} on {REFERENCE} and on {chosen.name}{chips}, backend {backend}, seed {seed}, {length}")
    tell(found, (REFERENCE, chosen.name), seeds)
