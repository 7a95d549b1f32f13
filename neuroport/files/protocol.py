"""The protocol, read out of YAML nodes and written: each item in one place, with both directions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, TypeVar

from neuroport.files import metrics as read_metrics
from neuroport.files import models
from neuroport.files.context import Context, label, model_of, of_all
from neuroport.files.parts import NEURONS_ONLY, part_of, split_part
from neuroport.language.blocks import EACH_STEP
from neuroport.network.model import Expression, Parameter
from neuroport.network.objects import Population
from neuroport.network.protocol import (
    Action,
    Anneal,
    Capture,
    If,
    Item,
    Measure,
    Present,
    Repeat,
    Reset,
    Run,
    Set,
    Trigger,
    walk,
)
from neuroport.network.results import Samples
from neuroport.network.stimuli import Patterns
from neuroport.network.switches import Owner, matching
from neuroport.numerics import units
from neuroport.numerics.parts import Part, named
from neuroport.numerics.steps import MOST
from neuroport.numerics.units import Quantity, quoted
from neuroport.yaml.fields import Report, found, listing, meant
from neuroport.yaml.nodes import MapNode, Node, ScalarNode
from neuroport.yaml.quantities import duration, fitting, written_quantity
from neuroport.yaml.slots import Slot
from neuroport.yaml.text import Code

MAX_COUNT = MOST
END = "end"
ACTIONS = ("event", "set", "reset")
"""What can be done in a pattern."""
EXAMPLE = "such as {at: end, event: learn}"
BESIDE = "; do it between two 'present' items, with 'take: next' if they shall go on"
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


_Item = TypeVar("_Item", bound=Item)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An item in a file: the whole, what stands under its keys, and the variables of the repeats around it."""

    context: Context
    node: Node
    entries: dict[str, Node]
    variables: tuple[str, ...]

    @property
    def report(self) -> Report:
        return self.context.report

    def items(self, key: str, what: str, variables: tuple[str, ...]) -> tuple[Item, ...]:
        """The items that stand under a key."""
        return _items(self.context, self.entries.get(key), what, variables)

    def names(self, key: str, what: str, known: list[str]) -> tuple[str, ...]:
        """The names of things that exist."""
        return _names(self.context, self.entries.get(key), what, known)


@dataclass(frozen=True, eq=False)
class _Form(Generic[_Item]):
    """How an item stands in a file: its class, its first key and the others, out of a file, and back."""

    value: type[_Item]
    keys: tuple[str, ...]
    read: Callable[[_Entry], _Item | None]
    write: Callable[[_Item], dict[str, Any]]


def protocol(context: Context, node: Node | None) -> tuple[Item, ...]:
    """The items of a protocol; those with problems are left out, with the problems in the report."""
    return _items(context, node, "protocol", ())


def _items(context: Context, node: Node | None, what: str, variables: tuple[str, ...]) -> tuple[Item, ...]:
    if isinstance(node, MapNode):
        context.report.add(node, f"{what} must be a list of items, each with a dash; found a mapping")
        return ()
    items = (_item(context, part, variables) for part in context.report.items(node, what))
    return tuple(item for item in items if item is not None)


def _item(context: Context, node: Node, variables: tuple[str, ...]) -> Item | None:
    report = context.report
    kinds = [key for key in node.entries if key in ITEMS] if isinstance(node, MapNode) else []
    if not isinstance(node, MapNode) or len(kinds) != 1:
        have, hint = (", ".join(kinds), "") if kinds else (found(node), meant(node, list(ITEMS)))
        report.add(node, f"a protocol item must have one of the keys {', '.join(ITEMS)}; found {have}{hint}")
        return None
    form = ITEMS[kinds[0]]
    entries = report.mapping(node, f"protocol item '{kinds[0]}'", form.keys)
    made: Item | None = form.read(_Entry(context, node, entries, variables))
    return made


def written_item(item: Item) -> dict[str, Any]:
    """An item as it stands in a file."""
    written: dict[str, Any] = next(form for form in ITEMS.values() if form.value is type(item)).write(item)
    return written


