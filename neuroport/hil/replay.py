"""A record once more: the same messages to the same network, and whether the same replies come of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neuroport.errors import InvalidInput, Place
from neuroport.hil.limits import Limits
from neuroport.hil.messages import Refused, decode, encode
from neuroport.hil.record import Recorded, damaged
from neuroport.hil.served import OF_THE_EXECUTOR, Effects, Entry, Once

OF_THE_MACHINE = {
    "exchange": ("cancelled",),
    "describe": ("describe.executor", "describe.neuroport", "describe.pace"),
    "checkpoint": (*(f"checkpoint.{name}" for name in OF_THE_EXECUTOR), "sha256", "bytes"),
    "fetch": ("piece",),
    "stats": ("stats.missed_deadlines", "stats.slipped_s"),
}
"""What replies to each op tell of the machine and its clock, and not of what the chip did, and hashes of that."""
_PLACES = re.compile(r"^.*?:\d+:\d+(?: and .*?:\d+:\d+)*: ", re.MULTILINE)
"""Where in its file the network says what refuses something; a record has the network in a file of its own."""
_WIDE = Limits(message_bytes=2**32 - 1, items=2**26, text_bytes=2**24)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a replay went: messages and steps that were compared, and the first difference, "" where there is none."""

    messages: int
    steps: int
    difference: str
    digest: str


def replay(
    record: Recorded,
    backend: str | None = None,
    trace: str | Path | None = None,
    *,
    overwrite: bool = False,
    all_spikes: bool = False,
) -> Outcome:
    """Do all of a record again, on its own executor or another one, until a reply is another one.

    `trace`: an HDF5 file for what the network file says is to be recorded, with `all_spikes` also for the spikes of all
    populations. InvalidInput for a damaged record, and for a trace of a session that went back to a checkpoint.
    """
    limits = Limits(**record.opened["limits"])
    if trace is not None:
        _goes_on(record)
    with opened(record.opened, backend, str(record.path), trace, overwrite, all_spikes) as session:
        once = Once(Effects(session, limits))
        for number, entry in enumerate(record.entries, 1):
            if entry.step < session.step:
                why = f"it is for step {entry.step}, and step {session.step} comes next"
                raise damaged(record.path, number, why)
            if entry.step > session.step:
                session.run(entry.step - session.step)
            try:
                reply = once.handle(_as_it_went(entry))
                found = "" if reply == entry.reply else difference(entry.request, entry.reply, reply)
            except Refused as error:
                raise damaged(record.path, number, f"it or its reply cannot be read: {error}") from None
            if found:
                return Outcome(number, session.step, f"message {number}, before step {entry.step}: {found}", "")
        digest = session.digest()
        found = "" if record.digest in (None, digest) else f"at the end: digest {record.digest}, and now {digest}"
        return Outcome(len(record.entries), session.step, found, digest)


def _as_it_went(entry: Entry) -> bytes:
    """A message as it was done: an exchange that was cancelled was one of fewer steps."""
    if b"cancelled" not in entry.reply or "cancelled" not in (reply := decode(entry.reply, _WIDE)):
        return entry.request
    return encode(decode(entry.request, _WIDE) | {"run": reply["step"] - entry.step})


def _goes_on(record: Recorded) -> None:
    """InvalidInput where a session went back, whose steps do not follow each other as those of a trace do."""
    for number, entry in enumerate(record.entries, 1):
        if b"restore" not in entry.request:
            continue
        if decode(entry.request, _WIDE).get("op") == "restore" and decode(entry.reply, _WIDE).get("ok") is True:
            text = f"goes on from a checkpoint at message {number}, and the steps of a trace follow each other; "
            raise InvalidInput.one(Place(str(record.path)), f"{text}replay it without a trace")


def opened(
    how: Any,
    backend: str | None,
    name: str,
    trace: str | Path | None = None,
    overwrite: bool = False,
    all_spikes: bool = False,
) -> Any:
    """The session that a record began with."""
    import neuroport
    from neuroport.chips import description
    from neuroport.files import network as reader
    from neuroport.hil import link
    from neuroport.hil.linked import Linked

    network = reader.loads(how["network"], f"{name} (network)")
    if all_spikes:
        everybody = tuple(population.name for population in network.populations)
        network = replace(network, record=replace(network.record, spikes=everybody, parts=()))
    chip = description.read(how["chip"], f"{name} (chip)")
    session = neuroport.open(
        network,
        how["backend"] if backend is None else backend,
        chip,
        how["chip_seed"],
        None,
        how["seed"],
        trace,
        overwrite,
        how["keep"],
    )
    return session if how["link"] is None else Linked(session, link.read(how["link"], f"{name} (link)", network.dt))


def difference(request: bytes, before: bytes, now: bytes) -> str:
    """Where two replies differ, "" where only what they tell of the machine does."""
    op = decode(request, _WIDE).get("op")
    one, other = (decode(reply, _WIDE) for reply in (before, now))
    for reply in (one, other):
        for path in OF_THE_MACHINE.get(str(op), ()):
            _leave_out(reply, path)
        error = reply.get("error")
        if isinstance(error, dict):
            error["text"] = _PLACES.sub("", str(error.get("text")))
    return _first(one, other, str(op))


def _leave_out(reply: dict[str, Any], path: str) -> None:
    """Take a field out of a reply, if it is there."""
    *outer, last = path.split(".")
    for name in outer:
        reply = reply.get(name, {})
    reply.pop(last, None)


def _first(one: Any, other: Any, where: str) -> str:
    """The first place where two values differ, with both."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            if key not in one or key not in other:
                return f"{where}.{key} is in one reply alone"
            if found := _first(one[key], other[key], f"{where}.{key}"):
                return found
        return ""
    return "" if one == other and type(one) is type(other) else f"{where} was {_short(one)}, and is {_short(other)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
