"""What synapses send when a factor that scales all their weights is one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from neuroport.program.ir import Apply, Body, Const, Expr, Read, Round, Send


@dataclass(frozen=True, slots=True)
class Factor:
    """A scalar that the values which are sent are multiplied by before they are divided by `one` again."""

    scalar: Read
    one: int


def common_factor(body: Body) -> Factor | None:
    """The factor of all that a body sends."""
    found = {None if parts is None else parts[1] for parts in (_scaled(s.value) for s in body if isinstance(s, Send))}
    return found.pop() if len(found) == 1 else None


def without_factor(body: Body) -> Body:
    """The body as it is when its common factor is one: the same numbers, whatever the rounding."""
    return tuple(replace(s, value=_plain(s.value)) if isinstance(s, Send) else s for s in body)


def _plain(expr: Expr) -> Expr:
    parts = _scaled(expr)
    return expr if parts is None else parts[0]


def _scaled(expr: Expr) -> tuple[Expr, Factor] | None:
    """The parts of x * scalar / one."""
    match expr:
        case Round(x=Apply(fn="mul", args=(x, Read(at="scalar") as scalar)), shift=shift):
            return x, Factor(scalar, 1 << shift)
        case Apply(fn="trunc_div", args=(Apply(fn="mul", args=(x, Read(at="scalar") as scalar)), Const(value=one))):
            return (x, Factor(scalar, int(one))) if one > 0 else None
    return None