def _repeat(entry: _Entry) -> Repeat | None:
    report, entries, variables = entry.report, entry.entries, entry.variables
    count = report.integer(entries["repeat"], "repeat", 1, MAX_COUNT)
    variable = report.name(entries.get("as"), "'as' of repeat") or ""
    if variable and variable in variables:
        report.add(entries["as"], f"the variable '{variable}' counts an outer repeat already; choose another name")
    if "do" not in entries:
        report.add(entry.node, "protocol item 'repeat' lacks 'do'; add the items to repeat")
    do = entry.items("do", "'do' of repeat", (*variables, variable) if variable else variables)
    return None if count is None else Repeat(count=count, variable=variable, do=do, place=entry.node.place)


def _written_repeat(item: Repeat) -> dict[str, Any]:
    variable = {"as": item.variable} if item.variable else {}
    return {"repeat": item.count, **variable, "do": [written_item(part) for part in item.do]}


def _run(entry: _Entry) -> Run | None:
    time = duration(entry.report, entry.entries["run"], "run", entry.context.dt, 1)
    readouts = entry.names("readout", "readout", list(entry.context.readouts))
    return None if time is None else Run(duration=time, readouts=readouts, place=entry.node.place)


def _written_run(item: Run) -> dict[str, Any]:
    return {"run": written_quantity(item.duration), **_written_readouts(item)}


def _written_readouts(item: Run | Present) -> dict[str, Any]:
    return {"readout": list(item.readouts)} if item.readouts else {}


def _present(entry: _Entry) -> Present | None:
    report, entries, stimuli = entry.report, entry.entries, entry.context.stimuli
    patterns = [name for name, item in stimuli.items() if item is None or isinstance(item, Patterns)]
    name = report.reference(entries["present"], "patterns", patterns)
    shown = stimuli.get(name or "")
    if isinstance(shown, Patterns) and shown.beside:
        text = f"'{name}' is shown beside '{shown.beside}', not by itself; write present: {shown.beside}"
        report.add(entries["present"], text)
        return None
    count = report.integer(entries.get("count"), "count of present", 1, MAX_COUNT)
    take = report.choice(entries.get("take"), "take of present", ("next",))
    if take is not None and "count" not in entries:
        text = "'take: next' of present needs 'count', how many patterns are taken; add it, such as count: 1"
        report.add(entries["take"], text)
    readouts = entry.names("readout", "readout", list(entry.context.readouts))
    each = _each(entry, shown.hold if isinstance(shown, Patterns) else None)
    if name is None:
        return None
    return Present(
        patterns=name, count=count, readouts=readouts, each=each, goes_on=take is not None, place=entry.node.place
    )


def _written_present(item: Present) -> dict[str, Any]:
    count = {} if item.count is None else {"count": item.count}
    take = {"take": "next"} if item.goes_on else {}
    each = {"each": [_written_action(action) for action in item.each]} if item.each else {}
    return {"present": item.patterns, **count, **take, **_written_readouts(item), **each}


def _each(entry: _Entry, hold: Quantity | None) -> tuple[Action, ...]:
    """What is to be done in every pattern, each shown for `hold`, in the order of time."""
    report, node = entry.report, entry.entries.get("each")
    if node is None:
        return ()
    items = report.items(node, "'each' of present")
    if not items and not isinstance(node, MapNode):
        report.add(
            node, f"'each' of present lists nothing; say what to do in every pattern, {EXAMPLE}, or leave it out"
        )
    found_ones = [_action(entry.context, item, entry.variables, hold) for item in items]
    actions = tuple(action for action in found_ones if action is not None)
    for first, second in pairwise(actions):
        before, after = (_steps(entry.context, one.at or hold) for one in (first, second))
        if before is not None and after is not None and before > after:
            text = f"what is done in a pattern must stand in the order of time; found {_shown(second.at)} behind "
            report.add(second.place, f"{text}{_shown(first.at)}; put it before that")
    return actions


