"""Samples of the distributions that a network file may give."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.network.values import Distribution, Quantity
from neuroport.numerics import detmath
from neuroport.numerics.draws import _DRAWS_PER_ELEMENT, _MIN_DRAWS, _SMALL_CALL, Elements, Floats, Source

Proposal: TypeAlias = Callable[[Elements, int], tuple[Floats, NDArray[np.bool_]]]


def sample(
    distribution: Distribution,
    source: Source,
    elements: Elements,
    coherent: Callable[[Quantity], float],
) -> Floats:
    """One value per element (shape of `elements`, one-dimensional), in coherent units.

    `coherent` converts a written quantity into the number the model computes with; arguments that are left out are
    0 (low, mean, offset) or 1 (high of uniform, sd, scale). `low` and `high` bound x in offset + scale * x.

    Raises InvalidInput for arguments that make no distribution, and where truncation leaves nothing to draw.
    """
    given = {name: coherent(quantity) for name, quantity in distribution.arguments}
    _check(distribution, given)
    kind = distribution.kind
    low, high = given.get("low"), given.get("high")
    if kind == "uniform":
        low, high = given.get("low", 0.0), given.get("high", 1.0)
        x = np.minimum(low + (high - low) * source.uniform(elements), high)
    elif kind == "beta":
        x = _beta(given.get("a", 1.0), given.get("b", 1.0), source, elements)
    else:
        mean, sd = given.get("mean", 0.0), given.get("sd", 1.0)

        def propose(some: Elements, attempt: int) -> tuple[Floats, NDArray[np.bool_]]:
            value = mean + sd * source.normal(some, attempt)
            if kind == "lognormal":
                value = detmath.exp(value)
            good = np.ones(value.shape, dtype=np.bool_)
            if low is not None:
                good &= value >= low
            if high is not None:
                good &= value <= high
            return value, good

        x = _first_accepted(propose, elements, lambda: _hopeless(distribution, low, high))
    return np.asarray(given.get("offset", 0.0) + given.get("scale", 1.0) * x)


def _check(distribution: Distribution, given: dict[str, float]) -> None:
    """Refuse arguments that make no distribution."""
    low, high = given.get("low"), given.get("high")
    if low is not None and high is not None and low > high:
        text = f"low ({low:g}) is above high ({high:g}); exchange them"
    elif given.get("sd", 0.0) < 0.0:
        text = f"sd is {given['sd']:g}; a standard deviation is 0 or more"
    elif distribution.kind == "beta" and min(given.get("a", 1.0), given.get("b", 1.0)) <= 0.0:
        text = f"a and b are {given.get('a', 1.0):g} and {given.get('b', 1.0):g}; both must be above 0"
    elif not all(np.isfinite(list(given.values()))):
        text = "an argument is not a finite number; give finite numbers"
    else:
        return
    raise InvalidInput.one(distribution.place, f"{distribution.kind}: {text}")


def _hopeless(distribution: Distribution, low: float | None, high: float | None) -> InvalidInput:
    bounds = [f"{name} {value:g}" for name, value in (("low", low), ("high", high)) if value is not None]
    return InvalidInput.one(
        distribution.place,
        f"{distribution.kind}: hardly any value lies within the bounds ({', '.join(bounds)}); values outside are "
        "redrawn, so at least one draw in a hundred must fall inside: widen the bounds or move the mean",
    )


def _first_accepted(propose: Proposal, elements: Elements, refuse: Callable[[], InvalidInput]) -> Floats:
    """Per element the value of its first attempt that `propose` accepts; raises refuse() where attempts run out."""
    out = np.empty(elements.shape, dtype=np.float64)
    left = np.arange(elements.size)
    budget = _MIN_DRAWS + _DRAWS_PER_ELEMENT * elements.size
    attempt = 0
    while left.size:
        drawn_in_vain = attempt * elements.size if left.size == elements.size else 0
        if budget <= 0 or drawn_in_vain >= _MIN_DRAWS:
            raise refuse()
        value, good = propose(elements[left], attempt)
        out[left[good]] = value[good]
        left = left[~good]
        budget -= max(value.size, _SMALL_CALL)
        attempt += 1
    return out


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

    def refuse() -> InvalidInput:
        return InvalidInput.one(None, f"beta: no value found for the shape parameter {shape:g}; use a smaller one")

    result = _first_accepted(propose, elements, refuse) + float(detmath.log(d))
    if shape < 1.0:
        result = result + detmath.log(source.part("power").uniform(elements)) / shape
    return np.asarray(result)


def _beta(a: float, b: float, source: Source, elements: Elements) -> Floats:
    """Beta variates G(a) / (G(a) + G(b)), in logarithms so that tiny shapes do not give 0 / 0."""
    if a == 1.0 and b == 1.0:
        return source.uniform(elements)
    first = _log_gamma_variate(a, source.part("a"), elements)
    return detmath.sigmoid(first - _log_gamma_variate(b, source.part("b"), elements))
