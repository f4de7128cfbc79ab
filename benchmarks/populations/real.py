"""The real objects of one half, by what is known of their positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from populations.labelled import rr_lyrae, superluminous, tidal_disruptions, type_ia, ztf_packets
from redpoll.learn.curves import LabelledCurve, bare, half, moved
from redpoll.learn.replay import Labelled, replayed

LENGTHS = (30.0, 365.0)
"""Days of history in a replayed alert: those of ZTF's packets, and a year."""


def real_populations(
    data: Path, part: int, per_object: int, lengths: Iterable[float] = LENGTHS
) -> Iterator[tuple[str, Iterator[Labelled]]]:
    """Title and batches of each: all packets as they are, and replayed light curves of the objects of one half."""
    yield "real ZTF packets, every object with a label or in VSX", ztf_packets(data)
    for name, read in (("SNe Ia", type_ia), ("TDEs", tidal_disruptions), ("SLSNe-I", superluminous)):
        curves = _kept(read(data), part)
        places = {"nothing known of the position": bare(curves), "in a known galaxy": curves}
        if read is type_ia:
            places["in the centre of a known galaxy"] = [moved(c, arcsec=0.2) for c in curves]
        for place, some in places.items():
            for days in lengths:
                title = f"real {name} as ZTF alerts with {days:.0f} d of history, {place}"
                yield title, replayed(some, "ztf", days, per_object)
    stars = replayed(_kept(rr_lyrae(data), part), "rubin", 365.0, per_object)
    yield "real RR Lyrae stars of SDSS as Rubin alerts with 365 d of history", stars


def _kept(curves: list[LabelledCurve], part: int) -> list[LabelledCurve]:
    return [curve for curve in curves if half(curve.name) == part]
