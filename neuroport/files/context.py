"""What the parts of a network file need to know of each other while they are read."""

from __future__ import annotations

from dataclasses import dataclass, field

from neuroport.connections import Side
from neuroport.files.library import Library
from neuroport.files.parts import part_of, split_part
from neuroport.metrics import Metric
from neuroport.network.model import Input, NeuronModel, Parameter, State, SynapseModel
from neuroport.network.objects import Population, Projection
from neuroport.network.results import Readout
from neuroport.network.stimuli import Boltzmann, Stimulus
from neuroport.numerics.parts import Part
from neuroport.numerics.units import Quantity, quoted, suggestion
from neuroport.yaml.fields import Report, listing
from neuroport.yaml.nodes import Node, ScalarNode


@dataclass(slots=True)
class Context:
    """The network so far. A name that maps to None exists, but its own problems are in the report already."""

    report: Report
    folder: str
    dt: Quantity | None
    library: Library
    populations: dict[str, Population | None] = field(default_factory=dict)
    projections: dict[str, Projection | None] = field(default_factory=dict)
    stimuli: dict[str, Stimulus | None] = field(default_factory=dict)
    targets: dict[str, Boltzmann | None] = field(default_factory=dict)
    readouts: dict[str, Readout | None] = field(default_factory=dict)
    metrics: dict[str, Metric | None] = field(default_factory=dict)

    def target_sizes(self) -> dict[str, int]:
        """Number of units of every target that could be read."""
        return {name: len(target.biases.array) for name, target in self.targets.items() if target}

    def population(self, at: Node, what: str) -> tuple[str | None, Part | None]:
        """A population and which of its neurons `cells` or `cells[0:10]` names; None with the reason in the report."""
        text = self.report.text(at, what)
        if text is None:
            return None, None
        name, inside = split_part(text)
        if name not in self.populations:
            self.report.unknown(at, "population", name, list(self.populations))
            return None, None
        population = self.populations[name]
        return name, part_of(self.report, at, what, inside, population.size) if population else None

    def neurons(self, node: Node | None, what: str) -> tuple[str | None, Part | None]:
        """As `population`, where a name alone is told like any other reference."""
        if not isinstance(node, ScalarNode) or split_part(node.text)[1] is None:
            return self.report.reference(node, "population", self.populations), None
        return self.population(node, what)

    def side(self, node: Node | None, what: str) -> tuple[str | None, Side | None]:
        """A population that is one end of a projection, by name, and its neurons there; None with the reason told."""
        before = len(self.report.problems)
        name, part = self.neurons(node, what)
        population = self.populations.get(name or "")
        known = population is not None and len(self.report.problems) == before
        return name, Side.of(population, part) if population is not None and known else None

    def split(self, at: Node, what: str, text: str) -> tuple[Population | Projection, str] | None:
        """The object and the name behind it in a text OBJECT.NAME; None with the reason in the report."""
        whole, inside = split_part(text)
        if inside is not None and "." in whole:
            self.report.add(at, of_all(what, text, whole))
            return None
        owner, dot, name = text.partition(".")
        if not dot or not name:
            self.report.add(at, f"{what} must be written OBJECT.NAME, such as units.x; found {quoted(text)}")
            return None
        objects = {**self.populations, **self.projections}
        if owner not in objects:
            whole, inside = split_part(owner)
            if whole in objects and inside is not None:
                wanted = f"write {quoted(f'{whole}.{name}[{inside}]')}"
                self.report.add(at, f"{what}: which neurons are meant stands last; {wanted}")
            else:
                self.report.unknown(at, "population or projection", owner, list(objects))
            return None
        found = objects[owner]
        return None if found is None else (found, name)

    def variable(self, at: Node, what: str, text: str) -> tuple[Population | Projection, State] | None:
        """The object and the state variable that OBJECT.VARIABLE names; None with the reason in the report."""
        parts = self.split(at, what, text)
        if parts is None:
            return None
        owner, name = parts
        for state in model_of(owner).states:
            if state.name == name:
                return owner, state
        names = [f"{owner.name}.{state.name}" for state in model_of(owner).states]
        hint = suggestion(text, names)
        self.report.add(at, f"{what}: {label(owner)} has no variable {quoted(name)}; {hint}{listing(names)}")
        return None

    def parameter(self, at: Node, what: str, text: str) -> tuple[Population | Projection, Parameter] | None:
        """The object and the parameter that OBJECT.PARAMETER names; None with the reason in the report."""
        parts = self.split(at, what, text)
        if parts is None:
            return None
        owner, name = parts
        parameters = model_of(owner).parameters
        for parameter in parameters:
            if parameter.name == name:
                return owner, parameter
        names = [f"{owner.name}.{parameter.name}" for parameter in parameters]
        hint = suggestion(text, names)
        self.report.add(at, f"{what}: {label(owner)} has no parameter {quoted(name)}; {hint}{listing(names)}")
        return None


def model_of(owner: Population | Projection) -> NeuronModel | SynapseModel:
    """The model of a population or projection."""
    return owner.neuron if isinstance(owner, Population) else owner.synapse


def label(owner: Population | Projection) -> str:
    """ "population 'units'" for messages."""
    kind = "population" if isinstance(owner, Population) else "projection"
    return f"{kind} '{owner.name}'"


def of_all(what: str, text: str, whole: str) -> str:
    """That a part stands where all elements are meant, and what to write."""
    return f"{what} is of all elements, and {quoted(text)} of some; write {quoted(whole)}"


def not_added(declared: Input, population: str) -> str:
    """Why nothing can be added to an input of which the largest is taken, and what to do."""
    return (
        f"adds to input '{declared.name}' of population '{population}', which takes the largest of what synapses send "
        f"(reduce: max); let it go to another input"
    )


def input_of(context: Context, node: Node | None, at: Node, what: str, target: Population) -> str | None:
    """The input that something is added to: the named one, or the only one of the target's model."""
    inputs = [item.name for item in target.neuron.inputs]
    if node is None:
        if len(inputs) == 1:
            return inputs[0]
        model = f"neuron model '{target.neuron.name}' has the inputs {', '.join(inputs)}"
        if not inputs:
            context.report.add(
                at, f"{what}: neuron model '{target.neuron.name}' has no input; choose another population"
            )
        else:
            context.report.add(at, f"{what} lacks 'input', and {model}; name one of them")
        return None
    return context.report.reference(node, "input", inputs)
