"""What comes with neuroport as a value, such as neuroport.models["lif"], as the name by which files call it."""

from __future__ import annotations

from typing import Any

from neuroport.build.values import Foreign
from neuroport.chips import description
from neuroport.chips.chip import Chip
from neuroport.files import library
from neuroport.network.model import NeuronModel, SynapseModel

Named = NeuronModel | SynapseModel | Chip
_WHAT: dict[type[Named], str] = {NeuronModel: "neuron model", SynapseModel: "synapse model", Chip: "chip"}


def name_of(value: Any, kind: type[Named]) -> Any:
    """The name of what comes with neuroport; any other value as it is.

    Foreign for one of another kind than is wanted here, and for one that neuroport has not by that name.
    """
    if not isinstance(value, Named):
        return value
    what = _WHAT[type(value)]
    if type(value) is not kind:
        raise Foreign(f"'{value.name}' is a {what}; give a {_WHAT[kind]}")
    if not _comes_with(value):
        raise Foreign(f"the {what} '{value.name}' is none that comes with neuroport; {_REMEDY[kind]}")
    return value.name


_REMEDY: dict[type[Named], str] = {
    NeuronModel: "declare it with neuron(), and give its name",
    SynapseModel: "declare it with synapse(), and give its name",
    Chip: "give the path of its description",
}


def _comes_with(value: Named) -> bool:
    """Whether the name says what the value is."""
    if isinstance(value, Chip):
        return value.name in description.names() and description.load(value.name) == value
    kind: library.Kind = "neuron" if isinstance(value, NeuronModel) else "synapse"
    if (value.name, kind) not in ((name, of) for name, of, _ in library.names()):
        return False
    known = library.neuron(value.name) if kind == "neuron" else library.synapse(value.name)
    return known.yaml == value.yaml
