"""What the names in model texts stand for: arrays `OBJECT.VARIABLE` of a program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from neuroport.language.blocks import common, over_kernel, shared
from neuroport.language.lower import At, Choices, Variable
from neuroport.language.lower import Side as End
from neuroport.network.model import Input, Modulator, NeuronModel, Parameter, State, SynapseModel
from neuroport.program.ir import INT, REAL, Apply, Const, Expr, Int, Read, Type
from neuroport.program.names import ITEM_STEP, LENGTH, STEP

BUILT_IN = ("dt", "t", "T", "item_step", "copies")
SPIKED = "spiked"


def before_spike(trace: str) -> str:
    """The variable that holds what a trace is without the spike of the step."""
    return f"{trace}$before"


def declared_type(declared: Parameter | State | Input) -> Type:
    """The type of a declared parameter, variable or input; ints take their declared range."""
    if declared.type == "real":
        return REAL
    if declared.range is None:
        return Int()
    return Int(int(declared.range[0]), int(declared.range[1]))


def built_in(name: str, dt: float) -> Expr | None:
    """The value of dt, t, T or item_step."""
    match name:
        case "dt":
            return Const(dt, REAL)
        case "T":
            return Read(LENGTH, "scalar", Int(0, 2**62))
        case "t":
            return Read(STEP, "scalar", Int(0, 2**62))
        case "item_step":
            return Read(ITEM_STEP, "scalar", Int(0, 2**62))
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Constants:
    """The parameters and derived constants of one object.

    `scalars`: those that are the same for all its elements; `varied`: those of which each copy has its own.
    """

    owner: str
    types: dict[str, Type]
    scalars: frozenset[str] = frozenset()
    varied: frozenset[str] = frozenset()

    def read(self, name: str, at: Literal["own", "pre", "post", "twin"] = "own") -> Expr | None:
        """A parameter's value, or None if there is none of that name."""
        if name not in self.types:
            return None
        return Read(f"{self.owner}.{name}", "scalar" if name in self.scalars else at, self.types[name])


@dataclass(frozen=True, slots=True)
class ConstantNames:
    """Names in the definition of a derived constant: parameters, earlier derived constants and dt."""

    constants: Constants
    dt: float

    def own(self, name: str, assigning: str | None) -> Expr | None:
        """See Names."""
        return Const(self.dt, REAL) if name == "dt" else self.constants.read(name)

    def side(self, side: End, name: str, lagged: bool) -> Expr | None:
        """See Names."""
        return None

    def before(self, side: End, name: str, lagged: bool) -> Expr | None:
        """See Names."""
        return None

    def variable(self, name: str) -> Variable | None:
        """See Names."""
        return None

    def per_copy(self, name: str, of: At) -> bool:
        """See Names."""
        return False

    def per_synapse(self, name: str, of: At) -> bool:
        """See Names."""
        return False

    def input(self, name: str, back: bool) -> Variable | None:
        """See Names."""
        return None

    def choices(self, what: Choices) -> Iterable[str]:
        """See Names."""
        return (*self.constants.types, "dt", "copies") if what == "own" else ()


@dataclass(frozen=True, slots=True)
class NeuronNames:
    """Names in a neuron's blocks.

    `factors`: learned variables that are used through a deviating circuit, with the arrays of the factors.
    """

    model: NeuronModel
    owner: str
    constants: Constants
    dt: float
    factors: Mapping[str, str] = field(default_factory=dict)
    inputs: bool = True

    def own(self, name: str, assigning: str | None) -> Expr | None:
        """See Names. A learned variable is seen as stored where it is assigned itself, else through its circuit."""
        constant = self.constants.read(name)
        if constant is not None:
            return constant
        for state in self.model.states:
            if state.name == name:
                value: Expr = Read(f"{self.owner}.{name}", "own", declared_type(state))
                if name in self.factors and assigning != name:
                    factor = Read(self.factors[name], "own", REAL)
                    value = Apply("mul", (value, factor), REAL)
                return value
        for sum_ in self.model.inputs:
            if sum_.name == name and self.inputs:
                return Read(f"{self.owner}.{name}", "own", declared_type(sum_))
        return built_in(name, self.dt)

    def side(self, side: End, name: str, lagged: bool) -> Expr | None:
        """See Names: a neuron has no sides."""
        return None

    def before(self, side: End, name: str, lagged: bool) -> Expr | None:
        """See Names: a neuron reads no traces."""
        return None

    def variable(self, name: str) -> Variable | None:
        """See Names."""
        return _variable(self.model, self.owner, name)

    def per_copy(self, name: str, of: At) -> bool:
        """See Names."""
        return name in self.constants.varied or _per_copy(self.model, name)

    def per_synapse(self, name: str, of: At) -> bool:
        """See Names."""
        return False

    def input(self, name: str, back: bool) -> Variable | None:
        """See Names: a neuron does not send."""
        return None

    def choices(self, what: Choices) -> Iterable[str]:
        """See Names."""
        states = [s.name for s in self.model.states]
        match what:
            case "own":
                sums = [i.name for i in self.model.inputs] if self.inputs else []
                return (*self.constants.types, *states, *sums, *BUILT_IN)
            case "variable":
                return states
            case _:
                return ()


