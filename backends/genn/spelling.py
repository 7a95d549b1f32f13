"""How each function of a program is written as GeNN's C: the table SPELL.

A spelling gets the arguments as they are, with their kinds, writes the lines that it needs before, and gives the value
of the result's kind (of real numbers: `d` where an argument is a double in a float32 program).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from neuroport.backends import functions
from neuroport.backends.generated import IntCall, Value, fits, kind_of, of_ints, working_kind
from neuroport.backends.genn.literals import integer, real, unsigned
from neuroport.program.ir import Apply, Const, Expr, Int

if TYPE_CHECKING:
    from neuroport.backends.genn.code import Writer

    Call = IntCall[Writer]

REAL_KINDS = ("f", "d")


Spelling = Callable[["Writer", Apply, list[Value]], Value]
OnReals = Callable[["Writer", list[Value]], Value]
OnInts = Callable[["Call"], Value]
Divided = Callable[["Writer", Value, Value, int], str]
ByLiteral = Callable[["Writer", Value, int], Value | None]


def bare(text: str) -> str:
    """The text without parentheses around all of it."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:-1] if position == len(text) - 1 else text
    return text


def _constant(expr: Expr) -> int:
    """The value of an argument that must be a constant."""
    if not isinstance(expr, Const):
        raise ValueError(f"{expr} must be a constant")
    return int(expr.value)


# ------------------------------------------------------------------------------------------------- conditions, choices


def _compared(sign: str) -> Spelling:
    def written(writer: Writer, _: Apply, args: list[Value]) -> Value:
        if any(a.kind in REAL_KINDS for a in args):
            args = writer.reals(args)
        return Value(f"({args[0].text} {sign} {args[1].text})", "b")

    return written


def _truth(form: str) -> Spelling:
    return lambda writer, _, args: Value(form.format(*(writer.cast(a, "b").text for a in args)), "b")


def _select(writer: Writer, expr: Apply, args: list[Value]) -> Value:
    result = kind_of(expr.type, writer.program)
    if result == "f":
        a, b = writer.reals(args[1:])
        return Value(f"({writer.cast(args[0], 'b').text} ? {a.text} : {b.text})", a.kind)
    kind = working_kind(writer.program, expr, *expr.args[1:]) if isinstance(expr.type, Int) else result
    a, b = (writer.cast(v, kind) for v in args[1:])
    return writer.cast(Value(f"({writer.cast(args[0], 'b').text} ? {a.text} : {b.text})", kind), result)


def extreme(writer: Writer, fn: str, a: Value, b: Value) -> Value:
    """The smaller or the larger of two values; of reals, what is not a number goes through."""
    a, b = writer.atom(a), writer.atom(b)
    test = f"{a.text} {'<' if fn == 'min' else '>'} {b.text}"
    if a.kind in REAL_KINDS:
        test = f"{test} || {a.text} != {a.text}"
    kind = b.kind if a.kind == "lit" else a.kind
    return Value(f"({test} ? {a.text} : {b.text})", kind)


def clip(writer: Writer, x: Value, low: Value, high: Value) -> Value:
    """A value held between two others."""
    return extreme(writer, "min", writer.name(extreme(writer, "max", x, low)), high)


# ---------------------------------------------------------------------------------------------------- of real numbers


def of_reals(on_reals: OnReals) -> Spelling:
    """A function of real numbers, computed in doubles where one of them is."""
    return lambda writer, _, args: on_reals(writer, writer.reals(args))


def signs(form: str) -> OnReals:
    """A text of the arguments."""
    return lambda _, args: Value(form.format(*(a.text for a in args)), args[0].kind)


def c_function(name: str) -> OnReals:
    """A function of C."""
    return lambda _, args: Value(f"{name}({bare(args[0].text)})", args[0].kind)


def elementary(fn: str, single: OnReals) -> Spelling:
    """A function of `backends.functions`, line by line; of single numbers, what C has for it."""

    def on_reals(writer: Writer, args: list[Value]) -> Value:
        return _line_by_line(writer, fn, args[0]) if writer.type(args[0].kind) == "double" else single(writer, args)

    return of_reals(on_reals)


def _line_by_line(writer: Writer, fn: str, x: Value) -> Value:
    def name(text: str, wanted: str, truth: bool) -> str:
        return writer.name(Value(text, "b" if truth else x.kind), wanted).text

    return Value(functions.in_c(fn, writer.atom(x).text, name, lambda value: real(value, "float64")), x.kind)


def _exprel(writer: Writer, args: list[Value]) -> Value:
    x = writer.atom(args[0])
    return Value(f"({x.text} == {writer.real(0.0)} ? {writer.real(1.0)} : expm1({x.text}) / {x.text})", x.kind)


def _sigmoid(writer: Writer, args: list[Value]) -> Value:
    one = writer.real(1.0)
    return Value(f"({one} / ({one} + exp(-{args[0].text})))", args[0].kind)


