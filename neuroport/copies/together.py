"""Copies in one executor: each copy's session sees its own part of an unrolled program and runs in a thread of its own.

All sessions do the same protocol. What concerns the whole machine (steps, events, items, resets) waits until every
session asks for it and is then done once; what concerns one copy's arrays goes through at once.
"""

from __future__ import annotations
