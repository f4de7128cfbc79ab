"""Download of matches of given positions with a catalogue, by CDS X-Match.

References
----------
Boch, Pineau & Derriere 2012, ASP Conf. 461, 291; http://cdsxmatch.u-strasbg.fr/xmatch/doc/ (``request=xmatch``,
``cat1`` uploaded as CSV, ``cat2``, ``distMaxArcsec``, ``colRA1``, ``colDec1``, ``RESPONSEFORMAT``, ``MAXREC``).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from redpoll.catalogs.fetch.area import Positions
from redpoll.catalogs.fetch.ask import Service, form
from redpoll.catalogs.fetch.pages import Pages
from redpoll.catalogs.fetch.plan import XmatchPlan
from redpoll.catalogs.fetch.strips import until_limit
from redpoll.catalogs.fetch.votable import TableReader, Truncated
from redpoll.errors import UsageError

_MAX_ROWS = 2_000_000  # the maximum of the service
OUR_RA, OUR_DEC = "redpoll_ra", "redpoll_dec"


def fetch_xmatch(plan: XmatchPlan, pages: Pages, service: Service, positions: Positions | None) -> Path:
    """Fetch the rows of a catalogue that match positions, in blocks of positions.

    A source that matches several positions is returned once for each.

    Raises
    ------
    UsageError
        If no positions are given.
    CatalogError
        If the service cannot be reached, refuses, or truncates a response.
    """
    if positions is None:
        raise UsageError(
            f"{plan.catalogue} is fetched as the matches of positions: give a file of them with ra and dec"
        )
    with pages.opened():
        waiting = [(i, min(i + plan.page_rows, len(positions))) for i in range(0, len(positions), plan.page_rows)]
        waiting.reverse()
        while waiting:
            first, last = waiting.pop()
            if pages.has(page := f"{first:010d}_{last:010d}"):
                continue
            try:
                service.ask(plan.url, partial(_attempt, plan, pages, service, positions, (first, last), page))
            except Truncated:
                if last - first == 1:
                    raise
                middle = (first + last) // 2
                waiting += [(middle, last), (first, middle)]
        return pages.assemble(may_be_empty=True)


def _attempt(
    plan: XmatchPlan, pages: Pages, service: Service, positions: Positions, block: tuple[int, int], page: str,
    client: httpx.Client,
) -> int:  # fmt: skip
    fields = {
        "request": "xmatch", "distMaxArcsec": f"{plan.radius_arcsec:g}", "RESPONSEFORMAT": "votable",
        "cat2": plan.catalogue, "colRA1": OUR_RA, "colDec1": OUR_DEC, "MAXREC": str(_MAX_ROWS),
    }  # fmt: skip
    upload = {"cat1": ("positions.csv", _csv(positions, *block), "text/csv")}
    reader = TableReader(f"{urlsplit(plan.url).hostname}: {plan.catalogue}")
    readers = service.table(client, form(client, plan.url, fields, files=upload), reader)
    return pages.write(page, until_limit(readers, _MAX_ROWS, reader.source))


def _csv(positions: Positions, first: int, last: int) -> bytes:
    rows = zip(positions.ra[first:last].tolist(), positions.dec[first:last].tolist(), strict=True)
    return "\n".join([f"{OUR_RA},{OUR_DEC}", *(f"{ra:.8f},{dec:.8f}" for ra, dec in rows), ""]).encode()
