"""Sweeps on a cluster of Dask: the same table, and what happens to a point is its own there, too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import neuroport
from neuroport.errors import Unsupported
from tests.support import deadly
from tests.support.checkout import ROOT
from tests.support.deadly import KILLED, RAISING, SLOW
from tests.support.swept import bare

distributed = pytest.importorskip("distributed", reason="dask and distributed are not installed")
pytestmark = [pytest.mark.dear, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deadly.installed(tmp_path_factory.mktemp("dask") / "site")


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """A scheduler with two workers, each a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        patch.syspath_prepend(str(site))
        options: dict[str, Any] = {"processes": True, "dashboard_address": None, "silence_logs": 50}
        with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster:
            yield cluster.scheduler_address


def test_the_same_table_from_one_process_two_and_dask(address: str, tmp_path: Path) -> None:
    network = neuroport.load("sal_pair")
    grid = {"recurrent.eta_s": [0, 0.02], "chip": "generic8_mismatch10", "chip_seed": [0, 1, 2], "seed": [1, 2]}
    given: dict[str, Any] = {"duration": 1000, "wanted": {}, "time": "5 min"}
    one, two = (neuroport.sweep(network, grid, workers=workers, **given) for workers in (1, 2))
    dask = neuroport.sweep(network, grid, tmp_path / "s", scheduler=address, **given)
    assert bare(one) == bare(two) == bare(dask)
    assert dask.statuses == {"done": 12} and len(set(dask["digest"])) > 1


def test_what_happens_to_a_point_on_a_cluster_happens_to_no_other(address: str) -> None:
    grid = {"seed": [1, KILLED, RAISING, SLOW, 2]}
    network = neuroport.load("loihi_lif")
    table = neuroport.sweep(network, grid, backend="deadly", scheduler=address, time=5)
    assert table["status"] == ["done", "killed", "failed", "timeout", "done"]


def test_a_sweep_on_a_cluster_keeps_traces(address: str, tmp_path: Path) -> None:
    from neuroport.trace.read import open_trace

    network = neuroport.load("loihi_lif")
    given: dict[str, Any] = {"backend": "reference", "scheduler": address, "traces": True}
    table = neuroport.sweep(network, {"seed": [1]}, tmp_path / "s", **given)
    assert open_trace(tmp_path / "s" / "traces" / table["trace"][0]).digest == table["digest"][0]


def test_without_a_scheduler_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from neuroport.sweeps import cluster

    monkeypatch.setattr(cluster, "ANSWERS", "1s")
    for address in ("tcp://127.0.0.1:1", "nonsense"):
        with pytest.raises(Unsupported, match=f"^no scheduler of Dask answers at '{address}': "):
            neuroport.sweep(neuroport.load("loihi_lif"), {}, tmp_path / "s", backend="reference", scheduler=address)
        assert not (tmp_path / "s").exists()