def _softplus(writer: Writer, args: list[Value]) -> Value:
    x = writer.atom(args[0])
    positive = extreme(writer, "max", x, writer.cast(Value(writer.real(0.0), "f", True), x.kind))
    return Value(f"(log1p(exp(-fabs({x.text}))) + {positive.text})", x.kind)


def _real_quotient(fn: str) -> OnReals:
    """Python's // and % of real numbers, 0 where the divisor is 0."""

    def written(writer: Writer, args: list[Value]) -> Value:
        a, b, kind = writer.atom(args[0]).text, writer.atom(args[1]).text, args[0].kind
        zero, one, half = (writer.real(x) for x in (0.0, 1.0, 0.5))
        rest = writer.name(Value(f"fmod({a}, {b})", kind)).text
        wrong = writer.name(Value(f"({rest} != {zero} && ({b} < {zero}) != ({rest} < {zero}))", "b")).text
        if fn == "mod":
            return Value(f"({b} == {zero} ? {zero} : ({wrong} ? {rest} + {b} : {rest}))", kind)
        quotient = writer.name(Value(f"(({a} - {rest}) / {b} - ({wrong} ? {one} : {zero}))", kind)).text
        whole = f"(floor({quotient}) + ({quotient} - floor({quotient}) > {half} ? {one} : {zero}))"
        return Value(f"({b} == {zero} ? {zero} : {whole})", kind)

    return written


# -------------------------------------------------------------------------------------------------------------- of ints


def of_numbers(on_reals: OnReals, on_ints: OnInts) -> Spelling:
    """A function that is written one way on real numbers and another one on ints."""
    real_, whole = of_reals(on_reals), of_ints(on_ints)

    def written(writer: Writer, expr: Apply, args: list[Value]) -> Value:
        return (real_ if kind_of(expr.type, writer.program) == "f" else whole)(writer, expr, args)

    return written


def _sum(sign: str) -> OnInts:
    def written(call: Call) -> Value:
        second = call.args[1] if call.given[1].kind == "b" else call.given[1]  # C widens it
        return Value(f"({call.args[0].text} {sign} {second.text})", call.kind)

    return written


def _abs(call: Call) -> Value:
    x = call.writer.atom(call.args[0]).text
    return Value(f"({x} < 0 ? -{x} : {x})", call.kind)


def _shl(call: Call) -> Value:
    x, count, writer = call.args[0], call.expr.args[1], call.writer
    if not isinstance(count, Const):
        return Value(f"({writer.cast(x, 'i8').text} * {_power(writer, call.given[1]).text})", "i8")
    factor = 1 << _constant(count)
    by = x if fits(32, factor, factor) else writer.cast(x, "i8")
    return Value(f"({by.text} * {integer(factor)})", by.kind)


def _shr(call: Call) -> Value:
    x, count, writer = call.given[0], call.expr.args[1], call.writer
    if isinstance(count, Const):
        return writer.floor_shift(x, _constant(count))
    power = writer.name(_power(writer, call.given[1]), "power").text
    return Value(f"(({writer.cast(x, 'i8').text} & (-{power})) / {power})", "i8")


def _power(writer: Writer, count: Value) -> Value:
    """Two to the power of a number of bits from 0 to 62."""
    return Value(f"((int64_t)1 << {writer.cast(count, 'i4').text})", "i8")


def _wrap(call: Call) -> Value:
    """The lowest bits of a number as a number of two's complement."""
    x, bits = call.given[0], _constant(call.expr.args[1])
    if bits >= 64:
        return x
    half, mask = 1 << (bits - 1), (1 << bits) - 1
    raised = f"((uint64_t)(int64_t){x.text} + {unsigned(half)}) & {unsigned(mask)}"
    return Value(f"((int64_t)({raised}) - {integer(half)})", "i8")


def _bit_length(call: Call) -> Value:
    """The number of bits of a magnitude, by halves: as many bits as lie above are counted and dropped."""
    writer = call.writer
    x = writer.atom(writer.cast(call.given[0], "i8"))
    size = f"({x.text} < 0 ? (uint64_t)0 - (uint64_t){x.text} : (uint64_t){x.text})"
    size = writer.name(Value(size, "u8"), "size").text
    counts = []
    for bits in (32, 16, 8, 4, 2, 1):
        more = writer.name(Value(f"({size} >= {unsigned(1 << bits)})", "b"), "more").text
        size = writer.name(Value(f"({more} ? {size} / {unsigned(1 << bits)} : {size})", "u8"), "size").text
        counts.append(f"({more} ? {bits} : 0)")
    return Value(f"({' + '.join(counts)} + (int32_t){size})", "i4")


def _quotient(divided: Divided, by_literal: ByLiteral = lambda writer, a, n: None) -> OnInts:
    """A quotient or remainder, 0 where the divisor is 0; `by_literal`: a shorter form for some literal divisors."""

    def written(call: Call) -> Value:
        writer, divisor = call.writer, call.expr.args[1]
        a, b = writer.atom(call.args[0]), writer.atom(call.args[1])
        n = _constant(divisor) if isinstance(divisor, Const) else 0
        if n and (short := by_literal(writer, a, n)) is not None:
            return short
        safe = b if n else writer.name(Value(f"({b.text} == 0 ? 1 : {b.text})", a.kind), "divisor")
        value = divided(writer, a, safe, n)
        return Value(value if n else f"({b.text} == 0 ? 0 : {value})", a.kind)

    return written


