"""Populations and projections out of YAML nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from neuroport.errors import Place
from neuroport.files import values as read_values
from neuroport.files.context import Context, input_of
from neuroport.files.overrides import KEYS
from neuroport.files.values import Fits, Rows, Shape, Slot
from neuroport.language import check as language
from neuroport.network.model import Input, Parameter, SpikeTrace, State, SynapseModel
from neuroport.network.objects import Connect, Population, Projection, Twin
from neuroport.network.units import quoted, suggestion
from neuroport.network.values import Frozen, Quantity, Value
from neuroport.yaml.fields import found, listing
from neuroport.yaml.nodes import MapNode, Node, ScalarNode

MAX_SIZE = 10**12
CONNECT = ("all_to_all", "one_to_one", "fixed_probability", "fixed_in_degree", "pairs", "file")

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
    initial = settings.initial(entries.get("init"), model.states, dict(ranges))
    settings.defaults(entries.get("ranges"), model.states, dict(ranges), {key for key, _ in initial})
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


def projection(context: Context, name: str, at: Node, node: Node) -> Projection | None:
    """One projection, or None with its problems in the report."""
    report = context.report
    before = len(report.problems)
    what = f"projection '{name}'"
    entries = report.mapping(node, what, KEYS["projections"], ("source", "target", "synapse", "connect"))
    source_name = report.reference(entries.get("source"), "population", context.populations)
    target_name = report.reference(entries.get("target"), "population", context.populations)
    source = context.populations.get(source_name or "")
    target = context.populations.get(target_name or "")
    model_name = report.name(entries.get("synapse"), f"synapse of {what}")
    model = context.library.synapse(report, model_name, entries["synapse"]) if model_name else None
    delay = read_values.duration(report, entries.get("delay"), f"delay of {what}", context.dt, 1)
    input_name = input_of(context, entries.get("input"), at, what, target) if target else None
    connect = _connect(context, entries.get("connect"), what, source, target)
    slot = Slot(
        f"dendritic_delay of {what}",
        "step",
        range=(0, float("inf")),
        dt=context.dt,
        fits=_per_synapse(source, target, connect),
        folder=context.folder,
    )
    dendritic = read_values.value(report, entries.get("dendritic_delay"), slot)
    mismatch = report.boolean(entries.get("mismatch"), f"mismatch of {what}")
    if model is None:
        return None
    twin = _twin(context, entries.get("twin"), at, what, model)
    settings = _Settings(context, what, _per_synapse(source, target, connect))
    ranges = settings.ranges(entries.get("ranges"), (*model.states, *model.traces, *model.parameters), "variable")
    parameters = settings.parameters(entries.get("params"), at, model.parameters, dict(ranges))
    initial = settings.initial(entries.get("init"), model.states, dict(ranges))
    state = model.weight
    weight_slot = settings.slot(f"weight of {what}", state, dict(ranges))
    weight = read_values.value(report, entries.get("weight"), weight_slot)
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
        mismatch=mismatch is not False,
        place=at.place,
    )


def _twin(context: Context, node: Node | None, at: Node, what: str, model: SynapseModel) -> Twin | None:
    report, read = context.report, language.twin_read(model)
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
    return Twin(of=name, transposed=bool(transposed), place=of.place if of else None) if name else None


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
    populations = [context.populations[end] for end in (item.source, item.target, other.source, other.target)]
    sizes = tuple(population.size if population else 0 for population in populations)
    own, its = sizes[:2], sizes[2:]
    wanted = (own[::-1],) if twin.transposed else (own, own[::-1])
    if its not in wanted:
        text = f"twin of projection '{item.name}' must lead between populations of the same sizes"
        text += f", {' or '.join(dict.fromkeys(f'{pair[0]} to {pair[1]}' for pair in wanted))}"
        text += f"; '{other.name}' leads from {its[0]} neurons to {its[1]}; name a projection that fits"
        context.report.add(twin.place, text)


class _Settings:
    """params, init and ranges of one object."""

    def __init__(self, context: Context, what: str, fits: Fits) -> None:
        self.context = context
        self.report = context.report
        self.what = what
        self.fits = fits

    def slot(self, what: str, declared: Parameter | State, ranges: dict[str, tuple[float, float]]) -> Slot:
        """What a value of this parameter or variable may be."""
        span = ranges.get(declared.name, declared.range)
        context = self.context
        targets = context.target_sizes()
        return Slot(what, declared.unit, declared.type, span, context.dt, self.fits, targets, context.folder)

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
            value = read_values.value(self.report, inner, slot)
            if value is not None:
                result[name] = value
        for parameter in declared:
            if parameter.default is None and parameter.name not in mentioned:
                self.report.add(
                    at, f"{self.what} lacks parameter '{parameter.name}', which has no default; add it to 'params'"
                )
        return tuple((name, result[name]) for name in known if name in result)

    def initial(
        self, node: Node | None, declared: Sequence[State], ranges: dict[str, tuple[float, float]]
    ) -> tuple[Pair, ...]:
        """Initial values, in the order of the model."""
        known = {state.name: state for state in declared}
        result: dict[str, Value] = {}
        for name, key, inner in self.report.named(node, f"init of {self.what}", "values"):
            if name not in known:
                self._unknown(key, "variable", name, known)
                continue
            slot = self.slot(f"initial '{name}' of {self.what}", known[name], ranges)
            value = read_values.value(self.report, inner, slot)
            if value is not None:
                result[name] = value
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
            span = read_values.interval(self.report, inner, f"range of '{name}' of {self.what}", unit, self.context.dt)
            if span is not None:
                result[name] = span
        return tuple((name, result[name]) for name in known if name in result)

    def defaults(
        self, node: Node | None, declared: Sequence[State], ranges: dict[str, tuple[float, float]], given: set[str]
    ) -> None:
        """Check the model's own initial values against ranges that replace the model's."""
        for state in declared:
            if state.name in ranges and state.name not in given and isinstance(state.init, Quantity):
                slot = self.slot(f"initial '{state.name}' of {self.what}, from the model,", state, ranges)
                wrong = read_values.in_slot(state.init, slot)
                entry = node.get(state.name) if isinstance(node, MapNode) else None
                if wrong:
                    self.report.add(entry, wrong)

    def _unknown(self, at: Node | Place, what: str, name: str, known: Iterable[str]) -> None:
        names = list(known)
        hint = suggestion(name, names)
        self.report.add(at, f"{self.what} has no {what} {quoted(name)}; {hint}{listing(names)}")


def _per_neuron(size: int | None) -> Fits:
    def fits(shape: Shape, rows: Rows) -> str:
        return "" if size is None or shape == (size,) else f"({size},), one value per neuron"

    return fits


def _per_synapse(source: Population | None, target: Population | None, connect: Connect | None) -> Fits:
    """Arrays of synapses: a matrix of all pairs, or one value per pair when the pairs have an order."""

    def fits(shape: Shape, rows: Rows) -> str:
        if source is None or target is None or connect is None:
            return ""
        matrix = (source.size, target.size) if rows == "source" else (target.size, source.size)
        text = f"{matrix}, one row per {rows} neuron"
        count: int | None = None
        if connect.kind == "one_to_one":
            count = source.size
        elif connect.pairs is not None:
            count = len(connect.pairs.array)
        elif connect.kind == "file" and len(shape) == 1:
            return ""
        if shape == matrix or (count is not None and shape == (count,)):
            return ""
        return text if count is None else f"{text}, or ({count},), one value per pair"

    return fits


def _connect(
    context: Context, node: Node | None, what: str, source: Population | None, target: Population | None
) -> Connect | None:
    report = context.report
    this = f"connect of {what}"
    if node is None:
        return None
    kind: str | None
    inner: Node | None = None
    if isinstance(node, MapNode):
        keys = [key for key in node.entries if key in CONNECT]
        if len(keys) != 1:
            report.add(node, f"{this} must have one of the keys {', '.join(CONNECT)}; found {found(node)}")
            return None
        kind = keys[0]
        allowed = ("file", "dataset") if kind == "file" else (kind,)
        entries = report.mapping(node, this, allowed, allowed)
        if kind == "file":
            return _connect_file(context, node, entries, this)
        inner = entries[kind]
    else:
        kind = report.choice(node, this, CONNECT)
    if kind is None:
        return None
    if kind == "pairs":
        return _connect_pairs(context, node, inner, what, source, target)
    argument = {"fixed_probability": "p", "fixed_in_degree": "degree"}.get(kind)
    keys_allowed: tuple[str, ...] = ("self",) if argument is None else (argument, "self")
    if kind == "one_to_one":
        keys_allowed = ()
    number: Node | None = None
    self_node: Node | None = None
    if isinstance(inner, MapNode):
        entries = report.mapping(inner, f"{kind} of {what}", keys_allowed, [argument] if argument else [])
        number = entries.get(argument) if argument else None
        self_node = entries.get("self")
        if argument and number is None:
            return None
    elif argument:
        number = inner
        if number is None:
            report.add(node, f"{this} must say how many: write '{kind}: NUMBER'")
            return None
    elif inner is not None and not (isinstance(inner, ScalarNode) and inner.value is None):
        report.add(inner, f"{kind} of {what} must be alone or a mapping with the key self; found {found(inner)}")
        return None
    own = True
    if self_node is not None:
        own = report.boolean(self_node, f"self of {this}") is not False
        if source and target and source.name != target.name:
            report.add(self_node, f"self of {this} has no meaning between two populations; leave it out")
    return _connect_rule(context, node, kind, number, what, source, target, own)


def _connect_rule(
    context: Context,
    node: Node,
    kind: str,
    number: Node | None,
    what: str,
    source: Population | None,
    target: Population | None,
    own: bool,
) -> Connect | None:
    report = context.report
    place = node.place
    if kind == "fixed_probability":
        probability = report.number(number, f"probability of {what}", 0, 1)
        if probability is None:
            return None
        return Connect(kind="fixed_probability", probability=probability, self_connections=own, place=place)
    if kind == "fixed_in_degree":
        degree = report.integer(number, f"degree of {what}", 0, MAX_SIZE)
        if degree is None:
            return None
        most = (source.size - (not own)) if source else degree
        if degree > most:
            others = "other neurons" if not own else "neurons"
            report.add(number, f"degree of {what} must be at most {most}, the {others} of its source; found {degree}")
            return None
        return Connect(kind="fixed_in_degree", degree=degree, self_connections=own, place=place)
    if kind == "one_to_one":
        if source and target and source.size != target.size:
            report.add(
                node, f"one_to_one of {what} needs populations of equal size; found {source.size} and {target.size}"
            )
            return None
        return Connect(kind="one_to_one", place=place)
    return Connect(kind="all_to_all", self_connections=own, place=place)


def _connect_pairs(
    context: Context,
    node: Node,
    inner: Node | None,
    what: str,
    source: Population | None,
    target: Population | None,
) -> Connect | None:
    report = context.report
    this = f"pairs of {what}"
    if inner is None:
        report.add(node, f"connect of {what} must list its pairs: write 'pairs: [[0, 1], [1, 0]]'")
        return None

    def fits(shape: Shape, rows: Rows) -> str:
        return "" if len(shape) == 2 and shape[1] == 2 else "(n, 2), rows of source and target"

    result = read_values.array(
        report, inner, Slot(this, type="int", fits=fits, folder=context.folder), "", "source", node.place
    )
    if result is None or source is None or target is None:
        return None
    pairs = result.values.array
    for column, owner in ((0, source), (1, target)):
        bad = np.flatnonzero((pairs[:, column] < 0) | (pairs[:, column] >= owner.size))
        if len(bad):
            index = int(bad[0])
            pair = pairs[index].tolist()
            text = f"{this}: {pair} at {index} is outside of population '{owner.name}', "
            text += f"whose neurons are 0 to {owner.size - 1}"
            report.add(inner, text)
            return None
    return Connect(kind="pairs", pairs=Frozen(pairs.astype(np.int64)), place=node.place)


def _connect_file(context: Context, node: Node, entries: dict[str, Node], this: str) -> Connect | None:
    report = context.report
    name = report.text(entries.get("file"), f"the file of {this}")
    dataset = report.text(entries.get("dataset"), f"the data set of {this}")
    if name is None or dataset is None:
        return None
    shape = read_values.stored_shape(report, entries["file"], Slot(this, folder=context.folder), name, dataset)
    if shape is None:
        return None
    if len(shape) != 2 or shape[1] != 2:
        report.add(entries["dataset"], f"{this} has the shape {shape}; it must be (n, 2), rows of source and target")
        return None
    return Connect(kind="file", file=name, dataset=dataset, place=node.place)
