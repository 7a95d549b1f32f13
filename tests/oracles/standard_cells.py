"""A spiking cell as differential equations between events, integrated by SciPy with steps of its own (Dormand-Prince).

Spikes come at the moment at which a threshold is reached, and are not bound to any grid. Times are in ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

Array = NDArray[np.float64]
SHORT = 1e-9
"""Times that are nearer to each other are the same (ms)."""


@dataclass(frozen=True)
class Cell:
    """A cell whose state is a list of numbers, the first of which is held while it is refractory, if `held`.

    `slope(state)` is per ms; a spike comes where `over(state)` gets to 0 from below, and makes it `after(state)`.
    """

    start: Sequence[float]
    slope: Callable[[Array], Sequence[float]]
    over: Callable[[Array], float] = lambda state: -1.0
    after: Callable[[Array], Sequence[float]] = lambda state: state.tolist()
    refractory: float = 0.0
    held: bool = True


@dataclass(frozen=True)
class Course:
    """The times (ms) of spikes, and states (samples, variables) at the end of each interval of sampling."""

    spikes: Array
    states: Array


Arrivals = Sequence[tuple[float, Sequence[float]]]
"""When something arrives, and what it adds to the state."""


def course(cell: Cell, until: float, every: float, arrivals: Arrivals = ()) -> Course:
    """What a cell does in `until` ms, sampled at the ends of intervals of `every` ms."""
    return _Going(cell, until, every, arrivals).course()


class _Going:
    def __init__(self, cell: Cell, until: float, every: float, arrivals: Arrivals) -> None:
        self.cell, self.until = cell, until
        self.waiting = sorted(arrivals, key=lambda one: one[0])
        self.grid = np.arange(1, round(until / every) + 1) * every
        self.state = np.array(cell.start, dtype=float)
        self.now, self.free = 0.0, 0.0
        self.spikes: list[float] = []
        self.states: list[Array] = []

    def course(self) -> Course:
        self._arrive()
        while self.now < self.until:
            if self.now >= self.free and self.cell.over(self.state) >= 0:
                self._spike()
            self._go(min([self.until, *(time for time, _ in self.waiting[:1]), *self._until_free()]))
            self._arrive()
            self._sample(lambda _: self.state, self.now + SHORT)
        return Course(np.array(self.spikes), np.array(self.states))

    def _until_free(self) -> list[float]:
        return [self.free] if self.free > self.now else []

    def _arrive(self) -> None:
        while self.waiting and self.waiting[0][0] <= self.now:
            self.state = self.state + np.array(self.waiting.pop(0)[1])

    def _spike(self) -> None:
        self.spikes.append(self.now)
        self.state = np.array(self.cell.after(self.state), dtype=float)
        self.free = self.now + self.cell.refractory

    def _go(self, end: float) -> None:
        """To `end`, or to the spike before it."""
        resting = self.now < self.free
        moving = np.array([0.0 if resting and self.cell.held else 1.0, *np.ones(len(self.state) - 1)])

        def reached(_: float, state: Array) -> float:
            return -1.0 if resting else self.cell.over(state)

        reached.terminal, reached.direction = True, 1.0  # type: ignore[attr-defined]
        found = solve_ivp(
            lambda _, state: moving * np.array(self.cell.slope(state)),
            (self.now, end),
            self.state,
            method="DOP853",
            events=reached,
            dense_output=True,
            rtol=1e-10,
            atol=1e-12,
        )
        self.now, self.state = float(found.t[-1]), found.y[:, -1]
        self._sample(found.sol, self.now - SHORT)
        if found.status == 1:
            self._spike()

    def _sample(self, state: Callable[[float], Array], until: float) -> None:
        seen = self.grid[len(self.states) :]
        self.states += [state(time) for time in seen[seen < until]]
