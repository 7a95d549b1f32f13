"""Spikes at times off the grid, and those that files of SONATA hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import neuroport
from neuroport.cli import main
from neuroport.errors import InvalidInput

ROUND = "round: true puts each spike into the nearest step"
GRID = "has 3 of 4 spike times off its steps, rounded by at most 0.5 steps"


def begun(**spikes: Any) -> neuroport.Network:
    net = neuroport.Network("1 ms", name="net")
    net.population("s", 3, "spike_source")
    net.stimulus("drive", "s", spikes=spikes)
    return net


def told(net: neuroport.Network) -> str:
    with pytest.raises(InvalidInput) as error:
        neuroport.compile(net)
    return str(error.value)


def spikes(net: neuroport.Network) -> list[tuple[int, int]]:
    injection = neuroport.compile(net).injections[0]
    return list(zip(injection.steps.tolist(), injection.neurons.tolist(), strict=True))


TIMES, NEURONS = [1.25, 4.0, 6.5, 9.75], [0, 2, 1, 0]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    np.save("times.npy", TIMES)
    sonata("s.h5", exc=(TIMES, NEURONS, "ms"))
    return tmp_path


def sonata(name: str, **populations: tuple[Any, Any, str | None]) -> None:
    with h5py.File(name, "w") as file:
        for population, (times, neurons, unit) in populations.items():
            group = file.create_group(f"spikes/{population}")
            group["timestamps"], group["node_ids"] = np.array(times, float), np.array(neurons, np.uint64)
            if unit is not None:
                group["timestamps"].attrs["units"] = unit


WAYS: dict[str, dict[str, Any]] = {
    "list": {"times": [f"{time} ms" for time in TIMES], "neurons": NEURONS},
    "array": {"times": {"array": np.array(TIMES), "unit": "ms"}, "neurons": np.array(NEURONS)},
    "file": {"times": {"file": "times.npy", "unit": "ms"}, "neurons": NEURONS},
    "sonata": {"file": "s.h5", "population": "exc"},
    "the only population": {"file": "s.h5"},
}


@pytest.mark.parametrize("way", WAYS)
def test_times_are_rounded_where_that_is_said(way: str) -> None:
    net = begun(**WAYS[way], round=True)
    assert spikes(net) == [(1, 0), (4, 2), (6, 1), (10, 0)]
    program = neuroport.compile(net)
    assert [(line.subject, line.text, line.values["count"]) for line in program.notices] == [("drive", GRID, 3)]
    assert neuroport.loads(net.to_yaml()) == net.build()


@pytest.mark.parametrize("way", ["list", "array"])
def test_a_given_time_off_the_grid_is_refused_with_its_index(way: str) -> None:
    text = (
        "times of stimulus 'drive' must be a whole number of steps; found 1.25 ms at [0]; round: true puts each spike "
    )
    assert told(begun(**WAYS[way])).split("=…): ")[1] == f"{text}into the nearest step"


@pytest.mark.parametrize("way", ["file", "sonata"])
def test_a_stored_time_off_the_grid_is_refused_with_its_index(way: str) -> None:
    text = (
        "times of stimulus 'drive': that at [0] is 1.25 steps of 1 ms, and 3 of 4 are no whole number of steps; round: "
    )
    assert told(begun(**WAYS[way])).split("=…): ")[1] == f"{text}true puts each spike into the nearest step"


def test_times_that_doubles_make_are_on_the_grid() -> None:
    times = np.arange(200) * 0.1
    assert (times * 10 != np.arange(200)).any()
    sonata("s.h5", exc=(times, np.zeros(200), "ms"))
    for net in (begun(file="s.h5"), begun(file="s.h5", round=True)):
        net = net.with_({"dt": "0.1 ms"})
        assert [step for step, _ in spikes(net)] == list(range(200))
        assert neuroport.compile(net).notices == ()


@pytest.mark.parametrize("unit", ["s", "seconds", "milliseconds", None])
def test_times_have_the_unit_of_the_file(unit: str | None) -> None:
    factor = 1e-3 if unit in ("s", "seconds") else 1
    sonata("s.h5", exc=(np.array([3.0, 1.0]) * factor, [1, 0], unit))
    assert spikes(begun(file="s.h5")) == [(1, 0), (3, 1)]


def test_a_trace_is_such_a_file() -> None:
    net = neuroport.Network("0.1 ms")
    net.population("p", 3, "poisson", rate="100 Hz")
    net.record(spikes=["p"])
    neuroport.run(net, "reference", duration="100 ms", trace="trace.h5")
    with h5py.File("trace.h5") as file:
        times, neurons = file["spikes/p/timestamps"][()], file["spikes/p/node_ids"][()]
    assert len(times)
    again = spikes(begun(file="trace.h5", population="p").with_({"dt": "0.1 ms"}))
    assert again == sorted((round(t * 10), int(k)) for t, k in zip(times, neurons, strict=True))


def test_what_is_no_file_of_spikes_says_why() -> None:
    sonata("two.h5", exc=(TIMES, NEURONS, "ms"), inh=(TIMES, NEURONS, "ms"))
    with h5py.File("other.h5", "w") as file:
        file["x"] = [1, 2]
    sonata("hours.h5", exc=(TIMES, NEURONS, "h"))
    sonata("short.h5", exc=(TIMES, [0], "ms"))
    place = "stimulus('drive', spikes['file']=…): "
    several = "'two.h5' has spikes of several populations; name one as `population`: exc, inh"
    assert told(begun(file="two.h5")) == f"{place}spikes of stimulus 'drive': {several}"
    assert told(begun(file="two.h5", population="ex")) == (
        "stimulus('drive', spikes['population']=…): unknown population 'ex' in 'two.h5'; did you mean 'exc'? allowed "
        "are exc, inh"
    )
    what = f"{place}spikes of stimulus 'drive': "
    damaged = "this file of numbers is damaged: "
    assert told(begun(file="none.h5")) == (
        f"{what}there is no file 'none.h5'; paths start at the folder of the network file"
    )
    assert told(begun(file="other.h5")) == (
        f"{what}'other.h5': {damaged}there are no /spikes of populations in it, as files of SONATA have them; "
        "write it again"
    )
    assert told(begun(file="hours.h5")) == (
        f"{what}'hours.h5': {damaged}/spikes/exc/timestamps has the unit 'h'; known are ms, milliseconds, s, seconds; "
        "write it again"
    )
    assert told(begun(file="short.h5")) == (
        f"{what}'short.h5': {damaged}/spikes/exc has 4 times and 1 neurons; write it again"
    )
    assert told(begun(file="s.h5", times=[1])) == (
        "stimulus('drive', spikes['times']=…): unknown key 'times' in spikes of stimulus 'drive'; allowed are file, "
        "population, round"
    )
    assert told(begun(file="s.h5", round="yes")) == (
        "stimulus('drive', spikes['round']=…): round of stimulus 'drive' must be true or false; found the text 'yes'"
    )
    sonata("far.h5", exc=([2.0**54], [0], "ms"))
    said = "stimulus 'drive' has times from 2^53 steps on, which doubles do not carry exactly"
    assert told(begun(file="far.h5")) == f"stimulus('drive', …): {said}"


def test_the_command_line_tells_how_many_were_rounded() -> None:
    begun(**WAYS["sonata"], round=True).save("net.yaml")
    done = CliRunner().invoke(main, ["run", "net.yaml", "--for", "20 ms", "--backend", "reference"])
    assert done.exit_code == 0
    assert f"notice: drive (net.yaml:9) {GRID}\n" in done.stderr


def mutants(count: int) -> list[str]:
    """What went wrong with files in which bits were flipped."""
    whole, wrong, rng = Path("s.h5").read_bytes(), [], np.random.default_rng(7)
    for k in range(count):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), int(rng.integers(1, 4))):
            data[at] ^= 1 << int(rng.integers(8))
        Path("m.h5").write_bytes(data)
        try:
            neuroport.compile(begun(file="m.h5", round=True))
        except InvalidInput:
            pass
        except Exception as error:  # what is looked for
            wrong.append(f"{k}: {type(error).__name__}: {error}")
    return wrong


@pytest.mark.skipif(h5py.version.hdf5_version_tuple < (2, 0, 0), reason="libhdf5 1.14 crashes on some of these files")
@pytest.mark.filterwarnings("error")
def test_a_damaged_file_of_spikes_ends_in_a_sentence() -> None:
    assert mutants(60) == []
