"""Going on with a run that was stopped: what it left, a folder of parts or a trace that says that it is incomplete.

A trace is first made the beginning of a folder of parts again, cut where its checkpoint is; the trace stays until what
comes of the run takes its place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from neuroport.disk import hdf5, tree
from neuroport.disk.findings import DAMAGE, reason
from neuroport.disk.hdf5 import NUMBERS
from neuroport.disk.output import new_hdf5, target
from neuroport.disk.tree import Tree
from neuroport.errors import InvalidInput, Place
from neuroport.trace import checked, pieces
from neuroport.trace.arrays import ARRAYS, network_array
from neuroport.trace.checked import KIND
from neuroport.trace.read import Trace, open_trace
from neuroport.trace.segments import (
    CHECKPOINT,
    RECORDED,
    Parts,
    has_checkpoint,
    has_ended,
    how_to_join,
    parts_folder,
    segment,
    segments,
)
from neuroport.trace.write import Resumed

GROUP = "checkpoint"
HEADER = (
    *("network", ARRAYS, "chip", "chip_description", "report", "versions", "instance"),
    *("populations", "parts", "own", "projections"),
)
"""What of a trace is known before its first step."""
ENDS = ("steps", "digest", "complete", "build_s", "run_s")
"""The attributes that are known at its end only."""
AT_ONCE = 2**20
"""So many numbers are copied in a piece."""


@dataclass(frozen=True, eq=False, slots=True)
class Stopped:
    """What there is of a run that was stopped: its parts, locked, its header, and what it can go on from.

    `chip`: the description of its chip, as YAML. `factors`: of a chip instance that came from a file. `is_split`: the
    parts were just made of its trace.
    """

    parts: Parts
    header: Mapping[str, Any]
    chip: str
    factors: dict[str, NDArray[np.float64]]
    checkpoint: Tree
    resumed: Resumed
    is_split: bool

    def array(self, name: str) -> NDArray[Any] | None:
        """An array of its network that lies apart from the text; None where there is none."""
        return network_array(segment(self.parts.folder, 0), pieces.KIND, name)

    def give_back(self) -> None:
        """Leave what there was as it was."""
        _given_back(self.parts, self.is_split)


def _given_back(parts: Parts, is_split: bool) -> None:
    if is_split:
        parts.remove()
    else:
        parts.let_go()


def stopped(path: str | Path, overwrite: bool = False) -> Stopped:
    """What a run that was to write the trace `path` left. InvalidInput if there is nothing to go on from.

    The folder of parts is then this process's, and is given back in any other case. With `overwrite`, a trace that was
    there before that run and is none of it is replaced in the end, as the run was told to.
    """
    if not target(path).exists() and not parts_folder(path).is_dir():
        raise InvalidInput.one(Place(str(path)), "there is neither a trace nor the parts of an interrupted run here")
    parts, is_split = Parts.resume(path), False
    try:
        if has_ended(path):
            parts.clear()
        if not (segments(parts.folder) and has_checkpoint(parts.folder)):
            _nothing_recorded(parts)
            is_split = True
            _split(parts)
        resumed, written = _checkpoint(parts)
        _whole(parts, resumed)
        return _stopped(parts, resumed, written, overwrite, is_split)
    except BaseException:
        _given_back(parts, is_split)
        raise


def _nothing_recorded(parts: Parts) -> None:
    """InvalidInput where a run left parts, but nothing to go on from; or left nothing, and there is no trace."""
    if any(path != segment(parts.folder, 0) for path in segments(parts.folder)):
        text = f"its run left parts in '{parts.folder}', but no checkpoint to go on from; join them with "
        raise InvalidInput.one(Place(str(parts.path)), f"{text}{how_to_join(parts.folder)}, and run it again")
    if not target(parts.path).exists():
        text = "its run was stopped before it had recorded anything; run it again"
        raise InvalidInput.one(Place(str(parts.path)), text)


def _checkpoint(parts: Parts) -> tuple[Resumed, Tree]:
    """What there is until the last checkpoint, and it itself."""
    own = parts.folder / CHECKPOINT
    path = own if own.exists() else segment(parts.folder, 0)
    with hdf5.opened(path, pieces.KIND) as root:
        number = root.whole("segments", 1) if path == own else 1
        run_s = root.real("run_s", 0.0)
        return Resumed(number, False, root.has(RECORDED), run_s), tree.read(root.group(GROUP))


def _whole(parts: Parts, resumed: Resumed) -> None:
    """InvalidInput if one of the segments before the checkpoint, or what it has itself, is missing or damaged."""
    wanted = [segment(parts.folder, k) for k in range(resumed.number)]
    missing = [path for path in wanted if not path.exists()]
    if missing:
        text = f"'{missing[0].name}' is missing, so that the run cannot be gone on with; run it again"
        raise InvalidInput.one(Place(str(parts.folder)), text)
    pieces.check(wanted, parts.folder / CHECKPOINT if resumed.is_more else None)


def _stopped(parts: Parts, resumed: Resumed, written: Tree, overwrite: bool, is_split: bool) -> Stopped:
    with hdf5.opened(segment(parts.folder, 0), pieces.KIND) as root:
        group = root.group("neuroport")
        header, chip = checked.header(group), group.content("chip_description")
        kinds = group.group("instance").names() if group.has("instance") else []
        factors = {kind: group.group("instance").array(kind, NUMBERS, (2, None)).real_numbers() for kind in kinds}
    there = target(parts.path).exists()
    replaces = there and _is_of(open_trace(parts.path), header)
    if there and not replaces and not overwrite:
        text = "is a trace of another run, which the one that left parts here was to replace; add --overwrite to go on"
        raise InvalidInput.one(Place(str(parts.path)), text)
    return Stopped(parts, header, chip, factors, written, replace(resumed, replaces=replaces), is_split)


def _is_of(trace: Trace, header: Mapping[str, Any]) -> bool:
    """Whether a trace is an earlier piece of the run with this header."""
    same = (trace.network_text, trace.chip_text, trace.chip_seed, trace.seed, trace.copy)
    known = ("network_text", "chip_text", "chip_seed", "seed", "copy")
    return not trace.complete and same == tuple(header[k] for k in known)


# ------------------------------------------------------------------------------- a trace as the beginning of parts


def _split(parts: Parts) -> None:
    """Make the one segment that has what a trace recorded until its checkpoint, and the checkpoint."""
    path, place = parts.path, Place(str(parts.path))
    trace = open_trace(path)
    if trace.complete:
        raise InvalidInput.one(place, f"is the trace of a run that came to its end after {trace.steps:,} steps")
    with hdf5.opened(path, KIND, known=True) as root:
        group = root.group("neuroport")
        if not group.has(GROUP):
            raise InvalidInput.one(place, "is incomplete, and has no checkpoint to go on from; run its network again")
        written = tree.read(group.group(GROUP))
    with _readable(path), h5py.File(path, "r") as old, new_hdf5(parts.number(0), parts.folder) as new:
        _Cut(old, new, trace, written).write()


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        text = f"this trace is damaged: it cannot be read ({reason(error)}); {KIND.advice}"
        raise InvalidInput.one(Place(str(path)), text) from None


class _Cut:
    """What a trace has of the steps before its checkpoint, as a segment."""

    def __init__(self, old: h5py.File, new: h5py.File, trace: Trace, written: Tree) -> None:
        self.old, self.new, self.trace = old, new, trace
        self.step = _at(written, "state", "step")
        self.results = _at(written, "host", "measured", "results")

    def write(self) -> None:
        """All of it."""
        old, new = self.old["neuroport"], self.new.create_group("neuroport")
        new.attrs.update({name: value for name, value in old.attrs.items() if name not in ENDS})
        self.new.attrs["run_s"] = self.trace.run_s
        for name in HEADER:
            if name in old:
                old.copy(name, new)
        for kind in ("spikes", "rows", "metrics"):
            self.new.create_group(kind, track_order=True)
        for name in self.old["spikes"]:
            self._spikes(name)
        for name, group in (*old["records"].items(), *old["weights"].items()):
            self._columns(f"rows/{name}", group, bisect_left(group["steps"], self.step))
        for name, group in old["metrics"].items():
            self._columns(f"metrics/{name}", group, len(_at(self.results, name, "steps")))
        old.copy(GROUP, self.new)

    def _spikes(self, name: str) -> None:
        group, dt = self.old[f"spikes/{name}"], self.trace.dt
        count = bisect_left(group["timestamps"], self.step * dt)
        if count:
            new = self.new.create_group(f"spikes/{name}")
            self._copied(group["timestamps"], new, "steps", count, dt)
            self._copied(group["node_ids"], new, "neurons", count)

    def _columns(self, path: str, group: h5py.Group, count: int) -> None:
        if count:
            new = self.new.create_group(path)
            new.attrs.update(group.attrs)
            for name in ("steps", "raw", "values"):
                if name in group:
                    self._copied(group[name], new, name, count)

    def _copied(self, old: h5py.Dataset, new: h5py.Group, name: str, count: int, dt: float | None = None) -> None:
        """The first `count` rows, piece by piece; of times the steps."""
        whole = dt is not None or name == "neurons"
        made = new.create_dataset(name, (count, *old.shape[1:]), np.int64 if whole else old.dtype)
        piece = max(AT_ONCE // max(int(np.prod(old.shape[1:])), 1), 1)
        for start in range(0, count, piece):
            values = old[start : min(start + piece, count)]
            made[start : start + len(values)] = values if dt is None else np.rint(values / dt).astype(np.int64)


def _at(written: Tree, *names: str) -> Any:
    found: Any = written
    for name in names:
        found = found[name]
    return found
