"""Values that somebody may give to a function by mistake, and a function called with each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neuroport.errors import InternalError, NeuroportError


class Rude:
    """An object that cannot be shown, counted or compared."""

    def __repr__(self) -> str:
        raise RuntimeError("no")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    __hash__ = None  # type: ignore[assignment]


def values() -> list[Any]:
    """Of every type, and with every odd value, that comes to mind."""
    numbers = [0, -1, 3, 2**64, 10**400, 0.5, float("nan"), float("inf"), 3j, True, False]
    arrays = [np.int64(2), np.float32(1.5), np.bool_(True), np.zeros(3), np.zeros((2, 2), complex), np.zeros(0)]
    arrays += [np.array(["a"]), np.array([1, "x"], object), np.zeros((1, 1, 1, 1)), np.array(5)]
    texts = ["", " ", "x", "a\0b", "é\n" * 3, "1e30 ms", "-5 ms", "nan ms", "a.b.c", "\ud800", "a" * 5000, b"x"]
    containers = [[], [None], ["x"], ["a=b"], [[1], [1, 2]], (), {}, {"a": 1}, {1}, range(3), iter([1])]
    others = [
        None,
        object(),
        lambda *_: None,
        type,
        slice(1),
        ...,
        ValueError("x"),
        Path("/"),
        Path("no/where"),
        Rude(),
    ]
    return [*numbers, *arrays, *texts, *containers, *others]


def faults(call: Callable[..., Any], **valid: Any) -> Iterator[str]:
    """What is wrong with how a function answers when each of its arguments in turn is each hostile value."""
    for name in valid:
        for position, value in enumerate(values()):
            try:
                call(**{**valid, name: value})
            except InternalError as error:
                yield f"{name}, value {position}: {error}"
            except NeuroportError as error:
                if not str(error).strip() or len(str(error)) > 6000:
                    yield f"{name}, value {position}: no sentence: {str(error)[:200]}"
            except Exception as error:  # what is looked for
                yield f"{name}, value {position}: {type(error).__name__}: {error}"
