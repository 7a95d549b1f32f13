"""What an exchange with a served session costs, beside an echo: all in one run, in blocks that take turns."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neuroport.hil.address import parsed
from neuroport.hil.client import connect
from neuroport.hil.endpoints import calling
from neuroport.hil.messages import encode
from neuroport.hil.server import Offer, serving, started

TRANSPORTS = ("tcp", "plain")
STEPS = (1, 10, 100)


def measure(network: Path, backend: str, messages: int, blocks: int) -> list[dict[str, Any]]:
    """Rows of what each kind of message took: transport, what, us (the median), ratio to the echo, and us here."""
    import neuroport

    loaded = neuroport.load(network)
    with neuroport.open(loaded, backend, keep=0) as here:
        outputs = [here.recorded[0]] if here.recorded else []
        local = {f"exchange {n}": _exchanging(here, n, outputs) for n in STEPS}
        return [row for kind in TRANSPORTS for row in _over(kind, network, backend, outputs, local, messages, blocks)]


def _over(
    kind: str,
    network: Path,
    backend: str,
    outputs: list[str],
    local: dict[str, Callable[[], Any]],
    messages: int,
    blocks: int,
) -> list[dict[str, Any]]:
    """The rows of one transport."""
    address = f"{kind}://127.0.0.1:0"
    offer = Offer(networks={network.stem: network}, defaults={"backend": backend, "keep": 0})
    request = {"id": 1, "op": "exchange", "in": [], "run": 1, "out": outputs, "clip": False}
    with serving(parsed(address), offer) as where, _echoing(address) as echo, connect(where) as session:
        far = {f"exchange {n}": _exchanging(session, n, outputs) for n in STEPS}
        asked = {
            "echo": lambda: echo(b"\0" + encode(request)),
            "msgpack echo": lambda: echo(encode(request)),
            **far,
        }
        times = _in_turn(asked | {f"here {name}": call for name, call in local.items()}, messages, blocks)
    return [
        {
            "transport": {"tcp": "ZeroMQ", "plain": "plain TCP"}[kind],
            "what": name,
            "us": round(times[name], 1),
            "ratio": round(times[name] / times["echo"], 2),
            "here_us": round(times[f"here {name}"], 1) if f"here {name}" in times else "-",
        }
        for name in asked
    ]


def _exchanging(session: Any, steps: int, outputs: list[str]) -> Callable[[], Any]:
    return lambda: session.exchange((), steps, outputs)


def _in_turn(calls: dict[str, Callable[[], Any]], messages: int, blocks: int) -> dict[str, float]:
    """The median over blocks of the median time of each call, in us; the first block only warms up."""
    medians: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(blocks + 1):
        for name, call in calls.items():
            many = max(10, messages // 10) if name.endswith("100") else messages
            medians[name].append(statistics.median(_timed(call) for _ in range(many)))
    return {name: statistics.median(found[1:]) for name, found in medians.items()}


def _timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e6


@contextmanager
def _echoing(address: str) -> Iterator[Callable[[bytes], bytes]]:
    """Ask a process that only echoes."""
    process = started({"echo": True, "address": address})
    assert process.stdout is not None
    assert process.stdin is not None
    caller = calling(parsed(json.loads(process.stdout.readline())["address"]), 20.0, None)
    try:
        yield caller.ask
    finally:
        caller.close()
        process.stdin.close()
        process.wait()
        process.stdout.close()
