"""Conditions over the variables of a protocol's repeats, as terms that can be stored and sent."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from neuroport.errors import InvalidInput, Place

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "negative": operator.neg,
    "positive": operator.pos,
    "not": operator.not_,
    "chain": lambda *links: all(links),
    "min": min,
    "max": max,
    "abs": abs,
}
"""What a term may apply to the values of others; "chain" is true when all links of a < b < c are."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A function applied to terms; besides FUNCTIONS "and", "or" and "if", which leave out what they do not need."""

    function: str
    terms: tuple[Term, ...]


Term = int | float | str | Applied
"""A number, the name of a variable, or a function of terms."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition with the text that it was made from."""

    text: str
    term: Term
    place: Place | None = field(default=None, compare=False)

    def holds(self, variables: Mapping[str, int]) -> bool:
        """Whether it is true for these variables. InvalidInput when it has no value."""
        try:
            return bool(_value(self.term, variables))
        except KeyError as error:
            known = ", ".join(variables) or "none"
            raise InvalidInput.one(
                self.place,
                f"'{self.text}' uses '{error.args[0]}'; a condition of the protocol can use the variables of the "
                f"repeats around it ({known}); name the repeat's variable with 'as'",
            ) from None
        except ZeroDivisionError:
            raise InvalidInput.one(
                self.place, f"'{self.text}' divides by zero; change the divisor to another number"
            ) from None
        except TypeError:
            raise refused(self.text, self.place) from None


def refused(text: str, place: Place | None) -> InvalidInput:
    """The error for a text that is no condition."""
    return InvalidInput.one(
        place,
        f"'{text}' cannot be used as a condition of the protocol; it may contain numbers, the variables "
        f"of repeats, + - * / // %, comparisons, and, or, not, if else, min, max and abs",
    )


def _value(term: Term, variables: Mapping[str, int]) -> Any:
    match term:
        case str():
            return variables[term]
        case Applied("and", terms):
            return all(_value(t, variables) for t in terms)
        case Applied("or", terms):
            return any(_value(t, variables) for t in terms)
        case Applied("if", (test, then, otherwise)):
            return _value(then if _value(test, variables) else otherwise, variables)
        case Applied(function, terms):
            return FUNCTIONS[function](*[_value(t, variables) for t in terms])
        case _:
            return term
