"""What a picture shows: which panels, of whom, from when to when, and how."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput, Place, together
from neuroport.numerics.given import LIST, NUMBER, TEXT, TEXTS, found, whole
from neuroport.numerics.steps import milliseconds
from neuroport.numerics.units import suggestion
from neuroport.trace.read import Trace

PANELS = {
    "spikes": "a dot for every spike",
    "rates": "the rate of every population over time",
    "states": "sampled states over time",
    "weights": "weights over time, or how they are spread at the end",
    "metrics": "metrics over time",
    "matrix": "weights at the end, by source and target",
    "distribution": "how weights are spread, over time",
}
"""What can be drawn, each with a line about it."""
USUAL = ("spikes", "states", "weights", "metrics")
"""What is drawn of one trace unless something is asked for."""
MOST_INCHES = 100
OF_SEVERAL = ("rates", "weights", "metrics")
"""The same of several traces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """panels: see PANELS; empty: those that are usual. populations: of whom there are spikes, rates and states, empty:
    of all. neurons: their numbers, None: all. start, stop: ms, None: those of the run. size: width and height in
    inches, None: what suits the panels. style: "light", "dark", or a style of matplotlib.
    """

    panels: tuple[str, ...] = ()
    populations: tuple[str, ...] = ()
    neurons: tuple[int, ...] | None = None
    start: float | None = None
    stop: float | None = None
    size: tuple[float, float] | None = None
    style: str = "light"

    def shown(self, trace: Trace) -> tuple[str, ...]:
        """The populations of a trace that are shown."""
        return tuple(name for name in trace.populations if not self.populations or name in self.populations)

    def of(self, trace: Trace, population: str) -> NDArray[np.int64]:
        """The numbers of the neurons that are shown of a population whose spikes are recorded."""
        recorded = trace.neurons(population)
        return recorded[self.columns(recorded)]

    def columns(self, neurons: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which places of these neurons are shown."""
        every = np.arange(len(neurons))
        return every if self.neurons is None else every[np.isin(neurons, self.neurons)]

    def check(self, traces: Sequence[Trace]) -> None:
        """InvalidInput with all that cannot be shown of these traces."""
        errors = [*self._unknown(traces), *self._of_times(traces)]
        if errors:
            raise together(errors)

    def _unknown(self, traces: Sequence[Trace]) -> Iterator[InvalidInput]:
        yield from _not_among(self.panels, PANELS, "panel")
        yield from _not_among(self.populations, dict.fromkeys(n for t in traces for n in t.populations), "population")
        largest = max((size for t in traces for name in self.shown(t) for size in [t.populations[name]]), default=0)
        for neuron in self.neurons or ():
            if not 0 <= neuron < largest:
                text = f"there is no neuron {neuron}; the largest population that is shown has {largest}"
                yield InvalidInput.one(None, text)

    def _of_times(self, traces: Sequence[Trace]) -> Iterator[InvalidInput]:
        for trace in traces:
            start, stop = self.window(trace)
            if not start < stop:
                end = trace.steps * trace.dt
                text = f"the window from {start:g} to {stop:g} ms is empty; the run lasts {end:g} ms"
                yield InvalidInput.one(Place(str(trace.path)), text)

    def window(self, trace: Trace) -> tuple[float, float]:
        """From when to when (ms) a trace is shown."""
        end = trace.steps * trace.dt
        return (0.0 if self.start is None else self.start), (end if self.stop is None else min(self.stop, end))


def _not_among(names: Iterable[str], known: Iterable[str], what: str) -> Iterator[InvalidInput]:
    there = list(known)
    for name in names:
        if name not in there:
            whole = name.partition("[")[0].strip()
            near = f"name '{whole}', and its neurons beside it; " if whole in there else suggestion(name, there)
            yield InvalidInput.one(None, f"there is no {what} '{name}'; {near}there are: {', '.join(there) or 'none'}")


def numbers_of(text: str) -> tuple[int, ...]:
    """The numbers of neurons in a text such as "3,7" or "0:10,20"; InvalidInput for one that has none."""
    numbers: list[int] = []
    for part in text.split(","):
        first, colon, end = (one.strip() for one in part.partition(":"))
        if not first.isdecimal() or (colon and not end.isdecimal()):
            text = f"neurons are numbers and ranges such as 3,7 or 0:10 (0 to 9); found {found(part)}"
            raise InvalidInput.one(None, text)
        numbers += range(int(first), int(end)) if colon else [int(first)]
    return tuple(numbers)


def viewed(
    trace: Trace,
    panels: Sequence[str],
    populations: Sequence[str],
    neurons: object,
    start: object,
    stop: object,
    size: object,
    style: object,
) -> View:
    """A view of a trace as a caller asks for it; InvalidInput for what is none. See `Trace.plot`."""
    return View(
        panels=tuple(TEXTS.checked("panels", panels)),
        populations=tuple(TEXTS.checked("populations", populations)),
        neurons=_neurons(neurons),
        start=_time("start", start, trace.dt),
        stop=_time("stop", stop, trace.dt),
        size=_size(size),
        style=str(TEXT.checked("style", style)),
    )


def _neurons(given: object) -> tuple[int, ...] | None:
    if given is None or isinstance(given, str):
        return None if given is None else numbers_of(given)
    several = list(given) if LIST.fits(given) else [given]  # type: ignore[call-overload]
    numbers = [whole(one) for one in several]
    if any(number is None for number in numbers):
        raise InvalidInput.one(None, f"neurons are whole numbers, or a text such as '0:10'; found {found(given)}")
    return tuple(number for number in numbers if number is not None)


def _time(name: str, given: object, dt: float) -> float | None:
    """Milliseconds of a number of them or a time."""
    if isinstance(given, str):
        return milliseconds(given, dt, name)
    return None if given is None else float(NUMBER.checked(name, given))  # type: ignore[arg-type]


def _size(given: object) -> tuple[float, float] | None:
    """Width and height in inches."""
    if given is None:
        return None
    sides = list(given) if LIST.fits(given) else []  # type: ignore[call-overload]
    if len(sides) != 2 or not all(NUMBER.fits(side) and 1 <= side <= MOST_INCHES for side in sides):
        text = f"size is a width and a height in inches, each from 1 to {MOST_INCHES}; found {found(given)}"
        raise InvalidInput.one(None, text)
    return float(sides[0]), float(sides[1])
