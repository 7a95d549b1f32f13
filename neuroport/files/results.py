"""Readouts, metrics and recording out of YAML nodes."""

from __future__ import annotations

import ast
from typing import Any, get_args

from neuroport.files import models as read_model
from neuroport.files.context import Context
from neuroport.language.syntax import CALLS
from neuroport.network import units
from neuroport.network.objects import Population, Projection
from neuroport.network.results import Metric, MetricKind, Readout, Recording, Samples, StateHistogram, StateRecord
from neuroport.network.stimuli import Patterns
from neuroport.network.units import quoted
from neuroport.network.values import Quantity
from neuroport.yaml import quantities as read_values
from neuroport.yaml.fields import found
from neuroport.yaml.nodes import MapNode, Node, ScalarNode

METRICS = get_args(MetricKind)
OVER_ELEMENTS = ("mean", "sd", "min", "max", "values")
EFFECTIVE = ("asymmetry", "angle", "distance", *OVER_ELEMENTS)
MAX_UNITS = 20


def readout(context: Context, name: str, at: Node, node: Node) -> Readout | None:
    """One readout, or None with its problems in the report."""
    report = context.report
    what = f"readout '{name}'"
    outer = report.mapping(node, what, ("histogram", "samples"))
    if isinstance(node, MapNode) and len(outer) != 1 and len(node.entries) == len(outer):
        report.add(node, f"{what} must have one of the keys histogram, samples; found {', '.join(outer) or 'none'}")
    if len(outer) != 1:
        return None
    if "samples" in outer:
        return _samples(context, name, at, outer["samples"])
    return _histogram(context, name, at, outer["histogram"])


def _samples(context: Context, name: str, at: Node, node: Node) -> Samples | None:
    report = context.report
    before = len(report.problems)
    what = f"readout '{name}'"
    entries = report.mapping(node, f"samples of {what}", ("of", "every", "from", "to", "reduce"), ("of",))
    of = report.text(entries.get("of"), f"of of {what}")
    pair = None if of is None else context.variable(entries["of"], f"of of {what}", of)
    if pair is not None and not isinstance(pair[0], Population):
        report.add(entries["of"], f"{what} samples a variable of a population; {quoted(of or '')} is of a projection")
    every = read_values.duration(report, entries.get("every"), f"every of {what}", context.dt, 1)
    start = read_values.duration(report, entries.get("from"), f"from of {what}", context.dt, 0)
    stop = read_values.duration(report, entries.get("to"), f"to of {what}", context.dt, 1)
    reduce: Any = report.choice(entries.get("reduce"), f"reduce of {what}", ("mean", "sum", "last"))
    start = start or Quantity(0, "step")
    if stop is not None and context.dt is not None and len(report.problems) == before:
        ends = [units.convert(end, "step", context.dt) for end in (start, stop)]
        if ends[0] >= ends[1]:
            text = f"to of {what} must be after from; found {units.show(start)} and {units.show(stop)}"
            report.add(entries["to"], text)
    if of is None or pair is None or len(report.problems) > before:
        return None
    step = every or Quantity(1, "step")
    return Samples(name=name, of=of, every=step, start=start, stop=stop, reduce=reduce or "mean", place=at.place)


def _histogram(context: Context, name: str, at: Node, node: Node) -> StateHistogram | None:
    report = context.report
    before = len(report.problems)
    what = f"readout '{name}'"
    keys = ("population", "state", "every", "phase")
    entries = report.mapping(node, f"histogram of {what}", keys, keys[:3])
    population_name = report.reference(entries.get("population"), "population", context.populations)
    population = context.populations.get(population_name or "")
    every = read_values.duration(report, entries.get("every"), f"every of {what}", context.dt, 1)
    phase = read_values.duration(report, entries.get("phase"), f"phase of {what}", context.dt, 0)
    if population and population.size > MAX_UNITS:
        text = f"{what} counts joint states of at most {MAX_UNITS} neurons; "
        text += f"population '{population.name}' has {population.size}"
        report.add(entries["population"], text)
    state_node = entries.get("state")
    if state_node is None:
        return None
    if not isinstance(state_node, ScalarNode) or not state_node.text.strip():
        report.add(state_node, f"state of {what} must be a condition such as 'x < 50'; found {found(state_node)}")
        return None
    state = read_model.expression(report, state_node)
    if population and state.tree is not None:
        model = population.neuron
        known = [item.name for item in model.states] + [item.name for item in model.parameters]
        for part in ast.walk(state.tree):
            if isinstance(part, ast.Name) and part.id not in known and part.id not in CALLS:
                report.unknown(state_node, "variable", part.id, known, f" in the state of {what}")
    if population is None or every is None or len(report.problems) > before:
        return None
    return StateHistogram(
        name=name,
        population=population.name,
        state=state,
        every=every,
        phase=phase or Quantity(0, "step"),
        place=at.place,
    )


