"""Messages between host and server: maps of msgpack within bounds, arrays in them, and what is refused.

An array is the map {t: its type (see TYPES), n: [its shape], b: its bytes in C order}. Nothing
of what comes is ever executed: msgpack without extension types holds numbers, texts, bytes, lists and maps alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neuroport.errors import InvalidInput, NeuroportError, NotWritten, Place, Problem, RunFailed, UnknownName
from neuroport.hil.limits import Limits
from neuroport.numerics.given import found

TYPES = ("<i4", "<i8", "<u4", "<u8", "<f4", "<f8", "|u1", "|b1")
"""What the numbers of an array may be, as NumPy writes it."""
CODES = (
    "bad_message",
    "unknown_op",
    "unknown_name",
    "bad_value",
    "too_large",
    "wrong_step",
    "busy",
    "closed",
    "denied",
    "failed",
)
ASKED, STOPPED = "the host asked for it", "the server was stopped"
"""Why an exchange ends before its time."""
_FOLDERS = re.compile(r"(^| and )[^:\n]*/(?=[^/:\n]+:\d+:\d+)", re.MULTILINE)
"""The folders of places in a text."""
_DIMENSIONS = 4
_ARRAY = {"t", "n", "b"}
_SCANNED = 4096
"""Bytes of a message that is read without looking first how many items it has: more than these it cannot have."""


class Refused(Exception):
    """A message that is not done, with its code, a sentence, and where in the message what is wrong stands."""

    def __init__(self, code: str, text: str, where: str = "") -> None:
        super().__init__(text)
        self.code, self.text, self.where = code, text, where

    def plain(self) -> dict[str, Any]:
        """As it stands in a reply."""
        return {"code": self.code, "text": self.text, "where": self.where}


def refusal(error: Exception, where: str = "") -> Refused:
    """What a reply says of an error that a session raised."""
    match error:
        case Refused():
            return error
        case InvalidInput():
            code = "unknown_name" if isinstance(error, UnknownName) else "bad_value"
            problems = (Problem(_without_folder(problem.place), problem.text) for problem in error.problems)
            return Refused(code, _FOLDERS.sub(r"\1", "\n".join(map(str, problems))), where)
        case NotWritten():
            return Refused("failed", f"{_without_folder(error.place)}: {error.text}", where)
        case NeuroportError():
            return Refused("failed", _FOLDERS.sub(r"\1", str(error)), where)
        case MemoryError():
            return Refused("too_large", "the server has not enough memory for it; ask for less at once", where)
    text = f"this is a fault of neuroport, not of the message: {type(error).__name__}: {' '.join(str(error).split())}"
    return Refused("failed", text[:500], where)


def _without_folder(place: Place | None) -> Place | None:
    """A place without the folder of its file, which is no business of whoever is at the other end."""
    if place is None or "://" in place.file:
        return place
    return replace(place, file=PurePath(place.file).name)


@contextmanager
def about(where: str) -> Iterator[None]:
    """What a session refuses in here is about a field of a message: Refused."""
    try:
        yield
    except InvalidInput as error:
        raise refusal(error, where) from None


def raised(code: str, text: str) -> NeuroportError:
    """The error that a session here would have raised, for what a reply says."""
    if code == "unknown_name":
        return UnknownName.one(None, text)
    return RunFailed(text) if code == "failed" else InvalidInput.one(None, text)


# ------------------------------------------------------------------------------------------------------------ reading


def decode(frame: bytes | memoryview, limits: Limits) -> dict[str, Any]:
    """The map that a frame holds; Refused for everything else, before much memory is taken."""
    import msgpack

    if len(frame) > limits.message_bytes:
        raise Refused("too_large", f"a message has at most {limits.message_bytes:,} bytes; this one has {len(frame):,}")
    if len(frame) > _SCANNED:
        scan(memoryview(frame), limits)
    try:
        value = msgpack.unpackb(
            frame,
            raw=False,
            strict_map_key=True,
            max_str_len=limits.text_bytes,
            max_bin_len=limits.message_bytes,
            max_array_len=limits.items,
            max_map_len=limits.items,
            max_ext_len=0,
        )
    except (ValueError, TypeError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise Refused("bad_message", f"this is no message of msgpack: {_reason(error)}") from None
    if not isinstance(value, dict):
        raise Refused("bad_message", f"a message is a map; found {found(value)}")
    _check_plain(value, limits.nesting)
    return value


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


_LEAVES = frozenset({bool, int, float, str, bytes, type(None)})


def _check_plain(value: Any, most: int, depth: int = 1) -> None:
    """Refused for what is too deep, and for what is no plain value: extension types, times, keys that are no texts."""
    if depth > most:
        raise Refused("bad_message", f"maps and lists are nested at most {most} deep")
    inner = value
    if type(value) is dict:
        for key in value:
            if type(key) is not str:
                raise Refused("bad_message", f"keys are texts; found {found(key)}")
        inner = value.values()
    elif type(value) is not list:
        raise Refused("bad_message", f"a message holds no extension types; found {found(value)}")
    for one in inner:
        if type(one) not in _LEAVES:
            _check_plain(one, most, depth + 1)


def scan(frame: memoryview, limits: Limits) -> None:
    """Refused for a frame of more items than allowed, found without making any of them."""
    items, at, left = 0, 0, 1
    while left:
        if at >= len(frame):
            raise Refused("bad_message", "this is no message of msgpack: it ends in the middle")
        head = frame[at]
        at, more = _skip(frame, at, head)
        items += 1
        left += more - 1
        if items + left > limits.items:
            raise Refused("too_large", f"a message has at most {limits.items:,} items; send long lists as arrays")


_FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_BYTES = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_LISTS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}


def _skip(frame: memoryview, at: int, head: int) -> tuple[int, int]:
    """Where the item that begins with the byte `head` ends, and how many items it has in it."""
    if head < 0x80 or head >= 0xE0 or head in (0xC0, 0xC2, 0xC3):
        return at + 1, 0
    if head < 0x90:
        return at + 1, 2 * (head & 0x0F)
    if head < 0xA0:
        return at + 1, head & 0x0F
    if head < 0xC0:
        return at + 1 + (head & 0x1F), 0
    if head in _FIXED:
        return at + 1 + _FIXED[head], 0
    if head in _BYTES:
        width = _BYTES[head]
        return at + 1 + width + int.from_bytes(frame[at + 1 : at + 1 + width], "big"), 0
    if head in _LISTS:
        width, each = _LISTS[head]
        return at + 1 + width, each * int.from_bytes(frame[at + 1 : at + 1 + width], "big")
    raise Refused("bad_message", f"a message holds no extension types; found the byte 0x{head:02x}")


def array(value: Any, where: str) -> Any:
    """The numbers of an array of a message; Refused for a map that is none.

    What is no map, such as a number or a list of numbers, is what it is: the session says whether it can be used.
    """
    return _array(value, where) if isinstance(value, dict) else value


def _array(value: dict[str, Any], where: str) -> NDArray[Any]:
    if value.keys() != _ARRAY:
        raise Refused(
            "bad_value", f"an array is a map of t, n and b; found one of {', '.join(value) or 'nothing'}", where
        )
    kind, shape, content = value["t"], value["n"], value["b"]
    if not isinstance(kind, str) or kind not in TYPES:
        raise Refused("bad_value", f"t is one of {', '.join(TYPES)}; found {found(kind)}", where)
    if not isinstance(shape, list) or len(shape) > _DIMENSIONS or any(type(n) is not int or n < 0 for n in shape):
        raise Refused("bad_value", f"n is a list of at most {_DIMENSIONS} lengths; found {found(shape)}", where)
    wanted = math.prod(shape) * int(kind[2:])
    if not isinstance(content, bytes) or len(content) != wanted:
        have = f"{len(content):,} bytes" if isinstance(content, bytes) else found(content)
        raise Refused("bad_value", f"b has the {wanted:,} bytes of {shape} numbers {kind}; found {have}", where)
    flat = np.frombuffer(content, kind)
    return flat if len(shape) == 1 else flat.reshape(shape)


# ------------------------------------------------------------------------------------------------------------ writing


def encode(message: dict[str, Any]) -> bytes:
    """The frame of a message; arrays of NumPy in it become maps."""
    import msgpack

    frame: bytes = msgpack.packb(message, default=_packed, use_bin_type=True)
    return frame


def _packed(value: Any) -> Any:
    """What msgpack does not know, in what it knows."""
    if isinstance(value, np.ndarray):
        return packed(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


def packed(values: NDArray[Any]) -> dict[str, Any]:
    """An array as a map."""
    kind = _type(values.dtype)
    content = values if values.dtype.str == kind else values.astype(kind)
    return {"t": kind, "n": list(values.shape), "b": content.tobytes()}


@cache
def _type(kind: np.dtype[Any]) -> str:
    """What the numbers of an array become in a message."""
    same = kind.newbyteorder("<").str
    return same if same in TYPES else {"i": "<i8", "u": "<u8", "f": "<f8"}[kind.kind]


def unpacked(value: Any) -> Any:
    """A reply with arrays of NumPy, its own ones, in the place of their maps."""
    if type(value) is dict:
        if value.keys() == _ARRAY and isinstance(value["t"], str):
            return _array(value, "").copy()
        return {key: one if type(one) in _LEAVES else unpacked(one) for key, one in value.items()}
    return [one if type(one) in _LEAVES else unpacked(one) for one in value] if type(value) is list else value
