"""A network as its author wrote it: frozen values, equal when their contents are equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from neuroport.errors import InvalidInput, Place, Problem, UnknownKey
from neuroport.metrics import Metric
from neuroport.network.objects import Population, Projection
from neuroport.network.ports import Port
from neuroport.network.protocol import Item
from neuroport.network.results import Readout, Recording, Samples, StateHistogram
from neuroport.network.stimuli import Boltzmann, Patterns, Stimulus
from neuroport.network.values import ArrayValue, Value
from neuroport.numerics.units import Quantity, suggestion
from neuroport.pages.html import html
from neuroport.pages.plain import brief

Thing = Population | Projection | Stimulus | Port | Boltzmann | Readout | Metric
"""What has a name in a network."""
MOST_COPIES = 10**6
"""Of one network, which share what they learn or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A whole network file. `folder` is where its relative paths start, `copies` how many run beside each other.

    `own_parameters`: OBJECT.PARAMETER -> the values that the copies have of it, one each.
    """

    name: str
    title: str = ""
    dt: Quantity
    seed: int = 1
    copies: int = 1
    own_parameters: tuple[tuple[str, Value], ...] = ()
    chip: str = "ideal"
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...] = ()
    stimuli: tuple[Stimulus, ...] = ()
    ports: tuple[Port, ...] = ()
    targets: tuple[Boltzmann, ...] = ()
    protocol: tuple[Item, ...] = ()
    readouts: tuple[Readout, ...] = ()
    metrics: tuple[Metric, ...] = ()
    record: Recording = field(default_factory=Recording)
    folder: str = field(default="", compare=False)
    files: tuple[str, ...] = field(default=(), compare=False, repr=False)  # those that it was read from
    place: Place | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        from neuroport.network.summary import summary

        return brief("Network", summary(self))

    def _repr_html_(self) -> str:
        from neuroport.network.summary import page

        return html(page(self))

    @property
    def things(self) -> Mapping[str, Thing]:
        """All that has a name; populations, projections and stimuli go before other things of the same name."""
        kinds: tuple[Sequence[Thing], ...] = (self.populations, self.projections, self.stimuli)
        kinds += (self.ports, self.targets, self.readouts, self.metrics)
        found: dict[str, Thing] = {}
        for thing in chain(*kinds):
            found.setdefault(thing.name, thing)
        return found

    def __getitem__(self, name: str) -> Thing:
        """The thing of that name, as in `things`. Raises UnknownKey."""
        things = self.things
        if name not in things:
            near = suggestion(str(name), list(things))
            text = f"network '{self.name}' has nothing of the name '{name}'; {near}there are: {', '.join(things)}"
            raise UnknownKey.one(None, text)
        return things[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.things)

    @property
    def notices(self) -> dict[str, tuple[str, ...]]:
        """What users of the network must be told: the text of a notice -> the names of the models that have it."""
        models = [p.neuron for p in self.populations] + [p.synapse for p in self.projections]
        found: dict[str, tuple[str, ...]] = {}
        for model in models:
            if model.notice and model.name not in found.get(model.notice, ()):
                found[model.notice] = (*found.get(model.notice, ()), model.name)
        return found

    @property
    def histograms(self) -> tuple[StateHistogram, ...]:
        """The readouts that count joint states."""
        return tuple(r for r in self.readouts if isinstance(r, StateHistogram))

    @property
    def samples(self) -> tuple[Samples, ...]:
        """The readouts that sample a variable."""
        return tuple(r for r in self.readouts if isinstance(r, Samples))

    def patterns(self, name: str) -> Patterns:
        """The patterns of that name."""
        return next(s for s in self.stimuli if isinstance(s, Patterns) and s.name == name)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What a chip's mismatch can attach to in this network: the kinds of its parameters, variables and weights."""
        models = [(p.neuron.parameters, p.neuron.states) for p in self.populations]
        models += [(p.synapse.parameters, p.synapse.states) for p in self.projections]
        parameters = {x.kind for declared, _ in models for x in declared}
        states = {x.kind for _, declared in models for x in declared}
        weights = {"weight" for p in self.projections if not p.synapse.weight.kind}
        return tuple(sorted((parameters | states | weights) - {""}))

    def population(self, name: str) -> Population:
        """The population of that name."""
        return next(p for p in self.populations if p.name == name)

    def projection(self, name: str) -> Projection:
        """The projection of that name."""
        return next(p for p in self.projections if p.name == name)


def shares(network: Network) -> bool:
    """Whether the copies of a network share variables of a model, so that they are one program."""
    return network.copies > 1 and can_share(network)


def can_share(network: Network) -> bool:
    """Whether copies of the network, if it had several, would share variables of a model."""
    states = [state for p in network.populations for state in p.neuron.states]
    states += [state for p in network.projections for state in p.synapse.states]
    return any(state.over_copies == "shared" for state in states)


def with_copies(network: Network, count: int) -> Network:
    """The network with so many copies. InvalidInput where values are listed for another number of them."""
    lists = [(name, given) for name, given in network.own_parameters if isinstance(given, ArrayValue)]
    problems = [
        Problem(
            given.place,
            f"copies have {len(given.values.array):,} values of {name}, and {count:,} copies are asked for; ask for as "
            "many copies as there are values, or list as many values as copies",
        )
        for name, given in lists
        if len(given.values.array) != count
    ]
    if problems:
        raise InvalidInput(problems)
    return replace(network, copies=count)
