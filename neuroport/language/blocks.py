"""What the texts of a model assign, read and add up, seen from their syntax alone."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from neuroport.errors import Problem
from neuroport.language.syntax import BEFORE, DRAWS, OVER_COPIES, place_of
from neuroport.network.model import Block, NeuronModel, SynapseModel

EACH_STEP = "each_step"


def blocks(model: NeuronModel | SynapseModel) -> Iterator[Block]:
    """All blocks of statements of a model."""
    if isinstance(model, NeuronModel):
        yield from (model.update, model.on_spike, model.after)
    else:
        yield from (model.step, model.on_pre, model.on_post)
    yield from (block for _, block in model.on_event)


def _nodes(trees: Iterable[ast.stmt]) -> Iterator[ast.AST]:
    for tree in trees:
        yield from ast.walk(tree)


def _assigned(node: ast.AST) -> str | None:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AugAssign(target=ast.Name(id=name)):
            return name
        case _:
            return None


def assigned_in(block: Block) -> frozenset[str]:
    """All names that a block assigns."""
    return frozenset(name for node in _nodes(block.tree) if (name := _assigned(node)) is not None)


def assigned(model: NeuronModel | SynapseModel) -> frozenset[str]:
    """All names that some block of the model assigns."""
    return frozenset().union(*map(assigned_in, blocks(model)))


def shared(model: NeuronModel | SynapseModel) -> frozenset[str]:
    """The variables that the copies of a network share by declaration."""
    return frozenset(state.name for state in model.states if state.over_copies == "shared")


def common(model: SynapseModel) -> frozenset[str]:
    """The variables of a synapse that its copies share: by declaration, or because no block assigns them."""
    changing = assigned(model)
    return shared(model) | {state.name for state in model.states if state.name not in changing}


def over_kernel(model: SynapseModel) -> frozenset[str]:
    """The variables that synapses of a kernel's entry share: by declaration, or because no block assigns them."""
    changing = assigned(model)
    return frozenset(s.name for s in model.states if s.over_kernel == "shared" or s.name not in changing)


def once(block: Block, model: NeuronModel | SynapseModel) -> bool:
    """Whether a triggered block is computed once for all copies: it assigns what they share, or adds over them."""
    names = shared(model)
    return any(_adds(node) or _assigned(node) in names for node in _nodes(block.tree))


def over_entries(block: Block, model: SynapseModel) -> bool:
    """Whether a triggered block is computed once for each entry of a kernel: it assigns or adds what these share."""
    names = {state.name for state in model.states if state.over_kernel == "shared"}
    return any(_calls(node, ("sum_shared",)) or _assigned(node) in names for node in _nodes(block.tree))


def _adds(node: ast.AST) -> bool:
    return _calls(node, OVER_COPIES)


def _calls(node: ast.AST, functions: tuple[str, ...]) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions


def read_before(model: SynapseModel) -> frozenset[str]:
    """The traces of which some block reads what they were without the spike at hand."""
    nodes = (node for block in blocks(model) for node in _nodes(block.tree))
    found = (part for node in nodes if _calls(node, (BEFORE,)) for part in ast.walk(node))
    return frozenset(part.attr for part in found if isinstance(part, ast.Attribute))


def twin_read(model: SynapseModel) -> str | None:
    """The first twin.NAME that a triggered block reads."""
    for _, block in model.on_event:
        for node in _nodes(block.tree):
            match node:
                case ast.Attribute(value=ast.Name(id="twin"), attr=name):
                    return f"twin.{name}"
                case _:
                    pass
    return None


MOMENTS = frozenset(("pre", "post", "twin", "t", "T", "item_step", *DRAWS, "send_back"))
"""Names that mean something else at another time, or at another neuron."""


def only_sends(model: SynapseModel) -> bool:
    """Whether synapses do nothing but send what they hold when a spike comes, so that it may be formed at any time."""
    if model.step.tree or model.on_post.tree or assigned(model) & {state.name for state in model.states}:
        return False
    return not any(isinstance(node, ast.Name) and node.id in MOMENTS for node in _nodes(model.on_pre.tree))


def _step_sums(model: SynapseModel) -> Iterator[tuple[str, ast.stmt]]:
    """The variables that `step` gives as sums over the copies, with where it does."""
    for node in model.step.tree:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="sum_copies"))):
                yield name, node
            case _:
                pass


def step_sums(model: SynapseModel) -> frozenset[str]:
    """The variables of a synapse that `step` gives as sums over the copies."""
    return frozenset(name for name, _ in _step_sums(model))


def step_sum_problems(model: SynapseModel) -> Iterator[Problem]:
    """What is wrong with the variables that `step` gives as sums over the copies."""
    sums: set[str] = set()
    for name, node in _step_sums(model):
        if name == model.weight.name:
            text = f"the weight '{name}' cannot be a sum over copies; use another shared variable"
            yield Problem(place_of(node, model.step.place), text)
        elif name in sums:
            yield Problem(place_of(node, model.step.place), f"step gives the sum '{name}' twice; give it once")
        sums.add(name)
    for title, block in (("step", model.step), ("on_pre", model.on_pre), ("on_post", model.on_post)):
        for found in _nodes(block.tree):
            if isinstance(found, ast.Name) and found.id in sums and isinstance(found.ctx, ast.Load):
                text = f"{title} cannot read '{found.id}': it is a sum over all copies, known when the step is over"
                yield Problem(place_of(found, block.place), f"{text}; read it in on_event")
