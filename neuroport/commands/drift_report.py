"""How two runs part, as plain values and as tables for people; over several chips as mean and standard deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress, pairwise
from typing import TYPE_CHECKING, Any

from neuroport.commands.common import echo_table
from neuroport.commands.spread import Spread, spread

if TYPE_CHECKING:
    from neuroport.trace.drift import Course, Drift
    from neuroport.trace.trains import Distance

Names = tuple[str, str]
"""What people call the two runs."""


def fields(drift: Drift) -> dict[str, Any]:
    """A drift as `--json` has it."""
    first, beyond, spikes = drift.first, drift.first_beyond, drift.first_spikes
    return {
        "first_difference": None if first is None else {"array": first.array, "steps": first.differs},
        "first_by_a_unit": None if beyond is None else {"array": beyond.array, "steps": beyond.beyond},
        "first_other_spike": None if spikes is None else _spike(spikes),
        **_numbers(drift),
    }


def _spike(distance: Distance) -> dict[str, Any]:
    other = distance.first
    assert other is not None
    only = ("first", "second")[other.run]
    return {"population": distance.population, "step": other.step, "neuron": other.neuron, "only_in": only}


def _numbers(drift: Drift) -> dict[str, Any]:
    """What has a mean over several drifts; keyed by name and by steps."""
    return {
        "arrays": {course.array: _course(course) for course in drift.arrays},
        "spikes": {distance.population: _distance(distance) for distance in drift.trains},
        "metrics": {
            name: {str(step): {"first": a, "second": b} for step, a, b in values}
            for name, values in drift.metrics.items()
        },
        "overflows": {name: {"first": a, "second": b} for name, (a, b) in drift.overflows.items()},
    }


def _course(course: Course) -> dict[str, Any]:
    return {
        "largest_seen": course.scale,
        "unit": course.unit,
        "differs_after": course.differs,
        "by_a_unit_after": course.beyond,
        "growth": {str(gap.steps): {"largest": gap.largest, "rms": gap.rms} for gap in course.gaps},
    }


def _distance(distance: Distance) -> dict[str, Any]:
    return {
        "spikes": {"first": distance.spikes[0], "second": distance.spikes[1]},
        "equal": distance.equal,
        "first_other_step": None if distance.first is None else distance.first.step,
        "rates": {"first": distance.rates[0], "second": distance.rates[1]},
        "rate_difference": distance.rate_difference,
        "van_rossum": distance.van_rossum,
        "coincidence": distance.coincidence,
    }


def over(drifts: Sequence[Drift]) -> dict[str, Any]:
    """Mean and standard deviation of all numbers of several drifts."""
    result: dict[str, Any] = spread(list(map(_numbers, drifts)))
    return result


# ------------------------------------------------------------------------------------------------------------- tables


def tell(drifts: Sequence[Drift], names: Names, chip_seeds: Sequence[int | None]) -> None:
    """Print how runs part: for each chip where, and over all of them how far; nothing where nothing is common."""
    if not drifts[0].arrays and not drifts[0].trains:
        return
    _parting(drifts, names, chip_seeds)
    numbers = over(drifts)
    arrays = numbers["arrays"]
    columns = ("array", "largest seen", "unit", "differs after", "by a unit after")
    keys = ("largest_seen", "unit", "differs_after", "by_a_unit_after")
    echo_table(columns, [[name, *(_cell(course[key]) for key in keys)] for name, course in arrays.items()])
    _growth(arrays, "rms", "root mean square difference after so many steps")
    _growth(arrays, "largest", "largest difference after so many steps")
    _trains(numbers["spikes"], names)
    _metrics(numbers["metrics"], names)
    rows = [[name, _cell(pair["first"]), _cell(pair["second"])] for name, pair in numbers["overflows"].items()]
    echo_table(("stores out of range", *names), rows)


def _parting(drifts: Sequence[Drift], names: Names, chip_seeds: Sequence[int | None]) -> None:
    several = len(drifts) > 1
    rows = []
    for seed, drift in zip(chip_seeds, drifts, strict=True):
        told = fields(drift)
        where = [
            _when(told["first_difference"]),
            _when(told["first_by_a_unit"]),
            _which(told["first_other_spike"], names),
        ]
        rows.append([str(seed), *where] if several else where)
    columns = ("first difference", "first by a unit or more", "first other spike")
    echo_table(("chip seed", *columns) if several else columns, rows)


def _when(first: Mapping[str, Any] | None) -> str:
    if first is None:
        return "-"
    steps = first["steps"]
    when = f"after {steps:,} steps" if steps > 1 else "after 1 step" if steps else "at the start"
    return f"{first['array']} {when}"


def _which(spike: Mapping[str, Any] | None, names: Names) -> str:
    if spike is None:
        return "-"
    only = names[("first", "second").index(spike["only_in"])]
    return f"step {spike['step']:,}: {spike['population']} {spike['neuron']}, only on {only}"


def _growth(arrays: Mapping[str, Any], key: str, title: str) -> None:
    """A column for the start, for each power of ten, and for the end."""
    known = {int(steps) for course in arrays.values() for steps in course["growth"]}
    if not known:
        return
    end = max(known)
    upto = [0, *(10**k for k in range(len(str(end))) if 10**k < end), end]
    rows = [_latest(course["growth"], key, upto) for course in arrays.values()]
    seen = [any(row[k] != "-" for row in rows) for k in range(len(upto))]
    shown = [[name, *compress(row, seen)] for name, row in zip(arrays, rows, strict=True)]
    echo_table(("array", *(f"{steps:,}" for steps in compress(upto, seen))), shown, title)


def _latest(growth: Mapping[str, Any], key: str, columns: Sequence[int]) -> list[Any]:
    """For each column what was seen last after the one before."""
    seen = sorted(map(int, growth))
    cells = []
    for before, upto in pairwise((-1, *columns)):
        within = [steps for steps in seen if before < steps <= upto]
        cells.append(_cell(growth[str(within[-1])][key]) if within else "-")
    return cells


def _trains(populations: Mapping[str, Any], names: Names) -> None:
    columns = ["population", *(f"spikes {name}" for name in names), "equal", *(f"Hz {name}" for name in names)]
    rows = [
        [
            name,
            *(_cell(d["spikes"][k]) for k in ("first", "second")),
            _cell(d["equal"]),
            *(_cell(d["rates"][k]) for k in ("first", "second")),
            *(_cell(d[k]) for k in ("rate_difference", "van_rossum", "coincidence")),
        ]
        for name, d in populations.items()
    ]
    echo_table([*columns, "Hz apart", "van Rossum", "coincidence"], rows)


def _metrics(metrics: Mapping[str, Any], names: Names) -> None:
    """The last measurement that both made."""
    last = [(name, max(map(int, values)), values) for name, values in metrics.items() if values]
    rows = [[name, step, *(_cell(v[str(step)][k]) for k in ("first", "second"))] for name, step, v in last]
    echo_table(("metric", "at step", *names), rows)


def _cell(value: Any) -> Any:
    """Four digits of a number that all runs have in common, or mean and deviation; those of a list likewise."""
    if isinstance(value, list):
        return [_cell(item) for item in value]
    if isinstance(value, Spread) and not value.sd:
        return int(value.mean) if value.mean.is_integer() and abs(value.mean) < 2**53 else float(f"{value.mean:.4g}")
    return "-" if value is None else value
