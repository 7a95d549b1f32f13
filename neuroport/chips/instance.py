"""Manufactured chips: what chip and chip seed say about every physical circuit, and its file.

A neuron's circuit is its number when populations fill the cores in file order. A synapse's circuit belongs to the
circuit of its postsynaptic neuron: (neuron circuit + 1) * 2**24 + its rank among that neuron's synapses.
Factors and offsets are drawn by counter from (chip seed, kind, circuit) alone: an instance has no size, and every
network, run and executor that uses the same chip seed meets the same circuits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neuroport.chips import description as chips
from neuroport.chips.chip import Chip, ChipInstance, Deviation
from neuroport.disk.findings import Kind as FileKind
from neuroport.disk.hdf5 import NUMBERS, WHOLE, Array, Group, opened
from neuroport.disk.output import HDF5, check_output, new_hdf5
from neuroport.errors import InvalidInput, Place
from neuroport.numerics import detmath
from neuroport.numerics.draws import Source
from neuroport.numerics.given import FLAG, PATH, Kind, checked_seed, takes

RANKS = 2**24
"""Synapse circuits per neuron circuit."""
CLIP = 3.0
"""A normal factor lies within so many sigma, and never below 0."""

CHIP = Kind.of("a chip", Chip)
INSTANCE = Kind.of("a chip instance", ChipInstance)
MOST_CIRCUITS = 2**53
LONGEST_DESCRIPTION = 2**20
MOST_FACTOR = 1000.0
FILE = FileKind("chip instance", "write it again with: neuroport show CHIP --chip-seed N -o FILE.h5")
_FORMAT = "neuroport-chip-instance"
_NO_SEED = "none"
_SEED = re.compile("-?[0-9]{1,20}")


@takes(chip=CHIP)
def manufacture(chip: Chip, seed: int) -> ChipInstance:
    """The chip that this seed stands for."""
    return ChipInstance(chip, checked_seed(seed, "a chip seed"))


def designed(chip: Chip) -> ChipInstance:
    """The chip as it was designed: no circuit deviates."""
    return ChipInstance(chip, None)


def factor_range(chip: Chip, kind: str) -> tuple[float, float]:
    """Between what the factors of this kind lie on any specimen: three sigma either way.

    Of lognormal factors one in 370 lies beyond.
    """
    rule = dict(chip.mismatch).get(kind, Deviation())
    if rule.distribution == "lognormal":
        low, high = (math.exp(sign * CLIP * rule.sigma - rule.sigma * rule.sigma / 2) for sign in (-1, 1))
        return low, high
    return max(1 - CLIP * rule.sigma, 0.0), 1 + CLIP * rule.sigma


def offset_range(chip: Chip, kind: str) -> tuple[int, int]:
    """Between what the whole-step offsets of this kind lie on any specimen."""
    steps = dict(chip.mismatch).get(kind, Deviation()).steps
    return -steps, steps


def synapse_circuits(post_circuits: NDArray[np.int64], ranks: NDArray[np.int64]) -> NDArray[np.int64]:
    """The circuits of synapses from the circuits of their postsynaptic neurons and their ranks there."""
    return (post_circuits + 1) * RANKS + ranks


def factor(instance: ChipInstance, kind: str, circuits: NDArray[np.int64]) -> NDArray[np.float64]:
    """The factor of each circuit for parameters of this kind; ones when the kind, or the instance, does not deviate."""
    circuits = np.asarray(circuits, dtype=np.int64)
    rule = dict(instance.chip.mismatch).get(kind)
    if instance.seed is None or rule is None or not rule.sigma:
        factors = np.ones(circuits.shape)
    else:
        factors = _drawn(instance.seed, kind, rule, circuits)
    return _saved(instance.factors.get(kind), circuits, factors)


def offset(instance: ChipInstance, kind: str, circuits: NDArray[np.int64]) -> NDArray[np.int64]:
    """The whole-step offset of each circuit, uniform in -steps..steps; zeros when the kind has none."""
    circuits = np.asarray(circuits, dtype=np.int64)
    rule = dict(instance.chip.mismatch).get(kind)
    if instance.seed is None or rule is None or not rule.steps:
        offsets = np.zeros(circuits.shape, dtype=np.int64)
    else:
        draws = Source(instance.seed, "chip", f"{kind}.steps").uniform32(circuits.astype(np.uint64))
        offsets = (draws * np.uint64(2 * rule.steps + 1) >> np.uint64(32)).astype(np.int64) - rule.steps
    saved = _saved(instance.factors.get(f"{kind}.steps"), circuits, offsets.astype(np.float64))
    return saved.astype(np.int64)


def _drawn(seed: int, kind: str, rule: Deviation, circuits: NDArray[np.int64]) -> NDArray[np.float64]:
    uniform = Source(seed, "chip", kind).uniform(circuits.astype(np.uint64))
    z = np.asarray(detmath.normal_quantile(uniform), dtype=np.float64)
    if rule.distribution == "lognormal":
        return np.asarray(detmath.exp(rule.sigma * z - rule.sigma * rule.sigma / 2), dtype=np.float64)
    return np.maximum(1.0 + rule.sigma * np.clip(z, -CLIP, CLIP), 0.0)


def _saved(
    table: NDArray[np.float64] | None, circuits: NDArray[np.int64], drawn: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The drawn values, replaced where a saved table (rows: circuit, value; circuits ascending) has its own."""
    if table is None or table.shape[1] == 0:
        return drawn
    known = table[0].astype(np.int64)
    at = np.minimum(np.searchsorted(known, circuits), len(known) - 1)
    return np.where(known[at] == circuits, table[1][at], drawn)


