"""The rules of the bench and how each does a task: read from families/*.yaml, one file for a family."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent / "families"
FAMILIES = (
    "two_routes",
    "ekdaa",
    "sal",
    "gle",
    "predictive_coding",
    "pal",
    "emstdp",
    "emstdp_chip",
    "tssl_bp",
    "meta_plasticity",
)
TASKS = ("digits", "yinyang", "conv", "online")
PARTS = ("stimuli.test.patterns.values.part=validation", "stimuli.test.patterns.labels.part=validation")
CHANCE = {"digits": 10.0, "yinyang": 100 / 3, "conv": 10.0, "online": 10.0}


@dataclass(frozen=True)
class Setup:
    """How a rule does a task.

    `network`: the name of one that comes with neuroport, or a path from the top of the checkout. `sets`: changes to
    it, "PATH=VALUE". `rate`: the paths that are given the learning rate, and how many times it. `rates`: those that are
    tried. `validation`: changes by which the metric `test` is of the patterns that choose the learning rate. `quick`:
    changes for a look in a short time. `train`: the stimulus that is learned from. `angles`: whether there is a metric
    `updates`. `host`: the one in benchmarks/rivals/hosts.py that learns, where a program beside the chip does; changes
    are its options then. `eight`: a chip of the rule's own in the place of generic8.
    """

    network: str
    sets: tuple[str, ...]
    rate: Mapping[str, float] = field(hash=False)
    rates: tuple[float, ...]
    validation: tuple[str, ...]
    quick: tuple[str, ...]
    train: str
    angles: bool
    host: str = ""
    eight: str = "generic8"

    def chip(self, name: str) -> str:
        """What neuroport's chips are loaded by, for one of the bench."""
        own = self.eight if name == "generic8" else name
        return str(ROOT / own) if "/" in own else own

    @property
    def path(self) -> str:
        """What neuroport.load takes."""
        return str(ROOT / self.network) if "/" in self.network else self.network

    def with_rate(self, rate: float) -> tuple[str, ...]:
        """The changes with a learning rate."""
        return (*self.sets, *(f"{path}={times * rate!r}" for path, times in self.rate.items()))


@dataclass(frozen=True)
class Rule:
    """A learning rule: its name in files, its title in tables, its page of docs/ and the tasks that it does."""

    name: str
    title: str
    family: str
    page: str
    setups: Mapping[str, Setup] = field(hash=False)


@cache
def rules() -> Mapping[str, Rule]:
    """All rules by name."""
    return {rule.name: rule for family in FAMILIES for rule in read(FOLDER / f"{family}.yaml")}


def read(file: Path) -> Iterator[Rule]:
    """The rules of a family."""
    family = yaml.safe_load(file.read_text("utf-8"))
    for name, rule in family["rules"].items():
        wanted = rule.get("tasks", list(family["tasks"]))
        setups = {task: _setup(family, rule, task) for task in TASKS if task in wanted}
        yield Rule(name, rule["title"], family["family"], family["page"], setups)


def _setup(family: Mapping[str, Any], rule: Mapping[str, Any], task: str) -> Setup:
    given = family["tasks"][task]
    own = rule.get("of", {}).get(task, {})
    numbers = range(1, given.get("feedback", 0) + 1)
    changes: dict[str, Any] = {}
    for some in (given.get("set", {}), rule.get("set", {}), own):
        changes |= dict(_numbered(some, numbers))
    rate = dict(given["rate"]) if isinstance(given["rate"], dict) else dict.fromkeys(given["rate"], 1.0)
    rate |= dict.fromkeys(rule.get("rate", ()), 1.0)
    chosen = rule.get("rates", {}).get(task, family["rates"][task])
    return Setup(
        network=rule.get("network", {}).get(task, given["network"]),
        sets=_written(changes),
        rate=dict(_numbered(rate, numbers)),
        rates=tuple(float(value) for value in chosen),
        validation=(*(() if "host" in family else PARTS), *_written(given.get("validation", {}))),
        quick=_written(given.get("quick", {})),
        train=given.get("train", "train"),
        angles="host" not in family and rule.get("angles", given.get("angles", True)),
        host=family.get("host", ""),
        eight=given.get("eight", "generic8"),
    )


def _numbered(changes: Mapping[str, Any], numbers: range) -> Iterator[tuple[str, Any]]:
    """Changes in which {k} and {k+1} stand for the number of each projection of feedback weights."""
    for path, value in changes.items():
        if "{k" not in path:
            yield path, value
            continue
        for k in numbers:
            yield _put(path, k), _put(value, k) if isinstance(value, str) else value


def _put(text: str, k: int) -> str:
    return text.replace("{k}", str(k)).replace("{k+1}", str(k + 1))


def _written(changes: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{path}={json.dumps(value)}" for path, value in changes.items())
