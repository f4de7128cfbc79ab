"""Tables of catalogues fetched from public services: VizieR, TAP, CDS X-Match, a plain address."""

from redpoll.crossmatch.fetch.area import Cone, Positions
from redpoll.crossmatch.fetch.table import fetch_table

__all__ = ["Cone", "Positions", "fetch_table"]
