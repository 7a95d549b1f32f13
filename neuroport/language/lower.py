"""Lowering: statements of the model language become a straight-line body of a program.

Every `if` disappears: an assignment to a variable under a condition becomes a guarded Store, one to a local name a
select between the new and the old value. After lowering every expression is typed and every name is resolved.
"""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from neuroport.errors import Place, Problem
from neuroport.language import foreign, whole_bounds
from neuroport.language.syntax import BEFORE, DRAWS, OVER_COPIES, REDUCTIONS, line_of, place_of, words
from neuroport.network.model import Block, Expression
from neuroport.numerics import poisson
from neuroport.numerics.rng import stream_number
from neuroport.numerics.units import suggestion
from neuroport.program.functions import FUNCTIONS
from neuroport.program.intervals import Interval
from neuroport.program.ir import (
    BOOL,
    INT,
    REAL,
    Apply,
    Axis,
    Body,
    Bool,
    Const,
    Expr,
    Int,
    Let,
    Random,
    Read,
    Real,
    Reduce,
    Send,
    Spike,
    Stmt,
    Store,
    Sum,
    Temp,
    Type,
    walk,
)
from neuroport.program.reductions import AXES

NORMAL_MEAN = 4.0 - 2.0**-14
"""Mean of the sum of eight 16-bit uniform numbers k / 2**16."""
NORMAL_SCALE = 1.224744871391589
"""sqrt(3/2): makes the variance of that sum, 8/12, one."""

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.LShift: "shl",
    ast.RShift: "shr",
}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}
_NOT_AN_INT = (
    "is an int, this value is real; write int(round(...)), use //, make the variable real, or declare what is whole "
    "in it `type: int`"
)
_STEP_SUM = (
    "in a synapse's step a sum over copies stands as NAME = sum_copies(VALUE), outside any if, with NAME a variable "
    "that is not the weight and has over_copies: shared"
)