def _action(context: Context, node: Node, variables: tuple[str, ...], hold: Quantity | None) -> Action | None:
    report = context.report
    kinds = [key for key in node.entries if key in ITEMS] if isinstance(node, MapNode) else []
    if not isinstance(node, MapNode) or len(kinds) != 1 or kinds[0] not in ACTIONS:
        have = ", ".join(f"'{kind}'" for kind in kinds) if kinds else found(node)
        text = f"what is done in a pattern must have one of the keys {', '.join(ACTIONS)} beside 'at', {EXAMPLE}; "
        instead = BESIDE if len(kinds) == 1 else "; write an entry for each of them" if kinds else ""
        report.add(node, f"{text}found {have}{instead}")
        return None
    what = f"'{kinds[0]}' in a pattern"
    entries = report.mapping(node, what, ("at", *ITEMS[kinds[0]].keys), ("at",))
    at = _time(context, entries.get("at"), what, hold)
    do = ITEMS[kinds[0]].read(_Entry(context, node, entries, variables))
    if do is None or "at" not in entries:
        return None
    return Action(at=at, do=do, place=node.place)


def _time(context: Context, node: Node | None, what: str, hold: Quantity | None) -> Quantity | None:
    """A time in a pattern that is shown for `hold`; None for its end, and for what is none."""
    if node is None or (isinstance(node, ScalarNode) and node.value == END):
        return None
    number = isinstance(node, ScalarNode) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if not number and not any(map(str.isdigit, node.text if isinstance(node, ScalarNode) else "")):
        context.report.add(
            node, f"at of {what} must be a time in it, such as 10 steps or 5 ms, or end; found {found(node)}"
        )
        return None
    time = duration(context.report, node, f"at of {what}", context.dt, 0)
    at, length = _steps(context, time), _steps(context, hold)
    if time and hold and at is not None and length is not None and at > length:
        text = f"at of {what} is {units.show(time)}, and a pattern lasts {units.show(hold)}"
        context.report.add(node, f"{text}; write a time up to that, or end")
        return None
    return time


def _steps(context: Context, time: Quantity | None) -> float | None:
    """How many steps a time is, where that is known."""
    if time is None or (context.dt is None and not units.is_step(time.unit)):
        return None
    return units.convert(time, "step", context.dt)


def _shown(at: Quantity | None) -> str:
    return END if at is None else units.show(at)


def _written_action(action: Action) -> dict[str, Any]:
    return {"at": END if action.at is None else written_quantity(action.at), **written_item(action.do)}


def check_next(context: Context, items: tuple[Item, ...]) -> None:
    """Whether every `present` item with `take: next` has another one, or another round of a repeat, to go on from."""
    going_on = [item for item in walk(items) if isinstance(item, Present) and item.goes_on and item.count]
    repeated = [part for item in walk(items) if isinstance(item, Repeat) for part in walk(item.do)]
    for item in going_on:
        others = [other for other in going_on if other is not item and other.patterns == item.patterns]
        if not others and not any(part is item for part in repeated):
            text = f"'take: next' shows the patterns of '{item.patterns}' that come after those of an earlier item or "
            text += "round, and there is neither; put the item into a 'repeat', or leave 'take' out"
            context.report.add(item.place, text)


def _if(entry: _Entry) -> If | None:
    context, report, variables = entry.context, entry.report, entry.variables
    if "then" not in entry.entries:
        report.add(entry.node, "protocol item 'if' lacks 'then'; add the items to do")
    then = entry.items("then", "'then' of if", variables)
    otherwise = entry.items("else", "'else' of if", variables)
    condition = entry.entries["if"]
    if not isinstance(condition, ScalarNode) or not condition.text.strip():
        report.add(condition, f"a condition must be an expression such as 'epoch % 10 == 0'; found {found(condition)}")
        return None
    before = len(report.problems)
    expression = models.expression(report, condition)
    if (
        expression.tree is None
        or len(report.problems) > before
        or not _check(context, condition, expression, variables)
    ):
        return None
    return If(condition=expression, then=then, otherwise=otherwise, place=entry.node.place)


