"""What is to be built in PyGeNN, as plain data: groups with their variables, parameters, arrays and code."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from neuroport.backends.generated import uncommented
from neuroport.program.machine import Over, Total

ArrayKind = Literal[
    "table", "wide", "keys", "overflow", "failed", "series", "first", "steps", "values", "late", "array", "element",
    "past", "single", "rows", "starts",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variable:
    """A GeNN variable: one number per neuron or synapse.

    holds "array": the program's array of that name; "element", "dendritic": the projection's; "cursor": how many
    injections of the input `name` a neuron has had; "bit": the readout's `name` bit after the last step; "twin": the
    place of the corresponding synapse of the projection `other`; "anchor": nothing, for updates that need a variable.
    each: in a batch, every copy has its own.
    """

    ident: str
    type: str
    holds: Literal["array", "element", "dendritic", "cursor", "bit", "twin", "anchor"]
    name: str
    constant: bool = False
    other: str = ""
    each: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A variable of a group under another name: the program's array `name`, which is `target` there.

    past: read as it was some steps ago, by the synapse's dendritic delay. group: whose variable an update refers to.
    each: in a batch, every copy has its own.
    """

    ident: str
    type: str
    target: str
    name: str
    constant: bool = True
    past: bool = False
    group: str = ""
    each: bool = False


@dataclass(frozen=True, slots=True)
class Borrowed:
    """An array (extra global parameter) of the synapse group `group` in an update: its `target`, the array `name`."""

    ident: str
    type: str
    target: str
    name: str
    group: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of the whole group: the program's scalar `name`.

    of "uniform": what every synapse has in the array `name`; of "row": the row that the series `name` of patterns shows
    in this step, or -1; of "start": the row with which the series `name` begins; of "late": whether an input of the
    population `name` was written by hand for this step.
    """

    ident: str
    type: str
    of: Literal["scalar", "uniform", "row", "start", "late"]
    name: str
    dynamic: bool


@dataclass(frozen=True, slots=True)
class GlobalArray:
    """An array of the whole group (GeNN's extra global parameter).

    table: the program's; wide: a scalar that does not fit a dynamic parameter; keys: of the random streams; overflow:
    how often a value for the array `name` lay outside its range, by neuron or synapse; failed: one number, 1 + the step
    in which that happened first; series: the table of `name`; first, steps, values: injections into the input `name`,
    by neuron; late: what was written by hand to the input `name`; array: the program's array `name` of synapses, which
    updates of other groups need; past: what the program's array `name` of neurons was after the last steps, after
    step S in row S modulo their number; single: what the only neuron of the program's array `name` has, as
    the last step left it; element: one number, by how much the numbers of random elements of the object
    `name` are larger than usual.

    In a batch: rows, the row that the series `name` of patterns shows in this step of each copy, or -1; starts, the row
    with which each begins. each: what belongs to one copy comes behind what belongs to the copy before; of keys, the
    keys of all copies for a stream behind those for the stream before.
    """

    ident: str
    type: str
    kind: ArrayKind
    name: str
    each: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """How a GPU deals out the spikes of a step: "post", one after the other, or "pre", all at once.

    threads: "post": one for each synapse of a row; "pre": so many for each spike.
    """

    way: Literal["post", "pre"] = "post"
    threads: int = 1

    def __str__(self) -> str:
        return self.way if self.way == "post" else f"pre:{self.threads}"


@dataclass(slots=True)
class Group:
    """What all kinds of groups have."""

    name: str
    owner: str
    parameters: list[Parameter] = field(default_factory=list)
    arrays: list[GlobalArray] = field(default_factory=list)
    streams: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Neurons(Group):
    """A population. inputs: identifier -> the program's input array."""

    size: int = 0
    spiking: bool = False
    inputs: dict[str, str] = field(default_factory=dict)
    variables: list[Variable] = field(default_factory=list)
    code: str = ""


@dataclass(slots=True)
class Synapses(Group):
    """A projection. slots: 1 + the longest dendritic delay. Targets: identifiers of inputs of the two populations.

    span: what a GPU does with spikes that arrive.
    """

    source: str = ""
    target: str = ""
    delay: int = 1
    slots: int = 1
    post_input: str | None = None
    pre_input: str | None = None
    variables: list[Variable] = field(default_factory=list)
    pre: list[Reference] = field(default_factory=list)
    post: list[Reference] = field(default_factory=list)
    step: str = ""
    arrive: str = ""
    post_code: str = ""
    span: Span = field(default_factory=Span)


@dataclass(slots=True)
class Update(Group):
    """A block (GeNN's custom update) of the group `target`: launched after every step, when triggered, or both.

    totals: what the host reduces before it.
    shows: it copies what one neuron has to synapses that see it, and is launched before steps as well.
    totals: what the host reduces before it; renewed: arrays of a kernel's entries that it gives to synapses after it.
    """

    target: str = ""
    over: Over = "neuron"
    event: str = ""
    every_step: bool = False
    triggered: bool = True
    totals: tuple[Total, ...] = ()
    shows: bool = False
    renewed: tuple[str, ...] = ()
    references: list[Reference] = field(default_factory=list)
    borrowed: list[Borrowed] = field(default_factory=list)
    code: str = ""


@dataclass(slots=True)
class Model:
    """Everything. scalar: the type in which synaptic input is summed, float or double. copies: those of a batch.

    shared_sums: what several groups send to one input is summed in one array.
    """

    name: str
    scalar: Literal["float", "double"]
    copies: int = 1
    shared_sums: bool = False
    neurons: list[Neurons] = field(default_factory=list)
    synapses: list[Synapses] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)

    def groups(self) -> list[Group]:
        """All groups."""
        return [*self.neurons, *self.synapses, *self.updates]

    def uncommented(self) -> Model:
        """The same without comments in its code, as it is compiled."""

        def bare(code: str) -> str:
            return uncommented(code, "//")

        return replace(
            self,
            neurons=[replace(n, code=bare(n.code)) for n in self.neurons],
            synapses=[
                replace(s, step=bare(s.step), arrive=bare(s.arrive), post_code=bare(s.post_code)) for s in self.synapses
            ],
            updates=[replace(u, code=bare(u.code)) for u in self.updates],
        )
