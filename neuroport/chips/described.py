"""What is told of a chip."""

from __future__ import annotations

from neuroport.chips.chip import Chip
from neuroport.pages import Cell, Page, Part, Table, Text
from neuroport.pages.plain import shown


def page(chip: Chip) -> Page:
    """All that is told of a chip."""
    arithmetic = "arithmetic integer" if chip.integer else f"arithmetic {chip.arithmetic}; no words, no rounding"
    parts: list[Part] = [Text(f"source: {chip.source}" if chip.source else ""), Text(arithmetic)]
    if chip.integer:
        parts += [_words(chip), Text(_tables(chip))]
    parts += [_limits(chip), _mismatch(chip)]
    return Page(chip.name, chip.title, tuple(parts))


def _words(chip: Chip) -> Table:
    columns = ("class", "bits", "rounding", "out of range", "sign", "min step", "distance bits")
    rows: list[tuple[Cell, ...]] = [
        (kind, w.bits, w.rounding, w.overflow, w.sign.replace("_", " "), w.min_step, w.distance_bits or "-")
        for kind, w in chip.words
    ]
    return Table(columns, tuple(rows))


def _tables(chip: Chip) -> str:
    if chip.limits.functions == ():
        return ""
    return f"tables of functions: {shown(chip.table_intervals)} intervals, {chip.table_bits} bits"


def _limits(chip: Chip) -> Table:
    limits = chip.limits
    numbers = [
        ("cores", limits.cores),
        ("neurons per core", limits.neurons_per_core),
        ("synapses per core", limits.synapses_per_core),
        ("axonal delay, steps", limits.max_axonal_delay),
        ("dendritic delay, steps", limits.max_dendritic_delay),
        ("refractory time, steps", limits.max_refractory),
        ("plastic synapses", limits.plasticity),
        ("sends without spikes", limits.graded),
        ("neuron models", "any" if limits.models is None else ", ".join(limits.models)),
        ("functions", "any" if limits.functions is None else ", ".join(limits.functions) or "none"),
    ]
    return Table(("limit", "value"), tuple((name, "none" if v is None else shown(v)) for name, v in numbers))


def _mismatch(chip: Chip) -> Part:
    if not chip.mismatch:
        return Text("nothing deviates: every circuit is as designed")
    rows = tuple((k, d.distribution if d.sigma else "-", d.sigma, d.steps) for k, d in chip.mismatch)
    return Table(("deviating kind", "distribution", "sigma", "steps"), rows)
