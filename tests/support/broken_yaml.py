"""YAML trees in which one node is not what it should be."""

from __future__ import annotations

import copy
from typing import Any

import yaml

WRONG: list[Any] = [
    *(None, True, False, 0, -1, 1, 2.5, 10**30, -(10**9), 10**400, float("nan"), float("inf"), -float("inf"), 1e308),
    *("", " ", "x", "nan", "20 ms", "-3 steps", "2.5 steps", "1e400 ms", "5 MV", "7 furlongs", "p.q", "a.b.c", "units"),
    *("units.x", "goal.c", "true", "\0", "é" * 3, "x = = 1", "(" * 300, "while True: pass", "1 / 0", "-" * 3000 + "1"),
    *([], [1], [[1, 2], [3]], [float("nan")] * 3, [[[1]]], {}, {"x": 1}, {"from": "goal.c"}, {"array": 3}),
    *({"normal": [0, -1]}, {"uniform": []}, {"file": "/", "dataset": "x"}, {"file": "everything.yaml", "dataset": ""}),
    *({"array": {"file": "none.h5", "dataset": "x"}}, {1: 2}, {"": ""}, {"all_to_all": 5}, {"pairs": [[-1, 99]]}),
]
WAYS = ("replace", "delete", "insert", "rename")


def dumped(tree: Any) -> str:
    """The tree as YAML."""
    return str(yaml.dump(tree, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), allow_unicode=True))


def paths(tree: Any, start: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where all nodes of a tree are."""
    found = [start]
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in children:
        found += paths(value, (*start, key))
    return found


def changed(tree: Any, path: tuple[Any, ...], value: Any, how: str) -> Any:
    """A copy of the tree with one node replaced, deleted or joined by another."""
    tree = copy.deepcopy(tree)
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    last = path[-1]
    if how == "delete":
        del holder[last]
    elif how == "insert" and isinstance(holder, list):
        holder.insert(last, value)
    elif how == "insert":
        holder["inserted"] = value
    elif how == "rename" and isinstance(holder, dict):
        holder[value if isinstance(value, str | int | float | bool | None) else "renamed"] = holder.pop(last)
    else:
        holder[last] = value
    return tree
