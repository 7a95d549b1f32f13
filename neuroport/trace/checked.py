"""What a trace holds, with the names, kinds and shapes that it must have, and sizes that agree: docs/traces.md.

Every function notes in the file's findings what is wrong; numbers are compared with their bounds when they are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.disk import hdf5
from neuroport.disk.findings import Kind
from neuroport.disk.hdf5 import HIGHEST, NUMBERS, WHOLE, Array, Group, Item, Wanted
from neuroport.disk.paths import MISSING, exists
from neuroport.errors import InvalidInput, Place
from neuroport.trace.segments import parts_folder
from neuroport.trace.write import FORMAT

KIND = Kind("trace", "take a copy of it that is whole, or run its network again")
ROLES = ("state", "weight", "visible")
ARITHMETICS = ("integer", "float64", "float32")
TOPOLOGIES = ("all", "none")
FRAC = (-960, 1100)
"""Binary places with which every raw integer is a finite real number."""


@contextmanager
def opened(path: Path, known: bool = False) -> Iterator[Group]:
    """The root of a trace; raises InvalidInput where there is none, and at its end for what was found wrong.

    `known`: it was opened before.
    """
    if not exists(path):
        parts = parts_folder(path)
        hint = f"; its run did not end: join its parts with 'neuroport show {parts}'" if exists(parts) else ""
        raise InvalidInput.one(Place(str(path)), MISSING + hint)
    with hdf5.opened(path, KIND, known) as root:
        if not root.has("neuroport"):
            text = "is an HDF5 file, but no trace: the group /neuroport is missing"
            raise InvalidInput.one(Place(str(path)), text)
        number = root.group("neuroport").whole("format", default=0)
        root.findings.stop()
        if number != FORMAT:
            text = f"has trace format {number}; this version of neuroport reads format {FORMAT}"
            raise InvalidInput.one(Place(str(path)), text)
        yield root


@dataclass(frozen=True, slots=True)
class Extent:
    """How large things are. `populations`: neurons of all copies together; `synapses`: of each projection, if known.

    `topology`: whether the trace has the synapses. `parts`: of which populations and variables only some neurons, and
    which, of one copy, were recorded. `shared`: the arrays that have a number for each entry of a kernel, and how many.
    """

    steps: int
    dt: float
    copies: int
    populations: Mapping[str, int]
    synapses: Mapping[str, int | None]
    topology: bool
    parts: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    shared: Mapping[str, int] = field(default_factory=dict)

    def shapes(self, owner: str, name: str = "") -> tuple[Wanted, ...]:
        """What shapes the values of a population or projection can have; none where the trace knows no such owner."""
        if name in self.shared:
            size: int | None = self.shared[name]
        elif owner in self.populations:
            size = self.populations[owner] // self.copies
        elif owner in self.synapses:
            size = self.synapses[owner]
        else:
            return ()
        return ((size,),) if self.copies == 1 else ((size,), (size, self.copies))

    def rows(self, owner: str, name: str) -> tuple[Wanted, ...]:
        """What shapes a sample of such values can have: the neurons of all copies stand beside each other."""
        if owner not in self.populations:
            return self.shapes(owner, name)
        size = len(self.parts[name]) * self.copies if name in self.parts else self.populations[owner]
        return tuple((n,) for n in dict.fromkeys((size // self.copies, size)))


def extent(root: Group) -> Extent:
    """The sizes of a trace, and that those of its parts agree."""
    return replace(sizes(root), steps=root.group("neuroport").whole("steps", 0))


def sizes(root: Group) -> Extent:
    """The sizes that are known before the first step."""
    group = root.group("neuroport")
    copies = group.whole("copies", 1, default=1)
    populations = {name: item.whole("size", 0) for name, item in group.groups("populations").items()}
    for name, size in populations.items():
        if size % copies:
            group.findings.add(f"population '{name}' has {size} neurons in {copies} copies")
    topology = one_of(group, "topology", TOPOLOGIES, "all") != "none"
    synapses: dict[str, int | None] = {}
    shared: dict[str, int] = {}
    for name, item in group.groups("projections").items():
        _connected(item, populations)
        synapses[name] = _ends(item)[0].length if topology else None
        shared |= dict.fromkeys(item.text("shared", "").split(), item.whole("entries", 1, default=1))
    dt = group.real("dt")
    if not dt > 0:
        group.findings.add(f"the attribute 'dt' of {group} is {dt:g}; it must be above 0")
    parts = dict(_parts(group, populations, copies))
    return Extent(HIGHEST, dt, copies, populations, synapses, topology, parts, shared)


def _parts(group: Group, populations: Mapping[str, int], copies: int) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Of what only some neurons were recorded, and which."""
    if not group.has("parts"):
        return
    inner = group.group("parts")
    for name in inner.names():
        owner = name.partition(".")[0]
        if owner not in populations:
            inner.findings.add(f"{inner}/{name} is of no population of the trace")
            continue
        neurons = inner.array(name, WHOLE, (None,))
        if neurons.item is None:
            continue
        numbers = neurons.whole_numbers(0, populations[owner] // copies - 1, ascending=True)
        if not len(numbers) or np.any(np.diff(numbers) == 0):
            inner.findings.add(f"{inner}/{name} does not name some neurons, each once")
            continue
        yield name, numbers


def sampled_neurons(part: NDArray[np.int64] | None, width: int) -> NDArray[np.int64]:
    """The numbers of the neurons of a sample of so many, of all or of `part`; of all copies where they are in it."""
    if part is None or not len(part):
        return np.arange(width)
    copies = width // len(part)
    return (part[:, None] * copies + np.arange(copies)).reshape(-1)


def _connected(item: Group, populations: Mapping[str, int]) -> None:
    """Which populations a projection connects, and its weight."""
    for end in ("source", "target"):
        named = item.text(end)
        if named and named not in populations:
            item.findings.add(f"{end} of {item} is '{named}', which is no population of the trace")
    item.text("weight")


def _ends(item: Group) -> tuple[Array, Array]:
    """The presynaptic and postsynaptic neurons of a projection."""
    pre = item.array("pre", WHOLE, (None,))
    return pre, item.array("post", WHOLE, (pre.length,))


def pairs(root: Group, projection: str, sizes: Extent) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The presynaptic and postsynaptic neurons of a projection's synapses."""
    item = root.group("neuroport").group("projections").group(projection)
    found = _ends(item)
    counts = [sizes.populations.get(item.text(end), 0) // sizes.copies for end in ("source", "target")]
    pre, post = (end.whole_numbers(0, count - 1) for end, count in zip(found, counts, strict=True))
    return pre, post


def entries(root: Group, name: str, sizes: Extent) -> NDArray[np.int64]:
    """The kernel's entry of each synapse that has a number of an array that they share."""
    item = root.group("neuroport").group("projections").group(name.partition(".")[0])
    return item.array("entry", WHOLE, (_ends(item)[0].length,)).whole_numbers(0, sizes.shared[name] - 1)


@dataclass(frozen=True, eq=False, slots=True)
class Sampled:
    """Samples of an array in a file."""

    steps: Array
    raw: Array
    frac: int | None
    unit: str


def sampled(group: Group, name: str, sizes: Extent) -> Sampled:
    """Samples of an array, `group`/`name`."""
    item = group.group(name)
    steps = item.array("steps", WHOLE, (None,))
    shapes = [(steps.length, *shape) for shape in sizes.rows(_owner(item, sizes), name)]
    if steps.length == 0:
        item.findings.add(f"{item} holds no sample")
    raw = item.array("raw", NUMBERS, *shapes)
    return Sampled(steps, raw, frac(item), item.text("unit", ""))


def _owner(item: Item, sizes: Extent) -> str:
    """The population or projection whose values these are."""
    owner = item.text("owner")
    if owner and not sizes.shapes(owner):
        item.findings.add(f"{item} belongs to '{owner}', which is no population and no projection of the trace")
    return owner


def frac(item: Item) -> int | None:
    """The binary places of integers, None for real numbers."""
    return item.whole("frac", *FRAC) if item.has_attribute("frac") else None


def spikes(root: Group, population: str) -> tuple[Array, Array]:
    """Times and neurons of a population's spikes."""
    item = root.group("spikes").group(population)
    times = item.array("timestamps", NUMBERS, (None,))
    return times, item.array("node_ids", WHOLE, (times.length,))


def read_spikes(
    root: Group, population: str, sizes: Extent
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Steps, neurons and times of a population's spikes."""
    times, neurons = spikes(root, population)
    found = times.real_numbers(finite=True)
    rounded = np.rint(found / sizes.dt)
    outside = (rounded < 0) | (rounded >= sizes.steps) | (rounded * sizes.dt != found)
    if outside.any():
        text = f"holds {found[outside][0]:g} ms, which is not the time of one of {sizes.steps} steps of {sizes.dt:g} ms"
        times.fail(text)
    steps = rounded.astype(np.int64)
    if np.any(steps[1:] < steps[:-1]):
        times.fail("is not in ascending order")
    numbers = neurons.whole_numbers(0, sizes.populations[population] - 1)
    if population in sizes.parts:
        others = numbers[~np.isin(numbers // sizes.copies, sizes.parts[population])]
        if len(others):
            neurons.fail(f"holds a spike of neuron {others[0]}, which is none of those that are recorded")
    return steps, numbers, found


def counts(group: Group, name: str) -> dict[str, int]:
    """Numbers by name; none where there are none."""
    if not group.has(name):
        return {}
    inner = group.group(name)
    names = inner.texts("names")
    numbers = inner.array("counts", WHOLE, (len(names),))
    return {} if numbers.item is None else dict(zip(names, numbers.whole_numbers(0, HIGHEST).tolist(), strict=True))


def metric(item: Group, sizes: Extent) -> list[tuple[int, Any]]:
    """The measurements of a metric: steps computed before, and a number or a list."""
    steps = item.array("steps", WHOLE, (None,))
    count = steps.length
    values = item.array("values", NUMBERS, (count,), (count, None))
    if steps.item is None or values.item is None:
        return []
    return list(
        zip(steps.whole_numbers(0, sizes.steps, ascending=True).tolist(), values.real_numbers().tolist(), strict=True)
    )


def final(group: Group, name: str, sizes: Extent) -> Array:
    """The values of an array at the end of the run."""
    owner = _owner(group.group("final").array(name, NUMBERS), sizes)
    item = group.group("final").array(name, NUMBERS, *sizes.shapes(owner, name))
    one_of(item, "role", ROLES)
    frac(item)
    return item


def header(group: Group) -> dict[str, Any]:
    """What is known before the first step, by the names that it has in a Trace."""
    return {
        "name": group.text("name"),
        "network_text": group.content("network"),
        "folder": group.text("folder", ""),
        "backend": group.text("backend"),
        "arithmetic": one_of(group, "arithmetic", ARITHMETICS),
        "arithmetic_version": group.whole("arithmetic_version", 1, default=1),
        "chip": group.text("chip"),
        "chip_text": group.content("chip"),
        "chip_description": group.content("chip_description") if group.has("chip_description") else "",
        "chip_seed": group.whole("chip_seed") if group.has_attribute("chip_seed") else None,
        "seed": group.whole("seed"),
        "copy": group.whole("copy", 0, default=0),
        "versions": texts(group.group("versions")),
        "report": report(group),
    }


def own_parameters(group: Group, copies: int) -> dict[str, NDArray[np.float64]]:
    """The values that each copy has of parameters of its own."""
    if not group.has("own"):
        return {}
    inner = group.group("own")
    found = {name: inner.array(name, NUMBERS, (copies,)) for name in inner.names()}
    for array in found.values():
        array.text("unit")
    return {name: array.real_numbers(finite=True) for name, array in found.items() if array.item is not None}


def report(group: Group) -> tuple[Mapping[str, Any], ...]:
    """The report of lowering."""
    try:
        lines = json.loads(group.content("report") or "[]")
    except (ValueError, RecursionError):
        lines = None
    if not isinstance(lines, list) or not all(map(_is_line, lines)):
        group.findings.add(f"{group}/report is no list of what lowering tells")
        return ()
    return tuple(lines)


def _is_line(line: Any) -> bool:
    """Whether this is a line of a report: texts, values by name, and of a format its bits and binary places."""
    if not isinstance(line, dict) or not all(isinstance(line.get(key), str) for key in ("subject", "topic", "text")):
        return False
    values = line.get("values")
    if not isinstance(values, dict) or not all(isinstance(value, int | float | str) for value in values.values()):
        return False
    places = [values.get(key) for key in ("bits", "frac")] if line["topic"] == "format" else []
    return all(isinstance(place, int) and FRAC[0] <= place <= FRAC[1] for place in places)


def one_of(item: Item, name: str, known: Sequence[str], default: str | None = None) -> str:
    """An attribute that is one of some words; `default` if it is absent and that is given."""
    found = item.text(name, default)
    if found and found not in known:
        item.findings.add(f"the attribute '{name}' of {item} is '{found}'; it must be one of {', '.join(known)}")
    return found


def texts(group: Group) -> dict[str, str]:
    """Attributes that are texts."""
    return {name: group.text(name) for name in group.attribute_names()}


def missing(group: Group) -> tuple[tuple[int, int], ...]:
    """From which step to which nothing is known, since parts of the run were lost."""
    if not group.has("missing"):
        return ()
    rows = group.array("missing", WHOLE, (None, 2)).whole_numbers(0, HIGHEST)
    return tuple((int(first), int(last)) for first, last in rows)


def recorded(root: Group, sizes: Extent) -> tuple[str, ...]:
    """The populations whose spikes are in the file."""
    found = tuple(root.groups("spikes"))
    for name in found:
        if name in sizes.populations:
            spikes(root, name)
        else:
            root.findings.add(f"{root.where}/spikes/{name} is of no population of the trace")
    return found


def all_sampled(group: Group, kind: str, sizes: Extent) -> tuple[str, ...]:
    """The arrays with samples, each looked at."""
    found = tuple(group.groups(kind))
    for name in found:
        sampled(group.group(kind), name, sizes)
    return found


def all_final(group: Group, sizes: Extent) -> tuple[str, ...]:
    """The arrays kept from the end of the run, each looked at."""
    names = tuple(group.group("final").names()) if group.has("final") else ()
    for name in names:
        final(group, name, sizes)
    return names


def settings(group: Group, sizes: Extent) -> tuple[str, ...]:
    """The parameters and weights that were set, each looked at."""
    names = tuple(group.group("set").names()) if group.has("set") else ()
    for name in names:
        setting(group, name, sizes)
    return names


def setting(group: Group, name: str, sizes: Extent) -> Array:
    """What a parameter or a weight was set to."""
    shapes = sizes.shapes(name.partition(".")[0], name)
    if not shapes:
        group.findings.add(f"{group}/set/{name} belongs to no population and no projection of the trace")
    own = ((sizes.copies,),) if sizes.copies > 1 else ()
    return group.group("set").array(name, NUMBERS, (), *own, *shapes)
