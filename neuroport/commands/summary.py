"""What a run came to, and what several copies came to: tables for people, and plain values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from neuroport.commands.common import duration, echo_table, shown
from neuroport.commands.spread import spread
from neuroport.pages.plain import some

if TYPE_CHECKING:
    from neuroport.api.executor import Choice
    from neuroport.api.run import Run
    from neuroport.network.network import Network

MOST_COLUMNS = 8
"""Of the table with a line per copy, besides seeds and digest."""
DIGITS = 16
"""Of a digest there; enough to tell runs apart."""


def fields(
    result: Run, network: Network, told: Sequence[Mapping[str, Any]], choice: Choice | None = None
) -> dict[str, Any]:
    """A run as `--json` has it; `told`: what the chip changes of the network, told before it ran.

    `choice`: of the executor, where it was looked at.
    """
    fields = dataclasses.asdict(dataclasses.replace(result, report=()))
    del fields["report"]
    fields["notices"] = [{"models": models, "text": text} for text, models in network.notices.items()]
    return fields | {"chip_notices": told, "choice": None if choice is None else dataclasses.asdict(choice)}


def fields_of_copies(
    results: Sequence[Run], network: Network, told: Sequence[Mapping[str, Any]], choice: Choice | None = None
) -> dict[str, Any]:
    """Copies as `--json` has them: each, and mean and standard deviation over them."""
    copies = [fields(result, network, told, choice) for result in results]
    return {"network": network.name, "copies": copies, "over_copies": _over(results)}


def summary(result: Run, network: Network) -> None:
    """Print a run for people."""
    chip = result.chip if result.chip_seed is None else f"{result.chip}, chip seed {result.chip_seed}"
    seconds = result.steps * result.dt / 1000
    copies = f", {shown(result.copies)} copies" if result.copies > 1 else ""
    first = f"{result.network} on {chip} ({result.arithmetic}), backend {result.backend}, seed {result.seed}"
    click.echo(f"{first}{copies}")
    echo_table(
        ("parameter", "in the copies"),
        [[name, some(list(map(shown, of)))] for name, of in result.own_parameters.items()],
    )
    _metrics(result.metrics, network)
    rates = {name: f"{rate:.4g}" for name, rate in result.rates.items()}
    _counts(result.spikes, rates, {name: count for name, count in result.overflows.items() if count})
    echo_table(("array", "not a finite number at the end"), list(result.not_finite.items()))
    click.echo(f"simulated  {shown(result.steps)} steps ({shown(seconds)} s)")
    click.echo(f"took       {duration(result.build_s)} to build, {duration(result.run_s)} to run")
    click.echo(f"digest     {result.digest}")
    if result.trace is not None:
        click.echo(f"trace      {result.trace}")


def summary_of_copies(results: Sequence[Run], network: Network) -> None:
    """Print copies for people: mean and standard deviation over them, then a line for each."""
    first, over = results[0], _over(results)
    chip = first.chip + "".join(f", {text}" for text in listed("chip seed", [r.chip_seed for r in results]))
    (seeds,) = listed("seed", [r.seed for r in results])
    click.echo(f"{first.network} on {chip} ({first.arithmetic}), backend {first.backend}, {seeds}")
    click.echo(f"mean and standard deviation over {len(results):,} copies")
    _metrics(over["metrics"], network)
    _counts(over["spikes"], over["rates"], over["overflows"])
    echo_table(("array", "not a finite number at the end"), list(over["not_finite"].items()))
    _lines(results)
    seconds = first.steps * first.dt / 1000
    click.echo(f"simulated  {len(results):,} times {shown(first.steps)} steps ({shown(seconds)} s)")
    if first.trace is not None:
        click.echo(f"traces     {first.trace} to {results[-1].trace}")


def _over(results: Sequence[Run]) -> dict[str, Any]:
    """Mean and standard deviation over copies, which all ran through one protocol."""
    overflows = [{name: r.overflows.get(name, 0) for run in results for name in run.overflows} for r in results]
    metrics = {name: zip(*(r.metrics[name] for r in results), strict=False) for name in results[0].metrics}
    return {
        "spikes": spread([r.spikes for r in results]),
        "rates": spread([r.rates for r in results]),
        "metrics": {
            name: [(measured[0][0], spread([value for _, value in measured])) for measured in values]
            for name, values in metrics.items()
        },
        "overflows": spread(overflows),
        "not_finite": spread(
            [{name: r.not_finite.get(name, 0) for run in results for name in run.not_finite} for r in results]
        ),
    }


def listed(what: str, seeds: Sequence[int | None]) -> list[str]:
    """How to say which seeds there are; nothing for none."""
    first, last = seeds[0], seeds[-1]
    if first is None or last is None:
        return []
    if len(set(seeds)) == 1:
        return [f"{what} {first}"]
    if list(seeds) == list(range(first, first + len(seeds))):
        return [f"{what}s {first} to {last}"]
    return [f"{what}s {shown(list(map(str, seeds)))}"]


def _lines(results: Sequence[Run]) -> None:
    """A line for each copy."""
    chip = ["chip seed"] if results[0].chip_seed is not None else []
    names = [f"{name} spikes" for name in results[0].spikes] + list(results[0].metrics)
    if overflowed := any(any(r.overflows.values()) for r in results):
        names.append("out of range")
    own = list(results[0].own_parameters)
    rows = []
    for k, r in enumerate(results):
        metrics = [_measured(values, -1)[0] for values in r.metrics.values()]
        values = [*r.spikes.values(), *metrics, *([sum(r.overflows.values())] if overflowed else [])]
        seeds = [str(r.seed), *([str(r.chip_seed)] if chip else [])]
        parameters = [r.own_parameters[name][0] for name in own]
        rows.append([k, *parameters, *seeds, *values[:MOST_COLUMNS], f"{r.digest[:DIGITS]}…"])
    echo_table(("copy", *own, "seed", *chip, *names[:MOST_COLUMNS], "digest"), rows)
    if left := names[MOST_COLUMNS:]:
        click.echo(f"  not in this table, but in --json: {', '.join(left)}")


def _counts(spikes: Mapping[str, Any], rates: Mapping[str, Any], overflows: Mapping[str, Any]) -> None:
    rows = [[name, count, f"{rates[name]} Hz"] for name, count in spikes.items()]
    echo_table(("population", "spikes", "mean rate"), rows)
    echo_table(("array", "stores out of range"), list(overflows.items()))


def _metrics(metrics: Mapping[str, Sequence[tuple[int, Any]]], network: Network) -> None:
    """Each metric at its first and last measurement; one value where none was measured more often than once."""
    if any(len(values) > 1 for values in metrics.values()):
        columns = ["metric", "measured", "first", "at step", "last", "at step"]
        rows = [[name, len(v), *_measured(v, 0), *_measured(v, -1)] for name, v in metrics.items()]
    else:
        columns = ["metric", "value", "at step"]
        rows = [[name, *_measured(v, 0)] for name, v in metrics.items()]
    echo_table(columns, rows)
    from neuroport.network.protocol import Measure, walk

    measures = [item for item in walk(network.protocol) if isinstance(item, Measure)]
    for name in (name for name, values in metrics.items() if not values):
        named = any(name in item.metrics or not item.metrics for item in measures)
        why = "the protocol ended before its first measure item" if named else "no measure item names it"
        click.echo(f"  {name} was not measured: {why}")


def _measured(values: Sequence[tuple[int, Any]], index: int) -> tuple[Any, Any]:
    if not values:
        return "-", "-"
    step, value = values[index]
    return value, step
