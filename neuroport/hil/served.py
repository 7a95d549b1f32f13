"""A session as messages see it: what each does, done whole or not at all, and once even when it comes twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neuroport.disk.tree import seal
from neuroport.errors import InvalidInput, NeuroportError, UnknownName
from neuroport.hil.checkpoints import sealed
from neuroport.hil.limits import Limits
from neuroport.hil.messages import Refused, array, decode, encode, refusal
from neuroport.hil.paced import LONGEST_WAIT
from neuroport.hil.pieces import Pieces
from neuroport.numerics.given import found, whole
from neuroport.numerics.steps import steps_of
from neuroport.numerics.units import suggestion
from neuroport.session.exchange import Exchange, Write

Reply = dict[str, Any]
_NOTHING = object()
_ENVELOPE = ("id", "op")
"""The fields that every message has."""
NAMES = {
    "inject": "port",
    "read": "name",
    "write": "name",
    "weights": "projection",
    "spikes": "population",
    "records": "name",
    "trigger": "event",
    "reset": "populations",
    "take": "out",
}
"""The field of a message in which names stand."""
OF_THE_EXECUTOR = ("backend", "version")
"""What a checkpoint tells of what made it, and not of what the chip did."""
_NUMBERS: tuple[tuple[Any, ...], ...] = (("values",), ("neurons", None))
"""The fields of a write that are numbers, and what they are where they are absent."""


MOST_LOOKED = 1000
"""So many writes are looked at by themselves for the one that is refused."""


class Fields:
    """The fields of a message or of a part of one, each taken once; `where` is said of what is wrong."""

    def __init__(self, message: Mapping[str, Any], allowed: tuple[str, ...], where: str = "") -> None:
        self._message, self.where = message, where
        unknown = [key for key in message if key not in allowed and key not in _ENVELOPE]
        if unknown:
            near, listed = suggestion(unknown[0], list(allowed)), ", ".join(allowed) or "none"
            raise Refused("bad_message", f"unknown field {found(unknown[0])}; {near}allowed are {listed}", where)

    def at(self, key: str) -> str:
        """Where a field stands."""
        return f"{self.where}.{key}" if self.where else key

    def get(self, key: str, default: Any = _NOTHING) -> Any:
        """A field; without a default it must be there."""
        value = self._message.get(key, default)
        if value is _NOTHING:
            raise Refused("bad_message", f"the field '{key}' is missing", self.where)
        return value

    def text(self, key: str) -> str:
        """A text."""
        value = self.get(key)
        if not isinstance(value, str):
            raise Refused("bad_value", f"{key} is a text; found {found(value)}", self.at(key))
        return value

    def texts(self, key: str) -> list[str]:
        """A list of texts; absent: none."""
        value = self.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise Refused("bad_value", f"{key} is a list of texts; found {found(value)}", self.at(key))
        return value


class Effects:
    """What messages do to a session: one method per op, from the fields of the message to those of the reply.

    interrupted: why the exchange that computes was told to end, "" where it was not.
    """

    def __init__(self, session: Any, limits: Limits) -> None:
        self.session, self.limits = session, limits
        self.interrupted = ""
        self._pieces = Pieces(limits)
        self._awaited: Callable[[Callable[[], Any], float], Any] = getattr(session, "awaited", _at_once)
        self.ops: dict[str, Callable[[Mapping[str, Any]], Reply]] = {
            "describe": self._describe,
            "stats": self._stats,
            "exchange": self._exchange,
            "inject": self._inject,
            "take": self._take,
            "read": self._read,
            "write": self._write,
            "weights": self._weights,
            "spikes": self._spikes,
            "records": self._records,
            "trigger": self._trigger,
            "reset": self._reset,
            "digest": self._digest,
            "checkpoint": self._checkpoint,
            "fetch": self._fetch,
            "give": self._give,
            "restore": self._restore,
        }

    def __call__(self, op: str, fields: Mapping[str, Any]) -> Reply:
        """Do what a message asks for. Refused, and nothing has changed, where that cannot be done."""
        try:
            reply = self.ops[op](fields)
            reply["step"] = self.session.step
            if self.interrupted:
                reply["cancelled"], self.interrupted = self.interrupted, ""
            return reply
        except UnknownName as error:
            raise refusal(error, NAMES.get(op, "")) from None
        except (Refused, NeuroportError, MemoryError) as error:
            raise refusal(error) from None

    def _describe(self, message: Mapping[str, Any]) -> Reply:
        Fields(message, ())
        described = self.session.describe()
        return {"describe": described | {"limits": described["limits"] | self.limits.described()}}

    def _stats(self, message: Mapping[str, Any]) -> Reply:
        Fields(message, ())
        return {"stats": self.session.stats()}

    def _exchange(self, message: Mapping[str, Any]) -> Reply:
        fields = Fields(message, ("in", "run", "out", "at", "clip"))
        at = fields.get("at", None)
        if at is not None and at != self.session.step:
            text = f"the session stands at step {self.session.step}, and the message is for step {found(at)}"
            raise Refused("wrong_step", text, "at")
        writes, run = self._writes(fields.get("in", [])), self._bounded(fields.get("run", 1))
        out, clip = fields.get("out", []), fields.get("clip", False)
        try:
            return _exchanged(self.session.exchange(writes, run, out, clip=clip))
        except InvalidInput as error:
            raise refusal(error, self._refused(writes, run, out, clip)) from None

    def _refused(self, writes: list[Write], run: Any, out: Any, clip: Any) -> str:
        """Which field of an exchange is refused by itself, the first; "in" where writes only are beside each other.

        Of very many writes, the first are looked at.
        """
        alone: list[tuple[str, tuple[Any, ...]]] = [
            ("clip", ((), 0, ())),
            *((f"in[{k}]", ([write], 0, ())) for k, write in enumerate(writes[:MOST_LOOKED])),
            ("run", ((), run, ())),
            ("out", ((), 0, out)),
        ]
        for where, asked in alone:
            try:
                self.session.check(*asked, clip=clip)
            except InvalidInput:
                return where
        return "in"

    def _bounded(self, run: Any) -> Any:
        """How long to run; Refused for longer than one exchange may."""
        try:
            steps = steps_of(run, self.session.plan.dt)
        except InvalidInput:
            return run  # of which the session says more
        if steps > self.limits.exchange_steps:
            self.session.check((), run)  # what cannot be run in several either
            text = f"one exchange runs at most {self.limits.exchange_steps:,} steps; found {steps:,}; send several"
            raise Refused("too_large", text, "run")
        return run

    def _writes(self, given: Any) -> list[Write]:
        if not isinstance(given, list):
            raise Refused("bad_value", f"in is a list of writes; found {found(given)}", "in")
        writes, events = [], 0
        for k, one in enumerate(given):
            write = written(one, f"in[{k}]")
            events += max(1, _many(write.values), _many(write.neurons))
            if events > self.limits.exchange_numbers:
                text = f"one exchange writes at most {self.limits.exchange_numbers:,} numbers; send several"
                raise Refused("too_large", text, f"in[{k}]")
            writes.append(write)
        return writes

    def _inject(self, message: Mapping[str, Any]) -> Reply:
        (write,) = self._writes([{key: value for key, value in message.items() if key not in _ENVELOPE}])
        self.session.inject(write.name, write.neurons, write.values, write.at, write.hold)
        return {}

    def _take(self, message: Mapping[str, Any]) -> Reply:
        fields = Fields(message, ("out", "wait_ms"))
        out = fields.texts("out")
        return {"out": _trains(self._awaited(lambda: self.session.take(*out), _wait(fields)))}

    def _read(self, message: Mapping[str, Any]) -> Reply:
        return {"values": self.session.get(Fields(message, ("name",)).text("name"))}

    def _write(self, message: Mapping[str, Any]) -> Reply:
        fields = Fields(message, ("name", "values", "clip"))
        self.session.set(fields.text("name"), array(fields.get("values"), "values"), clip=fields.get("clip", False))
        return {}

    def _weights(self, message: Mapping[str, Any]) -> Reply:
        pre, post, weights = self.session.weights(Fields(message, ("projection",)).text("projection"))
        return {"pre": pre, "post": post, "weights": weights}

    def _spikes(self, message: Mapping[str, Any]) -> Reply:
        fields = Fields(message, ("population", "since", "wait_ms"))
        name, since = fields.text("population"), fields.get("since", None)
        steps, neurons = self._awaited(lambda: self.session.spikes(name, since), _wait(fields))
        return {"steps": steps, "neurons": neurons}

    def _records(self, message: Mapping[str, Any]) -> Reply:
        fields = Fields(message, ("name", "since", "wait_ms"))
        name, since = fields.text("name"), fields.get("since", None)
        steps, values = self._awaited(lambda: self.session.records(name, since), _wait(fields))
        return {"steps": steps, "values": values}

    def _trigger(self, message: Mapping[str, Any]) -> Reply:
        self.session.trigger(Fields(message, ("event",)).text("event"))
        return {}

    def _reset(self, message: Mapping[str, Any]) -> Reply:
        fields = Fields(message, ("populations", "keep_learned"))
        self.session.reset(*fields.texts("populations"), keep_learned=fields.get("keep_learned", False))
        return {}

    def _digest(self, message: Mapping[str, Any]) -> Reply:
        Fields(message, ())
        return {"digest": self.session.digest()}

    def _checkpoint(self, message: Mapping[str, Any]) -> Reply:
        """The checkpoint, or, where it has more than `most` bytes, what it is, so that it is fetched in pieces."""
        most = Fields(message, ("most",)).get("most", None)
        if most is not None and (whole(most) is None or most < 0):
            raise Refused("bad_value", f"most is a number of bytes from 0; found {found(most)}", "most")
        tree = self.session.checkpoint().tree()
        reply = {"checkpoint": tree, "sha256": seal(tree)}
        if most is None or len(content := encode({"checkpoint": tree})) <= most:
            return reply
        self._pieces.hold(content)
        same = {name: part for name, part in tree.items() if name not in OF_THE_EXECUTOR}
        return {"bytes": len(content), "sha256": reply["sha256"], "content": seal(same)}

    def _fetch(self, message: Mapping[str, Any]) -> Reply:
        return {"piece": self._pieces.fetch(Fields(message, ("begin",)).get("begin"))}

    def _give(self, message: Mapping[str, Any]) -> Reply:
        fields = Fields(message, ("begin", "piece"))
        return {"bytes": self._pieces.give(fields.get("begin"), fields.get("piece"))}

    def _restore(self, message: Mapping[str, Any]) -> Reply:
        """Go on from a checkpoint; where that goes wrong, from where the session was."""
        fields = Fields(message, ("checkpoint", "sha256"))
        told, given = fields.text("sha256"), fields.get("checkpoint", None)
        if given is None:
            wide = replace(self.limits, message_bytes=self.limits.checkpoint_bytes)
            given = decode(self._pieces.given(), wide).get("checkpoint")
        if not isinstance(given, dict):
            raise Refused("bad_value", f"checkpoint is a map; found {found(given)}", "checkpoint")
        wanted, before = sealed(given, told), self.session.checkpoint()
        try:
            self.session.restore(wanted)
        except NeuroportError:
            raise
        except Exception as error:
            self.session.restore(before)
            text = f"this is no checkpoint of this session: {type(error).__name__}: {error}"
            raise Refused("bad_value", text, "checkpoint") from None
        return {}


def _at_once(read: Callable[[], Any], wait: float) -> Any:
    """What is read where nothing comes by waiting."""
    return read()


def _wait(fields: Fields) -> float:
    """For how many seconds a message waits at most for something to be there."""
    wait = fields.get("wait_ms", 0)
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= 1000 * LONGEST_WAIT:
        text = f"wait_ms is a number of milliseconds from 0 to {1000 * LONGEST_WAIT:,.0f}; found {found(wait)}"
        raise Refused("bad_value", text, "wait_ms")
    return wait / 1000


def _many(value: Any) -> int:
    """How many numbers a message has for something."""
    return value.size if isinstance(value, np.ndarray) else len(value) if isinstance(value, list) else 1


def written(given: Any, where: str) -> Write:
    """One write of an exchange, from its part of a message."""
    if not isinstance(given, dict):
        raise Refused("bad_value", f"a write is a map; found {found(given)}", where)
    fields = Fields(given, ("port", "values", "neurons", "at", "hold"), where)
    values, neurons = (array(fields.get(key, *default), fields.at(key)) for key, *default in _NUMBERS)
    return Write(fields.text("port"), values, neurons, fields.get("at", None), fields.get("hold", 1))


def _exchanged(answer: Exchange) -> Reply:
    counts = {"late": answer.late, "dropped": answer.dropped, "clipped": answer.clipped}
    return {"out": _trains(answer.outputs)} | counts


def _trains(outputs: Mapping[str, Any]) -> Reply:
    """Outputs as they stand in a reply: neurons of spikes, or values."""
    return {
        name: {"steps": steps, "neurons" if values.ndim == 1 else "values": values}
        for name, (steps, values) in outputs.items()
    }


@dataclass(frozen=True, slots=True)
class Entry:
    """A message that acted, before step `step`, and its reply. heard, answered: when, in ns since 1970."""

    step: int
    heard: int
    answered: int
    request: bytes
    reply: bytes


Log = Callable[[Entry], None]


class Once:
    """The messages of one session in their order: ids rise by one, and the last one again gets its reply again.

    `handle` takes a frame and gives a frame, whatever is in it. `ended` is true when the client has said `bye`.
    `log` is told each message that acted, before its reply is given.
    """

    def __init__(self, effects: Effects, log: Log | None = None) -> None:
        self._effects, self._limits, self._log = effects, effects.limits, log
        self.expected = 1
        self.ended = False
        self._last, self._of = b"", b""

    def interrupt(self, why: str) -> None:
        """Have the reply of the exchange that computes say why it ends before its time."""
        self._effects.interrupted = why

    def aside(self, running: bool) -> Reply:
        """How the session is while it computes a message, or between two."""
        return {"stats": self._effects.session.stats(), "step": self._effects.session.step, "running": running}

    def handle(self, frame: bytes | memoryview) -> bytes:
        """The reply to a message."""
        try:
            message = decode(frame, self._limits)
        except (Refused, MemoryError) as error:
            return encode(_refused(None, refusal(error)))
        return self.answer(message, bytes(frame))

    def answer(self, message: dict[str, Any], frame: bytes) -> bytes:
        """The reply to a message that was read from a frame."""
        number = message.get("id")
        if type(number) is not int or number < 0:
            text = f"id is a number that rises by one from 1; found {found(number)}"
            return encode(_refused(None, Refused("bad_message", text, "id")))
        if number == self.expected - 1 and self._last:
            return self._again(number, frame)
        if number != self.expected:
            text = f"the message with the id {self.expected} comes next; found {number}"
            return encode(_refused(number, Refused("wrong_step", text, "id")) | {"expected": self.expected})
        step, heard = self._effects.session.step, time.time_ns()
        reply = self._encoded(number, self._done(number, message))
        if "wait_ms" in message:  # it acts when it is answered
            step = self._effects.session.step
        if self._log is not None:
            self._log(Entry(step, heard, time.time_ns(), frame, reply))
        self._last, self._of = reply, frame
        self.expected += 1
        return reply

    def _again(self, number: int, frame: bytes) -> bytes:
        """The reply to the last message, if that is what came again."""
        if frame == self._of:
            return self._last
        text = f"the message with the id {number} was another one; send that again, or the next with the id "
        error = Refused("wrong_step", f"{text}{self.expected}", "id")
        return encode(_refused(number, error) | {"expected": self.expected})

    def _encoded(self, number: int, reply: Reply) -> bytes:
        """The frame of a reply; where it holds what cannot be sent, of one that says so."""
        try:
            return encode(reply)
        except (TypeError, ValueError, OverflowError, MemoryError) as error:
            return encode(_refused(number, refusal(error)))

    def _done(self, number: int, message: dict[str, Any]) -> Reply:
        op = message.get("op")
        if op == "bye":
            self.ended = True
            return {"id": number, "ok": True}
        try:
            if not isinstance(op, str) or op not in self._effects.ops:
                raise _unknown(op, (*self._effects.ops, "bye"))
            return {"id": number, "ok": True, **self._effects(op, message)}
        except Exception as error:
            return _refused(number, refusal(error))


def _unknown(op: Any, known: tuple[str, ...]) -> Refused:
    near = suggestion(op, list(known)) if isinstance(op, str) else ""
    return Refused("unknown_op", f"there is no op {found(op)}; {near}there are: {', '.join(known)}", "op")


def _refused(number: int | None, error: Refused) -> Reply:
    return {"id": number, "ok": False, "error": error.plain()}
