"""Random numbers for building: distributions, connections, and that nobody's numbers depend on anybody else."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neuroport.elaborate.draws import sample
from neuroport.errors import InvalidInput, Place
from neuroport.network.values import Distribution
from neuroport.numerics import detmath, draws
from neuroport.numerics.draws import Source, bernoulli_pairs, choose, indices, permutation
from neuroport.numerics.units import Quantity

SOURCE = Source(1, "recurrent", "weight")
N = 20_000


def number(quantity: Quantity) -> float:
    return float(quantity.number) * {"": 1.0, "mV": 1.0, "V": 1000.0}[quantity.unit]


def dist(kind, place=None, **arguments):
    return Distribution(
        kind, tuple((k, v if isinstance(v, Quantity) else Quantity(v)) for k, v in arguments.items()), place
    )


def draw(kind, n=N, source=SOURCE, **arguments):
    return sample(dist(kind, **arguments), source, indices(n), number)


@pytest.mark.parametrize(
    ("kind", "arguments", "expected"),
    [
        ("uniform", dict(low=-1, high=3), stats.uniform(-1, 4)),
        ("normal", dict(mean=1, sd=2), stats.norm(1, 2)),
        ("normal", dict(mean=0, sd=1, low=-0.5), stats.truncnorm(-0.5, np.inf)),
        ("normal", dict(mean=0, sd=1, low=-1.5, high=1.5), stats.truncnorm(-1.5, 1.5)),
        ("normal", dict(mean=0, sd=1, low=2.2, high=3), stats.truncnorm(2.2, 3)),
        ("lognormal", dict(mean=0.3, sd=0.5), stats.lognorm(0.5, scale=np.exp(0.3))),
        ("beta", dict(a=1, b=1), stats.uniform()),
        ("beta", dict(a=1, b=3), stats.beta(1, 3)),
        ("beta", dict(a=2, b=5), stats.beta(2, 5)),
        ("beta", dict(a=0.3, b=0.6), stats.beta(0.3, 0.6)),
        ("beta", dict(a=80, b=30), stats.beta(80, 30)),
        ("beta", dict(a=1, b=1, scale=2, offset=-1), stats.uniform(-1, 2)),
        ("normal", dict(mean=0, sd=1, low=-1, high=1, scale=2, offset=5), stats.truncnorm(-1, 1, 5, 2)),
    ],
)
def test_values_follow_their_distribution(kind, arguments, expected):
    assert 1e-3 < stats.kstest(draw(kind, **arguments), expected.cdf).pvalue < 1 - 1e-6


def test_truncated_values_never_leave_their_bounds():
    x = draw("lognormal", mean=0, sd=1, low=0.5, high=1.5)
    assert 0.5 <= x.min() < 0.51
    assert 1.49 < x.max() <= 1.5


def test_only_values_outside_the_bounds_are_redrawn():
    free, bounded = draw("normal", mean=0, sd=1), draw("normal", mean=0, sd=1, low=-1, high=1)
    inside = np.abs(free) <= 1
    assert np.array_equal(free[inside], bounded[inside])
    assert (free[~inside] != bounded[~inside]).all()


def test_quantities_are_converted():
    volts = draw("normal", n=5, mean=Quantity(-0.06, "V"), sd=Quantity(2, "mV"))
    assert volts == pytest.approx(draw("normal", n=5, mean=-60, sd=2), rel=1e-14)


def test_an_element_keeps_its_value_whatever_else_is_drawn():
    for kind, arguments in (
        ("normal", dict(mean=0, sd=1, low=-0.2, high=0.2)),
        ("beta", dict(a=0.5, b=2)),
        ("uniform", {}),
    ):
        d = dist(kind, **arguments)
        whole = sample(d, SOURCE, indices(1000), number)
        some = np.array([900, 3, 77], dtype=np.uint64)
        assert np.array_equal(sample(d, SOURCE, some, number), whole[some.astype(int)])
        assert np.array_equal(sample(d, SOURCE, indices(2000), number)[:1000], whole)


def test_sources_are_independent_of_each_other():
    base = SOURCE.uniform(indices(N))
    for other in (
        Source(2, "recurrent", "weight"),
        Source(1, "recurrent", "delay"),
        Source(1, "recurrent2", "weight"),
        Source(1, "weight", "recurrent"),
        SOURCE.part("a"),
    ):
        x = other.uniform(indices(N))
        assert (x != base).all()
        assert abs(np.corrcoef(x, base)[0, 1]) < 4 / np.sqrt(N)
    assert abs(np.corrcoef(SOURCE.uniform(indices(N), 1), base)[0, 1]) < 4 / np.sqrt(N)


def test_uniform_numbers_lie_strictly_between_0_and_1():
    words = np.array([0, 2**64 - 1], dtype=np.uint64)

    class Extreme(Source):
        def words(self, elements, attempt=0):
            return words

    low, high = Extreme(1, "", "").uniform(indices(2))
    assert (low, high) == (2.0**-53, 1 - 2.0**-53)
    assert np.isfinite(Extreme(1, "", "").normal(indices(2))).all()


def test_numbers_never_change():
    golden = {
        "uniform": draw("uniform", n=3, low=0, high=1),
        "normal": draw("normal", n=3, mean=0, sd=1),
        "lognormal": draw("lognormal", n=3, mean=0, sd=1),
        "beta": draw("beta", n=3, a=2, b=0.5),
    }
    assert {k: [v.hex() for v in x.tolist()] for k, x in golden.items()} == {
        "uniform": ["0x1.151ec97fd46a0p-6", "0x1.20da3d7b87b39p-1", "0x1.8062829e2875ep-2"],
        "normal": ["-0x1.0fa16f610d5f0p+1", "0x1.4ad4475a13dbap-3", "-0x1.4545a699b6860p-2"],
        "lognormal": ["0x1.ea9c7ac4e2c10p-4", "0x1.2ce18f4de8be3p+0", "0x1.74a9e132969cfp-1"],
        "beta": ["0x1.ccbac43011e6ap-1", "0x1.d800006807c42p-2", "0x1.fcacea8b7ce80p-1"],
    }
    assert permutation(SOURCE, 8).tolist() == [0, 5, 3, 2, 1, 6, 7, 4]
    assert choose(SOURCE, 10, 3, 2).tolist() == [[0, 3, 5], [0, 2, 9]]
    assert rows_of(0.3, 3, 8) == [[], [2, 5], [0]]


@pytest.mark.parametrize(
    ("kind", "arguments", "text"),
    [
        ("uniform", dict(low=2, high=1), "uniform: low (2) is above high (1); exchange them"),
        ("normal", dict(mean=0, sd=-1), "normal: sd is -1; a standard deviation is 0 or more"),
        ("beta", dict(a=0, b=1), "beta: a and b are 0 and 1; both must be above 0"),
        (
            "normal",
            dict(mean=float("nan"), sd=1),
            "normal: an argument is not a finite number; give finite numbers",
        ),
        (
            "normal",
            dict(mean=0, sd=1, low=20),
            "normal: hardly any value lies within the bounds (low 20); values outside are redrawn, so at least one "
            "draw in a hundred must fall inside: widen the bounds or move the mean",
        ),
        (
            "lognormal",
            dict(mean=0, sd=0, low=2, high=3),
            "lognormal: hardly any value lies within the bounds (low 2, high 3); values outside are redrawn, so at "
            "least one draw in a hundred must fall inside: widen the bounds or move the mean",
        ),
    ],
)
@pytest.mark.parametrize("n", [1, 1000])
def test_refusals(kind, arguments, text, n):
    with pytest.raises(InvalidInput) as error:
        sample(dist(kind, Place("net.yaml", 4, 2), **arguments), SOURCE, indices(n), number)
    assert str(error.value) == f"net.yaml:4:2: {text}"


def test_nothing_to_draw_is_no_problem():
    assert draw("normal", n=0, mean=0, sd=1, low=20).shape == (0,)


def test_permutation_is_one_and_every_order_is_equally_likely():
    assert sorted(permutation(SOURCE, 1000).tolist()) == list(range(1000))
    orders = [tuple(permutation(Source(seed, "a", "order"), 3).tolist()) for seed in range(1200)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert stats.chisquare(counts).pvalue > 1e-3


def rows_of(p: float, rows: int, n: int, source: Source = SOURCE) -> list[list[int]]:
    """The columns that are drawn in each row."""
    row, column = bernoulli_pairs(source, p, np.arange(rows), n)
    assert (np.diff(row * n + column) > 0).all()
    return [part.tolist() for part in np.split(column, np.searchsorted(row, np.arange(1, rows)))]


@pytest.mark.parametrize("p", [0.003, 0.1, 0.5, 0.9])
def test_pairs_have_their_probability_and_order(p):
    rows, n = 4000, 300
    drawn = rows_of(p, rows, n)
    every = np.concatenate(drawn).astype(int)
    assert stats.binomtest(len(every), rows * n, p).pvalue > 1e-3
    assert stats.chisquare(np.bincount(every, minlength=n)).pvalue > 1e-3
    lengths = np.array([len(row) for row in drawn])
    cuts = np.unique(stats.binom.ppf(np.arange(1, 10) / 10, n, p))
    expected = np.diff([0, *stats.binom.cdf(cuts, n, p), 1])
    found = np.bincount(np.searchsorted(cuts, lengths), minlength=len(expected))
    assert stats.chisquare(found, rows * expected).pvalue > 1e-3


@pytest.mark.parametrize("p", [0.2, 0.5, 0.85])
def test_every_set_of_pairs_of_a_row_is_as_likely_as_it_should_be(p):
    drawn = rows_of(p, 20_000, 4)
    found = np.bincount([sum(1 << k for k in row) for row in drawn], minlength=16)
    expected = [p ** k.bit_count() * (1 - p) ** (4 - k.bit_count()) for k in range(16)]
    assert stats.chisquare(found, 20_000 * np.array(expected)).pvalue > 1e-3


def test_neighbours_in_a_row_and_rows_beside_each_other_are_independent():
    row, column = bernoulli_pairs(SOURCE, 0.3, np.arange(1000), 1000)
    matrix = np.zeros((1000, 1000))
    matrix[row, column] = 1
    for a, b in ((matrix[:, 1:], matrix[:, :-1]), (matrix[1:], matrix[:-1]), (matrix[1:, 1:], matrix[:-1, :-1])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4 / 1000


def test_pairs_of_the_ends_of_probability():
    def number(p: float, rows: int = 30, n: int = 40) -> int:
        return bernoulli_pairs(SOURCE, p, np.arange(rows), n)[0].size

    assert [number(p) for p in (0.0, 1.0, 5e-324, 1e-300, 1e-17, 1 - 2**-53)] == [0, 1200, 0, 0, 0, 1200]
    assert [number(0.5, rows, n) for rows, n in ((0, 40), (30, 0), (0, 0))] == [0, 0, 0]
    assert number(1e-9, 1, 10**12) == pytest.approx(1000, abs=100)


def test_a_row_is_drawn_from_its_own_number_alone():
    for p in (0.002, 0.1, 0.9):
        row, column = bernoulli_pairs(SOURCE, p, np.arange(2000), 500)
        some = np.array([1999, 3, 700, 4])
        alone = bernoulli_pairs(SOURCE, p, some, 500)
        assert alone[0].tolist() == [k for k in some for _ in range(np.sum(row == k))]
        assert alone[1].tolist() == [c for k in some for c in column[row == k]]


def test_a_row_goes_on_where_there_are_more_columns():
    few, many = rows_of(0.01, 200, 1000), rows_of(0.01, 200, 3000)
    assert few == [[c for c in row if c < 1000] for row in many]


@pytest.mark.parametrize(("p", "rows", "n", "most"), [(1e-6, 10**6, 10**6, 4e6), (0.3, 10, 10**5, 4e5)])
def test_drawing_pairs_costs_what_is_drawn(p, rows, n, most, monkeypatch):
    """10^12 pairs of which 10^6 are drawn: one word of random bits for every pair would take hours."""
    words = []

    def left_out(some, *arguments):
        words.append(some.size)
        return original(some, *arguments)

    original = draws._left_out
    monkeypatch.setattr(draws, "_left_out", left_out)
    drawn = len(bernoulli_pairs(SOURCE, p, np.arange(rows), n)[0])
    assert stats.binomtest(drawn, rows * n, p).pvalue > 1e-3
    assert sum(words) < most


@pytest.mark.parametrize(("n", "k"), [(6, 3), (5, 4), (5, 1), (7, 2), (4, 0), (4, 4)])
def test_every_choice_is_equally_likely(n, k):
    found = choose(SOURCE, n, k, 6000)
    assert found.shape == (6000, k)
    assert (np.diff(found, axis=1) > 0).all()
    if 0 < k < n:
        counts = np.unique(found, axis=0, return_counts=True)[1]
        assert stats.chisquare(counts).pvalue > 1e-3


def test_choices_of_a_row_do_not_depend_on_other_rows_or_blocks():
    few, many = choose(SOURCE, 1000, 100, 5), choose(SOURCE, 1000, 100, 3000)
    assert np.array_equal(few, many[:5])
    assert stats.chisquare(np.bincount(many.ravel(), minlength=1000)).pvalue > 1e-3


def test_choosing_more_than_there_are_is_refused():
    with pytest.raises(ValueError, match="cannot choose 4 of 3"):
        choose(SOURCE, 3, 4, 1)


@pytest.mark.parametrize("p", [1e-7, 0.001, 0.3, 0.97])
def test_gaps_are_the_quotient_of_exact_logarithms_also_where_it_is_nearly_whole(p):
    n, gaps = 10**6, np.unique(np.geomspace(1, min(30 / p, 10**6), 300).astype(np.int64))
    k = np.rint((1 - p) ** gaps * 2.0**52).astype(np.int64)[:, None] + np.arange(-40, 40)
    edges = np.clip(k, 0, 2**52 - 1).astype(np.uint64).ravel() << np.uint64(12)
    for words in (edges, SOURCE.words(indices(50_000)), np.array([0, 2**64 - 1], np.uint64)):
        exact = np.minimum(detmath.log(draws.uniform(words)) / detmath.log1p(-p), n).astype(np.int64)
        assert np.array_equal(draws._left_out(words, float(detmath.log1p(-p)), n), exact)
