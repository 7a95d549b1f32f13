"""The model language's syntax: a small subset of Python's, parsed with `ast` and checked node by node.

Grammar and meaning: docs/language.md. A tree that passes here holds only what `lowering` knows.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from neuroport.errors import Place, Problem
from neuroport.network.identifiers import IDENTIFIER, NO_NAME
from neuroport.network.model import Block, Expression
from neuroport.program.functions import FUNCTIONS

FORMS: dict[str, tuple[int, int]] = {
    "relu": (1, 1),
    "uniform": (0, 0),
    "normal": (0, 0),
    "saturate": (2, 2),
    "sum_copies": (1, 1),
    "mean_copies": (1, 1),
}
"""What the language calls like a function and a program writes otherwise, with the numbers of arguments of `calls`."""
OVER_COPIES = ("sum_copies", "mean_copies")

DEEPEST = 100
"""How deeply a text may be nested."""

SENDS = ("send", "send_back")
_BINARY = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.LShift, ast.RShift)
_COMPARE = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


def calls() -> dict[str, tuple[int, int]]:
    """Everything that a text may call, with the smallest and largest number of its arguments."""
    return FORMS | {fn: (function.arity, function.most) for fn, function in FUNCTIONS.items() if function.most}


def place_of(node: ast.AST, start: Place) -> Place:
    """Where a node stands in its file, given where its text starts."""
    line = getattr(node, "lineno", 1)
    column = getattr(node, "col_offset", 0)
    return Place(start.file, start.line + line - 1, start.column + column)


def line_of(node: ast.stmt | ast.expr, start: Place, lines: Sequence[str]) -> Place:
    """Where a node stands, with that line of its text; `lines` are all of them."""
    row = node.lineno - 1
    return Place(start.file, start.line + row, start.column + node.col_offset, lines[row].strip())


def parse_block(text: str, place: Place) -> tuple[Block, tuple[Problem, ...]]:
    """Parse statements; the block is empty when there are problems."""
    module, problems = _parse(text, place)
    if module is None:
        return Block(text, place), problems
    found = _checked(module.body, place)
    return Block(text, place, () if found else tuple(module.body)), found


def parse_expression(text: str, place: Place) -> tuple[Expression, tuple[Problem, ...]]:
    """Parse a single expression; its tree is None when there are problems."""
    module, problems = _parse(text.strip(), place)
    if module is None:
        return Expression(text, place), problems
    if len(module.body) != 1 or not isinstance(module.body[0], ast.Expr):
        return Expression(text, place), (Problem(place, f"'{text.strip()}' is not an expression; give one value"),)
    tree = module.body[0].value
    found = _checked([tree], place)
    return Expression(text, place, None if found else tree), found


def _checked(nodes: Sequence[ast.stmt | ast.expr], place: Place) -> tuple[Problem, ...]:
    if _depth(nodes) > DEEPEST:
        return (Problem(place, "this text is nested too deeply; give parts of it names of their own"),)
    checker = _Checker(place)
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


def _parse(text: str, place: Place) -> tuple[ast.Module | None, tuple[Problem, ...]]:
    try:
        return ast.parse(text), ()
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        where = Place(place.file, place.line + line - 1, place.column + column - 1)
        return None, (Problem(where, f"the model language cannot read this: {error.msg}"),)
    except (ValueError, RecursionError, MemoryError):
        return None, (Problem(place, "the model language cannot read this text; write plain statements"),)


class _Checker:
    """Refuses every node that the model language does not have."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.problems: list[Problem] = []

    def refuse(self, node: ast.AST, text: str) -> None:
        self.problems.append(Problem(place_of(node, self.place), text))

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if not IDENTIFIER.fullmatch(name):
                    self.refuse(node, f"'{name}' {NO_NAME}")
                self.expression(value)
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="pre" | "post" as side), attr=name)]):
                self.refuse(
                    node,
                    f"assignment to {side}.{name}: many synapses share it, so the result would depend on the order in "
                    f"which they are processed; send to an input, or write the synapse's own variables",
                )
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="twin"), attr=name)]):
                self.refuse(
                    node,
                    f"assignment to twin.{name}: a synapse changes its own variables only; let the other projection's "
                    f"model assign it",
                )
            case ast.Assign():
                self.refuse(node, "an assignment has one plain name on its left side; write NAME = VALUE")
            case ast.AugAssign(target=ast.Name(), op=op, value=value) if isinstance(op, _BINARY):
                self.expression(value)
            case ast.If(test=test, body=body, orelse=orelse):
                self.expression(test)
                for stmt in (*body, *orelse):
                    self.statement(stmt)
            case ast.Expr(value=ast.Call(func=ast.Name(id=name)) as call) if name in SENDS:
                self.send(call, name)
            case ast.Expr():
                self.refuse(node, "this value is not used; assign it to a name, or send it")
            case _:
                self.refuse(
                    node,
                    f"{_kind(node)} is not part of the model language; it has assignments, if/elif/else, send and "
                    f"send_back",
                )

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
            case ast.Constant(value=int() | float()) | ast.Name():
                pass
            case ast.Constant(value=value):
                self.refuse(node, f"{value!r} is not a number")
            case ast.Attribute(value=ast.Name(id="pre" | "post" | "twin")):
                pass
            case ast.Attribute():
                self.refuse(node, "a dot is only allowed in pre.NAME, post.NAME and twin.NAME")
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id="post")), slice=ast.Name(id="d")):
                pass
            case ast.Subscript():
                self.refuse(node, "brackets are only allowed in post.NAME[d], the value one dendritic delay earlier")
            case ast.BinOp(left=left, op=op, right=right):
                if not isinstance(op, _BINARY):
                    self.refuse(node, f"operator {_kind(op)} is not allowed; there are + - * / // % << >>")
                self.expression(left)
                self.expression(right)
            case ast.UnaryOp(op=op, operand=operand):
                if isinstance(op, ast.Invert):
                    self.refuse(node, "operator ~ is not allowed; there are - + not")
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
            case _:
                self.refuse(node, f"{_kind(node)} is not part of the model language")

    def call(self, node: ast.Call, name: str) -> None:
        if name in SENDS:
            self.refuse(node, f"{name} is a statement; put it on a line of its own")
            return
        known = calls()
        if name not in known:
            self.refuse(node, f"there is no function '{name}'; there are {', '.join(sorted(known))}")
            return
        low, high = known[name]
        if node.keywords or not low <= len(node.args) <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            self.refuse(node, f"{name} takes {wanted} arguments, {len(node.args) + len(node.keywords)} given")
        for part in node.args:
            self.expression(part)


def _when(allowed: tuple[str, ...]) -> str:
    return ", and optionally when=CONDITION" if allowed else ""


def _kind(node: ast.AST) -> str:
    names = {"Pow": "**", "BitOr": "|", "BitAnd": "&", "BitXor": "^", "MatMult": "@", "For": "a for loop"}
    names |= {"While": "a while loop", "FunctionDef": "a function definition", "Import": "an import"}
    names |= {"List": "a list", "Tuple": "a tuple", "Dict": "a dictionary", "Lambda": "a lambda", "Pass": "pass"}
    name = type(node).__name__
    return names.get(name, f"'{name}'")