_OF_NEURONS = (
    "let the neuron model assign it to a variable in a triggered block, and read that as pre.NAME or post.NAME"
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a body may assign: the array behind it, its type, and whether the copies share it.

    `kernel`: whether the synapses of a kernel's entry do.
    """

    array: str
    type: Type
    shared: bool = False
    kernel: bool = False


Side = Literal["pre", "post", "twin"]
At = Literal["own", "pre", "post", "twin"]
Choices = Literal["own", "pre", "post", "twin", "variable", "input", "back", "traces of pre", "traces of post"]
Sums = Literal["none", "step", "event"]


class Names(Protocol):
    """What the names in a block stand for."""

    def own(self, name: str, assigning: str | None) -> Expr | None:
        """A parameter, variable, input or built-in; `assigning` is the variable that the statement assigns."""

    def side(self, side: Side, name: str, lagged: bool) -> Expr | None:
        """pre.NAME, post.NAME, post.NAME[d] or twin.NAME."""

    def before(self, side: Side, name: str, lagged: bool) -> Expr | None:
        """What a trace of pre or post (or post.NAME[d]) is without the spike of that step."""

    def variable(self, name: str) -> Variable | None:
        """A variable that may be assigned here."""

    def per_copy(self, name: str, of: At) -> bool:
        """Whether every copy of the network has a NAME (or pre.NAME, post.NAME, twin.NAME) of its own."""

    def per_synapse(self, name: str, of: At) -> bool:
        """Whether synapses of a kernel's entry have a NAME (or pre.NAME, post.NAME, twin.NAME) of their own."""

    def input(self, name: str, back: bool) -> Variable | None:
        """An input that `send` (or `send_back`) may reach."""

    def choices(self, what: Choices) -> Iterable[str]:
        """The names that are allowed, for messages."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a block may do beside computing.

    `sums`: where it may add over the copies of a network. `random`: draw. `over`: what a triggered block runs over.
    """

    send: bool = False
    send_back: bool = False
    when: bool = False
    sums: Sums = "none"
    random: bool = True
    over: Literal["neuron", "synapse"] = "neuron"


class LoweringError(Exception):
    """Stops the lowering of one statement; its problem has been noted."""


@dataclass(slots=True)
class Lowering:
    """Lowers the blocks of one body in turn; locals live on from block to block.

    `copies` of the network share variables. `once`: the block is computed once for all of them, and reads what each
    copy has of its own only inside sum_copies and mean_copies. `entries`: it is computed once for each entry of a
    kernel, if synapses share some, and reads what each synapse has of its own only inside sum_shared. `terms`: of how
    many elements a sum over elements is.
    """

    names: Names
    owner: str
    block_name: str
    allowed: Allowed = Allowed()
    dendritic: bool = False
    copies: int = 1
    once: bool = False
    terms: Mapping[Axis, int] = field(default_factory=dict)
    entries: bool = False
    body: list[Stmt] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _locals: dict[str, Temp] = field(default_factory=dict)
    _definite: set[str] = field(default_factory=set)
    _taken: dict[str, int] = field(default_factory=dict)
    _bounds: dict[str, Interval] = field(default_factory=dict)
    _sites: int = 0
    _place: Place = field(default_factory=lambda: Place("<text>", 1, 1))
    _lines: list[str] = field(default_factory=list)
    _line: Place | None = None
    _assigning: str | None = None
    _ended: bool = False
    _summing: bool = False
    _ifs: int = 0
    _around: str = ""
    _key: str = ""
    _naming: bool = False

    # ------------------------------------------------------------------------------------------------ statements

    @property
    def _title(self) -> str:
        """What a person calls the block that is lowered."""
        return self._key or self.block_name

    def block(self, block: Block, guard: Expr | None = None, key: str = "") -> None:
        """Lower all statements of a block, under a guard if given; `key`: where it stands, if not under block_name."""
        self._key = key
        self._place, self._lines, self._naming = block.place, block.text.splitlines(), True
        self._statements(block.tree, guard)

    def spike(self, condition: Expression) -> Temp | None:
        """Lower a spike condition to a named truth value and a Spike."""
        self._key = "spike"
        self._place, self._lines, self._naming = condition.place, condition.text.splitlines(), True
        if condition.tree is None:
            return None
        self._line = line_of(condition.tree, self._place, self._lines)
        try:
            fired = self.let("spiking", self._truth(condition.tree))
        except LoweringError:
            return None
        self.body.append(Spike(fired, self._line))
        return fired

    def value(self, expression: Expression) -> Expr | None:
        """Lower one expression."""
        self._place, self._naming = expression.place, False
        if expression.tree is None:
            return None
        try:
            return self._expr(expression.tree)
        except LoweringError:
            return None

    def let(self, name: str, value: Expr) -> Temp:
        """Name a value in the body."""
        count = self._taken.get(name, 0)
        self._taken[name] = count + 1
        temp = Temp(f"{name}${count}" if count else name, value.type)
        self.body.append(Let(temp.name, value, self._line))
        if isinstance(value.type, Int):
            self._bounds[temp.name] = whole_bounds.bounds(value, self._bounds)
        return temp

    def finish(self) -> Body:
        """The body that was built."""
        return tuple(self.body)

    def _statements(self, tree: Iterable[ast.stmt], guard: Expr | None) -> None:
        for node in tree:
            self._assigning = None
            self._line = line_of(node, self._place, self._lines)
            with contextlib.suppress(LoweringError):
                self._statement(node, guard)

    def _statement(self, node: ast.stmt, guard: Expr | None) -> None:
        if self._ended:
            self._refuse(node, "send(..., when=...) must be the last statement of its block")
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="sum_copies"), args=[value])
            ) if self.allowed.sums == "step":
                self._assigning = name
                self._assign_sum(node, name, value, guard)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._assigning = name
                self._assign(node, name, self._expr(value), guard)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                self._assigning = name
                old = ast.copy_location(ast.Name(id=name, ctx=ast.Load()), target)
                self._assign(node, name, self._expr(ast.copy_location(ast.BinOp(old, op, value), node)), guard)
            case ast.If(test=test, body=body, orelse=orelse):
                self._if(test, body, orelse, guard)
            case ast.Expr(value=ast.Call(func=ast.Name(id=name)) as call):
                self._send(call, name == "send_back", guard)
            case _:
                self._refuse(node, "this statement is not part of the model language")

    def _assign(self, node: ast.stmt, name: str, value: Expr, guard: Expr | None) -> None:
        variable = self.names.variable(name)
        if variable is not None:
            if variable.shared and self.allowed.sums != "event":
                self._refuse(
                    node,
                    f"'{name}' is shared by all copies, so only triggered blocks (on_event) assign it; in a synapse's "
                    f"step it may be given as {name} = sum_copies(VALUE)",
                )
            self._refuse_shared(node, name, variable)
            if isinstance(value.type, Bool):
                self._refuse(node, f"'{name}' holds a number, this is a comparison; write `1 if ... else 0`")
            if isinstance(variable.type, Int) and isinstance(value.type, Real):
                self._refuse(node, f"'{name}' {_NOT_AN_INT}")
            self._store(variable.array, self._as(value, variable.type), guard)
            return
        if name == "copies" or self.names.own(name, None) is not None:
            allowed = _listed(self.names.choices("variable"))
            self._refuse(node, f"'{name}' cannot be assigned here; this block may assign {allowed} and new local names")
        old = self._locals.get(name)
        if guard is not None and old is not None:
            value, previous = self._unify(node, value, old)
            value = Apply("select", (guard, value, previous), _wide(value.type))
        self._definite.add(name)
        self._locals[name] = self.let(name, value)
        if name in words():
            self._refuse(node, f"'{name}' is a word of the model language; choose another name")

    def _refuse_shared(self, node: ast.stmt, name: str, variable: Variable) -> None:
        """What synapses of a kernel's entry share is assigned in blocks of its own, and these assign nothing else."""
        if variable.kernel and self.allowed.sums != "event":
            self._refuse(
                node,
                f"'{name}' is shared by all synapses of a kernel's entry, so only triggered blocks (on_event) assign "
                f"it, such as on_event: each_step",
            )
        if self.entries and not variable.kernel:
            self._refuse(
                node,
                f"each synapse has a '{name}' of its own, and this block is computed once for each entry of a kernel, "
                f"because it assigns what the synapses of one share or adds over them; assign '{name}' in another "
                f"block, or declare it 'over_kernel: shared'",
            )

    def _assign_sum(self, node: ast.stmt, name: str, value: ast.expr, guard: Expr | None) -> None:
        """`NAME = sum_copies(VALUE)` in the step of a synapse: one sum for each synapse, of what its copies give."""
        variable = self.names.variable(name)
        if guard is not None or variable is None or not variable.shared:
            self._refuse(node, f"'{name}': {_STEP_SUM}")
            return
        self._refuse_shared(node, name, variable)
        summed = self._sum(value)
        if isinstance(variable.type, Int) and isinstance(summed.type, Real):
            self._refuse(node, f"'{name}' {_NOT_AN_INT}")
        if isinstance(summed, Sum):
            x = self._as(summed.x, variable.type)
            self._store(variable.array, Sum(x, x.type))
        else:
            self._store(variable.array, self._as(summed, variable.type))

    def _store(self, array: str, value: Expr, guard: Expr | None = None) -> None:
        self.body.append(Store(array, value, guard, place=self._line))

    def _sum(self, node: ast.expr) -> Expr:
        """A value added up over the copies; the value itself where there is one copy."""
        if self._summing:
            self._refuse(node, "sum_copies and mean_copies cannot stand inside each other; one sum is over all copies")
        self._summing = True
        try:
            value = self._number(node)
        finally:
            self._summing = False
        return value if self.copies == 1 else Sum(value, _wide(value.type))

    def _reduced(self, node: ast.expr, name: str, arg: ast.expr) -> Expr:
        """A sum, or the largest, over elements; without shared kernels every synapse is alone in its sum."""
        op, axis = REDUCTIONS[name]
        self._refuse_reduced(node, name, axis)
        self._around = name
        try:
            value = self._number(arg)
        finally:
            self._around = ""
        terms = self.terms.get(axis, 1)
        alone = axis == "shared" and axis not in self.terms
        return value if alone else Reduce(value, _wide(value.type), op, axis, terms)

    def _refuse_reduced(self, node: ast.expr, name: str, axis: Axis) -> None:
        """Where a sum over elements may not stand."""
        over = self.allowed.over
        if self.allowed.sums != "event":
            self._refuse(
                node,
                f"{name} is not allowed in '{self._title}': in a step every neuron and every synapse is computed "
                f"by itself; assign it to a variable in a triggered block, such as on_event: each_step, and read that",
            )
        if axis not in AXES[over]:
            there = ", ".join(other for other, (_, of) in REDUCTIONS.items() if of in AXES[over])
            instead = _OF_NEURONS if over == "synapse" else "what arrives at an input is a sum already"
            self._refuse(node, f"{name} is not known to a {over}, which has {there}; {instead}")
        if self.entries and axis != "shared":
            self._refuse(
                node,
                f"{name} adds up over a neuron's synapses, and this block is computed once for each entry of a kernel, "
                f"because it assigns what the synapses of one share or adds over them; use sum_shared, or {name} in "
                f"another block",
            )
        if self._ifs:
            self._refuse(
                node,
                f"{name} cannot stand under an if, because it is over all {over}s, also those for which the condition "
                f"does not hold; give it a name on a line before the if",
            )
        if self._around or (self._summing and axis != "shared"):
            around = self._around or "sum_copies or mean_copies"
            self._refuse(node, f"{name} cannot stand inside {around}; give it a name on a line before this one")

    def _over_copies(self, node: ast.expr, name: str, arg: ast.expr) -> Expr:
        match self.allowed.sums:
            case "none":
                self._refuse(
                    node,
                    f"{name} is not allowed in '{self._title}'; copies are added up in triggered blocks (on_event) "
                    f"and in a synapse's step",
                )
            case "step":
                self._refuse(node, f"{name}: {_STEP_SUM}")
            case "event" if self._around:
                self._refuse(
                    node, f"{name} cannot stand inside {self._around}; give it a name on a line before this one"
                )
            case "event":
                pass
        total = self._sum(arg)
        if name == "sum_copies":
            return total
        total = self._as(total, REAL)
        return total if self.copies == 1 else Apply("div", (total, Const(float(self.copies), REAL)), REAL)

    def _if(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], guard: Expr | None) -> None:
        condition: Expr = self.let("cond", self._truth(test))
        inside = condition if guard is None else self.let("cond", Apply("and", (guard, condition), BOOL))
        before, line = set(self._definite), self._line
        self._ifs += 1
        self._statements(body, inside)
        self._line = line
        after_then, self._definite = self._definite, before
        if orelse:
            negated: Expr = Apply("not", (condition,), BOOL)
            outside = self.let("cond", negated if guard is None else Apply("and", (guard, negated), BOOL))
            self._statements(orelse, outside)
        self._ifs -= 1
        self._definite = after_then & self._definite

    def _send(self, call: ast.Call, back: bool, guard: Expr | None) -> None:
        word = "send_back" if back else "send"
        if not (self.allowed.send_back if back else self.allowed.send):
            self._refuse(call, f"{word} is not allowed in '{self._title}'{_where_sends(self._title, back)}")
        if len(call.args) != 2 or not isinstance(call.args[0], ast.Name):
            raise LoweringError
        name = call.args[0].id
        target = self.names.input(name, back)
        if target is None:
            allowed = _listed(self.names.choices("back" if back else "input"))
            whose = "presynaptic" if back else "postsynaptic"
            self._refuse(call, f"the {whose} neurons have no input '{name}'; there are {allowed}")
            return
        value = self._as(self._number(call.args[1]), target.type)
        if isinstance(target.type, Int) and isinstance(value.type, Real):
            self._refuse(
                call, f"input '{name}' takes ints, this value is real; write int(round(...)) or make the input real"
            )
        for keyword in call.keywords:
            if keyword.arg == "when":
                guard = self._when(call, keyword.value, guard)
        delay: Literal[0, "synapse"] = "synapse" if self.dendritic and not back else 0
        self.body.append(Send(target.array, value, guard, "pre" if back else "post", delay, self._line))

    def _when(self, call: ast.Call, test: ast.expr, guard: Expr | None) -> Expr:
        if not self.allowed.when or guard is not None:
            self._refuse(call, "when= is only allowed in the last statement of 'step', outside any if")
        condition = self._truth(test)
        sides = {part.at for part in walk(condition) if isinstance(part, Read) and part.at != "scalar"}
        if sides not in ({"pre"}, {"post"}):
            self._refuse(call, "when= may depend on the presynaptic or on the postsynaptic neuron's state only")
        self._ended = True
        return condition

    # ----------------------------------------------------------------------------------------------- expressions

    def _truth(self, node: ast.expr) -> Expr:
        value = self._expr(node)
        match value.type:
            case Bool():
                return value
            case Int():
                return Apply("ne", (value, Const(0, Int(0, 0))), BOOL)
            case _:
                self._refuse(node, "a real number is no condition; compare it with something")
                raise LoweringError

    def _number(self, node: ast.expr) -> Expr:
        value = self._expr(node)
        if isinstance(value.type, Bool):
            self._refuse(node, "a number is needed, this is a comparison; write `1 if ... else 0`")
        return value

    def _expr(self, node: ast.expr) -> Expr:
        match node:
            case ast.Constant(value=int() as value):
                if value > whole_bounds.UNKNOWN[1]:
                    self._refuse(node, f"{value} is no int of 64 bits; write it as a real number ({float(value)!r})")
                return Const(value, Int(value, value))
            case ast.Constant(value=float() as value):
                return Const(value, REAL)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.Attribute(value=ast.Name(id="pre" | "post" as side), attr=name):
                return self._side(node, "pre" if side == "pre" else "post", name, lagged=False)
            case ast.Attribute(value=ast.Name(id="twin"), attr=name):
                return self._twin(node, name)
            case ast.Subscript(value=ast.Attribute(attr=name)):
                self._check_lagged(node, name)
                return self._side(node, "post", name, lagged=True)
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(exponent))):
                return self._power(node, self._number(left), exponent)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(node, _BINARY[type(op)], self._number(left), self._number(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Apply("not", (self._truth(operand),), BOOL)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                operand_value = self._number(operand)
                if isinstance(operand_value, Const):
                    number = -operand_value.value
                    return Const(number, REAL if isinstance(number, float) else Int(number, number))
                return Apply("neg", (operand_value,), _wide(operand_value.type))
            case ast.UnaryOp(operand=operand):
                return self._number(operand)
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._compare([left, *others], ops)
            case ast.BoolOp(op=op, values=values):
                fn = "and" if isinstance(op, ast.And) else "or"
                result = self._truth(values[0])
                for part in values[1:]:
                    result = Apply(fn, (result, self._truth(part)), BOOL)
                return result
            case ast.IfExp(test=test, body=body, orelse=orelse):
                condition = self._truth(test)
                one, other = self._unify(node, self._number(body), self._number(orelse))
                return Apply("select", (condition, one, other), _wide(one.type))
            case ast.Call(func=ast.Name(id=name), args=args):
                return self._call(node, name, args)
            case _:
                self._refuse(node, "this is not part of the model language")
                raise LoweringError

    def _name(self, node: ast.expr, name: str) -> Expr:
        local = self._locals.get(name)
        if local is not None:
            if name not in self._definite:
                self._refuse(node, f"'{name}' has no value when the condition above is false; give it one before")
            return local
        if name == "copies":
            return Const(self.copies, Int(self.copies, self.copies))
        found = self.names.own(name, self._assigning)
        if found is None:
            self._unknown(node, name, name, self.names.choices("own"))
            raise LoweringError
        self._refuse_per_copy(node, name, name, "own")
        return found

    def _refuse_per_copy(self, node: ast.expr, shown: str, name: str, of: At) -> None:
        if self.once and not self._summing and self.names.per_copy(name, of):
            self._refuse(
                node,
                f"every copy has a '{shown}' of its own, and this block is computed once for all copies, because it "
                f"assigns what they share or adds over them; {self._instead(name, shown, 'over_copies')}"
                f"write sum_copies({shown}) or mean_copies({shown})",
            )
        if self.entries and self._around != "sum_shared" and self.names.per_synapse(name, of):
            self._refuse(
                node,
                f"every synapse has a '{shown}' of its own, and this block is computed once for each entry of a "
                f"kernel, because it assigns what the synapses of one share or adds over them; "
                f"{self._instead(name, shown, 'over_kernel')}write sum_shared({shown})",
            )

    def _instead(self, name: str, shown: str, over: str) -> str:
        """What else to do where a variable follows from itself, which is mostly meant to be shared."""
        return f"declare {name} '{over}: shared', or " if name == shown == self._assigning else ""

    def _twin(self, node: ast.expr, name: str) -> Expr:
        if self.allowed.sums != "event":
            self._refuse(
                node,
                f"twin.{name} is not allowed in '{self._title}'; only triggered blocks (on_event) of synapse "
                f"models read twins",
            )
        elif "shared" in self.terms and (not self.entries or self.names.per_synapse(name, "twin")):
            self._refuse(
                node,
                f"twin.{name} is not known here: in a convolution the entries of the kernel have twins and synapses "
                f"have none, so only blocks that assign what is over_kernel: shared read twins, and of these what the "
                f"synapses of an entry share",
            )
        return self._side(node, "twin", name, lagged=False)

    def _check_lagged(self, node: ast.expr, name: str) -> None:
        if self.allowed.sums == "event":
            self._refuse(
                node,
                f"post.{name}[d] is not allowed in '{self._title}': a dendritic delay holds back what is "
                f"sent, and triggered blocks send nothing; write post.{name}",
            )
        if not self.dendritic:
            self._refuse(node, f"post.{name}[d] needs a projection with a dendritic_delay")

    def _before(self, node: ast.expr, arg: ast.expr) -> Expr:
        """before(pre.NAME), before(post.NAME) or before(post.NAME[d]): a trace without the spike of that step."""
        lagged = isinstance(arg, ast.Subscript)
        of = arg.value if isinstance(arg, ast.Subscript) else arg
        assert isinstance(of, ast.Attribute)
        assert isinstance(of.value, ast.Name)
        if lagged:
            self._check_lagged(arg, of.attr)
        side: Literal["pre", "post"] = "pre" if of.value.id == "pre" else "post"
        found = self.names.before(side, of.attr, lagged)
        if found is None:
            self._no_trace(node, side, of.attr)
            raise LoweringError
        self._refuse_per_copy(node, ast.unparse(node), of.attr, side)
        return found

    def _no_trace(self, node: ast.expr, side: Literal["pre", "post"], name: str) -> None:
        known = self.names.choices("traces of pre" if side == "pre" else "traces of post")
        self._refuse(
            node,
            f"{side}.{name} is no trace of this synapse model, and before(...) is what a trace was without the spike "
            f"at hand; take one under `traces:` that is `of: {side}`; there are {_listed(known)}",
        )

    def _side(self, node: ast.expr, side: Side, name: str, lagged: bool) -> Expr:
        found = self.names.side(side, name, lagged)
        if found is None:
            self._unknown(node, f"{side}.{name}", name, self.names.choices(side))
            raise LoweringError
        self._refuse_per_copy(node, f"{side}.{name}", name, side)
        return found

    def _binary(self, node: ast.expr, fn: str, left: Expr, right: Expr) -> Expr:
        function, real = FUNCTIONS[fn], isinstance(left.type, Real) or isinstance(right.type, Real)
        if real and function.ints_only:
            self._refuse(node, f"{function.infix} takes ints; one side is real")
        if real or function.types == "reals":
            return self._of_reals(fn, (left, right))
        return self._whole(node, fn, left, right)

    def _power(self, node: ast.expr, base: Expr, exponent: int) -> Expr:
        """A product of so many factors, by squares: x ** 5 is x * (x ** 2) ** 2."""
        if exponent == 1:
            return base
        half = self._power(node, base, exponent // 2)
        square = self._binary(node, "mul", half, half)
        return self._binary(node, "mul", base, square) if exponent % 2 else square

    def _whole(self, node: ast.expr, fn: str, left: Expr, right: Expr) -> Expr:
        """A function of two ints; refused where a shift goes too far, or the ranges lead beyond 64 bits."""
        if fn in ("shl", "shr"):
            right = self._count(node, right)
        made = Apply(fn, (left, right), INT)
        if beyond := whole_bounds.too_large(made, self._bounds):
            self._refuse(
                node,
                f"this int can be {beyond[0]}..{beyond[1]} by the ranges of what it is computed from, which 64 bits do "
                f"not hold; narrow the ranges, limit an operand with clip, or compute with real numbers",
            )
        return made

    def _count(self, node: ast.expr, right: Expr) -> Expr:
        found = whole_bounds.count(right, self._bounds)
        if isinstance(found, tuple):
            lo, hi = found
            some = "any number of bits" if whole_bounds.unknown(found) else f"{lo}..{hi} bits"
            far = f"{lo} bits" if lo == hi else some
            self._refuse(
                node,
                f"a shift by {far}; shifts go from 0 to 62: take such a literal, declare `range:` inside 0 … 62 for "
                f"what the count is computed from, or write min(max(COUNT, 0), 62)",
            )
            raise LoweringError
        return found

    def _compare(self, nodes: list[ast.expr], ops: list[ast.cmpop]) -> Expr:
        values = [self._number(n) for n in nodes]
        result: Expr | None = None
        for left, op, right, node in zip(values, ops, values[1:], nodes, strict=False):
            one, other = self._unify(node, left, right)
            test = Apply(_COMPARE[type(op)], (one, other), BOOL)
            result = test if result is None else Apply("and", (result, test), BOOL)
        assert result is not None
        return result

    def _call(self, node: ast.expr, name: str, args: list[ast.expr]) -> Expr:
        if name in DRAWS and not self.allowed.random:
            self._refuse(
                node,
                f"{name}() is not allowed in '{self._title}', which is computed once, from parameters alone; draw "
                f"in a block, or give a parameter a distribution",
            )
        if name == "uniform":
            return Random(self._stream(), REAL)
        if name == "normal":
            return self._normal()
        if name == "poisson":
            return self._poisson(node, args[0], args[1])
        if name in OVER_COPIES:
            return self._over_copies(node, name, args[0])
        if name in REDUCTIONS:
            return self._reduced(node, name, args[0])
        if name == BEFORE:
            return self._before(node, args[0])
        values = [self._number(a) for a in args]
        if name == "relu":
            return self._of_numbers("max", (values[0], Const(0, Int(0, 0))))
        if name == "ceil":
            down = self._of_reals("floor", [self._of_reals("neg", values)])
            return self._of_reals("neg", [down])
        if name == "round":
            return self._of_reals("floor", [self._of_reals("add", [values[0], Const(0.5, REAL)])])
        if name == "int":
            return values[0] if isinstance(values[0].type, Int) else Apply("to_int", (values[0],), INT)
        if name in ("saturate", "wrap"):
            return self._word(node, name, values[0], values[1])
        function = FUNCTIONS[name]
        if function.ints_only:
            self._refuse_real(node, name, values)
        if function.types == "reals":
            return self._of_reals(name, values)
        result = self._of_numbers(name, values[: function.arity])
        for other in values[function.arity :]:
            result = self._of_numbers(name, (result, other))
        return result

    def _of_reals(self, fn: str, values: Sequence[Expr]) -> Expr:
        """A function whose arguments become real numbers."""
        return Apply(fn, tuple(self._as(v, REAL) for v in values), REAL)

    def _of_numbers(self, fn: str, values: Sequence[Expr]) -> Expr:
        """A function of ints, or of real numbers where one of them is."""
        if any(isinstance(v.type, Real) for v in values):
            return self._of_reals(fn, values)
        return Apply(fn, tuple(values), INT)

    def _refuse_real(self, node: ast.expr, name: str, values: Sequence[Expr]) -> None:
        if any(isinstance(v.type, Real) for v in values):
            self._refuse(node, f"{name} takes ints; one argument is real")

    def _word(self, node: ast.expr, name: str, x: Expr, bits: Expr) -> Expr:
        """An int brought into a word of so many bits, by saturation or by wrapping."""
        self._refuse_real(node, name, (x, bits))
        if not isinstance(bits, Const) or not 1 <= bits.value <= 62:
            self._refuse(node, f"{name} takes a literal number of bits from 1 to 62 as its second argument")
            raise LoweringError
        width = int(bits.value)
        low_end, high_end = -(2 ** (width - 1)), 2 ** (width - 1) - 1
        if name == "wrap":
            return Apply("wrap", (x, bits), Int(low_end, high_end))
        ends = (Const(low_end, Int(low_end, low_end)), Const(high_end, Int(high_end, high_end)))
        return Apply("clip", (x, *ends), Int(low_end, high_end))

    def _normal(self) -> Expr:
        total: Expr | None = None
        for stream in (self._stream(), self._stream()):
            for part in range(4):
                draw: Expr = Random(stream, REAL, part)
                total = draw if total is None else Apply("add", (total, draw), REAL)
        assert total is not None
        centred = Apply("sub", (total, Const(NORMAL_MEAN, REAL)), REAL)
        return Apply("mul", (centred, Const(NORMAL_SCALE, REAL)), REAL)

    def _poisson(self, node: ast.expr, mean: ast.expr, largest: ast.expr) -> Expr:
        """A count of events: those of the largest mean, each kept with the probability that gives the mean."""
        match largest:
            case ast.Constant(value=int(most)) if 1 <= most <= poisson.LARGEST_MEAN:
                pass
            case _:
                self._refuse(
                    node,
                    f"poisson takes its largest mean as its second argument, a whole literal from 1 to "
                    f"{poisson.LARGEST_MEAN}; of larger means, round(mean + sqrt(mean) * normal()) is close",
                )
                raise LoweringError
        wanted = self._named("mean", self._as(self._number(mean), REAL))
        first = self._named("draw", self._of_reals("mul", (Random(self._stream(), REAL), _real(2**poisson.TAIL_BITS))))
        tails = poisson.tails(most)
        counted: list[Expr] = []
        for tail, draw in zip(tails, self._uniform(len(tails)), strict=True):
            there = Apply("lt", (first, _real(tail)), BOOL)
            kept = Apply("lt", (self._of_reals("mul", (draw, _real(most))), wanted), BOOL)
            one, none = Const(1, Int(1, 1)), Const(0, Int(0, 0))
            counted.append(Apply("select", (Apply("and", (there, kept), BOOL), one, none), INT))
        return _total(counted)

    def _uniform(self, count: int) -> list[Expr]:
        """So many uniform numbers of 32 bits, two of each random word."""
        found: list[Expr] = []
        for stream in (self._stream() for _ in range((count + 1) // 2)):
            low = self._of_reals("mul", (Random(stream, REAL, 0), Const(2.0**-16, REAL)))
            found += [Random(stream, REAL), self._of_reals("add", (Random(stream, REAL, 1), low))]
        return found[:count]

    def _named(self, name: str, value: Expr) -> Expr:
        """A value that is used several times: under a name of the body, unless it stands where none can be given."""
        return self.let(name, value) if self._naming and not self._summing else value

    def _stream(self) -> int:
        self._sites += 1
        return stream_number(self.owner, self.block_name, str(self._sites))

    def _as(self, value: Expr, wanted: Type) -> Expr:
        if isinstance(wanted, Real) and isinstance(value.type, Int):
            if isinstance(value, Const):
                return Const(float(value.value), REAL)
            return Apply("to_real", (value,), REAL)
        return value

    def _unify(self, node: ast.AST, one: Expr, other: Expr) -> tuple[Expr, Expr]:
        if isinstance(one.type, Bool) != isinstance(other.type, Bool):
            self._refuse(node, "a comparison and a number cannot be combined here; write `1 if ... else 0`")
        if isinstance(one.type, Real) or isinstance(other.type, Real):
            return self._as(one, REAL), self._as(other, REAL)
        return one, other

    def _unknown(self, node: ast.AST, shown: str, name: str, choices: Iterable[str]) -> None:
        known = sorted(choices)
        near = suggestion(name, known).strip()
        instead = foreign.of_name(name) if shown == name else ""
        if instead:
            self._refuse(node, f"'{shown}' is not known here; {instead}")
        if not known and shown != name:
            nothing = f"this block has nothing to read of {shown.partition('.')[0]}"
            self._refuse(node, f"'{shown}' is not known here; {nothing}, and only synapses have pre, post and twin")
        hint = f" ({near})" if near else ""
        self._refuse(node, f"'{shown}' is not known here{hint}; there are {_listed(known)}")

    def _refuse(self, node: ast.AST, text: str) -> None:
        self.problems.append(Problem(place_of(node, self._place), text))
        raise LoweringError


def _real(value: float) -> Const:
    return Const(float(value), REAL)


def _total(parts: Sequence[Expr]) -> Expr:
    """The sum of ints, by halves."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return Apply("add", (_total(parts[:half]), _total(parts[half:])), INT)


def _wide(type_: Type) -> Type:
    return INT if isinstance(type_, Int) else type_


def _assigned(tree: Iterable[ast.stmt]) -> set[str]:
    """The names that statements give a value on every path."""
    names: set[str] = set()
    for node in tree:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
            case ast.If(body=body, orelse=orelse):
                names |= _assigned(body) & _assigned(orelse)
            case _:
                pass
    return names


def _listed(names: Iterable[str]) -> str:
    known = sorted(names)
    return ", ".join(known) if known else "none"


def _where_sends(block: str, back: bool) -> str:
    if block == "on_post" and not back:
        return "; on a postsynaptic spike only send_back is possible"
    if block.startswith("on_event"):
        return "; triggered blocks touch nothing in flight"
    return "; only synapses send, in step, on_pre and (send_back) on_post"
