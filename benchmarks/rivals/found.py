"""The results of the bench out of their files, and what several runs come to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals import entries, forms, rates, store
from benchmarks.rivals.cases import WORDY, Case, Need, bench, named, needs

NEAR = 5.0
"""Points above chance within which nothing was learned."""


@dataclass(frozen=True)
class Some:
    """Runs that are told together: their final accuracies in percent, 0 for one that failed, and how many failed."""

    task: str
    values: tuple[float, ...] = ()
    failed: int = 0

    @property
    def mean(self) -> float:
        """The mean over all runs."""
        return float(np.mean(self.values))

    @property
    def sd(self) -> float:
        """The standard deviation over runs, n - 1 in its denominator; 0 for one run."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else 0.0

    @property
    def at_chance(self) -> int:
        """How many runs learned nothing, besides those that failed."""
        return sum(value < entries.CHANCE[self.task] + NEAR for value in self.values) - self.failed


@dataclass
class Found:
    """All results there are."""

    runs: dict[Case, dict[str, Any]] = field(default_factory=dict)
    needs: dict[Need, dict[str, Any]] = field(default_factory=dict)

    def of(self, task: str, rule: str, chip: str, mismatch: int = 0, bits: int | None = None) -> list[dict[str, Any]]:
        """The runs of a condition."""
        wanted = (task, rule, chip, mismatch, bits)
        return [r for c, r in self.runs.items() if (c.task, c.rule, c.chip, c.mismatch, c.bits) == wanted]

    def accuracy(self, task: str, rule: str, chip: str, mismatch: int = 0, bits: int | None = None) -> Some:
        """What the runs of a condition reached."""
        runs = self.of(task, rule, chip, mismatch, bits)
        values = tuple(run["test"][-1] if lasting(run) else 0.0 for run in runs)
        return Some(task, values, sum(not lasting(run) for run in runs))

    def angles(self, task: str, rule: str, chip: str, mismatch: int = 0) -> list[float]:
        """Degrees between the last updates and those of back-propagation, by layer: the mean of runs that have them."""
        last = [run["updates"][-1] for run in self.of(task, rule, chip, mismatch) if run.get("updates")]
        found = [angles for angles in last if np.all(np.isfinite(angles))]
        return np.mean(found, axis=0).tolist() if found else []

    def bits(self, task: str, rule: str) -> tuple[int, ...]:
        """The word lengths of visible weights of which there are runs, the chip's own among them."""
        given = {case.bits or 16 for case in self.runs if (case.task, case.rule, case.chip) == (task, rule, WORDY)}
        return tuple(sorted(given))

    def worded(self, task: str, rule: str, bits: int) -> Some:
        """What was reached with so many bits of visible weights."""
        return self.accuracy(task, rule, WORDY, 0, None if bits == 16 else bits)

    def needed(self, task: str, rule: str, within: float = 2.0) -> int | None:
        """The fewest bits from which on the mean is within so many points of floating point's; None if none are."""
        ideal, least = self.accuracy(task, rule, "ideal"), None
        for bits in reversed(self.bits(task, rule)):
            if not ideal.values or self.worded(task, rule, bits).mean < ideal.mean - within:
                break
            least = bits
        return least


def lacking(found: Found) -> list[tuple[str, str]]:
    """Rules and tasks that have a learning rate and no run in floating point."""
    rules, chosen = entries.rules(), rates.chosen(rates.known())
    some = ((rule, task) for rule, setup in rules.items() for task in setup.setups if task in chosen.get(rule, {}))
    return [one for one in some if not found.of(one[1], one[0], "ideal")]


def lasting(run: dict[str, Any]) -> bool:
    """Whether a run came to its end with numbers."""
    return "error" not in run and not run["not_finite"]


def gathered(folder: Path, quick: bool = False) -> Found:
    """What lies in a folder of the present settings; of the others nothing is told. InvalidInput for damaged files."""
    rules = entries.rules()
    jobs: Iterable[Case | Need] = [*needs(rules.values()), *bench(rules.values(), quick)]
    found = Found()
    for name, job in named(jobs, rules, rates.chosen(rates.known())).items():
        result = store.load(folder, name, forms.is_need if isinstance(job, Need) else forms.is_run)
        if result is None:
            continue
        if isinstance(job, Need):
            found.needs[job] = result
        else:
            found.runs[replace(job, quick=False)] = result
    return found
