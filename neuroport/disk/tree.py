"""Named numbers, texts and arrays in groups, as HDF5: written whole, and known again by the SHA-256 of all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neuroport.disk.hdf5 import ANY, TEXT, Group

if TYPE_CHECKING:
    import h5py

Leaf: TypeAlias = int | float | str | tuple[str, ...] | NDArray[Any]
Tree: TypeAlias = Mapping[str, "Leaf | Tree"]
"""Names without "/" -> numbers, texts, lists of texts, arrays of int64, float64 or uint8, and trees."""
DEEPEST = 16
SEAL = "sha256"
"""The attribute that has the SHA-256 of a tree."""


def write(group: h5py.Group, tree: Tree) -> None:
    """Write a tree into an empty group, with its SHA-256."""
    _write(group, tree)
    group.attrs[SEAL] = seal(tree)


def _write(group: h5py.Group, tree: Tree) -> None:
    import h5py

    for name, value in tree.items():
        if isinstance(value, Mapping):
            _write(group.create_group(name, track_order=True), value)
        elif isinstance(value, tuple):
            group.create_dataset(name, data=value, shape=(len(value),), dtype=h5py.string_dtype())
        elif isinstance(value, np.ndarray):
            group[name] = value
        elif isinstance(value, str):
            group.attrs.create(name, value, dtype=h5py.string_dtype())
        else:
            group.attrs[name] = value


def read(group: Group) -> Tree:
    """The tree that was written into a group. InvalidInput, with all that is wrong, where it is not that any more."""
    tree = _read(group, DEEPEST)
    told = group.text(SEAL)
    if isinstance(tree, dict):
        tree.pop(SEAL, None)
    group.findings.stop()
    if told != seal(tree):
        group.findings.fail(f"{group} does not hold what was written there")
    return tree


def _read(group: Group, depth: int) -> Tree:
    tree: dict[str, Leaf | Tree] = {name: group.plain(name) for name in group.attribute_names()}
    for name in group.names():
        if not group.is_group(name):
            tree[name] = _array(group, name)
        elif depth:
            tree[name] = _read(group.group(name), depth - 1)
        else:
            group.findings.add(f"{group}/{name} lies in too many groups")
    return tree


def _array(group: Group, name: str) -> Leaf:
    array = group.array(name, ANY)
    if array.item is None:
        return ()
    return tuple(group.texts(name)) if array.kind in TEXT else array.numbers()


def seal(tree: Tree) -> str:
    """The SHA-256 of a tree, in hexadecimal: of names, kinds, shapes and values, whatever their order."""
    found = hashlib.sha256()
    _seal(found, tree)
    return found.hexdigest()


def _seal(found: Any, tree: Tree) -> None:
    for name in sorted(tree):
        value = tree[name]
        if isinstance(value, Mapping):
            found.update(f"{name}{{".encode())
            _seal(found, value)
            found.update(b"}")
        elif isinstance(value, np.ndarray):
            plain = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
            found.update(f"{name}:{plain.dtype.str}{plain.shape}".encode())
            found.update(plain.reshape(-1).view(np.uint8).data)
        else:
            found.update(f"{name}={value!r};".encode())
