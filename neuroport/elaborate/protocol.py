"""How long a protocol is: conditions, numbers of steps and of shown patterns."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from neuroport.errors import InvalidInput
from neuroport.network.model import Expression
from neuroport.network.network import Network
from neuroport.network.protocol import If, Item, Present, Repeat, Run, dealt, walk
from neuroport.numerics.steps import whole_steps
from neuroport.program.machine import Program, Series

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


_CALLS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs}


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


def present_holds(item: Present, program: Program) -> int:
    """How many holds a `present` item has: see `dealt`."""
    series = patterns_of(item.patterns, program)
    return dealt(item, number_of_patterns(series) if item.count is None else item.count, program.copies)


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