# -------------------------------------------------------------------------------------------------------------- file


@takes(instance=INSTANCE, path=PATH, overwrite=FLAG)
def save(
    instance: ChipInstance,
    path: str | Path,
    circuits: Mapping[str, NDArray[np.int64]] | None = None,
    overwrite: bool = False,
) -> None:
    """Write an instance to an HDF5 file: its chip description, its seed, and the values of some circuits.

    `circuits`: which ones, per kind; by default the neuron circuits of the first core, and those already held.
    Raises InvalidInput if the file exists and may not be overwritten, or is no instance; NotWritten on a full disk.
    """
    check_output(path, overwrite, "a chip instance", HDF5, replaces=is_instance)
    first = np.arange(instance.chip.limits.neurons_per_core, dtype=np.int64)
    with new_hdf5(path) as file:
        file.attrs["format"] = _FORMAT
        file.attrs["version"] = 1
        file.attrs["seed"] = _NO_SEED if instance.seed is None else str(instance.seed)
        file.attrs["chip"] = chips.to_yaml(instance.chip)
        for kind, rule in instance.chip.mismatch:
            wanted = np.asarray((circuits or {}).get(kind, first), dtype=np.int64)
            if rule.sigma:
                held = instance.factors.get(kind)
                chosen = np.union1d(wanted, held[0].astype(np.int64)) if held is not None else np.unique(wanted)
                _write(file, f"values/{kind}", chosen, factor(instance, kind, chosen))
            if rule.steps:
                held = instance.factors.get(f"{kind}.steps")
                chosen = np.union1d(wanted, held[0].astype(np.int64)) if held is not None else np.unique(wanted)
                _write(file, f"values/{kind}.steps", chosen, offset(instance, kind, chosen).astype(np.float64))


def _write(file: object, name: str, circuits: NDArray[np.int64], values: NDArray[np.float64]) -> None:
    import h5py

    assert isinstance(file, h5py.File)
    file[f"{name}/circuit"] = circuits
    file[f"{name}/value"] = values


@takes(path=PATH)
def load(path: str | Path) -> ChipInstance:
    """Read an instance back. Raises InvalidInput if the file is none, or is damaged."""
    place = Place(str(path))
    with opened(path, FILE) as root:
        if not _marked(root):
            text = "this HDF5 file holds no chip instance; write one with: neuroport show CHIP --chip-seed N -o FILE.h5"
            raise InvalidInput.one(place, text)
        root.whole("version", 1, 1)
        text, seed = root.text("chip", longest=LONGEST_DESCRIPTION), _seed(root)
        stored = {kind: _columns(group) for kind, group in root.groups("values").items()}
        tables = {kind: _table(*columns) for kind, columns in stored.items()}
        root.findings.stop()
    chip = chips.read(text, f"{path} (chip)")
    for kind, table in tables.items():
        _check(place, chip, kind, table)
    return ChipInstance(chip, seed, tables)


