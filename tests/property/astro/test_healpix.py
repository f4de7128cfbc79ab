from __future__ import annotations

import numpy as np
from healpix_geo import nested
from hypothesis import given
from hypothesis import strategies as st

from redpoll.astro.healpix import centres
from redpoll.astro.sky import separation_arcsec


@given(st.integers(0, 29), st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=50))
def test_centres_are_those_of_the_library(order: int, positions: list[float]) -> None:
    n_cells = 12 * 4**order
    cells = np.array([0, n_cells - 1, *(min(int(fraction * n_cells), n_cells - 1) for fraction in positions)])
    ra, dec = centres(cells, order)
    lon, lat = nested.healpix_to_lonlat(cells.astype(np.uint64), order, num_threads=1)
    assert separation_arcsec(ra, dec, lon, lat).max() < 1e-6
    assert ((ra >= 0) & (ra < 360)).all()


def test_every_cell_of_the_coarse_orders_has_its_centre() -> None:
    for order in range(5):
        cells = np.arange(12 * 4**order)
        lon, lat = nested.healpix_to_lonlat(cells.astype(np.uint64), order, num_threads=1)
        assert separation_arcsec(*centres(cells, order), lon, lat).max() < 1e-6
