"""What a protocol asks for, before and while it runs: conditions, numbers of steps, orders of patterns, shortening."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.network import units
from neuroport.network.model import Expression
from neuroport.network.network import Capture, If, Item, Network, Patterns, Present, Repeat, Run
from neuroport.network.values import Quantity
from neuroport.numerics import rng
from neuroport.program.ir import Program, Series

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_TIMES = "give a number of steps or a time such as '100 ms'"
_CALLS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs}


def walk(items: tuple[Item, ...]) -> Iterator[Item]:
    """All items with those inside of them."""
    for item in items:
        yield item
        if isinstance(item, Repeat):
            yield from walk(item.do)
        elif isinstance(item, If):
            yield from walk(item.then)
            yield from walk(item.otherwise)


def holds(condition: Expression, variables: Mapping[str, int]) -> bool:
    """Whether a condition over the variables of the enclosing repeats is true. InvalidInput when it has no value."""
    tree = condition.tree or ast.parse(condition.text, mode="eval").body
    try:
        return bool(_value(tree, variables))
    except KeyError as error:
        known = ", ".join(variables) or "none"
        raise InvalidInput.one(
            condition.place,
            f"'{condition.text}' uses '{error.args[0]}'; a condition of the protocol can use the variables of the "
            f"repeats around it ({known}); name the repeat's variable with 'as'",
        ) from None
    except ZeroDivisionError:
        raise InvalidInput.one(
            condition.place, f"'{condition.text}' divides by zero; change the divisor to another number"
        ) from None
    except TypeError:
        raise InvalidInput.one(
            condition.place,
            f"'{condition.text}' cannot be used as a condition of the protocol; it may contain numbers, the variables "
            f"of repeats, + - * / // %, comparisons, and, or, not, if else, min, max and abs",
        ) from None


def _value(tree: ast.expr, variables: Mapping[str, int]) -> Any:
    match tree:
        case ast.Constant(value=bool() | int() | float() as value):
            return value
        case ast.Name(id=name):
            return variables[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            return _BINARY[type(op)](_value(left, variables), _value(right, variables))
        case ast.UnaryOp(op=ast.USub(), operand=x):
            return -_value(x, variables)
        case ast.UnaryOp(op=ast.UAdd(), operand=x):
            return _value(x, variables)
        case ast.UnaryOp(op=ast.Not(), operand=x):
            return not _value(x, variables)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(v, variables) for v in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_value(v, variables) for v in values)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _value(test, variables) else orelse, variables)
        case ast.Compare(left=left, ops=ops, comparators=others):
            values = [_value(v, variables) for v in (left, *others)]
            return all(_COMPARE[type(op)](a, b) for op, a, b in zip(ops, values, values[1:], strict=False))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _CALLS:
            return _CALLS[name](*(_value(a, variables) for a in args))
        case _:
            raise TypeError


def whole_steps(duration: Quantity, dt: Quantity) -> int:
    """The number of steps that a time is. InvalidInput when it is no time or no whole number of steps."""
    try:
        steps = units.steps(duration, dt)
    except units.UnitError as error:
        raise InvalidInput.one(None, f"{error}; {_TIMES}") from None
    if steps.denominator == 1:
        return int(steps)
    above = math.ceil(steps)
    if units.is_step(duration.unit):
        raise InvalidInput.one(
            None, f"{units.show(duration)} cannot be computed; give a whole number, such as {above} steps"
        )
    fitting = f"{float(units.exact(dt) * above):.12g} ms"
    text = (
        f"{units.show(duration)} is {float(steps):.12g} steps of {units.show(dt)}; "
        f"give a whole number of steps, such as {fitting}"
    )
    raise InvalidInput.one(None, text)


def steps_of(duration: float | str | Quantity, dt: Quantity) -> int:
    """The number of steps of a number of steps, a time, or the text of one: 500, "500", "500 steps", "100 ms".

    InvalidInput when it is no whole number of steps.
    """
    if isinstance(duration, int | np.integer):
        return int(duration)
    if isinstance(duration, float):
        text = f"{duration!r} is neither a number of steps nor a time; give 500, '500 steps' or '100 ms'"
        raise InvalidInput.one(None, text)
    if isinstance(duration, str):
        try:
            duration = units.parse(duration)
        except units.UnitError as error:
            raise InvalidInput.one(None, str(error)) from None
        if not duration.unit:
            duration = replace(duration, unit="steps")
    return whole_steps(duration, dt)


def present_holds(item: Present, program: Program) -> int:
    """How many holds a `present` item has: see `dealt`."""
    series = patterns_of(item.patterns, program)
    return dealt(item, number_of_patterns(series) if item.count is None else item.count, program.copies)


def dealt(item: Present, count: int, copies: int) -> int:
    """How many of `count` patterns each copy is shown, one per hold. InvalidInput if some are left over."""
    if count % copies:
        fitting = max(1, count // copies) * copies
        text = f"'present' deals {count} patterns to {copies} copies, which leaves {count % copies} over; "
        raise InvalidInput.one(item.place, f"{text}show a multiple of {copies}, such as count: {fitting}")
    return count // copies


def present_steps(item: Present, program: Program) -> int:
    """How many steps a `present` item takes."""
    return present_holds(item, program) * patterns_of(item.patterns, program).hold


def patterns_of(name: str, program: Program) -> Series:
    """The series that holds the patterns of that name."""
    return next(s for s in program.series if s.name == name and s.order == "item")


def number_of_patterns(series: Series) -> int:
    """The number of patterns in a series of order "item"."""
    return len(series.table) // series.frames


def protocol_steps(network: Network, program: Program) -> int:
    """How many steps the whole protocol takes."""
    return _steps(network.protocol, {}, network, program)


def _steps(items: tuple[Item, ...], variables: dict[str, int], network: Network, program: Program) -> int:
    total = 0
    for item in items:
        match item:
            case Run():
                total += whole_steps(item.duration, network.dt)
            case Present():
                total += present_steps(item, program)
            case If():
                chosen = item.then if holds(item.condition, variables) else item.otherwise
                total += _steps(chosen, variables, network, program)
            case Repeat() if not _depends(item.do):
                total += item.count * _steps(item.do, variables, network, program)
            case Repeat():
                for k in range(item.count):
                    total += _steps(item.do, variables | {item.variable: k}, network, program)
            case _:
                pass
    return total


def _depends(items: tuple[Item, ...]) -> bool:
    """Whether the number of steps may depend on the variables of repeats."""
    return any(isinstance(item, If) for item in walk(items))


def schedule(patterns: Patterns, series: Series, count: int | None, seed: int, presentation: int) -> NDArray[np.int64]:
    """Which patterns a `present` item shows, in order: a function of the run seed and of how many came before it.

    sequential: 0, 1, …, and again from 0. shuffle: a permutation, and a new one whenever all were shown. choice: any
    pattern each time.
    """
    rows = number_of_patterns(series)
    shown = rows if count is None else count
    key = rng.step_key(rng.stream_key(seed, rng.stream_number("present", patterns.name)), presentation)
    if patterns.order == "sequential":
        return np.arange(shown, dtype=np.int64) % rows
    if patterns.order == "choice":
        draws = rng.draw(key, np.arange(shown, dtype=np.uint64))
        return ((draws * np.uint64(rows)) >> np.uint64(32)).astype(np.int64)
    rounds = -(-shown // rows)
    words = rng.words(key, np.arange(rounds * rows, dtype=np.uint64)).reshape(rounds, rows)
    return np.argsort(words, axis=1, kind="stable").ravel()[:shown].astype(np.int64)


def shorten(network: Network, program: Program, repeats: int = 3, steps: int = 1000) -> Network:
    """The network with a protocol in which no repeat runs more often and no item longer than that.

    A `present` item shows as many of its patterns as fit, at least one to every copy; a `capture` item takes what was
    shown.
    """
    return replace(network, protocol=_shorten(network.protocol, network, program, repeats, steps))


def _shorten(items: tuple[Item, ...], network: Network, program: Program, repeats: int, steps: int) -> tuple[Item, ...]:
    short: list[Item] = []
    for item in items:
        match item:
            case Repeat():
                do = _shorten(item.do, network, program, repeats, steps)
                short.append(replace(item, count=min(item.count, repeats), do=do))
            case Run() if whole_steps(item.duration, network.dt) > steps:
                short.append(replace(item, duration=Quantity(steps, "steps")))
            case Present():
                series = patterns_of(item.patterns, program)
                shown = min(present_holds(item, program), max(1, steps // series.hold))
                short.append(replace(item, count=shown * program.copies))
            case Capture():
                short.append(replace(item, all_shown=False))
            case If():
                then = _shorten(item.then, network, program, repeats, steps)
                otherwise = _shorten(item.otherwise, network, program, repeats, steps)
                short.append(replace(item, then=then, otherwise=otherwise))
            case _:
                short.append(item)
    return tuple(short)
