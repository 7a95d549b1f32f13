"""How much memory there is: of the machine, or less where limits of the process or of its container say so.

What the environment variable NEUROPORT_MEMORY allows stands for all of that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from neuroport.errors import InvalidInput, Place, Problem, TooLarge

MIB, GIB = 2**20, 2**30
ALLOWED = "NEUROPORT_MEMORY"
"""The environment variable that says how much memory may be taken."""
UNITS = {"MiB": MIB, "GiB": GIB, "TiB": 2**40, "MB": 10**6, "GB": 10**9, "TB": 10**12}
SIZE = re.compile(rf"\s*(\d+(?:\.\d*)?)\s*({'|'.join(UNITS)})\s*")


@dataclass(frozen=True, slots=True)
class Part:
    """Something that takes so many bytes, and where it was written. once: a process has it once for all executors."""

    what: str
    size: float
    place: Place | None = None
    once: bool = False


def require(who: str, parts: Sequence[Part], place: Place | None = None) -> None:
    """Raise TooLarge, at the place of the largest part, when all of them do not fit into the memory there is."""
    need, room = sum(part.size for part in parts), available()
    if need > room.size:
        most = max(parts, key=lambda part: part.size)
        text = f"{who} needs about {shown(need)} of memory, most of it for {most.what}, and {room}; {REMEDY}"
        raise TooLarge([Problem(most.place or place, text)])


REMEDY = f"make it smaller, or let it take more with {ALLOWED}=40GiB (on the command line --memory 40GiB)"
"""What to do about something that does not fit."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much memory there is: bytes, and who has it, as in "this machine has"."""

    size: float
    owner: str

    def __str__(self) -> str:
        """Who has how much."""
        return f"{self.owner} {shown(self.size)}"


def shown(size: float) -> str:
    """Bytes for people."""
    return f"{size / GIB:,.1f} GiB" if size >= GIB else f"{size / MIB:,.0f} MiB"


def read(text: str, what: str) -> float:
    """The bytes that a text says, "40GiB" or "800 MB"; InvalidInput for any other, of which `what` says what it is."""
    found = SIZE.fullmatch(text)
    if found is None or not float(found[1]):
        units = ", ".join(UNITS)
        raise InvalidInput.one(None, f"{what} is '{text}'; give a number and one of {units}, such as 40GiB")
    return float(found[1]) * UNITS[found[2]]


@contextmanager
def allowing(text: str) -> Iterator[None]:
    """Let so much memory be taken within a block, by processes that begin in it as well."""
    before = os.environ.get(ALLOWED)
    os.environ[ALLOWED] = text
    try:
        yield
    finally:
        if before is None:
            del os.environ[ALLOWED]
        else:
            os.environ[ALLOWED] = before


def available(process: Path = Path("/proc/self"), groups: Path = Path("/sys/fs/cgroup")) -> Room:
    """The memory that this machine has, or less where a limit of the process or of its container says so.

    What NEUROPORT_MEMORY says, where that is set; InvalidInput where it says nothing.
    """
    if allowed := os.environ.get(ALLOWED):
        return Room(read(allowed, ALLOWED), "it may take")
    return min((_machine(), *_limits_of_process(process), *_limits_of_groups(process, groups)), key=lambda r: r.size)


def _machine() -> Room:
    """All of the machine's memory."""
    try:
        size = float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        size = float("inf")
    return Room(size, "this machine has")


def _limits_of_process(process: Path) -> Iterator[Room]:
    """What is left of the process's own limits."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    try:
        pages = [int(part) for part in (process / "statm").read_text().split()]
    except (OSError, ValueError):
        pages = [0] * 7
    limits = (("RLIMIT_AS", 0, "address space, ulimit -v"), ("RLIMIT_DATA", 5, "data, ulimit -d"))
    for name, used, what in limits:
        limit = resource.getrlimit(getattr(resource, name))[0]
        if limit != resource.RLIM_INFINITY:
            left = max(0, limit - pages[used] * resource.getpagesize())
            yield Room(left, f"of its limit ({what}) this process has left")


def _limits_of_groups(process: Path, groups: Path) -> Iterator[Room]:
    """The limits of the control groups that the process is in, of both versions: those of a container."""
    try:
        lines = (process / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            yield from _limits_of_group(groups, path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _limits_of_group(groups / "memory", path, "memory.limit_in_bytes")


def _limits_of_group(root: Path, path: str, name: str) -> Iterator[Room]:
    """The limits of a group and of those around it, as far as they can be seen from here."""
    group = Path(path.strip("/"))
    for folder in (group, *group.parents):
        try:
            text = (root / folder / name).read_text().strip()
        except OSError:
            continue
        if text.isdecimal():
            yield Room(float(text), "the container (control group) of this process has")
