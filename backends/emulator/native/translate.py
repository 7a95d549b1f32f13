"""Translate generated modules, a small typed subset of Python, into the language of LLVM.

Every function is translated once for each list of argument types it is called with. Arithmetic of whole numbers is of
64 bits and wraps around; `np.int16(...)` and `np.int32(...)` cut, and what is cut is computed in so many bits where
that gives the same. A local variable has the type of what is first assigned to it. Both branches of `a if c else b` are
computed. Indices are not counted from the end of an array. Different arguments of a function are different arrays.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from neuroport.backends.emulator.native.arithmetic import Lines, Number, double
from neuroport.backends.emulator.native.kinds import CASTS, F64, I32, I64, TRUTH, Array, Scalar
from neuroport.errors import InternalError

DECLARED = """\
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
declare i64 @llvm.ctlz.i64(i64, i1)
declare i64 @llvm.cttz.i64(i64, i1)
declare i64 @llvm.abs.i64(i64, i1)
declare double @llvm.fabs.f64(double)
declare float @llvm.fabs.f32(float)
declare double @llvm.sqrt.f64(double)
declare float @llvm.sqrt.f32(float)
declare double @llvm.floor.f64(double)
declare double @fmod(double, double)
declare i64 @llvm.readcyclecounter()
declare i32 @sched_yield()
"""

OUTSIDE = "index_outside"
"""In modules with checked indices: how many indices were outside their array."""


@dataclass(frozen=True, slots=True)
class Block:
    """An array: where it begins, and its lengths."""

    address: str
    lengths: tuple[str, ...]
    type: Array


Value = Number | Block


@dataclass(frozen=True, slots=True)
class Signature:
    """A translated function: its name in LLVM, and what it returns."""

    name: str
    returns: Scalar | None


MOST_INLINED = 4
"""A function that is called from more places stays a function."""


def called(function: ast.FunctionDef) -> list[str]:
    """The names of what a function calls, as often as it does."""
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return [func.id for func in calls if isinstance(func, ast.Name)]


@dataclass(slots=True)
class Module:
    """A module that is being translated.

    text: a generated module. checked: count indices outside their arrays, and take element 0 instead.
    """

    text: str
    checked: bool = False
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    constants: dict[str, Number] = field(default_factory=dict)
    casts: dict[str, Scalar] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    done: dict[tuple[str, tuple[Scalar | Array, ...]], Signature] = field(default_factory=dict)
    written: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for node in ast.parse(self.text).body:
            match node:
                case ast.FunctionDef(name=name):
                    self.functions[name] = node
                    self.calls.update(called(node))
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(attr=cast)):
                    self.casts[name] = CASTS[cast]
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.constants[name] = self.constant(value)

    def constant(self, node: ast.expr) -> Number:
        """The value of a constant of a module."""
        match node:
            case ast.Constant(value=int() as number):
                return Number(str(number), I64, number)
            case ast.Call(func=ast.Attribute(attr=cast), args=[ast.Constant(value=int() as number)]):
                return Number(str(number), CASTS[cast], number)
        raise InternalError(f"a constant of generated code has the form {ast.unparse(node)}")

    def entry(self, name: str, arguments: Sequence[Array], numbers: int) -> None:
        """Translate a function that is called from outside: with so many int64 numbers, then the address of a table.

        The table has, for each array, its address and its lengths.
        """
        function = _Function(self, self.functions[name], (*[I64] * numbers, *arguments), name, entry=True)
        function.translate()
        self.written.append(function.ir())

    def instance(self, name: str, types: tuple[Scalar | Array, ...]) -> Signature:
        """The translation of a function for arguments of these types."""
        key = name, types
        if key not in self.done:
            function = _Function(self, self.functions[name], types, f"{name}.{len(self.written)}")
            function.translate()
            self.done[key] = Signature(function.name, function.returns)
            self.written.append(function.ir())
        return self.done[key]

    def ir(self) -> str:
        """All that was translated."""
        outside = f"@{OUTSIDE} = global i64 0\n" if self.checked else ""
        return DECLARED + outside + "\n\n".join(self.written) + "\n"


class _Function(Lines):
    """One function, being translated for arguments of some types."""

    def __init__(
        self, module: Module, node: ast.FunctionDef, types: Sequence[Scalar | Array], name: str, entry: bool = False
    ) -> None:
        super().__init__()
        self.module, self.node, self.name, self.entry = module, node, name, entry
        self.slots: list[str] = []
        self.loops: list[str] = []
        self.scalars: dict[str, tuple[Scalar, str]] = {}
        self.blocks: dict[str, Block] = {}
        self.fixed: dict[str, Number] = {}
        self.table: dict[str, tuple[int, Array]] = {}
        self.words = 0
        self.head: list[str] = []
        self.returns: Scalar | None = None
        for argument, kind in zip((a.arg for a in node.args.args), types, strict=True):
            self._argument(argument, kind)
        if entry:
            self.head.append("ptr %table")

    def _argument(self, name: str, kind: Scalar | Array) -> None:
        if isinstance(kind, Scalar):
            self.head.append(f"{kind.ir} %{name}")
            self.fixed[name] = Number(f"%{name}", kind)
        elif self.entry:
            self.table[name] = self.words, kind
            self.words += 1 + kind.ndim
        else:
            lengths = tuple(f"%{name}.{m}" for m in range(kind.ndim))
            self.head += [f"ptr noalias %{name}", *(f"i64 {length}" for length in lengths)]
            self.blocks[name] = Block(f"%{name}", lengths, kind)

    def _tabled(self, at: int, kind: Array) -> Block:
        """An array of the table."""
        words = [self.made(f"getelementptr i64, ptr %table, i64 {at + m}", I64).text for m in range(1 + kind.ndim)]
        address = self.made(f"load ptr, ptr {words[0]}", I64).text
        return Block(address, tuple(self.made(f"load i64, ptr {word}", I64).text for word in words[1:]), kind)

    # --------------------------------------------------------------------------------------------------- whole function

    def translate(self) -> None:
        """Write its lines."""
        self.body(self.node.body)
        if not self.ended:
            self.end("ret void" if self.returns is None else "unreachable")

    def ir(self) -> str:
        """The function in the language of LLVM."""
        returns = "void" if self.returns is None else self.returns.ir
        kind = f"{returns} @{self.name}({', '.join(self.head)}) nounwind"
        head = f"define {kind} {{" if self.entry else f"define internal {kind} {self.inlined()} {{"
        return "\n".join([head, *self.slots, *self.lines, "}"])

    def inlined(self) -> str:
        """What LLVM is told of its calls: what is called from many places would make their function long."""
        if any(isinstance(d, ast.Name) for d in self.node.decorator_list):
            return "alwaysinline"
        return "noinline" if self.module.calls[self.node.name] > MOST_INLINED else ""

    def wrong(self, node: ast.AST) -> InternalError:
        """What is said of generated code that has no translation."""
        return InternalError(f"generated code cannot be compiled: {ast.unparse(node)} in {self.node.name}")

    # ------------------------------------------------------------------------------------------------------ statements

    def body(self, statements: Sequence[ast.stmt]) -> None:
        """Translate statements."""
        for statement in statements:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        """Translate one statement."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.assign(name, self.value(value))
            case ast.Assign(targets=[ast.Subscript() as target], value=value):
                self.store(target, self.number(value))
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                self.assign(name, self.operation(node, op, self.number(target), self.number(value)))
            case ast.AugAssign(target=ast.Subscript() as target, op=op, value=value):
                address, kind = self.place(target)
                self.put(address, kind, self.operation(node, op, self.got(address, kind), self.number(value)))
            case ast.If(test=test, body=body, orelse=orelse):
                self.branch(test, body, orelse)
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=bounds), body=body):
                self.loop(name, [self.number(b) for b in bounds], body)
            case ast.While(test=test, body=body):
                self.while_(test, body)
            case ast.Continue():
                self.end(f"br label %{self.loops[-1]}")
            case ast.Return(value=value):
                self.back(value)
            case ast.Expr(value=ast.Call() as call):
                self.call(call)
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case _:
                raise self.wrong(node)

    def assign(self, name: str, value: Value) -> None:
        """Give a local variable a value."""
        if isinstance(value, Block):
            self.blocks[name] = value
            return
        if name not in self.scalars:
            slot = f"%{name}.slot"
            self.slots.append(f"{slot} = alloca {value.type.ir}")
            if name in self.fixed:
                self.slots.append(f"store {value.type.ir} {self.fixed[name].text}, ptr {slot}")
            self.scalars[name] = value.type, slot
        kind, slot = self.scalars[name]
        if value.type.whole != kind.whole or (kind.whole and value.literal is None and value.type.bits > kind.bits):
            raise InternalError(f"generated code gives {name} of {self.node.name} values of two types")
        self.line(f"store {kind.ir} {self.cast(value, kind).text}, ptr {slot}")

    def branch(self, test: ast.expr, body: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
        """An `if`."""
        yes, no, after = self.label(), self.label(), self.label()
        self.end(f"br i1 {self.truth(test).text}, label %{yes}, label %{no}")
        for label, statements in ((yes, body), (no, orelse)):
            self.begin(label)
            self.body(statements)
            if not self.ended:
                self.end(f"br label %{after}")
        self.begin(after)

    def loop(self, name: str, bounds: Sequence[Number], body: Sequence[ast.stmt]) -> None:
        """A loop over a range."""
        zero, one = Number("0", I64, 0), Number("1", I64, 1)
        first, last, step = (
            self.cast(b, I64) for b in ((zero, bounds[0], one) if len(bounds) == 1 else (*bounds, one)[:3])
        )
        top, inside, again, after = (self.label() for _ in range(4))
        self.assign(name, first)
        self.begin(top)
        counter = self.number(ast.Name(name))
        further = self.made(f"icmp slt i64 {counter.text}, {last.text}", TRUTH)
        self.end(f"br i1 {further.text}, label %{inside}, label %{after}")
        self.begin(inside)
        self.loops.append(again)
        self.body(body)
        self.loops.pop()
        self.begin(again)
        self.assign(name, self.made(f"add nsw i64 {self.number(ast.Name(name)).text}, {step.text}", I64))
        self.end(f"br label %{top}")
        self.begin(after)

    def while_(self, test: ast.expr, body: Sequence[ast.stmt]) -> None:
        """A `while` loop."""
        top, inside, after = self.label(), self.label(), self.label()
        self.begin(top)
        self.end(f"br i1 {self.truth(test).text}, label %{inside}, label %{after}")
        self.begin(inside)
        self.loops.append(top)
        self.body(body)
        self.loops.pop()
        if not self.ended:
            self.end(f"br label %{top}")
        self.begin(after)

    def back(self, node: ast.expr | None) -> None:
        """A `return`."""
        if node is None:
            self.end("ret void")
            return
        value = self.number(node)
        self.returns = self.returns or value.type
        self.end(f"ret {self.returns.ir} {self.cast(value, self.returns).text}")

    # ---------------------------------------------------------------------------------------------------------- memory

    def place(self, node: ast.Subscript) -> tuple[str, Scalar]:
        """The address of an element, and its type."""
        block = self.block(node.value)
        at = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if len(at) != block.type.ndim:
            raise self.wrong(node)
        index = self.index(at[0], block.lengths[0])
        for number, length in zip(at[1:], block.lengths[1:], strict=True):
            row = self.made(f"mul nsw i64 {index}, {length}", I64)
            index = self.made(f"add nsw i64 {row.text}, {self.index(number, length)}", I64).text
        element = block.type.element
        return self.made(
            f"getelementptr inbounds {element.stored}, ptr {block.address}, i64 {index}", I64
        ).text, element

    def index(self, node: ast.expr, length: str) -> str:
        """A whole number that is an index into so many elements."""
        text = self.cast(self.number(node), I64).text
        if not self.module.checked:
            return text
        inside = self.made(f"icmp ult i64 {text}, {length}", TRUTH).text
        old = self.made(f"load i64, ptr @{OUTSIDE}", I64).text
        more = self.made(f"zext i1 {self.made(f'xor i1 {inside}, true', TRUTH).text} to i64", I64).text
        self.line(f"store i64 {self.made(f'add i64 {old}, {more}', I64).text}, ptr @{OUTSIDE}")
        return self.made(f"select i1 {inside}, i64 {text}, i64 0", I64).text

    def got(self, address: str, kind: Scalar) -> Number:
        """What is at an address."""
        loaded = self.made(f"load {kind.stored}, ptr {address}", kind)
        return self.made(f"icmp ne i8 {loaded.text}, 0", TRUTH) if kind == TRUTH else loaded

    def put(self, address: str, kind: Scalar, value: Number) -> None:
        """Store a value at an address."""
        text = self.cast(value, kind).text
        if kind == TRUTH:
            text = self.made(f"zext i1 {text} to i8", TRUTH).text
        self.line(f"store {kind.stored} {text}, ptr {address}")

    def store(self, target: ast.Subscript, value: Number) -> None:
        """Assign an element of an array."""
        address, kind = self.place(target)
        self.put(address, kind, value)

    def block(self, node: ast.expr) -> Block:
        """An array."""
        value = self.value(node)
        if not isinstance(value, Block):
            raise self.wrong(node)
        return value

    # ---------------------------------------------------------------------------------------------------------- values

    def number(self, node: ast.expr) -> Number:
        """A value that is a number."""
        value = self.value(node)
        if not isinstance(value, Number):
            raise self.wrong(node)
        return value

    def truth(self, node: ast.expr) -> Number:
        """A value as a condition."""
        return self.cast(self.number(node), TRUTH)

    def value(self, node: ast.expr) -> Value:
        """Translate an expression."""
        match node:
            case ast.Constant(value=bool(truth)):
                return Number("true" if truth else "false", TRUTH)
            case ast.Constant(value=int(number)):
                return Number(str(number), I64, number)
            case ast.Constant(value=float(number)):
                return Number(double(number), F64)
            case ast.Name(id=name):
                return self.named(name, node)
            case ast.BinOp(left=left, op=op, right=right):
                return self.operation(node, op, self.number(left), self.number(right))
            case ast.UnaryOp(op=op, operand=operand):
                return self.there(self.unary(op, self.number(operand)), node)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self.compare(op, self.number(left), self.number(right))
            case ast.BoolOp(op=op, values=values):
                return self.lazy(values, isinstance(op, ast.And))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.select(self.truth(test), self.number(body), self.number(orelse))
            case ast.Call(func=ast.Attribute(value=array, attr="ravel")):
                return self.flat(self.block(array))
            case ast.Call():
                return self.there(self.call(node), node)
            case ast.Subscript(value=ast.Attribute(value=array, attr="shape"), slice=ast.Constant(value=int(axis))):
                return Number(self.block(array).lengths[axis], I64)
            case ast.Subscript():
                return self.element(node)
            case ast.Attribute(value=array, attr="itemsize"):
                size = self.block(array).type.element.size
                return Number(str(size), I64, size)
            case ast.Attribute(value=ast.Name(id="math"), attr="nan" | "inf" as attr):
                return Number(double(float(attr)), F64)
        raise self.wrong(node)

    def named(self, name: str, node: ast.expr) -> Value:
        """What a name stands for."""
        if name in self.scalars:
            kind, slot = self.scalars[name]
            return self.made(f"load {kind.ir}, ptr {slot}", kind)
        if name in self.fixed:
            return self.fixed[name]
        if name in self.blocks:
            return self.blocks[name]
        if name in self.table:
            return self._tabled(*self.table[name])
        if name in self.module.constants:
            return self.module.constants[name]
        raise self.wrong(node)

    def element(self, node: ast.Subscript) -> Value:
        """An element of an array, or a row of one of two dimensions."""
        block = self.block(node.value)
        if block.type.ndim == 1 or isinstance(node.slice, ast.Tuple):
            return self.got(*self.place(node))
        first = self.made(f"mul nsw i64 {self.index(node.slice, block.lengths[0])}, {block.lengths[1]}", I64)
        kind = block.type.element
        address = self.made(f"getelementptr inbounds {kind.stored}, ptr {block.address}, i64 {first.text}", I64)
        return Block(address.text, block.lengths[1:], Array(kind, 1))

    def flat(self, block: Block) -> Block:
        """An array of two dimensions as one of its rows, one behind the other."""
        elements = self.made(f"mul nsw i64 {block.lengths[0]}, {block.lengths[1]}", I64)
        return Block(block.address, (elements.text,), Array(block.type.element, 1))

    def lazy(self, values: Sequence[ast.expr], every: bool) -> Number:
        """`and` and `or`: what is behind is only looked at where it counts."""
        slot, after = self.new(), self.label()
        self.slots.append(f"{slot} = alloca i1")
        for k, node in enumerate(values):
            value = self.truth(node).text
            self.line(f"store i1 {value}, ptr {slot}")
            if k < len(values) - 1:
                further = self.label()
                yes, no = (further, after) if every else (after, further)
                self.end(f"br i1 {value}, label %{yes}, label %{no}")
                self.begin(further)
        self.begin(after)
        return self.made(f"load i1, ptr {slot}", TRUTH)

    def operation(self, node: ast.AST, op: ast.operator, a: Number, b: Number) -> Number:
        """An operation with two values; the prelude has those of real numbers that LLVM has not."""
        if isinstance(op, (ast.FloorDiv, ast.Mod)) and not (a.type.whole and b.type.whole):
            name = "float_mod" if isinstance(op, ast.Mod) else "float_floordiv"
            return self.there(self.apply(name, [self.cast(a, F64), self.cast(b, F64)]), node)
        return self.there(self.operate(op, a, b), node)

    def there(self, value: Number | None, node: ast.AST) -> Number:
        """A value that there must be."""
        if value is None:
            raise self.wrong(node)
        return value

    # ----------------------------------------------------------------------------------------------------------- calls

    def call(self, node: ast.Call) -> Number | None:
        """A call; its value, if it has one."""
        match node.func:
            case ast.Attribute(value=ast.Name(id="np"), attr=cast):
                return self.cut_to(CASTS[cast], node.args[0])
            case ast.Attribute(value=ast.Name(id="math"), attr="sqrt"):
                return self.of_float("sqrt", self.number(node.args[0]))
            case ast.Name(id=name):
                return self.called(name, node)
        raise self.wrong(node)

    def cut_to(self, kind: Scalar, node: ast.expr) -> Number:
        """A value as one of another type; `np.int32(a * b)` is computed in 32 bits where a and b have no more."""
        if not isinstance(node, ast.BinOp):
            return self.cast(self.number(node), kind)
        a, b = self.number(node.left), self.number(node.right)
        found = self.cut(node.op, a, b, kind)
        return found or self.cast(self.operation(node, node.op, a, b), kind)

    def called(self, name: str, node: ast.Call) -> Number | None:
        """A call of a function by its name."""
        if name == "prefetch":
            block, index = self.block(node.args[0]), self.cast(self.number(node.args[1]), I64).text
            where = f"getelementptr {block.type.element.stored}, ptr {block.address}, i64 {index}"
            self.line(f"call void @llvm.prefetch.p0(ptr {self.made(where, I64).text}, i32 0, i32 3, i32 1)")
            return None
        if name in ("atomic_add", "atomic_load"):
            return self.atomic(name, *node.args)
        arguments = [self.value(a) for a in node.args]
        if name in self.module.functions:
            return self.apply(name, arguments)
        numbers = [a for a in arguments if isinstance(a, Number)]
        if name in self.module.casts:
            return self.cast(numbers[0], self.module.casts[name])
        match name:
            case "min" | "max":
                return self.extreme(name, *numbers)
            case "abs" if not numbers[0].type.whole:
                return self.of_float("fabs", numbers[0])
            case "abs":
                return self.made(f"call i64 @llvm.abs.i64(i64 {self.cast(numbers[0], I64).text}, i1 false)", I64)
            case "leading_zeros":
                return self.made(f"call i64 @llvm.ctlz.i64(i64 {numbers[0].text}, i1 false)", I64)
            case "trailing_zeros":
                return self.made(f"call i64 @llvm.cttz.i64(i64 {numbers[0].text}, i1 true)", I64)
            case "as_real":
                return self.made(f"bitcast i64 {numbers[0].text} to double", F64)
            case "as_bits":
                return self.made(f"bitcast double {numbers[0].text} to i64", I64)
            case "fmod":
                return self.made(f"call double @fmod(double {numbers[0].text}, double {numbers[1].text})", F64)
            case "cycles":
                return self.made("call i64 @llvm.readcyclecounter()", I64)
            case "yield_processor":
                return self.made("call i32 @sched_yield()", I32)
            case "floor":
                return self.made(f"call double @llvm.floor.f64(double {numbers[0].text})", F64)
        raise self.wrong(node)

    def atomic(self, name: str, array: ast.expr, index: ast.expr, *value: ast.expr) -> Number:
        """An element of an array of int64 that several threads have, as they all see it; it may be added to."""
        address = self.place(ast.Subscript(array, index))[0]
        if name == "atomic_load":
            return self.made(f"load atomic i64, ptr {address} acquire, align 8", I64)
        return self.made(f"atomicrmw add ptr {address}, i64 {self.cast(self.number(value[0]), I64).text} seq_cst", I64)

    def apply(self, name: str, arguments: Sequence[Value]) -> Number | None:
        """A call of a function of the module."""
        callee = self.module.instance(name, tuple(a.type for a in arguments))
        given: list[str] = []
        for argument in arguments:
            if isinstance(argument, Number):
                given.append(f"{argument.type.ir} {argument.text}")
            else:
                given += [f"ptr {argument.address}", *(f"i64 {length}" for length in argument.lengths)]
        if callee.returns is None:
            self.line(f"call void @{callee.name}({', '.join(given)})")
            return None
        return self.made(f"call {callee.returns.ir} @{callee.name}({', '.join(given)})", callee.returns)
