"""Queries of TAP services: SIMBAD, NED, the Gaia archive and any other.

References
----------
IVOA TAP 1.1 (``/sync``, ``/async``, ``MAXREC``); IVOA UWS 1.1 (``phase``, ``results/result``); IVOA ADQL 2.0.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx

from redpoll.catalogs.errors import CatalogError
from redpoll.catalogs.fetch.area import ConeArea, Strip
from redpoll.catalogs.fetch.ask import Service, form
from redpoll.catalogs.fetch.pages import Pages
from redpoll.catalogs.fetch.plan import TapPlan
from redpoll.catalogs.fetch.strips import fetch_strips, until_limit
from redpoll.catalogs.fetch.votable import TableReader

_POLLS = 4_000
_WAIT = (1.0, 30.0)  # seconds between requests for the phase: first and maximum
_AT_WORK = ("PENDING", "QUEUED", "EXECUTING", "HELD", "SUSPENDED", "UNKNOWN")
_MAX_WORDS = 65_536


def fetch_tap(plan: TapPlan, pages: Pages, service: Service, cone: ConeArea | None) -> Path:
    """Fetch the rows of a query, optionally those in a cone.

    Raises
    ------
    CatalogError
        If the service cannot be reached, refuses, fails, or truncates the response.
    """
    with pages.opened():
        fetch_strips(1 if cone else plan.strips, pages, partial(_read, plan, pages, service, cone))
        return pages.assemble(may_be_empty=cone is not None)


def adql(plan: TapPlan, cone: ConeArea | None = None, strip: Strip | None = None) -> str:
    """The ADQL query of a plan, for a cone or strip.

    >>> plan = TapPlan("u", "basic", {"ra": "ra", "dec": "dec", "kind": "otype"}, "nbref > 0", "ra", "dec", 1, 9,
    ...                False, "votable/td")
    >>> adql(plan, strip=Strip(-90.0, 0.0))
    'SELECT ra, dec, otype FROM basic WHERE nbref > 0 AND dec >= -90.0 AND dec < 0.0'
    """
    clauses = [plan.condition] if plan.condition else []
    if cone is not None:
        circle = f"CIRCLE('ICRS', {cone.ra}, {cone.dec}, {cone.radius})"
        clauses.append(f"1 = CONTAINS(POINT('ICRS', {plan.ra}, {plan.dec}), {circle})")
    if strip is not None:
        clauses.append(f"{plan.dec} >= {strip.low} AND {plan.dec} < {strip.high}")
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    return f"SELECT {', '.join(dict.fromkeys(plan.columns.values()))} FROM {plan.table}{where}"


def _read(plan: TapPlan, pages: Pages, service: Service, cone: ConeArea | None, strip: Strip | None) -> int:
    host = str(urlsplit(plan.url).hostname)
    fields = {
        "REQUEST": "doQuery", "LANG": "ADQL", "QUERY": adql(plan, cone, strip), "FORMAT": plan.format,
        "MAXREC": str(plan.page_rows),
    }  # fmt: skip

    def attempt(client: httpx.Client) -> int:
        reader = TableReader(host)
        if plan.is_async:
            job = _run(client, plan.url, fields, service)
            request = client.build_request("GET", f"{job}/results/result")
        else:
            job, request = None, form(client, f"{plan.url}/sync", fields)
        readers = service.table(client, request, reader)
        n_rows = pages.write(str(strip or "all"), until_limit(readers, plan.page_rows, host))
        if job is not None:
            _delete(client, job)
        return n_rows

    return service.ask(plan.url, attempt)


def _run(client: httpx.Client, url: str, fields: dict[str, str], service: Service) -> str:
    """Start a job, wait until it has completed, and return its address."""
    sent = client.send(form(client, f"{url}/async", fields), follow_redirects=False)
    if sent.status_code >= 500 or sent.status_code == 429:
        raise httpx.HTTPStatusError(f"status {sent.status_code}", request=sent.request, response=sent)
    if sent.status_code != 303 or not sent.headers.get("location"):
        raise CatalogError(f"{url}/async: status {sent.status_code} instead of a new job: {sent.text[:200]}")
    job = urljoin(f"{url}/async", sent.headers["location"])
    if urlsplit(job).hostname != urlsplit(url).hostname:
        raise CatalogError(f"{url}/async: redirects to another host, {urlsplit(job).hostname}; that is refused")
    client.post(f"{job}/phase", data={"PHASE": "RUN"}).raise_for_status()
    wait = _WAIT[0]
    for _ in range(_POLLS):
        phase = client.get(f"{job}/phase").raise_for_status().text.strip().upper()
        if phase == "COMPLETED":
            return job
        if phase not in _AT_WORK:
            raise CatalogError(f"{job}: the query ends as {phase[:40]}: {_why(client, job)}")
        service.sleep(wait)
        wait = min(wait * 1.5, _WAIT[1])
    raise CatalogError(f"{job}: not complete after {_POLLS} requests; narrow the query by more strips")


def _why(client: httpx.Client, job: str) -> str:
    """The reason of a failed job."""
    with client.stream("GET", f"{job}/error") as response:
        body = b""
        for chunk in response.iter_bytes(4096):
            body += chunk
            if len(body) > _MAX_WORDS:
                break
    reader = TableReader(job)
    reader.feed(body)
    reader.finish()
    return "(no reason given)"


def _delete(client: httpx.Client, job: str) -> None:
    """Delete a completed job; failures are ignored, because the service deletes it later."""
    try:
        client.delete(job)
    except httpx.HTTPError:
        return
