"""A network that is being written in Python, call by call: `neuroport.Network`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from neuroport.build.calls import Call
from neuroport.build.matrices import Matrices
from neuroport.build.named import name_of
from neuroport.build.values import Foreign, Values, entry, scalar
from neuroport.chips.chip import Chip
from neuroport.errors import InvalidInput, Place, Problem
from neuroport.files import network as reader
from neuroport.files import overrides, writer
from neuroport.files.parts import part_of, split_part
from neuroport.network.model import NeuronModel, SynapseModel
from neuroport.network.network import Network as Written
from neuroport.network.values import Frozen
from neuroport.numerics.given import FLAG, OUTPUT, PATH, TEXT, Kind, found, takes
from neuroport.numerics.units import Quantity
from neuroport.yaml import nodes
from neuroport.yaml.arrays import Sink
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import ListNode, MapNode, Node, ScalarNode

CHANGES = Kind.of("a mapping from paths to values", Mapping)
NAME = "network"


class Network:
    """A network written in Python. Each call adds what a section of a network file says, in the order of the calls:

        net = neuroport.Network(dt="1 ms")
        exc = net.population("exc", 320, "lif", tau_m="15 ms")
        net.project(exc, exc, "static", weight=0.1, connect={"fixed_probability": 0.1})

    Values are what they are in a file: numbers, texts such as "15 ms", lists, mappings for the forms of a file such as
    {"normal": ["-50 mV", "2 mV"]}, and NumPy arrays wherever a file has lists of numbers. Arrays are copied.
    A call returns the name of what it adds. It raises InvalidInput for what no file could hold and for a name that was
    given before; all else is checked, and all problems told at once, by `build`, `to_yaml`, `save` and the functions of
    neuroport that take a network: run, open, compile and the others. What is missing has the default of a file.
    """

    def __init__(
        self,
        dt: str | Quantity,
        *,
        name: str = NAME,
        title: str | None = None,
        seed: int | None = None,
        copies: int | Mapping[str, Any] | None = None,
        chip: str | Chip | None = None,
        folder: str | Path = ".",
    ) -> None:
        """Begin a network. `dt`: its step, "1 ms"; `folder`: where relative paths in it start.

        `chip`: a name, the path of a description, or a chip that comes with neuroport (`neuroport.chips["generic8"]`).
        """
        call = Call("Network")
        self._folder = str(PATH.checked("folder", folder))
        self._files: tuple[str, ...] = ()
        self._root = MapNode(call.whole.file, 0, 0, {"neuroport": entry("neuroport", scalar(1, call.whole))})
        values = Values(call)
        given = {"name": name, "title": title, "dt": dt, "seed": seed, "copies": copies}
        given["chip"] = values.named(chip, "chip", partial(name_of, kind=Chip))
        self._root.entries |= values.entries(_given(given))
        values.stop()
        self._section("populations", call.whole)

    @classmethod
    def of(cls, network: Written | Network) -> Network:
        """A network like another one, loaded or written, to be added to."""
        if isinstance(network, Network):
            return network._with(_copied(network._root))
        whole = KIND.checked("network", network)
        call = Call("Network.of", (whole.name,))
        made = cls(whole.dt, folder=whole.folder or ".")
        data = writer.plain(whole, _Kept(whole.folder, None, Path(whole.folder)))
        root = MapNode(call.whole.file, 0, 0, _entries(call, data))
        return made._with(root, whole.files)

    def models(self, *files: str | Path) -> None:
        """Take the models of model files, whose relative paths start at the folder of the network."""
        values = Values(Call("models"))
        self._list("models", [values.node(file, "files", k) for k, file in enumerate(files)], values)

    def neuron(self, name: str, text: str | None = None, /, **parts: Any) -> str:
        """Declare a neuron model: `text` is what stands under its name in a file, `parts` are the keys of that."""
        return self._model("neuron", name, text, parts)

    def synapse(self, name: str, text: str | None = None, /, **parts: Any) -> str:
        """Declare a synapse model: `text` is what stands under its name in a file, `parts` are the keys of that."""
        return self._model("synapse", name, text, parts)

    def population(
        self,
        name: str,
        size: int,
        neuron: str | NeuronModel,
        *,
        params: Mapping[str, Any] | None = None,
        init: Mapping[str, Any] | None = None,
        ranges: Mapping[str, Any] | None = None,
        mismatch: bool | None = None,
        **parameters: Any,
    ) -> str:
        """Add a population of `size` neurons of a model; its parameters by their names, or in `params`.

        `neuron`: the name of a model, or one that comes with neuroport (`neuroport.models["lif"]`).
        """
        values = Values(Call("population", (name,)))
        neuron = values.named(neuron, "neuron", partial(name_of, kind=NeuronModel))
        given = {"size": size, "neuron": neuron, "init": init, "ranges": ranges, "mismatch": mismatch}
        return self._add(
            "populations", name, values, values.entries(_given(given)) | _parameters(values, params, parameters)
        )

    def project(
        self,
        source: str,
        target: str,
        synapse: str | SynapseModel,
        *,
        connect: Any = None,
        weight: Any = None,
        name: str | None = None,
        input: str | None = None,
        delay: Any = None,
        dendritic_delay: Any = None,
        twin: Any = None,
        modulators: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        init: Mapping[str, Any] | None = None,
        ranges: Mapping[str, Any] | None = None,
        mismatch: bool | None = None,
        **parameters: Any,
    ) -> str:
        """Add a projection, called "SOURCE_TARGET" without a `name`; synapse and parameters as in `population`.

        `source`, `target`: populations, or parts of them, "exc[0:10]"; a `name` of its own then tells it from others.
        `connect`: the name of a rule, a rule as in a file, rows of (source, target), or a matrix (source, target): of
        True and False, or a sparse one of SciPy. A sparse matrix of values, such as a `weight`, says by itself what is
        connected: a synapse for every value that it stores, zeros too. Values are in the order of its rows.
        """
        called: Any = "_".join(split_part(f"{end}")[0] for end in (source, target)) if name is None else name
        matrices = Matrices()
        values = Values(Call("project", (source, target) if name is None else (source, target, name)), matrices.sparse)
        synapse = values.named(synapse, "synapse", partial(name_of, kind=SynapseModel))
        given = {"source": source, "target": target, "input": input, "synapse": synapse, "delay": delay}
        given |= {"dendritic_delay": dendritic_delay, "weight": weight, "twin": twin, "mismatch": mismatch}
        entries = values.entries(_given(given | {"modulators": modulators, "init": init, "ranges": ranges}))
        entries |= _parameters(values, params, parameters) | _connect(values, matrices, connect)
        sizes = self._size(source), self._size(target)
        values.problems += matrices.problems(sizes)
        return self._add("projections", called, values, entries)

    def stimulus(self, name: str, population: str, /, *, input: str | None = None, **kind: Any) -> str:
        """Add a stimulus to a population: `net.stimulus("drive", exc, spikes={"times": times, "neurons": neurons})`."""
        given = {"population": population, **_given({"input": input})}
        return self._keyed("stimulus", "stimuli", name, {**kind, **given})

    def port(self, name: str, /, **what: Any) -> str:
        """Add a port: `net.port("action", spikes=exc)`."""
        return self._keyed("port", "ports", name, what)

    def target(self, name: str, /, **what: Any) -> str:
        """Add a distribution to learn: `net.target("goal", boltzmann={"weights": weights, "biases": biases})`."""
        return self._keyed("target", "targets", name, what)

    def readout(self, name: str, /, **what: Any) -> str:
        """Add a readout: `net.readout("answer", samples={"of": "exc.v"})`."""
        return self._keyed("readout", "readouts", name, what)

    def metric(self, name: str, /, **what: Any) -> str:
        """Add a metric: `net.metric("rate", rate=exc)`."""
        return self._keyed("metric", "metrics", name, what)

    def protocol(self, *items: Mapping[str, Any]) -> None:
        """Add items to what is done: `net.protocol({"run": "100 ms"}, {"measure": ["rate"]})`."""
        values = Values(Call("protocol"))
        self._list("protocol", [values.node(item, "items", k) for k, item in enumerate(items)], values)

    def record(self, **what: Any) -> None:
        """Say what is recorded: `net.record(spikes=[exc], states={"exc.v": "1 ms"})`; several calls add up."""
        values = Values(Call("record"))
        record = self._section("record", values.call.whole)
        new = values.entries(what)
        for key, (at, node) in new.items():
            values.problems += _joined(record, key, at, node)
        values.stop()

    def build(self) -> Written:
        """The finished network, equal to the one that `neuroport.load` reads from a file that says the same.

        Raises InvalidInput with all problems, each with the call that it is about.
        """
        report = Report()
        report.files += self._files
        network = reader.read(report, self._root, "", self._folder)
        report.stop(*dict.fromkeys(_places(self._root)))
        assert network is not None
        return network

    def to_yaml(self) -> str:
        """The text of a network file, with all arrays in it. `neuroport.loads` gives an equal network."""
        return writer.to_yaml(self.build())

    @takes(path=OUTPUT, overwrite=FLAG)
    def save(self, path: str | Path, overwrite: bool = False) -> tuple[Path, ...]:
        """Write a network file, and arrays of more than 64 numbers to an HDF5 file beside it: which files these are.

        An existing one is an error, unless `overwrite` and it is such a file. NotWritten where there is no room.
        """
        return writer.write(self.build(), path, overwrite)

    @takes(changes=CHANGES)
    def with_(self, changes: Mapping[str, Any]) -> Network:
        """A network like this one with other values, by their paths as after --set: {"exc.tau_m": "20 ms"}."""
        given = {TEXT.checked("a path", path): Values(Call("with_", (path,))) for path in changes}
        made = [(path, values.node(changes[path], "value")) for path, values in given.items()]
        report = Report()
        report.extend(problem for values in given.values() for problem in values.problems)
        root = overrides.apply(report, self._root, made, reader.TOP)
        report.stop()
        return self._with(_copied(root))

    def __copy__(self) -> Network:
        """One that is added to by itself."""
        return Network.of(self)

    def __repr__(self) -> str:
        parts = [f"{section} {', '.join(inner)}" for section in _SHOWN if (inner := self._names(section))]
        return f"<neuroport.Network {'; '.join([found(self._text('name')), *parts])}>"

    # ------------------------------------------------------------------------------------------------------- parts

    def _with(self, root: MapNode, files: tuple[str, ...] | None = None) -> Network:
        """Another one with this tree."""
        made = object.__new__(Network)
        made._root, made._folder = root, self._folder
        made._files = self._files if files is None else files
        return made

    def _names(self, section: str) -> list[str]:
        node = self._root.get(section)
        return list(node.entries) if isinstance(node, MapNode) else []

    def _text(self, key: str) -> str:
        node = self._root.get(key)
        return node.text if isinstance(node, ScalarNode) else ""

    def _section(self, name: str, place: Place) -> MapNode:
        """A section that is a mapping, empty where there was none."""
        node = self._root.entries.setdefault(name, entry(name, MapNode(place.file, 0, 0)))[1]
        if isinstance(node, MapNode):
            return node
        raise InvalidInput.one(place, f"'{name}' was made something else than a mapping; nothing can be added to it")

    def _list(self, name: str, items: Sequence[Node], values: Values) -> None:
        """Add to a section that is a list."""
        values.stop()
        place = values.call.whole
        old = self._root.get(name)
        before = [] if old is None else list(old.items) if isinstance(old, ListNode) else [old]
        self._root.entries[name] = entry(name, ListNode(place.file, 0, 0, [*before, *items]))

    def _keyed(self, method: str, section: str, name: str, what: Mapping[str, Any]) -> str:
        values = Values(Call(method, (name,)))
        return self._add(section, name, values, values.entries(what))

    def _model(self, kind: str, name: str, text: str | None, parts: Mapping[str, Any]) -> str:
        values = Values(Call(kind, (name,)))
        if text is None:
            return self._add(f"{kind}s", name, values, values.entries(_dedented(parts)))
        if parts or not TEXT.fits(text):
            raise InvalidInput.one(values.call.whole, "give the model as one text of YAML, or its parts by their names")
        place = values.call.alone
        return self._put(f"{kind}s", name, values, nodes.parse(text, place.file) or MapNode(place.file, 0, 0))

    def _add(self, section: str, name: str, values: Values, entries: dict[str, tuple[Node, Node]]) -> str:
        return self._put(section, name, values, MapNode(values.call.whole.file, 0, 0, entries))

    def _put(self, section: str, name: Any, values: Values, node: Node) -> str:
        """Add something under its name, unless something was wrong with what was given."""
        place = values.call.whole
        inner = self._section(section, place)
        if not isinstance(name, str):
            values.problems.insert(0, Problem(place, f"the name must be a text; found {found(name)}"))
        elif name in inner.entries:
            text = f"the name '{name}' was given before, by {inner.entries[name][0].place}; choose another name"
            values.problems.insert(0, Problem(place, text))
        values.stop()
        inner.entries[str(name)] = (scalar(str(name), place), node)
        return str(name)

    def _size(self, population: object) -> int | None:
        """The number of neurons of a population, or of a part of one, where it is there and says so."""
        section = self._root.get("populations")
        name, inside = split_part(population) if isinstance(population, str) else ("", None)
        node = section.get(name) if isinstance(section, MapNode) else None
        size = node.get("size") if isinstance(node, MapNode) else None
        if not isinstance(size, ScalarNode) or type(size.value) is not int:
            return None
        part = part_of(Report(), size, "", inside, size.value)
        return size.value if part is None else len(part)


_SHOWN = ("populations", "projections", "stimuli")
KIND = Kind.of("a network, as neuroport.load(FILE) or neuroport.Network(…) gives it", Written, Network)


def written(network: Written | Network) -> Written:
    """A network, finished. Raises InvalidInput with all that is wrong with it."""
    return network.build() if isinstance(network, Network) else network


@dataclass(slots=True)
class _Kept(Sink):
    """Leaves arrays as they are."""

    def array(self, values: Frozen, at: str) -> Any:
        return values.array


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the arguments that were given."""
    return {name: value for name, value in arguments.items() if value is not None}


