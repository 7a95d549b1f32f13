"""Populations and projections, as an author wrote them."""

from __future__ import annotations

from dataclasses import dataclass, field

from neuroport.errors import Place
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.network.values import Value
from neuroport.numerics.parts import Part, named
from neuroport.numerics.units import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Neurons of one model. `parameters`, `initial` and `ranges` override what the model declares.

    `mismatch` False: a chip instance leaves its parameters and learned values as designed.
    """

    name: str
    size: int
    neuron: NeuronModel
    parameters: tuple[tuple[str, Value], ...] = ()
    initial: tuple[tuple[str, Value], ...] = ()
    ranges: tuple[tuple[str, tuple[float, float]], ...] = ()
    mismatch: bool = True
    place: Place | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        from neuroport.network.summary import population

        return f"<Population {population(self)}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Which pairs of neurons a projection connects. Each rule has a class of its own, see neuroport.connections."""

    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """The projection whose synapses correspond to those of another: between the same neuron numbers.

    `transposed`: whether presynaptic numbers correspond to postsynaptic ones. None: what fits the sizes and the ends.
    """

    of: str
    transposed: bool | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The variable of a population of one neuron that a modulator of a projection's synapses is."""

    population: str
    variable: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Synapses of one model from `source` to an input of `target`.

    `source_part`, `target_part`: between some of the neurons (None: all). In `connect`, in values for single synapses
    and in their twins, neurons then count within the part, from 0.
    `delay`: axonal, at least one step: one for all, or one per synapse of a model that only sends. `dendritic`: added
    per synapse to what is sent, zero or more steps.
    `twin`: whose variables triggered blocks read as twin.NAME. `modulators`: what each of the model's is.
    `mismatch`: see Population; also of its weights.
    """

    name: str
    source: str
    target: str
    synapse: SynapseModel
    input: str
    connect: Connect
    delay: Value
    dendritic: Value | None = None
    weight: Value | None = None
    parameters: tuple[tuple[str, Value], ...] = ()
    initial: tuple[tuple[str, Value], ...] = ()
    ranges: tuple[tuple[str, tuple[float, float]], ...] = ()
    twin: Twin | None = None
    modulators: tuple[tuple[str, Source], ...] = ()
    mismatch: bool = True
    source_part: Part | None = None
    target_part: Part | None = None
    place: Place | None = field(default=None, compare=False)

    @property
    def ends(self) -> tuple[str, str]:
        """Source and target as a network file names them: "a", "b[0:10]"."""
        return named(self.source, self.source_part), named(self.target, self.target_part)

    @property
    def is_late(self) -> bool:
        """Whether what synapses send reaches their neurons later than spikes reach the synapses."""
        return self.dendritic is not None or not isinstance(self.delay, Quantity)

    def __repr__(self) -> str:
        from neuroport.network.summary import projection

        return f"<Projection {projection(self)}>"
