"""neuroport verify: do all executors compute the same?"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import (
    chip_options,
    chosen_chip,
    device_option,
    echo_json,
    genn_option,
    json_option,
    load_network,
    memory_option,
    read_seed,
    set_option,
)
from neuroport.commands.run import Progress
from neuroport.commands.stopping import Stopping
from neuroport.program.names import LENGTH

if TYPE_CHECKING:
    from neuroport.program.executor import Backend
    from neuroport.session.sensitivity import Sensitivity


@click.command(short_help="Run networks on all executors and compare bit by bit.")
@click.argument("nets", metavar="NET…", nargs=-1, required=True)
@click.option("--against", multiple=True, metavar="B", help="Backends to compare [default: all that can].")
@device_option
@genn_option
@chip_options
@click.option("--seed", callback=read_seed, metavar="N", help="Seed of the run [default: the network's].")
@set_option
@click.option("--full", is_flag=True, help="The whole protocol, not a shortened one.")
@click.option("--steps", type=click.IntRange(min=1), metavar="N", help="At most N steps per run item [default: 1000].")
@memory_option
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    nets: tuple[str, ...],
    against: tuple[str, ...],
    device: str | None,
    genn: tuple[str, ...],
    chip: str | None,
    mismatch: tuple[str, ...],
    chip_seed: int | None,
    chip_instance: str | None,
    seed: int | None,
    sets: tuple[str, ...],
    full: bool,
    steps: int | None,
    as_json: bool,
) -> None:
    """Run networks on every executor and compare spikes, states and weights, bit by bit on integer chips.

    The protocol is shortened: a repeat is done at most 3 times, a run lasts at most 1000 steps. The exit code is 1 when
    something differs; the first difference is named.
    """
    from neuroport import backends
    from neuroport.api.compile import lower, lower_and_plan, specimen
    from neuroport.session import verify as verification
    from neuroport.session.verify import shorten

    names = tuple(dict.fromkeys(against)) or backends.ready()
    if len(names) == 1 and "reference" not in names:
        names = ("reference", *names)
    executors = names if device is None and not genn else _on(device, genn, names)
    results: list[dict[str, Any]] = []
    for net in nets:
        network = load_network(net, sets)
        deviating = chosen_chip(network, chip, mismatch, chip_instance, chip_seed is not None)
        one = specimen(network, deviating, chip_seed, chip_instance)
        program, plan = lower_and_plan(
            network, *one, [backends.load(b) if isinstance(b, str) else b for b in executors]
        )
        if plan.protocol and not full and LENGTH in program.arrays:
            # The length of the run items goes into the program's formats: compile the protocol that will be run.
            plan = shorten(plan, steps=1000 if steps is None else steps)
            program = lower(network, *one, protocol=plan.protocol)
        with Progress(network.name, show=not as_json or sys.stderr.isatty()) as bar, Stopping(()) as stopping:
            progress = stopping.watched(bar)
            result = verification.verify(program, plan, executors, steps=steps, full=full, seed=seed, progress=progress)
        first = result.first_difference
        results.append(
            {
                "network": network.name,
                "chip": program.chip,
                "arithmetic": "integer" if program.integer else program.precision,
                "identical": result.identical,
                "executors": result.executors,
                "steps": result.steps,
                "first_difference": None if first is None else as_dict(first),
                "sensitivity": None if result.sensitivity is None else _sensitivity(result.sensitivity),
                "skipped": result.skipped,
                "not_promised": result.not_promised,
            }
        )
        if not as_json:
            _tell(results[-1], first, result.sensitivity)
    if as_json:
        echo_json(results[0] if len(results) == 1 else {"identical": _all(results), "results": results})
    ctx.exit(0 if _all(results) else 1)


def _on(device: str | None, genn: Sequence[str], names: Sequence[str]) -> tuple[Backend, ...]:
    """The backends, those that have the choice on that device and with these settings."""
    from neuroport import backends

    loaded = [backends.load(name) for name in names]
    if not any(hasattr(backend, "on") for backend in loaded):
        option = "--genn is" if device is None else "--device is"
        raise click.UsageError(f"{option} for backends that have a choice of devices: add --against genn.")
    return tuple(backends.load(b.name, device, genn=genn) if hasattr(b, "on") else b for b in loaded)


def as_dict(difference: Any) -> dict[str, Any]:
    """A difference as plain values, with its sentence."""
    fields = {name: getattr(difference, name) for name in ("kind", "step", "name", "element", "executors", "values")}
    declared = None if difference.declared is None else str(difference.declared)
    return {**fields, "declared": declared, "assigned": list(map(str, difference.assigned)), "text": str(difference)}


def _sensitivity(found: Sensitivity) -> dict[str, Any]:
    """A sensitivity as plain values, with its sentence."""
    return {**dataclasses.asdict(found), "text": str(found)}


def _all(results: list[dict[str, Any]]) -> bool:
    return all(result["identical"] for result in results)


def _tell(result: dict[str, Any], first: Any, sensitivity: Sensitivity | None) -> None:
    executors = ", ".join(result["executors"])
    what = f"{result['network']} on {result['chip']} ({result['arithmetic']})"
    if result["identical"]:
        real = "equal within the tolerance" if sensitivity is None else "equal within its own sensitivity"
        how = "identical" if result["arithmetic"] == "integer" else real
        click.echo(f"{what}: {how} after {result['steps']:,} steps on {executors}")
    else:
        click.echo(f"{what}: different on {executors}: {first}")
    if sensitivity is not None:
        click.echo(f"  {sensitivity}")
    for name, text in result["not_promised"].items():
        click.echo(f"  {name}: {text}")
    for name, reason in result["skipped"].items():
        click.echo(f"  without {name}: {reason}")
