"""What is told of a network: in a few lines, and whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from neuroport.network.network import Network
from neuroport.network.objects import Connect
from neuroport.numerics import units
from neuroport.pages import Page, Part, Table, Text
from neuroport.pages.plain import shown

MOST = 6
"""So many things of a kind are named in a summary."""


def lines(network: Network) -> str:
    """A network in a few lines."""
    populations = [f"{p.name} ({shown(p.size)} {p.neuron.name})" for p in network.populations]
    projections = [f"{p.name} ({p.source} to {p.target}, {p.synapse.name})" for p in network.projections]
    told = {
        "populations": populations,
        "projections": projections,
        "stimuli": [s.name for s in network.stimuli],
        "ports": [p.name for p in network.ports],
        "metrics": [m.name for m in network.metrics],
    }
    title = f": {network.title}" if network.title else ""
    more = [f"  {what} {some(names)}" for what, names in told.items() if names]
    return "\n".join([f"<Network {network.name}{title}", f"  {basics(network)}", *more]) + ">"


def some(names: Sequence[str], most: int = MOST) -> str:
    """The first of many names, and how many there are."""
    more = f", … ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def basics(network: Network) -> str:
    """Time step, seed, copies and chip."""
    copies = f", {shown(network.copies)} copies" if network.copies > 1 else ""
    return f"dt {units.show(network.dt)}, seed {network.seed}{copies}, chip {network.chip}"


def page(network: Network, rule: Callable[[Connect], str]) -> Page:
    """All that is told of a network. `rule`: the name of a connection rule."""
    parts: list[Part] = [
        Text(basics(network)),
        Table(("population", "neurons", "model"), tuple((p.name, p.size, p.neuron.name) for p in network.populations)),
        Table(
            ("projection", "from", "to", "model", "connections", "delay"),
            tuple(
                (p.name, p.source, f"{p.target}.{p.input}", p.synapse.name, rule(p.connect), units.show(p.delay))
                for p in network.projections
            ),
        ),
        Table(
            ("stimulus", "kind", "to"),
            tuple((s.name, type(s).__name__, f"{s.population}.{s.input}") for s in network.stimuli),
        ),
        Table(("port", "direction", "of"), tuple((p.name, p.direction, p.target) for p in network.ports)),
        Table(("metric", "kind", "of"), tuple((m.name, m.kind, m.of) for m in network.metrics)),
        Text(_records(network)),
        Text(f"protocol of {len(network.protocol)} items" if network.protocol else "no protocol"),
    ]
    return Page(network.name, network.title, tuple(parts))


def _records(network: Network) -> str:
    recorded = [f"spikes of {name}" for name in network.record.spikes]
    recorded += [f"{r.of} every {units.show(r.every)}" for r in (*network.record.states, *network.record.weights)]
    without = "; no synapses" if network.record.topology == "none" else ""
    return f"records {', '.join(recorded) or 'nothing'}{without}"
