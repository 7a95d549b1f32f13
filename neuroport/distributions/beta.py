"""Beta with shape parameters a and b: numbers between 0 and 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neuroport.distributions.kind import Given, Kind, first_accepted
from neuroport.numerics import detmath
from neuroport.numerics.draws import Elements, Floats, Source


def draw(given: Given, source: Source, elements: Elements) -> Floats:
    """Beta variates G(a) / (G(a) + G(b)), in logarithms so that tiny shapes do not give 0 / 0."""
    a, b = given.get("a", 1.0), given.get("b", 1.0)
    if a == 1.0 and b == 1.0:
        return source.uniform(elements)
    first = _log_gamma_variate(a, source.part("a"), elements)
    return detmath.sigmoid(first - _log_gamma_variate(b, source.part("b"), elements))


def problem(given: Given) -> str:
    """Both shape parameters must be positive."""
    a, b = given.get("a", 1.0), given.get("b", 1.0)
    return f"a and b are {a:g} and {b:g}; both must be above 0" if min(a, b) <= 0.0 else ""


def _log_gamma_variate(shape: float, source: Source, elements: Elements) -> Floats:
    """Logarithms of gamma variates (Marsaglia & Tsang 2000; shapes below 1 by their power of a uniform number)."""
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / float(detmath.sqrt(9.0 * d))
    normals, uniforms = source.part("normal"), source.part("uniform")

    def propose(some: Elements, attempt: int) -> tuple[Floats, NDArray[np.bool_]]:
        x = normals.normal(some, attempt)
        base = 1.0 + c * x
        log_v = 3.0 * detmath.log(np.where(base > 0.0, base, 1.0))
        v = base * base * base
        accepted = detmath.log(uniforms.uniform(some, attempt)) < 0.5 * x * x + d * (1.0 - v + log_v)
        return log_v, (base > 0.0) & accepted

    why = f"no value found for the shape parameter {shape:g}; use a smaller one"
    result = first_accepted(propose, elements, why) + float(detmath.log(d))
    if shape < 1.0:
        result = result + detmath.log(source.part("power").uniform(elements)) / shape
    return np.asarray(result)


KIND = Kind(required=("a", "b"), pure=True, above_zero=("a", "b"), problem=problem, draw=draw)
