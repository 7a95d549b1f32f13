"""The weight of a projection: a number, or in the unit of the input that it is added to."""

from __future__ import annotations

from dataclasses import replace

from neuroport.language.dimensions import sends_in_unit_of_weight
from neuroport.network.described import sends
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.network.values import ArrayValue, DataValue, Distribution, FileValue, Frozen, Value
from neuroport.numerics import units
from neuroport.numerics.units import Quantity
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import Node
from neuroport.yaml.slots import Slot
from neuroport.yaml.values import value

PURE = " is a pure number, but "
"""What is said of a quantity where there is to be a number."""


def unit_of_weights(synapse: SynapseModel, target: NeuronModel, input_name: str) -> str:
    """The unit in which the weights of a synapse count that sends them, or them times pure numbers, "" for none.

    That is the one of the input that they are added to. A weight that has a unit of its own has no other.
    """
    unit = next((item.unit for item in target.inputs if item.name == input_name), "")
    if not unit or synapse.weight.unit or synapse.weight.type == "int":
        return ""
    as_it_is = all(to == "the input" and each == "1" for _, to, _, each in sends(synapse))
    return units.coherent_unit(unit) if as_it_is or sends_in_unit_of_weight(synapse, unit) else ""


def weight_of(report: Report, node: Node | None, slot: Slot, unit: str | None) -> Value | None:
    """A weight that may have a unit, see `unit_of_weights`: the same as the number of them that it comes to.

    Without a known target or input there is no unit to hold it against: None, and any will do.
    """
    number = Report()
    read = value(number, node, slot)
    if unit is None:
        number.problems = [problem for problem in number.problems if PURE not in problem.text]
    elif unit and any(PURE in problem.text for problem in number.problems):
        quantity = Report()
        other = value(quantity, node, replace(slot, unit=unit))
        pure = None if other is None else _number(other, unit)
        if pure is not None or quantity.problems:
            number, read = quantity, pure
    report.extend(number.problems)
    report.files.extend(number.files)
    return read


def _number(given: Value, unit: str) -> Value | None:
    """A value as numbers of a unit; None for what is not scaled here."""
    match given:
        case Quantity():
            return Quantity(units.convert(given, unit), "", given.place)
        case Distribution():
            scaled = tuple((name, _argument(quantity, unit)) for name, quantity in given.arguments)
            return replace(given, arguments=scaled)
        case ArrayValue():
            scale = units.convert(Quantity(1, given.unit), unit)
            return replace(given, values=Frozen(given.values.array * scale), unit="")
        case FileValue() | DataValue():
            return given  # scaled where it is read
    return None


def _argument(quantity: Quantity, unit: str) -> Quantity:
    """An argument of a distribution; what has no unit, such as a shape, stays."""
    return Quantity(units.convert(quantity, unit), "", quantity.place) if quantity.unit else quantity
