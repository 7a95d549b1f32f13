"""Neuron and synapse models, read out of YAML nodes and written. Syntax of the texts inside: neuroport/language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from neuroport.errors import Problem
from neuroport.files.based import based
from neuroport.language import check as language
from neuroport.language.syntax import parse_block, parse_expression
from neuroport.network.model import (
    Block,
    Expression,
    Input,
    Modulator,
    NeuronModel,
    Parameter,
    SpikeTrace,
    State,
    SynapseModel,
)
from neuroport.network.values import Value
from neuroport.numerics import units
from neuroport.numerics.units import Quantity
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import Report, found
from neuroport.yaml.nodes import Node, ScalarNode
from neuroport.yaml.quantities import interval, whole_interval, written_interval
from neuroport.yaml.slots import Slot
from neuroport.yaml.text import Code, filled
from neuroport.yaml.values import value, written_value

NEURON_KEYS = (
    *("base", "title", "source", "notice", "equations", "params", "derived", "inputs", "state"),
    *("update", "spike", "spike_count", "on_spike", "after", "on_event"),
)
SYNAPSE_KEYS = (
    *("base", "title", "source", "notice", "equations", "params", "derived", "traces", "modulators", "state"),
    *("step", "on_pre", "on_post", "on_event"),
)
_PARAMETER_KEYS = ("type", "default", "unit", "range", "kind", "dynamic")
_STATE_KEYS = ("type", "init", "unit", "range", "class", "kind", "weight", "over_copies")
_SYNAPSE_STATE_KEYS = (*_STATE_KEYS, "over_kernel")
_INPUT_KEYS = ("type", "unit", "range", "reduce")
_REDUCE = ("sum", "max")
_MODULATOR_KEYS = ("type", "unit")
_TRACE_KEYS = ("of", "decay", "increment", "mode", "range")
_TYPES = ("real", "int")
_Model = TypeVar("_Model", NeuronModel, SynapseModel)
_Check = Callable[[_Model], tuple[Problem, ...]]
_SHARING = ("own", "shared")
_CLASSES = ("weight", "plastic", "trace", "accumulator", "state")


def neuron(
    report: Report, name: str, at: Node, node: Node, dt: Quantity | None, base: NeuronModel | None = None
) -> NeuronModel | None:
    """The neuron model that a mapping describes, built on a base, or None with its problems in the report."""
    before = len(report.problems)
    what = f"neuron model '{name}'"
    entries = report.mapping(node, what, NEURON_KEYS)
    spike, count = _spike(report, entries, what)
    model = NeuronModel(
        name=name,
        title=_prose(report, entries.get("title"), f"title of {what}"),
        source=_prose(report, entries.get("source"), f"source of {what}"),
        notice=_prose(report, entries.get("notice"), f"notice of {what}"),
        equations=_prose(report, entries.get("equations"), f"equations of {what}"),
        parameters=_parameters(report, entries.get("params"), what, dt),
        derived=_derived(report, entries.get("derived"), what),
        inputs=_inputs(report, entries.get("inputs"), what, dt),
        states=_states(report, entries.get("state"), what, dt),
        update=_block(report, entries.get("update"), f"update of {what}"),
        spike=spike,
        spike_count=count,
        on_spike=_block(report, entries.get("on_spike"), f"on_spike of {what}"),
        after=_block(report, entries.get("after"), f"after of {what}"),
        on_event=_events(report, entries.get("on_event"), what),
        place=at.place,
    )
    return _checked(report, before, model, base, language.check_neuron)


def _spike(report: Report, entries: Mapping[str, Node], what: str) -> tuple[Expression | None, str]:
    """When a neuron spikes, and the variable that counts its spikes of a step."""
    counted = entries.get("spike_count")
    if counted is None:
        return _expression(report, entries.get("spike"), f"spike of {what}"), ""
    name = report.name(counted, f"spike_count of {what}") or ""
    if "spike" in entries:
        text = f"{what} has a spike_count, and so spikes where that is above 0; leave out `spike`"
        report.add(entries["spike"], text)
    return parse_expression(f"{name or 0} > 0", counted.place)[0], name


def written_neuron(model: NeuronModel, sink: Sink) -> dict[str, Any]:
    """A neuron model as it stands in a file."""
    spike = None if model.spike_count else model.spike
    blocks = {"update": model.update, "spike": spike, "on_spike": model.on_spike, "after": model.after}
    return {
        **_written_texts(model),
        **filled("params", {item.name: _written_parameter(item, model.name, sink) for item in model.parameters}),
        **filled("derived", _written_derived(model)),
        **filled("inputs", {item.name: _written_input(item) for item in model.inputs}),
        **filled("state", {item.name: _written_state(item, model.name, sink) for item in model.states}),
        **_written_blocks(blocks),
        **({"spike_count": model.spike_count} if model.spike_count else {}),
        **filled("on_event", _written_events(model)),
    }


def synapse(
    report: Report, name: str, at: Node, node: Node, dt: Quantity | None, base: SynapseModel | None = None
) -> SynapseModel | None:
    """The synapse model that a mapping describes, built on a base, or None with its problems in the report."""
    before = len(report.problems)
    what = f"synapse model '{name}'"
    entries = report.mapping(node, what, SYNAPSE_KEYS)
    model = SynapseModel(
        name=name,
        title=_prose(report, entries.get("title"), f"title of {what}"),
        source=_prose(report, entries.get("source"), f"source of {what}"),
        notice=_prose(report, entries.get("notice"), f"notice of {what}"),
        equations=_prose(report, entries.get("equations"), f"equations of {what}"),
        parameters=_parameters(report, entries.get("params"), what, dt),
        derived=_derived(report, entries.get("derived"), what),
        states=_states(report, entries.get("state"), what, dt, _SYNAPSE_STATE_KEYS),
        traces=_traces(report, entries.get("traces"), what),
        modulators=_modulators(report, entries.get("modulators"), what, dt),
        step=_block(report, entries.get("step"), f"step of {what}"),
        on_pre=_block(report, entries.get("on_pre"), f"on_pre of {what}"),
        on_post=_block(report, entries.get("on_post"), f"on_post of {what}"),
        on_event=_events(report, entries.get("on_event"), what),
        place=at.place,
    )
    return _checked(report, before, model, base, language.check_synapse)


def written_synapse(model: SynapseModel, sink: Sink) -> dict[str, Any]:
    """A synapse model as it stands in a file."""
    blocks = {"step": model.step, "on_pre": model.on_pre, "on_post": model.on_post}
    return {
        **_written_texts(model),
        **filled("params", {item.name: _written_parameter(item, model.name, sink) for item in model.parameters}),
        **filled("derived", _written_derived(model)),
        **filled("traces", {item.name: _written_trace(item) for item in model.traces}),
        **filled("modulators", {item.name: _written_declared(item) for item in model.modulators}),
        **filled("state", {item.name: _written_state(item, model.name, sink) for item in model.states}),
        **_written_blocks(blocks),
        **filled("on_event", _written_events(model)),
    }


def _checked(report: Report, before: int, model: _Model, base: _Model | None, check: _Check[_Model]) -> _Model | None:
    """The model with what its base has, if it has no problems, those of its texts included."""
    model = model if base is None else based(model, base)
    if len(report.problems) == before:
        report.extend(check(model))
    return model if len(report.problems) == before else None


def _parameters(report: Report, node: Node | None, what: str, dt: Quantity | None) -> tuple[Parameter, ...]:
    result = []
    for name, at, inner in report.named(node, f"params of {what}", "parameters"):
        this = f"parameter '{name}' of {what}"
        entries = report.mapping(inner, this, _PARAMETER_KEYS)
        common = _common(report, entries, this, dt)
        dynamic = report.boolean(entries.get("dynamic"), f"dynamic of {this}") or False
        if dynamic and "range" not in entries:
            report.add(at, f"{this} is dynamic and lacks a range; add 'range: [low, high]'")
        default = _own(report, entries.get("default"), f"default of {this}", common, dt)
        kind = report.name(entries.get("kind"), f"kind of {this}") or ""
        result.append(Parameter(name=name, default=default, dynamic=dynamic, place=at.place, kind=kind, **common))
    return tuple(result)


def _own(report: Report, node: Node | None, what: str, common: dict[str, Any], dt: Quantity | None) -> Value | None:
    """A value that a model has by itself. Whether a time is a whole number of steps is asked where it is used."""
    known = None if isinstance(node, ScalarNode) else dt
    return value(report, node, Slot(what, units.of_values(common["unit"]), common["type"], common["range"], known))


def _written_parameter(item: Parameter, model: str, sink: Sink) -> dict[str, Any]:
    result = _written_common(item)
    if item.default is not None:
        result["default"] = written_value(item.default, sink, f"models/{model}/{item.name}")
    if item.kind:
        result["kind"] = item.kind
    if item.dynamic:
        result["dynamic"] = True
    return result


def _states(
    report: Report, node: Node | None, what: str, dt: Quantity | None, keys: Sequence[str] = _STATE_KEYS
) -> tuple[State, ...]:
    result = []
    for name, at, inner in report.named(node, f"state of {what}", "variables"):
        this = f"variable '{name}' of {what}"
        entries = report.mapping(inner, this, keys)
        common = _common(report, entries, this, dt)
        weight = report.boolean(entries.get("weight"), f"weight of {this}") or False
        over_copies: Any = report.choice(entries.get("over_copies"), f"over_copies of {this}", _SHARING)
        over_kernel: Any = report.choice(entries.get("over_kernel"), f"over_kernel of {this}", _SHARING)
        variable_class: Any = report.choice(entries.get("class"), f"class of {this}", _CLASSES)
        result.append(
            State(
                name=name,
                init=_own(report, entries.get("init"), f"init of {this}", common, dt),
                variable_class=variable_class or ("weight" if weight else "state"),
                kind=report.name(entries.get("kind"), f"kind of {this}") or "",
                weight=weight,
                over_copies=over_copies or "own",
                over_kernel=over_kernel or "own",
                place=at.place,
                **common,
            )
        )
    return tuple(result)


def _written_state(item: State, model: str, sink: Sink) -> dict[str, Any]:
    result = _written_common(item)
    if item.init is not None:
        result["init"] = written_value(item.init, sink, f"models/{model}/{item.name}")
    if item.variable_class != ("weight" if item.weight else "state"):
        result["class"] = item.variable_class
    if item.kind:
        result["kind"] = item.kind
    if item.weight:
        result["weight"] = True
    if item.over_copies != "own":
        result["over_copies"] = item.over_copies
    if item.over_kernel != "own":
        result["over_kernel"] = item.over_kernel
    return result


def _inputs(report: Report, node: Node | None, what: str, dt: Quantity | None) -> tuple[Input, ...]:
    result = []
    for name, at, inner in report.named(node, f"inputs of {what}", "inputs"):
        this = f"input '{name}' of {what}"
        entries = report.mapping(inner, this, _INPUT_KEYS)
        reduce: Any = report.choice(entries.get("reduce"), f"reduce of {this}", _REDUCE) or "sum"
        result.append(Input(name=name, reduce=reduce, place=at.place, **_common(report, entries, this, dt)))
    return tuple(result)


def _written_input(item: Input) -> dict[str, Any]:
    return _written_common(item) | ({} if item.reduce == "sum" else {"reduce": item.reduce})


def _traces(report: Report, node: Node | None, what: str) -> tuple[SpikeTrace, ...]:
    result = []
    for name, at, inner in report.named(node, f"traces of {what}", "traces"):
        this = f"trace '{name}' of {what}"
        entries = report.mapping(inner, this, _TRACE_KEYS, ("of", "decay"))
        side: Any = report.choice(entries.get("of"), f"of in {this}", ("pre", "post")) or "pre"
        mode: Any = report.choice(entries.get("mode"), f"mode of {this}", ("add", "set")) or "add"
        decay = _expression(report, entries.get("decay"), f"decay of {this}") or Expression("0")
        increment = _expression(report, entries.get("increment"), f"increment of {this}")
        if increment is None:
            increment, _ = parse_expression("1", at.place)
        trace_range = interval(report, entries.get("range"), f"range of {this}", "", None)
        trace = SpikeTrace(
            name=name, side=side, decay=decay, increment=increment, mode=mode, range=trace_range, place=at.place
        )
        result.append(trace)
    return tuple(result)


def _written_trace(item: SpikeTrace) -> dict[str, Any]:
    result: dict[str, Any] = {"of": item.side, "decay": Code(item.decay.text), "increment": Code(item.increment.text)}
    if item.mode != "add":
        result["mode"] = item.mode
    if item.range is not None:
        result["range"] = written_interval(item.range)
    return result


def _modulators(report: Report, node: Node | None, what: str, dt: Quantity | None) -> tuple[Modulator, ...]:
    result = []
    for name, at, inner in report.named(node, f"modulators of {what}", "modulators"):
        this = f"modulator '{name}' of {what}"
        common = _common(report, report.mapping(inner, this, _MODULATOR_KEYS), this, dt)
        result.append(Modulator(name=name, type=common["type"], unit=common["unit"], place=at.place))
    return tuple(result)


def _common(report: Report, entries: dict[str, Node], what: str, dt: Quantity | None) -> dict[str, Any]:
    """type, unit and range, which parameters, variables and inputs share."""
    unit = report.text(entries.get("unit"), f"unit of {what}") or ""
    try:
        units.check(unit)
    except units.UnitError as error:
        report.add(entries["unit"], f"unit of {what}: {error}")
        unit = ""
    unit = "step" if units.is_step(unit) else unit
    kind: Any = report.choice(entries.get("type"), f"type of {what}", _TYPES) or "real"
    span = interval(report, entries.get("range"), f"range of {what}", unit, dt)
    if kind == "int" and span:
        whole_interval(report, entries["range"], f"range of {what}", span)
    return {"type": kind, "unit": unit, "range": span}


def _written_declared(item: Parameter | State | Input | Modulator) -> dict[str, Any]:
    """The type and the unit."""
    result: dict[str, Any] = {}
    if item.type != "real":
        result["type"] = item.type
    if item.unit:
        result["unit"] = item.unit
    return result


def _written_common(item: Parameter | State | Input) -> dict[str, Any]:
    result = _written_declared(item)
    if item.range is not None:
        result["range"] = written_interval(item.range)
    return result


def _derived(report: Report, node: Node | None, what: str) -> tuple[tuple[str, Expression], ...]:
    result = []
    for name, _, inner in report.named(node, f"derived of {what}", "expressions"):
        expression = _expression(report, inner, f"derived constant '{name}' of {what}")
        if expression is not None:
            result.append((name, expression))
    return tuple(result)


def _written_derived(model: NeuronModel | SynapseModel) -> dict[str, Code]:
    return {name: Code(item.text) for name, item in model.derived}


def _events(report: Report, node: Node | None, what: str) -> tuple[tuple[str, Block], ...]:
    entries = report.named(node, f"on_event of {what}", "statements")
    return tuple((name, _block(report, inner, f"on_event {name} of {what}")) for name, _, inner in entries)


def _written_events(model: NeuronModel | SynapseModel) -> dict[str, Code]:
    return {name: Code(block.text) for name, block in model.on_event}


def _block(report: Report, node: Node | None, what: str) -> Block:
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return Block("")
    if not isinstance(node, ScalarNode):
        report.add(node, f"{what} must be a text of statements; found {found(node)}")
        return Block("")
    block, problems = parse_block(node.text.lstrip("\n").rstrip(), node.text_place)
    report.extend(problems)
    return block


def _written_blocks(blocks: Mapping[str, Block | Expression | None]) -> dict[str, Code]:
    return {key: Code(block.text) for key, block in blocks.items() if block is not None and block.text}


def _expression(report: Report, node: Node | None, what: str) -> Expression | None:
    if node is None:
        return None
    if not isinstance(node, ScalarNode) or not node.text.strip():
        report.add(node, f"{what} must be an expression; found {found(node)}")
        return None
    return expression(report, node)


def expression(report: Report, node: ScalarNode) -> Expression:
    """The expression in a scalar; its tree is None when it has problems."""
    result, problems = parse_expression(node.text.strip(), node.text_place)
    report.extend(problems)
    return result


def _prose(report: Report, node: Node | None, what: str) -> str:
    return (report.text(node, what) or "").rstrip()


def _written_texts(model: NeuronModel | SynapseModel) -> dict[str, Code]:
    texts = {"title": model.title, "source": model.source, "notice": model.notice, "equations": model.equations}
    return {key: Code(text) for key, text in texts.items() if text}
