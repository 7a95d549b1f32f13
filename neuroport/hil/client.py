"""A session that a server holds, with the methods of one that is here."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neuroport.disk.tree import seal
from neuroport.errors import InvalidInput, NotWritten, Place, RunFailed
from neuroport.hil.address import Address, parsed
from neuroport.hil.checkpoints import GIVEN, LinkedCheckpoint, sealed
from neuroport.hil.endpoints import Caller, NoAnswer, NobodyThere, calling
from neuroport.hil.limits import Limits
from neuroport.hil.messages import STOPPED, decode, encode, raised, unpacked
from neuroport.hil.paced import WAIT
from neuroport.hil.pieces import most
from neuroport.numerics.given import FLAG, NUMBER, PATH, TEXT, TEXTS, WHOLE, Kind, checked_seed, found, takes, whole
from neuroport.numerics.steps import no_steps, steps_of
from neuroport.numerics.units import Quantity, show
from neuroport.pages.html import html
from neuroport.pages.plain import brief
from neuroport.session import checkpoint as checkpoints
from neuroport.session.checkpoint import Checkpoint
from neuroport.session.exchange import AT, HOLD, Exchange, Steps, Train, Write, writes_of
from neuroport.session.executing import forkable
from neuroport.session.host import numbers
from neuroport.session.summary import told, told_page
from neuroport.yaml.nodes import read_bytes

TRIES = 3
"""So often a message is sent at most; it acts once."""
GREETING = 10.0
"""For so many seconds at most the answer to a greeting is waited for: there is a server, or there is none."""
ENDED = (
    "this session has ended: nobody listens there any more; its process or its server was stopped, or it heard nothing "
    "of this host for too long; open another one"
)
_ANSWER = Limits(message_bytes=2**31 - 1, items=2**26, text_bytes=2**24)


SECONDS = Kind("a number of seconds above 0", lambda value: NUMBER.fits(value) and value > 0).or_none
PACE = Kind.of("a mode, or a mapping", str, Mapping).or_none


@takes(
    address=TEXT,
    network=TEXT.or_none,
    backend=TEXT.or_none,
    chip=TEXT.or_none,
    link=PATH.or_none,
    pace=PACE,
    keys=PATH.or_none,
    timeout=SECONDS,
)
def connect(
    address: str,
    network: str | None = None,
    *,
    backend: str | None = None,
    chip: str | None = None,
    chip_seed: int | None = None,
    seed: int | None = None,
    keep: bool | int | str | None = None,
    link: str | Path | None = None,
    pace: str | Mapping[str, Any] | None = None,
    keys: str | Path | None = None,
    timeout: float | None = 600.0,
) -> Remote:
    """Open a session at a server (`neuroport hil serve`) and give it, with the methods of a session that is here.

    `network`: one of those that the server offers, by default its first. None of the others: what the server was
    started with. `link`: a link file of this machine. `pace`: "free", "locked" or "real_time", or a mapping of `mode`,
    `rate` and `late` (see neuroport.hil.paced.Pace). `keys`: a folder with `server.key` and this client's
    `NAME.key_secret`. `timeout`: seconds that an answer is waited for, to the first greeting at most 10; then
    NotWritten. InvalidInput for what the server refuses; NotWritten where none is there.
    """
    where = parsed(address)
    chip_seed = None if chip_seed is None else checked_seed(chip_seed, "a chip seed")
    seed = None if seed is None else checked_seed(seed)
    folder, timeout = None if keys is None else Path(keys), None if timeout is None else float(timeout)
    wanted: dict[str, Any] = {
        "network": network,
        "backend": backend,
        "chip": chip,
        "chip_seed": chip_seed,
        "seed": seed,
        "keep": keep,
    }
    if link is not None:
        wanted["link"] = read_bytes(Path(link), str(link)).decode("utf-8", "replace")
    if pace is not None:
        wanted["pace"] = {"mode": pace} if isinstance(pace, str) else dict(pace)
    return _opened(where, folder, timeout, {key: value for key, value in wanted.items() if value is not None})


def _opened(where: Address, keys: Path | None, timeout: float | None, wanted: Mapping[str, Any]) -> Remote:
    """A session that is opened at a server."""
    soon = GREETING if timeout is None else min(timeout, GREETING)
    with closing(calling(where, soon, keys)) as caller:
        _asked(caller, {"id": 1, "op": "hello", "protocol": [1], "client": "neuroport"})
    with closing(calling(where, timeout, keys)) as caller:
        opened = _asked(caller, {"id": 2, "op": "open", **wanted})
    inner = _reached(parsed(opened["address"]), where)
    again = partial(_opened, where, keys, timeout, wanted)
    return Remote(calling(inner, timeout, keys), opened["token"], opened["describe"], again)


def _reached(inner: Address, outer: Address) -> Address:
    """Where a session's process is reached from here: at the host of its server."""
    return inner if inner.path else replace(inner, host=outer.host)