def _written_if(item: If) -> dict[str, Any]:
    result: dict[str, Any] = {"if": Code(item.condition.text), "then": [written_item(part) for part in item.then]}
    return result | ({"else": [written_item(part) for part in item.otherwise]} if item.otherwise else {})


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


def _event(entry: _Entry) -> Trigger | None:
    context, name_node = entry.context, entry.entries["event"]
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
    return Trigger(event=name, place=entry.node.place)


def _written_event(item: Trigger) -> dict[str, Any]:
    return {"event": item.event}


def _set(entry: _Entry) -> Set | None:
    context, report, values = entry.context, entry.report, entry.entries["set"]
    if not isinstance(values, MapNode) or not values.entries:
        report.add(values, f"'set' must be a mapping from OBJECT.PARAMETER to values; found {found(values)}")
        return None
    whole: list[tuple[str, Quantity]] = []
    parts: list[_GivenPart] = []
    for key, at, inner in values.values():
        of, inside = split_part(key)
        for owner, parameter in _dynamic(context, at, "'set'", of):
            what = f"parameter '{parameter.name}' of {label(owner)}"
            span = dict(owner.ranges).get(parameter.name, parameter.range)
            slot = Slot(what, units.of_values(parameter.unit), parameter.type, span, context.dt)
            value, some = fitting(report, inner, slot), _some(context, at, owner, of, inside)
            if value is not None and inside is not None:
                parts += [_GivenPart(f"{owner.name}.{parameter.name}", part, value) for part in some]
            elif value is not None and (of, value) not in whole:
                whole.append((of, value))
    _check_each_once(context, values, whole, parts)
    whole += [(one.name, one.value) for one in parts if one.part is None]
    return Set(
        values=tuple(whole),
        some=tuple((one.name, one.part, one.value) for one in parts if one.part is not None),
        place=entry.node.place,
    )


@dataclass(frozen=True, slots=True)
class _GivenPart:
    """A value of a parameter, by OBJECT.PARAMETER, for the neurons of a part; None where those are all."""

    name: str
    part: Part | None
    value: Quantity

    def meets(self, other: _GivenPart) -> bool:
        """Whether some neurons get two values of one parameter."""
        return self.name == other.name and (self.part is None or other.part is None or self.part.meets(other.part))


def _some(context: Context, at: Node, owner: Owner, of: str, inside: str | None) -> tuple[Part | None, ...]:
    """Which neurons of a population a part names that is set, None for all; nothing where something is wrong."""
    before = len(context.report.problems)
    if isinstance(owner, Population):
        part = part_of(context.report, at, "'set'", inside, owner.size)
        return (part,) if len(context.report.problems) == before else ()
    if inside is not None:
        context.report.add(at, f"'set': {NEURONS_ONLY}; name {quoted(of)} whole")
    return ()


def _check_each_once(context: Context, at: Node, whole: list[tuple[str, Quantity]], parts: list[_GivenPart]) -> None:
    """Whether every neuron is given one value of a parameter."""
    owners = [o for o in (*context.populations.values(), *context.projections.values()) if o]
    given = {f"{owner.name}.{p.name}" for text, _ in whole for owner, p in matching(owners, text)}
    for k, one in enumerate(parts):
        if one.name in given or any(map(one.meets, parts[:k])):
            text = f"'set' gives some neurons two values of {quoted(one.name)}; name each neuron once, or use two items"
            context.report.add(at, text)


def _written_set(item: Set) -> dict[str, Any]:
    whole = {name: written_quantity(value) for name, value in item.values}
    return {"set": whole | {named(name, part): written_quantity(value) for name, part, value in item.some}}


