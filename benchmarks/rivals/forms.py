"""The forms of files of the bench: what is in a result, and in the file of learning rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NUMBER = (int, float)
OF_THE_RULE = ("ArithmeticError", "FloatingPointError", "OverflowError", "ZeroDivisionError")
"""Errors that are kept as what became of a run; others are of the bench."""


@dataclass(frozen=True)
class Each:
    """A mapping of any names to values of a form."""

    form: Any


@dataclass(frozen=True)
class Row:
    """A list of values of a form: so many, or at least one."""

    form: Any
    size: int | None = None


RUN = {
    "test": Row(NUMBER),
    "updates": [Row(NUMBER)],
    "overflows": Each(NUMBER),
    "not_finite": Each(NUMBER),
    "spikes": Each(NUMBER),
    "steps": NUMBER,
    "copies": NUMBER,
    "build_s": NUMBER,
    "run_s": NUMBER,
}
NEED = {
    "operations": {"steps": NUMBER, "spiked": Each(Each(NUMBER))},
    "bits": {"generic16": Each(NUMBER), "generic8": Each(NUMBER)},
}
RATES = Each(Each({"chosen": NUMBER, "tried": [Row(NUMBER, 3)]}))


def fits(value: Any, form: Any) -> bool:
    """Whether a value that was read is of a form: a type, a list, a mapping with some names (others may be there)."""
    if isinstance(form, Row):
        return fits(value, [form.form]) and len(value) == (form.size or max(1, len(value)))
    if isinstance(form, list):
        return isinstance(value, list) and all(fits(one, form[0]) for one in value)
    if isinstance(form, Each):
        return isinstance(value, dict) and all(fits(one, form.form) for one in value.values())
    if isinstance(form, Mapping):
        return isinstance(value, dict) and all(n in value and fits(value[n], one) for n, one in form.items())
    return isinstance(value, form) and not isinstance(value, bool)


def is_run(value: Any) -> bool:
    """Whether it is what is kept of a run: what it reached, or an error of the rule's arithmetic."""
    if isinstance(value, dict) and "error" in value:
        return isinstance(value["error"], str) and value["error"].startswith(OF_THE_RULE)
    return fits(value, RUN)


def is_need(value: Any) -> bool:
    """Whether it is what is kept of what a rule needs."""
    return fits(value, NEED)
