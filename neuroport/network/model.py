"""Neuron and synapse models as declared in a model file, before any network uses them."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal

from neuroport.errors import Place
from neuroport.network.values import Value
from neuroport.pages import plain
from neuroport.pages.html import html

VariableClass = Literal["weight", "plastic", "trace", "accumulator", "state"]


@dataclass(frozen=True, slots=True)
class Block:
    """Statements of the model language: their text, and their checked Python syntax tree.

    `place` is where the first line of the text stands in its file, so that messages can point into it.
    """

    text: str
    place: Place = field(default_factory=lambda: Place("<text>", 1, 1), compare=False)
    tree: tuple[ast.stmt, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression of the model language, e.g. a spike condition or a derived constant."""

    text: str
    place: Place = field(default_factory=lambda: Place("<text>", 1, 1), compare=False)
    tree: ast.expr | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number that the network file may set: constant, or switched by the protocol when `dynamic`.

    `unit` is the unit that a value must be given in or convert to: "" for pure numbers, "step" for times that are
    counted in steps. `range` is in that unit. `kind` is what a chip's mismatch attaches to.
    """

    name: str
    type: Literal["real", "int"] = "real"
    default: Value | None = None
    unit: str = ""
    range: tuple[float, float] | None = None
    kind: str = ""
    dynamic: bool = False
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A variable of a neuron or synapse. `weight` marks a synapse's weight (exactly one per synapse model).

    `over_copies`: whether copies of a network each have their own or share one (docs/language.md).
    """

    name: str
    type: Literal["real", "int"] = "real"
    init: Value | None = None
    unit: str = ""
    range: tuple[float, float] | None = None
    variable_class: VariableClass = "state"
    kind: str = ""
    weight: bool = False
    over_copies: Literal["own", "shared"] = "own"
    over_kernel: Literal["own", "shared"] = "own"
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """A named sum of what arrives at a neuron in a step, or the largest of it; 0 where nothing does.

    Without a range its bound follows from what is sent to it.
    """

    name: str
    type: Literal["real", "int"] = "real"
    unit: str = ""
    range: tuple[float, float] | None = None
    reduce: Literal["sum", "max"] = "sum"
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeTrace:
    """A decaying sum of spikes, one per pre- or postsynaptic neuron, read as pre.NAME or post.NAME.

    Each step: x := x * decay, then x := x + increment (or x := increment if `mode` is "set") where the neuron spiked.
    `decay` and `increment` are expressions of the synapse model's parameters.
    """

    name: str
    side: Literal["pre", "post"]
    decay: Expression
    increment: Expression
    mode: Literal["add", "set"] = "add"
    range: tuple[float, float] | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Modulator:
    """What one neuron has and all synapses of a projection see, such as dopamine. The projection says which neuron."""

    name: str
    type: Literal["real", "int"] = "real"
    unit: str = ""
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronModel:
    """What one neuron is and does in a step. Blocks that are absent are empty.

    `spike_count`: the variable that says how many spikes a spike of this neuron stands for; `spike` is then that it is
    above 0.
    `notice`: what users must be told when the model is used, e.g. that a patent may cover it.
    """

    name: str
    title: str = ""
    source: str = ""
    notice: str = ""
    equations: str = ""
    parameters: tuple[Parameter, ...] = ()
    derived: tuple[tuple[str, Expression], ...] = ()
    inputs: tuple[Input, ...] = ()
    states: tuple[State, ...] = ()
    update: Block = field(default_factory=lambda: Block(""))
    spike: Expression | None = None
    spike_count: str = ""
    on_spike: Block = field(default_factory=lambda: Block(""))
    after: Block = field(default_factory=lambda: Block(""))
    on_event: tuple[tuple[str, Block], ...] = ()
    yaml: str = field(default="", compare=False)
    place: Place | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"<Neuron model {self.name}: {self.title}>"

    def __str__(self) -> str:
        from neuroport.network.described import page

        return plain.text(page(self))

    def _repr_html_(self) -> str:
        from neuroport.network.described import page

        return html(page(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class SynapseModel:
    """What one synapse is and does. If no block sends anything, `send(target, weight)` starts `on_pre`.

    `notice`: see NeuronModel.
    """

    name: str
    title: str = ""
    source: str = ""
    notice: str = ""
    equations: str = ""
    parameters: tuple[Parameter, ...] = ()
    derived: tuple[tuple[str, Expression], ...] = ()
    states: tuple[State, ...] = ()
    traces: tuple[SpikeTrace, ...] = ()
    modulators: tuple[Modulator, ...] = ()
    step: Block = field(default_factory=lambda: Block(""))
    on_pre: Block = field(default_factory=lambda: Block(""))
    on_post: Block = field(default_factory=lambda: Block(""))
    on_event: tuple[tuple[str, Block], ...] = ()
    yaml: str = field(default="", compare=False)
    place: Place | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"<Synapse model {self.name}: {self.title}>"

    def __str__(self) -> str:
        from neuroport.network.described import page

        return plain.text(page(self))

    def _repr_html_(self) -> str:
        from neuroport.network.described import page

        return html(page(self))

    @property
    def weight(self) -> State:
        """The variable marked as the weight."""
        return next(s for s in self.states if s.weight)
