"""Every function that an expression of a program may apply: one entry each, with all that it means.

An entry says how a text writes the function, which types it takes, what it is on ints (Python's, exact) and on real
numbers (float64, the same bits on every machine), how large its results can get, and its curve where chips need a
table of it. Whoever needs one of these looks it up here. How executors write it stands in the table SPELL of each
(backends/emulator/spelling.py, backends/genn/spelling.py, backends/reference/text.py).

A new function is an entry here and a line in each SPELL; one that is not made of + - * / has its meaning on the host in
numerics/detmath.py, and its text, which gives the lines of the emulator and the reference, in backends/functions.py.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neuroport.numerics import detmath
from neuroport.program import curves, intervals, whole
from neuroport.program.curves import Curve
from neuroport.program.intervals import Interval, RealInterval
from neuroport.program.ir import Bool, Int, Real

Rule = Literal["numbers", "reals", "ints", "comparison", "truths", "choice", "conversion", "whole"]
Sort = type[Real] | type[Int] | type[Bool]


@dataclass(frozen=True, slots=True)
class OnInts:
    """A meaning on Python ints, exact, and the exact bounds of what comes out."""

    value: Callable[..., int]
    bounds: Callable[..., Interval]


@dataclass(frozen=True, slots=True)
class OnReals:
    """A meaning on float64 arrays, None where a function is of ints only, and the outer bounds of what comes out."""

    value: Callable[..., NDArray[Any]] | None
    bounds: Callable[..., RealInterval]


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    name, arity: what an Apply calls it, and its number of arguments.
    types: which rule of RULES gives the sort of its result.
    infix, form: how a text writes it: a sign between two arguments, or a text with {0}, {1}, ... for them. Where both
      are empty it is NAME(argument, ...).
    most: the largest number of arguments that the model language gives it by its name; more than `arity` are taken one
      after the other. 0: the language does not call it by name.
    ints_only: the language refuses it of real numbers.
    degree: f(k a, k b) is k**degree f(a, b) for k > 0: so what the raw numbers of fixed-point arguments of one frac
      give has a frac `degree` times as large. None: there is no such power.
    curve: what tables need of it.
    """

    name: str
    arity: int
    types: Rule
    ints: OnInts | None
    reals: OnReals
    infix: str = ""
    form: str = ""
    most: int = 0
    ints_only: bool = False
    degree: int | None = None
    curve: Curve | None = None

    def printed(self, arguments: Sequence[str]) -> str:
        """An application as text; signs stand in parentheses of their own."""
        if self.infix:
            return f"({f' {self.infix} '.join(arguments)})"
        return self.form.format(*arguments) if self.form else f"{self.name}({', '.join(arguments)})"

    def result(self, args: Sequence[Sort]) -> Sort | None:
        """The sort of a result from those of the arguments; None where the function does not take these."""
        return RULES[self.types](args) if len(args) == self.arity else None


# --------------------------------------------------------------------------------------------------------------- types


def _numbers(sorts: Sequence[Sort]) -> Sort | None:
    return sorts[0] if set(sorts) in ({Real}, {Int}) else None


def _comparison(sorts: Sequence[Sort]) -> Sort | None:
    return Bool if _numbers(sorts) else None


def _choice(sorts: Sequence[Sort]) -> Sort | None:
    condition, one, other = sorts
    return one if condition is Bool and one is other else None


def _all(wanted: Sort, result: Sort) -> Callable[[Sequence[Sort]], Sort | None]:
    return lambda sorts: result if set(sorts) == {wanted} else None


RULES: dict[Rule, Callable[[Sequence[Sort]], Sort | None]] = {
    "numbers": _numbers,
    "reals": _all(Real, Real),
    "ints": _all(Int, Int),
    "comparison": _comparison,
    "truths": _all(Bool, Bool),
    "choice": _choice,
    "conversion": _all(Int, Real),
    "whole": _all(Real, Int),
}
"""The sort of a result from those of the arguments; None for others than a function takes."""

# ------------------------------------------------------------------------------------------------ meanings on the host


