"""What people know from other simulators and languages, and what the model language has in its place."""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Callable

from neuroport.numerics import units

_LIMIT = "write a number that the range allows"
_NUMBERS = {
    "pi": "write 3.141592653589793",
    "e": "write 2.718281828459045",
    "inf": _LIMIT,
    "nan": "write a condition, such as a / b if b > 0 else 0",
    "INFINITY": _LIMIT,
    "xi": "write normal() * sqrt(dt) in the place of xi * dt",
    "true": "compare, or write 1 or 0",
    "false": "compare, or write 1 or 0",
    "np": "call functions by their plain names, such as exp(x)",
    "math": "call functions by their plain names, such as exp(x)",
}
"""Names that stand for numbers elsewhere, or for packages."""
_DIFFERENCE = "1 if x > 0 else 0"
FUNCTIONS = {
    "maximum": "write max(a, b)",
    "minimum": "write min(a, b)",
    "amax": "write max(a, b)",
    "amin": "write min(a, b)",
    "fmax": "write max(a, b)",
    "fmin": "write min(a, b)",
    "fabs": "write abs(x)",
    "absolute": "write abs(x)",
    "expit": "write sigmoid(x)",
    "logistic": "write sigmoid(x)",
    "ln": "write log(x)",
    "log10": "write log(x) / 2.302585092994046",
    "log2": "write log(x) / 0.6931471805599453",
    "log1p": "write log(1 + x)",
    "expm1": "write exp(x) - 1",
    "cosh": "write (exp(x) + exp(-x)) / 2",
    "sinh": "write (exp(x) - exp(-x)) / 2",
    "pow": "write x ** 2, or exp(y * log(x)) for a positive x",
    "power": "write x ** 2, or exp(y * log(x)) for a positive x",
    "square": "write x ** 2",
    "cbrt": "write exp(log(x) / 3) for a positive x",
    "where": "write a if condition else b",
    "heaviside": f"write {_DIFFERENCE}",
    "theta": f"write {_DIFFERENCE}",
    "step": f"write {_DIFFERENCE}",
    "sign": "write 1 if x > 0 else -1 if x < 0 else 0",
    "mod": "write a % b, of ints",
    "fmod": "write a % b, of ints",
    "rand": "write uniform()",
    "random": "write uniform()",
    "rnd": "write uniform()",
    "randn": "write normal()",
    "gauss": "write normal()",
    "standard_normal": "write normal()",
    "bernoulli": "write 1 if uniform() < probability else 0",
    "float": "ints become reals where a real is needed; leave it out",
    "bool": "write 1 if condition else 0",
    "sum": "write a + b; what arrives at an input is a sum already; over all neurons or synapses there are "
    "sum_population, sum_incoming and sum_outgoing",
    "softmax": "under on_event write top = max_population(x), e = exp(min(x - top, 0)), and "
    "e / max(sum_population(e), 1)",
    "argmax": "under on_event write 1 if x == max_population(x) else 0",
    "print": "record the variable: `record: {states: {OBJECT.VARIABLE: 1 ms}}`",
    "len": "the number of copies is `copies`; sizes of populations stand in the network file",
}
"""What stands in the place of functions that other languages have."""

_OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.BitAnd: ("&", "write `and` between conditions"),
    ast.BitOr: ("|", "write `or` between conditions"),
    ast.MatMult: ("@", "each synapse sends its own weight times what it carries"),
}
STATEMENTS: dict[type[ast.AST], tuple[str, str]] = {
    ast.For: ("a for loop", "every neuron and synapse computes its own statements once in every step"),
    ast.While: ("a while loop", "every neuron and synapse computes its own statements once in every step"),
    ast.FunctionDef: ("a function definition", "write the statements where they are needed"),
    ast.ClassDef: ("a class", "a model declares `params`, `state` and blocks of statements"),
    ast.Return: ("return", "assign the value to a variable"),
    ast.Pass: ("pass", "leave the block, or the branch, out"),
    ast.Import: ("an import", "all functions of the language are there"),
    ast.ImportFrom: ("an import", "all functions of the language are there"),
    ast.AnnAssign: (
        "a declaration",
        "declare variables under `state:`, `params:` or `inputs:`, and write NAME = VALUE",
    ),
    ast.Match: ("match", "write if, elif and else"),
    ast.Try: ("try", "write a condition, such as a / b if b > 0 else 0"),
    ast.Assert: ("assert", "declare a `range:` for the variable"),
    ast.Raise: ("raise", "declare a `range:` for the variable"),
    ast.Global: ("global", "write the variable's name"),
    ast.Nonlocal: ("nonlocal", "write the variable's name"),
    ast.Delete: ("del", "leave it out; local names end with the block"),
    ast.Break: ("break", "write if and else"),
    ast.Continue: ("continue", "write if and else"),
    ast.With: ("with", "write the statements alone"),
}
"""Names of statements that the language does not have, and what to do."""
VALUES: dict[type[ast.AST], tuple[str, str]] = {
    ast.List: ("a list", "give functions their values one by one, such as min(a, b)"),
    ast.Tuple: ("a tuple", "write one value"),
    ast.Dict: ("a dictionary", "write one value"),
    ast.Set: ("a set", "write one value"),
    ast.Lambda: ("a lambda", "write the value itself; a variable needs another name"),
    ast.ListComp: ("a list", "give functions their values one by one, such as min(a, b)"),
    ast.GeneratorExp: ("a list", "give functions their values one by one, such as min(a, b)"),
    ast.NamedExpr: (":=", "assign on a line of its own, NAME = VALUE"),
    ast.JoinedStr: ("a text", "write a number"),
    ast.Starred: ("*", "give functions their values one by one"),
    ast.Slice: (":", "write one value"),
    ast.Call: ("this call", "call a function of the language by its plain name"),
    ast.Await: ("await", "leave it out"),
    ast.Yield: ("yield", "assign the value to a variable"),
}

