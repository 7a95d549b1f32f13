"""Models by name: the shipped library in kernels/, users' model files, and models inside a network file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

from neuroport.errors import InvalidInput, Place
from neuroport.files import models as read_model
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.numerics.units import Quantity, quoted
from neuroport.yaml import nodes
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import MapNode, Node

Kind = Literal["neuron", "synapse"]
SECTIONS: dict[str, Kind] = {"neurons": "neuron", "synapses": "synapse"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A model's text that has not been read yet."""

    name: str
    kind: Kind
    at: Node
    node: Node
    shipped: bool


@dataclass(slots=True)
class Library:
    """All models that a network can name. Models are read when they are asked for, once."""

    dt: Quantity | None = None
    entries: dict[tuple[Kind, str], Entry] = field(default_factory=dict)
    read: dict[tuple[Kind, str], NeuronModel | SynapseModel | None] = field(default_factory=dict)

    def add(self, report: Report, root: Node | None, shipped: bool = False) -> None:
        """Take the models under `neurons:` and `synapses:` of a mapping; a name that exists is a problem."""
        if not isinstance(root, MapNode):
            return
        for section, kind in SECTIONS.items():
            for name, at, node in report.named(root.get(section), section, "models"):
                known = self.entries.get((kind, name))
                if known is None:
                    self.entries[kind, name] = Entry(name, kind, at, node, shipped)
                    continue
                owner = "neuroport's own library" if known.shipped else "another file"
                text = f"the {kind} model '{name}' exists already in {owner}, at {known.at.place}; choose another name"
                report.add(at, text)

    def names(self, kind: Kind) -> list[str]:
        """The names of all models of a kind."""
        return sorted(name for of, name in self.entries if of == kind)

    def neuron(self, report: Report, name: str, at: Node | Place | None) -> NeuronModel | None:
        """The neuron model of that name, or None with the reason in the report."""
        model = self._get(report, "neuron", name, at)
        return model if isinstance(model, NeuronModel) else None

    def synapse(self, report: Report, name: str, at: Node | Place | None) -> SynapseModel | None:
        """The synapse model of that name, or None with the reason in the report."""
        model = self._get(report, "synapse", name, at)
        return model if isinstance(model, SynapseModel) else None

    def read_all(self, report: Report, file: str) -> None:
        """Read every model of one file, used or not, so that its problems show."""
        for kind, name in list(self.entries):
            if self.entries[kind, name].at.file == file:
                self._get(report, kind, name, None)

    def _get(self, report: Report, kind: Kind, name: str, at: Node | Place | None) -> NeuronModel | SynapseModel | None:
        entry = self.entries.get((kind, name))
        if entry is None:
            report.unknown(at, f"{kind} model", name, self.names(kind))
            return None
        if (kind, name) not in self.read:
            self.read[kind, name] = None
            self.read[kind, name] = self._made(report, entry)
        return self.read[kind, name]

    def _made(self, report: Report, entry: Entry) -> NeuronModel | SynapseModel | None:
        """A model with all that its base has."""
        base = entry.node.get("base") if isinstance(entry.node, MapNode) else None
        given = (report, entry.name, entry.at, entry.node, self.dt)
        if base is None:
            return read_model.neuron(*given) if entry.kind == "neuron" else read_model.synapse(*given)
        name = report.name(base, f"base of {entry.kind} model '{entry.name}'")
        if name is None or not self._ends(report, entry, base):
            return None
        known = self._get(report, entry.kind, name, base)
        if isinstance(known, NeuronModel):
            return read_model.neuron(*given, known)
        return None if known is None else read_model.synapse(*given, known)

    def _ends(self, report: Report, entry: Entry, at: Node) -> bool:
        """Whether the bases of a model come to an end; if not, that is in the report."""
        names, below = [entry.name], entry
        while isinstance(below.node, MapNode) and isinstance(node := below.node.get("base"), nodes.ScalarNode):
            names.append(node.text)
            if node.text in names[:-1]:
                text = f"the bases of {entry.kind} model '{entry.name}' have no end: {' is based on '.join(names)}"
                report.add(at, f"{text}; leave out one of these 'base'")
                return False
            if (entry.kind, node.text) not in self.entries:
                break
            below = self.entries[entry.kind, node.text]
        return True


def shipped(dt: Quantity | None = None) -> Library:
    """A library with all shipped models. Raises InvalidInput if a shipped file is broken."""
    report = Report()
    result = Library(dt)
    for root in _shipped_files():
        result.add(report, root, shipped=True)
    report.stop("")
    return result


def check_file(report: Report, root: Node | None, what: str) -> MapNode | None:
    """The root of a model file, with problems for anything but `neurons:` and `synapses:`."""
    if not isinstance(root, MapNode):
        report.add(root, f"{what} must be a mapping with the keys {', '.join(SECTIONS)}")
        return None
    report.mapping(root, what, tuple(SECTIONS))
    return root


def neuron(name: str) -> NeuronModel:
    """The shipped neuron model of that name. Raises InvalidInput."""
    report = Report()
    model = shipped().neuron(report, name, None)
    report.stop("")
    assert model is not None
    return model


def synapse(name: str) -> SynapseModel:
    """The shipped synapse model of that name. Raises InvalidInput."""
    report = Report()
    model = shipped().synapse(report, name, None)
    report.stop("")
    assert model is not None
    return model


def names() -> list[tuple[str, Kind, str]]:
    """(name, kind, title) of every shipped model, neurons first."""
    result: list[tuple[str, Kind, str]] = []
    library = shipped()
    for (kind, name), entry in sorted(library.entries.items()):
        title = entry.node.get("title") if isinstance(entry.node, MapNode) else None
        result.append((name, kind, title.text if isinstance(title, nodes.ScalarNode) else ""))
    return result


@cache
def _shipped_files() -> tuple[Node, ...]:
    result = []
    for name, file in sorted(_walk(files("neuroport.kernels"), "kernels")):
        root = nodes.parse(file.read_bytes(), name)
        if not isinstance(root, MapNode) or not set(root.entries) <= set(SECTIONS):
            raise InvalidInput.one(Place(name), f"{quoted(name)} must be a mapping with the keys {', '.join(SECTIONS)}")
        result.append(root)
    return tuple(result)


def _walk(folder: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    for item in folder.iterdir():
        path = f"{name}/{item.name}"
        if item.is_dir():
            yield from _walk(item, path)
        elif item.name.endswith(".yaml"):
            yield path, item
