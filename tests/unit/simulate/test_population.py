"""Objects as they are drawn and measured: noise as stated, detections counted, one sky for all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from redpoll.errors import RedpollError
from redpoll.schema.taxonomy import taxonomy
from redpoll.simulate import rubin_cadence, ztf_cadence
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.classes.contract import Window
from redpoll.simulate.instrument import INSTRUMENTS, RUBIN, ZTF
from redpoll.simulate.population import draw_sources

DAY = 60939
CADENCES = {"ztf": ztf_cadence, "rubin": rubin_cadence}


@pytest.fixture(scope="module", params=["ztf", "rubin"])
def sky(request):
    """Exposures and 300 alerts' sources of one night."""
    camera, cadence, rng = INSTRUMENTS[request.param], CADENCES[request.param], np.random.default_rng(5)
    fields = cadence.draw_fields(rng, 10, DAY)
    exposures = cadence.draw_exposures(rng, fields, DAY, 1)
    start = DAY + camera.noon
    window = Window(start, start + 1, camera.depth, camera.bright)
    return camera, fields, exposures, draw_sources(rng, 300, window, fields, exposures, camera)


def test_noise_is_as_large_as_stated(sky):
    camera, _, _, sources = sky
    constant = sources.true_flux == 0
    chi2 = np.square(sources.flux[constant] / sources.flux_err[constant])
    # the mean of n squares of standard normals scatters by sqrt(2 / n)
    assert abs(chi2.mean() / camera.scatter**2 - 1) < 5 * np.sqrt(2 / constant.sum())
    assert constant.sum() > 1000


def test_noise_of_what_shines_is_as_large_as_stated(sky):
    camera, *_, sources = sky
    # without the alerts themselves, which were chosen for their flux
    shining = (sources.true_flux != 0) & ~sources.alert
    chi2 = np.square((sources.flux - sources.true_flux)[shining] / sources.flux_err[shining])
    assert abs(chi2.mean() / camera.scatter**2 - 1) < 5 * np.sqrt(2 / shining.sum())
    assert shining.sum() > 500


def test_error_of_a_faint_source_is_a_fifth_of_the_limit_or_less():
    limit = np.array([20.0])
    flux = 10 ** (0.4 * (31.4 - limit))
    assert RUBIN.flux_error(np.zeros(1), limit) == pytest.approx(flux / 5)
    assert ZTF.flux_error(np.zeros(1), limit) < flux / 5


def test_light_of_the_template_adds_noise_for_rubin_alone():
    args = np.zeros(1), np.array([22.0])
    assert RUBIN.flux_error(*args, template=1e6) > RUBIN.flux_error(*args)
    assert ZTF.flux_error(*args, template=1e6) == ZTF.flux_error(*args)


def test_detections_are_counted_from_the_first(sky):
    _, _, exposures, sources = sky
    for k in range(len(sources)):
        part = slice(sources.offsets[k], sources.offsets[k + 1])
        seen = sources.detected[part]
        counts = sources.n_detections[part]
        assert (np.diff(counts) == seen[1:]).all()
        assert (np.diff(sources.n_covered[part]) == 1).all()
        assert (counts[seen] >= 1).all()
        assert exposures.mjd[sources.row[part]][seen].min() >= sources.first_mjd[k]


def test_detections_on_one_detector_are_told_apart(sky):
    camera, _, _, sources = sky
    seen = sources.detected
    place = (sources.row * camera.n_detectors + sources.detector[sources.index])[seen]
    assert len(np.unique(place * 10_000 + sources.rank[seen])) == seen.sum()
    assert (sources.rank[seen] >= 1).all()
    assert (sources.rank[~seen] == 0).all()


def test_taking_some_objects_keeps_their_points(sky):
    *_, sources = sky
    some = sources.take(np.array([5, 0, 5]))
    assert len(some) == 3
    for new, old in enumerate((5, 0, 5)):
        ours = slice(some.offsets[new], some.offsets[new + 1])
        theirs = slice(sources.offsets[old], sources.offsets[old + 1])
        np.testing.assert_array_equal(some.flux[ours], sources.flux[theirs])


def test_every_object_alerts_in_the_window_and_nowhere_else(sky):
    camera, _, exposures, sources = sky
    mjd = exposures.mjd[sources.row[sources.alert]]
    start = DAY + camera.noon
    assert ((mjd >= start) & (mjd < start + 1)).all()
    assert np.bincount(sources.index[sources.alert], minlength=len(sources)).min() >= 1
    assert sources.alert.sum() == 300


def test_the_telescope_looks_at_one_place_at_a_time(sky):
    camera, _, exposures, _ = sky
    steps = np.diff(np.sort(exposures.mjd)) * 86400
    assert steps.min() > (39 if camera is ZTF else 35)


def test_every_field_is_visited_in_the_window(sky):
    camera, fields, exposures, _ = sky
    start = DAY + camera.noon
    tonight = (exposures.mjd >= start) & (exposures.mjd < start + 1)
    assert set(exposures.field[tonight]) == set(range(len(fields.ra)))


def test_limits_are_those_of_the_survey(sky):
    camera, _, exposures, _ = sky
    low, middle, high = np.percentile(exposures.limiting_mag, [5, 50, 95])
    if camera is ZTF:
        # real packets of the public survey, g and r: 18.5 to 18.7, 20.0 to 20.1, 20.7 to 20.8
        assert 18.2 < low < 19.2 and 19.7 < middle < 20.4 and 20.5 < high < 21.0
    else:
        assert 21.0 < low < high < 25.0


def test_objects_outside_the_galaxy_lie_behind_its_dust_and_stars_do_not(sky):
    *_, sources = sky
    kinds = np.array(list(CLASSES))[sources.kind]
    ebv = sources.parameters["ebv"]
    behind = np.isin(kinds, ("sn_ia", "sn_ii", "sn_ibc", "kilonova", "tde", "agn", "slsn", "pisn", "orphan_afterglow"))
    assert (ebv[behind] > 0).all() and np.isnan(ebv[~behind]).all()
    assert 0.01 < np.median(ebv[behind]) < 0.15


def test_a_survey_too_shallow_for_any_alert_is_reported(sky):
    camera, fields, exposures, _ = sky
    blind = replace(exposures, limiting_mag=np.full(len(exposures), 5.0))
    with pytest.raises(RedpollError, match="bright enough"):
        draw_sources(np.random.default_rng(1), 20, Window(DAY, DAY + 1, 20, 13), fields, blind, camera)


def test_every_simulated_class_has_its_place_in_the_tree_of_classes():
    tree = taxonomy()
    of = {name: name if name in tree.classes else tree.of("redpoll", name) for name in CLASSES}
    assert None not in of.values()
    assert (of["pisn"], of["young_star"], of["bogus"]) == ("pair_instability_sn", "yso", "artefact")


def test_classes_and_names_agree():
    assert all(name == each.name for name, each in CLASSES.items())
    assert len(CLASSES) == 20
