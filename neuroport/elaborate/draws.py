"""Samples of the distributions that a network file may give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuroport import distributions
from neuroport.errors import InvalidInput
from neuroport.network.values import Distribution
from neuroport.numerics.draws import BLOCK, Elements, Floats, Source
from neuroport.numerics.units import Quantity


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
    draw, x = distributions.ALL[distribution.kind].draw, np.empty(len(elements))
    try:
        for first in range(0, len(elements), BLOCK):
            x[first : first + BLOCK] = draw(given, source, elements[first : first + BLOCK])
    except distributions.Hopeless as error:
        raise InvalidInput.one(distribution.place, f"{distribution.kind}: {error}") from None
    x *= given.get("scale", 1.0)
    x += given.get("offset", 0.0)
    return x


def _check(distribution: Distribution, given: dict[str, float]) -> None:
    """Refuse arguments that make no distribution."""
    low, high = given.get("low"), given.get("high")
    if low is not None and high is not None and low > high:
        text = f"low ({low:g}) is above high ({high:g}); exchange them"
    elif wrong := distributions.ALL[distribution.kind].problem(given):
        text = wrong
    elif not all(np.isfinite(list(given.values()))):
        text = "an argument is not a finite number; give finite numbers"
    else:
        return
    raise InvalidInput.one(distribution.place, f"{distribution.kind}: {text}")
