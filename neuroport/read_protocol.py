"""The protocol out of YAML nodes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from neuroport import read_model, read_values
from neuroport.fields import found
from neuroport.language import EACH_STEP
from neuroport.model import Expression
from neuroport.network import If, Item, Measure, Patterns, Present, Repeat, Reset, Run, Set, Trigger
from neuroport.read_values import Slot
from neuroport.reading import Context, label, model_of
from neuroport.units import quoted
from neuroport.values import Quantity
from neuroport.yamlfile import Mapping, Node, Scalar

ITEMS = {
    "repeat": ("repeat", "as", "do"),
    "run": ("run", "readout"),
    "present": ("present", "count", "readout"),
    "if": ("if", "then", "else"),
    "event": ("event",),
    "set": ("set",),
    "reset": ("reset",),
    "measure": ("measure",),
}
MAX_COUNT = 2**62
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


def protocol(context: Context, node: Node | None) -> tuple[Item, ...]:
    """The items of a protocol; those with problems are left out, with the problems in the report."""
    return _items(context, node, "protocol", ())


def walk(items: tuple[Item, ...]) -> Iterator[Item]:
    """All items with those inside of them."""
    for item in items:
        yield item
        if isinstance(item, Repeat):
            yield from walk(item.do)
        elif isinstance(item, If):
            yield from walk(item.then)
            yield from walk(item.otherwise)


def _items(context: Context, node: Node | None, what: str, variables: tuple[str, ...]) -> tuple[Item, ...]:
    if isinstance(node, Mapping):
        context.report.add(node, f"{what} must be a list of items, each with a dash; found a mapping")
        return ()
    items = (_item(context, part, variables) for part in context.report.items(node, what))
    return tuple(item for item in items if item is not None)


def _item(context: Context, node: Node, variables: tuple[str, ...]) -> Item | None:
    report = context.report
    kinds = [key for key in node.entries if key in ITEMS] if isinstance(node, Mapping) else []
    if not isinstance(node, Mapping) or len(kinds) != 1:
        have = ", ".join(kinds) if kinds else found(node)
        report.add(node, f"a protocol item must have one of the keys {', '.join(ITEMS)}; found {have}")
        return None
    kind = kinds[0]
    entries = report.mapping(node, f"protocol item '{kind}'", ITEMS[kind])
    match kind:
        case "repeat":
            return _repeat(context, node, entries, variables)
        case "run":
            return _run(context, node, entries)
        case "present":
            return _present(context, node, entries)
        case "if":
            return _if(context, node, entries, variables)
        case "event":
            return _event(context, node, entries["event"])
        case "set":
            return _set(context, node, entries["set"])
        case "reset":
            names = _names(context, entries["reset"], "population", list(context.populations))
            return Reset(populations=names, place=node.place)
        case _:
            names = _names(context, entries["measure"], "metric", list(context.metrics))
            return Measure(metrics=names, place=node.place)


def _repeat(context: Context, node: Node, entries: dict[str, Node], variables: tuple[str, ...]) -> Repeat | None:
    report = context.report
    count = report.integer(entries["repeat"], "repeat", 1, MAX_COUNT)
    variable = report.name(entries.get("as"), "'as' of repeat") or ""
    if variable and variable in variables:
        report.add(entries["as"], f"the variable '{variable}' counts an outer repeat already; choose another name")
    if "do" not in entries:
        report.add(node, "protocol item 'repeat' lacks 'do'; add the items to repeat")
    do = _items(context, entries.get("do"), "'do' of repeat", (*variables, variable) if variable else variables)
    return None if count is None else Repeat(count=count, variable=variable, do=do, place=node.place)


def _run(context: Context, node: Node, entries: dict[str, Node]) -> Run | None:
    duration = read_values.duration(context.report, entries["run"], "run", context.dt, 1)
    readouts = _names(context, entries.get("readout"), "readout", list(context.readouts))
    return None if duration is None else Run(duration=duration, readouts=readouts, place=node.place)


def _present(context: Context, node: Node, entries: dict[str, Node]) -> Present | None:
    report = context.report
    patterns = [name for name, item in context.stimuli.items() if item is None or isinstance(item, Patterns)]
    name = report.reference(entries["present"], "patterns", patterns)
    count = report.integer(entries.get("count"), "count of present", 1, MAX_COUNT)
    readouts = _names(context, entries.get("readout"), "readout", list(context.readouts))
    return None if name is None else Present(patterns=name, count=count, readouts=readouts, place=node.place)


def _if(context: Context, node: Node, entries: dict[str, Node], variables: tuple[str, ...]) -> If | None:
    report = context.report
    if "then" not in entries:
        report.add(node, "protocol item 'if' lacks 'then'; add the items to do")
    then = _items(context, entries.get("then"), "'then' of if", variables)
    otherwise = _items(context, entries.get("else"), "'else' of if", variables)
    condition = entries["if"]
    if not isinstance(condition, Scalar) or not condition.text.strip():
        report.add(condition, f"a condition must be an expression such as 'epoch % 10 == 0'; found {found(condition)}")
        return None
    before = len(report.problems)
    expression = read_model.expression(report, condition)
    if (
        expression.tree is None
        or len(report.problems) > before
        or not _check(context, condition, expression, variables)
    ):
        return None
    return If(condition=expression, then=then, otherwise=otherwise, place=node.place)


def _check(context: Context, at: Node, condition: Expression, variables: tuple[str, ...]) -> bool:
    """Whether a condition uses only repeat variables, whole numbers and the operators that conditions have."""
    assert condition.tree is not None
    for part in ast.walk(condition.tree):
        match part:
            case ast.Name(id=name):
                if name not in variables:
                    context.report.unknown(at, "variable", name, list(variables), " in a condition")
                    return False
            case ast.Constant(value=int()) | ast.BoolOp() | ast.expr_context() | ast.boolop() | ast.operator():
                pass
            case ast.BinOp(op=op) if isinstance(op, _OPERATORS):
                pass
            case ast.UnaryOp() | ast.unaryop() | ast.cmpop():
                pass
            case ast.Compare(ops=ops) if all(isinstance(op, _COMPARISONS) for op in ops):
                pass
            case _:
                text = f"the condition {quoted(condition.text)} is not allowed; "
                text += "use repeat variables, whole numbers, + - * // %, comparisons, and, or, not"
                context.report.add(at, text)
                return False
    return True


def _event(context: Context, node: Node, name_node: Node) -> Trigger | None:
    name = context.report.name(name_node, "event")
    if name is None:
        return None
    objects = [*context.populations.values(), *context.projections.values()]
    known = {event for item in objects if item for event, _ in model_of(item).on_event if event != EACH_STEP}
    if name == EACH_STEP:
        context.report.add(
            name_node, f"the event '{EACH_STEP}' happens by itself at the end of every step; leave the item out"
        )
        return None
    if name not in known and None not in objects:
        context.report.unknown(name_node, "event", name, sorted(known))
        return None
    return Trigger(event=name, place=node.place)


def _set(context: Context, node: Node, values: Node) -> Set | None:
    report = context.report
    if not isinstance(values, Mapping) or not values.entries:
        report.add(values, f"'set' must be a mapping from OBJECT.PARAMETER to values; found {found(values)}")
        return None
    result: list[tuple[str, Quantity]] = []
    for key, at, inner in values.values():
        pair = context.parameter(at, "'set'", key)
        if pair is None:
            continue
        owner, parameter = pair
        what = f"parameter '{parameter.name}' of {label(owner)}"
        if not parameter.dynamic:
            model = model_of(owner)
            dynamic = [f"{owner.name}.{item.name}" for item in model.parameters if item.dynamic]
            names = (
                f"dynamic are {', '.join(dynamic)}" if dynamic else f"model '{model.name}' has no dynamic parameters"
            )
            report.add(at, f"{what} cannot be switched, because its model does not declare it dynamic; {names}")
            continue
        span = dict(owner.ranges).get(parameter.name, parameter.range)
        slot = Slot(what, parameter.unit, parameter.type, span, context.dt)
        value = read_values.fitting(report, inner, slot)
        if value is not None:
            result.append((key, value))
    return Set(values=tuple(result), place=node.place)


def _names(context: Context, node: Node | None, what: str, known: list[str]) -> tuple[str, ...]:
    """A list of names of things that exist, each once."""
    result: list[str] = []
    for item in context.report.items(node, f"the list of {what}s"):
        name = context.report.reference(item, what, known)
        if name in result:
            context.report.add(item, f"the {what} '{name}' is listed twice; keep one")
        elif name is not None:
            result.append(name)
    return tuple(result)
