"""Runs on several threads: from Python and the command line, in pieces, stopped and gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import neuroport
from neuroport import networks
from neuroport.cli import main
from neuroport.errors import InvalidInput, Unsupported
from neuroport.network.network import Network
from neuroport.trace.compare import compare
from neuroport.trace.read import open_trace

NET = """
neuroport: 1
name: net
dt: 1 ms
seed: 1
chip: generic16
populations:
  noise: {size: 70, neuron: poisson, params: {rate: 100 Hz}}
  exc: {size: 130, neuron: lif, params: {tau_m: 15 ms, t_ref: 2 ms}, ranges: {v: [-90 mV, -40 mV]}}
projections:
  drive: {source: noise, target: exc, synapse: stdp_pair, input: jump, connect: {fixed_in_degree: 30}, weight: 0.6}
  back: {source: exc, target: exc, synapse: static, input: jump, connect: {fixed_in_degree: 9}, weight: 0.1,
         dendritic_delay: {uniform: [0 ms, 6 ms]}}
record: {spikes: [exc], states: {exc.v: 1 ms}, weights: {drive.w: 10 ms}}
metrics: {rate: {rate: exc}, w: {mean: drive.w}}
protocol: [{repeat: 3, do: [{run: 60 ms}, {measure: [rate, w]}, {reset: exc}]}]
"""


@pytest.fixture
def net(tmp_path: Path) -> Network:
    path = tmp_path / "net.yaml"
    path.write_text(NET)
    return neuroport.load(path)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


@pytest.mark.dear
def test_a_run_on_threads_is_the_same_run(net: Network, tmp_path: Path) -> None:
    one = neuroport.run(net, trace=tmp_path / "one.h5")
    for threads in (2, 3):
        run = neuroport.run(net, trace=tmp_path / f"{threads}.h5", threads=threads)
        assert (run.digest, run.spikes, run.metrics) == (one.digest, one.spikes, one.metrics)
        assert open_trace(tmp_path / f"{threads}.h5").digest == open_trace(tmp_path / "one.h5").digest
        assert compare(open_trace(tmp_path / "one.h5"), open_trace(tmp_path / f"{threads}.h5")).identical


@pytest.mark.dear
def test_a_session_on_threads_is_the_same_session(net: Network, tmp_path: Path) -> None:
    digests = []
    for threads in (1, 2):
        with neuroport.open(net, threads=threads) as session:
            session.run("20 ms")
            session.inject("exc.jump", [3, 77], 5.0)
            session.run("1 ms")
            session.set("drive.w", 0.7)
            session.checkpoint(tmp_path / f"{threads}.h5")
            session.run("20 ms")
            digests.append(session.digest())
    for threads, there in ((1, 2), (2, 1)):
        with neuroport.open(net, threads=threads) as session:
            session.restore(tmp_path / f"{there}.h5")
            session.run("20 ms")
            digests.append(session.digest())
    assert len(set(digests)) == 1


@pytest.mark.dear
def test_a_stopped_run_goes_on_with_another_number_of_threads(net: Network, tmp_path: Path) -> None:
    whole = neuroport.run(net)

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    path = tmp_path / "net.h5"
    with pytest.raises(KeyboardInterrupt):
        neuroport.run(net, trace=path, progress=stop, threads=2)
    done = call("run", "-q", "--resume", path, "--threads", 3)
    assert done.exit_code == 0 and whole.digest in done.stdout


def test_copies_do_not_go_with_it(net: Network) -> None:
    done = call("run", net.place.file, "--threads", 2, "--copies", 2)
    assert done.exit_code == 2
    assert done.stderr.endswith(
        "Error: --threads goes with one run; several are computed beside each other without it.\n"
    )


def test_backends_of_one_thread_say_so(net: Network) -> None:
    with pytest.raises(Unsupported) as error:
        neuroport.run(net, "reference", threads=2)
    text = (
        "the backend 'reference' computes on one thread; leave the number of threads out, or take the backend emulator"
    )
    assert str(error.value) == text


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2", None])
def test_what_is_no_number_of_threads_is_refused(net: Network, threads: object) -> None:
    with pytest.raises(InvalidInput) as error:
        neuroport.run(net, threads=threads)  # type: ignore[arg-type]
    assert str(error.value) == f"threads must be a whole number from 1 on; found {threads!r}"


@pytest.mark.slow
@pytest.mark.dear
@pytest.mark.parametrize("name", networks.names())
def test_networks_that_come_along_are_the_same_on_threads_or_need_one(name: str) -> None:
    one, two = (call("run", name, "--for", "60 steps", "--threads", threads, "--json", "-q") for threads in (1, 2))
    if two.exit_code == 2:
        assert "cannot be computed on 2 threads: " in two.stderr
    else:
        assert json.loads(two.stdout)["digest"] == json.loads(one.stdout)["digest"]
