"""The one place that speaks to PyGeNN while a network is put together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.backends.genn import cache, devices, mending, places
from neuroport.backends.genn.flags import Flags, flags
from neuroport.backends.genn.model import (
    Borrowed,
    GlobalArray,
    Group,
    Model,
    Neurons,
    Parameter,
    Synapses,
    Update,
    Variable,
)
from neuroport.numerics import rng
from neuroport.program.machine import Program
from neuroport.program.names import ITEM_STEP

NUMPY: dict[str, Any] = {"float": np.float32, "double": np.float64}
NUMPY |= {f"{sign}int{bits}_t": np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)}


@dataclass(slots=True)
class Built:
    """A network in PyGeNN.

    kept: models that must outlive it; Python would free them while GeNN uses them. least: the bytes of all that GeNN is
    given, of which it needs more. differing: variables of neurons that differ from copy to copy, (copies, neurons).
    """

    genn: Any
    neurons: dict[str, Any] = field(default_factory=dict)
    synapses: dict[str, Any] = field(default_factory=dict)
    updates: dict[str, Any] = field(default_factory=dict)
    kept: list[Any] = field(default_factory=list)
    least: int = 0
    differing: list[tuple[Any, NDArray[Any]]] = field(default_factory=list)

    def group(self, group: Group) -> Any:
        """The PyGeNN object of a group."""
        match group:
            case Neurons():
                return self.neurons[group.name]
            case Synapses():
                return self.synapses[group.name]
            case _:
                return self.updates[group.name]


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands in the variables, parameters and arrays of a program at the start.

    seeds: the run's, or that of each copy of a batch.
    """

    program: Program
    seeds: Sequence[int]

    def variable(self, variable: Variable) -> NDArray[Any]:
        """The initial values of a variable, or the one that all have."""
        values: Any
        match variable.holds:
            case "array":
                values = self.program.arrays[variable.name].initial
            case "element":
                values = self.program.projection(variable.name).element
            case "dendritic":
                delays = self.program.projection(variable.name).dendritic
                values = np.zeros(0) if delays is None else delays
            case "cursor":
                values = self._injections(variable.name)[0][:-1]
            case "bit":
                readout = next(r for r in self.program.readouts if r.name == variable.name)
                values = np.zeros(self.program.population(readout.population).size)
            case "twin":
                mine, other = self.program.projection(variable.name), self.program.projection(variable.other)
                values = places.of_twins(mine, other)
            case "anchor":
                values = 0
        if variable.each and np.ndim(values) == 1:
            values = np.repeat(np.asarray(values)[:, None], self.program.copies, axis=1)
        return np.array(np.transpose(values), NUMPY[variable.type], order="C")

    def parameter(self, parameter: Parameter) -> float | int:
        """The value of a parameter."""
        if parameter.of == "row":
            return -1
        if parameter.of == "late":
            return 0
        if parameter.of == "start":
            start = next(s.start for s in self.program.series if s.name == parameter.name)
            return 0 if start is None else int(start[0])
        value = np.ravel(self.program.arrays[parameter.name].initial)[0]
        return float(value) if parameter.type in ("float", "double") else int(value)

    def array(self, group: Group, array: GlobalArray) -> NDArray[Any]:
        """What stands in an array of the group."""
        copies = self.program.copies
        match array.kind:
            case "table":
                values: Any = self.program.tables[array.name]
            case "single":
                values = self._each(array)
            case "wide":
                values = [0 if array.name == ITEM_STEP else self.program.arrays[array.name].initial]
            case "keys":
                keys = [rng.stream_key(seed, stream) for stream in group.streams for seed in self.seeds]
                values = np.array(keys, np.uint64)
            case "overflow":
                values = np.zeros(self._elements(group) * (copies if array.each else 1))
            case "failed":
                values = 0
            case "element":
                values = np.array(places.first_elements(self.program)[array.name] or 0, np.uint64)
            case "series":
                values = next(s for s in self.program.series if s.name == array.name).table.ravel()
            case "array":
                values = self._each(array)
                if isinstance(group, Synapses):
                    values = np.zeros((len(values), self._elements(group)), NUMPY[array.type])
                    where = places.of_synapses(self.program.projection(group.owner))
                    values[:, where] = self._each(array)
            case "past":
                values = np.tile(self._each(array), self.program.arrays[array.name].history)
            case "late":
                values = np.zeros(self.program.arrays[array.name].initial.size)
            case "rows":
                values = np.full(copies, -1)
            case "starts":
                values = next(s.start for s in self.program.series if s.name == array.name)
            case "first" | "steps" | "values":
                values = self._injections(array.name)[("first", "steps", "values").index(array.kind)]
        flat = np.ravel(values)
        return np.asarray(flat if flat.size else [0], NUMPY[array.type])

    def _each(self, array: GlobalArray) -> NDArray[Any]:
        """The values of a program's array, (copies, elements); of one row where all have the same."""
        initial = self.program.arrays[array.name].initial
        if initial.ndim == 2:
            return np.asarray(initial.T)
        return np.tile(initial, (self.program.copies if array.each else 1, 1))

    def _elements(self, group: Group) -> int:
        """How many neurons a group has, or places for synapses."""
        if isinstance(group, Neurons) or (isinstance(group, Update) and group.over == "neuron"):
            return self.program.population(group.owner).size
        return places.count(self.program.projection(group.owner))

    def _injections(self, name: str) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """All injections into an input by neuron, then step: where each neuron's begin, their steps and values."""
        of = [i for i in self.program.injections if i.input == name]
        neurons, steps = (np.concatenate([getattr(i, what) for i in of]) for what in ("neurons", "steps"))
        values = np.concatenate([np.asarray(i.values) for i in of])
        order = np.lexsort((np.arange(len(steps)), steps, neurons))
        size = len(self.program.arrays[name].initial)
        first = np.searchsorted(neurons[order], np.arange(size + 1))
        return first, steps[order], values[order]


