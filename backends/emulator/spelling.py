"""How each function of a program is written in generated modules: the table SPELL.

A spelling gets the arguments as they are, with their kinds, and gives the value of the result's kind. Sums and
products of ints are computed in 64 bits, and what is narrow is cast where it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from neuroport.backends import functions, generated
from neuroport.backends.emulator.numbers import BITS, KINDS, NUMBER, kind_of, working_kind
from neuroport.backends.generated import IntCall, Value
from neuroport.program.ir import Apply, Const, Expr, Int
from neuroport.program.stated import bounds

if TYPE_CHECKING:
    from neuroport.backends.emulator.values import Values

    Call = IntCall[Values]


Spelling = Callable[["Values", Apply, list[Value]], Value]
OnInts = Callable[["Call"], Value]


# ------------------------------------------------------------------------------------------------- conditions, choices


def _compared(sign: str) -> Spelling:
    def written(writer: Values, _: Apply, args: list[Value]) -> Value:
        if any(a.kind == "f" for a in args):
            args = [writer.cast(a, "f") for a in args]
        return Value(f"({args[0].text} {sign} {args[1].text})", "b")

    return written


def _truth(form: str) -> Spelling:
    return lambda writer, _, args: Value(form.format(*(writer.cast(a, "b").text for a in args)), "b")


def _select(writer: Values, expr: Apply, args: list[Value]) -> Value:
    result = kind_of(expr.type, writer.program)
    condition = writer.cast(args[0], "b")
    kind = working_kind(writer.program, expr, *expr.args[1:]) if isinstance(expr.type, Int) else result
    a, b = (writer.atom(writer.cast(v, kind)) for v in args[1:])
    return writer.cast(Value(f"({a.text} if {condition.text} else {b.text})", kind), result)


def clip(x: Value, lo: Value, hi: Value) -> Value:
    """A value held between two others of its kind."""
    low, high = ("real_min", "real_max") if x.kind == "f" else ("min", "max")
    return Value(f"{low}({high}({x.text}, {lo.text}), {hi.text})", x.kind)


def of_ints(on_ints: OnInts) -> Spelling:
    """A function of ints, computed in one kind that holds all operands and the result."""
    return generated.of_ints(on_ints, KINDS)


# ---------------------------------------------------------------------------------------------------- of real numbers


def of_reals(form: str) -> Spelling:
    """A text of arguments that are all real numbers."""
    return lambda writer, _, args: Value(form.format(*(writer.cast(a, "f").text for a in args)), "f")


def elementary(fn: str) -> Spelling:
    """A function of `backends.functions`, calculated in float64 whatever the precision."""

    def written(writer: Values, _: Apply, args: list[Value]) -> Value:
        x = writer.cast(args[0], "f").text
        wide = writer.program.precision == "float64"
        return Value(f"real_{fn}({x})" if wide else f"real(real_{fn}(np.float64({x})))", "f")

    return written


def _clip_real(writer: Values, _: Apply, args: list[Value]) -> Value:
    return clip(*(writer.cast(a, "f") for a in args))


def _to_int(writer: Values, _: Apply, args: list[Value]) -> Value:
    x = writer.atom(writer.cast(args[0], "f")).text
    held = f"real_min(real_max({x}, real({-(2.0**62)!r})), real({2.0**62!r}))"
    return Value(f"(np.int64({held}) if {x} == {x} else 0)", "i8")


def _to_real(writer: Values, _: Apply, args: list[Value]) -> Value:
    return writer.cast(args[0], "f")


# -------------------------------------------------------------------------------------------------------------- of ints


def _texts(call: Call) -> list[str]:
    """The arguments, of which only truth values need a cast."""
    return [(a if v.kind == "b" else v).text for a, v in zip(call.args, call.given, strict=True)]


def of_numbers(real: Spelling, on_ints: OnInts) -> Spelling:
    """A function that is written one way on real numbers and another one on ints."""
    whole = of_ints(on_ints)

    def written(writer: Values, expr: Apply, args: list[Value]) -> Value:
        return (real if kind_of(expr.type, writer.program) == "f" else whole)(writer, expr, args)

    return written


def _narrowed(text: str, kind: str) -> Value:
    """What was computed in 64 bits, in the kind that holds it."""
    return Value(f"({text})" if kind == "i8" else f"{NUMBER[kind]}({text})", kind)


def _sum(sign: str) -> OnInts:
    return lambda call: _narrowed(f"{_texts(call)[0]} {sign} {_texts(call)[1]}", call.kind)


def _cast(form: str) -> OnInts:
    """A text of arguments that are all of one kind, as what it gives is."""
    return lambda call: Value(form.format(*(a.text for a in call.args)), call.kind)


def _shl(call: Call) -> Value:
    return Value(f"({call.args[0].text} << {_texts(call)[1]})", "shifted")


def _shr(call: Call) -> Value:
    x = (call.args if call.given[0].kind == "lit" else call.given)[0]
    return Value(f"({x.text} >> {_texts(call)[1]})", "shifted")


def _bit_length(call: Call) -> Value:
    return Value(f"bit_length({call.writer.cast(call.given[0], 'i8').text})", "i8")


def _wrap(call: Call) -> Value:
    bits = bounds(call.expr.args[1])[0]
    if bits >= 64:
        return call.given[0]
    half = 1 << (bits - 1)
    return Value(f"(((np.int64({_texts(call)[0]}) + {half}) & {2 * half - 1}) - {half})", "shifted")


def _quotient(fn: str, by_power: Callable[[Call, int], Value] | None) -> OnInts:
    """A quotient or remainder; `by_power`: by a literal power of two."""

    def written(call: Call) -> Value:
        shift = _power_of_two(call.expr.args[1])
        if by_power is not None and shift is not None:
            return by_power(call, shift)
        return Value(f"{fn}({call.args[0].text}, {call.args[1].text})", "shifted")

    return written


def _power_of_two(divisor: Expr) -> int | None:
    """The k of a literal 2**k."""
    if not isinstance(divisor, Const) or divisor.value <= 0:
        return None
    shift = int(divisor.value).bit_length() - 1
    return shift if int(divisor.value) == 1 << shift else None


def _floor_by_power(call: Call, shift: int) -> Value:
    return Value(f"({call.args[0].text} >> {shift})", "shifted")


def _mod_by_power(call: Call, shift: int) -> Value:
    return Value(f"({call.args[0].text} & {(1 << shift) - 1})", "shifted")


def _trunc_by_power(call: Call, shift: int) -> Value:
    a = call.writer.atom(call.args[0])
    if bounds(call.expr.args[0])[0] >= 0:
        return Value(f"({a.text} >> {shift})", "shifted")
    sign = BITS[a.kind] - 1
    return Value(f"({a.text} + (({a.text} >> {sign}) & {(1 << shift) - 1})) >> {shift}", "shifted")


SPELL: dict[str, Spelling] = {
    "add": of_numbers(of_reals("({0} + {1})"), _sum("+")),
    "sub": of_numbers(of_reals("({0} - {1})"), _sum("-")),
    "mul": of_numbers(of_reals("({0} * {1})"), _sum("*")),
    "div": of_reals("({0} / {1})"),
    "neg": of_numbers(of_reals("(-{0})"), lambda call: _narrowed(f"-{call.args[0].text}", call.kind)),
    "abs": of_numbers(of_reals("abs({0})"), lambda call: _narrowed(f"abs({call.args[0].text})", call.kind)),
    "min": of_numbers(of_reals("real_min({0}, {1})"), _cast("min({0}, {1})")),
    "max": of_numbers(of_reals("real_max({0}, {1})"), _cast("max({0}, {1})")),
    "clip": of_numbers(_clip_real, lambda call: clip(*call.args)),
    "lt": _compared("<"),
    "le": _compared("<="),
    "gt": _compared(">"),
    "ge": _compared(">="),
    "eq": _compared("=="),
    "ne": _compared("!="),
    "and": _truth("({0} & {1})"),
    "or": _truth("({0} | {1})"),
    "not": _truth("(not {0})"),
    "select": _select,
    "floordiv": of_numbers(of_reals("real_floordiv({0}, {1})"), _quotient("floordiv", _floor_by_power)),
    "mod": of_numbers(of_reals("real_mod({0}, {1})"), _quotient("mod", _mod_by_power)),
    "trunc_div": of_ints(_quotient("trunc_div", _trunc_by_power)),
    "round_div": of_ints(_quotient("round_div", None)),
    "shl": of_ints(_shl),
    "shr": of_ints(_shr),
    "bit_length": of_ints(_bit_length),
    "wrap": of_ints(_wrap),
    "sqrt": of_reals("math.sqrt({0})"),
    "floor": of_reals("real(floor(np.float64({0})))"),
    **{fn: elementary(fn) for fn in functions.NAMES},
    "to_real": _to_real,
    "to_int": _to_int,
}
"""How each function is written."""
