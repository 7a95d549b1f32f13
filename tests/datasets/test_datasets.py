"""Data sets: their first samples and counts as published, values made of them, and what is said without a package."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from neuroport import datasets
from neuroport.chips.description import load as chip
from neuroport.elaborate.network import elaborate
from neuroport.errors import InvalidInput
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.network.values import DataValue

FILE = """\
neuroport: 1
name: shown
dt: 1 ms
neurons:
  cell: {{inputs: {{r: {{range: [-4, 4]}}}}, state: {{x: {{init: 0}}}}, update: "x = r"}}
populations: {{a: {{size: {size}, neuron: cell}}}}
stimuli:
  s: {{patterns: {{values: {values}, hold: {hold}, labels: {labels}}}, population: a, input: r}}
protocol: [{{present: s}}]
"""


def network(size: int, values: str, labels: str = "[0]", hold: str = "5 steps") -> str:
    return FILE.format(size=size, values=values, labels=labels, hold=hold)


def said(text: str) -> str:
    with pytest.raises(InvalidInput) as error:
        elaborate(reader.loads(text, "net.yaml"), chip("ideal"))
    return str(error.value)


def test_yin_yang_is_the_published_one() -> None:
    inputs, labels = datasets.load("yin_yang", "train", "inputs", {}), datasets.load("yin_yang", "train", "labels", {})
    assert inputs[0] == pytest.approx([0.19665304, 0.76456116, 0.80334696, 0.23543884], abs=1e-8)
    assert labels[:10].tolist() == [1, 2, 0, 1, 0, 0, 0, 1, 0, 1]
    for part, first in (("validation", [0.6685614, 0.4711606]), ("test", [0.1369368, 0.2536914])):
        assert datasets.load("yin_yang", part, "inputs", {})[0, :2] == pytest.approx(first, abs=1e-7)
    parts = [datasets.load("yin_yang", part, "labels", {}) for part in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [6000, 900, 900]
    assert np.bincount(np.concatenate(parts)).tolist() == [2594, 2614, 2592]
    assert np.array_equal(datasets.load("yin_yang", "train", "one_hot", {}).argmax(axis=1), labels)


def test_size_and_seed_of_yin_yang() -> None:
    few = datasets.load("yin_yang", "test", "inputs", {"size": 7, "seed": 9876543})
    assert np.array_equal(few, datasets.load("yin_yang", "train", "inputs", {})[:7])


def test_digits() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn has the data set 'digits'")
    parts = [datasets.load("digits", part, "inputs", {}) for part in ("train", "validation", "test")]
    assert [part.shape for part in parts] == [(1200, 64), (297, 64), (300, 64)]
    assert len(np.unique(np.concatenate(parts), axis=0)) == 1797
    assert (parts[0].min(), parts[0].max()) == (0, 1)
    counts = [np.bincount(datasets.load("digits", part, "labels", {}), minlength=10) for part in ("train", "test")]
    assert min(counts[0]) > 100 and min(counts[1]) > 15


@pytest.mark.dear
def test_mnist1d_is_the_published_one() -> None:
    pytest.importorskip("mnist1d", reason="the package mnist1d makes the data set of that name")
    np.random.seed(3)  # noqa: NPY002
    inputs, labels = datasets.load("mnist1d", "train", "inputs", {}), datasets.load("mnist1d", "train", "labels", {})
    after = np.random.rand()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    assert after == np.random.rand(), "the global generator is left as it was"  # noqa: NPY002
    assert inputs.shape == (4000, 360) and datasets.load("mnist1d", "test", "inputs", {}).shape == (1000, 360)
    assert labels[:12].tolist() == [2, 6, 4, 5, 6, 6, 6, 0, 3, 1, 6, 9]
    assert np.round(inputs[0, 100:103], 5).tolist() == [-1.15978, -1.11616, -1.08432]
    assert (round(inputs.mean(), 5), round(inputs.std(), 5)) == (-0.00036, 0.99773)


@pytest.mark.parametrize(
    ("name", "package", "installed"),
    [("digits", "sklearn", "scikit-learn"), ("mnist1d", "mnist1d.data", "mnist1d")],
)
def test_an_absent_package_is_named(name: str, package: str, installed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package.split(".")[0], None)
    monkeypatch.setitem(sys.modules, package if "." in package else f"{package}.datasets", None)
    datasets._made.cache_clear()
    datasets.mnist1d._generated.cache_clear()
    size = datasets.ALL[name].fields["inputs"][0]
    labels = f"{{data: {name}, part: test, field: labels}}"
    text = network(size, f"{{data: {name}, part: test, field: inputs}}", labels)
    what = "scikit-learn" if name == "digits" else "the package mnist1d"
    message = f"the data set '{name}' comes with {what}, which is not installed; install it with: pip install"
    assert said(text) == f"net.yaml:8:26: s.values: {message} {installed}"


@pytest.mark.parametrize("error", [ImportError("no symbol"), ValueError("numpy.dtype size\nchanged"), ImportError()])
def test_a_broken_package_is_told(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def find_spec(self, name: str, *_: object) -> None:
            if name.startswith("sklearn"):
                raise error

    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    datasets._made.cache_clear()
    text = network(64, "{data: digits, part: test, field: inputs}", "{data: digits, part: test, field: labels}")
    assert said(text) == (
        "net.yaml:8:26: s.values: the data set 'digits' comes with scikit-learn, which cannot be imported: "
        f"{' '.join(str(error).split())}; install it again with: pip install --force-reinstall scikit-learn"
    )


def test_values_of_a_data_set() -> None:
    values = "{data: yin_yang, part: test, field: one_hot, size: 4, scale: 0.9, offset: 0.1}"
    labels = "{data: yin_yang, part: test, field: labels, size: 4}"
    made = reader.loads(network(3, values, labels), "net.yaml")
    value = made.patterns("s").values
    assert value == DataValue("yin_yang", "test", "one_hot", (("size", 4),), 0.9, 0.1)
    assert reader.loads(writer.to_yaml(made), "again") == made
    (series,) = elaborate(made, chip("ideal")).series
    assert np.allclose(np.unique(series.table), [0.1, 1.0])
    assert (series.table == 1).argmax(axis=1).tolist() == datasets.load("yin_yang", "test", "labels", {})[:4].tolist()


@pytest.mark.dear
def test_a_signal_in_time_is_a_pattern_of_many_frames() -> None:
    pytest.importorskip("mnist1d", reason="the package mnist1d makes the data set of that name")
    labels = "{data: mnist1d, part: test, field: labels}, frames: 360"
    made = reader.loads(network(1, "{data: mnist1d, part: test, field: inputs}", labels, "360 steps"), "net.yaml")
    (series,) = elaborate(made, chip("ideal")).series
    assert series.table.shape == (360_000, 1) and series.frames == 360


MISTAKES = [
    ("{data: yinyang}", "net.yaml:8:33: the data set of values of stimulus 's' cannot be 'yinyang'; did you mean "
     "'yin_yang'? allowed are yin_yang, digits, mnist1d"),
    ("{data: yin_yang, field: inputs}", "net.yaml:8:26: the data of values of stimulus 's' lacks 'part'; add it"),
    ("{data: yin_yang, part: train, field: pixels}", "net.yaml:8:63: the field of values of stimulus 's' cannot be "
     "'pixels'; allowed are inputs, labels, one_hot"),
    ("{data: mnist1d, part: validation, field: inputs}", "net.yaml:8:48: the part of values of stimulus 's' cannot be "
     "'validation'; allowed are train, test"),
    ("{data: digits, part: train, field: inputs, size: 3}", "net.yaml:8:69: unknown key 'size' in the data of values "
     "of stimulus 's'; allowed are data, part, field, scale, offset, unit"),
    ("{data: yin_yang, part: train, field: inputs, size: 0}", "net.yaml:8:77: size of values of stimulus 's' must be "
     "at least 1; found 0"),
    ("{data: yin_yang, part: train, field: one_hot}", "net.yaml:8:26: values of stimulus 's' has the shape (6000, 3); "
     "it must be (n, 4), one row per pattern"),
    ("{data: yin_yang, part: train, field: inputs, unit: mV}", "net.yaml:8:26: values of stimulus 's' is a pure "
     "number, but the data is in mV; leave the unit out"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "message"), MISTAKES, ids=[values for values, _ in MISTAKES])
def test_a_mistake_gets_its_sentence(values: str, message: str) -> None:
    assert said(network(4, values)) == message