def _power_of_two(n: int) -> bool:
    return n > 0 and n & (n - 1) == 0


def _floor_by_literal(writer: Writer, a: Value, n: int) -> Value | None:
    return writer.floor_shift(a, n.bit_length() - 1) if _power_of_two(n) else None


def _mod_by_literal(writer: Writer, a: Value, n: int) -> Value | None:
    if n == -1:
        return Value("0", "lit", atom=True)
    return Value(f"({a.text} & {integer(n - 1)})", a.kind) if _power_of_two(n) else None


def _trunc_div(writer: Writer, a: Value, b: Value, n: int) -> str:
    return f"({a.text} / {b.text})"


def _floor_div(writer: Writer, a: Value, b: Value, n: int) -> str:
    x, y = a.text, b.text
    return f"({x} / {y} - (({x} % {y} != 0 && ({x} < 0) != ({y} < 0)) ? 1 : 0))"


def _mod(writer: Writer, a: Value, b: Value, n: int) -> str:
    x, y = a.text, b.text
    if not n:  # processors fail at the lowest number % -1
        y = writer.name(Value(f"({y} == -1 ? 1 : {y})", a.kind), "divisor").text
    return f"({x} % {y} + (({x} % {y} != 0 && ({x} < 0) != ({y} < 0)) ? {y} : 0))"


def _round_div(writer: Writer, a: Value, b: Value, n: int) -> str:
    """With negative magnitudes, since the lowest number has no positive one."""
    x, y = a.text, b.text
    rest = writer.name(Value(f"({x} % {y} > 0 ? -({x} % {y}) : {x} % {y})", a.kind), "rest").text
    size = writer.name(Value(f"({y} > 0 ? -{y} : {y})", a.kind), "size").text
    away = f"({rest} <= {size} - {rest} ? (({x} < 0) != ({y} < 0) ? -1 : 1) : 0)"
    return f"({x} / {y} + {away})"


def _to_int(writer: Writer, _: Apply, args: list[Value]) -> Value:
    x = writer.atom(writer.reals(args)[0])
    low, high = (Value(writer.real(end), x.kind, True) for end in (-(2.0**62), 2.0**62))
    held = clip(writer, x, low, high)
    return Value(f"({x.text} == {x.text} ? (int64_t){held.text} : (int64_t)0)", "i8")


SPELL: dict[str, Spelling] = {
    "add": of_numbers(signs("({0} + {1})"), _sum("+")),
    "sub": of_numbers(signs("({0} - {1})"), _sum("-")),
    "mul": of_numbers(signs("({0} * {1})"), _sum("*")),
    "div": of_reals(signs("({0} / {1})")),
    "neg": of_numbers(signs("(-{0})"), lambda call: Value(f"(-{call.args[0].text})", call.kind)),
    "abs": of_numbers(c_function("fabs"), _abs),
    "min": of_numbers(lambda w, args: extreme(w, "min", *args), lambda call: extreme(call.writer, "min", *call.args)),
    "max": of_numbers(lambda w, args: extreme(w, "max", *args), lambda call: extreme(call.writer, "max", *call.args)),
    "clip": of_numbers(lambda writer, args: clip(writer, *args), lambda call: clip(call.writer, *call.args)),
    "lt": _compared("<"),
    "le": _compared("<="),
    "gt": _compared(">"),
    "ge": _compared(">="),
    "eq": _compared("=="),
    "ne": _compared("!="),
    "and": _truth("({0} && {1})"),
    "or": _truth("({0} || {1})"),
    "not": _truth("(!{0})"),
    "select": _select,
    "floordiv": of_numbers(_real_quotient("floordiv"), _quotient(_floor_div, _floor_by_literal)),
    "mod": of_numbers(_real_quotient("mod"), _quotient(_mod, _mod_by_literal)),
    "trunc_div": of_ints(_quotient(_trunc_div)),
    "round_div": of_ints(_quotient(_round_div)),
    "shl": of_ints(_shl),
    "shr": of_ints(_shr),
    "bit_length": of_ints(_bit_length),
    "wrap": of_ints(_wrap),
    "exp": elementary("exp", c_function("exp")),
    "log": elementary("log", c_function("log")),
    "sqrt": of_reals(c_function("sqrt")),
    "floor": of_reals(c_function("floor")),
    "exprel": elementary("exprel", _exprel),
    "tanh": elementary("tanh", c_function("tanh")),
    "sigmoid": elementary("sigmoid", _sigmoid),
    "softplus": elementary("softplus", _softplus),
    "to_real": of_reals(lambda _, args: args[0]),
    "to_int": _to_int,
}
"""How each function is written."""
