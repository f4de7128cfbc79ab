"""Download of catalogue tables from public services: VizieR, TAP, CDS X-Match, or a URL."""

from redpoll.catalogs.fetch.area import ConeArea, Positions
from redpoll.catalogs.fetch.table import fetch_table

__all__ = ["ConeArea", "Positions", "fetch_table"]
