"""Arithmetic in the language of LLVM: lines that are being written, and numbers that they make."""

from __future__ import annotations

import ast
import struct
from dataclasses import dataclass, field

from neuroport.backends.emulator.native.kinds import F64, I64, TRUTH, U64, Scalar, common


@dataclass(frozen=True, slots=True)
class Number:
    """A value: its text in LLVM, its type, and what it is where that is a literal whole number."""

    text: str
    type: Scalar
    literal: int | None = None


_SIGNED = {ast.Lt: "slt", ast.LtE: "sle", ast.Gt: "sgt", ast.GtE: "sge", ast.Eq: "eq", ast.NotEq: "ne"}
_FLOAT = {ast.Lt: "olt", ast.LtE: "ole", ast.Gt: "ogt", ast.GtE: "oge", ast.Eq: "oeq", ast.NotEq: "une"}
_WHOLE = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.BitAnd: "and", ast.BitOr: "or", ast.BitXor: "xor"}
_REAL = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}


@dataclass(slots=True)
class Lines:
    """The lines of a function, being written."""

    lines: list[str] = field(default_factory=list)
    count: int = 0
    ended: bool = False

    def new(self) -> str:
        """A name that nothing has."""
        self.count += 1
        return f"%.{self.count}"

    def label(self) -> str:
        """A label that nothing has."""
        self.count += 1
        return f"at.{self.count}"

    def line(self, text: str) -> None:
        """Write a line, unless it cannot be reached."""
        if not self.ended:
            self.lines.append(text)

    def made(self, text: str, kind: Scalar) -> Number:
        """The value of an instruction."""
        name = self.new()
        self.line(f"{name} = {text}")
        return Number(name, kind)

    def end(self, text: str) -> None:
        """Write the last line of a block."""
        self.line(text)
        self.ended = True

    def begin(self, label: str) -> None:
        """Begin a block; what came before goes on there."""
        if not self.ended:
            self.lines.append(f"br label %{label}")
        self.lines.append(f"{label}:")
        self.ended = False

    # ---------------------------------------------------------------------------------------------------- operations

    def cast(self, value: Number, kind: Scalar) -> Number:
        """A value as one of another type."""
        old = value.type
        if old == kind:
            return value
        if value.literal is not None and kind.whole and kind != TRUTH:
            half = 1 << (kind.bits - 1)
            return Number(str((value.literal + half) % (2 * half) - half), kind, value.literal)
        if kind == TRUTH:
            name, zero = ("icmp ne", "0") if old.whole else ("fcmp une", double(0.0))
            return self.made(f"{name} {old.ir} {value.text}, {zero}", kind)
        if old.whole and kind.whole and old.bits == kind.bits:
            return Number(value.text, kind)
        return self.made(f"{_conversion(old, kind)} {old.ir} {value.text} to {kind.ir}", kind)

    def alike(self, a: Number, b: Number) -> tuple[Number, Number, Scalar]:
        """Two values in the type in which they are added or compared."""
        kind = common(a.type, b.type)
        return self.cast(a, kind), self.cast(b, kind), kind

    def operate(self, op: ast.operator, a: Number, b: Number) -> Number | None:
        """An operation with two values, if it is one of those that there are."""
        if isinstance(op, ast.Div) and a.type.whole and b.type.whole:
            a = self.cast(a, F64)
        if a.type == b.type == TRUTH and isinstance(op, (ast.BitAnd, ast.BitOr, ast.BitXor)):
            return self.made(f"{_WHOLE[type(op)]} i1 {a.text}, {b.text}", TRUTH)
        if isinstance(op, ast.RShift) and a.type.form == "signed" and b.literal is not None and b.literal < a.type.bits:
            return self.made(f"ashr {a.type.ir} {a.text}, {b.literal}", a.type)
        if isinstance(op, (ast.LShift, ast.RShift)):
            kind = U64 if a.type == U64 else I64
            name = "shl" if isinstance(op, ast.LShift) else "lshr" if kind == U64 else "ashr"
            return self.made(f"{name} i64 {self.cast(a, kind).text}, {self.cast(b, I64).text}", kind)
        a, b, kind = self.alike(a, b)
        if isinstance(op, (ast.FloorDiv, ast.Mod)):
            return self.divide(isinstance(op, ast.Mod), a, b, kind) if kind.whole else None
        table = _WHOLE if kind.whole else _REAL
        if type(op) not in table:
            return None
        return self.made(f"{table[type(op)]} {kind.ir} {a.text}, {b.text}", kind)

    def cut(self, op: ast.operator, a: Number, b: Number, kind: Scalar) -> Number | None:
        """An operation whose value is cut to a type, in that type, if that is the same."""
        fitting = all(x.type.form == "signed" and (x.type.bits <= kind.bits or x.literal is not None) for x in (a, b))
        if kind.form != "signed" or type(op) not in _WHOLE or not fitting:
            return None
        a, b = self.cast(a, kind), self.cast(b, kind)
        return self.made(f"{_WHOLE[type(op)]} {kind.ir} {a.text}, {b.text}", kind)

    def divide(self, rest: bool, a: Number, b: Number, kind: Scalar) -> Number:
        """Python's `//` and `%` of whole numbers, or 0 when b is 0; processors fail at the lowest number by -1."""
        if b.literal is not None and b.literal > 0:
            return self.divide_by(rest, a, b, kind)
        none = self.made(f"icmp eq i64 {b.text}, 0", TRUTH)
        minus = self.made(f"icmp eq i64 {b.text}, -1", TRUTH) if kind == I64 else Number("false", TRUTH)
        odd = self.made(f"or i1 {none.text}, {minus.text}", TRUTH)
        divisor = self.made(f"select i1 {odd.text}, i64 1, i64 {b.text}", kind)
        result = self.divide_by(rest, a, divisor, kind)
        other = Number("0", kind) if rest else self.made(f"sub i64 0, {a.text}", kind)
        result = self.made(f"select i1 {minus.text}, i64 {other.text}, i64 {result.text}", kind)
        return self.made(f"select i1 {none.text}, i64 0, i64 {result.text}", kind)

    def divide_by(self, rest: bool, a: Number, b: Number, kind: Scalar) -> Number:
        """A quotient or rest by a number that is neither 0 nor -1."""
        if kind == U64:
            return self.made(f"{'urem' if rest else 'udiv'} i64 {a.text}, {b.text}", kind)
        left = self.made(f"srem i64 {a.text}, {b.text}", kind)
        some = self.made(f"icmp ne i64 {left.text}, 0", TRUTH)
        signs = self.made(f"xor i64 {left.text}, {b.text}", kind)
        apart = self.made(f"icmp slt i64 {signs.text}, 0", TRUTH)
        below = self.made(f"and i1 {some.text}, {apart.text}", TRUTH)
        if rest:
            more = self.made(f"select i1 {below.text}, i64 {b.text}, i64 0", kind)
            return self.made(f"add i64 {left.text}, {more.text}", kind)
        quotient = self.made(f"sdiv i64 {a.text}, {b.text}", kind)
        return self.made(f"sub i64 {quotient.text}, {self.cast(below, I64).text}", kind)

    def unary(self, op: ast.unaryop, x: Number) -> Number | None:
        """`-x` and `not x`."""
        match op:
            case ast.Not():
                return self.made(f"xor i1 {self.cast(x, TRUTH).text}, true", TRUTH)
            case ast.USub() if not x.type.whole:
                return self.made(f"fneg {x.type.ir} {x.text}", x.type)
            case ast.USub() if x.literal is not None:
                return Number(str(-x.literal), I64, -x.literal)
            case ast.USub():
                return self.made(f"sub i64 0, {self.cast(x, I64).text}", I64)
        return None

    def compare(self, op: ast.cmpop, a: Number, b: Number) -> Number:
        """A comparison."""
        a, b, kind = self.alike(a, b)
        if not kind.whole:
            return self.made(f"fcmp {_FLOAT[type(op)]} {kind.ir} {a.text}, {b.text}", TRUTH)
        order = _SIGNED[type(op)]
        order = order.replace("s", "u") if kind == U64 else order
        return self.made(f"icmp {order} i64 {a.text}, {b.text}", TRUTH)

    def select(self, test: Number, a: Number, b: Number) -> Number:
        """One of two values."""
        if a.type != b.type:
            a, b, _ = self.alike(a, b)
        return self.made(f"select i1 {test.text}, {a.type.ir} {a.text}, {b.type.ir} {b.text}", a.type)

    def extreme(self, name: str, a: Number, b: Number) -> Number:
        """The smaller or larger of two whole numbers."""
        if a.type != b.type:
            a, b, _ = self.alike(a, b)
        sign = "u" if a.type.form == "unsigned" else "s"
        order = f"{sign}{'lt' if name == 'min' else 'gt'}"
        first = self.made(f"icmp {order} {a.type.ir} {a.text}, {b.text}", TRUTH)
        return self.select(first, a, b)

    def of_float(self, name: str, x: Number) -> Number:
        """A function of LLVM of one floating-point number."""
        x = self.cast(x, F64) if x.type.whole else x
        return self.made(f"call {x.type.ir} @llvm.{name}.f{x.type.bits}({x.type.ir} {x.text})", x.type)


def _conversion(old: Scalar, new: Scalar) -> str:
    """The instruction that makes one number of another one."""
    wider = new.bits > old.bits
    match old.whole, new.whole:
        case False, False:
            return "fpext" if wider else "fptrunc"
        case False, True:
            return "fptosi"
        case True, False:
            return "sitofp" if old.form == "signed" else "uitofp"
        case _:
            return ("sext" if old.form == "signed" else "zext") if wider else "trunc"


def double(value: float) -> str:
    """A number as LLVM writes it without loss."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
