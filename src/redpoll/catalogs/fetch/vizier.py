"""Download of VizieR tables as VOTables.

References
----------
CDS, "Summary of ASU qualifications for VizieR" (``-source``, ``-out``, ``-out.max``, ``-c``, ``-c.eq``, ``-c.rd``,
column constraints), https://vizier.cds.unistra.fr/doc/asu-summary.htx
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from redpoll.catalogs.fetch.area import ConeArea, Strip
from redpoll.catalogs.fetch.ask import Service, form
from redpoll.catalogs.fetch.pages import Pages
from redpoll.catalogs.fetch.plan import VizierPlan
from redpoll.catalogs.fetch.strips import fetch_strips, until_limit
from redpoll.catalogs.fetch.votable import TableReader


def fetch_vizier(plan: VizierPlan, pages: Pages, service: Service, cone: ConeArea | None) -> Path:
    """Fetch a table, or its rows in a cone.

    Raises
    ------
    CatalogError
        If the service cannot be reached, refuses, returns no rows of a whole table, or truncates it.
    """
    with pages.opened():
        read = partial(_read, plan, pages, service, cone)
        fetch_strips(1 if cone else plan.strips, pages, read)
        return pages.assemble(may_be_empty=cone is not None)


def vizier_fields(plan: VizierPlan, cone: ConeArea | None, strip: Strip | None) -> dict[str, str | list[str]]:
    """The ASU arguments of a request.

    >>> plan = VizierPlan("u", "B/vsx/vsx", {"VType": "Type"}, {}, "DEJ2000", 2, 1000)
    >>> vizier_fields(plan, None, Strip(-90.0, 0.0))["DEJ2000"]
    '>=-90.0 & <0.0'
    """
    fields: dict[str, str | list[str]] = {
        "-source": plan.source,
        "-out": list(dict.fromkeys(plan.columns.values())),
        "-out.max": str(plan.page_rows),
        **plan.where,
    }
    if cone is not None:
        fields |= {"-c": f"{cone.ra:.7f} {cone.dec:+.7f}", "-c.eq": "J2000", "-c.rd": f"{cone.radius:.7f}"}
    if strip is not None and plan.strip_column is not None:
        fields[plan.strip_column] = f">={strip.low} & <{strip.high}"
    return fields


def _read(plan: VizierPlan, pages: Pages, service: Service, cone: ConeArea | None, strip: Strip | None) -> int:
    host = str(urlsplit(plan.url).hostname)

    def attempt(client: httpx.Client) -> int:
        reader = TableReader(f"{host}: {plan.source}", may_lack_table=True)
        readers = service.table(client, form(client, plan.url, vizier_fields(plan, cone, strip)), reader)
        return pages.write(str(strip or "all"), until_limit(readers, plan.page_rows, reader.source))

    return service.ask(plan.url, attempt)
