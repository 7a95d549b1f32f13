"""The table of backends: a name, and a function that imports what stands behind it only when it is asked for.

Packages outside neuroport add backends by an entry point of the group `neuroport.backends`: a name, and a class (or a
function without arguments) that gives an object with the shape of `neuroport.program.executor.Backend`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import metadata
from typing import cast

from neuroport.errors import Unsupported
from neuroport.numerics.given import COUNT, TEXT, TEXTS, takes
from neuroport.numerics.units import suggestion
from neuroport.program.executor import Backend

GROUP = "neuroport.backends"


def _reference() -> Backend:
    from neuroport.backends.reference import Reference

    return Reference()


def _emulator() -> Backend:
    from neuroport.backends.emulator import Emulator

    return Emulator()


def _genn() -> Backend:
    from neuroport.backends.genn import Genn

    return Genn()


AUTO = "auto"
"""No backend: whoever runs a network by this name has one chosen (neuroport.api.executor)."""
BUILT_IN: dict[str, Callable[[], Backend]] = {"emulator": _emulator, "genn": _genn, "reference": _reference}


def ready() -> tuple[str, ...]:
    """The names of the backends that have all they need on this machine."""
    return tuple(name for name in names() if missing(name) is None)


def missing(name: str) -> str | None:
    """A sentence saying why the backend of that name cannot be used on this machine, or None; never raises for one."""
    try:
        return _load(name).missing()
    except Unsupported as error:
        return str(error)
    except Exception as error:  # a plug-in may do anything
        return f"the backend '{name}' fails when it is asked what it needs: {_shown(error)}"


def _plug_ins() -> dict[str, metadata.EntryPoint]:
    """The backends of other packages; a name that is taken twice is an error that names both owners."""
    found: dict[str, metadata.EntryPoint] = {}
    for point in metadata.entry_points(group=GROUP):
        if point.name in (*BUILT_IN, AUTO):
            raise Unsupported(
                f"the backend name '{point.name}' of {_owner(point)} is already that of a backend of neuroport itself; "
                f"uninstall one of the two or rename the entry point"
            )
        if point.name in found and found[point.name] != point:
            raise Unsupported(
                f"the backend name '{point.name}' is claimed by {_owner(found[point.name])} and by {_owner(point)}; "
                f"uninstall one of the two or rename one entry point"
            )
        found[point.name] = point
    return found


def _owner(point: metadata.EntryPoint) -> str:
    distribution = f"package '{point.dist.name}'" if point.dist is not None else "an unnamed package"
    return f"{distribution} ({point.value})"


def names() -> tuple[str, ...]:
    """The names of all backends, installed plug-ins included, sorted."""
    return tuple(sorted([*BUILT_IN, *_plug_ins()]))


@takes(name=TEXT, device=TEXT.or_none, threads=COUNT, genn=TEXTS)
def load(name: str, device: str | None = None, threads: int = 1, genn: Sequence[str] = ()) -> Backend:
    """The backend of that name, on a device if one is given (cpu, cuda, hip), or on several threads.

    `genn`: settings of the backend genn, see its `tuned`. Unsupported when there is no such backend, when its plug-in
    cannot be imported, or when it has no such device, no settings, or does not compute on several threads.
    """
    backend = _load(name)
    if device is not None:
        on = getattr(backend, "on", None)
        if on is None:
            text = f"the backend '{name}' has no choice of devices; leave the device out, or take the backend genn"
            raise Unsupported(text)
        backend = cast(Backend, on(device))
    if genn:
        tuned = getattr(backend, "tuned", None)
        if tuned is None:
            text = f"the backend '{name}' has no settings of GeNN, and {genn[0]} is one; leave it out, or take genn"
            raise Unsupported(text)
        backend = cast(Backend, tuned(genn))
    return backend if threads == 1 else _threaded(backend, threads)


def _threaded(backend: Backend, threads: int) -> Backend:
    threaded = getattr(backend, "threaded", None)
    if threaded is None:
        text = f"the backend '{backend.name}' computes on one thread; leave the number of threads out, or take the "
        raise Unsupported(f"{text}backend emulator")
    return cast(Backend, threaded(threads))


def _load(name: str) -> Backend:
    if name in BUILT_IN:
        _plug_ins()
        return BUILT_IN[name]()
    points = _plug_ins()
    known = sorted([*BUILT_IN, *points])
    if name == AUTO:
        text = f"the backend '{AUTO}' is chosen where a network is run or a session opened, and not here; name one of "
        raise Unsupported(f"{text}{', '.join(known)}")
    if name not in points:
        remedy = suggestion(name, [*known, AUTO]).strip() or "choose one of these"
        listed = ", ".join(known)
        raise Unsupported(f"there is no backend '{name}'; the backends are {listed}, and '{AUTO}' for a run; {remedy}")
    who = f"the backend '{name}' of {_owner(points[name])}"
    try:
        maker = points[name].load()
        backend = maker()
    except (Exception, SystemExit) as error:  # a plug-in may do anything
        raise Unsupported(f"{who} cannot be imported: {_shown(error)}; reinstall that package") from error
    lacking = [part for part in ("name", "missing", "check", "open") if not hasattr(backend, part)]
    if lacking:
        raise Unsupported(
            f"{who} is none: it lacks {', '.join(lacking)}; what a backend has stands in neuroport.program.executor; "
            f"install another version of that package"
        )
    return cast(Backend, backend)


def _shown(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
