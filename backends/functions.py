"""exp, log, exprel, tanh, sigmoid and softplus of real programs: one text, from which every executor makes its own.

C libraries, NumPy's vector code and compilers each have their own `exp`, which differ in the last place; a network that
learns makes much of that. So the functions are written once, in float64, with + - * /, comparisons and scaling by
powers of two, in an order that no executor changes: the reference reads the text as NumPy, the emulator compiles it,
GeNN gets it line by line as C. They give the same bits where no compiler contracts or reorders, as GPUs' do.

Errors: below 2 units in the last place. exp is 0 below -708, where it would be subnormal, and infinite above 709.78.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

TEXT = '''
@function
def nearest_power(x):
    """k + 1.5 * 2**52 for the whole k for which 2**k is nearest to exp(x)."""
    return x * 1.4426950408889634 + 6755399441055744.0


@function
def expm1_beyond(x, shifted):
    """exp(r) - 1, where x = k log 2 + r and |r| < 0.35."""
    k = shifted - 6755399441055744.0
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    square = r * r
    fourth = square * square
    a = (0.5 + r * (1.0 / 6.0)) + square * (1.0 / 24.0 + r * (1.0 / 120.0))
    b = (1.0 / 720.0 + r * (1.0 / 5040.0)) + square * (1.0 / 40320.0 + r * (1.0 / 362880.0))
    c = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) + square * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0))
    return r + square * (a + fourth * (b + fourth * c))


@function
def real_exp(x):
    """e to the power of x."""
    low = select(x < 709.9, x, 709.9)
    bounded = select(low > -708.0, low, -708.0)
    shifted = nearest_power(bounded)
    rest = expm1_beyond(bounded, shifted)
    half = power_of_two(shifted, -1)
    y = (half + half * rest) * 2.0
    y = select(x < -708.0, 0.0, y)
    return select(x == x, y, x)


@function
def real_log(x):
    """The natural logarithm, by 2 artanh(f / (2 + f)) of a number 1 + f between 0.707 and 1.414."""
    tiny = x < 1e-300
    scaled = select(tiny, x * 18014398509481984.0, x)
    valid = select(x > 0.0, select(x < 1e309, scaled, 1.0), 1.0)
    m = significand(valid)
    k = exponent(valid) - select(tiny, 54.0, 0.0)
    large = m > 1.4142135623730951
    k = select(large, k + 1.0, k)
    f = select(large, 0.5 * m, m) - 1.0
    s = f / (2.0 + f)
    q = s * s
    square = q * q
    fourth = square * square
    a = (2.0 / 3.0 + q * (2.0 / 5.0)) + square * (2.0 / 7.0 + q * (2.0 / 9.0))
    b = (2.0 / 11.0 + q * (2.0 / 13.0)) + square * (2.0 / 15.0 + q * (2.0 / 17.0))
    c = (2.0 / 19.0 + q * (2.0 / 21.0)) + square * (2.0 / 23.0)
    p = a + fourth * (b + fourth * c)
    half = 0.5 * f * f
    y = k * 0.6931471803691238 - ((half - (s * (half + q * p) + k * 1.9082149292705877e-10)) - f)
    y = select(x > 0.0, select(x < 1e309, y, x), y)
    y = select(x == 0.0, -1e309, y)
    y = select(x < 0.0, 1e309 - 1e309, y)
    return select(x == x, y, x)


@function
def real_exprel(x):
    """(exp(x) - 1) / x, and 1 at 0; scaled by 2**-64 on the way, as exp(x) alone would be too large."""
    low = select(x < 720.0, x, 720.0)
    bounded = select(low > -45.0, low, -45.0)
    shifted = nearest_power(bounded)
    rest = expm1_beyond(bounded, shifted)
    power = power_of_two(shifted, -64)
    near = abs(x) < 1e-9
    y = (power * rest + (power - 5.421010862427522e-20)) / select(near, 1.0, x) * 18446744073709551616.0
    y = select(near, 1.0 + 0.5 * x, y)
    y = select(x > 720.0, 1e309, y)
    return select(x == x, y, x)


@function
def real_tanh(x):
    """The hyperbolic tangent, by expm1(2 |x|)."""
    twice = 2.0 * abs(x)
    bounded = select(twice < 44.0, twice, 44.0)
    shifted = nearest_power(bounded)
    rest = expm1_beyond(bounded, shifted)
    power = power_of_two(shifted, 0)
    y = power * rest + (power - 1.0)
    y = y / (y + 2.0)
    y = select(x < 0.0, -y, y)
    return select(x == x, y, x)


@function
def real_sigmoid(x):
    """1 / (1 + exp(-x))."""
    return 1.0 / (1.0 + real_exp(-x))


@function
def real_softplus(x):
    """log(1 + exp(x)) = max(x, 0) + log1p(y) with y = exp(-|x|); log1p(y) = 2 artanh(y / (2 + y))."""
    y = real_exp(-abs(x))
    s = y / (2.0 + y)
    q = s * s
    square = q * q
    fourth = square * square
    a = (1.0 / 3.0 + q * (1.0 / 5.0)) + square * (1.0 / 7.0 + q * (1.0 / 9.0))
    b = (1.0 / 11.0 + q * (1.0 / 13.0)) + square * (1.0 / 15.0 + q * (1.0 / 17.0))
    c = (1.0 / 19.0 + q * (1.0 / 21.0)) + square * (1.0 / 23.0 + q * (1.0 / 25.0))
    d = (1.0 / 27.0 + q * (1.0 / 29.0)) + square * (1.0 / 31.0 + q * (1.0 / 33.0))
    p = (a + fourth * b) + (fourth * fourth) * (c + fourth * d)
    return select(x > 0.0, x, 0.0) + 2.0 * (s + s * q * p)
'''
"""The functions, as Python. Besides + - * / and abs they call

