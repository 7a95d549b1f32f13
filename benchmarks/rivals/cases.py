"""The runs of the bench: every rule on every task, arithmetic, mismatch, chip and seed, and in which order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.rivals.entries import TASKS, Rule, Setup

ARITHMETICS = ("ideal", "generic16", "generic8")
MISMATCHES = (0, 10, 20)
CHIPS = (1, 2, 3, 4, 5)
SEEDS = (1, 2, 3)
WORDS = (2, 3, 4, 5, 6, 7, 8, 10, 12)
"""Bits of visible weights, besides the 16 of WORDY."""
WORDY = "generic16"


@dataclass(frozen=True)
class Case:
    """One run. `mismatch` in percent, `bits` of visible weights unless the chip's own, `rate`: one that is tried."""

    task: str
    rule: str
    chip: str = "ideal"
    mismatch: int = 0
    chip_seed: int | None = None
    seed: int = 1
    bits: int | None = None
    rate: float | None = None
    quick: bool = False

    @property
    def condition(self) -> tuple[str, int]:
        """What the runs of a cell of a table have in common."""
        return self.chip, self.mismatch

    def sets(self, setup: Setup, chosen: float) -> tuple[str, ...]:
        """The changes to the network."""
        tried = chosen if self.rate is None else self.rate
        validation = () if self.rate is None else setup.validation
        acting = ("metrics.updates.effective=true",) if setup.angles and self.mismatch else ()
        quick = setup.quick if self.quick else ()
        return (*setup.with_rate(tried), *validation, *acting, *quick, f"seed={self.seed}")

    def name(self, setup: Setup, chosen: float) -> str:
        """The name of its file. Runs of other settings have others, so that a file is never of what was before."""
        parts = [self.task, self.rule, self.chip + (f"w{self.bits}" if self.bits else "")]
        parts += [f"mismatch{self.mismatch}", f"chip{self.chip_seed}"] if self.mismatch else []
        parts += [f"seed{self.seed}"]
        parts += [f"rate{self.rate:g}"] if self.rate is not None else []
        parts += ["quick"] if self.quick else []
        settings = "\n".join((setup.network, *self.sets(setup, chosen)))
        return "-".join((*parts, hashlib.sha256(settings.encode()).hexdigest()[:8])) + ".json"


def tuning(rules: Iterable[Rule]) -> Iterator[Case]:
    """What a learning rate is chosen by."""
    for rule in rules:
        for task, setup in rule.setups.items():
            for rate in setup.rates:
                for seed in SEEDS:
                    yield Case(task, rule.name, seed=seed, rate=rate)


def bench(rules: Iterable[Rule], quick: bool = False, short: bool = False) -> list[Case]:
    """All runs: every condition with one chip, then with each chip and one seed, then the rest of chips times seeds.

    Runs of a rule with other chips come together, because they have one program.

    `quick`: with one seed, two chips and no mismatch or the largest. `short`: without the rest.
    """
    rules = list(rules)
    some = [(rule.name, task) for task in TASKS for rule in rules if task in rule.setups]
    found: dict[Case, None] = {}
    for some_chips in (CHIPS[:1], CHIPS[1:2] if quick else CHIPS[1:]):
        for rule, task in some:
            for chip_seed in some_chips:
                seed = 1 if quick else SEEDS[(chip_seed - 1) % len(SEEDS)]
                found |= dict.fromkeys(_conditions(task, rule, chip_seed, seed, quick))
    if quick:
        return list(found)
    for rule, task in some:
        if task == "digits":
            found |= {Case(task, rule, WORDY, seed=seed, bits=bits): None for bits in WORDS for seed in SEEDS}
    for rule, task in [] if short else some:
        for chip_seed in CHIPS:
            for seed in SEEDS:
                found |= dict.fromkeys(_conditions(task, rule, chip_seed, seed, quick))
    return list(found)


def _conditions(task: str, rule: str, chip_seed: int, seed: int, quick: bool) -> Iterator[Case]:
    for chip in ARITHMETICS:
        for mismatch in MISMATCHES[::2] if quick else MISMATCHES:
            yield Case(task, rule, chip, mismatch, chip_seed if mismatch else None, seed, quick=quick)


@dataclass(frozen=True)
class Need:
    """What a rule needs on a task, which is counted and not run."""

    task: str
    rule: str

    def name(self, setup: Setup, chosen: float) -> str:
        """The name of its file."""
        settings = "\n".join((setup.network, *setup.with_rate(chosen)))
        return f"{self.task}-{self.rule}-needs-{hashlib.sha256(settings.encode()).hexdigest()[:8]}.json"


def needs(rules: Iterable[Rule]) -> Iterator[Need]:
    """Of every rule on every task."""
    for rule in rules:
        for task in rule.setups:
            yield Need(task, rule.name)


def named(
    jobs: Iterable[Case | Need], rules: Mapping[str, Rule], rates: Mapping[str, Mapping[str, float]]
) -> dict[str, Case | Need]:
    """What is to be done by the names of its files; nothing of a task for which a rule has no learning rate yet."""
    found = {}
    for job in jobs:
        tried = isinstance(job, Case) and job.rate is not None
        chosen = rates.get(job.rule, {}).get(job.task)
        if tried or chosen is not None:
            found[job.name(rules[job.rule].setups[job.task], chosen or 0.0)] = job
    return found
