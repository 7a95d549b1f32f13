"""The ports of a program: what they lead to, in coherent units, with the ranges that a chip's formats rely on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from neuroport.elaborate.state import Elaboration
from neuroport.errors import Problem
from neuroport.network import ports
from neuroport.network.model import Input, Parameter, State
from neuroport.network.network import Network
from neuroport.numerics import units
from neuroport.program.ir import Int
from neuroport.program.machine import Port

_Declared = Input | State | Parameter


def made_ports(made: Elaboration) -> tuple[Port, ...]:
    """The ports of the network; problems are noted of those that lead nowhere or whose numbers have no bounds."""
    declared = dict(_declared(made.network))
    return tuple(port for each in made.network.ports for port in _port(made, each, declared))


def room_for_ports(made: Elaboration) -> None:
    """Let inputs of whole numbers be all that a host may add to them."""
    for port in made.network.ports:
        array = made.arrays.get(port.target)
        if port.range is not None and array is not None and isinstance(array.type, Int):
            low, high = (int(end) for end in port.range)
            wide = replace(array.type, lo=min(array.type.lo, low), hi=max(array.type.hi, high))
            made.arrays.change(replace(array, type=wide))


def _declared(network: Network) -> Iterator[tuple[str, _Declared]]:
    """What a port can lead to, by its full name."""
    for population in network.populations:
        model = population.neuron
        for part in (model.inputs, model.states, model.parameters):
            yield from ((f"{population.name}.{x.name}", x) for x in part)
    for projection in network.projections:
        synapse = projection.synapse
        for part in (synapse.states, synapse.parameters):
            yield from ((f"{projection.name}.{x.name}", x) for x in part)


def _port(made: Elaboration, port: ports.Port, declared: dict[str, _Declared]) -> Iterator[Port]:
    if port.direction == "spikes":
        sizes = {p.name: p.size for p in made.network.populations if p.neuron.spike is not None}
        if port.target in sizes:
            size = sizes[port.target] if port.part is None else len(port.part)
            yield Port(port.name, "spikes", port.target, size, "int", "", None, False, port.place, port.part)
        else:
            _lost(made, port, "population that spikes")
        return
    what, array = declared.get(port.target), made.arrays.get(port.target)
    fixed = isinstance(what, Parameter) and not what.dynamic
    if what is None or array is None or fixed or isinstance(what, Input) != (port.direction == "inject"):
        _lost(made, port, "input" if port.direction == "inject" else "variable")
        return
    designed = made.designed.get(port.target)
    limits = array.range if designed is None else designed.range
    if port.direction == "inject":
        limits = limits if port.range is None else made.materialiser.limits(port.range, what.unit)
        _check_injected(made, port, limits)
    if made.chip.integer and limits is None and (port.direction == "inject" or port.writable):
        _unbounded(made, port)
    unit = units.coherent_unit(what.unit) if what.unit else ""
    size = 1 if array.at == "scalar" or array.role == "parameter" else len(array.initial)
    size = size if port.part is None else len(port.part)
    yield Port(
        port.name, port.direction, port.target, size, what.type, unit, limits, port.writable, port.place, port.part
    )


def _lost(made: Elaboration, port: ports.Port, what: str) -> None:
    made.problems.append(Problem(port.place, f"port '{port.name}': '{port.target}' is no {what} of this network"))


def _check_injected(made: Elaboration, port: ports.Port, limits: tuple[float, float] | None) -> None:
    """What a port takes by default is the range of its input; nothing is injected where that would be no 0."""
    if limits is not None and not limits[0] <= 0 <= limits[1]:
        text = f"port '{port.name}' has the range of {port.target}, {limits[0]:g} .. {limits[1]:g}, and that does not "
        text += "hold 0, which is what a neuron gets where nothing is injected; give the port a range"
        made.problems.append(Problem(port.place, text))


def _unbounded(made: Elaboration, port: ports.Port) -> None:
    owner, _, name = port.target.partition(".")
    if port.direction == "inject":
        does, remedy = "adds to", "give the port one: range: [LOW, HIGH]"
    else:
        does, remedy = "writes", f"declare it: `ranges: {{{name}: [LOW, HIGH]}}` at '{owner}'"
    text = f"port '{port.name}' {does} {port.target}, which has no range, and chip '{made.chip.name}' takes number "
    made.problems.append(Problem(port.place, f"{text}formats from ranges; {remedy}"))
