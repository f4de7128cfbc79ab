"""Declaring science modules and filters."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from redpoll import Column, alert_filter, science_module
from redpoll.errors import PluginError, SchemaError

OUT = {"out": Column("float32")}


@science_module(version="2", model="early_ia", outputs=OUT)
def scored(mag, flux, model, *, scale=1.0):
    """Score of an alert.

    More words.
    """
    return model, mag * flux * scale


@alert_filter()
def bright(mag, *, max_mag=18.0):
    """Brighter than 18 mag."""
    return mag < max_mag


def test_importing_redpoll_loads_nothing_heavy() -> None:
    heavy = ("numba", "astropy", "fastapi", "rich", "httpx", "duckdb")
    code = f"import sys, redpoll; print([m for m in {heavy!r} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_signature_says_inputs_settings_and_model() -> None:
    assert (scored.name, scored.version, scored.model, scored.per) == ("scored", "2", "early_ia", "batch")
    assert scored.inputs == ("mag", "flux")
    assert dict(scored.settings) == {"scale": 1.0}
    assert scored.doc == "Score of an alert."


def test_topic_is_the_function_s_name_unless_given() -> None:
    assert bright.topic == bright.name == "bright"
    assert list(bright.outputs) == ["pass_bright"]

    @alert_filter(topic="very_bright", version="7")
    def other(mag):
        return mag < 15

    assert str(other) == "very_bright@7"


def test_decorated_function_stays_a_function() -> None:
    assert scored(20.0, 2.0, "model", scale=3.0) == ("model", 120.0)
    assert scored.__name__ == "scored"
    assert scored.__doc__.startswith("Score of an alert.")
    assert bright(17.0) is True


@pytest.mark.parametrize("plugin", [scored, bright], ids=str)
def test_plugins_are_frozen(plugin) -> None:
    with pytest.raises(FrozenInstanceError):
        plugin.version = "3"
    with pytest.raises(TypeError):
        plugin.settings["scale"] = 2


def takes_args(*mag): ...
def takes_kwargs(**mag): ...
def takes_positional(mag, /): ...
def has_default(mag, limit=3): ...
def setting_without_default(mag, *, limit): ...
def setting_of_odd_type(mag, *, limits=[1]): ...  # noqa: B006
def takes_model(mag, model): ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (takes_args, r"\*mag"),
        (takes_kwargs, r"\*\*mag"),
        (takes_positional, "remove the /"),
        (has_default, "'limit' has a default"),
        (setting_without_default, "'limit' needs a default"),
        (setting_of_odd_type, "'limits' is a list"),
        (takes_model, "declares none"),
    ],
)
def test_unfit_signature_is_refused(function, message) -> None:
    with pytest.raises(PluginError, match=f"{function.__name__}: .*{message}"):
        science_module(version="1", outputs=OUT)(function)
    with pytest.raises(PluginError, match=message):
        alert_filter()(function)


def plain(mag):
    return mag


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"version": ""}, "version"),
        ({"version": 1}, "version"),
        ({"version": "1@2"}, "version"),
        ({"per": "alert"}, "per must be"),
        ({"outputs": {}}, "outputs must name"),
        ({"outputs": ["out"]}, "outputs must name"),
        ({"outputs": {"Out": Column("float32")}}, "'Out' cannot be an output"),
        ({"outputs": {"2nd": Column("float32")}}, "'2nd' cannot be an output"),
        ({"outputs": {"out": "float32"}}, "must be declared as a Column"),
        ({"model": "early_ia"}, "no parameter 'model'"),
    ],
)
def test_unfit_declaration_is_refused(declaration, message) -> None:
    with pytest.raises(PluginError, match=message):
        science_module(**{"version": "1", "outputs": OUT} | declaration)(plain)


def test_output_of_unknown_dtype_is_refused() -> None:
    with pytest.raises(SchemaError, match="unknown dtype 'float'"):
        science_module(version="1", outputs={"out": Column("float")})(plain)


def test_function_without_a_proper_name_is_refused() -> None:
    with pytest.raises(PluginError, match="<lambda>"):
        science_module(version="1", outputs=OUT)(lambda mag: mag)


@pytest.mark.parametrize("topic", ["Bright", "bright-ones", "", "a b", 3])
def test_unfit_topic_is_refused(topic) -> None:
    with pytest.raises(PluginError, match="cannot be a topic"):
        alert_filter(topic)(plain)


def test_filter_decorator_without_parentheses_is_explained() -> None:
    with pytest.raises(PluginError, match="with parentheses"):
        alert_filter(plain)


def test_a_model_is_trained_on_the_inputs_or_on_what_the_module_says() -> None:
    assert scored.features == ("mag", "flux")

    @science_module(version="1", model="own", features=["a", "b"], outputs=OUT)
    def own_features(mag, model): ...

    assert own_features.features == ("a", "b")
    assert science_module(version="1", outputs=OUT)(lambda_free).features == ()


def lambda_free(mag): ...
