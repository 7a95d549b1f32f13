"""What generated code needs to draw the rows of synapses that are not stored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.numerics import detmath
from neuroport.program.laws import Jumps
from neuroport.program.machine import Projection
from neuroport.program.rows import Rows

MOST_AT_ONCE = 2048
"""Jumps that are drawn before it is looked whether the row has ended: they stay in the first cache."""
LANES = 8


def of_law(projection: Projection) -> dict[str, NDArray[Any]]:
    """The arrays of a projection by their kinds, see `runtime_rows`; none where synapses are stored."""
    rows = projection.wiring
    if not isinstance(rows, Rows) or rows.law is None:
        return {}
    law, longest = rows.law, int(np.diff(rows.indptr).max(initial=0))
    key = np.array([law.source.stream()], np.uint64).view(np.int64)
    degree = 0 if isinstance(law, Jumps) else law.degree
    which = np.array([*key, law.targets, rows.first, rows.last, law.itself, degree], np.int64)
    if isinstance(law, Jumps):
        never = law.probability == 0.0
        divisor = -5e-324 if never else float(detmath.log1p(-law.probability))
        mean = law.targets * law.probability
        width = min(MOST_AT_ONCE, LANES * (1 + int(mean + 2.0 * mean**0.5) // LANES))
        return {
            "law": which,
            "divisor": np.array([divisor]),
            "drawn_numbers": np.zeros(width, np.int64),
            "drawn": np.zeros(longest + 1, np.uint32),
        }
    return {
        "law": which,
        "drawn_numbers": np.zeros(law.fewest, np.uint32),
        "seen": np.zeros(1 + law.targets // 64, np.int64),
        "drawn": np.zeros(longest + 1, np.uint32),
    }


def one_for_all(array: str, values: NDArray[Any]) -> NDArray[Any]:
    """The one value of all synapses of a projection that are not stored; InvalidInput where there are several."""
    if values.size and np.any(values != values[0]):
        text = f"{array}: synapses that are not stored (`stored: false`) all have the same value; give one number"
        raise InvalidInput.one(None, text)
    return values[:1]