@dataclass(frozen=True, slots=True)
class Side:
    """The neurons at one end of a projection: their model (None while unknown), name and constants."""

    owner: str
    model: NeuronModel | None = None
    constants: Constants | None = None


@dataclass(frozen=True, slots=True)
class Twin:
    """The projection whose synapses correspond to those of this one: its model (None while unknown) and constants."""

    owner: str
    model: SynapseModel | None = None
    constants: Constants | None = None

    def read(self, name: str) -> Expr | None:
        """The variable or parameter of the corresponding synapse, or None if there is none of that name."""
        if self.model is None:
            return Read(f"twin.{name}", "twin", INT)  # type unknown yet: an int may stand everywhere
        for state in self.model.states:
            if state.name == name:
                return Read(f"{self.owner}.{name}", "twin", declared_type(state))
        return self.constants.read(name, "twin") if self.constants is not None else None

    def names(self) -> Iterable[str]:
        """What can be read."""
        constants = self.constants.types if self.constants is not None else ()
        return (*(s.name for s in self.model.states), *constants) if self.model is not None else ()


@dataclass(frozen=True, slots=True)
class Modulation:
    """A modulator as one neuron has it: the population, its model and the variable."""

    owner: str
    model: NeuronModel
    variable: str

    def read(self, modulator: Modulator) -> Expr:
        """Its value; an int becomes a real where the synapse model says so."""
        state = next(state for state in self.model.states if state.name == self.variable)
        value = Read(f"{self.owner}.{self.variable}", "single", declared_type(state))
        real = modulator.type == "real" and state.type == "int"
        return Apply("to_real", (value,), REAL) if real else value


