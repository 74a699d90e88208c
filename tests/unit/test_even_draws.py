"""Draws that are spread evenly over the lanes have their law, and less of chance in their mean."""

from __future__ import annotations

import numpy as np
import pytest

from station.domain.even_draws import draws_for, even, even_of


def test_each_row_has_one_in_each_part() -> None:
    found = even(np.random.default_rng(1), 5, 100)
    assert (np.sort((found * 100).astype(int), axis=1) == np.arange(100)).all()
    assert not np.array_equal(np.argsort(found[0]), np.argsort(found[1]))


def test_rows_do_not_hang_together() -> None:
    found = even(np.random.default_rng(2), 40, 400)
    apart = np.corrcoef(found)[np.triu_indices(40, 1)]
    assert np.abs(apart).mean() < 2.0 / np.sqrt(400)


def test_draws_of_a_law_keep_it_and_scatter_less() -> None:
    draw, count = np.random.default_rng(3), 100

    def mean(evenly: bool) -> float:
        many = draw.beta(1.0, 49.0, draws_for(count))
        return float((even_of(many, draw, count) if evenly else many[:count]).mean())

    evenly, plain = (np.array([mean(kind) for _ in range(300)]) for kind in (True, False))
    assert evenly.mean() == pytest.approx(0.02, rel=0.03)
    assert evenly.std() < 0.5 * plain.std()
