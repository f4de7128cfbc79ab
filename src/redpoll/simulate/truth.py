"""Truth table of a simulated night: class and parameters of each alert."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from redpoll.schema.bands import BANDS
from redpoll.simulate.classes import CLASSES
from redpoll.simulate.exposures import Exposures
from redpoll.simulate.population import Sources


def truth_table(
    sources: Sources,
    exposures: Exposures,
    points: NDArray[np.int64],
    alert_id: NDArray[np.int64],
    object_id: list[str],
) -> pa.Table:
    """One row an alert, in the order of `points`.

    ``class``; ``unit_id``, the same for all sightings of one moving object; ``is_new``, whether this is the object's
    first detection; ``true_flux`` against the packet's ``flux`` and ``flux_err`` [nJy]; and every parameter of
    every class, null where the class has no such parameter. Times are MJD TAI.
    """
    who, row = sources.index[points], sources.row[points]
    columns = {
        "alert_id": alert_id,
        "object_id": object_id,
        "unit_id": sources.unit[who],
        "class": np.array(list(CLASSES))[sources.kind[who]],
        "night": exposures.night[row],
        "mjd": exposures.mjd[row],
        "band": np.array(BANDS)[exposures.band[row]],
        "ra": sources.ra[who],
        "dec": sources.dec[who],
        "is_new": sources.n_detections[points] == 1,
        "n_detections": sources.n_detections[points],
        "first_mjd": sources.first_mjd[who],
        "true_flux": sources.true_flux[points],
        "flux": sources.flux[points],
        "flux_err": sources.flux_err[points],
    }
    parameters = {name: pa.array(values[who], from_pandas=True) for name, values in sources.parameters.items()}
    return pa.table(columns | parameters)
