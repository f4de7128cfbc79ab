"""Fake catalogue services over real sockets: VizieR, TAP, CDS X-Match and plain files, by their documentation.

They serve one table, support the requests of Redpoll's client and refuse all others, as the real services do. The test
sets their limits and faults.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qs
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from redpoll.astro.sky import separation_arcsec
from redpoll.testing.http import CannedResponse, LocalServer, Request, http_server

Infos = Sequence[tuple[str, ...]]
_BOUND = re.compile(r"(>=|<)\s*(\S+)")
_SELECT = re.compile(r"SELECT (?P<columns>.+?) FROM (?P<table>.+?)(?: WHERE (?P<where>.+))?")
_COMPARE = re.compile(r"([\w.]+) (>=|<) (\S+)")
_BETWEEN_COLUMNS = re.compile(r",\s*(?![^()]*\))")
_CIRCLE = re.compile(r"1 = CONTAINS\(POINT\('ICRS', ([\w.]+), ([\w.]+)\), CIRCLE\('ICRS', (\S+), (\S+), (\S+)\)\)")
_NOT_NULL = re.compile(r"(\w+) IS NOT NULL")


@dataclass
class CatalogueServer:
    """One table, served in every dialect.

    Parameters
    ----------
    columns
        Cells as text; None is unknown.
    name
        Name of the table at the services.
    ra, dec
        Names of the columns of positions, degrees.
    max_rows
        Maximum rows of a response; TAP reports a truncation, VizieR and X-Match do not.
    polls
        Number of requests for the phase of a job before it completes.
    faults
        Responses sent instead of the real ones, in order; None sends the real one.
    """

    columns: Mapping[str, Sequence[str | None]]
    name: str = "B/fake/fake"
    ra: str = "ra"
    dec: str = "dec"
    max_rows: int = 1_000_000
    polls: int = 2
    faults: list[CannedResponse | None] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    jobs: dict[str, list[str]] = field(default_factory=dict)

    def answer(self, request: Request) -> CannedResponse:
        """The response of the requested service."""
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            return fault
        path = request.path.partition("?")[0]
        services = {"/viz-bin/votable": self._vizier, "/xmatch/api/v1/sync": self._xmatch, "/tap/sync": self._sync}
        if path in services:
            return services[path](request)
        if path.startswith("/tap/async"):
            return self._async(path, request)
        return (
            CannedResponse(200, self.files[path])
            if path in self.files
            else CannedResponse(404, b"<html>no such page</html>")
        )

    def _vizier(self, request: Request) -> CannedResponse:
        fields = _form(request)
        if fields.pop("-source") != [self.name]:
            return _votable([], [], infos=[("Error", "no catalogue of this name")])
        limit = min(int(fields.pop("-out.max")[0]), self.max_rows)
        names = fields.pop("-out")
        keep = np.ones(self._n, bool)
        if "-c" in fields:
            ra, dec = (float(x) for x in fields.pop("-c")[0].split())
            keep &= self._inside(ra, dec, float(fields.pop("-c.rd")[0]))
            fields.pop("-c.eq")
        for name, (constraint,) in fields.items():
            for sign, value in _BOUND.findall(constraint):
                keep &= self._compared(name, sign, float(value))
        rows = np.flatnonzero(keep)[:limit]
        return self._table(names, rows) if len(rows) else _votable([], [], with_table=False)

    def _sync(self, request: Request) -> CannedResponse:
        fields = {name: values[0] for name, values in _form(request).items()}
        if (fields["REQUEST"], fields["LANG"]) != ("doQuery", "ADQL") or "votable" not in fields["FORMAT"]:
            return _votable([], [], infos=[("QUERY_STATUS", "ERROR")], status=400)
        return self._query(fields["QUERY"], int(fields["MAXREC"]))

    def _async(self, path: str, request: Request) -> CannedResponse:
        if path == "/tap/async":
            job = f"/tap/async/{len(self.jobs) + 1}"
            fields = _form(request)
            self.jobs[job] = [fields["QUERY"][0], fields["MAXREC"][0], "PENDING", str(self.polls)]
            return CannedResponse(303, b"", {"Location": job})
        job, _, rest = path.removeprefix("/tap/async/").partition("/")
        state = self.jobs.get(f"/tap/async/{job}")
        if state is None:
            return CannedResponse(404)
        if request.method == "DELETE":
            del self.jobs[f"/tap/async/{job}"]
            return CannedResponse(303, b"", {"Location": "/tap/async"})
        return self._job(state, rest, request)

    def _job(self, state: list[str], rest: str, request: Request) -> CannedResponse:
        query, limit, phase, polls = state
        if rest == "phase" and request.method == "POST":
            state[2] = "EXECUTING"
            return CannedResponse(200, b"EXECUTING")
        if rest == "phase":
            if phase == "EXECUTING" and int(polls) <= 0:
                state[2] = "COMPLETED" if _SELECT.fullmatch(query) else "ERROR"
            state[3] = str(int(polls) - 1)
            return CannedResponse(200, state[2].encode())
        return self._query(query, int(limit)) if rest in ("results/result", "error") else CannedResponse(404)

    def _query(self, query: str, limit: int) -> CannedResponse:
        try:
            names, keep = self._understood(query)
        except ValueError as error:
            return _votable([], [], infos=[("QUERY_STATUS", "ERROR", str(error))], status=400)
        rows, limit = np.flatnonzero(keep), min(limit, self.max_rows)
        over = [("QUERY_STATUS", "OVERFLOW")] if len(rows) > limit else []
        return self._table(names, rows[:limit], infos=[("QUERY_STATUS", "OK")], after=over)

    def _understood(self, query: str) -> tuple[list[str], NDArray[np.bool_]]:
        match = _SELECT.fullmatch(query)
        if match is None or match["table"] != self.name:
            raise ValueError(f"not understood: {query[:100]}")
        keep = np.ones(self._n, bool)
        for clause in (match["where"] or "").split(" AND "):
            keep &= self._clause(clause)
        return [_last(name) for name in _BETWEEN_COLUMNS.split(match["columns"])], keep

    def _clause(self, clause: str) -> NDArray[np.bool_]:
        if not clause:
            return np.ones(self._n, bool)
        if (match := _COMPARE.fullmatch(clause)) is not None:
            return self._compared(match[1], match[2], float(match[3]))
        if (match := _NOT_NULL.fullmatch(clause)) is not None:
            return np.array([cell is not None for cell in self.columns[match[1]]])
        if (match := _CIRCLE.fullmatch(clause)) is not None:
            return self._inside(float(match[3]), float(match[4]), float(match[5]))
        raise ValueError(f"not understood: {clause[:100]}")

    def _xmatch(self, request: Request) -> CannedResponse:
        fields, upload = _multipart(request)
        if fields["request"] != "xmatch" or fields["cat2"] != self.name or float(fields["distMaxArcsec"]) > 180:
            return _votable([], [], infos=[("QUERY_STATUS", "ERROR", "bad parameters")], status=400)
        ours = [(float(row[fields["colRA1"]]), float(row[fields["colDec1"]])) for row in csv.DictReader(upload)]
        names = list(self.columns)
        rows = []
        for ra, dec in ours:
            angle = separation_arcsec(ra, dec, self._ra, self._dec)
            for i in np.flatnonzero(angle <= float(fields["distMaxArcsec"])).tolist():
                rows.append([f"{angle[i]:.6f}", str(ra), str(dec), *(self.columns[name][i] for name in names)])
        heads = ["angDist", fields["colRA1"], fields["colDec1"], *names]
        return _votable(heads, rows[: min(self.max_rows, int(fields["MAXREC"]))])

    def _table(
        self, names: Sequence[str], rows: NDArray[np.int64], infos: Infos = (), after: Infos = ()
    ) -> CannedResponse:
        bare = [name.strip('"') for name in names]
        if unknown := [name for name in bare if name not in self.columns]:
            return _votable([], [], infos=[("QUERY_STATUS", "ERROR", f"unknown column {unknown[0]}")], status=400)
        return _votable(
            bare, [[self.columns[name][i] for name in bare] for i in rows.tolist()], infos=infos, after=after
        )

    def _compared(self, name: str, sign: str, value: float) -> NDArray[np.bool_]:
        column = np.array([float(cell or "nan") for cell in self.columns[_last(name)]])
        return np.asarray(column >= value if sign == ">=" else column < value)

    def _inside(self, ra: float, dec: float, radius: float) -> NDArray[np.bool_]:
        return np.asarray(separation_arcsec(ra, dec, self._ra, self._dec) <= radius * 3600.0)

    @property
    def _ra(self) -> NDArray[np.float64]:
        return np.array(self.columns[self.ra], np.float64)

    @property
    def _dec(self) -> NDArray[np.float64]:
        return np.array(self.columns[self.dec], np.float64)

    @property
    def _n(self) -> int:
        return len(self.columns[self.ra])


@contextmanager
def catalogue_server(catalogue: CatalogueServer) -> Iterator[LocalServer]:
    """The services of a catalogue at a free port of this machine.

    >>> import httpx
    >>> with catalogue_server(CatalogueServer({"ra": ["1.5"], "dec": ["2.5"]})) as server:
    ...     form = {"-source": "B/fake/fake", "-out": "ra", "-out.max": "9"}
    ...     "<TD>1.5</TD>" in httpx.post(server.url + "/viz-bin/votable", data=form).text
    True
    """
    answer: Callable[[Request], CannedResponse] = catalogue.answer
    with http_server(answer) as server:
        yield server


def _votable(
    names: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    *,
    infos: Infos = (),
    after: Infos = (),
    status: int = 200,
    with_table: bool = True,
) -> CannedResponse:
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">'
    ]
    out += ['<RESOURCE type="results">', *map(_info, infos)]
    if with_table and names:
        out += ["<TABLE>", *(f'<FIELD name={quoteattr(n)} datatype="char" arraysize="*"/>' for n in names)]
        out.append("<DATA><TABLEDATA>")
        out += ("<TR>" + "".join(f"<TD>{escape(c)}</TD>" if c else "<TD/>" for c in row) + "</TR>" for row in rows)
        out.append("</TABLEDATA></DATA></TABLE>")
    out += [*map(_info, after), "</RESOURCE></VOTABLE>\n"]
    return CannedResponse(status, "\n".join(out).encode(), {"Content-Type": "application/x-votable+xml"})


def _info(info: tuple[str, ...]) -> str:
    text = escape(info[2]) if len(info) > 2 else ""
    return f"<INFO name={quoteattr(info[0])} value={quoteattr(info[1])}>{text}</INFO>"


def _last(name: str) -> str:
    """The name of a column in the response: its alias, or what comes after its table."""
    return name.rpartition(" AS ")[2].rpartition(".")[2]


def _form(request: Request) -> dict[str, list[str]]:
    return parse_qs(request.body.decode(), keep_blank_values=True)


def _multipart(request: Request) -> tuple[dict[str, str], io.StringIO]:
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parts = BytesParser(policy=HTTP).parsebytes(head + request.body)
    fields: dict[str, str] = {}
    for part in parts.iter_parts():
        name = part.get_param("name", header="content-disposition")
        fields[str(name)] = bytes(part.get_payload(decode=True)).decode()
    return fields, io.StringIO(fields.pop("cat1"))