_FORBIDDEN = frozenset(keyword.kwlist) - {"if", "elif", "else", "and", "or", "not"}
_SYMBOLS = {"−": "-", "–": "-", "—": "-", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "∕": "/", "≤": "<=",
            "≥": ">=", "≠": "!=", "∧": "and", "∨": "or", "¬": "not", "²": "x ** 2", "³": "x ** 3", "√": "sqrt(x)",
            "∞": "a large number", "“": "a name", "”": "a name", "‘": "a name", "’": "a name", "；": "a new line",
            "，": ",", "（": "(", "）": ")", "\u00a0": "a plain space", "\u2009": "a plain space",
            "\u200b": "nothing"}  # fmt: skip
_UNIT = r"(?:[pnumkMG]?(?:s|Hz|V|A|Ohm|ohm|S|F|C)|steps?)"
_QUANTITY = re.compile(rf"(?<![\w.])(\d+\.?\d*(?:[eE][-+]?\d+)?)\s*({_UNIT}(?:\s*[/*]\s*{_UNIT})*)\b")
_DERIVATIVE = re.compile(r"\s*d(\w+)\s*/\s*d[tT]\b")
_PRIMED = re.compile(r"\s*(\w+)'+\s*=")


def is_reserved(name: str) -> bool:
    """Whether Python's syntax, which the language has, reads a name as something else."""
    return name in keyword.kwlist


def of_name(name: str) -> str:
    """What to write instead of a name that is not known; "" if that is not known either."""
    if name in _NUMBERS:
        return _NUMBERS[name]
    owner, _, side = name.rpartition("_")
    if owner and side in ("pre", "post"):
        return f"write {side}.{owner}"
    if _is_unit(name):
        return f"numbers in models have no units: write them in {units.coherent_unit(name)}, or declare a parameter"
    return ""


def of_dotted(name: str) -> str:
    """The end of a sentence about a dot before this name."""
    return f"; {_NUMBERS[name]}" if name in _NUMBERS else ""


def of_letters(name: str) -> str:
    """The end of a sentence about a name with letters that are not those of names: how Greek ones are spelled."""
    spelled = "".join(_latin(letter) for letter in name)
    return f", such as {spelled}" if spelled.isascii() and spelled.isidentifier() else ""


def _latin(letter: str) -> str:
    words = unicodedata.name(letter, "").split()
    if words[:1] == ["GREEK"] or words[:1] == ["MICRO"]:
        return "mu" if words[0] == "MICRO" else words[-1].lower()
    return letter


def of_operator(left: ast.expr, op: ast.operator, right: ast.expr) -> tuple[str, str]:
    """An operator that the language does not have, and what to write instead."""
    if not isinstance(op, ast.BitXor):
        return _OPERATORS[type(op)]
    match left, right:
        case ast.Name(id=base), ast.Constant(value=int(count)):
            return "^", f"write {base} ** {count}"
        case _:
            return "^", "write x ** 2 for a square"


