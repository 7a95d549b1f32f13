"""Random model texts on trial: `ideal` and wide chips against the evaluator of the texts.

On a chip whose every word has 32 or 48 bits, rounding explains at most 1e-4 of a variable's range in the few steps of a
case. How much it does explain is measured: the evaluator runs again with every inexact result shaken by 1e-6. Where
that moves a variable by more than 1e-5 of its range (a comparison near equality, a chaotic rule), the rest of the case
is not compared. Ints are exact, or it is not compared either.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import neuroport
from neuroport.chips import description as chips
from neuroport.chips.chip import Chip
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network
from neuroport.program.executor import Backend
from neuroport.session.session import Session
from tests.support import random_models
from tests.support.planning import open_session
from tests.support.random_models import RUNS, Case
from tests.support.text_evaluator import Evaluator

WIDE = """
name: wide{bits}
words:
  state: {{bits: {bits}}}
  weight: {{bits: {bits}}}
  plastic: {{bits: {bits}}}
  trace: {{bits: {bits}}}
  accumulator: {{bits: {bits}}}
  coefficient: {{bits: 48}}
tables: {{intervals: 4096, bits: 32}}
"""
CLOSE = 1e-4
SHAKE = 1e-6
UNSURE = 1e-5
SHAKEN = 2
"""How often a case is evaluated with shaken results."""

Values = dict[str, list[float]]
Moments = list[Values]
"""All variables after each run of a case; it ends early where what follows is not to be compared."""


@dataclass(frozen=True)
class Finding:
    """What one case did on one chip: `refused` says why it was not run, `wrong` what differs and how."""

    case: Case
    chip: str
    refused: str = ""
    wrong: str = ""
    compared: int = 0


@cache
def wide(bits: int) -> Chip:
    """A chip of words of that many bits."""
    return chips.read(WIDE.format(bits=bits), f"wide{bits}.yaml")


def expected(case: Case, saturate: bool, shake: float = 0.0, seed: int = 0) -> Moments:
    """What the evaluator finds after each run."""
    return drive(case, Evaluator(random_models.network([case]), saturate, shake, seed))


def drive(case: Case, evaluator: Evaluator) -> Moments:
    """All runs and switches of a case; the values after each run."""
    moments: Moments = []
    for number, steps in enumerate(RUNS):
        for name, value in case.switches[number - 1].items() if number else ():
            evaluator.set(name, value)
        if number and case.learns:
            evaluator.event(random_models.LEARN)
        evaluator.run(steps)
        moments.append({name: evaluator.get(name) for name in case.shown})
    return moments


@dataclass(frozen=True)
class Right:
    """The right values of a case after each run, and how far rounding may move them."""

    values: Moments
    slack: list[dict[str, float]]


def right(case: Case, saturate: bool) -> Right:
    """The values, as far as they can be compared."""
    values = expected(case, saturate)
    shaken = [expected(case, saturate, SHAKE, seed) for seed in range(SHAKEN)]
    widths = {name: high - low for name, (low, high) in case.shown.items()}
    slack: list[dict[str, float]] = []
    for moment, others in zip(values, zip(*shaken, strict=True), strict=True):
        moved = {name: max(_distance(moment[name], other[name]) for other in others) for name in moment}
        ints = {name for name in moment if any(isinstance(x, int) for x in moment[name])}
        if not all(map(math.isfinite, (*moved.values(), *(x for values in moment.values() for x in values)))):
            break
        if any(moved[name] > (0 if name in ints else UNSURE * widths[name]) for name in moment):
            break
        slack.append({n: 0 if n in ints else CLOSE * widths[n] + 10 * moved[n] for n in moment})
    return Right(values[: len(slack)], slack)


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def network(case: Case) -> Network:
    """The case as neuroport reads it."""
    return reader.loads(random_models.text(random_models.network([case])).encode(), f"case{case.seed}.yaml")


def moments(session: Session, names: Sequence[str]) -> Moments:
    """What a session's protocol leaves in these variables after each run."""
    found: dict[int, Values] = {}
    ends = [sum(RUNS[: n + 1]) for n in range(len(RUNS))]
    for _ in session.walk_protocol():
        if session.step in ends and session.step not in found:
            found[session.step] = {name: session.get(name).ravel().tolist() for name in names}
    return list(found.values())


def run(case: Case, chip: Chip, backend: Backend) -> Moments:
    """What a case does on a chip."""
    read = network(case)
    with open_session(read, neuroport.compile(read, chip), backend) as session:
        return moments(session, list(case.shown))


def trials(case: Case, on: Sequence[Chip], backend: Backend) -> list[Finding]:
    """Run a case on chips and compare. An exception that is not a refusal is wrong too."""
    try:
        read = network(case)
    except InvalidInput as error:
        return [Finding(case, chip.name, refused=str(error)) for chip in on]
    truth: dict[bool, Right] = {}
    return [_trial(case, read, chip, backend, truth) for chip in on]


def _trial(case: Case, read: Network, chip: Chip, backend: Backend, truth: dict[bool, Right]) -> Finding:
    try:
        program = neuroport.compile(read, chip)
    except InvalidInput as error:
        return Finding(case, chip.name, refused=str(error))
    except Exception as error:
        return Finding(case, chip.name, wrong=f"compile: {type(error).__name__}: {error}")
    if chip.integer not in truth:
        truth[chip.integer] = right(case, saturate=chip.integer)
    try:
        with warnings.catch_warnings(), open_session(read, program, backend) as session:
            warnings.simplefilter("ignore")
            found = moments(session, list(case.shown))
    except Exception as error:
        return Finding(case, chip.name, wrong=f"run: {type(error).__name__}: {error}")
    wrong = differences(found, truth[chip.integer], exact=not chip.integer)
    return Finding(case, chip.name, wrong=wrong, compared=len(truth[chip.integer].values))


def differences(found: Moments, truth: Right, exact: bool) -> str:
    """The first variable that is not what it must be, in words; empty if all are."""
    for number, (values, slack) in enumerate(zip(truth.values, truth.slack, strict=True)):
        for name, wanted in values.items():
            allowed = min(slack[name], 1e-9 * max(1.0, *map(abs, wanted))) if exact else slack[name]
            if not _distance(found[number][name], wanted) <= allowed:
                return f"after run {number} {name} is {found[number][name]}, must be {wanted} within {allowed:.2g}"
    return ""