def _marked(root: Group) -> bool:
    """Whether a file says that it is a chip instance."""
    return root.has_attribute("format") and root.text("format") == _FORMAT


def _seed(root: Group) -> int | None:
    text = root.text("seed")
    if _SEED.fullmatch(text):
        return int(text)
    if text not in ("", _NO_SEED):
        root.findings.add(f"the attribute 'seed' of {root} is '{text}'; it must be a whole number, or '{_NO_SEED}'")
    return None


def _columns(group: Group) -> tuple[Array, Array]:
    """Circuits and their values."""
    circuits = group.array("circuit", WHOLE, (None,))
    return circuits, group.array("value", NUMBERS, (circuits.length,))


def _table(circuits: Array, values: Array) -> NDArray[np.float64]:
    """Rows: circuit, value; circuits ascending."""
    table = np.array([circuits.whole_numbers(0, MOST_CIRCUITS).astype(np.float64), values.real_numbers()])
    return table[:, np.argsort(table[0], kind="stable")]


def _check(place: Place, chip: Chip, kind: str, table: NDArray[np.float64]) -> None:
    """InvalidInput for values that no circuit of the chip can have."""
    name = kind.removesuffix(".steps")
    rule = dict(chip.mismatch).get(name, Deviation())
    if not (rule.steps if kind.endswith(".steps") else rule.sigma):
        known = [k for k, r in chip.mismatch if r.sigma] + [f"{k}.steps" for k, r in chip.mismatch if r.steps]
        text = f"holds values of '{kind}', of which no circuit of chip '{chip.name}' deviates; it has "
        raise InvalidInput.one(place, f"{text}{', '.join(known) or 'no deviations'}; remove values/{kind}")
    twice = table[0][1:][np.diff(table[0]) == 0]
    if twice.size:
        raise InvalidInput.one(place, f"values/{kind} names circuit {int(twice[0])} twice; give it one value")
    if kind.endswith(".steps"):
        good = (np.abs(table[1]) <= rule.steps) & (table[1] == np.rint(table[1]))
        what = f"whole numbers of steps from {-rule.steps} to {rule.steps}"
    else:
        good = (table[1] >= 0) & (table[1] <= MOST_FACTOR)
        what = f"factors from 0 to {MOST_FACTOR:g}"
    if not good.all():
        at = int(np.argmin(good))
        text = f"values/{kind} has {table[1][at]:g} for circuit {int(table[0][at])}; give {what}"
        raise InvalidInput.one(place, text)


def is_instance(path: str | Path) -> bool:
    """Whether a file is a chip instance, for `neuroport show`."""
    try:
        with opened(path, FILE) as root:
            return _marked(root)
    except InvalidInput:
        return False


def describe(instance: ChipInstance, circuits: int = 8) -> list[str]:
    """Lines that show an instance: its chip and the values of the first neuron circuits."""
    chip = instance.chip
    which = "as designed" if instance.seed is None else f"chip seed {instance.seed}"
    lines = [f"chip instance: {chip.name}, {which}"]
    if chip.title:
        lines.append(f"  {chip.title}")
    if not chip.mismatch:
        lines.append("  no parameter deviates")
    some = np.arange(circuits, dtype=np.int64)
    many = np.arange(1000, dtype=np.int64)
    for kind, rule in chip.mismatch:
        if rule.sigma:
            values = " ".join(f"{v:.3f}" for v in factor(instance, kind, some))
            spread = float(factor(instance, kind, many).std())
            lines.append(f"  {kind}: {rule.distribution}, sigma {rule.sigma:g} (first 1000 circuits: sd {spread:.3f})")
            lines.append(f"    factors of circuits 0..{circuits - 1}: {values}")
        if rule.steps:
            values = " ".join(f"{v:+d}" for v in offset(instance, kind, some))
            lines.append(f"  {kind}: offset of up to {rule.steps} step{'s' * (rule.steps != 1)}")
            lines.append(f"    offsets of circuits 0..{circuits - 1}: {values}")
    held = {kind: table.shape[1] for kind, table in instance.factors.items()}
    if held:
        lines.append("  values held in the file: " + ", ".join(f"{n} of {kind}" for kind, n in held.items()))
    return lines
