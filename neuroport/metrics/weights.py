"""Numbers that say how the weights of projections lie to each other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from neuroport.metrics.metric import Form, Metric, Observed, Real, Variable
from neuroport.numerics.parts import Part, named

LATER = {"later": True}
"""Of fields that these metrics did not have at first: what is saved of a plan without them tells nothing of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asymmetry(Metric):
    """The variance over pairs i < j of w_ij - w_ji, of a variable of a projection from a population to itself.

    `effective`: as the weights act on a chip whose circuits deviate, times their deviation.
    """

    kind: ClassVar[str] = "asymmetry"
    further: ClassVar[tuple[str, ...]] = ("effective",)

    effective: bool = False

    @classmethod
    def read(cls, form: Form) -> Self | None:
        """See Metric."""
        effective = form.true("effective")
        of = form.variable(cls.kind)
        if of is None:
            return None
        if of.ends is None or of.ends[0] != of.ends[1]:
            text = f"asymmetry of {form.what} needs a projection from a population to itself; found "
            form.add(cls.kind, text + form.quoted(cls.kind))
            return None
        return cls(name=form.name, of=of.name, effective=effective, place=form.place)

    def written(self) -> dict[str, Any]:
        """See Metric."""
        return {self.kind: self.of} | ({"effective": True} if self.effective else {})

    def value(self, run: Observed) -> float:
        """See Metric."""
        synapses = run.synapses(owner(self.of))
        values = run.of_synapses(self.of, self.effective)
        return over_copies(lambda w: asymmetry(synapses.pre, synapses.post, w), values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Metric):
    """One matrix of weights against another, `to`, transposed when it leads the other way; the mean over the copies.

    Or one variable of neurons against another one, of as many, in the order of their numbers. `effective`: as they act
    on a chip whose circuits deviate, times their deviation. `back`: both are within one population, between parts of
    it, and the other one leads the other way. `neurons`: they are of neurons; `part`, `to_part`: of some of them.
    """

    further: ClassVar[tuple[str, ...]] = ("to", "effective")
    required: ClassVar[tuple[str, ...]] = ("to",)

    to: str
    effective: bool = False
    back: bool = field(default=False, metadata=LATER)
    neurons: bool = field(default=False, metadata=LATER)
    part: Part | None = field(default=None, metadata=LATER)
    to_part: Part | None = field(default=None, metadata=LATER)

    @staticmethod
    @abstractmethod
    def formula(one: Real, other: Real) -> float:
        """The number for two matrices (source, target), or for the values of neurons."""

    @classmethod
    def read(cls, form: Form) -> Self | None:
        """See Metric."""
        effective = form.true("effective")
        one = form.variable(cls.kind)
        other = form.variable("to") if one is not None and form.has("to") else None
        if one is None or other is None:
            return None
        if not _alike(one, other):
            text = f"{cls.kind} of {form.what} needs two projections between the same populations, in either direction"
            found = "" if one.ends or other.ends else f"; found {one.size} and {other.size}"
            form.add("to", f"{text}, or variables of as many neurons each{found}")
            return None
        return cls(
            name=form.name,
            of=one.name,
            to=other.name,
            effective=effective,
            back=one.ends != other.ends and len({end.partition("[")[0] for end in one.ends or ()}) == 1,
            neurons=one.ends is None,
            part=one.part,
            to_part=other.part,
            place=form.place,
        )

    def written(self) -> dict[str, Any]:
        """See Metric."""
        made = {self.kind: self.shown, "to": named(self.to, self.to_part)}
        return made | ({"effective": True} if self.effective else {})

    @property
    def shown(self) -> str:
        """See Metric."""
        return named(self.of, self.part)

    def value(self, run: Observed) -> float:
        """See Metric."""
        value = run.variable if self.neurons else run.of_synapses
        values = [value(name, self.effective) for name in (self.of, self.to)]
        if self.neurons:
            parts = zip(values, (self.part, self.to_part), strict=True)
            return over_copies(self.formula, *(v if part is None else v[part.neurons] for v, part in parts))
        one, other = (run.synapses(owner(name)) for name in (self.of, self.to))
        same_way = one.source == other.source and not self.back

        def compared(a: Real, b: Real) -> float:
            first, second = (
                matrix(p.pre, p.post, w, (p.source_size, p.target_size)) for p, w in ((one, a), (other, b))
            )
            return self.formula(first, second if same_way else second.T)

        return over_copies(compared, *values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Angle(Comparison):
    """The angle in degrees between two weight matrices, or between variables of as many neurons each."""

    kind: ClassVar[str] = "angle"
    unit: ClassVar[str | None] = "degrees"

    @staticmethod
    def formula(one: Real, other: Real) -> float:
        """Angle in degrees between two matrices as vectors (Frobenius cosine). NaN when one of them is zero."""
        return angle(one, other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance(Comparison):
    """The Frobenius norm of the difference of two weight matrices, or of variables of as many neurons each."""

    kind: ClassVar[str] = "distance"

    @staticmethod
    def formula(one: Real, other: Real) -> float:
        """The Frobenius norm of the difference of two matrices."""
        return float(np.linalg.norm(one - other))


def _alike(one: Variable, other: Variable) -> bool:
    """Whether they are of as many neurons each, or of projections between the same populations."""
    if one.ends is None or other.ends is None:
        return one.ends == other.ends and one.size == other.size
    return other.ends in (one.ends, one.ends[::-1])


def angle(one: Real, other: Real) -> float:
    """Angle in degrees between two arrays of one shape as vectors. NaN when one of them is zero."""
    lengths = float(np.linalg.norm(one) * np.linalg.norm(other))
    if lengths == 0:
        return float("nan")
    return float(np.degrees(np.arccos(np.clip(np.sum(one * other) / lengths, -1, 1))))


def asymmetry(pre: NDArray[np.int64], post: NDArray[np.int64], values: Real) -> float:
    """Variance over the reciprocally connected pairs i < j of (value of j to i) - (value of i to j).

    pre, post, values (synapses,). Of several synapses between the same two neurons the sum counts. NaN when no pair
    is connected both ways.
    """
    size = int(max(pre.max(initial=-1), post.max(initial=-1))) + 1
    keys, where = np.unique(post * size + pre, return_inverse=True)
    sums = np.bincount(where, weights=values, minlength=len(keys))
    i, j = keys // size, keys % size
    back = np.searchsorted(keys, j * size + i)
    mutual = (i < j) & (back < len(keys)) & (keys[np.minimum(back, len(keys) - 1)] == j * size + i)
    differences = sums[mutual] - sums[back[mutual]]
    return float(np.var(differences)) if len(differences) else float("nan")


def matrix(pre: NDArray[np.int64], post: NDArray[np.int64], values: Real, shape: tuple[int, int]) -> Real:
    """Weights as a matrix (source, target), zero where there is no synapse, sums where there are several."""
    dense = np.zeros(shape)
    np.add.at(dense, (pre, post), values)
    return dense


def over_copies(function: Callable[..., float], *values: Real) -> float:
    """The mean over copies of a number computed from each copy's values; what has no copies is the same for all."""
    copies = max((v.shape[1] for v in values if v.ndim == 2), default=0)
    if not copies:
        return function(*values)
    return float(np.mean([function(*(v[:, c] if v.ndim == 2 else v for v in values)) for c in range(copies)]))


def owner(variable: str) -> str:
    """The population or projection that OBJECT.VARIABLE is of."""
    return variable.partition(".")[0]
