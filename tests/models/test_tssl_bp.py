"""TSSL-BP: the golden values of its page, chips in the loop, and digits.

The host's program, which has its own gradient, is examples/tssl_bp.py, with tssl_rule.py and tssl_chip.py beside it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import neuroport
from examples import tssl_chip, tssl_rule
from neuroport import hil
from neuroport.chips import description
from neuroport.chips.mismatch import deviating
from neuroport.program.executor import Backend
from tests.support import needs
from tests.support.examples import example
from tests.support.planning import identical, open_session

Real = NDArray[np.float64]
HOST = example("tssl_bp")
RULE = tssl_rule.Rule()
SIZES = (3, 4, 2)
SHOWN = np.array([[1, 0.5, -0.2], [0.3, -0.4, 1.2]])
LABELS = np.array([1, 0])


def weights() -> list[Real]:
    """W_1 and W_2, one row for each upper cell."""
    return [
        factor * np.sin(1 + shift + 1.7 * rows + 2.3 * columns)
        for factor, shift, (rows, columns) in ((2, 0, np.indices((4, 3))), (2.5, 0.7, np.indices((2, 4))))
    ]


def went() -> tuple[list[Any], float, Real]:
    """What the layers did, the loss, and its slope."""
    layers = tssl_rule.forward(weights(), SHOWN, RULE)
    return layers, *tssl_rule.loss(layers[-1].a, LABELS, RULE)


def changes(rule: Any = RULE) -> list[Real]:
    layers, _, slope = went()
    return list(tssl_rule.gradients(weights(), layers, slope, rule))


def equal(found: Any, golden: Any) -> None:
    """Within the digits that are stated: seven behind the point, or eight."""
    np.testing.assert_allclose(found, golden, rtol=0, atol=1.1e-7)


U = {
    (1, 0, 0): (0.5925676, 1.4616669, 1.2509761, 1.4265517, 1.5436021),
    (1, 0, 3): (0.2909760, 0.7177407, 1.1884752, 0.7004977, 1.3183726),
    (1, 1, 1): (1.0215384, 1.7025640, 2.1565811, 2.4592591, 2.6610445),
    (2, 0, 0): (0, 0.8263873, 2.6504197, 2.1525939, 2.8734475),
}
LAST_U = {(1, 0, 1): -1.0582542, (1, 0, 2): -3.9611412, (2, 1, 0): -4.5060706, (2, 1, 1): -3.2788316}
SPIKES = {(1, 0, 0): "01111", (1, 0, 3): "00101", (1, 1, 1): "11111", (2, 0, 0): "00111"}
"""By layer, pattern and cell; no other cell spikes."""
A = (0, 0, 0.33333333, 0.55555556, 0.70370370)


def compare(layer: int, u: Real, s: Real, a: Real) -> None:
    """What a layer did (steps, batch, cells) with the golden values."""
    for (k, pattern, cell), values in U.items():
        if k == layer:
            equal(u[:, pattern, cell], values)
    for (k, pattern, cell), value in LAST_U.items():
        if k == layer:
            equal(u[-1, pattern, cell], value)
    golden = np.zeros_like(s)
    for (k, pattern, cell), train in SPIKES.items():
        if k == layer:
            golden[:, pattern, cell] = [int(one) for one in train]
    np.testing.assert_array_equal(s, golden)
    if layer == 2:
        equal(a[:, 0, 0], A)


def test_the_hosts_forward_pass_has_the_golden_values() -> None:
    layers, total, _ = went()
    for k in (1, 2):
        compare(k, layers[k].u, layers[k].s, layers[k].a)
    equal(total, 2.0163847)
    assert tssl_rule.filtered(tssl_rule.target(RULE), 3).tolist() == pytest.approx(
        [0, 0.33333333, 0.55555556, 0.70370370, 0.80246914], abs=1e-8
    )


def traced(session: Any) -> list[list[Real]]:
    """u, spikes and a of both layers, (steps, batch, cells) each, read step by step."""
    session.set("weights1", weights()[0].T.ravel())
    session.set("weights2", weights()[1].T.ravel())
    session.reset("x", "h1", "y")
    start = session.step
    session.inject("shown", None, SHOWN.T, hold=5)
    seen: dict[str, list[Real]] = {name: [] for name in ("h1.u", "h1.a", "y.u", "y.a")}
    for _ in range(7):
        session.run(1)
        for name, values in seen.items():
            values.append(session.get(name).T)
    found = []
    for k, cells in ((1, "h1"), (2, "y")):
        u, a = (np.array(seen[f"{cells}.{name}"][k : k + 5]) for name in "ua")
        steps, numbers = session.spikes(cells)
        spikes = np.zeros((7, SIZES[k], 2))
        spikes[steps - start, numbers // 2, numbers % 2] = 1
        found.append([u, np.swapaxes(spikes, 1, 2)[k : k + 5], a])
    return found


def small(chip: str, copies: int = 2) -> tuple[Any, Any]:
    network = tssl_chip.graded(SIZES, RULE, [4 * 127 / 128] * 2).with_({"copies": copies}).build()
    return network, neuroport.compile(network, chip)


def test_a_chips_forward_pass_has_the_golden_values(backend: Backend) -> None:
    with open_session(*small("ideal"), backend) as session:
        session.run(3)
        layers = went()[0]
        for k, (u, s, a) in enumerate(traced(session), 1):
            compare(k, u, s, a)
            np.testing.assert_allclose(u, layers[k].u, rtol=0, atol=1e-12)
            np.testing.assert_allclose(a, layers[k].a, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("chip", "most"), [("generic16", 1e-3), ("generic8", 0.05)])
def test_words_of_a_chip_are_near(chip: str, most: float) -> None:
    with neuroport.open(small(chip)[0], backend="reference", chip=chip) as session:
        layers = went()[0]
        for k, (u, s, _) in enumerate(traced(session), 1):
            np.testing.assert_array_equal(s, layers[k].s)
            assert np.max(np.abs(u - layers[k].u)) < most


R = {
    (2, 0, 0): (0.00500555, 0.23519114, 0.23661096, 0.17500201, 0.08163292),
    (2, 0, 1): (-0.00926465, -0.00483416, -0.00077180, -0.00069209, -0.00044836),
    (2, 1, 0): (-0.00046718, -0.00070077, -0.00077180, -0.00069209, -0.00044836),
    (2, 1, 1): (0, 0, 0, 0, 0),
    (1, 0, 0): (0.14265583, 0.56817645, 0.28594583, 0.14180399, 0.04376509),
    (1, 0, 3): (0.02909206, 0.24158804, 0.54126042, 0.06505653, 0.08132065),
    (1, 0, 1): (-0.00327560, -0.00167426, -0.00041071, -0.00024177, -0.00008595),
    (1, 1, 1): (0.00111153, 0.00070812, 0.00047399, 0.00027539, 0.00010626),
}


def test_errors_are_the_golden_ones() -> None:
    layers, _, slope = went()
    top = tssl_rule.errors(layers[2], slope, RULE)
    found = {2: top, 1: tssl_rule.errors(layers[1], top @ weights()[1], RULE)}
    for (layer, pattern, cell), values in R.items():
        equal(found[layer][:, pattern, cell], values)


def test_changes_are_the_golden_ones() -> None:
    one, two = changes()
    equal(one[0], (0.7162195, 0.3581140, -0.1432535))
    equal(one[1], (-0.0021565, -0.0018541, 0.0022088))
    equal(one[2], (0.0000061, 0.0000048, -0.0000053))
    equal(one[3], (0.6476164, 0.3238103, -0.1295280))
    equal(two, ((0.3985050, -0.0020329, 0, 0.1570644), (-0.0028870, 0, 0, -0.0006269)))
    equal(np.sqrt(np.sum(one**2) + np.sum(two**2)), 1.1774025)


def test_changes_without_warm_up_are_the_golden_ones() -> None:
    one, two = changes(replace(RULE, warm_up=False))
    equal(one[0], (0.7826774, 0.3913387, -0.1565355))
    equal(one[3], (0.8561268, 0.4280634, -0.1712254))
    equal(two[0], (0.3832043, 0, 0, 0.1570644))


def test_changes_without_what_a_spike_does_to_the_next_are_the_golden_ones() -> None:
    one, two = changes(replace(RULE, intra=False))
    equal(one[0], (0.5739120, 0.2869602, -0.1147920))
    equal(one[3], (0.5040163, 0.2520102, -0.1008080))
    equal(two[0], (0.3587618, -0.0020329, 0, 0.1364838))


def test_steps_of_the_optimiser_are_the_golden_ones() -> None:
    kept = tssl_rule.Weights(weights(), [4, 4])
    for step in range(400):
        layers = tssl_rule.forward(kept.layers, SHOWN, RULE)
        total, slope = tssl_rule.loss(layers[-1].a, LABELS, RULE)
        kept.follow(tssl_rule.gradients(kept.layers, layers, slope, RULE), 5e-4)
        if step == 0:
            equal(kept.layers[0][0], (1.6824336, -0.3159898, -1.2620270))
            equal(kept.layers[1][0], (2.4786496, -1.8914968, 0.0420345, 1.8354836))
    equal(kept.layers[0][0], (1.4731652, -0.5212769, -1.0535869))
    equal(kept.layers[1][1], (-0.4238366, -1.3739632, 2.4684538, -1.7642070))
    equal(total, 2.0163847)


def random_layer(rng: np.random.Generator, rule: Any) -> tuple[Real, Any]:
    """Currents of a layer, and what it does."""
    arriving = rng.normal(0.3, 1, (rule.steps, 6, 20))
    shown = np.swapaxes(arriving, 0, 1)
    return arriving, tssl_rule.forward([np.eye(20)], shown, rule)[1]


def test_a_filter_of_the_current_gives_the_same_as_one_of_spikes() -> None:
    rule, rng = tssl_rule.Rule(steps=30, tau_m=8, tau_s=4), np.random.default_rng(1)
    arriving, layer = random_layer(rng, rule)
    c = v = np.zeros_like(arriving[0])
    for t, current in enumerate(arriving):
        c = (1 - 1 / rule.tau_s) * c + current / rule.tau_s
        u = (1 - 1 / rule.tau_m) * v + c
        spiked = u > rule.threshold
        v = np.where(spiked, 0, u)
        np.testing.assert_allclose(u, layer.u[t], rtol=0, atol=1e-12)
        np.testing.assert_array_equal(spiked, layer.s[t] > 0)


def summed(slope: Real, rule: Any) -> Real:
    """G as the sum over later steps that it is."""
    found = np.zeros_like(slope)
    for t in range(rule.steps):
        for k in range(rule.steps - t):
            found[t] += (1 - 1 / rule.tau_s) ** k / rule.tau_s * slope[t + k]
    return found


def test_a_silent_layer_learns_by_the_slope_of_a_sigmoid_alone() -> None:
    rule, rng = tssl_rule.Rule(steps=12), np.random.default_rng(2)
    u = rng.uniform(-3, 1, (12, 4, 5))
    none = np.zeros_like(u)
    slope = rng.normal(size=u.shape)
    y = np.exp(np.clip((1 - u) / 0.2, -8, 8))
    found = tssl_rule.errors(tssl_rule.Layer(u, u, none, none), slope, rule)
    np.testing.assert_allclose(found, summed(slope, rule) * y / ((1 + y) ** 2 * 0.2), rtol=0, atol=1e-12)


def test_a_layer_that_spikes_in_every_step_does_not_need_it() -> None:
    rule, rng = tssl_rule.Rule(steps=12), np.random.default_rng(3)
    d = rng.uniform(1.1, 5, (12, 4, 5))
    ones = np.ones_like(d)
    layer = tssl_rule.Layer(d, d, ones, tssl_rule.filtered(ones, rule.tau_s))
    slope = rng.normal(size=d.shape)
    bare = tssl_rule.errors(layer, slope, replace(rule, warm_up=False))
    np.testing.assert_array_equal(tssl_rule.errors(layer, slope, rule), bare)
    alone = tssl_rule.errors(layer, slope, replace(rule, warm_up=False, intra=False))
    np.testing.assert_allclose(alone, summed(slope, rule) / d, rtol=0, atol=1e-12)


def test_counts_that_are_right_teach_nothing() -> None:
    rule = tssl_rule.Rule(steps=10, loss="count", wanted=(2, 1))
    a = np.full((10, 3, 2), 0.15)
    total, slope = tssl_rule.loss(a, np.array([0, 1, 1]), rule)
    right = np.eye(2)[[0, 1, 1]]
    np.testing.assert_allclose(slope, np.tile(np.where(right > 0, -0.05, 0.05), (10, 1, 1)), rtol=0, atol=1e-12)
    assert total == pytest.approx(0.5 * 10 * 6 * 0.05**2)
    assert tssl_rule.loss(a, np.array([0, 1, 1]), replace(rule, wanted=(1.5, 1.6)))[0] == pytest.approx(0, abs=1e-12)


# ---------------------------------------------------------------------------------------------------- in the loop


def chip_of(session: Any, grid: float = np.inf) -> Any:
    return tssl_chip.Chip(session, SIZES, RULE, tssl_chip.Form([grid] * 2, [1, 1]))


def test_the_gradient_in_the_loop_of_an_exact_chip_is_the_hosts_own(backend: Backend) -> None:
    with open_session(*small("ideal"), backend) as session:
        chip = chip_of(session)
        visible = chip.load(tssl_rule.Weights(weights(), [4, 4]))
        chip(SHOWN[::-1])
        layers = tssl_rule.forward(visible, SHOWN, RULE, chip(SHOWN))
    slope = tssl_rule.loss(layers[-1].a, LABELS, RULE)[1]
    for found, own in zip(tssl_rule.gradients(visible, layers, slope, RULE), changes(), strict=True):
        np.testing.assert_allclose(found, own, rtol=0, atol=1e-12)


def test_the_host_knows_the_weights_of_a_chip_whose_circuits_are_as_designed() -> None:
    _, program = small("generic8")
    with neuroport.open(small("generic8")[0], backend="reference", chip="generic8") as session:
        chip = chip_of(session, 2.0 ** program.arrays["up1.w"].type.frac)
        visible = chip.load(tssl_rule.Weights(weights(), [4, 4]))
        for one, other in zip(visible, chip.made(), strict=True):
            np.testing.assert_array_equal(one, other)
        assert 0 < np.max(np.abs(visible[0] - weights()[0])) <= 1 / 64


def test_no_weight_that_the_host_writes_is_beyond_its_limit() -> None:
    limit = 127 / 128
    kept = tssl_rule.Weights([np.array([[-limit, 0.5, limit]])], [limit])
    assert tssl_chip.Form([64], [1]).visible(kept)[0].tolist() == [[-63 / 64, 0.5, 63 / 64]]
    assert tssl_chip.Form([128], [1]).visible(kept)[0].tolist() == kept.layers[0].tolist()
    scale = 254 / limit
    assert (tssl_chip.Form([scale / 2], [scale]).visible(kept)[0] * scale).tolist() == [[-254, 128, 254]]


def test_any_number_of_patterns_is_dealt_to_the_copies() -> None:
    shown = np.random.default_rng(5).normal(size=(7, 3))
    layers = tssl_rule.forward(weights(), shown, RULE)
    with neuroport.open(small("ideal", 3)[0], backend="reference") as session:
        chip = chip_of(session)
        chip.load(tssl_rule.Weights(weights(), [4, 4]))
        films = np.repeat(shown[:, None], RULE.steps, axis=1)
        for found in (chip(shown), chip(films)):
            for k in (1, 2):
                np.testing.assert_array_equal(found[k - 1], layers[k].s)


def test_a_spike_that_the_host_would_not_have_counts_as_a_slow_one() -> None:
    seen = [np.ones((5, 2, 4)), np.ones((5, 2, 2))]
    layers = tssl_rule.forward(weights(), SHOWN, RULE, seen)
    for k in (1, 2):
        np.testing.assert_array_equal(layers[k].s, seen[k - 1])
        assert np.all(layers[k].d > 0)
        assert np.any(layers[k].d == 1e-3)


def compartments(mantissas: list[Real], scale: list[float], events: Real) -> list[Real]:
    """Spikes of Loihi's integers for events (batch, steps, inputs), written down once more."""
    found = []
    spikes = np.swapaxes(events, 0, 1).astype(np.int64)
    for w, one in zip(mantissas, scale, strict=True):
        arriving = spikes @ w.T.astype(np.int64)
        u = v = np.zeros_like(arriving[0])
        spikes = np.empty_like(arriving)
        for t, sent in enumerate(arriving):
            u = np.sign(u) * (np.abs(u) * (4096 - 1365) // 4096) + 64 * sent
            v = np.sign(v) * (np.abs(v) * (4096 - 819) // 4096) + u
            spikes[t] = v > 64 * round(3 * one)
            v = np.where(spikes[t] > 0, 0, v)
        found.append(spikes.astype(np.float64))
    return found


def loihi_spikes(copies: int, many: int, layers: list[Real], which: list[str]) -> tuple[list[Real], list[list[Real]]]:
    """Of so many digits: by the integers above, and on executors."""
    needs.digits()
    rule, sizes = tssl_rule.Rule(steps=10), [layers[0].shape[1], *(len(w) for w in layers)]
    kept = tssl_rule.Weights(layers, [4.0] * len(layers))
    network, form = tssl_chip.on("loihi1", sizes, rule, kept)
    network, task = network.with_({"copies": copies}), HOST.tasks("digits", 10, encoded=True)[1]
    visible = form.visible(kept)
    mantissas = [np.round(w * one) for w, one in zip(visible, form.scale, strict=True)]
    found = []
    for backend in which:
        with neuroport.open(network, backend=backend, chip="loihi1") as session:
            chip = tssl_chip.Chip(session, sizes, rule, form)
            chip.load(kept)
            found.append(chip(task.chip[:many]))
    return compartments(mantissas, form.scale, task.host[:many]), found


@pytest.mark.dear
def test_digits_in_loihis_integers_are_those_of_the_formula() -> None:
    golden, (found,) = loihi_spikes(2, 4, tssl_rule.begin((64, 30, 10), 1).layers, ["reference"])
    for k, one in enumerate(golden):
        np.testing.assert_array_equal(found[k], one)
        assert one.mean() > 0.02


@pytest.mark.slow
def test_a_served_chip_does_what_one_here_does() -> None:
    needs.digits()
    for needed in ("msgpack", "zmq"):
        pytest.importorskip(needed, reason="serving needs msgpack and pyzmq: pip install 'neuroport[hil]'")
    sizes = (64, 100, 10)
    kept, shown = tssl_rule.begin(sizes, 1, tssl_rule.limits_of(sizes)), HOST.tasks("digits")[1].chip[:70]
    with (
        hil.serve("tssl_bp") as address,
        tssl_chip.opened(sizes, RULE, kept, "generic8", address=address) as far,
        tssl_chip.opened(sizes, RULE, kept, "generic8") as near,
    ):
        for chip in (far, near):
            chip.load(kept)
        for one, other in zip(far(shown), near(shown), strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.mean() > 0.02


INTEGER = [name for name in description.names() if description.load(name).integer]


@pytest.mark.slow
@pytest.mark.parametrize("chip", INTEGER)
def test_patterns_and_resets_are_identical_on_all_executors(chip: str) -> None:
    """300 digits, each with its reset, of 7 or 12 steps, two at a time, on fewer cells."""
    needs.digits()
    network = neuroport.load("tssl_bp_loihi" if chip == "loihi1" else "tssl_bp", ["copies=2", "h1.size=20"])
    identical(network, chip, steps=2000)


# ------------------------------------------------------------------------------------------------------- digits


def outcomes(seeds: int = 3, **given: Any) -> Any:
    """Percent without a chip, on it and after repair, of each seed."""
    if given.get("data", "digits") == "digits":
        needs.digits()
    chip = given.get("chip", "ideal")
    found = []
    for seed in range(1, seeds + 1):
        specimen = seed if not isinstance(chip, str) and chip.mismatch else None
        one = HOST.experiment(seed=seed, chip_seed=specimen, **given)
        found.append((one.host, one.before, one.after))
    return np.array(found)


@pytest.mark.dear
def test_digits_are_learned_in_ten_epochs() -> None:
    needs.digits()
    learn, test = HOST.tasks("digits")
    kept = tssl_rule.begin((64, 100, 10), 1, tssl_rule.limits_of((64, 100, 10)))
    HOST.train(kept, learn, RULE, 10, 0.002, np.random.default_rng(1))
    assert HOST.percent(kept, test, RULE) > 94


@pytest.mark.slow
def test_digits_of_three_seeds() -> None:
    found = outcomes(repair=0)
    assert found[:, 0].mean() >= 97.5
    np.testing.assert_array_equal(found[:, 0], found[:, 1])
    assert outcomes(repair=0, chip="generic8")[:, 1].mean() == pytest.approx(found[:, 0].mean(), abs=1)


@pytest.mark.slow
def test_without_warm_up_silent_cells_stay_silent() -> None:
    assert outcomes(repair=0, epochs=20, rule=replace(RULE, warm_up=False))[:, 0].mean() <= 75


@pytest.mark.slow
def test_events_of_ten_steps_and_loihis_integers() -> None:
    found = outcomes(repair=0, rule=tssl_rule.Rule(steps=10), chip="loihi1")
    assert found[:, 0].mean() >= 97
    assert found[:, 1].mean() == pytest.approx(found[:, 0].mean(), abs=1)


@pytest.mark.slow
def test_the_loop_wins_back_what_deviations_cost() -> None:
    rule = tssl_rule.Rule(steps=10)
    matched = outcomes(rule=rule, events=True, chip="generic8", repair=0)[:, 1].mean()
    chip = deviating(description.load("generic8"), ("weight",), ["weight=20%"])
    _, before, after = outcomes(rule=rule, events=True, chip=chip).mean(axis=0)
    assert after > before + 1
    assert after > matched - 1.5


@pytest.mark.slow
def test_the_yin_yang_figure_of_three_seeds() -> None:
    sizes = (4, 100, 3)
    found = [outcomes(data="yin_yang", sizes=sizes, epochs=12, repair=0, chip=chip) for chip in ("ideal", "generic8")]
    assert min(one[:, 1].mean() for one in found) >= 88


@pytest.mark.slow
def test_trained_digits_in_loihis_integers_are_those_of_the_formula() -> None:
    needs.digits()
    rule = tssl_rule.Rule(steps=10)
    kept = tssl_rule.begin((64, 100, 10), 1, tssl_rule.limits_of((64, 100, 10)))
    HOST.train(kept, HOST.tasks("digits", 10)[0], rule, 10, 0.002, np.random.default_rng(1))
    golden, found = loihi_spikes(50, 300, kept.layers, ["emulator", "reference"])
    for one in found:
        for k in (0, 1):
            np.testing.assert_array_equal(one[k], golden[k])
