"""What executors take, by what was measured, and which one is clearly better: a rule without looking at the machine.

Every figure is the least and the most that was measured of it; a run may be anywhere between. Sources:

- the emulator, GeNN on the processor and the reference: `python benchmarks/executors.py`, and docs/speed.md;
- GeNN on a GPU, and the most of the emulator: one H200 and a core beside it, measured on the first release
  (docs/speed.md, "On a GPU"). What is dense there was not measured: it may take nothing, or what the emulator takes.
  Nor was how spikes are dealt out since: they may take nothing, or what they took with GeNN's default.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from neuroport.program.work import Work

CLEAR = 3.0
"""An executor is clearly better where it surely is so many times as fast,"""
WORTH = 1.0
"""and surely saves so many seconds."""
RATES = (1.0, 50.0)
"""The mean rates, in Hz, between which neurons are taken to spike where nobody knows it."""

Span = tuple[float, float]
"""The least and the most."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an executor takes. `build`: seconds of building a program that was not compiled before.

    `per_copy` and `per_synapse` are seconds of building, too. `step`: microseconds. `row`, `learned_row`: microseconds
    for each neuron that spikes and projection. In nanoseconds: `operation` of neurons, `dense` of synapses, `event`,
    `learned_event`. `total`: microseconds of a sum over elements. `lanes`: independent runs are computed beside each
    other, and one by several threads.
    """

    build: Span
    step: Span
    operation: Span
    dense: Span
    event: Span
    learned_event: Span
    per_copy: Span = (0.0, 0.0)
    per_synapse: Span = (0.0, 0.0)
    row: Span = (0.0, 0.0)
    learned_row: Span = (0.0, 0.0)
    total: Span = (0.0, 0.0)
    lanes: bool = False


ON_A_GPU = Cost(
    build=(5.0, 8.0),
    per_copy=(0.0, 1.4),
    per_synapse=(0.0, 1.25e-6),
    step=(14.0, 16.5),
    operation=(0.0, 0.0077),
    dense=(0.0, 0.045),
    row=(0.0, 0.07),
    event=(0.0, 0.5),
    learned_row=(0.0, 0.17),
    learned_event=(0.0, 2.4),
    total=(0.0, 90.0),
)
COSTS: Mapping[str, Cost] = {
    "emulator": Cost(
        build=(0.4, 1.8),
        per_copy=(0.0, 0.05),
        step=(0.05, 2.8),
        operation=(0.012, 0.045),
        dense=(0.005, 0.045),
        event=(0.75, 2.3),
        learned_event=(2.5, 19.0),
        lanes=True,
    ),
    "genn on cpu": Cost(
        build=(3.8, 12.0),
        per_copy=(0.0, 0.3),
        step=(0.15, 5.0),
        operation=(0.08, 0.22),
        dense=(0.05, 0.22),
        event=(2.2, 2.7),
        learned_event=(6.0, 8.0),
        total=(0.0, 90.0),
    ),
    "genn on cuda": ON_A_GPU,
    "genn on hip": ON_A_GPU,
    "reference": Cost(
        build=(0.0, 0.0),
        step=(30.0, 1100.0),
        operation=(0.9, 20.0),
        dense=(1.0, 100.0),
        event=(0.0, 100.0),
        learned_event=(10.0, 100.0),
    ),
}
"""By the name of an executor and what it runs on."""


@dataclass(frozen=True, slots=True)
class Better:
    """An executor that is clearly better than another: surely so many times as fast, and so many seconds."""

    executor: str
    factor: float
    saved: float


@dataclass(frozen=True, slots=True)
class Case:
    """What is not known before a run: the mean rate of the neurons in Hz, and whether a program is yet to be built."""

    rate: float
    fresh: bool


CASES = tuple(Case(rate, fresh) for rate in RATES for fresh in (False, True))


def seconds(work: Work, cost: Cost, lanes: int = 1) -> Span:
    """What work takes at the least and at the most, in any case. `lanes`: how many threads there are for it."""
    spans = [in_case(work, cost, case, lanes) for case in CASES]
    return min(least for least, _ in spans), max(most for _, most in spans)


def in_case(work: Work, cost: Cost, case: Case, lanes: int = 1) -> Span:
    """What work takes at the least and at the most in one case."""
    share = case.rate * work.dt / 1000 if work.firing else 0.0
    beside = max(1, min(lanes, work.runs) if work.runs > 1 else lanes) if cost.lanes else 1
    steps = work.runs if cost.lanes else 1

    def at(k: int) -> float:
        building = cost.build[k] + cost.per_copy[k] * (work.copies - 1) + cost.per_synapse[k] * work.synapses
        step = steps * cost.step[k] + work.sums * cost.total[k]
        step += (cost.operation[k] * work.operations + cost.dense[k] * work.dense) / 1000
        step += share * (cost.row[k] * work.rows + cost.learned_row[k] * work.learned_rows)
        step += share * (cost.event[k] * work.events + cost.learned_event[k] * work.learned_events) / 1000
        return case.fresh * building + 1e-6 * work.steps * step / (beside if k == 0 else 1)

    return at(0), at(1)


def better(
    work: Work, chosen: str, others: Sequence[str], lanes: int = 1, costs: Mapping[str, Cost] = COSTS
) -> Better | None:
    """The executor among `others` that is clearly better than the chosen one for this work, if any: the surest one.

    In every case it has to be, were the chosen one as fast as it can be and that one as slow.
    """
    found: Better | None = None
    for other in others:
        if other == chosen or chosen not in costs or other not in costs:
            continue
        one, two = costs[chosen], costs[other]
        ends = [(in_case(work, one, case, lanes)[0], in_case(work, two, case, lanes)[1]) for case in CASES]
        factor = min(least / most if most else math.inf for least, most in ends)
        saved = min(least - most for least, most in ends)
        if factor >= CLEAR and saved >= WORTH and (found is None or factor > found.factor):
            found = Better(other, factor, saved)
    return found
