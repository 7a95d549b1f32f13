"""Learning rates: which were tried, what they reached, which was chosen. Kept in rates.json, which --tune writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals import forms, store
from benchmarks.rivals.cases import SEEDS, Case
from benchmarks.rivals.entries import Rule
from neuroport.disk.output import reason, write_bytes
from neuroport.errors import InvalidInput, Place

FILE = Path(__file__).resolve().parent / "rates.json"
Rates = dict[str, dict[str, dict[str, Any]]]
Chosen = dict[str, dict[str, float]]


def known(file: Path = FILE) -> Rates:
    """By rule and task: `chosen`, and `tried`, a list of rate, mean and standard deviation over the seeds.

    InvalidInput for a damaged file.
    """
    try:
        found = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InvalidInput.one(Place(str(file)), f"cannot be read: {reason(error)}") from None
    except (ValueError, RecursionError):
        found = None
    if not forms.fits(found, forms.RATES):
        text = "is no file of learning rates, or a damaged one; take the one of the repository, or delete it and --tune"
        raise InvalidInput.one(Place(str(file)), text)
    rates: Rates = found
    return rates


def chosen(rates: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Chosen:
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
    found = (store.load(folder, case.name(rule.setups[task], 0.0), forms.is_run) for case in cases)
    return [one["test"][-1] if one.get("test") else 0.0 for one in found if one is not None]


def write(rates: Rates, file: Path = FILE) -> None:
    """Keep the rates, a task of a rule in a line. NotWritten where they cannot be."""
    lines = (f'  "{rule}": {{\n{_tasks(tasks)}\n  }}' for rule, tasks in sorted(rates.items()))
    write_bytes(file, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _tasks(tasks: Mapping[str, Any]) -> str:
    return ",\n".join(f'    "{task}": {json.dumps(found)}' for task, found in tasks.items())
