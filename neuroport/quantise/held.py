"""What a chip makes of expressions over literals and parameters: the same expressions over what its words hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from neuroport.chips.chip import WordRule
from neuroport.program.affine import ONE
from neuroport.program.constants import evaluate, real
from neuroport.program.fixed import FloatArray, constant
from neuroport.program.functions import FUNCTIONS
from neuroport.program.intervals import RealInterval
from neuroport.program.ir import REAL, Apply, Const, Expr, Read, Real, walk, with_children
from neuroport.program.machine import Array
from neuroport.program.reach import RangeOf, named, reach_of
from neuroport.quantise.expressions import canonical
from neuroport.quantise.formats import is_parameter


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """`real`: the arrays in real numbers; `arrays`: as the chip has them; `word`: that of its coefficients.

    `computed`: the coefficients that the quantiser made of expressions over parameters.
    """

    real: Mapping[str, Array]
    arrays: Mapping[str, Array]
    word: WordRule
    computed: Mapping[Expr, Read]

    def values(self, expr: Expr) -> tuple[FloatArray, FloatArray]:
        """What an expression over parameters of one object comes to, as wanted and on the chip: one shape."""
        found = np.atleast_1d(_evaluated(expr, self.real)), np.atleast_1d(_evaluated(self._form(expr), self.arrays))
        wanted, held = np.broadcast_arrays(*found)
        return wanted, held

    def reach(self, expr: Expr, lets: Mapping[str, Expr], range_of: RangeOf) -> tuple[RealInterval, RealInterval]:
        """The ends of an expression, as wanted and on the chip.

        `lets`: the local names in it; `range_of`: the range of all that is no parameter.
        """

        def ends(part: Expr, names: Mapping[str, Expr], arrays: Mapping[str, Array]) -> RealInterval:
            return reach_of(part, named(names, partial(self._ends, arrays, range_of)))

        made = {name: self._form(value) for name, value in lets.items()}
        return ends(expr, lets, self.real), ends(self._form(expr), made, self.arrays)

    def fixed(self, expr: Expr) -> bool:
        """Whether an expression depends on literals and parameters alone."""
        return all(is_parameter(leaf, self.real) for leaf in walk(expr) if not isinstance(leaf, Apply))

    def _ends(self, arrays: Mapping[str, Array], range_of: RangeOf, leaf: Expr) -> RealInterval:
        if not isinstance(leaf, Read) or (leaf.array in self.real and not is_parameter(leaf, self.real)):
            return range_of(leaf)
        values = real(arrays[leaf.array].initial, arrays[leaf.array])
        return (float(values.min()), float(values.max())) if values.size else range_of(leaf)

    def _form(self, expr: Expr) -> Expr:
        """The expression with every literal, reciprocal and constant function as the chip has it."""
        match expr:
            case Const(value=float() as value, type=Real()) if math.isfinite(value) and not value.is_integer():
                raw, frac = constant(value, self.word.bits, self.word.distance_bits)
                return Const(math.ldexp(raw, -frac), REAL)
            case Apply(fn="div", args=(a, b)) if self.fixed(b):
                return Apply("mul", (self._form(a), self._coefficient(Apply("div", (ONE, b), REAL))), REAL)
            case Apply(fn=fn) if FUNCTIONS[fn].curve is not None and self.fixed(expr):
                return self._coefficient(expr)
            case _:
                return with_children(expr, self._form)

    def _coefficient(self, expr: Expr) -> Expr:
        if any(isinstance(part, Read) for part in walk(expr)):
            return self.computed.get(canonical(expr), expr)
        return self._form(Const(float(evaluate(expr, {})), REAL))


def _evaluated(expr: Expr, arrays: Mapping[str, Array]) -> FloatArray:
    reads = {part.array for part in walk(expr) if isinstance(part, Read)}
    return np.asarray(evaluate(expr, {name: real(arrays[name].initial, arrays[name]) for name in reads}), np.float64)
