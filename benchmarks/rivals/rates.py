"""Learning rates: which were tried, what they reached, which was chosen. Kept in rates.json, which --tune writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals import store
from benchmarks.rivals.cases import SEEDS, Case
from benchmarks.rivals.entries import Rule

FILE = Path(__file__).resolve().parent / "rates.json"
Rates = dict[str, dict[str, dict[str, Any]]]


def known(file: Path = FILE) -> Rates:
    """By rule and task: `chosen`, and `tried`, a list of rate, mean and standard deviation over the seeds."""
    found: Rates = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return found


def chosen(rates: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, float]]:
    """The chosen rates alone."""
    return {rule: {task: float(found["chosen"]) for task, found in tasks.items()} for rule, tasks in rates.items()}


def choose(folder: Path, rules: Iterable[Rule], rates: Rates) -> Rates:
    """The rates with those of rules and tasks of which all tried ones have run: the best mean of the seeds."""
    made = {name: dict(tasks) for name, tasks in rates.items()}
    for rule in rules:
        for task, setup in rule.setups.items():
            tried = [(rate, _reached(folder, rule, task, rate)) for rate in setup.rates]
            if any(len(found) < len(SEEDS) for _, found in tried):
                continue
            best = max(tried, key=lambda one: float(np.mean(one[1])))[0]
            told = [[rate, round(float(np.mean(f)), 2), round(float(np.std(f, ddof=1)), 2)] for rate, f in tried]
            made.setdefault(rule.name, {})[task] = {"chosen": best, "tried": told}
    return made


def _reached(folder: Path, rule: Rule, task: str, rate: float) -> list[float]:
    """What the seeds reached on the patterns that choose; 0 for a run that failed."""
    cases = (Case(task, rule.name, seed=seed, rate=rate) for seed in SEEDS)
    found = (store.load(folder, case.name(rule.setups[task], 0.0)) for case in cases)
    return [one["test"][-1] if one.get("test") else 0.0 for one in found if one is not None]


def write(rates: Rates, file: Path = FILE) -> None:
    """Keep the rates, a task of a rule in a line."""
    lines = (f'  "{rule}": {{\n{_tasks(tasks)}\n  }}' for rule, tasks in sorted(rates.items()))
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def _tasks(tasks: Mapping[str, Any]) -> str:
    return ",\n".join(f'    "{task}": {json.dumps(found)}' for task, found in tasks.items())
