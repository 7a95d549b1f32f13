"""What is told of a run: where it ran, how far, and what came out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from neuroport.pages import Cell, Page, Table, Text
from neuroport.pages.plain import shown, some

if TYPE_CHECKING:
    from neuroport.api.run import Run


def summary(run: Run) -> Page:
    """A run in a few lines."""
    return Page(_where(run), "", tuple(map(Text, _lines(run))))


def page(run: Run) -> Page:
    """The same in tables."""
    spikes: list[tuple[Cell, ...]] = [(name, n, f"{run.rates[name]:.4g} Hz") for name, n in run.spikes.items()]
    metrics = tuple((name, len(m), _value(m[0]), _value(m[-1])) for name, m in run.metrics.items() if m)
    return Page(
        _where(run),
        "",
        (
            Text(_length(run)),
            Table(("population", "spikes", "mean rate"), tuple(spikes)),
            Table(("metric", "measured", "first", "last"), metrics),
            *map(Text, _ends(run)),
        ),
    )


def _where(run: Run) -> str:
    chip = run.chip if run.chip_seed is None else f"{run.chip}, chip seed {run.chip_seed}"
    return f"of {run.network} on {chip} ({run.arithmetic}), backend {run.backend}, seed {run.seed}"


def _length(run: Run) -> str:
    copies = f", {shown(run.copies)} copies" if run.copies > 1 else ""
    return f"{run.steps:,} steps of {run.dt:g} ms ({shown(run.steps * run.dt / 1000)} s){copies}"


def _lines(run: Run) -> Iterator[str]:
    yield _length(run)
    spikes = [f"{name} {shown(count)} ({run.rates[name]:.4g} Hz)" for name, count in run.spikes.items()]
    metrics = [f"{name} {_value(values[-1])}" for name, values in run.metrics.items() if values]
    yield from (f"{what} {some(told)}" for what, told in (("spikes", spikes), ("metrics", metrics)) if told)
    yield from _ends(run)


def _ends(run: Run) -> Iterator[str]:
    yield f"digest {run.digest}"
    if run.trace is not None:
        yield f"trace {run.trace}"
    out = {name: count for name, count in run.overflows.items() if count}
    if out:
        yield f"stores out of range: {some([f'{name} {shown(count)}' for name, count in out.items()])}"
    if run.not_finite:
        yield f"not finite: {some([f'{name} {shown(count)}' for name, count in run.not_finite.items()])}"


def _value(measured: tuple[int, Any]) -> str:
    value = measured[1]
    if isinstance(value, list | tuple) and len(value) == 1:
        return shown(value[0])
    return f"{len(value)} values" if isinstance(value, list | tuple) else shown(value)
