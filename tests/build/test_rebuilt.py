"""Whatever a file says can be said by calls, and is the same network; and every network can be gone on with."""

from __future__ import annotations

import pytest

import neuroport
from neuroport import networks
from neuroport.files import network as reader
from neuroport.files import writer
from neuroport.yaml import nodes
from tests.support.checkout import NETWORKS
from tests.support.rebuilt import plain, rebuilt

FILES = {name: networks.path(name) for name in networks.names()} | {"everything": NETWORKS / "everything.yaml"}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_the_calls_that_say_the_same(name: str) -> None:
    path = FILES[name]
    loaded = reader.load(path)
    net = rebuilt(plain(nodes.parse(path.read_bytes(), str(path))), str(path.parent))
    assert net.build() == loaded
    assert net.to_yaml() == writer.to_yaml(loaded)
    assert neuroport.loads(net.to_yaml(), folder=path.parent) == loaded


@pytest.mark.parametrize("name", FILES)
def test_a_network_can_be_gone_on_with(name: str) -> None:
    loaded = reader.load(FILES[name])
    net = neuroport.Network.of(loaded)
    assert net.build() == loaded
    assert set(net.build().files) >= set(loaded.files)
    net.population("one_more", 3, "lif")
    assert len(net.build().populations) == len(loaded.populations) + 1