def metric(context: Context, name: str, at: Node, node: Node) -> Metric | None:
    """One metric, or None with its problems in the report."""
    report = context.report
    what = f"metric '{name}'"
    kinds = [key for key in node.entries if key in METRICS] if isinstance(node, MapNode) else []
    if len(kinds) != 1:
        have = ", ".join(kinds) or found(node)
        report.add(node, f"{what} must have one of the keys {', '.join(METRICS)}; found {have}")
        return None
    kind: Any = kinds[0]
    further = {"dkl": ("target", "floor"), "angle": ("to",), "distance": ("to",), "squared_error": ("target",)}
    own = further.get(kind, ())
    keys = (kind, *own, *(("effective",) if kind in EFFECTIVE else ()))
    entries = report.mapping(node, what, keys, (kind, *own[:1]))
    if kind == "dkl":
        return _divergence(context, name, at, entries)
    if kind == "rate":
        population = report.reference(entries[kind], "population", context.populations)
        return None if population is None else Metric(name=name, kind="rate", of=population, place=at.place)
    if kind in ("accuracy", "cross_entropy", "squared_error"):
        return _of_samples(context, name, at, kind, entries)
    text = report.text(entries[kind], f"{kind} of {what}")
    if text is None:
        return None
    effective = report.boolean(entries.get("effective"), f"effective of {what}") or False
    if kind in OVER_ELEMENTS and text in context.readouts:
        if effective:
            report.add(entries["effective"], f"effective of {what} is for variables, not for readouts; leave it out")
        return _of_samples(context, name, at, kind, entries)
    pair = context.variable(entries[kind], f"{kind} of {what}", text)
    if pair is None:
        return None
    if kind == "asymmetry":
        owner = pair[0]
        if not isinstance(owner, Projection) or owner.source != owner.target:
            report.add(
                entries[kind],
                f"asymmetry of {what} needs a projection from a population to itself; found {quoted(text)}",
            )
            return None
    target = ""
    if kind in ("angle", "distance"):
        if "to" not in entries:
            return None
        other = _other(context, name, kind, pair[0], entries["to"])
        if other is None:
            return None
        target = other
    return Metric(name=name, kind=kind, of=text, target=target, effective=effective, place=at.place)


def _of_samples(context: Context, name: str, at: Node, kind: MetricKind, entries: dict[str, Node]) -> Metric | None:
    """A metric of the rows of a samples readout."""
    report = context.report
    what = f"metric '{name}'"
    of = report.reference(entries[kind], "readout", context.readouts)
    found_readout = context.readouts.get(of or "")
    if of is None or found_readout is None:
        return None
    if not isinstance(found_readout, Samples):
        named = [key for key, item in context.readouts.items() if item is None or isinstance(item, Samples)]
        text = f"{kind} of {what} needs a samples readout, and '{of}' is a histogram"
        report.add(entries[kind], f"{text}; samples readouts are {', '.join(named) or 'none'}")
        return None
    target = ""
    if kind == "squared_error":
        patterns = [key for key, item in context.stimuli.items() if item is None or isinstance(item, Patterns)]
        reference = report.reference(entries.get("target"), "patterns", patterns)
        if reference is None or not rows_fit(context, entries["target"], f"target of {what}", reference, found_readout):
            return None
        target = reference
    return Metric(name=name, kind=kind, of=of, target=target, place=at.place)