def _dynamic(context: Context, at: Node, what: str, text: str) -> list[tuple[Owner, Parameter]]:
    """The dynamic parameters that OBJECT.PARAMETER means; none with the reason in the report."""
    report = context.report
    if "*" in text:
        objects = [*context.populations.values(), *context.projections.values()]
        whole, inside = split_part(text)
        if inside is not None:
            report.add(at, of_all(what, text, whole))
            return []
        found_ones = matching([o for o in objects if o], text)
        if not found_ones and None not in objects:
            owners = [o for o in objects if o]
            known = [f"{o.name}.{p.name}" for o in owners for p in model_of(o).parameters if p.dynamic]
            dynamic = listing(known) if known else "no model of this network declares one"
            report.add(at, f"{what}: no dynamic parameter is called {quoted(text)}; {dynamic}")
        return found_ones
    pair = context.parameter(at, what, text)
    if pair is None:
        return []
    owner, parameter = pair
    if parameter.dynamic:
        return [pair]
    model = model_of(owner)
    known = [f"{owner.name}.{item.name}" for item in model.parameters if item.dynamic]
    names = f"dynamic are {', '.join(known)}" if known else f"model '{model.name}' has no dynamic parameters"
    name = f"parameter '{parameter.name}' of {label(owner)}"
    report.add(at, f"{name} cannot be switched, because its model does not declare it dynamic; {names}")
    return []


def _reset(entry: _Entry) -> Reset:
    context, report, inner = entry.context, entry.report, entry.entries["reset"]
    keep = None
    populations: Node | None = inner
    if isinstance(inner, MapNode):
        entries = report.mapping(inner, "'reset'", ("populations", "keep"), ("populations",))
        populations = entries.get("populations")
        keep = report.choice(entries.get("keep"), "keep of reset", ("learned",))
    names, some = _reset_ones(context, populations)
    if populations is not None and not report.items(populations, "") and not isinstance(populations, MapNode):
        report.add(
            populations, "'reset' names no population; list those that it is for, such as [NAME], or leave it out"
        )
    return Reset(populations=names, keep_learned=keep is not None, some=some, place=entry.node.place)


def _reset_ones(context: Context, node: Node | None) -> tuple[tuple[str, ...], tuple[tuple[str, Part], ...]]:
    """The populations that are reset whole, and those of which some neurons are."""
    whole, some = list[str](), list[tuple[str, Part]]()
    for item in context.report.items(node, "the list of populations"):
        name, part = context.neurons(item, "'reset'")
        if name in whole or name in dict(some):
            context.report.add(item, f"the population '{name}' is listed twice; keep one")
        elif name is not None and part is None:
            whole.append(name)
        elif name is not None and part is not None:
            some.append((name, part))
    return tuple(whole), tuple(some)


def _written_reset(item: Reset) -> dict[str, Any]:
    names = [*item.populations, *(named(name, part) for name, part in item.some)]
    return {"reset": {"populations": names, "keep": "learned"} if item.keep_learned else names}


def _measure(entry: _Entry) -> Measure:
    names = entry.names("measure", "metric", list(entry.context.metrics))
    return Measure(metrics=names, place=entry.node.place)


def _written_measure(item: Measure) -> dict[str, Any]:
    return {"measure": list(item.metrics)}


def _capture(entry: _Entry) -> Capture | None:
    context, report, inner = entry.context, entry.report, entry.entries["capture"]
    if not isinstance(inner, MapNode) or not inner.entries:
        report.add(inner, f"'capture' must be a mapping from patterns to samples readouts; found {found(inner)}")
        return None
    patterns = [name for name, item in context.stimuli.items() if item is None or isinstance(item, Patterns)]
    readouts = [name for name, item in context.readouts.items() if item is None or isinstance(item, Samples)]
    rows: list[tuple[str, str]] = []
    for key, at, value in inner.values():
        name = report.reference(value, "samples readout", readouts)
        if key not in patterns:
            report.unknown(at, "patterns", key, patterns)
            continue
        readout = context.readouts.get(name or "")
        if isinstance(readout, Samples) and read_metrics.rows_fit(context, at, "capture", key, readout):
            rows.append((key, readout.name))
    return Capture(rows=tuple(rows), place=entry.node.place)