@dataclass(frozen=True, slots=True)
class SynapseNames:
    """Names in a synapse's blocks. `twin`: the block sees that projection (one without a model is unknown).

    `modulators`: what each of the model's is; nothing is known of one that is not there.
    """

    model: SynapseModel
    owner: str
    constants: Constants
    dt: float
    pre: Side
    post: Side
    target_input: str = ""
    delay: int = 1
    twin: Twin | None = None
    used: set[str] = field(default_factory=set)
    modulators: Mapping[str, Modulation] = field(default_factory=dict)

    def own(self, name: str, assigning: str | None) -> Expr | None:
        """See Names."""
        constant = self.constants.read(name)
        if constant is not None:
            return constant
        variable = self.variable(name)
        if variable is not None:
            return Read(variable.array, "own", variable.type)
        return self._modulator(name) or built_in(name, self.dt)

    def _modulator(self, name: str) -> Expr | None:
        for modulator in self.model.modulators:
            if modulator.name == name:
                unknown = Read(f"modulator.{name}", "single", REAL if modulator.type == "real" else INT)
                return self.modulators[name].read(modulator) if name in self.modulators else unknown
        return None

    def side(self, side: End, name: str, lagged: bool) -> Expr | None:
        """See Names: a trace of this synapse model, or a variable or parameter of the neuron or the twin."""
        if side == "twin":
            return self.twin.read(name) if self.twin is not None else None
        if name in self._traces(side):
            return Read(f"{self.owner}.{name}", side, REAL, self._lag(side, lagged))
        lag = self._lag(side, lagged)
        end = self.pre if side == "pre" else self.post
        if end.model is None:
            return Read(f"{side}.{name}", side, INT, lag)  # type unknown yet: an int may stand everywhere
        if name == SPIKED and end.model.spike is not None:
            self.used.add(end.owner)
            return Read(f"{end.owner}.{SPIKED}", side, Int(0, 1), lag)
        for state in end.model.states:
            if state.name == name:
                return Read(f"{end.owner}.{name}", side, declared_type(state), lag)
        return end.constants.read(name, side) if end.constants is not None else None

    def before(self, side: End, name: str, lagged: bool) -> Expr | None:
        """See Names."""
        if side == "twin" or name not in self._traces(side):
            return None
        return Read(f"{self.owner}.{before_spike(name)}", side, REAL, self._lag(side, lagged))

    def _lag(self, side: Literal["pre", "post"], lagged: bool) -> int | Literal["synapse"]:
        return "synapse" if lagged else (self.delay - 1 if side == "pre" else 0)

    def _traces(self, side: Literal["pre", "post"]) -> list[str]:
        return [trace.name for trace in self.model.traces if trace.side == side]

    def variable(self, name: str) -> Variable | None:
        """See Names."""
        return _variable(self.model, self.owner, name)

    def per_copy(self, name: str, of: At) -> bool:
        """See Names. Variables of synapses that no block assigns are shared; traces and spikes never are."""
        match of:
            case "own" if name in self.modulators:
                return _per_copy(self.modulators[name].model, self.modulators[name].variable)
            case "own":
                return name in self.constants.varied or _per_copy(self.model, name)
            case "twin":
                return self.twin is not None and _its_own(self.twin, name)
            case "pre" | "post":
                return name in {SPIKED, *self._traces(of)} or _its_own(self.pre if of == "pre" else self.post, name)

    def per_synapse(self, name: str, of: At) -> bool:
        """See Names. Variables that no block assigns are shared, and parameters; nothing of neurons is."""
        if of in ("pre", "post"):
            return True
        model = self.model if of == "own" else self.twin.model if self.twin is not None else None
        return model is not None and name in {state.name for state in model.states} - over_kernel(model)

    def input(self, name: str, back: bool) -> Variable | None:
        """See Names. `target` is the input that the projection names."""
        end = self.pre if back else self.post
        if end.model is None:
            return Variable(f"{end.owner}.{name}", REAL)
        if name == "target" and not back:
            name = self.target_input
        for sum_ in end.model.inputs:
            if sum_.name == name:
                return Variable(f"{end.owner}.{name}", declared_type(sum_))
        return None

    def choices(self, what: Choices) -> Iterable[str]:
        """See Names."""
        match what:
            case "own":
                modulators = (modulator.name for modulator in self.model.modulators)
                return (*self.constants.types, *(s.name for s in self.model.states), *modulators, *BUILT_IN)
            case "variable":
                return [s.name for s in self.model.states]
            case "pre" | "post":
                return self._side_choices(what)
            case "traces of pre":
                return self._traces("pre")
            case "traces of post":
                return self._traces("post")
            case "twin":
                return self.twin.names() if self.twin is not None else ()
            case "input":
                sums = [i.name for i in self.post.model.inputs] if self.post.model else []
                return (*sums, "target")
            case "back":
                return [i.name for i in self.pre.model.inputs] if self.pre.model else []

    def _side_choices(self, side: Literal["pre", "post"]) -> Iterable[str]:
        traces = self._traces(side)
        end = self.pre if side == "pre" else self.post
        if end.model is None:
            return traces
        spiked = [SPIKED] if end.model.spike is not None else []
        constants = end.constants.types if end.constants else ()
        return (*traces, *(s.name for s in end.model.states), *constants, *spiked)


def _variable(model: NeuronModel | SynapseModel, owner: str, name: str) -> Variable | None:
    for state in model.states:
        if state.name == name:
            shared = state.over_copies == "shared"
            return Variable(f"{owner}.{name}", declared_type(state), shared, state.over_kernel == "shared")
    return None


def _its_own(end: Side | Twin, name: str) -> bool:
    """Whether each copy has a variable or parameter of what is connected for itself."""
    if end.constants is not None and name in end.constants.varied:
        return True
    return end.model is not None and _per_copy(end.model, name)


def _per_copy(model: NeuronModel | SynapseModel, name: str) -> bool:
    """Whether each copy has this variable for itself; those of a synapse that no block assigns are shared."""
    known = shared(model) if isinstance(model, NeuronModel) else common(model)
    return name not in known and any(state.name == name for state in model.states)
