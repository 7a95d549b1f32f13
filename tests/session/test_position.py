"""Where in a protocol a run is: every place can be saved, and is walked on from."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence

import pytest

from neuroport.program.condition import Applied, Condition
from neuroport.program.plan import If, Item, Measure, Repeat, Run, Trigger
from neuroport.session.position import Cursor, Path


def expanded(items: Sequence[Item], variables: Mapping[str, int]) -> Iterator[tuple[Item, Mapping[str, int]]]:
    """All that a protocol does, in order, with the variables there."""
    for item in items:
        if isinstance(item, Repeat):
            for k in range(item.count):
                yield from expanded(item.do, {**variables, item.variable: k})
        elif isinstance(item, If):
            yield from expanded(item.then if item.condition.holds(variables) else item.otherwise, variables)
        else:
            yield item, variables


def even(variable: str, plus: int) -> Condition:
    half = Applied("%", (Applied("+", (variable, plus)), 2))
    return Condition(f"({variable} + {plus}) % 2 == 0", Applied("==", (half, 0)))


def drawn(draw: random.Random, names: tuple[str, ...] = (), depth: int = 3) -> tuple[Item, ...]:
    """A protocol of items that can be told apart."""
    items: list[Item] = []
    for _ in range(draw.randrange(4)):
        kind = draw.choice(["run", "trigger", "repeat", "if"]) if depth else "run"
        if kind == "repeat":
            name = f"k{len(names)}"
            items.append(Repeat(draw.randrange(4), name, drawn(draw, (*names, name), depth - 1)))
        elif kind == "if" and names:
            condition = even(draw.choice(names), draw.randrange(3))
            items.append(If(condition, drawn(draw, names, depth - 1), drawn(draw, names, depth - 1)))
        elif kind == "trigger":
            items.append(Trigger(f"e{draw.randrange(10**9)}"))
        else:
            items.append(Run(draw.randrange(10**9)))
    return tuple(items)


@pytest.mark.parametrize("seed", range(200))
def test_every_place_is_walked_on_from(seed: int) -> None:
    items = drawn(random.Random(seed))
    expected = list(expanded(items, {}))
    cursor, saved = Cursor(items), []
    for item, _ in expected:
        before = cursor.path
        assert cursor.item is item
        saved.append((before, cursor.path))
        cursor.advance()
    after = cursor.path
    assert cursor.item is None
    saved.append((after, cursor.path))
    for k, paths in enumerate(saved):
        for path in paths:  # as it was left behind the last item, and where the next one was found
            again, found = Cursor(items, path), []
            assert again.path == path
            while (next_ := again.item) is not None:
                found.append(next_)
                again.advance()
            assert found == [item for item, _ in expected[k:]]


INNER = Repeat(
    2, "k", (Measure(()), If(Condition("k == 1", Applied("==", ("k", 1))), (Trigger("a"),), (Run(1), Run(2))))
)


def test_paths_and_places() -> None:
    items, found = (Run(3), Repeat(2, "n", (INNER,))), []
    cursor = Cursor(items)
    while cursor.item is not None:
        found.append((cursor.path, cursor.place))
        cursor.advance()
    assert found[:6] == [
        ((0,), (0,)),
        ((1, 0, 0, 0, 0), (1, 0, 0, 0, 0)),
        ((1, 0, 0, 0, 1, 1, 0), (1, 0, 0, 0, 1, 1, 0)),
        ((1, 0, 0, 0, 1, 1, 1), (1, 0, 0, 0, 1, 1, 1)),
        ((1, 0, 0, 1, 0), (1, 0, 0, 0, 0)),
        ((1, 0, 0, 1, 1, 0, 0), (1, 0, 0, 0, 1, 0, 0)),
    ]
    assert found[-1] == ((1, 1, 0, 1, 1, 0, 0), (1, 0, 0, 0, 1, 0, 0))


@pytest.mark.parametrize(
    "path",
    [(), (3,), (-1,), (0, 0), (0, 0, 0), (1, 2, 0), (1, 0, 2), (2, 0, 0), (1, 0, 0, 2, 0), (1, 0, 0, 0, 1, 2, 0)],
)
def test_a_path_that_a_protocol_does_not_have(path: Path) -> None:
    with pytest.raises(ValueError):
        Cursor((Run(3), Repeat(2, "n", (INNER,))), path)
