"""Graphs that cannot be networks: each ends in a sentence that has the node's name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from tests.support import nir_graphs as graphs

nir = pytest.importorskip("nir", reason="graphs are made by the package nir")


def lif(tau: Any = (0.02, 0.02), **more: Any) -> Any:
    given = {"tau": np.array(tau), "r": np.ones(2), "v_leak": np.zeros(2), "v_threshold": np.ones(2)}
    return nir.LIF(**{**given, **more})


def linear(weight: Any = ((1.0, 2.0), (3.0, 4.0))) -> Any:
    return nir.Linear(np.array(weight))


def graph(edges: str, **nodes: Any) -> Any:
    ends = {"in": nir.Input(np.array([2])), "out": nir.Output(np.array([2]))}
    pairs = [pair.split() for pair in edges.split(", ")]
    return nir.NIRGraph(ends | nodes, [(a, b) for a, b in pairs], type_check=False)


def maps(node: Any) -> Any:
    """From maps of 6 x 6 through a node to neurons."""
    cells = nir.IF(np.ones((1, 3, 3)), np.ones((1, 3, 3)))
    nodes = {"in": nir.Input(np.array([1, 6, 6])), "c": node, "l": cells}
    return nir.NIRGraph(nodes, [("in", "c"), ("c", "l")], type_check=False)


def pool() -> Any:
    return nir.SumPool2d(*(np.array([2, 2]),) * 3)


def conv(kernel: int, stride: int = 1, padding: Any = 0, groups: int = 1, outs: int = 1) -> Any:
    return nir.Conv2d((6, 6), np.ones((outs, 1, kernel, kernel)), stride, padding, 1, groups, np.zeros(outs))


WHERE = "correct it where the file was made"
CHAIN = "in w, w l, l out"
GRAPHS: dict[str, tuple[Callable[[], Any], str]] = {
    "negative tau": (
        lambda: graph(CHAIN, w=linear(), l=lif((0.02, -0.01))),
        f"node 'l' (LIF): tau is -0.01 at (1,); it must be above 1e-30, and no larger than 1e+30; {WHERE}",
    ),
    "tau is no number": (
        lambda: graph(CHAIN, w=linear(), l=lif((np.nan, 0.02))),
        f"node 'l' (LIF): tau is nan at (0,); it must be above 1e-30, and no larger than 1e+30; {WHERE}",
    ),
    "endless weight": (
        lambda: graph(CHAIN, w=linear(((1, np.inf), (0, 1))), l=lif()),
        f"node 'w' (Linear): weight is inf at (0, 1); it must be a number from -1e+30 to 1e+30; {WHERE}",
    ),
    "other shape": (
        lambda: graph(CHAIN, w=linear(np.ones((2, 3))), l=lif()),
        "node 'w' (Linear): it takes values of shape (3,), and 'in' gives (2,); correct the graph where it was made",
    ),
    "edge twice": (
        lambda: graph("in w, in w, w l, l out", w=linear(), l=lif()),
        "node 'in' (Input): the edge to 'w' is there twice; keep one of the two",
    ),
    "no such node": (
        lambda: graph("in w, w neuro, neuron out", w=linear(), neuron=lif()),
        "an edge leads to 'neuro', and there is no such node; did you mean 'neuron'? correct the edge",
    ),
    "linear loop": (
        lambda: graph("in a, a b, b a, b l, l out", a=linear(), b=linear(), l=lif()),
        "node 'a' (Linear): there is no neuron in the loop 'a' -> 'b' -> 'a', and so no value that it could have",
    ),
    "loop without delay": (
        lambda: graph("in l, l a, a m, m b, b l, m out", a=linear(), b=linear(), l=lif(), m=lif()),
        "node 'l' (LIF): the loop 'l' -> 'm' -> 'l' holds back 0 steps in all, and what goes around takes one for each "
        "of its 2 neuron nodes here; give it Delay nodes of 2 steps in all or more",
    ),
    "no neuron": (lambda: graph("in w, w out", w=linear()), "has no neurons; a network needs some"),
    "into an input": (
        lambda: graph("in l, l in, l out", l=lif()),
        "node 'in' (Input): 'l' leads to it; nothing can lead to an Input of the whole graph",
    ),
    "out of an output": (
        lambda: graph("in l, l out, out l", l=lif()),
        "node 'out' (Output): it leads to 'l'; an Output of the whole graph leads nowhere",
    ),
    "same with a stride": (
        lambda: maps(conv(3, 2, "same")),
        "node 'c' (Conv2d): padding is 'same' with a stride, which is said in different ways; give the padding in "
        "numbers",
    ),
    "kernel too large": (
        lambda: maps(conv(9)),
        "node 'c' (Conv2d): its kernel does not fit into (1, 6, 6); correct the graph where it was made",
    ),
    "groups": (
        lambda: maps(conv(3, groups=2, outs=3)),
        "node 'c' (Conv2d): groups is 2, which does not divide its 3 channels",
    ),
    "no map": (
        lambda: graph("in c, c l, l out", c=pool(), l=lif()),
        "node 'c' (SumPool2d): it takes maps (channels, rows, columns), and gets (2,)",
    ),
    "delays in the middle": (
        lambda: graph("in a, a d, d b, b l, l out", a=linear(), b=linear(), d=nir.Delay(np.array([0.0, 0.1])), l=lif()),
        "node 'd' (Delay): its delays differ, and it is between two linear maps; delays of a source or of a target can "
        "differ, others are the same for all",
    ),
    "negative delay": (
        lambda: graph("in d, d l, l out", d=nir.Delay(np.array([0.0, -0.1])), l=lif()),
        f"node 'd' (Delay): delay is -0.1 at (1,); it must be from 0 to 1e+30; {WHERE}",
    ),
    "no shape": (
        lambda: nir.NIRGraph({"p": pool(), "l": lif()}, [("p", "l")], type_check=False),
        "node 'p' (SumPool2d): nothing says the shape of what it takes; give the graph an Input with a shape",
    ),
    "nested without an input": (
        lambda: graph("in b, b out", b=nir.NIRGraph({"l": lif()}, [], type_check=False)),
        "an edge leads to the nested graph 'b', which must have one Input; it has none",
    ),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_a_graph_is_refused(case: str, tmp_path: Path) -> None:
    """As an object and as a file, in the same words; nothing is written."""
    make, expected = GRAPHS[case]
    nir.write(tmp_path / "a.nir", make())
    for given, place in ((make(), ""), (tmp_path / "a.nir", f"{tmp_path / 'a.nir'}: ")):
        with pytest.raises(InvalidInput) as caught:
            neuroport.from_nir(given, output=tmp_path / "out.yaml")
        assert str(caught.value).splitlines()[0] == f"{place}{expected}"
    assert not list(tmp_path.glob("out.*"))


def _replace(name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        if value is not None:
            file[name] = value

    return change


KINDS = "Input, Output, I, IF, LI, LIF, CubaLI, CubaLIF, Threshold, Affine, Linear, Scale, Conv1d, Conv2d, SumPool2d, "
KINDS += "AvgPool2d, Flatten, Delay, NIRGraph"
DAMAGED = "this NIR graph is damaged:"
FILES: dict[str, tuple[Callable[[h5py.File], None], str]] = {
    "unknown kind": (
        _replace("node/nodes/l/type", "LiF"),
        f"node 'l' (LiF): NIR 1.0.8 has no such kind of node; did you mean 'LIF'? kinds are {KINDS}",
    ),
    "missing": (
        _replace("node/nodes/l/r", None),
        "node 'l' (LIF): r is missing; write it again with a tool that knows NIR 1.0.8",
    ),
    "text": (_replace("node/nodes/l/r", "one"), "node 'l' (LIF): r is the text 'one'; it must be numbers"),
    "shapes": (
        _replace("node/nodes/l/r", np.ones(3)),
        "node 'l' (LIF): its parameters have different shapes: tau (2,), r (3,), v_leak (2,), v_threshold (2,), "
        "v_reset (2,); they must have that of the neurons",
    ),
    "more than is known": (
        lambda file: file["node/nodes/l"].create_dataset("refractory", data=3.0) and None,
        "node 'l' (LIF): NIR 1.0.8 knows no field refractory there, and what it means is lost; leave it out where "
        "the file was made",
    ),
    "complex": (
        _replace("node/nodes/l/r", np.array([1j, 2])),
        f"{DAMAGED} /node/nodes/l/r is of kind complex128 and shape (2,); it must hold text, numbers, or true or "
        "false; write it again",
    ),
    "no type": (
        _replace("node/nodes/l/type", None),
        f"{DAMAGED} /node/nodes/l/type is missing; write it again",
    ),
    "no graph": (_replace("node", None), f"{DAMAGED} /node is missing; write it again"),
    "a node alone": (_replace("node/type", "LIF"), "holds a node of kind LIF alone; give a file with a graph"),
    "edges of three": (
        _replace("node/edges", np.array([["a", "b", "c"]], dtype=object)),
        f"{DAMAGED} /node/edges has the shape (1, 3); it must be (n, 2); write it again",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_is_refused(case: str, tmp_path: Path) -> None:
    change, expected = FILES[case]
    path = tmp_path / "a.nir"
    nir.write(path, graph(CHAIN, w=linear(), l=lif()))
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InvalidInput) as caught:
        neuroport.from_nir(path)
    assert str(caught.value) == f"{path}: {expected}"


def test_other_files(tmp_path: Path) -> None:
    whole = tmp_path / "whole.nir"
    nir.write(whole, graph(CHAIN, w=linear(), l=lif()))
    data = whole.read_bytes()
    for name, content in (("empty", b""), ("text", b"NIR"), ("cut", data[: len(data) // 2])):
        path = tmp_path / f"{name}.nir"
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match="cannot be read as a NIR graph"):
            neuroport.from_nir(path)


def test_bits_that_flipped(tmp_path: Path) -> None:
    """A network, or a sentence."""
    whole, path = tmp_path / "whole.nir", tmp_path / "a.nir"
    nir.write(whole, graph(CHAIN, w=linear(), l=lif()))
    data, rng = bytearray(whole.read_bytes()), np.random.default_rng(1)
    for _ in range(20):
        changed = bytearray(data)
        changed[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        with suppress(InvalidInput):
            neuroport.from_nir(path)


def test_recordings_are_no_network(tmp_path: Path) -> None:
    events = nir.NIRNodeData({"spikes": nir.TimeGriddedData(np.zeros((1, 3, 2)), 0.001)})
    nir.write_data(tmp_path / "a.nird", nir.NIRGraphData({"l": events}))
    with pytest.raises(InvalidInput) as caught:
        neuroport.from_nir(tmp_path / "a.nird")
    said = "is NIR data, recordings without a network; give a file with a graph, as nir.write makes it"
    assert str(caught.value) == f"{tmp_path / 'a.nird'}: {said}"


@pytest.mark.parametrize("file", ["01_lif/lif_rockpool.nir", "03_rnn/extras/braille_noDelay_bias_zero_subgraph.nir"])
def test_what_nir_refuses_of_its_own_history(file: str, tmp_path: Path) -> None:
    path = shutil.copy(graphs.paper(file), tmp_path / "a.nir")
    with pytest.raises(ValueError):
        nir.read(path)
    with pytest.raises(InvalidInput, match=r"and there is no such node|and '1_LIFNeuronTorch' gives \(1,\)"):
        neuroport.from_nir(path)


def chosen(**said: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        neuroport.from_nir(graph(CHAIN, w=linear(), l=lif()), **said)
    return str(caught.value)


def test_arguments(tmp_path: Path) -> None:
    out = {"output": tmp_path / "a.yaml", "backend": "reference"}
    assert chosen(dt="3") == "dt must be a time above 0, such as '0.1 ms'; found '3'"
    assert chosen(reset="zero") == "reset must be value or subtract; found 'zero'"
    assert chosen(chip="generic8") == (
        "chip 'generic8' takes number formats from ranges, and NIR has none; give samples of the input, in which "
        "ranges are found in floating point, or leave the chip out"
    )
    assert chosen(samples=np.ones((3, 2))) == "samples are for a network file with ranges; give its name as output"
    assert chosen(samples=np.ones((3, 4)), **out) == (
        "samples of Input 'in' have the shape (3, 4); they must have (steps, 2), or (samples, steps, 2)"
    )
    assert chosen(samples=np.full((3, 2), 0.5), input="spikes", **out) == (
        "samples hold other numbers than 0 and 1, and spikes are 0 or 1; take values as input"
    )
    assert chosen(samples=np.full((3, 2), np.nan), **out) == "samples of Input 'in' must be finite numbers"
    assert not list(tmp_path.iterdir())
