"""Joining the segments of a run into one trace file, at its end or after a crash.

The file has SONATA's spikes and reports (uncompressed, so that every SONATA reader opens them) and the group
/neuroport with everything else: docs/traces.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neuroport.errors import InvalidInput, Place
from neuroport.trace.pieces import check
from neuroport.trace.segments import Lock, check_output, parts_folder, segments, settle

MAGIC = 0x0A7A
SONATA_VERSION = (0, 1)
SORTING = {"none": 0, "by_id": 1, "by_time": 2}
ROWS_AT_ONCE = 2**22


def repair(path: str | Path, overwrite: bool = False) -> Path:
    """Join the parts of an interrupted run, given as `OUT.h5` or `OUT.h5.part`; the parts are removed.

    Raises InvalidInput if there are none, if the run is still writing them, or if OUT.h5 exists (unless `overwrite`).
    """
    given = Path(path)
    folder = given if given.suffix == ".part" else parts_folder(given)
    out = folder.with_suffix("")
    if not folder.is_dir():
        raise InvalidInput.one(Place(str(given)), "there is neither a trace nor the parts of an interrupted run here")
    if out.exists() and not overwrite:
        text = f"cannot be joined: '{out}' exists, from an earlier run; move it away first"
        raise InvalidInput.one(Place(str(folder)), text)
    check_output(out, overwrite, parts=False)
    lock = Lock(folder)
    try:
        if not lock.take():
            raise InvalidInput.one(Place(str(folder)), "a run is still writing these parts; wait until it ends")
        if not segments(folder):
            raise InvalidInput.one(Place(str(folder)), "holds no complete part of a trace; remove the folder")
        check(segments(folder))
        join(folder, out)
    finally:
        lock.release()
    import shutil

    shutil.rmtree(folder)
    return out


def join(folder: Path, out: Path) -> None:
    """Write the one file from the segments: under another name first, then renamed over `out`."""
    temporary = folder / "joined.tmp"
    with _opened(segments(folder)) as parts, h5py.File(temporary, "w", libver="v110") as file:
        file.attrs["magic"] = np.uint32(MAGIC)
        file.attrs["version"] = np.array(SONATA_VERSION, dtype=np.uint32)
        parts[0].copy("neuroport", file)
        group = file["neuroport"]
        file.create_group("spikes", track_order=True)
        for name in ("records", "weights", "metrics"):
            group.create_group(name, track_order=True)
        _join_spikes(file, parts)
        _join_rows(file, parts)
        _join_metrics(group, parts)
        _join_end(group, parts)
    settle(temporary, out)


@contextmanager
def _opened(paths: Sequence[Path]) -> Iterator[list[h5py.File]]:
    with ExitStack() as stack:
        yield [stack.enter_context(h5py.File(path, "r")) for path in paths]


def _children(parts: Sequence[h5py.File], name: str) -> list[str]:
    """Names found in a group of any part, each once, in order of appearance."""
    return list(dict.fromkeys(child for part in parts if name in part for child in part[name]))


def _concatenate(target: h5py.Group, name: str, sources: Sequence[h5py.Dataset]) -> h5py.Dataset:
    """A data set with the rows of all sources one after another, copied piece by piece."""
    rows = sum(len(source) for source in sources)
    dtype = np.result_type(*[source.dtype for source in sources])
    result = target.create_dataset(name, shape=(rows, *sources[0].shape[1:]), dtype=dtype)
    at = 0
    for source in sources:
        width = max(int(np.prod(source.shape[1:])), 1)
        piece = max(ROWS_AT_ONCE // width, 1)
        for start in range(0, len(source), piece):
            values = source[start : start + piece]
            result[at : at + len(values)] = values
            at += len(values)
    return result


def _join_spikes(file: h5py.File, parts: Sequence[h5py.File]) -> None:
    dt = float(file["neuroport"].attrs["dt"])
    populations = file["neuroport/populations"]
    names = [name for name in populations if populations[name].attrs["recorded"]]
    names += [name for name in _children(parts, "spikes") if name not in names]
    enum = h5py.enum_dtype(SORTING, basetype="u1")
    for name in names:
        group = file.create_group(f"spikes/{name}")
        group.attrs.create("sorting", SORTING["by_time"], dtype=enum)
        sources = [part[f"spikes/{name}"] for part in parts if f"spikes/{name}" in part]
        count = sum(len(source["steps"]) for source in sources)
        times = group.create_dataset("timestamps", shape=(count,), dtype=np.float64)
        nodes = group.create_dataset("node_ids", shape=(count,), dtype=np.uint64)
        times.attrs["units"] = "ms"
        at = 0
        for source in sources:
            steps, neurons = source["steps"][()], source["neurons"][()]
            times[at : at + len(steps)] = steps * dt
            nodes[at : at + len(steps)] = neurons.astype(np.uint64)
            at += len(steps)


def _join_rows(file: h5py.File, parts: Sequence[h5py.File]) -> None:
    """Population arrays become native records and SONATA reports; projection arrays become weight snapshots."""
    group = file["neuroport"]
    names = _children(parts, "rows")
    per_owner: dict[str, int] = {}
    for name in names:
        per_owner[name.partition(".")[0]] = per_owner.get(name.partition(".")[0], 0) + 1
    for name in names:
        sources = [part[f"rows/{name}"] for part in parts if f"rows/{name}" in part]
        owner = name.partition(".")[0]
        synaptic = owner in group["projections"]
        record = group.create_group(f"{'weights' if synaptic else 'records'}/{name}")
        record.attrs.update(sources[0].attrs)
        _concatenate(record, "steps", [source["steps"] for source in sources])
        _concatenate(record, "raw", [source["raw"] for source in sources])
        if not synaptic:
            _report(file, owner if per_owner[owner] == 1 else name, name, record)


def _report(file: h5py.File, label: str, name: str, record: h5py.Group) -> None:
    """A SONATA report of one variable of one population: the same numbers as float32, with times."""
    dt = float(file["neuroport"].attrs["dt"])
    steps, raw = record["steps"][()], record["raw"]
    every = int(record.attrs["every"])
    if len(steps) == 0 or np.any(np.diff(steps) != every):
        return
    rows, width = raw.shape
    group = file.create_group(f"report/{label}")
    group.attrs["variable"] = name
    data = group.create_dataset("data", shape=(rows, width), dtype=np.float32)
    data.attrs["units"] = str(record.attrs.get("unit", ""))
    scale = 2.0 ** -int(record.attrs.get("frac", 0))
    piece = max(ROWS_AT_ONCE // max(width, 1), 1)
    for start in range(0, rows, piece):
        data[start : start + piece] = raw[start : start + piece] * scale
    mapping = group.create_group("mapping")
    nodes = mapping.create_dataset("node_ids", data=np.arange(width, dtype=np.uint64))
    nodes.attrs["sorted"] = np.uint8(1)
    # libsonata wants index_pointers with one entry more than nodes, bmtk the same under the name index_pointer.
    mapping["index_pointers"] = np.arange(width + 1, dtype=np.uint64)
    mapping["index_pointer"] = mapping["index_pointers"]
    mapping["element_ids"] = np.zeros(width, dtype=np.uint32)
    mapping["element_pos"] = np.zeros(width, dtype=np.float32)
    start_ms = int(steps[0]) * dt
    times = mapping.create_dataset("time", data=np.array([start_ms, start_ms + rows * every * dt, every * dt]))
    times.attrs["units"] = "ms"


def _join_metrics(group: h5py.Group, parts: Sequence[h5py.File]) -> None:
    for name in _children(parts, "metrics"):
        sources = [part[f"metrics/{name}"] for part in parts if f"metrics/{name}" in part]
        metric = group.create_group(f"metrics/{name}")
        _concatenate(metric, "steps", [source["steps"] for source in sources])
        _concatenate(metric, "values", [source["values"] for source in sources])


def _join_end(group: h5py.Group, parts: Sequence[h5py.File]) -> None:
    """What the last segment tells; for a run that was cut off, the last step seen anywhere and `complete` false."""
    ends = [part["end"] for part in parts if "end" in part]
    end: Any = ends[-1] if ends else None
    attributes: dict[str, Any] = dict(end.attrs) if end is not None else {"complete": False, "digest": ""}
    if int(attributes.get("steps", -1)) < 0:
        attributes["steps"] = _last_step(parts) + 1
    group.attrs.update(attributes)
    if end is not None:
        for child in end:
            end.copy(child, group)


def _last_step(parts: Sequence[h5py.File]) -> int:
    last = -1
    for part in parts:
        for kind in ("spikes", "rows"):
            for name in part.get(kind, ()):
                steps = part[f"{kind}/{name}/steps"]
                last = max(last, int(steps[-1]) if len(steps) else -1)
        for name in part.get("metrics", ()):
            last = max(last, int(part[f"metrics/{name}/steps"][-1]) - 1)
    return last
