"""VOTable: a table as XML with units and UCDs, row by row.

References
----------
Ochsenbein et al. 2019, IVOA Recommendation "VOTable Format Definition" 1.4.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, BinaryIO
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa

from redpoll.formats.text import plain_batch, text_column
from redpoll.formats.values import shortest
from redpoll.schema.column import field_fact

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3">
<RESOURCE type="results">
<INFO name="QUERY_STATUS" value="OK"/>
<COOSYS ID="icrs" system="ICRS"/>
<TABLE name="alerts">
"""
_TAIL = b"</TABLEDATA></DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n"
_DATATYPES = {
    pa.bool_(): "boolean",
    pa.int8(): "short",
    pa.uint8(): "unsignedByte",
    pa.int16(): "short",
    pa.uint16(): "int",
    pa.int32(): "int",
    pa.uint32(): "long",
    pa.int64(): "long",
    pa.float32(): "float",
    pa.float64(): "double",
}
"""Arrow type -> datatype that holds it exactly; other types are text."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NO_CHARACTER = "\ufffd"


class VotableWriter:
    """VOTable 1.4 as TABLEDATA; an empty cell is null or empty text: the format cannot distinguish them.

    Characters that XML does not have are written as U+FFFD. astropy reads text without its last blanks.
    """

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._file, self._schema = file, schema
        fields = "".join(_field(field) for field in schema)
        self._file.write(f"{_HEAD}{fields}<DATA><TABLEDATA>\n".encode())

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch."""
        cells = [_cells(array) for array in plain_batch(batch, self._schema).columns]
        rows = ("<TR><TD>" + "</TD><TD>".join(row) + "</TD></TR>\n" for row in zip(*cells, strict=True))
        self._file.write("".join(rows).encode())

    def close(self) -> None:
        """Close the open elements."""
        self._file.write(_TAIL)


def _field(field: pa.Field) -> str:
    datatype = _DATATYPES.get(field.type)
    facts = {"name": field.name, "ID": field.name, "datatype": datatype or "unicodeChar"}
    if datatype is None:
        facts["arraysize"] = "*"
    facts |= {key: value for key in ("unit", "ucd") if (value := field_fact(field, key))}
    if facts.get("ucd", "").startswith("pos.eq"):
        facts["ref"] = "icrs"
    attributes = " ".join(f"{key}={quoteattr(_xml(value))}" for key, value in facts.items())
    doc = field_fact(field, "doc")
    inside = f"<DESCRIPTION>{escape(_xml(doc))}</DESCRIPTION>" if doc else ""
    return f"<FIELD {attributes}>{inside}</FIELD>\n"


def _cells(array: pa.Array) -> list[str]:
    write = _writer(array.type)
    return ["" if value is None else write(value) for value in text_column(array).to_pylist()]


def _writer(kind: pa.DataType) -> Callable[[Any], str]:
    if pa.types.is_boolean(kind):
        return lambda value: "true" if value else "false"
    if pa.types.is_floating(kind):
        return _float32 if pa.types.is_float32(kind) else _float64
    return str if kind in _DATATYPES else _text


def _float32(value: float) -> str:
    return repr(shortest(value)) if math.isfinite(value) else _special(value)


def _float64(value: float) -> str:
    return repr(value) if math.isfinite(value) else _special(value)


def _special(value: float) -> str:
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _text(value: Any) -> str:
    return escape(_xml(str(value)), {"\r": "&#13;"})


def _xml(text: str) -> str:
    return _NOT_XML.sub(_NO_CHARACTER, text)