- select(condition, a, b): a where the condition holds, otherwise b;
- power_of_two(shifted, more): 2**(k + more) for shifted = k + 1.5 * 2**52, a normal number;
- exponent(x), significand(x): of a normal x > 0, so that x = significand * 2**exponent and 1 <= significand < 2.
"""

NAMES = tuple(re.findall(r"^def real_(\w+)", TEXT, re.MULTILINE))

Named = Callable[[str, str, bool], str]
"""Writes a line that gives a text a name, close to the wanted one, and returns the name; true for a truth value."""

_INFIX = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARISONS = {ast.Lt: "<", ast.Gt: ">", ast.Eq: "=="}


def in_c(function: str, argument: str, name: Named, literal: Callable[[float], str]) -> str:
    """The value of one of NAMES as C: the lines are written by `name`, numbers by `literal`."""
    return _C(name, literal).call(f"real_{function}", [argument])


TREE = ast.parse(TEXT)
_DEFINITIONS = {node.name: node for node in TREE.body if isinstance(node, ast.FunctionDef)}


class _C:
    """One call of a function, being written in C."""

    def __init__(self, name: Named, literal: Callable[[float], str]) -> None:
        self.name, self.literal = name, literal

    def call(self, function: str, arguments: list[str]) -> str:
        """The lines of a function's body; its value."""
        definition = _DEFINITIONS[function]
        known = {a.arg: text for a, text in zip(definition.args.args, arguments, strict=True)}
        for line in definition.body:
            match line:
                case ast.Assign(targets=[ast.Name(id=target)], value=value):
                    known[target] = self.name(self.text(value, known), target, isinstance(value, ast.Compare))
                case ast.Return(value=ast.expr() as value):
                    return self.text(value, known)
        raise ValueError(f"{function} returns nothing")

    def text(self, node: ast.expr, known: dict[str, str]) -> str:
        """An expression."""
        match node:
            case ast.Name(id=ident):
                return known[ident]
            case ast.Constant(value=float() as value):
                return self.literal(value)
            case ast.Constant(value=int() as value):
                return str(value)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return f"(-{self.text(operand, known)})"
            case ast.BinOp(left=left, op=op, right=right):
                return f"({self.text(left, known)} {_INFIX[type(op)]} {self.text(right, known)})"
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return f"({self.text(left, known)} {_COMPARISONS[type(op)]} {self.text(right, known)})"
            case ast.Call(func=ast.Name(id=ident), args=args):
                return self.primitive(ident, [self.text(a, known) for a in args])
        raise ValueError(f"a function of real numbers cannot be written in C: {ast.unparse(node)}")

    def primitive(self, ident: str, args: list[str]) -> str:
        """A call of what the functions are made of."""
        one = self.literal(1.0)
        match ident:
            case "select":
                return f"({args[0]} ? {args[1]} : {args[2]})"
            case "abs":
                return f"fabs({args[0]})"
            case "power_of_two":
                return f"ldexp({one}, (int)({args[0]} - {self.literal(6755399441055744.0)}) + {args[1]})"
            case "exponent":
                return f"((double)ilogb({args[0]}))"
            case "significand":
                return f"ldexp({args[0]}, -ilogb({args[0]}))"
        return self.name(self.call(ident, [self.name(a, "x", False) for a in args]), ident, False)
