"""Messages of a client that means ill: valid ones of every op, changed in a few places, or as bytes."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from neuroport.disk.tree import seal
from neuroport.hil.checkpoints import _leaves
from neuroport.hil.messages import encode, packed, unpacked

ARRAYS = [np.array([1.0, 0.5, 0.0, 2.0]), np.arange(4), np.zeros((2, 2)), np.array([np.nan]), np.ones(4, bool)]
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 3, 2**31, 2**62, 2**63 - 1, -(2**63), 2**64 - 1, 0.5, 1e308, -1e-308, float("nan"),
    float("inf"), "", "cells", "cells.i", "v" * 300, "1 ms", "1e400 s", "-3", "\0", "ü", b"", b"\0" * 9, [], {}, [[]],
    [0] * 50, [None], ["cells"], {"t": "<f8"}, {"t": "<i8", "n": [2**62, 4], "b": b""}, {"t": "O", "n": [], "b": b""},
    {"t": "<f8", "n": [], "b": b"\xff" * 8},
]  # fmt: skip
"""What stands where something else should."""


def valid(checkpoint: dict[str, Any]) -> list[dict[str, Any]]:
    """A message of every op but `bye`."""
    writes = [
        {"port": "cells.i", "values": [1.0, 2.0], "neurons": [0, 3], "at": 2, "hold": 2},
        {"port": "cells.drive", "values": packed(ARRAYS[0])},
        {"port": "cells.gain", "values": 1.0},
    ]
    return [
        {"op": "describe"},
        {"op": "stats"},
        {"op": "exchange", "in": writes, "run": 2, "out": ["cells", "cells.v", "others.drive"], "clip": False},
        {"op": "exchange", "in": writes[:1], "run": "3 ms", "out": [], "clip": True},
        {"op": "inject", **writes[0]},
        {"op": "take", "out": ["cells", "others"]},
        {"op": "read", "name": "cells.v"},
        {"op": "write", "name": "cells.drive", "values": [0.0, 0.5, 1.0, 0.2], "clip": False},
        {"op": "weights", "projection": "across"},
        {"op": "spikes", "population": "cells", "since": 0},
        {"op": "records", "name": "cells.v", "since": None},
        {"op": "trigger", "event": "blank"},
        {"op": "reset", "populations": ["cells"], "keep_learned": False},
        {"op": "digest"},
        {"op": "checkpoint"},
        {"op": "checkpoint", "most": 10},
        {"op": "fetch", "begin": 0},
        {"op": "give", "begin": 0, "piece": b"\x81\xaacheckpoint\x80"},
        {"op": "restore", "sha256": ""},
        {"op": "restore", "checkpoint": checkpoint, "sha256": seal(checkpoint)},
    ]


def _places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a message."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in inner:
        yield (*at, key)
        yield from _places(item, (*at, key))


def _plain(value: Any) -> Any:
    """A value with lists that can be changed, and arrays as they are sent."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return packed(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else copy.copy(value)


def changed(message: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The message with one to three places of it changed."""
    made = _plain(message)
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        places = list(_places(made))
        if not places:
            return {"op": draw.choice(ODD)}
        deeper = [place for place in places if place[0] != "op"]
        *path, last = draw.choice(deeper if deeper and draw.random() < 0.9 else places)
        holder = made
        for key in path:
            holder = holder[key]
        match draw.randrange(9):
            case 0 if isinstance(holder, dict):
                del holder[last]
            case 1 if isinstance(holder, dict):
                holder[draw.choice(["", "x", "op", "at", "in", str(last).upper()])] = _plain(draw.choice(ODD))
            case 2 if isinstance(holder[last], bytes) and holder[last]:
                content = bytearray(holder[last])
                content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
                holder[last] = bytes(content)
            case 3 if type(holder[last]) is int and abs(holder[last]) < 2**62:
                holder[last] += draw.choice([-1, 1, 7])
            case _:
                holder[last] = _plain(draw.choice(ODD))
    if "sha256" in made and draw.random() < 0.7:
        made["sha256"] = _sealed(made.get("checkpoint"))
    return made


def _sealed(checkpoint: Any) -> Any:
    """What a client that knows the protocol says of a checkpoint that it has changed."""
    try:
        return seal(_leaves(unpacked(checkpoint)))
    except Exception:  # it has been changed beyond that
        return "0"


def frame(message: dict[str, Any], number: Any, draw: random.Random) -> bytes:
    """A message as bytes, sometimes with a wrong id, cut, torn or of nothing but noise."""
    kind = draw.randrange(20)
    if kind == 0:
        return draw.randbytes(draw.choice([0, 1, 2, 8, 60, 5000]))
    if kind == 1:
        number = draw.choice(ODD)
    whole = bytearray(encode({"id": number, **message} if kind != 2 else message))
    if kind == 3:
        del whole[draw.randrange(len(whole)) :]
    elif kind in (4, 5):
        for _ in range(draw.randrange(1, 6)):
            whole[draw.randrange(len(whole))] = draw.randrange(256)
    elif kind == 6:
        whole += whole[draw.randrange(len(whole)) :]
    return bytes(whole)
