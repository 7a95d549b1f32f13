"""The arrays of a program that are its state: what a run ends in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from neuroport.program.executor import Executor
from neuroport.program.fingerprint import cut, fingerprint
from neuroport.program.ir import Numbers
from neuroport.program.machine import Program
from neuroport.program.state import Raw

ROLES = ("state", "weight", "visible")


def in_pieces(executor: Executor, name: str) -> Iterator[Numbers]:
    """The values of an array that is no input, some rows after the other."""
    pieces: Callable[[str], Iterator[Numbers]] | None = getattr(executor, "pieces", None)
    return cut(executor.read(name)) if pieces is None else pieces(name)


class Final(Mapping[str, Raw]):
    """Every array of state and weights as an executor holds it, raw, by name in the program's order.

    An array is read when it is asked for: there need not be memory for all of them at once.
    """

    def __init__(self, program: Program, executor: Executor) -> None:
        self._executor = executor
        self._names = {name: None for name, array in program.arrays.items() if array.role in ROLES}
        static = {name for name, array in program.arrays.items() if array.static}
        self._fixed = static - program.stored()
        self._known: dict[str, tuple[Numbers | None, bytes]] = {}

    def __getitem__(self, name: str) -> Raw:
        if name not in self._names:
            raise KeyError(name)
        return self._executor.read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def pieces(self, name: str) -> Iterator[Numbers]:
        """An array, some rows after the other."""
        return in_pieces(self._executor, name)

    def fingerprint(self, name: str, given: Numbers | None) -> bytes:
        """The SHA-256 of an array's values, see `program.fingerprint`.

        `given`: what the host gave it last. What nothing in the program changes is looked at again after another gift
        only.
        """
        of, known = self._known.get(name, (None, b""))
        if known and of is given:
            return known
        found = fingerprint(in_pieces(self._executor, name))
        if name in self._fixed:
            self._known[name] = given, found
        return found

    def forget(self) -> None:
        """Look at everything again: the executor has loaded another state."""
        self._known.clear()
