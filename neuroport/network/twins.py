"""Which way the twin of a projection leads."""

from __future__ import annotations

from neuroport.network.objects import Projection


def leads_back(item: Projection, other: Projection, own: tuple[int, int], its: tuple[int, int]) -> bool | None:
    """Whether presynaptic neurons of a projection correspond to postsynaptic ones of its twin, `other`.

    `own`, `its`: how many neurons are at the ends of the two. Where that leaves it open, ends that are the same
    population tell: projections that begin, or end, together lead the same way, and those of which one ends where the
    other begins do not. None: nothing tells it.
    """
    assert item.twin is not None
    if item.twin.transposed is not None:
        return item.twin.transposed
    if own[0] != own[1] or its != own:
        return its != own
    if item.source == other.source or item.target == other.target:
        return False
    return True if other.target == item.source or other.source == item.target else None
