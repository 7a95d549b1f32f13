"""Numbers of a network in files of NumPy, of SciPy and in tables are those of lists."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import neuroport
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.network.network import Network

sparse = pytest.importorskip("scipy.sparse", reason="sparse matrices need SciPy")
DENSE = np.array([[0, 0.5, 0, 1], [0, 0, 0, 0], [2, 0, 0.25, 0]])
PAIRS, VALUES = [[0, 1], [0, 3], [2, 0], [2, 2]], [0.5, 1.0, 2.0, 0.25]
NETWORK = """\
neuroport: 1
name: numbers
dt: 1 ms
populations:
  a: {{size: 3, neuron: lif}}
  b: {{size: 4, neuron: lif}}
projections:
  p: {{source: a, target: b, synapse: static, input: jump, connect: {connect}, weight: {weight}}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with files of all kinds."""
    monkeypatch.chdir(tmp_path)
    sparse.save_npz("w.npz", sparse.csr_array(DENSE))
    sparse.save_npz("transposed.npz", sparse.csc_array(DENSE.T))
    sparse.save_npz("wide.npz", sparse.coo_array(np.ones((3, 4))))
    np.save("dense.npy", DENSE)
    np.savez("several.npz", pairs=PAIRS, values=VALUES)
    np.savetxt("dense.csv", DENSE, delimiter=",")
    rows = [f"{i},{j},{w}" for (i, j), w in zip(PAIRS, VALUES, strict=True)]
    Path("list.csv").write_text("\n".join(["i,j,w", *rows]))
    Path("pairs.csv").write_text("\n".join(f"{i}, {j}" for i, j in PAIRS))
    return tmp_path


def read(connect: str, weight: str) -> Network:
    return neuroport.loads(NETWORK.format(connect=connect, weight=weight))


def told(connect: str, weight: str) -> str:
    with pytest.raises(InvalidInput) as error:
        neuroport.compile(read(connect, weight))
    return str(error.value)


SAME = [
    ("{file: w.npz}", "{file: w.npz}"),
    ("{file: w.npz}", "{file: wide.npz}"),
    ("{file: w.npz}", "{file: transposed.npz, rows: target}"),
    ("{file: w.npz}", "{file: dense.npy}"),
    ("{file: w.npz}", "{array: {file: dense.csv}}"),
    ("{file: several.npz, dataset: pairs}", "{file: several.npz, dataset: values}"),
    ("{file: pairs.csv}", "{file: list.csv, dataset: w}"),
    (str({"pairs": PAIRS}), "{array: {file: list.csv, dataset: w}}"),
]


@pytest.mark.parametrize(("connect", "weight"), SAME)
def test_files_are_the_lists_of_what_they_hold(connect: str, weight: str, tmp_path: Path) -> None:
    listed = neuroport.run(read(str({"pairs": PAIRS}), str(VALUES)), "reference", duration=1).digest
    if "wide" in weight:
        listed = neuroport.run(read(str({"pairs": PAIRS}), "1"), "reference", duration=1).digest
    network = read(connect, weight)
    net = neuroport.Network.of(network)
    assert neuroport.run(network, "reference", duration=1).digest == listed
    assert neuroport.loads(net.to_yaml()) == net.build() == network
    (tmp_path / "below").mkdir()
    net.save(tmp_path / "below" / "net.yaml")
    again = reader.load(tmp_path / "below" / "net.yaml")
    assert neuroport.run(again, "reference", duration=1).digest == listed


AT = "<text>:8:"


@pytest.mark.parametrize(
    ("connect", "weight", "said"),
    [
        (
            "all_to_all",
            "{file: w.npz}",
            "p.w: 'w.npz' stores no value for the synapse [0, 0]; store one, or connect only what is stored",
        ),
        (
            "{file: transposed.npz}",
            "1",
            "connect of projection 'p' has the shape (4, 3); it must be (3, 4), one row per source neuron",
        ),
        (
            "{file: dense.npy}",
            "1",
            "connect of projection 'p' has the shape (3, 4); it must be (n, 2), rows of source and target",
        ),
        (
            "{file: w.npz}",
            "{file: transposed.npz}",
            "weight of projection 'p' has the shape (4, 3); it must be (3, 4), one row per source neuron",
        ),
        (
            "{file: w.npz, dataset: data}",
            "1",
            "connect of projection 'p': 'w.npz' is a sparse matrix; leave `dataset` out",
        ),
        (
            "all_to_all",
            "{file: none.npy}",
            "weight of projection 'p': there is no file 'none.npy'; paths start at the folder of the network file",
        ),
        (
            "all_to_all",
            "{file: several.npz}",
            "weight of projection 'p': 'several.npz' has 2 arrays; name one of them as `dataset`: pairs, values",
        ),
        ("all_to_all", "{file: w.h5}", "the file of weight of projection 'p' lacks 'dataset'; add it"),
        ("{file: w.h5}", "1", "connect of projection 'p' lacks 'dataset'; add it"),
        ("all_to_all", "{array: {file: w.h5}}", "the array of weight of projection 'p' lacks 'dataset'; add it"),
    ],
)
def test_a_file_that_does_not_fit_says_why(connect: str, weight: str, said: str) -> None:
    text = told(connect, weight)
    assert text.startswith(AT) and text.split(": ", 1)[1] == said


def test_a_file_that_has_changed_since_says_so(folder: Path) -> None:
    net = read("{file: w.npz}", "{file: w.npz}")
    sparse.save_npz("w.npz", sparse.csr_array(DENSE.T))
    with pytest.raises(InvalidInput, match=r"'w.npz' has the shape \(4, 3\); it must be \(3, 4\), one row per source"):
        neuroport.compile(net)
    (folder / "w.npz").write_text("hello")
    with pytest.raises(InvalidInput, match=r"w.npz: cannot be read \(File is not a zip file\); it is damaged"):
        neuroport.compile(net)


def test_stimuli_and_targets_take_them_too() -> None:
    np.save("rows.npy", [[1, 0, 1], [0, 1, 1]])
    np.savez("labels.npz", labels=[3, 1])
    Path("ramp.csv").write_text("t,i\n0,0.5\n1,1.5\n")
    np.savetxt("coupling.csv", [[0, 1], [1, 0]], delimiter=";")
    forms: list[list[dict[str, object]]] = [
        [
            {"array": {"file": "rows.npy"}, "unit": "mV"},
            {"array": {"file": "labels.npz"}},
            {"array": {"file": "ramp.csv", "dataset": "i"}, "unit": "nA"},
            {"file": "coupling.csv"},
        ],
        [
            {"array": [[1, 0, 1], [0, 1, 1]], "unit": "mV"},
            {"array": [3, 1]},
            {"array": [0.5, 1.5], "unit": "nA"},
            {"array": [[0.0, 1.0], [1.0, 0.0]]},
        ],
    ]
    made = []
    for values, labels, ramp, coupling in forms:
        net = neuroport.Network("1 ms")
        net.population("a", 3, "lif")
        net.stimulus("shown", "a", input="jump", patterns={"values": values, "labels": labels, "hold": "5 ms"})
        net.stimulus("ramp", "a", input="i", series={"values": ramp, "every": "1 ms"})
        weights = coupling.get("array", coupling)
        net.target("goal", boltzmann={"weights": weights, "biases": [0, 0]})
        made.append(net.build())
    assert made[0] == made[1]
