"""Ports, read out of YAML nodes and written: what a host may write, add, see and read by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from neuroport.files.context import Context, label, model_of, not_added
from neuroport.files.parts import NEURONS_ONLY, part_of, split_part
from neuroport.network.model import Input, Parameter
from neuroport.network.objects import Population, Projection
from neuroport.network.ports import Direction, Port
from neuroport.numerics.parts import Part, named
from neuroport.numerics.units import quoted, suggestion
from neuroport.yaml.fields import listing
from neuroport.yaml.nodes import MapNode, Node
from neuroport.yaml.quantities import interval, whole_interval, written_interval

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
_Owner = Population | Projection


def port(context: Context, name: str, at: Node, node: Node) -> Port | None:
    """One port, or None with its problems in the report."""
    report, what = context.report, f"port '{name}'"
    before = len(report.problems)
    entries = report.mapping(node, what, (*DIRECTIONS, "range"))
    given = [key for key in DIRECTIONS if key in entries]
    direction = _direction(given)
    if direction is None:
        if given or len(report.problems) == before:
            keys = ", ".join(DIRECTIONS)
            report.add(node, f"{what} must have one of the keys {keys}; found {', '.join(given) or 'none'}")
        return None
    span = part = None
    match direction:
        case "spikes":
            target, part = _spiking(context, what, entries[direction])
        case "inject":
            target, span = _input(context, what, entries[direction], entries.get("range"))
        case _:
            target = _variable(context, what, direction, entries[direction])
    if direction != "spikes" and target is not None:
        target, part = _some(context, f"{direction} of {what}", entries[direction], target)
    writable = direction == "write" or _writable(context, what, entries)
    if direction != "inject" and "range" in entries:
        report.add(entries["range"], f"{what}: 'range' is what a host adds, and this port {_no_range(direction)}")
    if target is None or len(report.problems) > before:
        return None
    return Port(name=name, direction=direction, target=target, range=span, writable=writable, part=part, place=at.place)


def _direction(given: list[Direction]) -> Direction | None:
    """What a port with these keys is for: `write` beside `read` says that what is read may be written."""
    if given == ["write", "read"]:
        return "read"
    return given[0] if len(given) == 1 else None


def _writable(context: Context, what: str, entries: Mapping[str, Node]) -> bool:
    return "write" in entries and context.report.boolean(entries["write"], f"write of {what}, beside read,") is True


def _no_range(direction: Direction) -> str:
    if direction == "spikes":
        return "adds nothing; leave it out"
    return "has the range of its variable; give that with `ranges` at its population or projection"


def _spiking(context: Context, what: str, node: Node) -> tuple[str | None, Part | None]:
    """The name of a population that spikes, and which of its neurons."""
    text = context.report.text(node, f"spikes of {what}")
    if text is None:
        return None, None
    owner = text.partition(".")[0]
    if owner != text and owner in context.populations:
        context.report.add(node, f"spikes of {what} are those of a population; write {owner}, or {owner}[0:10] of some")
        return None, None
    name, part = context.neurons(node, f"spikes of {what}")
    population = context.populations.get(name or "")
    if population is not None and population.neuron.spike is None:
        spiking = [n for n, p in context.populations.items() if p is None or p.neuron.spike is not None]
        model = f"neuron model '{population.neuron.name}' of population '{name}' has no spikes"
        context.report.add(node, f"spikes of {what}: {model}; {listing(spiking)}")
        return None, None
    return name, part


def _some(context: Context, said: str, node: Node, text: str) -> tuple[str, Part | None]:
    """OBJECT.NAME and the part that OBJECT.NAME[…] names."""
    name, inside = split_part(text)
    owner, _, variable = name.partition(".")
    population = context.populations.get(owner)
    if inside is None:
        return name, None
    if population is None:
        context.report.add(node, f"{said}: {NEURONS_ONLY}; name {quoted(name)} whole")
    elif any(variable == p.name for p in population.neuron.parameters):
        context.report.add(
            node, f"{said}: a parameter is written with one number for all neurons; name {quoted(name)} whole"
        )
    else:
        return name, part_of(context.report, node, said, inside, population.size)
    return name, None


def _input(context: Context, what: str, node: Node, span: Node | None) -> tuple[str | None, tuple[float, float] | None]:
    """POPULATION.INPUT and the range of what is added to it."""
    report, said = context.report, f"inject of {what}"
    text = report.text(node, said)
    parts = None if text is None else context.split(node, said, split_part(text)[0])
    if text is None or parts is None:
        return None, None
    owner, name = parts
    inputs: tuple[Input, ...] = owner.neuron.inputs if isinstance(owner, Population) else ()
    declared = next((i for i in inputs if i.name == name), None)
    if declared is not None and declared.reduce == "max":
        report.add(node, f"{said} {not_added(declared, owner.name)}")
        return None, None
    if declared is not None:
        return text, _range(context, what, span, declared)
    names = [f"{owner.name}.{i.name}" for i in inputs]
    if not isinstance(owner, Population):
        report.add(node, f"{said}: {label(owner)} has no inputs; they belong to populations")
    elif any(name == s.name for s in owner.neuron.states):
        report.add(node, f"{said}: {quoted(text)} is a variable, which is written and not added to; use 'write'")
    else:
        hint = suggestion(text, names)
        report.add(node, f"{said}: {label(owner)} has no input {quoted(name)}; {hint}{listing(names)}")
    return None, None


def _range(context: Context, what: str, node: Node | None, declared: Input) -> tuple[float, float] | None:
    """What a host adds to a neuron in a step."""
    report, said = context.report, f"range of {what}"
    span = interval(report, node, said, declared.unit, context.dt)
    if span is None or node is None:
        return None
    shown = f"found [{span[0]:g}, {span[1]:g}]"
    if declared.type == "int":
        whole_interval(report, node, said, span)
    if span[0] == span[1]:
        report.add(node, f"{said} must have two ends that differ; {shown}")
    elif not span[0] <= 0 <= span[1]:
        report.add(node, f"{said} must hold 0, which is what a neuron gets where nothing is injected; {shown}")
    return span


def _variable(context: Context, what: str, direction: Direction, node: Node) -> str | None:
    """OBJECT.VARIABLE of a state or of a dynamic parameter."""
    report, said = context.report, f"{direction} of {what}"
    text = report.text(node, said)
    parts = None if text is None else context.split(node, said, split_part(text)[0])
    if text is None or parts is None:
        return None
    owner, name = parts
    parameters: tuple[Parameter, ...] = model_of(owner).parameters
    known = [state.name for state in model_of(owner).states] + [p.name for p in parameters if p.dynamic]
    if name in known:
        return text
    if isinstance(owner, Population) and any(name == i.name for i in owner.neuron.inputs):
        report.add(node, f"{said}: {quoted(text)} is an input, which starts from 0 in every step; use 'inject'")
    elif any(name == p.name for p in parameters):
        fixed = f"{quoted(text)} is a parameter that is fixed while the network runs"
        report.add(node, f"{said}: {fixed}; declare it `dynamic: true` with a range in its model")
    else:
        names = [f"{owner.name}.{k}" for k in known]
        hint = suggestion(text, names)
        report.add(node, f"{said}: {label(owner)} has no variable {quoted(name)}; {hint}{listing(names)}")
    return None


def check_ports(context: Context, ports: Mapping[str, Port | None], section: Node | None) -> None:
    """Note ports that go by the name of something else, and ports that add to what another one adds to."""
    at = {key: place for key, place, _ in section.values()} if isinstance(section, MapNode) else {}
    taken = {
        **dict.fromkeys(context.populations, "population"),
        **dict.fromkeys(context.projections, "projection"),
        **dict.fromkeys(context.stimuli, "stimulus"),
    }
    adding: dict[str, str] = {}
    for name, made in ports.items():
        own = made is not None and made.direction == "spikes" and made.target == name
        if name in taken and not own:
            context.report.add(at[name], f"the port '{name}' has the name of a {taken[name]}; rename the port")
        if made is not None and made.direction == "inject":
            first = adding.setdefault(made.target, name)
            if first != name:
                text = f"port '{name}' injects into {made.target}, as port '{first}' does; keep one of the two"
                context.report.add(at[name], text)


def written_port(item: Port) -> dict[str, Any]:
    """A port as it stands in a file."""
    return {
        item.direction: named(item.target, item.part),
        **({} if item.range is None else {"range": written_interval(item.range)}),
        **({"write": True} if item.direction == "read" and item.writable else {}),
    }
