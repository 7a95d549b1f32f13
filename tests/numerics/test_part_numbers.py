"""Parts of populations: the same neurons are the same part, however they are written."""

from __future__ import annotations

import random

from neuroport.numerics.parts import Part


def written(numbers: list[int], draw: random.Random) -> list[range]:
    """Numbers as ranges, in one of many ways."""
    ranges, k = [], 0
    while k < len(numbers):
        last = k + 1 if k + 1 < len(numbers) and draw.random() < 0.7 else k
        step = numbers[last] - numbers[k] or 1
        while last > k and last + 1 < len(numbers) and numbers[last + 1] - numbers[last] == step:
            if draw.random() < 0.2:
                break
            last += 1
        ranges.append(range(numbers[k], numbers[last] + 1, step))
        k = last + 1
    return ranges


def test_the_same_neurons_are_the_same_part() -> None:
    draw, seen = random.Random(3), set()
    for _ in range(2000):
        numbers = sorted(draw.sample(range(14), draw.randint(1, 10)))
        part = Part.of(written(numbers, draw))
        assert part == Part.of(range(k, k + 1) for k in numbers)
        assert part.neurons.tolist() == numbers
        assert len(part) == len(numbers)
        assert all(len(piece) > 2 or piece.step == 1 for piece in part.pieces)
        seen.add(len(part.ranges[0]))
    assert seen == {2, 3}


def test_parts_meet_where_a_neuron_is_of_both() -> None:
    draw, seen = random.Random(4), set()
    for _ in range(2000):
        one, other = (sorted(draw.sample(range(30), draw.randint(1, 8))) for _ in range(2))
        meet = Part.of(written(one, draw)).meets(Part.of(written(other, draw)))
        assert meet == bool(set(one) & set(other))
        seen.add(meet)
    assert seen == {True, False}


def test_large_parts_meet_without_being_made() -> None:
    even, odd = Part.of([range(0, 10**12, 2)]), Part.of([range(1, 10**12, 2)])
    assert not even.meets(odd)
    assert even.meets(Part.of([range(10**12 - 7, 10**12, 3)]))
    assert str(even) == "[0:999999999999:2]"
