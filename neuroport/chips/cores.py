"""Which cores of a chip hold what of a network: populations fill them in the order of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroport.chips.chip import Chip, Limits
from neuroport.pages import Cell, Part, Table, Text

NONE = "-"
MOST_ROWS = 64
"""So many cores have a row; of more, these are the first."""


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """What a core holds: of each population the neurons from a first one to before an end, and their fan-in.

    fan_in: how many synapses end at each of its neurons, in order; None where that is not known.
    """

    number: int
    holds: tuple[tuple[str, int, int], ...]
    fan_in: NDArray[np.int64] | None

    @property
    def neurons(self) -> int:
        """How many."""
        return sum(end - first for _, first, end in self.holds)


def cores(sizes: Mapping[str, int], fan_in: Mapping[str, NDArray[np.int64]] | None, limits: Limits) -> Iterator[Core]:
    """The cores that a network fills. fan_in: synapses that end at each neuron of a population, None: not known."""
    begins = np.cumsum([0, *sizes.values()]).tolist()
    every = None if fan_in is None else np.concatenate([np.zeros(0, np.int64), *(fan_in[name] for name in sizes)])
    for number, first in enumerate(range(0, begins[-1], limits.neurons_per_core)):
        end = min(first + limits.neurons_per_core, begins[-1])
        parts = (
            (name, max(first - at, 0), min(end - at, sizes[name])) for name, at in zip(sizes, begins, strict=False)
        )
        holds = tuple((name, a, b) for name, a, b in parts if a < b)
        yield Core(number, holds, None if every is None else every[first:end])


def told(sizes: Mapping[str, int], fan_in: Mapping[str, NDArray[np.int64]] | None, chip: Chip) -> tuple[Part, ...]:
    """A row for each core, and what is used of the chip."""
    limits = chip.limits
    filled = list(cores(sizes, fan_in, limits))
    rows = tuple(_row(core, limits) for core in filled[:MOST_ROWS])
    more = f"and {len(filled) - MOST_ROWS:,} more cores" if len(filled) > MOST_ROWS else ""
    most = limits.synapses_per_core
    share = () if most is None else (f"% of {most:,} synapses",)
    columns = ("core", "neurons", f"% of {limits.neurons_per_core:,} neurons", "synapses", *share)
    columns = (*columns, "mean fan-in", "largest fan-in", "holds")
    return Text(_used(filled, limits)), Table(columns, rows), Text(more)


def _used(filled: list[Core], limits: Limits) -> str:
    many, neurons = len(filled), sum(core.neurons for core in filled)
    cores = (
        f"{many:,} core{'s' if many != 1 else ''}" if limits.cores is None else f"{many:,} of {limits.cores:,} cores"
    )
    text = f"{cores} of {limits.neurons_per_core:,} neurons hold{'s' if many == 1 else ''} {neurons:,} neurons"
    if limits.synapses_per_core is None:
        text += "; the chip states no limit of synapses per core"
    else:
        full = [str(core.number) for core in filled if _synapses(core) > limits.synapses_per_core]
        text += f"; too many synapses for core {', '.join(full)}" if full else ""
    return text


def _synapses(core: Core) -> int:
    return 0 if core.fan_in is None else int(core.fan_in.sum())


def _row(core: Core, limits: Limits) -> tuple[Cell, ...]:
    holds = ", ".join(f"{name}[{first}:{end}]" for name, first, end in core.holds)
    share = round(100 * core.neurons / limits.neurons_per_core, 1)
    most, fan_in = limits.synapses_per_core, core.fan_in
    if fan_in is None:
        return (core.number, core.neurons, share, NONE, *([] if most is None else [NONE]), NONE, NONE, holds)
    used = [] if most is None else [round(100 * _synapses(core) / most, 1)]
    mean = round(float(fan_in.mean()), 2)
    return (core.number, core.neurons, share, _synapses(core), *used, mean, int(fan_in.max()), holds)
