"""Streaming reader of a VOTable: cells as text, and errors and truncation that the service reports.

References
----------
IVOA VOTable 1.4 (TABLEDATA); IVOA DALI 1.1, section 4.4 (``QUERY_STATUS``: OK, ERROR, OVERFLOW).
"""

from __future__ import annotations

import re
from xml.parsers import expat

from redpoll.catalogs.errors import CatalogError

_MAX_CELL = 65_536
_MAX_FIELDS = 2_000
_ENCODED = ("BINARY", "BINARY2", "FITS", "PARQUET")


class Truncated(CatalogError):
    """The service returned only the first rows."""


class TableReader:
    """Reads one table of a VOTable from the bytes fed to it; `source` names the service in errors.

    `may_lack_table`: a response without a table has no rows.

    ``names`` are the columns and ``cells`` the rows so far as one flat list, None for empty cells; callers may remove
    complete rows from it. ``n_rows`` counts all rows.

    Examples
    --------
    >>> reader = TableReader("here")
    >>> reader.feed(b"<VOTABLE><RESOURCE><TABLE><FIELD name='ra'/><DATA><TABLEDATA><TR><TD>1.5</TD></TR>")
    >>> reader.feed(b"</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>")
    >>> reader.finish()
    >>> reader.names, reader.cells
    (['ra'], ['1.5'])
    """

    def __init__(self, source: str, *, may_lack_table: bool = False) -> None:
        self.names: list[str] = []
        self.cells: list[str | None] = []
        self.n_rows = 0
        self.source, self._start = source, b""
        self._may_lack_table = may_lack_table
        self._tables = self._in_row = 0
        self._nulls: dict[int, str] = {}
        self._text: list[str] | None = None
        self._length = 0
        self._status, self._is_root = "", True
        self._parser = self._make_parser()

    def feed(self, data: bytes) -> None:
        """Parse the next bytes; CatalogError if they are not a supported VOTable."""
        if len(self._start) < 400:
            self._start += data[: 400 - len(self._start)]
        try:
            self._parser.Parse(data, False)
        except expat.ExpatError as error:
            raise CatalogError(f"{self.source}: the response is not a VOTable ({error}): {self._excerpt()}") from error

    def finish(self) -> None:
        """Check the response after its last byte.

        Raises
        ------
        Truncated
            If the service reports that there are more rows.
        CatalogError
            If the response is incomplete, reports an error, or has no table.
        """
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise CatalogError(f"{self.source}: the response ends after {self.n_rows} rows ({error})") from error
        if self._status.startswith("ERROR"):
            raise CatalogError(f"{self.source}: the service refuses the query: {self._status[5:].strip(' :')[:500]}")
        if self._status.startswith("OVERFLOW"):
            raise Truncated(f"{self.source}: truncated at {self.n_rows} rows")
        if not self._tables and not self._may_lack_table:
            raise CatalogError(f"{self.source}: the response has no table: {self._excerpt()}")

    def _make_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self._open
        parser.EndElementHandler = self._close
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._no_entity
        return parser

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "TD":
            self._text, self._length = [], 0
            self._in_row += 1
        elif name == "TR":
            self._in_row = 0
        else:
            self._open_other(name, attributes)

    def _open_other(self, name: str, attributes: dict[str, str]) -> None:
        if self._is_root and name != "VOTABLE":
            raise CatalogError(f"{self.source}: the response is not a VOTable but <{name}>: {self._excerpt()}")
        self._is_root = False
        if name == "TABLE":
            self._tables += 1
            if self._tables > 1:
                raise CatalogError(f"{self.source}: the response has several tables; name one in the recipe")
        elif name == "FIELD" and self._tables:
            self.names.append(attributes.get("name") or attributes.get("ID", ""))
            if len(self.names) > _MAX_FIELDS:
                raise CatalogError(f"{self.source}: a table of more than {_MAX_FIELDS} columns")
        elif name == "VALUES" and self.names and "null" in attributes:
            self._nulls[len(self.names) - 1] = attributes["null"].strip()
        elif name in _ENCODED:
            raise CatalogError(f"{self.source}: its cells are {name}; set a format with TABLEDATA in the recipe")
        elif name == "INFO":
            self._info(attributes.get("name") or attributes.get("ID", ""), attributes.get("value", ""))

    def _info(self, name: str, value: str) -> None:
        """Store the status of the query, or an error of VizieR; its text follows."""
        if name == "QUERY_STATUS" or name.lower().startswith("error"):
            status = value.upper() if name == "QUERY_STATUS" else f"ERROR: {value}"
            self._text, self._length = [status, ": "], 0

    def _close(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "TD":
            cell = "".join(self._text or ()).strip()
            self.cells.append(None if not cell or cell == self._nulls.get(self._in_row - 1) else cell)
            self._text = None
        elif name == "TR":
            if self._in_row != len(self.names):
                raise CatalogError(f"{self.source}: row {self.n_rows} has {self._in_row} of {len(self.names)} cells")
            self.n_rows += 1
        elif name == "INFO" and self._text is not None:
            self._status, self._text = "".join(self._text), None

    def _characters(self, text: str) -> None:
        if self._text is None:
            return
        self._length += len(text)
        if self._length > _MAX_CELL:
            raise CatalogError(f"{self.source}: a cell of more than {_MAX_CELL} characters")
        self._text.append(text)

    def _no_entity(self, *declared: object) -> None:
        raise CatalogError(f"{self.source}: the response declares an XML entity, which is refused")

    def _excerpt(self) -> str:
        """The beginning of the response without markup."""
        text = re.sub(r"<[^>]*>?", " ", self._start.decode("utf-8", "replace"))
        return " ".join(text.split())[:200] or "(nothing)"