def _written_capture(item: Capture) -> dict[str, Any]:
    return {"capture": dict(item.rows)}


def _anneal(entry: _Entry) -> Anneal | None:
    context, report, inner = entry.context, entry.report, entry.entries["anneal"]
    keys = ("parameter", "by", "when", "patience")
    entries = report.mapping(inner, "'anneal'", keys, keys[:3])
    parameters: list[str] = []
    for item in report.items(entries.get("parameter"), "parameter of anneal"):
        text = report.text(item, "parameter of anneal")
        for owner, parameter in [] if text is None else _dynamic(context, item, "parameter of anneal", text):
            if parameter.type == "int":
                name = f"parameter '{parameter.name}' of {label(owner)}"
                report.add(item, f"{name} is a whole number and cannot be multiplied by a factor; use 'set'")
            elif text is not None and text not in parameters:
                parameters.append(text)
    by = report.number(entries.get("by"), "by of anneal", 0)
    when = report.reference(entries.get("when"), "metric", list(context.metrics))
    metric = context.metrics.get(when or "")
    if metric is not None and not metric.one_number:
        report.add(entries["when"], f"when of anneal needs a metric that is one number, and '{when}' is a list")
    patience = report.integer(entries.get("patience"), "patience of anneal", 0, MAX_COUNT)
    if by is None or when is None:
        return None
    return Anneal(parameters=tuple(parameters), by=by, when=when, patience=patience or 0, place=entry.node.place)


def _written_anneal(item: Anneal) -> dict[str, Any]:
    inner = {"parameter": list(item.parameters), "by": item.by, "when": item.when, "patience": item.patience}
    return {"anneal": inner}


def check_readouts(context: Context, items: tuple[Item, ...]) -> None:
    """Whether every samples readout finds steps to sample and what its metrics compare with, where it is active."""
    if context.dt is None:
        return
    for item in walk(items):
        if not isinstance(item, Run | Present):
            continue
        for name in item.readouts:
            readout = context.readouts.get(name)
            if isinstance(readout, Samples):
                _check_steps(context, item, readout)
                for metric in context.metrics.values():
                    if metric is not None and name in metric.readouts:
                        read_metrics.check_shown(context, item, metric)
        for metric in context.metrics.values():
            if metric is not None:
                read_metrics.check_together(context, item, metric)


def _check_steps(context: Context, item: Run | Present, readout: Samples) -> None:
    if isinstance(item, Run):
        what, length = "a run", item.duration
    else:
        shown = context.stimuli.get(item.patterns)
        if not isinstance(shown, Patterns) or shown.hold is None:
            return
        what, length = f"a pattern of '{item.patterns}'", shown.hold
    steps = units.convert(length, "step", context.dt)
    for word, time in (("from", readout.start), ("to", readout.stop)):
        if time is None:
            continue
        at = units.convert(time, "step", context.dt)
        if at > steps - (word == "from"):
            text = f"{word} of readout '{readout.name}' is {units.show(time)}, and {what} lasts {units.show(length)}"
            context.report.add(item.place, f"{text}; change one of the two")


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


ITEMS: dict[str, _Form[Any]] = {
    "repeat": _Form(Repeat, ("repeat", "as", "do"), _repeat, _written_repeat),
    "run": _Form(Run, ("run", "readout"), _run, _written_run),
    "present": _Form(Present, ("present", "count", "take", "readout", "each"), _present, _written_present),
    "if": _Form(If, ("if", "then", "else"), _if, _written_if),
    "event": _Form(Trigger, ("event",), _event, _written_event),
    "set": _Form(Set, ("set",), _set, _written_set),
    "reset": _Form(Reset, ("reset",), _reset, _written_reset),
    "measure": _Form(Measure, ("measure",), _measure, _written_measure),
    "capture": _Form(Capture, ("capture",), _capture, _written_capture),
    "anneal": _Form(Anneal, ("anneal",), _anneal, _written_anneal),
}
