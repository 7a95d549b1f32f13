"""Files damaged in every way that has a name: each mutant is a whole file with one thing changed."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import yaml

from tests.support import broken_yaml

Change = Callable[[h5py.File], None]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A way to damage an HDF5 file: what is changed where, and the change of the open file."""

    name: str
    change: Change

    def write(self, whole: bytes, path: Path) -> None:
        """The damaged file."""
        path.write_bytes(whole)
        with h5py.File(path, "r+") as file:
            self.change(file)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A damaged file whose bytes are known."""

    name: str
    content: Callable[[], bytes]

    def write(self, whole: bytes, path: Path) -> None:
        """The damaged file."""
        path.write_bytes(self.content())


class Same(Exception):
    """The file is as it was."""


TEXTS: tuple[Any, ...] = ("", "x", "\x1b[31m\n", "é" * 100_000, b"\xff\xfe", "9" * 400, "[" * 100_000)
WHOLES: tuple[Any, ...] = (0, -1, 1, 2, 7, 2**31, 2**62, -(2**63), np.uint64(2**64 - 1))
REALS: tuple[Any, ...] = (0.0, -1.0, 0.1, 1e-320, 1e300, float("nan"), float("inf"), -float("inf"))
EMPTY = h5py.Empty("f8")
KINDS: tuple[Any, ...] = (
    *("text", 3, 2.5, True, b"bytes", EMPTY, [1, 2], [[1.5]], ["a", "b"], 1 + 2j),
    *(np.zeros(2, [("a", "i4"), ("b", "f8")]), np.zeros((), "V5"), np.float16(1.5), np.longdouble(2), np.zeros((0, 3))),
)


def mutants(path: Path, aside: str = "none") -> Iterator[Mutant]:
    """All mutants of a file; of the group `aside` those alone in which something is in the place of something else."""
    with h5py.File(path, "r") as file:
        for name, item in _items(file):
            if name != "/":
                yield from _of_anything(name)
            if name.split("/")[0] == aside:
                continue
            yield from _of_attributes(name, item)
            if isinstance(item, h5py.Dataset):
                yield from _of_data(name, item)
            else:
                yield from _of_group(name)


def _items(file: h5py.File) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("/", file)]
    file.visititems(lambda name, item: found.append((name, item)))
    return found


def _of_attributes(name: str, item: Any) -> Iterator[Mutant]:
    for key, old in item.attrs.items():
        at = f"{name}@{key}"
        yield Mutant(f"{at} is dropped", lambda f, k=key: f[name].attrs.__delitem__(k))
        yield Mutant(f"{at} is renamed", lambda f, k=key: _rename_attribute(f[name], k))
        for k, value in enumerate((*KINDS, *_values(old))):
            yield Mutant(f"{at} becomes {_told(value)} ({k})", lambda f, k=key, v=value: _set_attribute(f[name], k, v))
    yield Mutant(f"{name} gets an attribute", lambda f: f[name].attrs.create(b"more\xff", 1))
    yield Mutant(f"{name} gets a complex attribute", lambda f: _set_attribute(f[name], "more", 1j))


def _values(old: Any) -> Sequence[Any]:
    if isinstance(old, str | bytes):
        return TEXTS
    if np.asarray(old).dtype.kind == "b":
        return (not old,)
    return WHOLES if np.asarray(old).dtype.kind in "iu" else REALS


def _rename_attribute(item: Any, key: str) -> None:
    value = item.attrs[key]
    del item.attrs[key]
    item.attrs[f"{key}2"] = value


def _set_attribute(item: Any, key: str, value: Any) -> None:
    if key in item.attrs:
        del item.attrs[key]
    try:
        item.attrs.create(key, value)
    except OSError as error:  # too long for an attribute
        raise Same from error


def _of_anything(name: str) -> Iterator[Mutant]:
    yield Mutant(f"{name} is dropped", lambda f: f.__delitem__(name))
    yield Mutant(f"{name} is renamed", lambda f: f.move(name, f"{name}2"))
    yield Mutant(f"{name} becomes a soft link", lambda f: _put(f, name, h5py.SoftLink("/nothing")))
    yield Mutant(f"{name} becomes a link to itself", lambda f: _put(f, name, h5py.SoftLink("/" + name)))
    yield Mutant(f"{name} becomes an external link", lambda f: _put(f, name, h5py.ExternalLink("none.h5", "/x")))
    yield Mutant(f"{name} becomes a named type", lambda f: _put(f, name, np.dtype("f8")))
    yield Mutant(f"{name} becomes the root", lambda f: _put(f, name, f))
    for k, value in enumerate(KINDS):
        yield Mutant(f"{name} becomes {_told(value)} ({k})", lambda f, v=value: _put(f, name, v))


def _put(file: h5py.File, name: str, value: Any) -> None:
    del file[name]
    file[name] = value


def _of_group(name: str) -> Iterator[Mutant]:
    yield Mutant(f"{name} gets a number", lambda f: f[name].create_dataset("more", data=1))
    yield Mutant(f"{name} gets a group", lambda f: f[name].create_group("more"))
    yield Mutant(f"{name} gets a name that is no text", lambda f: f[name].create_group(b"more\xff"))
    if name != "/":
        yield Mutant(f"{name} is emptied", lambda f: f[name].clear())


def _of_data(name: str, item: h5py.Dataset) -> Iterator[Mutant]:
    yield Mutant(f"{name} becomes a group", lambda f: _make_group(f, name))
    values = item[()]
    for what, changed in _changed(values):
        yield Mutant(f"{name} {what}", lambda f, v=changed: _replace(f, name, v))
    for what, options in _declared(item):
        yield Mutant(f"{name} {what}", lambda f, o=options: _declare(f, name, o))
    yield Mutant(f"{name} is virtual", lambda f: _virtual(f, name))


def _make_group(file: h5py.File, name: str) -> None:
    del file[name]
    file.create_group(name)


def _replace(file: h5py.File, name: str, values: Any) -> None:
    """Other contents with the same attributes."""
    texts = isinstance(values, np.ndarray) and values.dtype.kind == "O"
    attributes = dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, data=values, dtype=h5py.string_dtype() if texts else None).attrs.update(attributes)


def _declare(file: h5py.File, name: str, options: dict[str, Any]) -> None:
    attributes = dict(file[name].attrs)
    del file[name]
    file.create_dataset(name, **options).attrs.update(attributes)


def _virtual(file: h5py.File, name: str) -> None:
    dtype = file[name].dtype
    layout = h5py.VirtualLayout(shape=(10**14,), dtype="f8" if dtype.kind == "O" else dtype)
    layout[:] = h5py.VirtualSource("none.h5", "/x", shape=(10**14,))
    del file[name]
    file.create_virtual_dataset(name, layout)


def _declared(item: h5py.Dataset) -> Iterator[tuple[str, dict[str, Any]]]:
    """Data sets that declare more than the file has, without holding it."""
    ndim = max(item.ndim, 1)
    huge = (10**15, *item.shape[1:]) if item.ndim == 1 else (10**9,) * ndim
    yield "declares 10^15 numbers", {"shape": huge, "dtype": item.dtype, "chunks": (2,) * ndim}
    yield "declares 10^12 numbers", {"shape": (10**12,) + (1,) * (ndim - 1), "dtype": item.dtype}
    if item.dtype.kind in "iuf":
        packed = {"data": np.resize(item[()], item.shape), "compression": "gzip"} if item.ndim and item.size else {}
        yield "is packed", packed or {"data": item[()]}
        yield "is big-endian", {"data": item[()], "dtype": item.dtype.newbyteorder(">")}


def _changed(values: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(values, bytes):
        yield from ((f"holds {_told(text)}", text) for text in TEXTS)
        yield "is cut", values[: len(values) // 2]
        return
    array = np.asarray(values)
    yield from _reshaped(array)
    if array.dtype.kind == "O":
        yield from ((f"holds {_told(text)}", [text] * len(array)) for text in TEXTS if len(array))
        return
    for value in (*WHOLES, *REALS):
        yield f"holds {value!r} everywhere", np.full(array.shape, value)
        if array.size:
            one = array.astype(np.asarray(value).dtype if array.dtype.kind != "f" else np.float64)
            one.flat[array.size // 2] = value if one.dtype.kind == "f" or abs(float(value)) < 2**62 else 2**40
            yield f"holds {value!r} once", one


def _reshaped(array: Any) -> Iterator[tuple[str, Any]]:
    if not array.ndim:
        yield "is a list", array[np.newaxis]
        return
    yield "loses its last", array[:-1]
    yield "loses its first", array[1:]
    yield "is empty", array[:0]
    yield "is twice as long", np.concatenate([array, array])
    yield "is reversed", array[::-1]
    yield "has another axis", array[..., np.newaxis]
    yield "is one axis", array.ravel() if array.ndim > 1 else array[np.newaxis]
    yield "is transposed", array.T if array.ndim > 1 else np.stack([array, array], axis=1)


def _told(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 40 else f"{text[:20]}...{zlib.crc32(text.encode('utf-8', 'replace')):x}"


def of_text(path: Path) -> Iterator[Rewritten]:
    """All mutants of a YAML file: every node another one, and bytes changed."""
    whole = path.read_bytes()
    tree = yaml.safe_load(whole)
    for at in broken_yaml.paths(tree)[1:]:
        for how in broken_yaml.WAYS:
            for k, value in enumerate(broken_yaml.WRONG[:1] if how == "delete" else broken_yaml.WRONG):
                name = f"{at} {how} {_told(value)} ({k})"
                yield Rewritten(name, lambda a=at, v=value, h=how: _dumped(tree, a, v, h))
    for seed in range(500):
        yield Rewritten(f"bytes {seed}", lambda s=seed: flipped(whole, s))


def _dumped(tree: Any, at: tuple[Any, ...], value: Any, how: str) -> bytes:
    return broken_yaml.dumped(broken_yaml.changed(tree, at, value, how)).encode()


def flipped(whole: bytes, seed: int) -> bytes:
    """A file with some bytes changed, or cut off."""
    draw = random.Random(seed)
    if draw.random() < 0.1:
        return whole[: draw.randrange(len(whole))]
    data = bytearray(whole)
    for _ in range(draw.choice((1, 1, 1, 2, 4, 8))):
        at = draw.randrange(len(data))
        data[at] = draw.choice((0, 255, data[at] ^ (1 << draw.randrange(8)), draw.randrange(256)))
    return bytes(data)


def parts_differ(a: Path, b: Path) -> str:
    """ "" or what that a run recorded is not the same in two traces, read without neuroport."""
    with h5py.File(a, "r") as ours, h5py.File(b, "r") as theirs:
        for name in ours["spikes"]:
            if _spikes(ours[f"spikes/{name}"]) != _spikes(theirs[f"spikes/{name}"]):
                return f"spikes/{name}"
        for name, item in _items(ours):
            recorded = name.startswith(("neuroport/records/", "neuroport/weights/", "neuroport/final/"))
            if recorded and isinstance(item, h5py.Dataset) and not _equal(item[()], theirs[name][()]):
                return name
            if recorded and item.attrs.get("frac") != theirs[name].attrs.get("frac"):
                return f"frac of {name}"
    return ""


def _spikes(group: h5py.Group) -> list[tuple[float, int]]:
    return sorted(zip(group["timestamps"][()].tolist(), group["node_ids"][()].tolist(), strict=True))


def _equal(a: Any, b: Any) -> bool:
    return bool(np.shape(a) == np.shape(b) and np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind == "f"))
