"""Distributions from which a network file may have values drawn, one module each."""

from __future__ import annotations

from neuroport.distributions import beta, lognormal, normal, uniform
from neuroport.distributions.kind import Hopeless, Kind

__all__ = ["ALL", "Hopeless", "Kind"]

ALL: dict[str, Kind] = {
    "uniform": uniform.KIND,
    "normal": normal.KIND,
    "lognormal": lognormal.KIND,
    "beta": beta.KIND,
}