def _asked(caller: Caller, message: dict[str, Any]) -> dict[str, Any]:
    """What a server answers; what it refuses is raised."""
    reply = decode(caller.ask(_encoded(message)), _ANSWER)
    if reply.get("ok") is True:
        plain: dict[str, Any] = unpacked(reply)
        return plain
    error = reply.get("error", {})
    raise raised(str(error.get("code")), str(error.get("text")))


class Remote:
    """A session at a server. Its methods are those of `neuroport.session.session.Session`, with the same results.

    A message whose answer was lost on the way is sent again, over a new connection, and acts once. A session of which
    its server hears nothing for `limits["idle_s"]` seconds ends: until it is closed, this one is heard.
    """

    def __init__(
        self, caller: Caller, token: str, described: dict[str, Any], again: Callable[[], Remote] | None = None
    ) -> None:
        self._again, self._process = again, os.getpid()
        self._caller, self._token, self._described = caller, token, described
        self._number, self._step = 0, int(described["step"])
        self._closed, self._greeted, self._unsure = False, False, False
        self._ended: NotWritten | None = None
        self._piece = most(Limits(message_bytes=described["limits"]["message_bytes"]))
        self._left: dict[str, Train] = {}
        self._targets = {port["name"]: port["target"] for port in described.get("ports", ())}
        self._one = threading.Lock()
        self._done = threading.Event()
        beat = (weakref.ref(self), self._done, described["limits"]["idle_s"] / 4)
        threading.Thread(target=_be_heard, args=beat, daemon=True).start()

    def __repr__(self) -> str:
        return brief("Remote", told(self._described | {"step": self._step}, self._closed))

    def _repr_html_(self) -> str:
        return html(told_page(self._described | {"step": self._step}, self._closed), "Remote")

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the session and free what the server holds of it; one that has ended is left at once."""
        if self._closed:
            return
        self._done.set()
        try:
            if self._ended is None:
                self._ask("bye")
        except (NotWritten, InvalidInput, RunFailed):
            pass  # it has ended already
        finally:
            self._closed = True
            self._caller.close()

    # ------------------------------------------------------------------------------------------------------ messages

    def _ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """The answer to a message; what the session refuses is raised as it would be there."""
        reply = self._reply(op, **fields)
        if not reply["ok"]:
            raise raised(reply["error"]["code"], reply["error"]["text"])
        self._step = reply.get("step", self._step)
        if reply.get("cancelled") == STOPPED:
            text = f"this session has ended before step {self._step}: {STOPPED}; open another one"
            self._ended = NotWritten(Place(str(self._caller.address)), text)
            raise self._ended
        return reply

    def _reply(self, op: str, **fields: Any) -> dict[str, Any]:
        """The answer to a message, also one that refuses it."""
        if os.getpid() != self._process:
            text = "this session is another process's, of which this one is a fork; open one of its own here"
            raise InvalidInput.one(None, text)
        if self._closed:
            raise InvalidInput.one(
                None, "this session is closed, and what executes its program is gone; open another one"
            )
        with self._one:
            if self._ended is not None:
                raise NotWritten(self._ended.place, self._ended.text)
            try:
                return self._numbered(op, fields)
            except NobodyThere as error:
                raise self._gone(error) from None

    def _gone(self, error: NobodyThere) -> NotWritten:
        """What is said from now on of the session, as nobody is there any more."""
        self._ended = NotWritten(error.place, ENDED)
        return self._ended

    def _numbered(self, op: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to the next message. After one without an answer the session says whether that has acted."""
        if self._unsure:
            self._greeted = False
            self._greet()
        number = self._number + 1
        frame = _encoded({"id": number, "op": op, **fields})
        try:
            reply = self._sent(frame, number)
        except BaseException as error:
            self._unsure = True
            if isinstance(error, KeyboardInterrupt):
                with suppress(NotWritten, InvalidInput, RunFailed):
                    self._withdraw(frame, number)
            raise
        self._number = number
        return reply

    def _withdraw(self, frame: bytes, number: int) -> None:
        """End what a message has the session compute; what has come out of it goes to who asks next."""
        self._beside("cancel")
        self._greeted = False
        self._greet()
        if self._number == number:
            reply = self._sent(frame, number)
            self._step = reply.get("step", self._step)
            recorded, out = self._described["recorded"], self._outputs(reply.get("out", {}))
            self._left |= {name: train for name, train in out.items() if self._targets.get(name, name) in recorded}

    def _outputs(self, out: Mapping[str, Any]) -> dict[str, Train]:
        """Outputs of a reply, after what is left of one that nobody waited for."""
        trains = _trains(out)
        for name in trains.keys() & self._left.keys():
            (steps, values), (more, others) = self._left.pop(name), trains[name]
            trains[name] = np.concatenate([steps, more]), np.concatenate([values, others])
        return trains

    def _beside(self, op: str) -> dict[str, Any]:
        """The answer to what may be asked over a connection of its own, also while an exchange computes."""
        with closing(self._caller.another(GREETING)) as caller:
            try:
                _asked(caller, {"id": 0, "op": "hello", "token": self._token, "watch": True})
                return _asked(caller, {"id": 1, "op": op})
            except NobodyThere as error:
                raise self._gone(error) from None

    def _sent(self, frame: bytes, number: int) -> dict[str, Any]:
        """The answer to the message of that number, which is sent until one comes."""
        for left in reversed(range(TRIES)):
            try:
                self._greet()
                reply: dict[str, Any] = unpacked(decode(self._caller.ask(frame), _ANSWER))
                while reply.get("id") not in (number, None):
                    reply = unpacked(decode(self._caller.ask(frame), _ANSWER))
                return self._for_its_host(_whole(reply))
            except NotWritten as error:
                self._greeted = False
                if not left or isinstance(error, NoAnswer | NobodyThere):
                    raise
        raise AssertionError("unreachable")

    def _for_its_host(self, reply: dict[str, Any]) -> dict[str, Any]:
        """A reply, if the session knows this connection: ZeroMQ may have made another one meanwhile."""
        if reply["ok"] or reply["error"].get("code") != "denied":
            return reply
        raise NotWritten(Place(str(self._caller.address)), reply["error"]["text"])

    def _greet(self) -> None:
        """Show the token, once over each connection; what does not know it is another session at the same place."""
        if not self._greeted:
            try:
                reply = _asked(self._caller, {"id": 0, "op": "hello", "token": self._token})
            except InvalidInput as error:
                raise NobodyThere(Place(str(self._caller.address)), str(error)) from None
            self._greeted = True
            if self._unsure:
                self._number, self._unsure = reply["expected"] - 1, False

    def be_heard(self) -> None:
        """Say hello, where nothing else is said at this time; what is wrong is told who asks next."""
        if self._one.acquire(blocking=False):
            try:
                self._greeted = False
                self._greet()
            except (NotWritten, InvalidInput, RunFailed):
                pass
            finally:
                self._one.release()

    # ------------------------------------------------------------------------------------------------------- methods

    @property
    def dt(self) -> float:
        """The time step in ms."""
        return float(self._described["dt_ms"])

    @property
    def step(self) -> int:
        """The number of the step that comes next; 0 at the start."""
        return self._step

    def exchange(
        self,
        inputs: Sequence[Write] | Mapping[str, ArrayLike] = (),
        steps: int | str | Quantity = 1,
        outputs: Sequence[str] = (),
        *,
        clip: bool = False,
    ) -> Exchange:
        """Write, compute that many steps, and take outputs; see Session.exchange."""
        writes = [_plain(write, self._targets) for write in writes_of(inputs)]
        out = TEXTS.checked("outputs", outputs)
        asked = {"in": writes, "run": _steps(steps), "out": out, "clip": FLAG.checked("clip", clip)}
        reply = self._ask("exchange", **asked)
        return Exchange(reply["step"], self._outputs(reply["out"]), reply["late"], reply["dropped"], reply["clipped"])

    def run(self, duration: int | str | Quantity, progress: Any = None) -> None:
        """Simulate for a number of steps, or a time such as "100 ms"."""
        piece, start, many = self._described["limits"]["exchange_steps"], self._step, self._many(duration)
        if many > piece:
            error = self._reply("exchange", run=_steps(duration))["error"]
            if error["code"] != "too_large":  # nor can it be run in several pieces
                raise raised(error["code"], error["text"])
            for first in range(0, many, piece):
                self.run(min(piece, many - first))
                if progress is not None:
                    progress(self._step - start, many)
                if self._step < start + min(first + piece, many):
                    return  # it was cancelled
            return
        self._ask("exchange", **{"in": [], "run": _steps(duration), "out": []})
        if progress is not None:
            progress(self._step - start, self._step - start)

    def _many(self, duration: Any) -> int:
        """How many steps a number of steps or a time is; 0 for what the session is to say more of."""
        try:
            return steps_of(duration, Quantity(self._described["dt_ms"], "ms"))
        except InvalidInput:
            return 0

    @takes(name=TEXT)
    def inject(self, name: str, neurons: Any, values: Any, at: Steps | None = None, hold: Steps = 1) -> None:
        """Add values to an input of some neurons; see Session.inject."""
        self._ask("inject", **_plain(Write(name, values, neurons, at, hold), self._targets))

    @takes(outputs=TEXT, wait=WAIT)
    def take(self, *outputs: str, wait: float = 0.0) -> dict[str, Train]:
        """What came out since it was last taken; see Session.take.

        In real time the answer comes when there is something, at the latest after `wait` seconds.
        """
        return self._outputs(self._ask("take", out=list(outputs), **_waiting(wait))["out"])

    @takes(name=TEXT)
    def get(self, name: str) -> NDArray[np.float64]:
        """The values of OBJECT.VARIABLE in real units."""
        values: NDArray[np.float64] = self._ask("read", name=name)["values"]
        return values

    @takes(name=TEXT, clip=FLAG)
    def set(self, name: str, value: Any, clip: bool = False) -> None:
        """Give OBJECT.VARIABLE new values; see Session.set."""
        self._ask("write", name=name, values=_numbers(self._targets.get(name, name), value), clip=clip)

    @takes(projection=TEXT)
    def weights(self, projection: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Presynaptic neurons, postsynaptic neurons and weights of a projection's synapses."""
        reply = self._ask("weights", projection=projection)
        return reply["pre"], reply["post"], reply["weights"]

    @takes(population=TEXT, wait=WAIT)
    def spikes(
        self, population: str, since: int | str | Quantity | None = None, wait: float = 0.0
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Steps and neurons of the spikes of a population, from step `since` on. `wait`: see take."""
        reply = self._ask("spikes", population=population, since=_since(since), **_waiting(wait))
        return reply["steps"], reply["neurons"]

    @takes(name=TEXT, wait=WAIT)
    def records(
        self, name: str, since: int | str | Quantity | None = None, wait: float = 0.0
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Steps and values of a recorded state, from step `since` on. `wait`: see take."""
        reply = self._ask("records", name=name, since=_since(since), **_waiting(wait))
        return reply["steps"], reply["values"]

    @takes(event=TEXT)
    def trigger(self, event: str) -> None:
        """Run every triggered block of that name."""
        self._ask("trigger", event=event)

    @takes(populations=TEXT, keep_learned=FLAG)
    def reset(self, *populations: str, keep_learned: bool = False) -> None:
        """Put populations back to their initial state."""
        self._ask("reset", populations=list(populations), keep_learned=keep_learned)

    def digest(self) -> str:
        """SHA-256 over all spikes and the state and weights as they are now."""
        return str(self._ask("digest")["digest"])

    @takes(path=PATH.or_none)
    def checkpoint(self, path: str | Path | None = None) -> Checkpoint | LinkedCheckpoint:
        """All that the session goes on from, as a value; with a path also as a file. See Session.checkpoint."""
        reply = self._ask("checkpoint", most=self._piece)
        made = sealed(reply["checkpoint"] if "checkpoint" in reply else self._fetched(reply["bytes"]), reply["sha256"])
        if isinstance(made, LinkedCheckpoint) and path is not None:
            made.save(path)
        elif isinstance(made, Checkpoint) and path is not None:
            checkpoints.save(made, path)
        return made

    def _fetched(self, size: int) -> dict[str, Any]:
        """A checkpoint of so many bytes, which the session holds, in pieces."""
        content = bytearray()
        while len(content) < size and (piece := self._ask("fetch", begin=len(content))["piece"]):
            content += piece
        made: dict[str, Any] = decode(bytes(content), _ANSWER)["checkpoint"]
        return made

    @takes(checkpoint=GIVEN)
    def restore(self, checkpoint: Checkpoint | LinkedCheckpoint | str | Path) -> None:
        """Go on from a checkpoint, or from its file here. See Session.restore."""
        if not isinstance(checkpoint, Checkpoint | LinkedCheckpoint):
            checkpoint = LinkedCheckpoint.load(checkpoint)
        tree = checkpoint.tree()
        content = _encoded({"checkpoint": tree})
        if len(content) <= self._piece:
            self._ask("restore", checkpoint=tree, sha256=seal(tree))
            return
        for begin in range(0, len(content), self._piece):
            self._ask("give", begin=begin, piece=content[begin : begin + self._piece])
        self._ask("restore", sha256=seal(tree))

    @takes(n=WHOLE)
    def fork(self, n: int = 1) -> list[Remote]:
        """So many other sessions of the server that go on from here by themselves. See Session.fork."""
        if self._again is None:
            raise InvalidInput.one(None, "this session was given a connection, and cannot make another; use restore")
        forkable(n)
        saved = self.checkpoint()
        with ExitStack() as made:
            forks = [made.enter_context(self._again()) for _ in range(n)]
            for fork in forks:
                fork.restore(saved)
            made.pop_all()
        return forks

    def describe(self) -> dict[str, Any]:
        """What the session is, as plain values."""
        described: dict[str, Any] = self._ask("describe")["describe"]
        return described

    def stats(self) -> dict[str, Any]:
        """Counts since the start, as plain values; also while an exchange computes, which another thread waits for."""
        counts: dict[str, Any] = (self._beside if self._may_compute() else self._ask)("stats")["stats"]
        return counts

    def cancel(self) -> None:
        """Have the exchange or run end soon that another thread waits for, as one of fewer steps: see its `step`.

        Also one for which nobody waits any longer, after a time-out. Ctrl-C does so, too; what came out until then is
        then in the next exchange or take.
        """
        if self._may_compute():
            self._beside("cancel")

    def _may_compute(self) -> bool:
        """Whether the session is there, and may be in the middle of a message."""
        return self._ended is None and (self._one.locked() or self._unsure)


def _be_heard(of: weakref.ref[Remote], done: threading.Event, every: float) -> None:
    """Have a session heard now and then, so that it does not end while nobody asks anything of it.

    It ends soon after nobody has it any more.
    """
    while not done.wait(every):
        remote = of()
        if remote is None:
            return
        remote.be_heard()
        del remote


def _encoded(message: dict[str, Any]) -> bytes:
    """The frame of a message; InvalidInput where it holds what msgpack has not, such as half of a character."""
    try:
        return encode(message)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput.one(None, f"this cannot be sent: {' '.join(str(error).split())}") from None


def _whole(reply: dict[str, Any]) -> dict[str, Any]:
    """A reply of the protocol."""
    error = reply.get("error")
    if reply.get("ok") is True or (isinstance(error, dict) and isinstance(error.get("text"), str)):
        return reply
    raise RunFailed(f"the server answered what is no reply: {found(reply)}")


def _plain(write: Write, targets: Mapping[str, str]) -> dict[str, Any]:
    """A write as it stands in a message."""
    name = targets.get(write.name, write.name)
    one: dict[str, Any] = {"port": write.name, "values": _numbers(name, write.values)}
    if write.neurons is not None:
        one["neurons"] = _numbers(name, write.neurons)
    if write.at is not None:
        one["at"] = _time(write.at, f"{AT}, or None")
    if type(write.hold) is not int or write.hold != 1:
        one["hold"] = _time(write.hold, HOLD)
    return one


def _time(value: Any, what: str) -> Any:
    """A number of steps, or a time, as msgpack has it."""
    return show(value) if isinstance(value, Quantity) else _number(value, what)


def _number(value: Any, what: str) -> Any:
    """A whole number as msgpack has it; of what is none the session says so, if it can be sent at all."""
    number = whole(value)
    if number is None and isinstance(value, bool | float | str):
        return value
    if number is None or not -(2**63) <= number < 2**63:
        raise InvalidInput.one(None, f"{what}; found {found(value)}")
    return number


def _numbers(name: str, value: Any) -> Any:
    """Values as they stand in a message; of those that are no numbers the session says so, if they can be sent."""
    if value is None or isinstance(value, bool | float | str) or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    if isinstance(value, Quantity | np.bool_):
        return show(value) if isinstance(value, Quantity) else bool(value)
    if isinstance(value, list | tuple) and all(type(one) in (bool, float) or whole(one) is not None for one in value):
        return [one if isinstance(one, bool | float) else _number(one, f"'{name}' takes numbers") for one in value]
    if isinstance(value, np.ndarray) and value.dtype.kind == "b" and not isinstance(value, np.ma.MaskedArray):
        return value
    given = numbers(name, value)
    return given if given.ndim else given.item()


def _steps(steps: Any, least: str = "a run cannot last {} steps; give a number of steps from 0 to 2**62") -> Any:
    """How long to run, or from when on, as it stands in a message. `least`: what is said of numbers below -2**63."""
    if isinstance(steps, Quantity):
        return show(steps)
    number = whole(steps)
    if number is None:
        if steps is None or isinstance(steps, bool | float | str):
            return steps
        raise no_steps(steps)
    if number < -(2**63):
        raise InvalidInput.one(None, least.format(number))
    return min(number, 2**63 - 1)


def _since(step: Any) -> Any:
    """From when on, as it stands in a message."""
    return _steps(step, "since must be a step from 0; found {}")


def _waiting(seconds: float) -> dict[str, float]:
    """How long is waited, as it stands in a message."""
    return {"wait_ms": seconds * 1000} if seconds else {}


def _trains(out: Mapping[str, Any]) -> dict[str, Train]:
    """Outputs of a reply as a session gives them."""
    return {name: (one["steps"], one["neurons"] if "neurons" in one else one["values"]) for name, one in out.items()}