def _entries(call: Call, given: Mapping[str, Any]) -> dict[str, tuple[Node, Node]]:
    values = Values(call)
    entries = values.entries(given)
    values.stop()
    return entries


def _parameters(values: Values, params: Any, named: Mapping[str, Any]) -> dict[str, tuple[Node, Node]]:
    """The entry `params` of what was given as such and by name."""
    given = values.entries(_given({"params": params}))
    own = values.entries(named)
    if not own:
        return given
    node = given["params"][1] if given else MapNode(values.call.whole.file, 0, 0)
    if not isinstance(node, MapNode):
        return given
    for name in own.keys() & node.entries.keys():
        values.problems.append(Problem(own[name][1].place, f"'{name}' is in params too; keep one of the two"))
    return {"params": entry("params", MapNode(node.file, 0, 0, {**node.entries, **own}))}


def _connect(values: Values, matrices: Matrices, connect: Any) -> dict[str, tuple[Node, Node]]:
    """The entry `connect`: what was given, or which pairs matrices have."""
    place = values.call.argument("connect")
    pairs: Node | None = None
    try:
        if connect is not None:
            seen = len(matrices.seen)
            pairs = matrices.connect(connect, place)
            if pairs is None and seen:
                text = f"the matrix of {matrices.seen[0].place} says which neurons are connected; leave connect out, "
                raise Foreign(f"{text}or give the matrix with all of its values, by its toarray()")
        elif matrices.seen:
            pairs = matrices.pairs(matrices.seen[0].place)
    except Foreign as error:
        values.problems.append(Problem(place, str(error)))
        return {}
    if pairs is not None:
        return {"connect": entry("connect", MapNode(pairs.file, 0, 0, {"pairs": entry("pairs", pairs)}))}
    if connect is None:
        return {}
    node = values.node(connect, "connect")
    if isinstance(node, ListNode):
        node = MapNode(node.file, 0, 0, {"pairs": entry("pairs", node)})
    return {"connect": entry("connect", node)}


