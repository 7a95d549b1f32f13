"""What a connection rule is, and what rules share: their place in a file and the pairs of all neurons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput
from neuroport.network.network import Network
from neuroport.network.objects import Connect, Population, Projection
from neuroport.numerics.draws import Source
from neuroport.numerics.parts import Part, named
from neuroport.program.laws import Law
from neuroport.program.wiring import Kernel
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import Report, found
from neuroport.yaml.nodes import MapNode, Node, ScalarNode

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Presynaptic and postsynaptic neurons, as long as each other."""
R = TypeVar("R", bound=Connect)


@dataclass(frozen=True, slots=True)
class Side:
    """What is at one end of connections: `size` neurons of a population, all or a `part`, which count from 0."""

    population: str
    size: int
    part: Part | None = None

    @classmethod
    def of(cls, population: Population, part: Part | None = None) -> Side:
        """All or some neurons of a population."""
        return cls(population.name, population.size if part is None else len(part), part)

    @property
    def name(self) -> str:
        """ "a", "a[0:10]"."""
        return named(self.population, self.part)

    def __str__(self) -> str:
        """ "population 'a'", "part 'a[0:10]'"."""
        return f"{'population' if self.part is None else 'part'} '{self.name}'"

    @property
    def neurons(self) -> NDArray[np.int64]:
        """Their numbers in the population."""
        return np.arange(self.size) if self.part is None else self.part.neurons

    def in_population(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers in the population of neurons that count here."""
        return numbers if self.part is None else self.neurons[numbers]

    def within(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """How neurons count here that have these numbers in the population."""
        return numbers if self.part is None else np.searchsorted(self.neurons, numbers)

    def meets(self, other: Side) -> bool:
        """Whether some neurons are of both."""
        alone = None in (self.part, other.part)
        return self.population == other.population and (alone or _all(self).meets(_all(other)))


def _all(side: Side) -> Part:
    return Part.of([range(side.size)]) if side.part is None else side.part


@dataclass(frozen=True, slots=True)
class Ends:
    """The neurons that a rule connects: those of two populations, or of parts of them.

    `folder`: where relative paths of the network start; `draws`: the random numbers of these connections.
    """

    source: Side
    target: Side
    draws: Source
    folder: str = ""

    @classmethod
    def of(cls, projection: Projection, network: Network) -> Ends:
        """Those of a projection."""
        source = Side.of(network.population(projection.source), projection.source_part)
        target = Side.of(network.population(projection.target), projection.target_part)
        return cls(source, target, Source(network.seed, projection.name, "connect"), network.folder)

    @property
    def shape(self) -> tuple[int, int]:
        """The number of presynaptic and of postsynaptic neurons."""
        return self.source.size, self.target.size

    @property
    def same(self) -> bool:
        """Whether the same neurons are at both ends."""
        return self.source == self.target

    @property
    def meet(self) -> bool:
        """Whether some neurons are at both ends."""
        return self.source.meets(self.target)

    def possible(self, self_connections: bool) -> float:
        """How many pairs of neurons there are."""
        sources, targets = self.shape
        return float(sources) * targets - (sources if self.same and not self_connections else 0)

    def own(self, end: Literal["source", "target"]) -> NDArray[np.int64]:
        """Of every neuron at an end its own number at the other one, -1 where it is not there."""
        here, there = (self.source, self.target) if end == "source" else (self.target, self.source)
        at = np.searchsorted(there.neurons, here.neurons)
        is_there = there.neurons[np.minimum(at, there.size - 1)] == here.neurons
        return np.where(is_there & (here.population == there.population), at, -1)


@dataclass(frozen=True, slots=True)
class Entry:
    """What `connect` of a projection says in a file, for the `read` of a rule.

    `key`: the name of the rule; `node`: all that is given; `inner`: what stands under the key, None for the name alone;
    `what`: the projection, for messages. `source`, `target`: None when they could not be read.
    """

    report: Report
    key: str
    node: Node
    inner: Node | None
    what: str
    source: Side | None
    target: Side | None
    folder: str

    @property
    def this(self) -> str:
        """ "connect of projection 'p'"."""
        return f"connect of {self.what}"

    @property
    def named(self) -> str:
        """ "fixed_probability of projection 'p'"."""
        return f"{self.key} of {self.what}"

    def beside(self, key: str) -> Node | None:
        """What stands under another key beside that of the rule."""
        return self.node.get(key) if isinstance(self.node, MapNode) else None

    def options(self, keys: Sequence[str]) -> dict[str, Node] | None:
        """What a rule without a number says: its name alone or a mapping. None with the reason in the report."""
        inner = self.inner
        if isinstance(inner, MapNode):
            return self.report.mapping(inner, self.named, keys)
        if inner is None or (isinstance(inner, ScalarNode) and inner.value is None):
            return {}
        self.report.add(inner, f"{self.named} must be alone or a mapping with the key self; found {found(inner)}")
        return None

    def numbered(self, argument: str) -> dict[str, Node] | None:
        """What a rule with a number says: NUMBER or {ARGUMENT: NUMBER, self: BOOLEAN}. None when it is missing."""
        if isinstance(self.inner, MapNode):
            entries = self.report.mapping(self.inner, self.named, (argument, "self"), (argument,))
            return entries if argument in entries else None
        if self.inner is None:
            self.report.add(self.node, f"{self.this} must say how many: write '{self.key}: NUMBER'")
            return None
        return {argument: self.inner}

    def stored(self) -> bool:
        """Whether synapses are stored, or drawn anew for every spike: `stored: false` beside the rule's name."""
        node = self.beside("stored")
        return node is None or self.report.boolean(node, f"stored of {self.this}") is not False

    def self_connections(self, node: Node | None) -> bool:
        """Whether a neuron may be connected with itself."""
        if node is None:
            return True
        own = self.report.boolean(node, f"self of {self.this}") is not False
        if self.source and self.target and not self.source.meets(self.target):
            two = "populations" if self.source.population != self.target.population else "parts without a common neuron"
            self.report.add(node, f"self of {self.this} has no meaning between two {two}; leave it out")
        return own


def no_count(connect: Connect, shape: tuple[int, int]) -> int | None:
    """Of a rule for which values are given as a matrix only."""
    return None


@dataclass(frozen=True, eq=False)
class Rule(Generic[R]):
    """How a projection can choose its pairs of neurons.

    `value`: the class of what a network file says. `read`: out of a file, None with the reason in the report; `write`:
    as it stands in a file, where an array is called by the text if it is large. `beside`: further keys of `connect`
    beside the rule's name.
    `expected`: about how many pairs it makes. `pairs`: makes them, sorted by presynaptic, then postsynaptic neuron; may
    raise InvalidInput. `drawn`: they depend on the seed.
    `ordered`: the pairs have an order of their own instead, in which lists of values give one for each. `count`: how
    many values a list of one per pair has, by the numbers of neurons; None where that is not known or there is no such
    list, so that values are a matrix (source, target).
    `law`: by which rows between whole populations are drawn, of a rule that draws every row from its own number.
    `axes`, `wiring`: of a rule whose synapses share the entries of a kernel, its shape and the synapses; values are
    those of the entries.
    """

    value: type[R]
    read: Callable[[Entry], R | None]
    write: Callable[[R, Sink, str], Any]
    expected: Callable[[R, Ends], float]
    pairs: Callable[[R, Ends], Pairs]
    beside: tuple[str, ...] = ()
    drawn: bool = False
    ordered: bool = False
    law: Callable[[R, Ends], Law] | None = None
    axes: Callable[[R], tuple[int, ...]] | None = None
    wiring: Callable[[R], Kernel] | None = None
    count: Callable[[R, tuple[int, int]], int | None] = no_count

    def drawn_by(self, connect: R, ends: Ends) -> Law | None:
        """The law by which it draws a projection; None where it has none, and of parts of populations."""
        whole = (ends.source.part, ends.target.part) == (None, None)
        return self.law(connect, ends) if self.law is not None and whole else None


def written_numbered(
    key: str, argument: str, number: float, self_connections: bool, stored: bool = True
) -> dict[str, Any]:
    """What `Entry.numbered` and `Entry.stored` read."""
    written: dict[str, Any] = {key: number if self_connections else {argument: number, "self": False}}
    return written if stored else written | {"stored": False}


def without_self(pairs: Pairs, ends: Ends, self_connections: bool) -> Pairs:
    """The pairs but those of a neuron with itself, if these are not wanted."""
    if self_connections or not ends.meet:
        return pairs
    pre, post = pairs
    keep = pre != post if ends.same else ends.source.neurons[pre] != ends.target.neurons[post]
    return pre[keep], post[keep]


def same_sizes(entry: Entry) -> bool:
    """Whether both populations have as many neurons, as far as they could be read; if not, that is told."""
    source, target = entry.source, entry.target
    if source is None or target is None or source.size == target.size:
        return True
    text = f"{entry.named} needs populations of equal size; found {source.size} and {target.size}"
    entry.report.add(entry.node, text)
    return False


def refuse_unequal(connect: Connect, name: str, ends: Ends) -> None:
    """Raise InvalidInput when the populations have not as many neurons as each other."""
    sources, targets = ends.shape
    if sources != targets:
        sizes = f"'{ends.source.name}' has {sources}, '{ends.target.name}' {targets}"
        raise InvalidInput.one(connect.place, f"{name} needs populations of equal size; {sizes}")
