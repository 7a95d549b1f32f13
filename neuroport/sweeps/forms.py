"""What the files of a sweep's folder must look like, so that whatever is read of them later is there."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from neuroport.sweeps.asked import Condition
from neuroport.sweeps.grid import Wrong

Form = Callable[[Any], bool]
DONE, FAILED, KILLED, TIMEOUT = STATUSES = ("done", "failed", "killed", "timeout")
_ID = re.compile(r"[0-9a-f]{64}")


def is_about(found: Any) -> bool:
    """Whether a value is what a folder says of its sweep."""
    return _fits(found, _ABOUT)


def is_row(found: Any) -> bool:
    """Whether a value is the row of a point."""
    return _fits(found, _ROW) and (found["status"] != DONE or _fits(found, _DONE))


def _fits(found: Any, form: Mapping[str, Form]) -> bool:
    """Whether a mapping has all keys of a form, each as it must be."""
    return isinstance(found, dict) and all(name in found and fits(found[name]) for name, fits in form.items())


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(value: Any) -> bool:
    """A number, or a list of what may be None, as a metric is."""
    return all(one is None or _numbers(one) for one in value) if isinstance(value, list) else _number(value)


def _or_none(form: Form) -> Form:
    return lambda value: value is None or form(value)


def _each(form: Form) -> Form:
    return lambda value: isinstance(value, dict) and all(map(form, value.values()))


def _list(form: Form) -> Form:
    return lambda value: isinstance(value, list) and all(map(form, value))


def _axis(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and _text(value[0]) and isinstance(value[1], list | dict)


def _condition(value: Any) -> bool:
    try:
        metric, said = value
        Condition.of(metric, said)
    except (TypeError, ValueError, Wrong):
        return False
    return _text(metric)


_ABOUT: Mapping[str, Form] = {
    "network": _text,
    "axes": _list(_axis),
    "yield": _list(_condition),
    "points": _list(_text),
}
_NAMED: Mapping[str, Form] = {
    "chip": _or_none(_text),
    "chip_seed": _or_none(_whole),
    "seed": _or_none(_whole),
}
_POINT: Mapping[str, Form] = {"set": lambda value: isinstance(value, dict), **_NAMED}
_ROW: Mapping[str, Form] = {
    "id": lambda value: _text(value) and _ID.fullmatch(value) is not None,
    "status": lambda value: value in STATUSES,
    "point": lambda value: _fits(value, _POINT),
    "error": _or_none(_text),
}
_METRIC: Mapping[str, Form] = {
    "measured": _whole,
    "last": _or_none(_numbers),
    "lowest": _or_none(_number),
    "highest": _or_none(_number),
}
_DONE: Mapping[str, Form] = {
    **_NAMED,
    "steps": _whole,
    "metrics": _each(lambda value: _fits(value, _METRIC)),
    "spikes": _each(_whole),
    "overflows": _each(_whole),
    "not_finite": _each(_whole),
    "digest": _text,
    "build_s": _number,
    "run_s": _number,
    "trace": _or_none(_text),
}