def _joined(record: MapNode, key: str, at: Node, node: Node) -> Iterator[Problem]:
    """Add to what is recorded: names to a list, entries to a mapping."""
    old = record.get(key)
    if old is None:
        record.entries[key] = (at, node)
    elif isinstance(old, MapNode) and isinstance(node, MapNode):
        for name in old.entries.keys() & node.entries.keys():
            yield Problem(node.entries[name][1].place, f"'{name}' is recorded already; give it once")
        record.entries[key] = (at, MapNode(node.file, 0, 0, {**old.entries, **node.entries}))
    elif key == "spikes":
        record.entries[key] = (at, ListNode(node.file, 0, 0, [*_listed(old), *_listed(node)]))
    else:
        yield Problem(node.place, f"'{key}' was said before; say it once")


def _listed(node: Node) -> Sequence[Node]:
    return node.items if isinstance(node, ListNode) else [node]


def _dedented(value: Any) -> Any:
    """Texts of several lines without the space that they are all indented by."""
    if isinstance(value, str) and "\n" in value:
        return textwrap.dedent(value)
    return {key: _dedented(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _copied(node: Node) -> Any:
    """A copy of a mapping or list, to which can be added."""
    if isinstance(node, MapNode):
        entries = {key: (at, _copied(value)) for key, at, value in node.values()}
        return MapNode(node.file, node.line, node.column, entries)
    if isinstance(node, ListNode) and isinstance(node.items, list):
        return ListNode(node.file, node.line, node.column, [_copied(item) for item in node.items])
    return node


def _places(node: Node) -> Iterator[str]:
    """Where nodes stand, in the order of the tree."""
    yield node.file
    if isinstance(node, MapNode):
        for _, _, value in node.values():
            yield from _places(value)
    elif isinstance(node, ListNode) and isinstance(node.items, list):
        for item in node.items:
            yield from _places(item)
