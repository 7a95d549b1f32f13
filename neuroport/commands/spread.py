"""Mean and standard deviation of what several runs came to, of whatever shape it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean of a number over runs, and its standard deviation (n - 1 in the denominator); None for a single run."""

    mean: float
    sd: float | None

    def __str__(self) -> str:
        """Two digits of the deviation, and as many of the mean as mean something beside it, at most six."""
        if self.sd is None:
            return f"{self.mean:.6g}"
        usual = self.sd > 0 and math.isfinite(self.sd) and math.isfinite(self.mean)
        mean = round(self.mean, 1 - math.floor(math.log10(self.sd))) if usual else self.mean
        return f"{mean:.6g} ± {float(f'{self.sd:.2g}'):.6g}"

    def as_dict(self) -> dict[str, float | None]:
        """For JSON."""
        return {"mean": self.mean, "sd": self.sd}


def spread(runs: Sequence[Any]) -> Any:
    """What several runs came to as one value of the same shape, with a Spread for every number that they have.

    Mappings are joined by key and lists of one length by place. A number that some of the runs do not have (None, or a
    key that is missing) is that of the others. What is no number stays where all agree, and is None where they do not.
    """
    given = [run for run in runs if run is not None]
    if not given:
        return None
    if all(isinstance(run, Mapping) for run in given):
        return {key: spread([run.get(key) for run in given]) for key in dict.fromkeys(k for run in given for k in run)}
    if all(isinstance(run, list | tuple) for run in given):
        alike = len({len(run) for run in given}) == 1
        return [spread(place) for place in zip(*given, strict=True)] if alike else None
    if all(isinstance(run, int | float) and not isinstance(run, bool) for run in given):
        return _numbers(given)
    return given[0] if all(run == given[0] for run in given) else None


def _numbers(values: Sequence[float]) -> Spread:
    import numpy as np

    if all(value == values[0] for value in values):  # their mean need not be exactly what they are
        return Spread(float(values[0]), 0.0 if len(values) > 1 else None)
    with np.errstate(all="ignore"):
        sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return Spread(float(np.mean(values)), sd)
