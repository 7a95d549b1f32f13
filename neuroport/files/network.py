"""Network files: YAML text to a Network, with every problem found at once.

A file that uses every part of the syntax is tests/networks/everything.yaml. A file is interpreted section by section in
an order in which names are known before they are used; a part with problems is left out, and its name stays known so
that one mistake gives one message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

from neuroport.chips import description as chips
from neuroport.errors import InvalidInput, Place
from neuroport.files import apart, joined, library, objects, overrides, results
from neuroport.files import metrics as read_metrics
from neuroport.files import stimuli as read_stimuli
from neuroport.files.context import Context
from neuroport.files.copies import copies
from neuroport.files.ports import check_ports, port
from neuroport.files.protocol import check_next, check_readouts, protocol
from neuroport.files.targets import boltzmann
from neuroport.network.network import Network
from neuroport.network.results import Readout
from neuroport.network.stimuli import Stimulus
from neuroport.numerics import units
from neuroport.numerics.given import LARGEST_SEED
from neuroport.numerics.units import Quantity, quoted
from neuroport.stimuli.patterns import check_beside
from neuroport.yaml import nodes
from neuroport.yaml.fields import Report, found
from neuroport.yaml.nodes import MapNode, Node, ScalarNode
from neuroport.yaml.quantities import fitting
from neuroport.yaml.slots import Slot

VERSION = 1
TOP = (
    *(
        "neuroport",
        "name",
        "title",
        "dt",
        "seed",
        "copies",
        "chip",
        "models",
        "neurons",
        "synapses",
        "populations",
        "projections",
    ),
    *("stimuli", "ports", "targets", "readouts", "metrics", "protocol", "record"),
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")

_Part = TypeVar("_Part")


def load(path: str | Path, sets: Sequence[str] = ()) -> Network:
    """The network in a file, with changes `PATH=VALUE` made to it first.

    Raises InvalidInput with all problems, each with its place.
    """
    shown = str(path)
    return loads(nodes.read_bytes(Path(path), shown), shown, str(Path(path).parent), sets)


def loads(
    data: bytes | str, file: str, folder: str = ".", sets: Sequence[str] = (), arrays: apart.Arrays | None = None
) -> Network:
    """The network in a text. `file`: what messages call it; `folder`: where its relative paths start.

    `arrays`: those that lie apart from the text (neuroport.files.apart).
    Raises InvalidInput with all problems, each with its place.
    """
    root = nodes.parse(data, file)
    if root is None:
        raise InvalidInput.one(Place(file), "this file is empty; a network file starts with 'neuroport: 1'")
    if not isinstance(root, MapNode):
        text = f"a network file must be a mapping that starts with 'neuroport: 1'; found {found(root)}"
        raise InvalidInput.one(root.place, text)
    report = Report()
    if arrays is not None:
        root = apart.joined(report, root, arrays)
        report.stop(file)
    network = read(report, overrides.apply(report, root, overrides.written(report, sets), TOP), file, folder)
    report.stop(file)
    assert network is not None
    return network


def read(report: Report, root: MapNode, file: str, folder: str) -> Network | None:
    """The network that a tree describes, or None with all problems in the report.

    `file`: the one that the tree is of, "" if it was in none.
    """
    if "neuroport" not in root.entries and not set(root.entries) & {"populations", "dt"}:
        report.add(root, "this is no network file; a network file has 'neuroport: 1', 'dt' and 'populations'")
        return None
    entries = report.mapping(root, "a network file", TOP, ("neuroport", "name", "dt", "populations"))
    version = entries.get("neuroport")
    if version is not None and not (isinstance(version, ScalarNode) and version.text == str(VERSION)):
        report.add(version, f"the version of the file format must be {VERSION}; found {found(version)}")
    name = _file_name(report, entries.get("name"))
    dt = _step(report, entries.get("dt"))
    seed = report.integer(entries.get("seed"), "seed", 0, LARGEST_SEED)
    chip = _chip(report, entries.get("chip"))
    title = report.text(entries.get("title"), "title")
    context = Context(report, folder, dt, library.shipped(dt))
    _models(context, root, entries.get("models"), file, folder)
    context.targets = _named(context, entries, "targets", boltzmann)
    context.populations = _named(context, entries, "populations", objects.population)
    if "populations" in entries and not context.populations:
        report.add(entries["populations"], "a network needs at least one population; add it under 'populations'")
    context.projections = _named(context, entries, "projections", objects.projection)
    objects.check_twins(context)
    joined.check_units(context)
    count, own = copies(context, entries.get("copies"))
    context.stimuli = _stimuli(context, entries)
    check_beside(report, context.stimuli, entries.get("stimuli"))
    ports = _named(context, entries, "ports", port)
    check_ports(context, ports, entries.get("ports"))
    context.readouts = _readouts(context, entries)
    context.metrics = _named(context, entries, "metrics", read_metrics.metric)
    _distinct(report, entries)
    record = results.recording(context, entries.get("record"))
    items = protocol(context, entries.get("protocol"))
    check_readouts(context, items)
    check_next(context, items)
    if report.problems or name is None or dt is None:
        return None
    return Network(
        name=name,
        title=title or "",
        dt=dt,
        seed=1 if seed is None else seed,
        copies=count,
        own_parameters=own,
        chip=chip or "ideal",
        populations=_all(context.populations),
        projections=_all(context.projections),
        stimuli=_all(context.stimuli),
        ports=_all(ports),
        targets=_all(context.targets),
        protocol=items,
        readouts=_all(context.readouts),
        metrics=_all(context.metrics),
        record=record,
        folder=folder,
        files=tuple(dict.fromkeys(filter(None, [file, *report.files]))),
        place=root.place,
    )


def _file_name(report: Report, node: Node | None) -> str | None:
    text = report.text(node, "name")
    if text is not None and not _NAME.fullmatch(text):
        report.add(node, f"name must be of letters, digits, '_', '-' and '.'; found {quoted(text)}")
        return None
    return text


def _chip(report: Report, node: Node | None) -> str | None:
    name = report.text(node, "chip")
    wrong = chips.problem(name) if name else ""
    if wrong:
        report.add(node, wrong)
    return name


def _step(report: Report, node: Node | None) -> Quantity | None:
    dt = fitting(report, node, Slot("dt", "ms"))
    if dt is not None and dt.number <= 0:
        report.add(node, f"dt must be above zero; found {units.show(dt)}")
        return None
    return dt


def _models(context: Context, root: MapNode, node: Node | None, file: str, folder: str) -> None:
    """Add the models of other files and of this file; read them all, so that all their problems show."""
    report = context.report
    for item in report.items(node, "models"):
        name = report.text(item, "a model file")
        if name is None:
            continue
        path = Path(folder) / name
        try:
            model_root = nodes.parse(nodes.read_bytes(path, str(path), item.place), str(path))
        except InvalidInput as error:
            report.extend(error.problems)
            continue
        if model_root is None:
            report.add(item, f"the model file {quoted(str(path))} is empty; it must have 'neurons' or 'synapses'")
            continue
        report.files.append(str(path))
        context.library.add(report, library.check_file(report, model_root, f"model file {quoted(str(path))}"))
        context.library.read_all(report, str(path))
    context.library.add(report, root)
    own = {at.file for section in library.SECTIONS for at in _keys(root.get(section))}
    for source in {file, *own}:
        context.library.read_all(report, source)


def _keys(node: Node | None) -> list[Node]:
    return [at for _, at, _ in node.values()] if isinstance(node, MapNode) else []


def _named(
    context: Context, entries: dict[str, Node], section: str, read: Callable[[Context, str, Node, Node], _Part | None]
) -> dict[str, _Part | None]:
    """Read every thing of a section."""
    result: dict[str, _Part | None] = {}
    for name, at, node in context.report.named(entries.get(section), section, section):
        result[name] = read(context, name, at, node)
    return result


def _stimuli(context: Context, entries: dict[str, Node]) -> dict[str, Stimulus | None]:
    return cast("dict[str, Stimulus | None]", _named(context, entries, "stimuli", read_stimuli.stimulus))


def _readouts(context: Context, entries: dict[str, Node]) -> dict[str, Readout | None]:
    return cast("dict[str, Readout | None]", _named(context, entries, "readouts", results.readout))


def _all(parts: dict[str, _Part | None]) -> tuple[_Part, ...]:
    return tuple(part for part in parts.values() if part is not None)


def _distinct(report: Report, entries: dict[str, Node]) -> None:
    """Populations, projections and stimuli share one space of names, because OBJECT.NAME must mean one thing."""
    seen: dict[str, tuple[str, Node]] = {}
    for section, kind in (("populations", "population"), ("projections", "projection"), ("stimuli", "stimulus")):
        node = entries.get(section)
        if not isinstance(node, MapNode):
            continue
        for name, at, _ in node.values():
            if name in seen:
                other, first = seen[name]
                report.add(at, f"the {kind} '{name}' has the name of the {other} at {first.place}; rename one of them")
            else:
                seen[name] = (kind, at)