def of_power(left: ast.expr, right: ast.expr) -> str:
    """What to write instead of an exponent that the language does not have."""
    base = left.id if isinstance(left, ast.Name) else "x"
    match right:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=0.5):
            return f"write sqrt({base})"
        case ast.Constant(value=1 | 1.0):
            return f"write {base}"
        case ast.Constant(value=int() | float() as number) if number in range(2, 9):
            return f"write {base} ** {number:.0f}"
        case ast.Constant(value=int(number)) if number > 8:
            return f"write a product of powers, such as {base} ** 8 * {base} for {base} ** 9"
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1 | 1.0)):
            return f"write 1 / {base}"
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)) if number in range(2, 9):
            return f"write 1 / {base} ** {number:.0f}"
        case ast.BinOp(left=ast.Constant(), op=ast.Pow(), right=ast.Constant()):
            first, then = ast.unparse(right).split(" ** ")
            return f"write ({base} ** {first}) ** {then} if that is meant: what stands last is taken first"
    return "write exp(y * log(x)) for a positive x"


def of_line(line: str) -> str:
    """What is wrong with a line that is no Python, as far as it is a habit of somewhere else; "" if it is none."""
    return next((found for rule in _RULES if (found := rule(line))), "")


def _derivative(line: str) -> str:
    found = _DERIVATIVE.match(line) or _PRIMED.match(line)
    if found is None:
        return ""
    name = found[1]
    return (
        f"this is a differential equation, and models say what a step does: write {name} = {name} + dt * (...), "
        f"or {name} = {name} * exp(-dt / tau) where it decays"
    )


def _symbol(line: str) -> str:
    found = next((symbol for symbol in line if symbol in _SYMBOLS), None)
    if found is None:
        return ""
    shown = found if found.isprintable() and not found.isspace() else f"U+{ord(found):04X}"
    return f"the character '{shown}' is not part of the model language; write {_SYMBOLS[found]}"


def _quantity(line: str) -> str:
    found = _QUANTITY.search(line)
    if found is None or not _is_unit(found[2].replace(" ", "")):
        return ""
    number, unit = found[1], found[2].replace(" ", "")
    if units.is_step(unit):
        return f"numbers in models have no units: write {number} for {number} {unit}, of a variable that counts steps"
    coherent = units.coherent_unit(unit)
    try:
        value = units.coherent(float(number), unit)[0]
    except units.UnitError as error:
        return f"numbers in models have no units and mean {coherent} here: {number} {unit} cannot be one, {error}"
    return (
        f"numbers in models have no units and mean {coherent} here: write {value:.12g} for {number} {unit}, "
        f"or declare a parameter with its unit"
    )


def _logic(line: str) -> str:
    for symbol, word in (("&&", "and"), ("||", "or")):
        if symbol in line:
            return f"{symbol} is not part of the model language; write `{word}`"
    return "! is not part of the model language; write `not`" if re.search(r"!(?!=)", line) else ""


def _counting(line: str) -> str:
    found = re.search(r"(\w+)\s*(\+\+|--)\s*;?\s*$", line)
    return (
        f"{found[2]} is not part of the model language; write {found[1]} = {found[1]} {found[2][0]} 1" if found else ""
    )


def _question(line: str) -> str:
    return "a ? b : c is not part of the model language; write b if a else c" if "?" in line else ""


def _braces(line: str) -> str:
    if re.search(r"[{}]", line):
        return "braces are not part of the model language; write `if CONDITION:` and indent the lines below"
    return ""


def _else_if(line: str) -> str:
    return "else if is not part of the model language; write elif" if re.match(r"\s*else\s+if\b", line) else ""


def _comment(line: str) -> str:
    return "a comment begins with #" if re.search(r"/\*|\*/|//\s*\w+\s+\w|^\s*(//|%|--)", line) else ""


def _keyword(line: str) -> str:
    words = [word for word in re.findall(r"(?<![\w.])[A-Za-z_]\w*", line) if word in _FORBIDDEN]
    return (
        f"'{words[0]}' is no name, for it is a word of Python's syntax; choose another, such as {words[0]}_"
        if words
        else ""
    )


def _assignment(line: str) -> str:
    if re.search(r"\b(if|elif)\b[^=<>!]*[^=<>!]=[^=]", line):
        return "a condition compares with =="
    return "an assignment has one =" if re.search(r":=|<-|=\s+=", line) else ""


def _colon(line: str) -> str:
    if re.match(r"\s*(if|elif|else)\b", line) and not line.split("#")[0].rstrip().endswith(":"):
        return "a line with if, elif or else ends with a colon, and the lines below are indented"
    return ""


_RULES: tuple[Callable[[str], str], ...] = (
    *(_derivative, _symbol, _quantity, _logic, _counting, _question, _braces, _else_if, _comment, _assignment, _colon),
    _keyword,
)


def _is_unit(text: str) -> bool:
    try:
        units.check(text)
    except units.UnitError:
        return False
    return bool(text) and not text.isdigit()
