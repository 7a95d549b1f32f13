"""Populations and projections, read out of YAML nodes and written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import neuroport.connections as connections
from neuroport.connections import Entry, Side
from neuroport.connections.convolution import Convolution
from neuroport.errors import Place
from neuroport.files.context import Context, input_of
from neuroport.files.modulators import read_modulators
from neuroport.files.overrides import KEYS
from neuroport.files.weights import unit_of_weights, weight_of
from neuroport.language.blocks import only_sends, twin_read
from neuroport.language.counted import MOST as MOST_SPIKES
from neuroport.language.counted import countable
from neuroport.network.model import Input, NeuronModel, Parameter, SpikeTrace, State, SynapseModel
from neuroport.network.objects import Connect, Population, Projection, Twin
from neuroport.network.twins import leads_back
from neuroport.network.values import Value
from neuroport.numerics import units
from neuroport.numerics.units import Quantity, quoted, suggestion
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import Report, found, listing, meant
from neuroport.yaml.nodes import ListNode, MapNode, Node, ScalarNode
from neuroport.yaml.quantities import duration, interval, whole_interval, written_interval
from neuroport.yaml.slots import Fits, Rows, Shape, Slot, in_slot
from neuroport.yaml.text import filled
from neuroport.yaml.values import value, written_value

MAX_SIZE = 10**12

Pair = tuple[str, Value]
Range = tuple[str, tuple[float, float]]


def population(context: Context, name: str, at: Node, node: Node) -> Population | None:
    """One population, or None with its problems in the report."""
    report = context.report
    before = len(report.problems)
    what = f"population '{name}'"
    entries = report.mapping(node, what, KEYS["populations"], ("size", "neuron"))
    size = report.integer(entries.get("size"), f"size of {what}", 1, MAX_SIZE)
    mismatch = report.boolean(entries.get("mismatch"), f"mismatch of {what}")
    model_name = report.name(entries.get("neuron"), f"neuron of {what}")
    model = context.library.neuron(report, model_name, entries["neuron"]) if model_name else None
    if model is None:
        return None
    settings = _Settings(context, what, _per_neuron(size))
    ranges = settings.ranges(entries.get("ranges"), (*model.states, *model.inputs, *model.parameters), "variable")
    parameters = settings.parameters(entries.get("params"), at, model.parameters, dict(ranges))
    initial = settings.initial(entries.get("init"), at, model.states, dict(ranges))
    settings.defaults(entries.get("ranges"), model.states, dict(ranges), {key for key, _ in initial})
    _check_count(context, entries.get("ranges"), what, model, dict(ranges))
    if size is None or len(report.problems) > before:
        return None
    return Population(
        name=name,
        size=size,
        neuron=model,
        parameters=parameters,
        initial=initial,
        ranges=ranges,
        mismatch=mismatch is not False,
        place=at.place,
    )


def _check_count(
    context: Context, node: Node | None, what: str, model: NeuronModel, ranges: dict[str, tuple[float, float]]
) -> None:
    """Whether a range that replaces that of what counts spikes is one of counts."""
    name = model.spike_count
    if name in ranges and not countable(ranges[name]):
        entry = node.get(name) if isinstance(node, MapNode) else None
        text = f"range of '{name}' of {what} is of a count of spikes, so it is from 0 up to {MOST_SPIKES} at most; "
        context.report.add(entry, f"{text}write one such as [0, 15]")


def written_population(item: Population, sink: Sink) -> dict[str, Any]:
    """A population as it stands in a file."""
    return {"size": item.size, "neuron": item.neuron.name, **_written_settings(item, sink, f"populations/{item.name}")}


def projection(context: Context, name: str, at: Node, node: Node) -> Projection | None:
    """One projection, or None with its problems in the report."""
    report = context.report
    before = len(report.problems)
    what = f"projection '{name}'"
    entries = report.mapping(node, what, KEYS["projections"], ("source", "target", "synapse", "connect"))
    source_name, source = context.side(entries.get("source"), f"source of {what}")
    target_name, target = context.side(entries.get("target"), f"target of {what}")
    onto = context.populations.get(target_name or "")
    model_name = report.name(entries.get("synapse"), f"synapse of {what}")
    model = context.library.synapse(report, model_name, entries["synapse"]) if model_name else None
    input_name = input_of(context, entries.get("input"), at, what, onto) if onto else None
    connect = _connect(context, entries.get("connect"), what, source, target)
    slot = Slot(
        f"dendritic_delay of {what}",
        "step",
        range=(0, float("inf")),
        dt=context.dt,
        fits=_per_synapse(source, target, connect),
        folder=context.folder,
    )
    dendritic = _delays(report, entries.get("dendritic_delay"), slot)
    delay = _delay(context, entries.get("delay"), what, model, slot)
    mismatch = report.boolean(entries.get("mismatch"), f"mismatch of {what}")
    if model is None:
        return None
    twin = _twin(context, entries.get("twin"), at, what, model)
    modulators = read_modulators(context, entries.get("modulators"), at, what, model)
    settings = _Settings(context, what, _per_synapse(source, target, connect), of_synapses=True)
    ranges = settings.ranges(entries.get("ranges"), (*model.states, *model.traces, *model.parameters), "variable")
    parameters = settings.parameters(entries.get("params"), at, model.parameters, dict(ranges))
    initial = settings.initial(entries.get("init"), at, model.states, dict(ranges))
    state = model.weight
    weight_slot = settings.slot(f"weight of {what}", state, dict(ranges))
    counts = unit_of_weights(model, onto.neuron, input_name) if onto and input_name else None
    weight = weight_of(report, entries.get("weight"), weight_slot, counts)
    given = {key for key, _ in initial}
    if "weight" in entries and state.name in given:
        report.add(entries["weight"], f"{what} gives its weight twice, as 'weight' and in 'init'; keep one of the two")
    if "weight" not in entries and state.name not in given and state.init is None:
        report.add(at, f"{what} lacks 'weight', and synapse model '{model.name}' has no initial weight; add it")
    settings.defaults(entries.get("ranges"), model.states, dict(ranges), given | ({state.name} if weight else set()))
    if len(report.problems) > before or not (source_name and target_name and input_name and connect):
        return None
    return Projection(
        name=name,
        source=source_name,
        target=target_name,
        synapse=model,
        input=input_name,
        connect=connect,
        delay=delay or Quantity(1, "step"),
        dendritic=dendritic,
        weight=weight,
        parameters=parameters,
        initial=initial,
        ranges=ranges,
        twin=twin,
        modulators=modulators,
        mismatch=mismatch is not False,
        source_part=source.part if source else None,
        target_part=target.part if target else None,
        place=at.place,
    )


def written_projection(item: Projection, sink: Sink) -> dict[str, Any]:
    """A projection as it stands in a file."""
    at = f"projections/{item.name}"
    source, target = item.ends
    result: dict[str, Any] = {"source": source, "target": target, "input": item.input}
    result |= {"synapse": item.synapse.name, "connect": _written_connect(item.connect, sink, at)}
    result["delay"] = written_value(item.delay, sink, f"{at}/delay")
    if item.dendritic is not None:
        result["dendritic_delay"] = written_value(item.dendritic, sink, f"{at}/dendritic_delay")
    if item.weight is not None:
        result["weight"] = written_value(item.weight, sink, f"{at}/weight")
    if item.twin is not None:
        result["twin"] = _written_twin(item.twin)
    if item.modulators:
        result["modulators"] = {name: f"{source.population}.{source.variable}" for name, source in item.modulators}
    return result | _written_settings(item, sink, at)


def _delay(context: Context, node: Node | None, what: str, model: SynapseModel | None, slot: Slot) -> Value | None:
    """The axonal delay: one for all, or one per synapse where it makes no difference when what is sent is formed."""
    report = context.report
    if not isinstance(node, MapNode | ListNode):
        return duration(report, node, f"delay of {what}", context.dt, 1)
    if model is not None and not only_sends(model):
        text = f"delay of {what} must be one time: synapse model '{model.name}' does more at a spike than send what a "
        report.add(node, f"{text}synapse holds; put what differs between synapses into 'dendritic_delay'")
        return None
    return _delays(report, node, replace(slot, what=f"delay of {what}", range=(1, float("inf"))))


def _delays(report: Report, node: Node | None, slot: Slot) -> Value | None:
    """Times of synapses, which no variable holds that they could be the same as."""
    if isinstance(node, MapNode) and "same_as" in node.entries:
        text = f"{slot.what} must be a time, a distribution or an array of times; found 'same_as', which takes the "
        report.add(node, f"{text}values of a variable, and a delay is none; write the times out")
        return None
    return value(report, node, slot)


def _twin(context: Context, node: Node | None, at: Node, what: str, model: SynapseModel) -> Twin | None:
    report, read = context.report, twin_read(model)
    if node is None:
        if read is not None:
            report.add(at, f"{what} lacks 'twin': synapse model '{model.name}' reads {read}; add 'twin: PROJECTION'")
        return None
    transposed: bool | None = None
    of: Node | None = node
    if isinstance(node, MapNode):
        entries = report.mapping(node, f"twin of {what}", ("of", "transposed"), ("of",))
        transposed = report.boolean(entries.get("transposed"), f"transposed of the twin of {what}")
        of = entries.get("of")
    name = report.name(of, f"twin of {what}")
    if read is None:
        text = f"twin of {what} has no meaning: synapse model '{model.name}' reads no twin.NAME; leave it out"
        report.add(node, text)
    return Twin(of=name, transposed=transposed, place=of.place if of else None) if name else None


def _written_twin(twin: Twin) -> Any:
    return twin.of if twin.transposed is None else {"of": twin.of, "transposed": twin.transposed}


def check_twins(context: Context) -> None:
    """Every twin must be another projection, between populations of the same sizes, and have what is read of it."""
    report, names = context.report, list(context.projections)
    for item in context.projections.values():
        if item is None or item.twin is None:
            continue
        what, of = f"twin of projection '{item.name}'", item.twin.of
        if of == item.name:
            text = f"{what} cannot be the projection itself: the result would depend on the order of its synapses"
            report.add(item.twin.place, f"{text}; name another projection")
        elif of not in names:
            others, where = [name for name in names if name != item.name], f" as {what}"
            report.unknown(item.twin.place, "projection", of, others, where)
        elif (other := context.projections[of]) is not None:
            _check_twin(context, item, item.twin, other)


def _check_twin(context: Context, item: Projection, twin: Twin, other: Projection) -> None:
    own, its = _sizes(context, item), _sizes(context, other)
    wanted = {True: (own[::-1],), False: (own,), None: (own, own[::-1])}[twin.transposed]
    if its in wanted and not isinstance(item.connect, Convolution) and leads_back(item, other, own, its) is None:
        text = f"twin of projection '{item.name}' may lead either way: '{twin.of}' joins as many neurons, all of other"
        text += f" populations; say which with 'twin: {{of: {twin.of}, transposed: true}}', or false"
        context.report.add(twin.place, text)
    if its not in wanted:
        text = f"twin of projection '{item.name}' must lead between populations of the same sizes"
        text += f", {' or '.join(dict.fromkeys(f'{pair[0]} to {pair[1]}' for pair in wanted))}"
        text += f"; '{other.name}' leads from {its[0]} neurons to {its[1]}; name a projection that fits"
        context.report.add(twin.place, text)


def _sizes(context: Context, item: Projection) -> tuple[int, int]:
    """How many neurons are at the ends of a projection."""
    source, target = context.populations[item.source], context.populations[item.target]
    return (
        Side.of(source, item.source_part).size if source else 0,
        Side.of(target, item.target_part).size if target else 0,
    )


class _Settings:
    """params, init and ranges of one object."""

    def __init__(self, context: Context, what: str, fits: Fits, of_synapses: bool = False) -> None:
        self.context = context
        self.report = context.report
        self.what = what
        self.fits = fits
        self.of_synapses = of_synapses

    def slot(self, what: str, declared: Parameter | State, ranges: dict[str, tuple[float, float]]) -> Slot:
        """What a value of this parameter or variable may be."""
        span = ranges.get(declared.name, declared.range)
        context = self.context
        targets = context.target_sizes()
        unit = units.of_values(declared.unit)
        more: dict[str, Any] = {"fits": self.fits, "targets": targets, "of_synapses": self.of_synapses}
        return Slot(what, unit, declared.type, span, context.dt, folder=context.folder, **more)

    def parameters(
        self, node: Node | None, at: Node, declared: Sequence[Parameter], ranges: dict[str, tuple[float, float]]
    ) -> tuple[Pair, ...]:
        """The values of parameters, in the order of the model."""
        known = {parameter.name: parameter for parameter in declared}
        result: dict[str, Value] = {}
        mentioned = set()
        for name, key, inner in self.report.named(node, f"params of {self.what}", "values"):
            mentioned.add(name)
            if name not in known:
                self._unknown(key, "parameter", name, known)
                continue
            slot = self.slot(f"parameter '{name}' of {self.what}", known[name], ranges)
            given = value(self.report, inner, slot)
            if given is not None:
                result[name] = given
        for parameter in declared:
            if parameter.default is None and parameter.name not in mentioned:
                self.report.add(
                    at, f"{self.what} lacks parameter '{parameter.name}', which has no default; add it to 'params'"
                )
            elif parameter.name not in mentioned:
                self._own_time(at, "parameter", parameter, parameter.default, ranges)
        return tuple((name, result[name]) for name in known if name in result)

    def _own_time(
        self,
        at: Node,
        what: str,
        declared: Parameter | State,
        own: Value | None,
        ranges: dict[str, tuple[float, float]],
    ) -> None:
        """Check that a time that the model has by itself is a number of steps in this network."""
        if isinstance(own, Quantity) and units.is_step(declared.unit) and not units.is_step(own.unit):
            section = "params" if isinstance(declared, Parameter) else "init"
            wrong = in_slot(
                own, self.slot(f"{what} '{declared.name}' of {self.what}, from the model,", declared, ranges)
            )
            if wrong:
                self.report.add(at, f"{wrong}; give another in '{section}'")

    def initial(
        self, node: Node | None, at: Node, declared: Sequence[State], ranges: dict[str, tuple[float, float]]
    ) -> tuple[Pair, ...]:
        """Initial values, in the order of the model."""
        known = {state.name: state for state in declared}
        result: dict[str, Value] = {}
        mentioned = set(ranges)
        for name, key, inner in self.report.named(node, f"init of {self.what}", "values"):
            mentioned.add(name)
            if name not in known:
                self._unknown(key, "variable", name, known)
                continue
            slot = self.slot(f"initial '{name}' of {self.what}", known[name], ranges)
            given = value(self.report, inner, slot)
            if given is not None:
                result[name] = given
        for state in declared:
            if state.name not in mentioned:
                self._own_time(at, "initial", state, state.init, ranges)
        return tuple((name, result[name]) for name in known if name in result)

    def ranges(
        self, node: Node | None, declared: Sequence[State | Parameter | Input | SpikeTrace], what: str
    ) -> tuple[Range, ...]:
        """Ranges that replace those of the model, in the order of the model."""
        known = {item.name: item for item in declared}
        result: dict[str, tuple[float, float]] = {}
        for name, key, inner in self.report.named(node, f"ranges of {self.what}", "ranges"):
            if name not in known:
                self._unknown(key, what, name, known)
                continue
            item = known[name]
            unit = "" if isinstance(item, SpikeTrace) else item.unit
            this = f"range of '{name}' of {self.what}"
            span = interval(self.report, inner, this, unit, self.context.dt)
            if span is not None:
                if not isinstance(item, SpikeTrace) and item.type == "int":
                    whole_interval(self.report, inner, this, span)
                result[name] = span
        return tuple((name, result[name]) for name in known if name in result)

    def defaults(
        self, node: Node | None, declared: Sequence[State], ranges: dict[str, tuple[float, float]], given: set[str]
    ) -> None:
        """Check the model's own initial values against ranges that replace the model's."""
        for state in declared:
            if state.name in ranges and state.name not in given and isinstance(state.init, Quantity):
                slot = self.slot(f"initial '{state.name}' of {self.what}, from the model,", state, ranges)
                wrong = in_slot(state.init, slot)
                entry = node.get(state.name) if isinstance(node, MapNode) else None
                if wrong:
                    self.report.add(entry, wrong)

    def _unknown(self, at: Node | Place, what: str, name: str, known: Iterable[str]) -> None:
        names = list(known)
        hint = suggestion(name, names)
        self.report.add(at, f"{self.what} has no {what} {quoted(name)}; {hint}{listing(names)}")


def _written_settings(item: Population | Projection, sink: Sink, at: str) -> dict[str, Any]:
    """params, init, ranges and mismatch."""
    parameters = {name: written_value(given, sink, f"{at}/params/{name}") for name, given in item.parameters}
    initial = {name: written_value(given, sink, f"{at}/init/{name}") for name, given in item.initial}
    return {
        **filled("params", parameters),
        **filled("init", initial),
        **filled("ranges", {name: written_interval(span) for name, span in item.ranges}),
        **({} if item.mismatch else {"mismatch": False}),
    }


def _per_neuron(size: int | None) -> Fits:
    def fits(shape: Shape, rows: Rows) -> str:
        return "" if size is None or shape == (size,) else f"({size},), one value per neuron"

    return fits


def _per_synapse(source: Side | None, target: Side | None, connect: Connect | None) -> Fits:
    """Arrays of synapses: a matrix of all pairs, or one value per pair when the pairs have an order."""

    def fits(shape: Shape, rows: Rows) -> str:
        if source is None or target is None or connect is None:
            return ""
        rule = connections.rule(connect)
        if rule.axes is not None:
            return _per_entry(shape, rule.axes(connect))
        count = rule.count(connect, (source.size, target.size))
        if rule.ordered and count is None and len(shape) == 1:
            return ""
        matrix = (source.size, target.size) if rows == "source" else (target.size, source.size)
        text = f"{matrix}, one row per {rows} neuron"
        if shape == matrix or (count is not None and shape == (count,)):
            return ""
        return text if count is None else f"{text}, or ({count},), one value per pair"

    return fits


def _per_entry(shape: Shape, axes: tuple[int, ...]) -> str:
    """Arrays of what synapses of a kernel share: as the kernel is, or one after the other."""
    if shape in (axes, (prod(axes),)):
        return ""
    return f"({prod(axes)},) or {axes}: height and width of the kernel, channels in of a group, channels out"


def _connect(
    context: Context, node: Node | None, what: str, source: Side | None, target: Side | None
) -> Connect | None:
    report, rules = context.report, connections.ALL
    this = f"connect of {what}"
    if node is None:
        return None
    key: str | None
    inner: Node | None = None
    if isinstance(node, MapNode):
        keys = [key for key in node.entries if key in rules]
        if len(keys) != 1:
            report.add(
                node,
                f"{this} must have one of the keys {', '.join(rules)}; found {found(node)}{meant(node, list(rules))}",
            )
            return None
        key = keys[0]
        inner = report.mapping(node, this, (key, *rules[key].beside))[key]
        inner = None if isinstance(inner, ScalarNode) and inner.value is None else inner
    else:
        key = report.choice(node, this, list(rules))
    if key is None:
        return None
    return rules[key].read(Entry(report, key, node, inner, what, source, target, context.folder))


def _written_connect(connect: Connect, sink: Sink, at: str) -> Any:
    return connections.rule(connect).write(connect, sink, at)
