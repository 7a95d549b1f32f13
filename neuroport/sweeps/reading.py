"""A file that says what a sweep is: the network, the grid, the limits, and which chips count as working."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import neuroport.networks as networks
from neuroport.disk.paths import exists
from neuroport.errors import InvalidInput, Place
from neuroport.program import room
from neuroport.sweeps.asked import KEEP, Asked, Condition, FromFile, Limits, seconds
from neuroport.sweeps.grid import Axis, Wrong, axis, faults, written
from neuroport.yaml.fields import Report
from neuroport.yaml.nodes import MapNode, Node, parse, read_bytes

KEYS = ("network", "grid", "for", "backend", "yield", "limits", "keep")
T = TypeVar("T")


def is_sweep(path: Path) -> bool:
    """Whether a YAML file says what a sweep is, and is no network: it has a grid. InvalidInput where it is no YAML."""
    root = parse(read_bytes(path, str(path)), str(path))
    return isinstance(root, MapNode) and "grid" in root.entries and "populations" not in root.entries


def read(path: Path) -> Asked:
    """The sweep that a file says. InvalidInput has all problems."""
    report = Report()
    root = parse(read_bytes(path, str(path)), str(path))
    entries = report.mapping(root, "a sweep", KEYS, required=("network", "grid"))
    if root is None:
        raise InvalidInput.one(Place(str(path)), "the file is empty; a sweep needs at least `network` and `grid`")
    source = _network(report, entries.get("network"), path.parent)
    asked = Asked(
        source=source or FromFile(Path()),
        axes=tuple(_axes(report, entries.get("grid"), path.parent)),
        duration=_duration(report, entries.get("for")),
        backend=report.text(entries.get("backend"), "backend") or "emulator",
        wanted=tuple(_wanted(report, entries.get("yield"))),
        limits=_limits(report, entries.get("limits")),
        traces="traces" in set(_kept(report, entries.get("keep"))),
    )
    report.extend(faults(asked.axes))
    report.stop(str(path))
    return asked


def found_network(name: str, folder: Path, place: Place | None = None) -> Path:
    """The file of a network by its path, which starts at the folder, or by the name of one that is shipped."""
    path = folder / name
    if exists(path) or name not in networks.names():
        if not exists(path):
            text = f"there is no file '{path}', and no network of that name comes with neuroport; check the path"
            raise InvalidInput.one(place, text)
        return path
    return networks.path(name)


def _network(report: Report, node: Node | None, folder: Path) -> FromFile | None:
    name = report.text(node, "network")
    if node is None or name is None:
        return None
    try:
        return FromFile(found_network(name, folder, node.place))
    except InvalidInput as error:
        report.extend(error.problems)
        return None


def _axes(report: Report, node: Node | None, folder: Path) -> Iterator[Axis]:
    """Paths of chips start at the folder of the file."""
    if node is None:
        return
    if not isinstance(node, MapNode):
        report.add(node, "grid must be a mapping from settings to their values, such as set.recurrent.eta_s: [0, 0.02]")
        return
    for name, at, value in node.values():
        made = _tried(report, at, f"'{name}' in grid", axis, name, written(value), at.place)
        if made is not None and made.name == "chip" and not made.setting:
            yield replace(made, values=[_chip(chip, folder) for chip in made.values])
        elif made is not None:
            yield made


def _chip(name: str, folder: Path) -> str:
    described = name.endswith((".yaml", ".yml")) and not os.path.isabs(name)
    return str(folder / name) if described else name


def _tried(report: Report, at: Node, what: str, made: Callable[..., T], *given: Any) -> T | None:
    """What a function makes of values, or None with the reason in the report."""
    try:
        return made(*given)
    except Wrong as error:
        report.add(at, f"{what} {error}")
        return None


def _duration(report: Report, node: Node | None) -> int | str | None:
    value = None if node is None else written(node)
    if node is not None and (isinstance(value, bool) or not isinstance(value, int | str)):
        report.add(node, "for must be a number of steps or a time, such as 500 or '2 s'")
        return None
    return value


def _wanted(report: Report, node: Node | None) -> Iterator[Condition]:
    for name, at, value in report.named(node, "yield", "conditions, such as dkl: '< 0.03'"):
        yield from _tried(report, value, f"'{name}' in yield", Condition.all_of, name, written(value), at.place) or ()


def _limits(report: Report, node: Node | None) -> Limits:
    entries = report.mapping(node, "limits", ("time", "memory"))
    time, memory = entries.get("time"), entries.get("memory")
    within = None if time is None else _tried(report, time, "time in limits", seconds, written(time))
    most = None
    if memory is not None:
        try:
            most = room.read(str(written(memory)), "memory in limits")
        except InvalidInput as error:
            report.add(memory, str(error))
    return Limits(within, most)


def _kept(report: Report, node: Node | None) -> Iterator[str]:
    for item in report.items(node, "keep"):
        chosen = report.choice(item, "keep", KEEP)
        if chosen is not None:
            yield chosen
