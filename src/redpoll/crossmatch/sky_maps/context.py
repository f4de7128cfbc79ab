"""Context of a sky map: credible level, distance and delay of each alert."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.astro.cosmology import luminosity_distance
from redpoll.crossmatch.bounded_file import fingerprint
from redpoll.crossmatch.sky_maps.distance import CredibleVolumes, conditional_moments
from redpoll.crossmatch.sky_maps.read import read_sky_map
from redpoll.crossmatch.sky_maps.sky_map import SkyMap
from redpoll.schema.column import Column
from redpoll.schema.names import valid_name

HOST_DISTANCE = ("host_distance_modulus", "host_redshift")
"""Columns of the batch with the distance of an alert's host; the first with a value is used."""


class SkyMapContext:
    """The sky map of an event, named `name`; adds credible level, distance and delay to each alert.

    Parameters
    ----------
    name
        Lower-case letters, digits and underscores, such as ``s190814bv``; prefix of its columns.
    sky_map
        The map.
    version
        Version of the map.
    """

    def __init__(self, name: str, sky_map: SkyMap, version: str = "1") -> None:
        valid_name(name, "a sky map's name")
        self.name, self.version, self.sky_map = name, version, sky_map

    @property
    def columns(self) -> Mapping[str, Column]:
        """Level and delay; and, if the map has distances, those along the line of sight and the level in space."""
        event = self.sky_map.event or self.name
        found = {
            f"{self.name}_credible_level": Column(
                "float32", doc=f"Probability of {event} within the smallest region that holds the alert, 0 to 1. "
                "Never null.", ucd="stat.probability", aggregate="min",
            ),
            f"{self.name}_days": Column(
                "float64", "d", f"Time of the alert since {event}; null if the map has no time.", "time.duration"
            ),
        }  # fmt: skip
        return {**found, **self._distance_columns(event)} if self.sky_map.distances is not None else found

    @property
    def reads(self) -> tuple[str, ...]:
        """Position and time; and, if the map has distances, those of hosts."""
        return ("hpx29", "mjd", *(HOST_DISTANCE if self.sky_map.distances is not None else ()))

    def match(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        """The columns for a batch with ``hpx29`` and ``mjd``; distances of hosts are used if the batch has them."""
        cells = batch["hpx29"].to_numpy(zero_copy_only=False)
        mjd = batch["mjd"].to_numpy(zero_copy_only=False)
        since = mjd - (np.nan if self.sky_map.mjd is None else self.sky_map.mjd)
        found = {
            f"{self.name}_credible_level": pa.array(self.sky_map.credible_levels(cells)),
            f"{self.name}_days": pa.array(since, from_pandas=True),
        }
        return {**found, **self._distances(cells, batch)} if self.sky_map.distances is not None else found

    @cached_property
    def volumes(self) -> CredibleVolumes:
        """Credible volumes, tabulated on first use."""
        return CredibleVolumes(self.sky_map)

    def _distance_columns(self, event: str) -> dict[str, Column]:
        along = f"of {event} along the alert's line of sight; null where the map has none."
        return {
            f"{self.name}_distance_mpc": Column("float32", "Mpc", f"Mean distance {along}", "pos.distance"),
            f"{self.name}_distance_err_mpc": Column(
                "float32", "Mpc", f"Standard deviation of the distance {along}", "stat.error;pos.distance"
            ),
            f"{self.name}_3d_credible_level": Column(
                "float32", doc=f"Probability of {event} within the smallest volume that holds the alert's host, "
                "0 to 1; null without a distance of the host.", ucd="stat.probability", aggregate="min",
            ),
        }  # fmt: skip

    def _distances(self, cells: NDArray[np.int64], batch: pa.RecordBatch) -> dict[str, pa.Array]:
        found = self.sky_map.find(cells)
        distances = self.sky_map.distances
        assert distances is not None
        mean, deviation = conditional_moments(distances.mu[found], distances.sigma[found])
        mean[found < 0] = deviation[found < 0] = np.nan
        host = host_distances(batch)
        level = np.full(len(cells), np.nan, np.float32)
        if np.isfinite(host).any():
            level = self.volumes.levels(found, host)
        values: dict[str, NDArray[np.floating[Any]]] = {
            "distance_mpc": mean,
            "distance_err_mpc": deviation,
            "3d_credible_level": level,
        }
        return {f"{self.name}_{k}": pa.array(v.astype(np.float32), from_pandas=True) for k, v in values.items()}


def host_distances(batch: pa.RecordBatch) -> NDArray[np.float64]:
    """Luminosity distance [Mpc] of each alert's host, by its distance modulus, else its redshift; NaN if unknown.

    >>> host_distances(pa.record_batch({"host_distance_modulus": pa.array([35.0, None])})).tolist()
    [100.0, nan]
    """
    found = np.full(batch.num_rows, np.nan)
    for name, distance_of in zip(HOST_DISTANCE, (_distance_of_modulus, luminosity_distance), strict=True):
        if name in batch.schema.names:
            values = np.asarray(batch[name].to_numpy(zero_copy_only=False), np.float64)
            found = np.where(np.isnan(found), distance_of(values), found)
    return found


def open_sky_map(name: str, path: Path) -> SkyMapContext:
    """The sky map in a file, read by `redpoll.crossmatch.sky_maps.read.read_sky_map`.

    Raises
    ------
    SkyFileError
        If the file cannot be read as a sky map.
    """
    return SkyMapContext(name, read_sky_map(path), fingerprint(path))


def _distance_of_modulus(modulus: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(10.0 ** (0.2 * (modulus - 25.0)))
