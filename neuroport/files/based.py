"""Models that build on others: what a model has with that of its base."""

from __future__ import annotations

import ast
from dataclasses import fields, replace
from typing import Any, TypeVar

from neuroport.language.syntax import line_of
from neuroport.network.model import Block, NeuronModel, SynapseModel

_Model = TypeVar("_Model", NeuronModel, SynapseModel)
OWN = ("name", "place", "yaml")
"""What a model never has from its base."""
TOLD = ("source", "notice", "equations")
"""Texts for people, of which both count."""


def based(model: _Model, base: _Model) -> _Model:
    """A model with all that its base has.

    What both declare under one name is the model's; statements of both are joined, its own first, and so are texts.
    """
    found: dict[str, Any] = {}
    for name in (field.name for field in fields(model) if field.name not in OWN):
        own, other = getattr(model, name), getattr(base, name)
        found[name] = "\n".join(filter(None, dict.fromkeys((own, other)))) if name in TOLD else _joined(own, other)
    if isinstance(model, NeuronModel) and model.spike is not None:  # which says what counts, too
        found["spike_count"] = model.spike_count
    return replace(model, **found)


def _joined(own: Any, other: Any) -> Any:
    if isinstance(own, Block):
        return _block(own, other)
    if isinstance(own, tuple):
        names = {_name(item): item for item in other}
        for item in own:
            names[_name(item)] = _event(item, names.get(_name(item)))
        return tuple(names.values())
    return own or other


def _name(item: Any) -> str:
    name: str = item[0] if isinstance(item, tuple) else item.name
    return name


def _event(item: Any, other: Any) -> Any:
    """What is declared, an event with the statements of the base's event of its name."""
    if other is None or not isinstance(item, tuple) or not isinstance(item[1], Block):
        return item
    return item[0], _block(item[1], other[1])


def _block(own: Block, other: Block) -> Block:
    if not (own.tree and other.tree):
        return own if own.tree else other
    return Block(f"{own.text}\n{other.text}", own.place, (*own.tree, *_placed(other)))


def _placed(block: Block) -> tuple[ast.stmt, ...]:
    """Statements that know where they stand, among those of another text."""
    lines = block.text.splitlines()
    for statement in block.tree:
        for node in ast.walk(statement):
            if isinstance(node, ast.stmt | ast.expr) and not hasattr(node, "place"):
                node.place = line_of(node, block.place, lines)  # type: ignore[union-attr]
    return block.tree