def assemble(model: Model, program: Program, seeds: Sequence[int], device: str, recording: int) -> Built:
    """Put the network together, compile it (where equal ones were compiled before) and load it."""
    chosen = flags(program, device)
    path = cache.place(_key(model, program, device, chosen))
    made: list[Built] = []

    def compile_there() -> None:
        made.append(_create(model, program, seeds, device, chosen.optimised))
        with mending.before_make():
            made[0].genn.build(str(path))

    cache.build(path, compile_there, chosen)
    (built,) = made
    devices.require_room(device, built.least)
    with cache.copied(path / f"{built.genn.name}_CODE") as own:
        built.genn._path_to_model = str(own)
        cache.load(path, own, lambda: built.genn.load(num_recording_timesteps=recording))
    for variable, values in built.differing:
        variable.view[...] = values if variable.view.ndim == 2 else values[:, None]
        variable.push_to_device()
    return built


def _create(model: Model, program: Program, seeds: Sequence[int], backend: str, optimised: bool) -> Built:
    import pygenn

    genn = pygenn.GeNNModel(model.scalar, model.name, backend=backend, time_precision="double", optimize_code=optimised)
    genn.dt = 1.0
    genn.batch_size = model.copies
    genn.fuse_postsynaptic_models = model.shared_sums
    built = Built(genn)
    contents = Contents(program, seeds)
    for neurons in model.neurons:
        _neurons(built, neurons, contents)
    for synapses in model.synapses:
        _synapses(built, synapses, contents, program)
    for update in model.updates:
        _update(built, update, contents)
    return built


def _key(model: Model, program: Program, device: str, chosen: Flags) -> str:
    """A name for everything that compiled code depends on."""
    import pygenn

    contents = Contents(program, (0,))
    fixed = [[contents.parameter(p) for p in g.parameters if not p.dynamic] for g in model.groups()]
    sizes = [
        (p.source_size, p.target_size, places.stride(p), int(np.bincount(p.post).max(initial=0)))
        for p in program.projections
    ]
    on = (device, *devices.architectures(device), asdict(chosen))
    whole = repr((pygenn.__version__, on, asdict(model), fixed, sizes))
    return hashlib.sha256(whole.encode()).hexdigest()[:24]


def _parameters(group: Group) -> list[tuple[str, str]]:
    return [(p.ident, p.type) for p in group.parameters]


def _values(group: Group, contents: Contents) -> dict[str, float | int]:
    return {p.ident: contents.parameter(p) for p in group.parameters}


def _arrays(group: Group) -> list[tuple[str, str]]:
    return [(a.ident, f"{a.type}*") for a in group.arrays]


def _fill(built: Built, target: Any, group: Group, contents: Contents) -> None:
    for array in group.arrays:
        values = contents.array(group, array)
        target.extra_global_params[array.ident].set_init_values(values)
        built.least += values.nbytes


def _start(built: Built, variables: list[Variable], contents: Contents) -> dict[str, NDArray[Any] | float]:
    start = {v.ident: contents.variable(v) for v in variables}
    built.least += sum(values.nbytes for values in start.values())
    return {name: values if values.ndim else values.item() for name, values in start.items()}


def _variables(variables: list[Variable], copies: int) -> list[tuple[Any, ...]]:
    """Names, types and access. What all copies share is changed by updates alone."""
    from pygenn import VarAccess

    def access(variable: Variable) -> Any:
        if variable.each:
            return VarAccess.READ_ONLY_DUPLICATE if variable.constant else VarAccess.READ_WRITE
        return VarAccess.READ_ONLY if variable.constant or copies > 1 else VarAccess.READ_WRITE

    return [(v.ident, v.type, access(v)) for v in variables]


