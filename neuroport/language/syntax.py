"""The model language's syntax: a small subset of Python's, parsed with `ast` and checked node by node.

Grammar and meaning: docs/language.md. A tree that passes here holds only what `lowering` knows.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from neuroport.errors import Place, Problem
from neuroport.language import foreign
from neuroport.network.identifiers import IDENTIFIER, NO_NAME
from neuroport.network.model import Block, Expression
from neuroport.numerics.units import quoted, vanishes
from neuroport.program.functions import FUNCTIONS
from neuroport.program.ir import Axis

REDUCTIONS: dict[str, tuple[Literal["sum", "max"], Axis]] = {
    "sum_population": ("sum", "population"),
    "max_population": ("max", "population"),
    "sum_incoming": ("sum", "incoming"),
    "max_incoming": ("max", "incoming"),
    "sum_outgoing": ("sum", "outgoing"),
    "max_outgoing": ("max", "outgoing"),
    "sum_shared": ("sum", "shared"),
}
"""What is computed from all neurons of a population, or from all synapses of a neuron or of an entry of a kernel."""

FORMS: dict[str, tuple[int, int]] = {
    "relu": (1, 1),
    "ceil": (1, 1),
    "round": (1, 1),
    "int": (1, 1),
    "uniform": (0, 0),
    "normal": (0, 0),
    "poisson": (2, 2),
    "saturate": (2, 2),
    "sum_copies": (1, 1),
    "mean_copies": (1, 1),
    **dict.fromkeys(REDUCTIONS, (1, 1)),
    "before": (1, 1),
}
"""What the language calls like a function and a program writes otherwise, with the numbers of arguments of `calls`."""
DRAWS = ("uniform", "normal", "poisson")
OVER_COPIES = ("sum_copies", "mean_copies")
BEFORE = "before"
"""What a trace was without the spike at hand."""

DEEPEST = 100
"""How deeply a text may be nested."""

LARGEST = sys.float_info.max

SENDS = ("send", "send_back")
_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.LShift, ast.RShift)
EXPONENTS = range(2, 9)
"""What may stand after `**`."""
_COMPARE = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


def calls() -> dict[str, tuple[int, int]]:
    """Everything that a text may call, with the smallest and largest number of its arguments."""
    return FORMS | {fn: (function.arity, function.most) for fn, function in FUNCTIONS.items() if function.most}


def words() -> frozenset[str]:
    """What no local name can be: everything that a text may call, and whose variables it reads."""
    return frozenset({*calls(), *SENDS, "pre", "post", "twin"})


def place_of(node: ast.AST, start: Place) -> Place:
    """Where a node stands in its file, given where its text starts; it may know that itself, as `place`."""
    known: Place | None = getattr(node, "place", None)
    if known is not None:
        return replace(known, text="")
    line = getattr(node, "lineno", 1)
    column = getattr(node, "col_offset", 0)
    return Place(start.file, start.line + line - 1, start.column + column)


def line_of(node: ast.stmt | ast.expr, start: Place, lines: Sequence[str]) -> Place:
    """Where a node stands, with that line of its text; `lines` are all of them. It may know that itself."""
    known: Place | None = getattr(node, "place", None)
    if known is not None:
        return known
    row = node.lineno - 1
    return Place(start.file, start.line + row, start.column + node.col_offset, lines[row].strip())


def parse_block(text: str, place: Place) -> tuple[Block, tuple[Problem, ...]]:
    """Parse statements; the block is empty when there are problems."""
    module, problems = _parse(text, place, "a line is NAME = VALUE, if CONDITION: or send(INPUT, VALUE)")
    if module is None:
        return Block(text, place), problems
    found = _checked(module.body, place, text)
    return Block(text, place, () if found else tuple(module.body)), found


def parse_expression(text: str, place: Place) -> tuple[Expression, tuple[Problem, ...]]:
    """Parse a single expression; its tree is None when there are problems."""
    module, problems = _parse(text.strip(), place, "write one value")
    if module is None:
        return Expression(text, place), problems
    if len(module.body) != 1 or not isinstance(module.body[0], ast.Expr):
        other = ", or compare with ==" if isinstance(module.body[0], ast.Assign) else ""
        problem = Problem(place, f"{quoted(text.strip())} is not an expression; give one value{other}")
        return Expression(text, place), (problem,)
    tree = module.body[0].value
    found = _checked([tree], place, text.strip())
    return Expression(text, place, None if found else tree), found


def _checked(nodes: Sequence[ast.stmt | ast.expr], place: Place, text: str) -> tuple[Problem, ...]:
    if _depth(nodes) > DEEPEST:
        return (Problem(place, "this text is nested too deeply; give parts of it names of their own"),)
    checker = _Checker(place, text)
    for node in nodes:
        if isinstance(node, ast.stmt):
            checker.statement(node)
        else:
            checker.expression(node)
    return tuple(checker.problems)


def _depth(nodes: Sequence[ast.AST]) -> int:
    depth, level = 0, list(nodes)
    while level:
        depth, level = depth + 1, [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


def _parse(text: str, place: Place, form: str) -> tuple[ast.Module | None, tuple[Problem, ...]]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python finds odd is refused below, or is no fault
            return ast.parse(text), ()
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        where = Place(place.file, place.line + line - 1, place.column + column - 1)
        return None, (Problem(where, _unreadable(error, text.splitlines()[line - 1 : line], form)),)
    except (ValueError, RecursionError, MemoryError):
        return None, (Problem(place, "the model language cannot read this text; write plain statements"),)


def _unreadable(error: SyntaxError, lines: Sequence[str], form: str) -> str:
    """What to say of a line, if there is one, that is no Python. `form`: what is allowed."""
    habit = foreign.of_line(lines[0]) if lines else ""
    if habit:
        return habit
    if "digits" in error.msg:
        return "this number has too many digits; write it as a real number, such as 1e30"
    reason = error.msg.partition(". ")[0]
    return f"the model language cannot read this: {reason}; {form}"


class _Checker:
    """Refuses every node that the model language does not have. `text`: where the nodes come from."""

    def __init__(self, place: Place, text: str) -> None:
        self.place, self.text = place, text
        self.problems: list[Problem] = []

    def refuse(self, node: ast.AST, text: str) -> None:
        self.problems.append(Problem(place_of(node, self.place), text))

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.name(node, name)
                self.expression(value)
            case ast.Assign(targets=[target]):
                self.refuse(node, _no_target(target))
            case ast.Assign():
                self.refuse(node, _no_target(node))
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
                self.name(node, name)
                self.operator(node, node.target, op, value)
                self.expression(value)
            case ast.AugAssign(target=target):
                self.refuse(node, _no_target(target))
            case ast.If(test=test, body=body, orelse=orelse):
                self.expression(test)
                for stmt in (*body, *orelse):
                    self.statement(stmt)
            case ast.Expr(value=ast.Call(func=ast.Name(id=name)) as call) if name in SENDS:
                self.send(call, name)
            case ast.Expr(value=value):
                self.refuse(node, _unused(value))
            case _:
                what, instead = foreign.STATEMENTS.get(
                    type(node), ("this", "it has assignments, if/elif/else and send")
                )
                self.refuse(node, f"{what} is not part of the model language; {instead}")

    def name(self, node: ast.AST, name: str) -> None:
        if not IDENTIFIER.fullmatch(name):
            self.refuse(node, f"'{name}' {NO_NAME}{foreign.of_letters(name)}")

    def operator(self, node: ast.AST, left: ast.expr, op: ast.operator, right: ast.expr) -> None:
        if isinstance(op, ast.Pow):
            if not _is_exponent(right):
                ends = f"{EXPONENTS[0]} to {EXPONENTS[-1]}"
                self.refuse(node, f"** takes a whole exponent from {ends}; {foreign.of_power(left, right)}")
        elif not isinstance(op, _BINARY):
            symbol, instead = foreign.of_operator(left, op, right)
            self.refuse(node, f"operator {symbol} is not allowed; there are + - * / // % ** << >>; {instead}")

    def send(self, call: ast.Call, name: str) -> None:
        allowed = ("when",) if name == "send" else ()
        for keyword in call.keywords:
            if keyword.arg in allowed:
                self.expression(keyword.value)
            else:
                self.refuse(call, f"{name} does not know '{keyword.arg}'; it takes (input, value)" + _when(allowed))
        if len(call.args) != 2 or not isinstance(call.args[0], ast.Name):
            self.refuse(call, f"{name} takes the name of an input and a value" + _when(allowed))
            return
        self.expression(call.args[1])

    def expression(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=bool(truth)):
                self.refuse(node, f"{truth} is not a number; compare, or write 1 or 0")
            case ast.Constant(value=int() | float() as number) if number > LARGEST:
                self.refuse(node, "this number is too large; numbers go up to 1.7e308")
            case ast.Constant(value=0.0) if vanishes(ast.get_source_segment(self.text, node) or ""):
                self.refuse(node, "this number is too small; write 0, or at least 5e-324")
            case ast.Constant(value=int() | float()):
                pass
            case ast.Name(id=name):
                self.name(node, name)
            case ast.Constant(value=value):
                self.refuse(
                    node, f"{quoted(value) if isinstance(value, str) else repr(value)} is not a number; write one"
                )
            case ast.Attribute(value=ast.Name(id="pre" | "post" | "twin")):
                pass
            case ast.Attribute(attr=name):
                self.refuse(
                    node, f"a dot is only allowed in pre.NAME, post.NAME and twin.NAME{foreign.of_dotted(name)}"
                )
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id="post")), slice=ast.Name(id="d")):
                pass
            case ast.Subscript():
                self.refuse(node, "brackets are only allowed in post.NAME[d], the value one dendritic delay earlier")
            case ast.BinOp(left=left, op=op, right=right):
                self.operator(node, left, op, right)
                self.expression(left)
                self.expression(right)
            case ast.UnaryOp(op=op, operand=operand):
                if isinstance(op, ast.Invert):
                    self.refuse(node, "operator ~ is not allowed; there are - + not; write `not` before a condition")
                self.expression(operand)
            case ast.Compare(left=left, ops=ops, comparators=others):
                if not all(isinstance(op, _COMPARE) for op in ops):
                    self.refuse(node, "this comparison is not allowed; there are < <= > >= == !=")
                for part in (left, *others):
                    self.expression(part)
            case ast.BoolOp(values=values):
                for part in values:
                    self.expression(part)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                for part in (test, body, orelse):
                    self.expression(part)
            case ast.Call(func=ast.Name(id=name)):
                self.call(node, name)
            case ast.Call(func=ast.Attribute(attr=name) as function):
                self.refuse(
                    node, f"{quoted(ast.unparse(function))} is not part of the model language; {_instead(name)}"
                )
            case _:
                what, instead = foreign.VALUES.get(
                    type(node), ("this", "write numbers, names, operators and functions")
                )
                self.refuse(node, f"{what} is not part of the model language; {instead}")

    def call(self, node: ast.Call, name: str) -> None:
        if name in SENDS:
            self.refuse(node, f"{name} is a statement; put it on a line of its own")
            return
        known = calls()
        if name not in known:
            instead = foreign.FUNCTIONS.get(name)
            there = instead or f"there are {', '.join(sorted(known))}"
            self.refuse(node, f"there is no function '{name}'; {there}")
            return
        low, high = known[name]
        if node.keywords:
            self.refuse(node, f"{name} takes its arguments one by one, without names")
        elif not low <= len(node.args) <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            form = "; write poisson(MEAN, LARGEST_MEAN)" if name == "poisson" else ""
            self.refuse(node, f"{name} takes {wanted} arguments, {len(node.args)} given{form}")
        elif name == BEFORE and not _is_of_side(node.args[0]):
            self.refuse(node, "before takes a trace, pre.NAME or post.NAME: its value without the spike at hand")
        for part in node.args:
            self.expression(part)


def _is_of_side(node: ast.expr) -> bool:
    """Whether this is pre.NAME, post.NAME or post.NAME[d]."""
    value = node.value if isinstance(node, ast.Subscript) else node
    return isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name) and value.value.id in ("pre", "post")


def _is_exponent(node: ast.expr) -> bool:
    """Whether `**` may stand before this: a literal, whose type is int and not bool."""
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value in EXPONENTS


def _when(allowed: tuple[str, ...]) -> str:
    return ", and optionally when=CONDITION" if allowed else ""


def _instead(name: str) -> str:
    """What to write instead of a function of a package."""
    if name in calls():
        return f"write {name}(...) without what stands before it"
    return foreign.FUNCTIONS.get(name) or f"there are {', '.join(sorted(calls()))}"


def _no_target(target: ast.AST) -> str:
    match target:
        case ast.Attribute(value=ast.Name(id="pre" | "post" as side), attr=name):
            return (
                f"assignment to {side}.{name}: many synapses share it, so the result would depend on the order in "
                f"which they are processed; send to an input, or write the synapse's own variables"
            )
        case ast.Attribute(value=ast.Name(id="twin"), attr=name):
            return (
                f"assignment to twin.{name}: a synapse changes its own variables only; let the other projection's "
                f"model assign it"
            )
        case _:
            return "an assignment has one plain name on its left side; write NAME = VALUE"


def _unused(value: ast.expr) -> str:
    """What to say of a value that stands alone on a line."""
    match value:
        case (
            ast.Compare(left=ast.Name(id=name), ops=[ast.Eq()])
            | ast.Compare(left=ast.Name(id=name), ops=[ast.Lt()], comparators=[ast.UnaryOp(op=ast.USub())])
        ):
            return f"this compares and does not assign; write {name} = VALUE"
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as op, operand=ast.UnaryOp(operand=ast.Name(id=name))):
            return f"this value is not used; write {name} = {name} {'+' if isinstance(op, ast.UAdd) else '-'} 1"
        case ast.Call(func=ast.Name(id=name)) if name in foreign.FUNCTIONS:
            return f"there is no function '{name}'; {foreign.FUNCTIONS[name]}"
        case _:
            return "this value is not used; assign it to a name, or send it"
