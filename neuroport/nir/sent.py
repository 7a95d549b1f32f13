"""What synapses of a model send, where NIR can say it: a weight with each spike, or in each step times a variable."""

from __future__ import annotations

import ast

from neuroport.language.blocks import assigned
from neuroport.network.model import SynapseModel

SPIKES = ""


def sent(model: SynapseModel) -> str | None:
    """SPIKES, or the variable of the source that the weight is multiplied by in each step; None for all else."""
    calls = [node for block in (model.step, model.on_pre, model.on_post) for node in _sends(block.tree)]
    if not calls:
        return SPIKES
    if len(calls) > 1:
        return None
    weight = model.weight.name
    if calls == [node for node in map(_call, model.on_pre.tree) if node]:
        return SPIKES if _is_plain(calls[0]) and _is_weight(calls[0].args[1], weight) else None
    if calls == [node for node in map(_call, model.step.tree) if node] and _is_plain(calls[0]):
        return _factor(calls[0].args[1], weight)
    return None


def learns(model: SynapseModel) -> bool:
    """Whether synapses change anything that they have."""
    return bool(assigned(model) & {state.name for state in model.states})


def _sends(trees: tuple[ast.stmt, ...]) -> list[ast.Call]:
    nodes = (node for tree in trees for node in ast.walk(tree))
    return [node for node in nodes if isinstance(node, ast.Call) and _name(node) in ("send", "send_back")]


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _call(statement: ast.stmt) -> ast.Call | None:
    """The send that a statement is."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    return call if isinstance(call, ast.Call) and _name(call) in ("send", "send_back") else None


def _is_plain(call: ast.Call) -> bool:
    """Whether a send goes to the input that the projection names, whenever the block runs."""
    target = call.args[0]
    return _name(call) == "send" and not call.keywords and isinstance(target, ast.Name) and target.id == "target"


def _is_weight(value: ast.expr, weight: str) -> bool:
    return isinstance(value, ast.Name) and value.id == weight


def _factor(value: ast.expr, weight: str) -> str | None:
    """NAME of `weight * pre.NAME`."""
    if not (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult)):
        return None
    for one, other in ((value.left, value.right), (value.right, value.left)):
        match other:
            case ast.Attribute(value=ast.Name(id="pre"), attr=name) if _is_weight(one, weight):
                return name
            case _:
                pass
    return None
