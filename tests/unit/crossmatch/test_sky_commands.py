"""`redpoll region` and `redpoll skymap`: what they print about a file, and where they draw it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from sky_files import flat, multi_order

from redpoll.astro.sky import hpx29
from redpoll.cli import region, skymap
from redpoll.cli.sky_plot import draw_sky
from redpoll.crossmatch.errors import SkyFileError

WIDTH, HEIGHT = 72, 24


def run(command, *arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False).output


@pytest.fixture
def event(tmp_path):
    path = tmp_path / "map.fits"
    header = {"DATE-OBS": "2019-08-14T21:10:39.012", "OBJECT": "S190814bv"}
    distances = {"DISTMU": np.full(12, 270.0), "DISTSIGMA": np.full(12, 10.0)}
    path.write_bytes(multi_order([97.0] + [1.0] * 3 + [0.0] * 8, header=header, **distances))
    return path


def test_a_map_is_described(event):
    shown = json.loads(run(skymap.command, "info", event, "--json"))
    assert (shown["event"], shown["date_utc"], shown["cells"]) == ("S190814bv", "2019-08-14T21:10:39.012", 12)
    assert shown["distance_mpc"] == pytest.approx(270.7, abs=0.1)
    assert shown["area_50_deg2"] == pytest.approx(3437.7, abs=0.1)
    assert (shown["ra"], round(shown["dec"], 2)) == (45.0, 41.81)


def test_a_map_is_shown_with_its_regions(event):
    shown = run(skymap.command, "info", event)
    assert "S190814bv" in shown and "█ 50 % region" in shown and "270.7 +- " in shown


def test_missing_header_values_of_a_map_are_reported(tmp_path):
    path = tmp_path / "map.fits"
    path.write_bytes(flat(np.arange(48.0)))
    assert run(skymap.command, "info", path).count("not in the map") == 3


def test_a_region_is_described(tmp_path):
    path = tmp_path / "field.txt"
    path.write_text("Circle ICRS 180 0 10")
    assert json.loads(run(region.command, "info", path, "--json"))["area_deg2"] == pytest.approx(313.4, abs=0.5)
    shown = run(region.command, "info", path).splitlines()
    assert "deg2" in shown[0] and "█" in shown[1 + HEIGHT // 2]


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("nothing")
    for command in (region.command, skymap.command):
        with pytest.raises(SkyFileError, match=r"notes\.txt"):
            run(command, "info", path)


@pytest.mark.parametrize("ra, dec", [(180.0, 0.0), (10.0, 30.0), (350.0, -60.0), (100.0, 85.0), (300.0, -75.0)])
def test_a_small_place_is_drawn_where_the_sky_around_it_is(ra, dec):
    """The projection forwards, for places smaller than a letter, and backwards agree."""
    here = hpx29([ra], [dec])
    small = draw_sky(lambda cells: (cells == here[0]).astype(int), ".#", here)
    wide = draw_sky(lambda cells: ((cells >> 50) == (here[0] >> 50)).astype(int), ".#", here[:0])
    (row,) = [i for i, line in enumerate(small) if "#" in line]
    column = small[row].index("#")
    around = [line[max(column - 2, 0) : column + 3] for line in wide[max(row - 1, 0) : row + 2]]
    assert any("#" in line for line in around)
    assert sum(line.count("#") for line in small) == 1


def test_the_sky_is_an_ellipse_with_east_to_the_left():
    drawn = draw_sky(lambda cells: np.ones(len(cells), int), ".#", np.empty(0, np.int64))
    assert sum(line.count("#") for line in drawn) == pytest.approx(np.pi / 4 * WIDTH * HEIGHT, rel=0.03)
    later = hpx29([200.0], [0.0])
    assert max(line.find("#") for line in draw_sky(lambda c: (c == later[0]).astype(int), ".#", later)) < WIDTH // 2
