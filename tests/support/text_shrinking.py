"""Makes a case that fails smaller, for people to read: statements and parts of expressions are taken away."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.support.random_models import Case

BLOCKS = ("update", "spike", "on_spike", "after", "step", "on_pre", "on_post")


def shrink(case: Case, fails: Callable[[Case], bool], tries: int = 200) -> Case:
    """The smallest case found that still fails."""
    changed = True
    while changed and tries > 0:
        changed = False
        for smaller in _smaller(case):
            tries -= 1
            if tries <= 0:
                break
            if _fails(smaller, fails):
                case, changed = smaller, True
                break
    return case


def _fails(case: Case, fails: Callable[[Case], bool]) -> bool:
    try:
        return fails(case)
    except Exception:
        return False


def _smaller(case: Case) -> Iterator[Case]:
    for number, switched in enumerate(case.switches):
        for name in switched:
            less = {k: v for k, v in switched.items() if k != name}
            yield replace(case, switches=tuple(less if i == number else s for i, s in enumerate(case.switches)))
    if case.stimuli:
        yield replace(case, stimuli={})
    for group in ("synapses", "neurons"):
        for name, model in getattr(case, group).items():
            for text in _texts(model):
                yield replace(case, **{group: {**getattr(case, group), name: text}})


def _texts(model: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in BLOCKS:
        if key in model:
            if key not in ("update", "on_pre"):
                yield {k: v for k, v in model.items() if k != key}
            for text in _trees(model[key], expression=key == "spike"):
                yield {**model, key: text}
    for name, text in model.get("derived", {}).items():
        yield {**model, "derived": {k: v for k, v in model["derived"].items() if k != name}}
        for shorter in _trees(text, expression=True):
            yield {**model, "derived": {**model["derived"], name: shorter}}
    for key in ("state", "params"):
        for name, state in model.get(key, {}).items():
            if not state.get("weight"):
                yield {**model, key: {k: v for k, v in model[key].items() if k != name}}


def _trees(text: str, expression: bool) -> Iterator[str]:
    tree = ast.parse(text)
    spots = list(_spots(tree))
    for number, (kind, _) in enumerate(spots):
        for way in range(6 if kind == "expression" else 3):
            changed = copy.deepcopy(tree)
            if _change(list(_spots(changed))[number][1], way):
                shorter = ast.unparse(ast.fix_missing_locations(changed))
                if len(shorter) < len(text.strip()) and (shorter or not expression):
                    yield shorter if expression else shorter + "\n"


def _spots(tree: ast.AST) -> Iterator[tuple[str, tuple[Any, str, int | None]]]:
    """Every place where a statement or an expression stands: (owner, field, index)."""
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if name in ("targets", "func"):
                continue
            items = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
            for index, item in items:
                if isinstance(item, ast.stmt):
                    yield "statement", (node, name, index)
                elif isinstance(item, ast.expr):
                    yield "expression", (node, name, index)


def _change(spot: tuple[Any, str, int | None], way: int) -> bool:
    node, name, index = spot
    value = getattr(node, name) if index is None else getattr(node, name)[index]
    if isinstance(value, ast.stmt):
        body = getattr(node, name)
        inner = [getattr(value, "body", []), getattr(value, "orelse", [])]
        if way == 0:
            body[index : index + 1] = []
        elif inner[way - 1]:
            body[index : index + 1] = inner[way - 1]
        else:
            return False
        return bool(body) or isinstance(node, ast.Module)
    parts = [child for child in ast.iter_child_nodes(value) if isinstance(child, ast.expr)]
    parts = parts[1:] if isinstance(value, ast.Call) else parts
    if way >= len(parts) or isinstance(value, ast.Attribute):
        return False
    if index is None:
        setattr(node, name, parts[way])
    else:
        getattr(node, name)[index] = parts[way]
    return True