def rows_fit(context: Context, at: Node, what: str, patterns: str, readout: Samples) -> bool:
    """Whether a readout's rows and patterns have as many cells; if not, why is in the report."""
    stimulus = context.stimuli.get(patterns)
    if not isinstance(stimulus, Patterns):
        return False
    if stimulus.frames != 1:
        text = f"{what}: '{patterns}' has {stimulus.frames} frames per pattern, and a readout gives one row"
        context.report.add(at, f"{text}; choose patterns without frames")
        return False
    sampled = context.populations.get(readout.of.partition(".")[0])
    shown = context.populations.get(stimulus.population)
    if sampled and shown and sampled.size != shown.size:
        text = f"{what}: readout '{readout.name}' has {sampled.size} cells and '{patterns}' {shown.size}"
        context.report.add(at, f"{text}; the numbers must be equal")
        return False
    return True


def _other(context: Context, name: str, kind: str, one: Population | Projection, node: Node) -> str | None:
    """The variable that another one is compared with."""
    report = context.report
    what = f"metric '{name}'"
    to = report.text(node, f"to of {what}")
    pair = None if to is None else context.variable(node, f"to of {what}", to)
    if to is None or pair is None:
        return None
    ends = [(p.source, p.target) for p in (one, pair[0]) if isinstance(p, Projection)]
    if len(ends) != 2 or ends[1] not in (ends[0], ends[0][::-1]):
        report.add(node, f"{kind} of {what} needs two projections between the same populations, in either direction")
        return None
    return to


def _divergence(context: Context, name: str, at: Node, entries: dict[str, Node]) -> Metric | None:
    report = context.report
    what = f"metric '{name}'"
    readout_name = report.reference(entries["dkl"], "readout", context.readouts)
    if isinstance(context.readouts.get(readout_name or ""), Samples):
        named = [key for key, item in context.readouts.items() if not isinstance(item, Samples)]
        text = f"dkl of {what} needs a histogram readout, and '{readout_name}' takes samples"
        report.add(entries["dkl"], f"{text}; histograms are {', '.join(named) or 'none'}")
        return None
    floor = report.number(entries.get("floor"), f"floor of {what}", 0)
    target = report.text(entries.get("target"), f"target of {what}")
    if target is None or readout_name is None:
        return None
    target_name, _, target_field = target.partition(".")
    if target_name not in context.targets or target_field != "p":
        report.unknown(entries["target"], "target", target, [f"{known}.p" for known in context.targets], f" of {what}")
        return None
    counted = context.readouts[readout_name]
    population = context.populations.get(counted.population) if isinstance(counted, StateHistogram) else None
    size = context.target_sizes().get(target_name)
    if population and size and population.size != size:
        text = f"{what} compares {population.size} neurons of readout '{readout_name}' with {size} units of target "
        report.add(entries["target"], f"{text}'{target_name}'; the numbers must be equal")
        return None
    return Metric(
        name=name,
        kind="dkl",
        of=readout_name,
        target=target,
        floor=0.5 if floor is None else floor,
        place=at.place,
    )


def recording(context: Context, node: Node | None) -> Recording:
    """What to record; parts with problems are left out."""
    report = context.report
    entries = report.mapping(node, "record", ("spikes", "states", "weights"))
    spikes = entries.get("spikes")
    names: list[str] = []
    if isinstance(spikes, ScalarNode) and spikes.value == "all":
        names = list(context.populations)
    elif not (isinstance(spikes, ScalarNode) and spikes.value == "none"):
        for item in report.items(spikes, "spikes of record"):
            name = report.reference(item, "population", context.populations)
            if name is not None and name not in names:
                names.append(name)
    return Recording(
        spikes=tuple(names),
        states=_records(context, entries.get("states"), "states of record", "population"),
        weights=_records(context, entries.get("weights"), "weights of record", "projection"),
    )


def _records(context: Context, node: Node | None, what: str, kind: str) -> tuple[StateRecord, ...]:
    report = context.report
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return ()
    if not isinstance(node, MapNode):
        report.add(node, f"{what} must be a mapping from OBJECT.VARIABLE to a time; found {found(node)}")
        return ()
    result = []
    for key, at, inner in node.values():
        every = read_values.duration(report, inner, f"the interval of {quoted(key)} in {what}", context.dt, 1)
        pair = context.variable(at, what, key)
        if pair is None or every is None:
            continue
        if isinstance(pair[0], Population) != (kind == "population"):
            other = "weights" if kind == "population" else "states"
            report.add(at, f"{what} takes variables of a {kind}; move {quoted(key)} to '{other}'")
            continue
        result.append(StateRecord(of=key, every=every, place=at.place))
    return tuple(result)
