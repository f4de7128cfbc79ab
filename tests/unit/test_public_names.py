"""The public names, one by one: whoever adds or removes one changes this file too."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from inspect import getdoc, isfunction
from pathlib import Path

import pytest

import redpoll

PUBLIC = {
    "redpoll": """
        Column Model RedpollError UsageError __version__ alert_filter class_scores feature flag open probability
        science_module""",
    "redpoll.client": "Client QueryResult open",
    "redpoll.conditions": "FINK_ROID is_brightening_by is_empty_position is_listed is_on_star is_solar_system",
    "redpoll.curve_fitting": """
        BazinFit LineSums LinexpFit PaczynskiFit RainbowFit SigmoidFit bazin_fit line_sums linexp_fit measured
        paczynski_fit rainbow_fit sigmoid_fit""",
    "redpoll.cutouts": """
        CutoutMeasurements Cutouts clipped differs_from_template measure_cutouts read_cutouts structure""",
    "redpoll.light_curves": """
        BANDS DETECTION FORCED KINDS LOW_QUALITY SURVEYS UPPER_LIMIT LightCurves at_trigger averaged by_band
        count_of_each days_before_trigger days_of_each fitted_columns highest_of_each in_alert_band is_non_detection
        is_positive_detection last_of_each
        lowest_of_each negative_fraction one_light_curve owners per_point scattered some_parts taken""",
    "redpoll.photometry": """
        MAG_PER_RELATIVE_FLUX ApparentPhotometry apparent_photometry flux_err_from_limiting_mag flux_err_from_mag_err
        flux_from_mag limiting_mag mag_err_from_flux mag_from_flux reference_flux""",
    "redpoll.sky": "ecliptic_latitude galactic galactic_latitude hpx29 separation_arcsec",
    "redpoll.statistics": """
        BandSeries DampedRandomWalk FEATURES Periods Rate damped_random_walk_fit light_curve_statistics
        multiband_periods night_steps rate_between rate_from_upper_limit""",
    "redpoll.typing": "Arrays Bools Floats Ints Texts",
}
LIGHT = (
    "redpoll",
    "redpoll.client",
    "redpoll.conditions",
    "redpoll.light_curves",
    "redpoll.photometry",
    "redpoll.sky",
    "redpoll.typing",
)
SRC = Path(redpoll.__file__).parent


@pytest.mark.parametrize("name", PUBLIC)
def test_the_public_names_are_these(name):
    module = import_module(name)
    assert sorted(module.__all__) == sorted(PUBLIC[name].split())
    assert all(hasattr(module, each) for each in module.__all__)


def test_the_package_docstring_names_every_public_module():
    for name in PUBLIC:
        assert f"`{name}`" in redpoll.__doc__ or name == "redpoll"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_and_class_has_a_docstring(name):
    module = import_module(name)
    values = {each: getattr(module, each) for each in module.__all__}
    assert module.__doc__
    assert not [each for each, value in values.items() if callable(value) and not value.__doc__]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_function_has_an_example(name):
    module = import_module(name)
    functions = [value for each in module.__all__ if isfunction(value := getattr(module, each))]
    assert not [f.__name__ for f in functions if ">>>" not in getdoc(f) and "::\n" not in getdoc(f)]


LIGHT_COMMANDS = ("main", "ledger", "query")


@pytest.mark.parametrize("name", [*LIGHT, "redpoll.store", *(f"redpoll.cli.{command}" for command in LIGHT_COMMANDS)])
def test_importing_it_does_not_load_the_compiler(name):
    check = f"import sys, {name}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.parametrize("folder", ["science", "filters"])
def test_built_in_modules_and_filters_import_public_modules_only(folder):
    for file in (SRC / folder).glob("*.py"):
        imported = {line.split()[1] for line in file.read_text().splitlines() if line.startswith("from redpoll")}
        assert imported <= set(PUBLIC), file.name


def test_what_science_modules_may_import_by_its_layer_is_public_or_forbidden():
    """Every room is in the layers, and those beside and above science are out of its reach by that contract."""
    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["name"]: contract for contract in pyproject["tool"]["importlinter"]["contracts"]}
    layers = [re.split(r" [|:] ", row) for row in contracts["Imports point down the list of rooms"]["layers"]]
    (stages,) = (i for i, rooms in enumerate(layers) if "science" in rooms)
    below = {f"redpoll.{room}" for rooms in layers[stages + 1 :] for room in rooms}
    forbidden = contracts["Science modules and filters import what is public"]["forbidden_modules"]
    assert below - set(PUBLIC) == set(forbidden)
