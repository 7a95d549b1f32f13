"""What is told of a network: in a few lines, and whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from neuroport.network import described
from neuroport.network.network import Network
from neuroport.network.objects import Connect, Population, Projection
from neuroport.network.values import Value
from neuroport.numerics import units
from neuroport.numerics.parts import named
from neuroport.pages import Page, Part, Table, Text
from neuroport.pages.plain import shown, some


def summary(network: Network) -> Page:
    """What a network is, in a few lines."""
    told = {
        "populations": [f"{p.name} ({shown(p.size)} {p.neuron.name})" for p in network.populations],
        "projections": [f"{p.name} ({' to '.join(p.ends)}, {p.synapse.name})" for p in network.projections],
        "stimuli": [s.name for s in network.stimuli],
        "ports": [p.name for p in network.ports],
        "metrics": [m.name for m in network.metrics],
    }
    lines = [basics(network), *(f"{what} {some(names)}" for what, names in told.items() if names), protocol(network)]
    return Page(network.name, network.title, tuple(map(Text, lines)))


def population(of: Population) -> str:
    """A population in one line."""
    given = [*of.parameters, *((f"{name} at first", value) for name, value in of.initial)]
    return f"{of.name}: {shown(of.size)} neurons of {of.neuron.name}{_given(given)}"


def projection(of: Projection) -> str:
    """A projection in one line."""
    given = [("weight", of.weight), ("delay", of.delay), *of.parameters]
    source, target = of.ends
    ends = f"{source} to {of.input} of {target}"
    return f"{of.name}: {ends} by {of.synapse.name}{_given([(n, v) for n, v in given if v is not None])}"


def _given(values: Sequence[tuple[str, Value]]) -> str:
    return "".join(f", {name} {described.value(value)}" for name, value in values)


def basics(network: Network) -> str:
    """Time step, seed, copies and chip."""
    copies = f", {shown(network.copies)} copies" if network.copies > 1 else ""
    if network.own_parameters:
        copies += f" with their own {some([name for name, _ in network.own_parameters])}"
    return f"dt {units.show(network.dt)}, seed {network.seed}{copies}, chip {network.chip}"


def _of_class(connect: Connect) -> str:
    return type(connect).__name__


def page(network: Network, rule: Callable[[Connect], str] = _of_class) -> Page:
    """All that is told of a network. `rule`: gives the name of a connection rule; without it, its class is told."""
    parts: list[Part] = [
        Text(basics(network)),
        Table(("population", "neurons", "model"), tuple((p.name, p.size, p.neuron.name) for p in network.populations)),
        Table(
            ("projection", "from", "to", "model", "connections", "delay"),
            tuple(
                (p.name, *_ends(p), p.synapse.name, rule(p.connect), described.value(p.delay))
                for p in network.projections
            ),
        ),
        Table(
            ("stimulus", "kind", "to"),
            tuple((s.name, type(s).__name__, named(f"{s.population}.{s.input}", s.part)) for s in network.stimuli),
        ),
        Table(
            ("port", "direction", "of"), tuple((p.name, p.direction, named(p.target, p.part)) for p in network.ports)
        ),
        Table(("metric", "kind", "of"), tuple((m.name, m.kind, m.shown) for m in network.metrics)),
        Text(_records(network)),
        Text(protocol(network)),
    ]
    return Page(network.name, network.title, tuple(parts))


def _ends(of: Projection) -> tuple[str, str]:
    """Where a projection comes from, and the input that it leads to."""
    return of.ends[0], named(f"{of.target}.{of.input}", of.target_part)


def protocol(network: Network) -> str:
    """Of how many items the protocol is."""
    items = len(network.protocol)
    return f"protocol of {items} item{'s' * (items > 1)}" if items else "no protocol"


def _records(network: Network) -> str:
    record, parts = network.record, dict(network.record.parts)
    recorded = [f"spikes of {named(name, parts.get(name))}" for name in record.spikes]
    recorded += [f"{named(r.of, r.part)} every {units.show(r.every)}" for r in (*record.states, *record.weights)]
    without = "; no synapses" if network.record.topology == "none" else ""
    return f"records {', '.join(recorded) or 'nothing'}{without}"