def _clip(x: NDArray[Any], low: NDArray[Any], high: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(np.minimum(np.maximum(x, low), high))


def _select(condition: NDArray[Any], one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    return np.where(condition != 0, one, other)


def _floor_div(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return np.where(b == 0, 0.0, np.floor_divide(a, np.where(b == 0, 1.0, b)))


def _mod(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    return np.where(b == 0, 0.0, np.remainder(a, np.where(b == 0, 1.0, b)))


# ----------------------------------------------------------------------------------------------------------- the table


def _truth(name: str, arity: int, types: Rule, exact: Callable[..., int], host: np.ufunc, **more: Any) -> Function:
    ints, reals = OnInts(exact, intervals.truth), OnReals(host, intervals.real_truth)
    return Function(name, arity, types, ints, reals, **more)


def _whole(
    name: str, arity: int, value: Callable[..., int], bounds: Callable[..., Interval], reach: Any, **more: Any
) -> Function:
    return Function(name, arity, "ints", OnInts(value, bounds), OnReals(None, reach), ints_only=True, **more)


def _curve(name: str, value: Callable[..., NDArray[Any]], reach: Callable[..., RealInterval], curve: Curve) -> Function:
    return Function(name, 1, "reals", None, OnReals(value, reach), most=1, curve=curve)


_ADD = OnInts(operator.add, intervals.add), OnReals(np.add, intervals.add)
_SUB = OnInts(operator.sub, intervals.sub), OnReals(np.subtract, intervals.sub)
_MUL = OnInts(operator.mul, intervals.mul), OnReals(np.multiply, intervals.real_mul)
_NEG = OnInts(operator.neg, intervals.neg), OnReals(np.negative, intervals.neg)
_ABS = OnInts(abs, intervals.magnitude), OnReals(np.absolute, intervals.real_magnitude)
_MIN = OnInts(min, intervals.least), OnReals(np.minimum, intervals.least)
_MAX = OnInts(max, intervals.most), OnReals(np.maximum, intervals.most)
_CLIP = OnInts(whole.clip, intervals.clip), OnReals(_clip, intervals.clip)
_SELECT = OnInts(whole.select, intervals.select), OnReals(_select, intervals.select)
_FLOOR_DIV = OnInts(whole.floor_div, intervals.floor_div), OnReals(_floor_div, intervals.real_whole_div)
_MOD = OnInts(whole.mod, intervals.mod), OnReals(_mod, intervals.real_mod)

_ENTRIES = (
    Function("add", 2, "numbers", *_ADD, infix="+", degree=1),
    Function("sub", 2, "numbers", *_SUB, infix="-", degree=1),
    Function("mul", 2, "numbers", *_MUL, infix="*", degree=2),
    Function("div", 2, "reals", None, OnReals(np.divide, intervals.real_div), infix="/"),
    Function("neg", 1, "numbers", *_NEG, form="(-{0})", degree=1),
    Function("abs", 1, "numbers", *_ABS, most=1, degree=1),
    Function("min", 2, "numbers", *_MIN, most=8, degree=1),
    Function("max", 2, "numbers", *_MAX, most=8, degree=1),
    Function("clip", 3, "numbers", *_CLIP, most=3, degree=1),
    _truth("lt", 2, "comparison", operator.lt, np.less, infix="<"),
    _truth("le", 2, "comparison", operator.le, np.less_equal, infix="<="),
    _truth("gt", 2, "comparison", operator.gt, np.greater, infix=">"),
    _truth("ge", 2, "comparison", operator.ge, np.greater_equal, infix=">="),
    _truth("eq", 2, "comparison", operator.eq, np.equal, infix="=="),
    _truth("ne", 2, "comparison", operator.ne, np.not_equal, infix="!="),
    _truth("and", 2, "truths", whole.both, np.logical_and, infix="and"),
    _truth("or", 2, "truths", whole.either, np.logical_or, infix="or"),
    _truth("not", 1, "truths", operator.not_, np.logical_not, form="(not {0})"),
    Function("select", 3, "choice", *_SELECT, form="({1} if {0} else {2})"),
    Function("floordiv", 2, "numbers", *_FLOOR_DIV, infix="//", ints_only=True, degree=0),
    Function("mod", 2, "numbers", *_MOD, infix="%", ints_only=True, degree=1),
    _whole("trunc_div", 2, whole.trunc_div, intervals.trunc_div, intervals.real_whole_div, most=2),
    _whole("round_div", 2, whole.round_div, intervals.round_div, intervals.real_whole_div),
    _whole("shl", 2, whole.shl, intervals.shl, intervals.unlimited, infix="<<"),
    _whole("shr", 2, whole.shr, intervals.shr, intervals.unlimited, infix=">>"),
    _whole("bit_length", 1, whole.bit_length, intervals.bit_length, intervals.unlimited),
    _whole("wrap", 2, whole.wrap, intervals.wrap, intervals.real_wrap, most=2),
    _curve("exp", detmath.exp, intervals.exp, curves.EXP),
    _curve("exprel", detmath.exprel, intervals.exprel, curves.EXPREL),
    _curve("log", detmath.log, intervals.log, curves.LOG),
    _curve("sqrt", detmath.sqrt, intervals.sqrt, curves.SQRT),
    _curve("tanh", detmath.tanh, intervals.tanh, curves.TANH),
    _curve("sigmoid", detmath.sigmoid, intervals.sigmoid, curves.SIGMOID),
    _curve("softplus", detmath.softplus, intervals.softplus, curves.SOFTPLUS),
    Function("floor", 1, "reals", None, OnReals(np.floor, intervals.floor), most=1),
    Function("to_real", 1, "conversion", OnInts(int, intervals.same), OnReals(np.asarray, intervals.same)),
    Function("to_int", 1, "whole", OnInts(whole.to_int, intervals.same), OnReals(None, intervals.to_int)),
)
FUNCTIONS: dict[str, Function] = {function.name: function for function in _ENTRIES}
"""By name. `shl` and `shr` go by 0 to 62 bits, as the type of their count says; `wrap` by literal ones."""


def bounds(fn: str, *args: Interval) -> Interval:
    """The exact bounds of a function of ints."""
    return _on_ints(fn).bounds(*args)


def exact(fn: str) -> Callable[..., int]:
    """A function on Python ints."""
    return _on_ints(fn).value


def _on_ints(fn: str) -> OnInts:
    ints = FUNCTIONS[fn].ints
    if ints is None:
        raise ValueError(f"no integer meaning for {fn!r}")
    return ints


def host(fn: str) -> Callable[..., NDArray[Any]]:
    """A function on float64 arrays."""
    value = FUNCTIONS[fn].reals.value
    if value is None:
        raise ValueError(f"no host arithmetic for '{fn}'")
    return value