def _neurons(built: Built, group: Neurons, contents: Contents) -> None:
    import pygenn

    model = pygenn.create_neuron_model(
        f"{group.name}_model",
        params=_parameters(group),
        vars=_variables(group.variables, contents.program.copies),
        additional_input_vars=[(ident, "scalar", 0.0) for ident in group.inputs],
        sim_code=group.code,
        threshold_condition_code="spiked" if group.spiking else "",
        extra_global_params=_arrays(group),
    )
    start = _start(built, group.variables, contents)
    apart = {name: np.asarray(values) for name, values in start.items() if np.ndim(values) == 2}
    start |= {name: values[0] for name, values in apart.items()}
    made = built.genn.add_neuron_population(group.name, group.size, model, _values(group, contents), start)
    for parameter in group.parameters:
        if parameter.dynamic:
            made.set_param_dynamic(parameter.ident)
    made.spike_recording_enabled = group.spiking
    differing = ((name, values) for name, values in apart.items() if (values != values[0]).any())
    built.differing += [(made.vars[name], values) for name, values in differing]
    _fill(built, made, group, contents)
    built.neurons[group.name] = made
    built.kept.append(model)


def _synapses(built: Built, group: Synapses, contents: Contents, program: Program) -> None:
    import pygenn
    from pygenn import VarAccessMode

    read = VarAccessMode.READ_ONLY
    model = pygenn.create_weight_update_model(
        f"{group.name}_model",
        params=_parameters(group),
        vars=_variables(group.variables, contents.program.copies),
        pre_neuron_var_refs=[(r.ident, r.type, read) for r in group.pre],
        post_neuron_var_refs=[(r.ident, r.type, read) for r in group.post],
        pre_spike_syn_code=group.arrive,
        post_spike_syn_code=group.post_code,
        synapse_dynamics_code=group.step,
        extra_global_params=_arrays(group),
    )
    projection = program.projection(group.owner)
    weights = pygenn.init_weight_update(
        model,
        _values(group, contents),
        _start(built, group.variables, contents),
        pre_var_refs={r.ident: r.target for r in group.pre},
        post_var_refs={r.ident: r.target for r in group.post},
    )
    made = built.genn.add_synapse_population(
        group.name,
        "SPARSE",
        built.neurons[group.source],
        built.neurons[group.target],
        weights,
        pygenn.init_postsynaptic("DeltaCurr"),
    )
    made.set_sparse_connections(projection.pre, projection.post)
    built.least += projection.synapses * np.dtype(np.uint32).itemsize
    made.max_source_connections = int(np.bincount(projection.post).max())
    made.axonal_delay_steps = group.delay - 1
    if group.span.way == "pre":
        made.parallelism_hint = pygenn.ParallelismHint.PRESYNAPTIC
        made.num_threads_per_spike = group.span.threads
    if group.slots > 1 or any(v.holds == "dendritic" for v in group.variables):
        made.max_dendritic_delay_timesteps = max(group.slots, 1)
    if group.post_input:
        made.post_target_var = group.post_input
    if group.pre_input:
        made.pre_target_var = group.pre_input
    for parameter in group.parameters:
        if parameter.dynamic:
            made.set_wu_param_dynamic(parameter.ident)
    _fill(built, made, group, contents)
    built.synapses[group.name] = made
    built.kept.append((model, weights))


def _update(built: Built, group: Update, contents: Contents) -> None:
    import pygenn
    from pygenn import VarAccessMode

    model = pygenn.create_custom_update_model(
        f"{group.name}_model",
        params=_parameters(group),
        var_refs=[
            (r.ident, r.type, VarAccessMode.READ_ONLY if r.constant else VarAccessMode.READ_WRITE)
            for r in group.references
        ],
        update_code=group.code,
        extra_global_params=_arrays(group),
        extra_global_param_refs=[(b.ident, f"{b.type}*") for b in group.borrowed],
    )
    if group.over == "neuron":
        references = {r.ident: pygenn.create_var_ref(built.neurons[r.group], r.target) for r in group.references}
    else:
        references = {r.ident: pygenn.create_wu_var_ref(built.synapses[r.group], r.target) for r in group.references}
    borrowed = {b.ident: _borrowed(built, b) for b in group.borrowed}
    values = _values(group, contents)
    made = built.genn.add_custom_update(group.name, group.name, model, values, {}, references, borrowed)
    for parameter in group.parameters:
        if parameter.dynamic:
            made.set_param_dynamic(parameter.ident)
    _fill(built, made, group, contents)
    built.updates[group.name] = made
    built.kept.append(model)


def _borrowed(built: Built, borrowed: Borrowed) -> Any:
    import pygenn

    if borrowed.group in built.neurons:
        return pygenn.create_egp_ref(built.neurons[borrowed.group], borrowed.target)
    return pygenn.create_wu_egp_ref(built.synapses[borrowed.group], borrowed.target)
