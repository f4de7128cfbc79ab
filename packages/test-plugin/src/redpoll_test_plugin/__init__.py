"""A science module and a filter, as small as they can be."""

from __future__ import annotations

from redpoll import Column, alert_filter, science_module


@science_module(version="1", outputs={"test_plugin_snr": Column("float32", doc="flux / flux_err; null without flux")})
def test_plugin_snr(flux, flux_err):
    """Signal-to-noise ratio of the alert's triggering detection."""
    return flux / flux_err


@alert_filter(per="object")
def test_plugin_brightening(mag, test_plugin_snr, *, min_snr=5.0):
    """Brighter than at the detection before, and significant."""
    if len(mag) < 2 or test_plugin_snr is None:
        return False
    return test_plugin_snr >= min_snr and mag[-1] < mag[-2]
